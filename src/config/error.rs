//! What is wrong with what the user asked for. Must not know how errors are rendered; never holds
//! a secret, nor any text of a line that may contain one.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::plan::Attempt;
use crate::model::{self, Endpoint, Expiration, RoleArn};

/// The result of asking for configuration.
pub type Result<T> = std::result::Result<T, Error>;

/// Which of the command line's exit codes an error belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Something on this machine failed, not what was asked for: exit code 1.
    Local,
    /// What was asked for, or what is configured, must be changed: exit code 2.
    Configuration,
    /// There is no identity to use: exit code 3.
    NoCredentials,
}

/// A place in a text file. Lines and columns count from one, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file.
    pub path: PathBuf,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Location {
    /// Finds the line and column of a byte offset; one past the end stands for the end.
    pub(crate) fn of_offset(path: PathBuf, text: &str, offset: usize) -> Self {
        let mut before = offset.min(text.len());
        while !text.is_char_boundary(before) {
            before -= 1;
        }
        let (before, _) = text.split_at(before);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            path,
            line: before.matches('\n').count() + 1,
            column: before.split_at(line_start).1.chars().count() + 1,
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path.display(), self.line, self.column)
    }
}

/// Why there is no plan, or why a part of the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A profile has both an AccessKey of its own and a `source_profile`.
    #[error("profile `{profile}` has both an access_key_id and a source_profile")]
    AmbiguousSource {
        /// The profile.
        profile: String,
    },
    /// An edit was overtaken: somebody else wrote the file since it was read.
    #[error("`{}` was changed by somebody else meanwhile", path.display())]
    ChangedMeanwhile {
        /// The file.
        path: PathBuf,
    },
    /// A command that should print an AccessKeySecret could not be started.
    #[error("cannot run `{program}` for the AccessKeySecret")]
    CommandNotRun {
        /// The program; its arguments may be sensitive and are left out.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A command that should print an AccessKeySecret ended with a failure.
    #[error("`{program}`, run for the AccessKeySecret, failed ({status})")]
    CommandFailed {
        /// The program.
        program: String,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// A command that should print an AccessKeySecret took too long and was killed.
    #[error("`{program}`, run for the AccessKeySecret, did not end within {} s", limit.as_secs())]
    CommandTimedOut {
        /// The program.
        program: String,
        /// How long it was waited for.
        limit: Duration,
    },
    /// No configuration directory: no home, and none was given.
    #[error("there is no home directory to keep the configuration in")]
    NoConfigDir,
    /// Plain HTTP to a host that is not this machine.
    #[error("`{endpoint}` would carry credentials over plain HTTP")]
    Exposed {
        /// The endpoint.
        endpoint: Endpoint,
    },
    /// The exported session is over, and what it was made from is not here.
    #[error("the exported session for `{role_arn}` ended at {expiration}")]
    ExportedEnded {
        /// The session's role.
        role_arn: RoleArn,
        /// When it ended.
        expiration: Expiration,
    },
    /// The exported session is not what was asked for, and nothing else is configured.
    #[error("the exported session for `{role_arn}` cannot be used: {reason}")]
    ExportedUnfit {
        /// The session's role.
        role_arn: RoleArn,
        /// What asks for another session.
        reason: String,
    },
    /// A part of an AccessKey pair is missing in the environment.
    #[error("`{present}` is set without `{missing}`")]
    HalfPair {
        /// A variable that is set.
        present: &'static str,
        /// The variable that should be set beside it.
        missing: &'static str,
    },
    /// A part of an AccessKey pair is missing in a profile.
    #[error("profile `{profile}` has an {present} but no {missing}")]
    HalfProfile {
        /// The profile.
        profile: String,
        /// The key that is there.
        present: &'static str,
        /// The key that should be there too.
        missing: &'static str,
    },
    /// Another tool's JSON file cannot be understood. Its text is not shown.
    #[error("{location}: {message}")]
    Json {
        /// Where.
        location: Location,
        /// What is wrong there.
        message: String,
    },
    /// `--min-lifetime` asks for more than the session will have.
    #[error(
        "--min-lifetime {} s is more than the session's duration of {} s",
        min_lifetime.as_secs(),
        duration.as_secs()
    )]
    MinLifetime {
        /// What was asked for.
        min_lifetime: Duration,
        /// How long the session will last.
        duration: Duration,
    },
    /// A profile has nothing to make a session from.
    #[error("profile `{profile}` has neither an access_key_id nor a source_profile")]
    NoAccessKey {
        /// The profile.
        profile: String,
    },
    /// No source of a base identity is configured.
    #[error("no credentials are configured")]
    NoCredentials {
        /// Where was looked, and what was found there.
        search: Vec<Attempt>,
    },
    /// `--no-role` beside `--role-arn`.
    #[error("--no-role and --role-arn contradict each other")]
    NoRoleWithRole,
    /// An environment variable is not Unicode.
    #[error("the value of `{variable}` is not valid Unicode")]
    NotUnicode {
        /// The variable.
        variable: String,
    },
    /// Text that cannot be part of an AccessKey. Not shown: it may be a secret.
    #[error("{place} {problem}")]
    Malformed {
        /// Where it came from.
        place: String,
        /// The rule it broke.
        problem: &'static str,
    },
    /// A profile of this name exists.
    #[error("there is already a profile `{profile}`")]
    ProfileExists {
        /// The profile.
        profile: String,
    },
    /// A profile is the source of itself.
    #[error("the profiles form a cycle: {}", path.join(" → "))]
    ProfileCycle {
        /// The names, the first of which comes again at the end.
        path: Vec<String>,
    },
    /// A profile is the source of others and cannot be removed.
    #[error("profile `{profile}` is the source_profile of {}", by.join(", "))]
    ProfileInUse {
        /// The profile.
        profile: String,
        /// Those that name it.
        by: Vec<String>,
    },
    /// A file that is configured could not be read; the source names it.
    #[error("cannot read {what}")]
    Read {
        /// What it should have held.
        what: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A file with a secret that is not private.
    #[error("the secret file `{}` {problem}", path.display())]
    SecretFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: SecretFileProblem,
    },
    /// `config.toml` is not TOML, or has keys or types that it should not have.
    #[error("{location}: {message}")]
    Syntax {
        /// Where.
        location: Location,
        /// What is wrong there; never the text of the line.
        message: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// A profile with a temporary AccessKey, which is good for nothing without its token.
    #[error("profile `{profile}` has a temporary AccessKeyId (`STS.…`)")]
    TemporaryKey {
        /// The profile.
        profile: String,
    },
    /// There is no profile of this name.
    #[error("there is no profile `{name}`{}", referrer.as_ref().map(|by| format!(", which {by} names")).unwrap_or_default())]
    UnknownProfile {
        /// The name.
        name: String,
        /// What names it, unless a person did.
        referrer: Option<String>,
        /// The known name most like it.
        nearest: Option<String>,
        /// All names that are known.
        known: Vec<String>,
    },
    /// Something this version does not do.
    #[error("{what} is not available in this version")]
    Unsupported {
        /// What.
        what: String,
        /// What to do instead.
        instead: &'static str,
    },
    /// A value that is not what it should be.
    #[error("{place} cannot be used")]
    Value {
        /// Where the value stands: a variable, or a key of a profile.
        place: String,
        /// The value and the rule it broke.
        #[source]
        source: model::Error,
    },
    /// The configuration could not be written; the source names the file.
    #[error("cannot write the configuration")]
    Write {
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// Why a file is not trusted with a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretFileProblem {
    /// Another user could read and change it.
    #[error("belongs to another user")]
    Foreign,
    /// Its permission bits let others in.
    #[error("can be read or written by others (mode {mode:04o})")]
    Loose {
        /// The bits.
        mode: u32,
    },
    /// It is a directory, a pipe or the like.
    #[error("is not a regular file")]
    NotAFile,
}

impl Error {
    /// Returns which exit code the error belongs to.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::ChangedMeanwhile { .. } | Self::Write { .. } => ErrorKind::Local,
            Self::CommandFailed { .. }
            | Self::CommandTimedOut { .. }
            | Self::ExportedEnded { .. }
            | Self::ExportedUnfit { .. }
            | Self::NoCredentials { .. } => ErrorKind::NoCredentials,
            _ => ErrorKind::Configuration,
        }
    }

    /// Returns what a person can do about it, most helpful first. Sentence fragments, lower case.
    pub fn hints(&self) -> Vec<String> {
        let one = |hint: &str| vec![hint.to_owned()];
        match self {
            Self::AmbiguousSource { .. } => one("remove one of the two"),
            Self::ChangedMeanwhile { .. } => one("run the command again"),
            Self::CommandNotRun { .. } => {
                one("`command` is a list of the program and its arguments; no shell is involved")
            }
            Self::CommandFailed { .. } | Self::CommandTimedOut { .. } => one(
                "run the command by hand: the first line of its output must be the AccessKeySecret",
            ),
            Self::NoConfigDir => one("set STSCTL_CONFIG_DIR, or give --config-dir"),
            Self::Exposed { .. } => one("use https://, or insist with --insecure-http"),
            Self::ExportedEnded { .. } => identity_elsewhere(),
            Self::ExportedUnfit { .. } => {
                let mut hints = identity_elsewhere();
                hints.push("leave the option out to use the exported session as it is".to_owned());
                hints
            }
            Self::HalfPair { missing, .. } => vec![format!(
                "set `{missing}` too; other spellings of these variables are not looked at"
            )],
            Self::HalfProfile { missing, .. } => vec![format!("add {missing} to the profile")],
            Self::MinLifetime { .. } => {
                one("ask for a longer --duration, or a shorter --min-lifetime")
            }
            Self::NoAccessKey { profile } => vec![format!(
                "give `{profile}` an access_key_id and access_key_secret, or a source_profile that has them"
            )],
            Self::NoCredentials { search } => {
                let mut hints: Vec<String> = search.iter().map(ToString::to_string).collect();
                hints.push(
                    "set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or add a profile with `stsctl profile add`"
                        .to_owned(),
                );
                hints
            }
            Self::NoRoleWithRole => one("give one of the two"),
            Self::ProfileExists { .. } => one("remove it first, or choose another name"),
            Self::ProfileCycle { .. } => {
                one("one of these profiles needs an access_key_id in place of its source_profile")
            }
            Self::ProfileInUse { .. } => one("remove or change those profiles first"),
            Self::SecretFile { path, problem } => match problem {
                SecretFileProblem::Foreign => one("copy it to a file of your own with mode 0600"),
                SecretFileProblem::Loose { .. } => vec![format!(
                    "make it yours alone: chmod 600 '{}'",
                    path.display()
                )],
                SecretFileProblem::NotAFile => Vec::new(),
            },
            Self::Syntax {
                nearest: Some(nearest),
                ..
            } => vec![format!("did you mean `{nearest}`?")],
            Self::Syntax { nearest: None, .. } => {
                one("mend the file at that line and column; nothing in it was used")
            }
            Self::TemporaryKey { .. } => one(
                "temporary credentials end; export them as ALIBABA_CLOUD_ACCESS_KEY_ID, _ACCESS_KEY_SECRET and _SECURITY_TOKEN instead",
            ),
            Self::UnknownProfile { nearest, known, .. } => {
                let mut hints: Vec<String> = nearest
                    .iter()
                    .map(|nearest| format!("did you mean `{nearest}`?"))
                    .collect();
                hints.push(known_profiles(known));
                hints
            }
            Self::Unsupported { instead, .. } => one(instead),
            Self::Json { .. }
            | Self::Malformed { .. }
            | Self::NotUnicode { .. }
            | Self::Read { .. }
            | Self::Value { .. }
            | Self::Write { .. } => Vec::new(),
        }
    }
}

fn identity_elsewhere() -> Vec<String> {
    vec![
        "the identity it was made from is not in this environment: \
         name its profile with --profile, or set up a default_profile"
            .to_owned(),
        "or go back to the shell that exported it, and export it again there".to_owned(),
    ]
}

fn known_profiles(known: &[String]) -> String {
    let shown: Vec<&str> = known.iter().take(MOST_NAMES).map(String::as_str).collect();
    match known.len() {
        0 => "no profiles are configured; add one with `stsctl profile add`".to_owned(),
        n if n > MOST_NAMES => format!("known profiles: {}, … ({n} in all)", shown.join(", ")),
        _ => format!("known profiles: {}", shown.join(", ")),
    }
}

/// Returns the known name most like `name`, if any is a slip of the fingers or a few letters more.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = 1 + name.chars().count() / 4;
    known
        .into_iter()
        .filter_map(|candidate| {
            let distance = if name.len() > 2 && candidate.starts_with(name) {
                1
            } else {
                strsim::osa_distance(name, candidate)
            };
            (distance <= most).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many names an error lists.
const MOST_NAMES: usize = 20;
