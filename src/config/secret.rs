//! Fetches an AccessKeySecret from where a profile says it is. The only part of configuration
//! that opens secret files or runs programs, and only when a session has to be made. Must not
//! know what the secret is for; what a program prints is never shown.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::{Error, Result, SecretFileProblem, SecretSource};

/// How long a program may take to print the secret: long enough for a person to unlock a store.
pub const COMMAND_LIMIT: Duration = Duration::from_secs(60);

/// Returns the secret. A program gets at most `limit` ([`COMMAND_LIMIT`], but for tests), no
/// input, and the caller's stderr.
pub fn resolve(source: &SecretSource, limit: Duration) -> Result<SecretString> {
    match source {
        SecretSource::Plain(secret) => Ok(secret.clone()),
        SecretSource::File(path) => from_file(path),
        SecretSource::Command { program, arguments } => from_command(program, arguments, limit),
        SecretSource::Keychain => Err(Error::Unsupported {
            what: "the keychain".to_owned(),
            instead: "keep the AccessKeySecret in { file = \"…\" } or get it with { command = […] }",
        }),
    }
}

/// Takes text as a secret: printable ASCII without spaces, which AccessKeySecrets and
/// SecurityTokens are, and what no HTTP header can be broken with.
pub(super) fn checked(text: &str, place: impl FnOnce() -> String) -> Result<SecretString> {
    let problem = if text.is_empty() {
        "is empty"
    } else if !text.bytes().all(|b| b.is_ascii_graphic()) {
        "is no secret of an AccessKey: it has spaces, line ends or characters outside ASCII"
    } else {
        return Ok(SecretString::from(text));
    };
    Err(Error::Malformed {
        place: place(),
        problem,
    })
}

fn from_file(path: &Path) -> Result<SecretString> {
    let failed = |source| Error::Read {
        what: "the AccessKeySecret",
        source,
    };
    // Looked at before it is opened: opening a pipe would wait for its writer.
    if !fs_err::metadata(path).map_err(failed)?.is_file() {
        return Err(Error::SecretFile {
            path: path.to_owned(),
            problem: SecretFileProblem::NotAFile,
        });
    }
    let mut file = fs_err::File::open(path).map_err(failed)?;
    check_private(&file)?;
    let mut text = Zeroizing::new(String::with_capacity(LONGEST));
    Read::by_ref(&mut file)
        .take(LONGEST as u64)
        .read_to_string(&mut text)
        .map_err(failed)?;
    checked(text.trim_end_matches(['\r', '\n']), || {
        format!("the secret file {}", path.display())
    })
}

/// Refuses a file that others could read or have put there. Asked of the open file, so that it
/// cannot be exchanged in between.
#[cfg(unix)]
fn check_private(file: &fs_err::File) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata().map_err(|source| Error::Read {
        what: "the AccessKeySecret",
        source,
    })?;
    let mode = metadata.mode() & 0o777;
    let problem = if metadata.uid() != rustix::process::geteuid().as_raw() {
        SecretFileProblem::Foreign
    } else if mode & 0o077 != 0 {
        SecretFileProblem::Loose { mode }
    } else {
        return Ok(());
    };
    Err(Error::SecretFile {
        path: file.path().to_owned(),
        problem,
    })
}

/// Trusts the access list, which a file in a Windows profile inherits from the profile.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail on Unix")]
fn check_private(_file: &fs_err::File) -> Result<()> {
    Ok(())
}

fn from_command(program: &Path, arguments: &[String], limit: Duration) -> Result<SecretString> {
    let shown = program.display().to_string();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|source| Error::CommandNotRun {
            program: shown.clone(),
            source,
        })?;
    let output = read_output(&mut child, limit);
    let Some((output, status)) = output else {
        // Errors of ending it change nothing: it is either over or not ours to end.
        let _ = child.kill();
        let _ = child.wait();
        return Err(Error::CommandTimedOut {
            program: shown,
            limit,
        });
    };
    if !status.success() {
        return Err(Error::CommandFailed {
            program: shown,
            status,
        });
    }
    let place = || format!("what `{shown}` printed");
    let text = std::str::from_utf8(&output).map_err(|_| Error::Malformed {
        place: place(),
        problem: "is not text",
    })?;
    checked(text.lines().next().unwrap_or_default(), place)
}

/// Returns what the child prints and how it ends; `None` when that takes longer than `limit`.
fn read_output(
    child: &mut Child,
    limit: Duration,
) -> Option<(Zeroizing<Vec<u8>>, std::process::ExitStatus)> {
    let started = Instant::now();
    let mut stdout = child.stdout.take().expect("stdout is piped");
    let (sender, receiver) = mpsc::channel();
    // Ends with the child; it is left behind only if the child's own children keep the pipe open.
    thread::spawn(move || {
        let mut output = Zeroizing::new(Vec::with_capacity(LONGEST));
        let read = Read::by_ref(&mut stdout)
            .take(LONGEST as u64)
            .read_to_end(&mut output);
        // Nobody listens any more after a time-out.
        let _ = sender.send(read.map(|_| output));
    });
    let output = match receiver.recv_timeout(limit) {
        Ok(Ok(output)) => output,
        Ok(Err(_)) => Zeroizing::new(Vec::new()),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
    };
    // A program's output ends with the program but for an instant, or for a program that closes
    // its output and goes on. std has no bounded wait; this is it.
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some((output, status)),
            Ok(None) if started.elapsed() < limit => thread::sleep(Duration::from_millis(1)),
            Ok(None) | Err(_) => return None,
        }
    }
}

/// More than any secret or any first line of a password store.
const LONGEST: usize = 64 * 1024;

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;

    use super::*;

    fn secret_file(text: &str, mode: u32) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let mode = std::fs::Permissions::from_mode(mode);
        file.as_file().set_permissions(mode).unwrap();
        file
    }

    fn run(script: &str, limit: Duration) -> Result<String> {
        let source = SecretSource::Command {
            program: "sh".into(),
            arguments: vec!["-c".to_owned(), script.to_owned()],
        };
        resolve(&source, limit).map(|secret| secret.expose_secret().to_owned())
    }

    #[test]
    fn a_private_file_gives_its_line() {
        let file = secret_file("s3cret\r\n", 0o600);
        let secret = resolve(&SecretSource::File(file.path().into()), COMMAND_LIMIT).unwrap();
        assert_eq!(secret.expose_secret(), "s3cret");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_the_cure() {
        let file = secret_file("s3cret", 0o640);
        let error = resolve(&SecretSource::File(file.path().into()), COMMAND_LIMIT).unwrap_err();
        assert!(error.to_string().ends_with("(mode 0640)"), "{error}");
        assert!(error.hints().concat().contains("chmod 600"));
    }

    #[test]
    fn a_file_with_no_secret_in_it_is_refused_without_being_shown() {
        for text in ["", "\n", "canary one", "canary\ntwo\n", "canäry"] {
            let file = secret_file(text, 0o600);
            let error =
                resolve(&SecretSource::File(file.path().into()), COMMAND_LIMIT).unwrap_err();
            assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
            assert!(!format!("{error:?}").contains("can"), "{error:?}");
        }
    }

    #[test]
    fn what_is_not_a_file_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let error = resolve(&SecretSource::File(dir.path().into()), COMMAND_LIMIT).unwrap_err();
        assert!(matches!(error, Error::SecretFile { .. }), "{error:?}");
        let missing = dir.path().join("missing");
        let error = resolve(&SecretSource::File(missing), COMMAND_LIMIT).unwrap_err();
        assert!(matches!(error, Error::Read { .. }), "{error:?}");
    }

    #[test]
    fn a_command_gives_its_first_line() {
        assert_eq!(
            run("printf 's3cret\\nuser: x\\n'", COMMAND_LIMIT).unwrap(),
            "s3cret"
        );
        assert_eq!(run("printf s3cret", COMMAND_LIMIT).unwrap(), "s3cret");
        assert_eq!(run("cat; echo s3cret", COMMAND_LIMIT).unwrap(), "s3cret");
    }

    #[test]
    fn a_command_that_fails_or_prints_nothing_is_an_error_without_its_output() {
        let error = run("echo canary; exit 3", COMMAND_LIMIT).unwrap_err();
        assert!(matches!(error, Error::CommandFailed { .. }), "{error:?}");
        assert!(!format!("{error:?} {error}").contains("canary"));
        let error = run("true", COMMAND_LIMIT).unwrap_err();
        assert!(error.to_string().ends_with("is empty"), "{error}");
        let source = SecretSource::Command {
            program: "/nonexistent/program".into(),
            arguments: Vec::new(),
        };
        let error = resolve(&source, COMMAND_LIMIT).unwrap_err();
        assert!(matches!(error, Error::CommandNotRun { .. }), "{error:?}");
    }

    #[test]
    fn a_command_that_does_not_end_is_killed() {
        for script in ["exec sleep 600", "exec sleep 600 >&-"] {
            let error = run(script, Duration::from_millis(50)).unwrap_err();
            assert!(matches!(error, Error::CommandTimedOut { .. }), "{error:?}");
        }
    }
}
