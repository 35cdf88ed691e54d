//! One function a dialect: writes one assignment. Names and NULs were checked before. Must not
//! know the other assignments, [`json`] excepted.

use std::fmt::Write as _;

use super::{Assignment, Error, Shell, check};

/// A dialect's answer: the rule that the value breaks, if any.
pub(super) type Outcome = Result<(), &'static str>;

/// For `eval "$(…)"`, quoted: without the quotes the shell splits the text at spaces and expands
/// wildcards in it.
///
/// Every quote of a value closes the string, stands escaped, and opens it again. A closing quote
/// is then always followed by `\` or the line's end, never by another quote, so zsh's `rc_quotes`
/// reads the same.
pub(super) fn posix(assignment: &Assignment<'_>, out: &mut String) {
    match *assignment {
        Assignment::Set(name, value) => {
            push(out, &["export ", name, "='"]);
            push_escaped(out, value, |c| (c == '\'').then_some(r"'\''"));
            out.push_str("'\n");
        }
        Assignment::Unset(name) => push(out, &["unset ", name, "\n"]),
    }
}

/// For `… | source`, and because each line ends in `;` and newlines are escaped, also for
/// `eval (…)`, which joins lines with spaces.
///
/// A special character closes the string, stands escaped, and opens it again: a backslash then
/// always follows a quote, which in no legacy charset is the first byte of a character whose
/// second byte a backslash could be.
///
/// Removal hides a universal variable behind an empty global one, which Alibaba's clients take
/// for absent: erasing it would remove it from every session of this user, for good.
pub(super) fn fish(assignment: &Assignment<'_>, out: &mut String) {
    match *assignment {
        Assignment::Set(name, value) => {
            push(out, &["set -gx ", name, " '"]);
            push_escaped(out, value, |c| match c {
                '\'' => Some(r"'\''"),
                '\\' => Some(r"'\\'"),
                '\n' => Some(r"'\n'"),
                _ => None,
            });
            out.push_str("';\n");
        }
        Assignment::Unset(name) => push(
            out,
            &[
                "set -eg ",
                name,
                "; if set -qx ",
                name,
                "; set -gx ",
                name,
                " ''; end;\n",
            ],
        ),
    }
}

/// For `… | Invoke-Expression`, which takes one line at a time, or the whole text at once.
///
/// Only printable ASCII stands between quotes. All else, the typographic quotes that end a string
/// as `'` does among it, is written as code units: what the console's encoding would change never
/// reaches it.
pub(super) fn powershell(assignment: &Assignment<'_>, out: &mut String) -> Outcome {
    match *assignment {
        Assignment::Set(_, "") => {
            return Err("PowerShell removes a variable that is set to nothing");
        }
        Assignment::Set(name, value) => {
            push(out, &["$env:", name, " = '"]);
            for c in value.chars() {
                match c {
                    '\'' => out.push_str("''"),
                    ' '..='~' => out.push(c),
                    _ => {
                        out.push_str("' + ");
                        for unit in c.encode_utf16(&mut [0; 2]) {
                            write!(out, "[char]0x{unit:04x} + ")
                                .expect("writing to a String cannot fail");
                        }
                        out.push('\'');
                    }
                }
            }
            out.push_str("'\n");
        }
        Assignment::Unset(name) => push(
            out,
            &["Remove-Item Env:", name, " -ErrorAction SilentlyContinue\n"],
        ),
    }
    Ok(())
}

/// For `for /f "delims=" %i in ('…') do @%i`, and for a batch file that is `call`ed. What any
/// of the two would change is refused: `%` in a batch file, `!` under delayed expansion, `^`
/// under `call`, quotes and line ends anywhere, and what depends on the console's code page.
pub(super) fn cmd(assignment: &Assignment<'_>, out: &mut String) -> Outcome {
    /// The longest line that cmd takes, less what `for` and `call` put around it.
    const MAX_LINE: usize = 8191 - 64;
    match *assignment {
        Assignment::Set(_, "") => return Err("cmd removes a variable that is set to nothing"),
        Assignment::Set(name, value) => {
            if !value.bytes().all(|b| (b' '..=b'~').contains(&b)) {
                return Err("cmd takes only printable ASCII from a line of text");
            }
            if value.contains(['"', '%', '!', '^']) {
                return Err("its value holds one of `\"`, `%`, `!`, `^`, which cmd expands");
            }
            if name.len() + value.len() > MAX_LINE {
                return Err("it is longer than a line of cmd");
            }
            push(out, &["set \"", name, "=", value, "\"\n"]);
        }
        Assignment::Unset(name) => push(out, &["set \"", name, "=\"\n"]),
    }
    Ok(())
}

/// For a file that is `source`d; `--shell json` with `from json | load-env` needs no file.
pub(super) fn nu(assignment: &Assignment<'_>, out: &mut String) {
    match *assignment {
        Assignment::Set(name, value) => {
            push(out, &["$env.", name, " = \""]);
            for c in value.chars() {
                match c {
                    '"' | '\\' => out.extend(['\\', c]),
                    _ if c.is_control() => write!(out, "\\u{{{:x}}}", u32::from(c))
                        .expect("writing to a String cannot fail"),
                    _ => out.push(c),
                }
            }
            out.push_str("\"\n");
        }
        Assignment::Unset(name) => push(out, &["hide-env -i ", name, "\n"]),
    }
}

/// For every reader of `.env` files. They agree on bare values alone: on quotes, `$`, `#`, `\`
/// and spaces each has its own rule (Docker's `--env-file` keeps quotes, python-dotenv expands
/// within them), so any other value is refused.
///
/// Such a file cannot remove a variable; one that is to be removed gets the empty value, which
/// Alibaba's clients take for absent.
pub(super) fn dotenv(assignment: &Assignment<'_>, out: &mut String) -> Outcome {
    let (name, value) = match *assignment {
        Assignment::Set(name, value) => (name, value),
        Assignment::Unset(name) => (name, ""),
    };
    let bare = |b: u8| b.is_ascii_alphanumeric() || b"_./:@+=,-".contains(&b);
    if !value.bytes().all(bare) {
        return Err("readers of .env files disagree on its value");
    }
    push(out, &[name, "=", value, "\n"]);
    Ok(())
}

/// One object from name to value; `null` is a removal.
pub(super) fn json(assignments: &[Assignment<'_>], out: &mut String) -> Result<(), Error> {
    out.push('{');
    for (i, assignment) in assignments.iter().enumerate() {
        check(Shell::Json, assignment)?;
        push(
            out,
            &[
                if i == 0 { "" } else { "," },
                "\n  \"",
                assignment.name(),
                "\": ",
            ],
        );
        match *assignment {
            // Not by serde_json: its growing buffer would leave copies of a secret behind.
            Assignment::Set(_, value) => {
                out.push('"');
                for c in value.chars() {
                    match c {
                        '"' | '\\' => out.extend(['\\', c]),
                        '\0'..='\x1f' => write!(out, "\\u{:04x}", u32::from(c))
                            .expect("writing to a String cannot fail"),
                        _ => out.push(c),
                    }
                }
                out.push('"');
            }
            Assignment::Unset(_) => out.push_str("null"),
        }
    }
    out.push_str(if assignments.is_empty() {
        "}\n"
    } else {
        "\n}\n"
    });
    Ok(())
}

pub(super) fn push(out: &mut String, parts: &[&str]) {
    out.extend(parts.iter().copied());
}

/// Appends `value`, each character that `escape` knows replaced.
pub(super) fn push_escaped(
    out: &mut String,
    value: &str,
    escape: impl Fn(char) -> Option<&'static str>,
) {
    for c in value.chars() {
        match escape(c) {
            Some(escaped) => out.push_str(escaped),
            None => out.push(c),
        }
    }
}
