//! What GitHub Actions reads: the environment file of a job, and the command that hides a secret
//! in its logs. Must not know where the file is.

use zeroize::Zeroizing;

use super::dialects::{push, push_escaped};
use super::{Assignment, Error, Shell, check, refusal, reserve};

/// Appends `assignments` in the form of the file that `$GITHUB_ENV` names. Each value stands
/// between two lines of `delimiter`: text drawn at random by the caller, so that no value can
/// have been made to end its own block. Such a file cannot remove a variable; one that is to be
/// removed gets the empty value, which Alibaba's clients take for absent.
///
/// See [Workflow commands](https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-environment-variable).
/// On an error `out` is left as it was.
pub fn github_env(
    assignments: &[Assignment<'_>],
    delimiter: &str,
    out: &mut Zeroizing<String>,
) -> Result<(), Error> {
    reserve(assignments, out);
    for assignment in assignments {
        check(Shell::GitHub, assignment)?;
        if let Assignment::Set(_, value) = assignment
            && value.contains(delimiter)
        {
            return Err(refusal(
                Shell::GitHub,
                assignment,
                "its value holds the delimiter of the file's blocks",
            ));
        }
    }
    for assignment in assignments {
        let (name, value) = match *assignment {
            Assignment::Set(name, value) => (name, value),
            Assignment::Unset(name) => (name, ""),
        };
        push(out, &[name, "<<", delimiter, "\n"]);
        // An empty block is the empty value; a block of one empty line would be too, but only by
        // the runner's leave.
        if !value.is_empty() {
            push(out, &[value, "\n"]);
        }
        push(out, &[delimiter, "\n"]);
    }
    Ok(())
}

/// Appends one `::add-mask::` command for each of `secrets`, for stdout: the runner then hides
/// them in every log of the job. The command's three special characters are escaped as the
/// runner unescapes them.
pub fn github_masks(secrets: &[&str], out: &mut Zeroizing<String>) {
    out.reserve(secrets.iter().map(|s| s.len() * 3 + 16).sum());
    for secret in secrets.iter().filter(|s| !s.is_empty()) {
        out.push_str("::add-mask::");
        push_escaped(out, secret, |c| match c {
            '%' => Some("%25"),
            '\r' => Some("%0D"),
            '\n' => Some("%0A"),
            _ => None,
        });
        out.push('\n');
    }
}
