//! Assignments as each shell, file or tool reads them back, byte for byte, without running
//! anything. Pure: text in, text out. Must not know which variables there are
//! ([`exports`](crate::cli::exports) does) nor where the text goes.
//!
//! What a reader cannot take is refused by name; the value itself is never part of an error.
//! How the text is meant to be evaluated is said at each dialect: no quoting is safe under every
//! evaluation.

mod dialects;
mod github;

pub use github::{github_env, github_masks};

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use clap::ValueEnum;
use zeroize::Zeroizing;

use dialects::{cmd, dotenv, fish, json, nu, posix, powershell};

/// The reader that assignments are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
#[expect(clippy::enum_variant_names, reason = "PowerShell is one word")]
pub enum Shell {
    /// Any POSIX shell.
    Sh,
    /// GNU bash.
    Bash,
    /// The Z shell.
    Zsh,
    /// The friendly interactive shell.
    Fish,
    /// PowerShell, 5.1 or later.
    #[value(name = "powershell", alias = "pwsh")]
    PowerShell,
    /// The command prompt of Windows.
    Cmd,
    /// Nushell.
    Nu,
    /// A .env file.
    Dotenv,
    /// The environment file of a step in GitHub Actions, $GITHUB_ENV.
    #[value(name = "github")]
    GitHub,
    /// One JSON object.
    Json,
}

impl Shell {
    /// Returns the dialect of the shell at `path`, which is `$SHELL`: by its file name, and
    /// [`Shell::Sh`] for a name that is not known.
    pub fn from_path(path: impl AsRef<Path>) -> Self {
        let name = path.as_ref().file_stem().unwrap_or_default();
        match name.to_str().unwrap_or_default() {
            "bash" => Self::Bash,
            "zsh" => Self::Zsh,
            "fish" => Self::Fish,
            "pwsh" | "powershell" => Self::PowerShell,
            "nu" => Self::Nu,
            _ => Self::Sh,
        }
    }

    /// Returns the name that `--shell` takes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sh => "sh",
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
            Self::PowerShell => "powershell",
            Self::Cmd => "cmd",
            Self::Nu => "nu",
            Self::Dotenv => "dotenv",
            Self::GitHub => "github",
            Self::Json => "json",
        }
    }
}

impl FromStr for Shell {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        <Self as ValueEnum>::from_str(text, false)
    }
}

impl fmt::Display for Shell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What happens to one environment variable.
#[derive(Clone, Copy)]
pub enum Assignment<'a> {
    /// The variable of this name gets this value and is exported.
    Set(&'a str, &'a str),
    /// The variable of this name is removed.
    Unset(&'a str),
}

impl Assignment<'_> {
    /// Returns the variable's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Set(name, _) | Self::Unset(name) => name,
        }
    }
}

impl fmt::Debug for Assignment<'_> {
    /// Shows the name alone: the value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(name, _) => write!(f, "Set({name}, …)"),
            Self::Unset(name) => write!(f, "Unset({name})"),
        }
    }
}

/// An assignment that a reader cannot take. Holds no part of the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` cannot be written for {shell}: {why}")]
pub struct Error {
    /// The variable.
    pub name: String,
    /// The reader that cannot take it.
    pub shell: Shell,
    /// The rule that its value, or its name, breaks.
    pub why: &'static str,
}

/// Appends `assignments` to `out`, in order, as `shell` reads them. [`Shell::GitHub`] is refused:
/// its form needs a delimiter, so it is [`github_env`]'s.
///
/// On an error `out` is left as it was.
pub fn render(
    shell: Shell,
    assignments: &[Assignment<'_>],
    out: &mut Zeroizing<String>,
) -> Result<(), Error> {
    reserve(assignments, out);
    let start = out.len();
    let rendered = match shell {
        Shell::Json => json(assignments, out),
        _ => lines(shell, assignments, out),
    };
    if rendered.is_err() {
        out.truncate(start);
    }
    rendered
}

fn lines(shell: Shell, assignments: &[Assignment<'_>], out: &mut String) -> Result<(), Error> {
    for assignment in assignments {
        check(shell, assignment)?;
        let refused = |why| refusal(shell, assignment, why);
        match shell {
            Shell::Sh | Shell::Bash | Shell::Zsh => posix(assignment, out),
            Shell::Fish => fish(assignment, out),
            Shell::PowerShell => powershell(assignment, out).map_err(refused)?,
            Shell::Cmd => cmd(assignment, out).map_err(refused)?,
            Shell::Nu => nu(assignment, out),
            Shell::Dotenv => dotenv(assignment, out).map_err(refused)?,
            Shell::GitHub | Shell::Json => {
                return Err(refused("it is not written one line a variable"));
            }
        }
    }
    Ok(())
}

/// Checks what no reader takes.
fn check(shell: Shell, assignment: &Assignment<'_>) -> Result<(), Error> {
    let mut name = assignment.name().bytes();
    let starts = |b: u8| b.is_ascii_alphabetic() || b == b'_';
    if !name.next().is_some_and(starts) || !name.all(|b| starts(b) || b.is_ascii_digit()) {
        let why = "a name has letters, digits and `_`, and does not start with a digit";
        return Err(refusal(shell, assignment, why));
    }
    match assignment {
        Assignment::Set(_, value) if value.contains('\0') => {
            let why = "an environment variable cannot hold a NUL";
            Err(refusal(shell, assignment, why))
        }
        _ => Ok(()),
    }
}

fn refusal(shell: Shell, assignment: &Assignment<'_>, why: &'static str) -> Error {
    Error {
        name: assignment.name().escape_debug().to_string(),
        shell,
        why,
    }
}

/// Makes room for the longest form of every assignment at once: a string that grows leaves copies
/// of what it held behind.
fn reserve(assignments: &[Assignment<'_>], out: &mut String) {
    // `' + [char]0x0001 + '` is the longest form of one byte, `'\''` of a printable one. No more
    // room than that: all of it is wiped in the end.
    let byte = |byte: u8| if matches!(byte, b' '..=b'~') { 4 } else { 20 };
    let longest = |assignment: &Assignment<'_>| match assignment {
        Assignment::Set(name, value) => name.len() + value.bytes().map(byte).sum::<usize>() + 128,
        Assignment::Unset(name) => name.len() * 3 + 64,
    };
    out.reserve(assignments.iter().map(longest).sum());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_the_ones_of_the_command_line() {
        for shell in Shell::value_variants() {
            assert_eq!(shell.name().parse(), Ok(*shell));
            let value = shell.to_possible_value().unwrap();
            assert_eq!(value.get_name(), shell.name());
        }
        assert!("csh".parse::<Shell>().is_err());
    }

    #[test]
    fn the_shell_is_known_by_its_file_name() {
        for (path, shell) in [
            ("/bin/bash", Shell::Bash),
            ("/usr/local/bin/zsh", Shell::Zsh),
            ("/opt/fish", Shell::Fish),
            ("nu", Shell::Nu),
            ("/usr/bin/pwsh", Shell::PowerShell),
            ("bash.exe", Shell::Bash),
            ("/bin/dash", Shell::Sh),
            ("/bin/json", Shell::Sh),
            ("", Shell::Sh),
            ("/", Shell::Sh),
        ] {
            assert_eq!(Shell::from_path(path), shell, "{path}");
        }
    }

    proptest! {
        #[test]
        fn room_is_made_once(value in "(?s).{0,40}", shell in 0..Shell::value_variants().len()) {
            let shell = Shell::value_variants()[shell];
            let assignments = [Assignment::Set("NAME", &value), Assignment::Unset("OTHER")];
            let mut probe = Zeroizing::new(String::new());
            reserve(&assignments, &mut probe);
            let mut out = Zeroizing::new(String::new());
            let _ = render(shell, &assignments, &mut out);
            let _ = github_env(&assignments, "delimiter", &mut out);
            prop_assert!(out.len() <= 2 * probe.capacity());
            let mut out = Zeroizing::new(String::new());
            if render(shell, &assignments, &mut out).is_ok() {
                prop_assert_eq!(out.capacity(), probe.capacity());
            }
        }

        #[test]
        fn an_error_holds_no_part_of_the_value_and_leaves_nothing(
            value in "(?s).{0,20}canary.{0,20}", shell in 0..Shell::value_variants().len()
        ) {
            let shell = Shell::value_variants()[shell];
            let assignments = [Assignment::Set("A", "x"), Assignment::Set("NAME", &value)];
            let mut out = Zeroizing::new("before".to_owned());
            if let Err(error) = render(shell, &assignments, &mut out) {
                let shown = format!("{error} {error:?}");
                prop_assert!(!shown.contains("canary"));
                prop_assert_eq!(out.as_str(), "before");
            }
            let shown = format!("{assignments:?}");
            prop_assert!(!shown.contains("canary"));
        }
    }
}
