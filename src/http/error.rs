//! What can go wrong before an answer has arrived whole, sorted by what a caller may do about it.
//! Must not know the URL: it may hold a token.

use std::error::Error as StdError;
use std::fmt;

/// A failed exchange: what happened, to which host, and the cause. Holds no part of the URL but
/// the host and port.
#[derive(Debug)]
pub struct HttpError {
    kind: HttpErrorKind,
    authority: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Why an exchange failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpErrorKind {
    /// The request's own body could not be read. Retrying is for whoever owns the body.
    BodySource,
    /// No connection could be made. Nothing was sent: always safe to repeat.
    Connect,
    /// The connection broke, or what came was not HTTP. The request may have been carried out.
    Interrupted,
    /// The request or the client's configuration is malformed. Repeating it cannot help.
    Request,
    /// The host name does not resolve. Nothing was sent.
    Resolve,
    /// Time ran out. The request may have been carried out.
    Timeout,
    /// The TLS handshake failed: an untrusted certificate, or no TLS at the other end. Repeating
    /// it cannot help.
    Tls,
    /// The answer is larger than the caller was ready to hold.
    TooLarge,
}

impl HttpErrorKind {
    /// Tells whether the same request might succeed a moment later.
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Self::Connect | Self::Interrupted | Self::Resolve | Self::Timeout
        )
    }
}

impl HttpError {
    /// Builds an error about the exchange with `authority` (`host[:port]`).
    pub fn new(kind: HttpErrorKind, authority: impl Into<String>) -> Self {
        Self {
            kind,
            authority: authority.into(),
            source: None,
        }
    }

    /// Adds the cause. It must not print a URL.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns what kind of failure it is.
    pub fn kind(&self) -> HttpErrorKind {
        self.kind
    }

    /// Returns the `host[:port]` that was to be reached.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = &self.authority;
        match self.kind {
            HttpErrorKind::BodySource => {
                write!(f, "the data to send to `{host}` could not be read")
            }
            HttpErrorKind::Connect => write!(f, "cannot connect to `{host}`"),
            HttpErrorKind::Interrupted => write!(f, "the connection to `{host}` broke"),
            HttpErrorKind::Request => write!(f, "the request to `{host}` cannot be made"),
            HttpErrorKind::Resolve => write!(f, "the host name of `{host}` does not resolve"),
            HttpErrorKind::Timeout => write!(f, "`{host}` did not answer in time"),
            HttpErrorKind::Tls => write!(f, "no TLS connection to `{host}`"),
            HttpErrorKind::TooLarge => write!(f, "the answer of `{host}` is too large"),
        }
    }
}

impl StdError for HttpError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
