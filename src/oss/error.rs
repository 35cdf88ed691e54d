//! What OSS refuses and why
//! ([error responses](https://www.alibabacloud.com/help/en/oss/developer-reference/error-responses)),
//! and which failures a caller may mend. Must not know how to repeat a request.
//!
//! OSS echoes what it was sent: StringToSign, CanonicalRequest and Authorization in a body hold
//! the SecurityToken. Only the fields of [`Refusal`] are kept, after anything secret of the
//! request has been struck out of them.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use zeroize::Zeroizing;

use super::xml;
use crate::http::HttpError;
use crate::model::{ClockSkew, Endpoint};

/// A failed OSS operation.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What answered is not OSS, or not whole: a proxy's page, a truncated document.
    #[error("`{authority}` answered {operation} with HTTP {status}{}, not as OSS does", Shown(.content_type))]
    NotOss {
        /// The operation, such as `PutObject`.
        operation: &'static str,
        /// The host and port that was asked.
        authority: String,
        /// The HTTP status.
        status: u16,
        /// The Content-Type, if it says one.
        content_type: Option<String>,
    },

    /// OSS refused.
    #[error(transparent)]
    Refused(Box<Refusal>),

    /// There was no answer.
    #[error("{operation} got no answer")]
    Transport {
        /// The operation, such as `PutObject`.
        operation: &'static str,
        /// Why not.
        #[source]
        source: HttpError,
    },
}

impl Error {
    /// Returns OSS's Code, such as `NoSuchBucket`.
    pub fn code(&self) -> Option<&str> {
        self.refusal()?.code.as_deref()
    }

    /// Returns the HTTP status of the answer, if there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::NotOss { status, .. } => Some(*status),
            Self::Refused(refusal) => Some(refusal.status),
            Self::Transport { .. } => None,
        }
    }

    /// Returns OSS's refusal, if it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::NotOss { .. } | Self::Transport { .. } => None,
        }
    }

    /// Returns the clock skew that the answer's `Date` shows.
    pub fn skew(&self) -> Option<ClockSkew> {
        self.refusal()?.skew
    }

    /// Returns how long OSS wants to be left alone (`x-oss-qos-delay-time`).
    pub fn delay(&self) -> Option<Duration> {
        self.refusal()?.delay
    }

    /// Tells whether the service, or a gateway before it, is down or overloaded: any 5xx.
    pub fn is_unavailable(&self) -> bool {
        self.status().is_some_and(|status| status >= 500)
    }

    /// Tells whether OSS wants fewer or slower requests.
    pub fn is_throttled(&self) -> bool {
        self.status() == Some(429)
            || self.delay().is_some()
            || self
                .code()
                .is_some_and(|code| code.ends_with("LimitExceeded") && self.is_unavailable())
    }

    /// Tells whether the same request may succeed a moment later, if its body can be sent again.
    pub fn is_transient(&self) -> bool {
        if let Self::Transport { source, .. } = self {
            return source.kind().is_transient();
        }
        self.is_unavailable()
            || self.is_throttled()
            || self.status() == Some(408)
            || matches!(self.code(), Some("RequestTimeout" | "IncompleteBody"))
    }

    /// Tells whether OSS found the request's time more than 15 minutes off its clock.
    pub fn is_skewed(&self) -> bool {
        self.code() == Some("RequestTimeTooSkewed")
    }

    /// Tells whether a new session might be accepted where this one was not. An expired one may
    /// also read as an unknown AccessKeyId.
    pub fn is_token_rejected(&self) -> bool {
        matches!(
            self.code(),
            Some(
                "AccessKeyIdAndSecurityTokenNotMatch"
                    | "InvalidAccessKeyId"
                    | "InvalidSecurityToken"
                    | "SecurityTokenExpired"
                    | "SecurityTokenNotSupported"
            )
        )
    }

    /// Tells whether the credentials are no good: unknown, expired, mismatched, or with a wrong
    /// AccessKeySecret. A permission that is missing is another matter.
    pub fn is_bad_credentials(&self) -> bool {
        self.is_token_rejected()
            || self.refusal().and_then(|refusal| refusal.verdict) == Some(Verdict::WrongSecret)
    }
}

/// What OSS said when it refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The operation, such as `PutObject`.
    pub operation: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The Code; `None` when a HEAD was refused without one.
    pub code: Option<String>,
    /// The Message, on one line.
    pub message: String,
    /// The RequestId.
    pub request_id: Option<String>,
    /// The EC, OSS's finer error code. For diagnosis only: it may change.
    pub ec: Option<String>,
    /// The Endpoint under which OSS has the bucket, when it was asked at another.
    pub endpoint: Option<Endpoint>,
    /// Why the signature did not match, as far as the answer tells.
    pub verdict: Option<Verdict>,
    /// How long OSS wants to be left alone.
    pub delay: Option<Duration>,
    /// The clock skew that the answer's `Date` shows.
    pub skew: Option<ClockSkew>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OSS answered {} with ", self.operation)?;
        match &self.code {
            Some(code) => write!(f, "{code}")?,
            None => write!(f, "HTTP {}", self.status)?,
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message.trim_end_matches('.'))?;
        }
        match (&self.request_id, &self.ec) {
            (Some(id), Some(ec)) => write!(f, " (RequestId {id}, EC {ec})"),
            (Some(id), None) => write!(f, " (RequestId {id})"),
            (None, _) => Ok(()),
        }
    }
}

impl std::error::Error for Refusal {}

/// Which side a signature that does not match went wrong on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// OSS signed another string than we did: a proxy changed the request, or this program has a
    /// bug.
    SigningMismatch,
    /// Both signed the same string: the AccessKeySecret is wrong.
    WrongSecret,
}

/// The parts of a request that are needed to judge its answer and must never leave.
pub(super) struct Sent {
    pub(super) operation: &'static str,
    pub(super) authority: String,
    pub(super) string_to_sign: Zeroizing<String>,
    /// Texts that must not come back out: the AccessKeySecret, the SecurityToken, Authorization.
    pub(super) secrets: Vec<Zeroizing<String>>,
}

impl Sent {
    /// Makes the error of an answer that is not a success.
    pub(super) fn refused(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        skew: Option<ClockSkew>,
    ) -> Error {
        let document = xml::error_document(body).or_else(|| error_of_head(headers));
        let request_id = header(headers, "x-oss-request-id");
        let document = match document {
            Some(document) => document,
            // The answer to a HEAD has no body; that it has a RequestId shows whose it is.
            None if body.is_empty() && request_id.is_some() => xml::ErrorDocument::default(),
            None => return self.not_oss(status, headers),
        };
        let verdict = match (&document.string_to_sign, document.code.as_deref()) {
            (Some(theirs), Some("SignatureDoesNotMatch")) => {
                Some(if theirs.trim_end() == self.string_to_sign.trim_end() {
                    Verdict::WrongSecret
                } else {
                    Verdict::SigningMismatch
                })
            }
            _ => None,
        };
        let kept = |text: Option<String>| text.map(|text| self.kept(&text));
        Error::Refused(Box::new(Refusal {
            operation: self.operation,
            status: status.as_u16(),
            code: kept(document.code),
            message: kept(document.message).unwrap_or_default(),
            request_id: kept(request_id.map(str::to_owned).or(document.request_id)),
            ec: kept(
                document
                    .ec
                    .or_else(|| header(headers, "x-oss-ec").map(str::to_owned)),
            ),
            endpoint: kept(document.endpoint).and_then(|endpoint| endpoint.parse().ok()),
            verdict,
            delay: header(headers, "x-oss-qos-delay-time")
                .and_then(|ms| ms.parse().ok())
                .map(Duration::from_millis),
            skew,
        }))
    }

    /// Makes the error of an answer that OSS would not give.
    pub(super) fn not_oss(&self, status: StatusCode, headers: &HeaderMap) -> Error {
        Error::NotOss {
            operation: self.operation,
            authority: self.authority.clone(),
            status: status.as_u16(),
            content_type: header(headers, "content-type").map(|text| self.kept(text)),
        }
    }

    /// Makes the error of an exchange that failed.
    pub(super) fn unanswered(&self, source: HttpError) -> Error {
        Error::Transport {
            operation: self.operation,
            source,
        }
    }

    /// Makes a server's text fit to be kept and shown: our secrets struck out, control characters
    /// made spaces, a bounded length.
    pub(super) fn kept(&self, text: &str) -> String {
        let mut text = Zeroizing::new(text.to_owned());
        for secret in self.secrets.iter().filter(|secret| !secret.is_empty()) {
            text = Zeroizing::new(text.replace(secret.as_str(), "[redacted]"));
        }
        let mut kept: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(MAX_TEXT)
            .collect();
        if text.chars().nth(MAX_TEXT).is_some() {
            kept.push('…');
        }
        kept
    }
}

/// Reads the error of a HEAD: the document that a body would hold, in base64.
fn error_of_head(headers: &HeaderMap) -> Option<xml::ErrorDocument> {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    let body = BASE64_STANDARD.decode(headers.get("x-oss-err")?).ok()?;
    xml::error_document(&Zeroizing::new(body))
}

/// Returns a header as text.
pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Shows an optional Content-Type inside a sentence.
struct Shown<'a>(&'a Option<String>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(text) => write!(f, " and {text}"),
            None => Ok(()),
        }
    }
}

const MAX_TEXT: usize = 500;
