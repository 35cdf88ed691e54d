//! How a command fails: the kind that decides the exit code, the chain of causes, and the advice.
//! Must not know the terminal; [`CommandError::render`] makes text of it.

use std::error::Error as StdError;
use std::fmt;

use serde_json::json;

/// What kind of failure it is; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No usable credentials: none found, or the service refused the ones there are.
    Credentials,
    /// The service said no.
    Denied,
    /// Something local failed, or an answer made no sense.
    Local,
    /// No answer, 5xx or throttled: try again later.
    Unavailable,
    /// Wrong usage or configuration.
    Usage,
}

impl Kind {
    /// Returns the exit code.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Local => 1,
            Self::Usage => 2,
            Self::Credentials => 3,
            Self::Denied => 4,
            Self::Unavailable => 5,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Usage => "usage",
            Self::Credentials => "credentials",
            Self::Denied => "denied",
            Self::Unavailable => "unavailable",
        }
    }
}

/// What a service said of its refusal.
#[derive(Debug, Default)]
pub(crate) struct ServiceFacts {
    /// Its Code, such as `NoPermission`.
    pub(crate) code: Option<String>,
    /// Its RequestId.
    pub(crate) request_id: Option<String>,
}

/// A failed command.
#[derive(Debug)]
pub(crate) struct CommandError {
    kind: Kind,
    error: Box<dyn StdError + Send + Sync>,
    facts: ServiceFacts,
    hints: Vec<String>,
}

impl CommandError {
    /// A failure of a kind, with its cause.
    pub(crate) fn new(kind: Kind, error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            kind,
            error: error.into(),
            facts: ServiceFacts::default(),
            hints: Vec::new(),
        }
    }

    /// Wrong usage or configuration.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, Message(message.into()))
    }

    /// A local failure.
    pub(crate) fn local(message: impl Into<String>) -> Self {
        Self::new(Kind::Local, Message(message.into()))
    }

    /// Says what was being done when it failed; the failure becomes its cause.
    pub(crate) fn doing(mut self, what: impl Into<String>) -> Self {
        self.error = Box::new(Doing {
            what: what.into(),
            source: self.error,
        });
        self
    }

    /// Adds advice: what to do next.
    pub(crate) fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds the service's own words for machines.
    pub(crate) fn with_facts(mut self, code: Option<&str>, request_id: Option<&str>) -> Self {
        self.facts = ServiceFacts {
            code: code.map(str::to_owned),
            request_id: request_id.map(str::to_owned),
        };
        self
    }

    /// Returns the kind.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the advice.
    pub(crate) fn hints(&self) -> &[String] {
        &self.hints
    }

    /// Tells whether the reader of our output went away, which is no failure of ours.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        self.causes().any(|cause| {
            cause
                .downcast_ref::<std::io::Error>()
                .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
        })
    }

    /// Writes the message and its causes, a line each, without the `error:` label.
    pub(crate) fn render(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        for cause in self.causes() {
            let text = cause.to_string();
            // A wrapper that says what its cause says (fs_err, io) would repeat the line.
            if lines.last().is_some_and(|last| last.contains(&text)) {
                continue;
            }
            lines.push(if lines.is_empty() {
                text
            } else {
                format!("  caused by: {text}")
            });
        }
        lines.join("\n")
    }

    /// Writes the object of `--error-format json`, on one line.
    pub(crate) fn render_json(&self) -> String {
        let message: Vec<String> = self.causes().map(ToString::to_string).collect();
        json!({"error": {
            "kind": self.kind.as_str(),
            "code": self.facts.code,
            "message": message.join(": "),
            "request_id": self.facts.request_id,
            "hints": self.hints,
        }})
        .to_string()
    }

    fn causes(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        let first: &(dyn StdError + 'static) = self.error.as_ref();
        std::iter::successors(Some(first), |error| (**error).source())
    }
}

impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        Self::new(Kind::Local, error)
    }
}

impl From<crate::model::Error> for CommandError {
    fn from(error: crate::model::Error) -> Self {
        let hint = (error.what == "Policy").then_some("pass JSON, @FILE or -");
        hint.into_iter()
            .fold(Self::new(Kind::Usage, error), Self::hinted)
    }
}

/// A message without a cause.
#[derive(Debug)]
struct Message(String);

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Message {}

/// What was being done, with the failure as its cause.
#[derive(Debug)]
struct Doing {
    what: String,
    source: Box<dyn StdError + Send + Sync>,
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl StdError for Doing {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.source.as_ref())
    }
}
