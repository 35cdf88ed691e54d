//! What a call of STS can end in, sorted by what a caller may do about it. Must not hold a secret
//! or the text of an answer: only the parts that the API defines.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::StatusCode;

use crate::http::{HttpError, Retry};
use crate::model::{self, Expiration};

/// A failed call.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The session had ended when it was handed out.
    #[error(
        "the session that STS answered had ended at {expiration}, but its own clock says {}",
        server_now.format("%Y-%m-%dT%H:%M:%SZ")
    )]
    AlreadyExpired {
        /// The Action.
        action: &'static str,
        /// The session's end.
        expiration: Expiration,
        /// The time by the answer's `Date`.
        server_now: DateTime<Utc>,
    },
    /// A field of the answer has a value that it cannot have.
    #[error("{field} in the answer to {action} makes no sense{}", suffix(request_id.as_deref()))]
    Malformed {
        /// The Action.
        action: &'static str,
        /// The field's path.
        field: &'static str,
        /// The RequestId, if there was one.
        request_id: Option<String>,
        /// What is wrong with it.
        source: model::Error,
    },
    /// A field that the API always sends is not there.
    #[error("the answer to {action} has no {field}{}", suffix(request_id.as_deref()))]
    MissingField {
        /// The Action.
        action: &'static str,
        /// The field's path.
        field: &'static str,
        /// The RequestId, if there was one.
        request_id: Option<String>,
    },
    /// Something answered, but not STS: a proxy's page, a captive portal, a redirect.
    #[error(
        "`{host}` answered {status} with {}, which STS never does: \
         a proxy or a captive portal may be answering in its place",
        content_type.as_deref().unwrap_or("no content")
    )]
    NotTheApi {
        /// The Action.
        action: &'static str,
        /// The `host[:port]` that was asked.
        host: String,
        /// The HTTP status.
        status: StatusCode,
        /// The Content-Type, if there was one.
        content_type: Option<String>,
    },
    /// STS said no.
    #[error(transparent)]
    Service(Box<ServiceError>),
    /// No answer arrived whole.
    #[error("STS gave no answer to {action}")]
    Transport {
        /// The Action.
        action: &'static str,
        /// Why.
        source: HttpError,
    },
    /// The answer's JSON ends in the middle.
    #[error("the answer to {action} breaks off after {bytes} bytes")]
    Truncated {
        /// The Action.
        action: &'static str,
        /// The HTTP status.
        status: StatusCode,
        /// How much arrived.
        bytes: usize,
    },
}

impl Error {
    /// Returns the service's Code.
    pub fn code(&self) -> Option<&str> {
        self.service().map(|service| service.code.as_str())
    }

    /// Returns the RequestId, if the answer had one.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Malformed { request_id, .. } | Self::MissingField { request_id, .. } => {
                request_id.as_deref()
            }
            Self::Service(service) => service.request_id.as_deref(),
            _ => None,
        }
    }

    /// Returns the HTTP status, if there was an answer that is not a success.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::NotTheApi { status, .. } | Self::Truncated { status, .. } => Some(*status),
            Self::Service(service) => Some(service.status),
            _ => None,
        }
    }

    /// Tells whether the service limits the rate: later, the same call may succeed.
    pub fn is_throttled(&self) -> bool {
        self.status() == Some(StatusCode::TOO_MANY_REQUESTS) || self.has_code("Throttling")
    }

    /// Tells whether the fault may pass by itself: no answer, or a 5xx.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Transport { source, .. } => source.kind().is_transient(),
            _ => self.status().is_some_and(|status| status.is_server_error()),
        }
    }

    /// Tells whether the credentials themselves are no good: unknown, disabled, expired, without
    /// their token, or with a wrong secret.
    pub fn is_bad_credentials(&self) -> bool {
        self.has_code("InvalidAccessKeyId")
            || self.has_code("InvalidSecurityToken")
            || self.has_code("MissingSecurityToken")
            || self.signature_verdict() == Some(SignatureVerdict::WrongSecret)
    }

    /// Tells whether the service understood the call and refused it for a reason of its own: any
    /// 4xx but a throttled one and [bad credentials](Self::is_bad_credentials).
    pub fn is_denied(&self) -> bool {
        self.service()
            .is_some_and(|service| service.status.is_client_error())
            && !self.is_throttled()
            && !self.is_bad_credentials()
    }

    /// Returns what a refused signature was due to, if the service told what it had signed.
    pub fn signature_verdict(&self) -> Option<SignatureVerdict> {
        self.service().and_then(|service| service.signature)
    }

    /// Tells whether our timestamp was refused.
    pub(super) fn is_clock_skew(&self) -> bool {
        self.code() == Some("InvalidTimeStamp.Expired")
    }

    /// Tells whether another attempt may help.
    pub(super) fn retry(&self) -> Retry {
        if !self.is_throttled() && !self.is_unavailable() && !self.has_code("SignatureNonceUsed") {
            return Retry::No;
        }
        match self.service().and_then(|service| service.retry_after) {
            Some(pause) => Retry::After(pause),
            None => Retry::Backoff,
        }
    }

    fn service(&self) -> Option<&ServiceError> {
        match self {
            Self::Service(service) => Some(service),
            _ => None,
        }
    }

    /// Tells whether the Code is `family` or one of its members, `family.…`.
    fn has_code(&self, family: &str) -> bool {
        let rest = self.code().and_then(|code| code.strip_prefix(family));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

/// An error as STS answers it. The texts are the service's, without secrets and without the
/// string to sign that some of them quote; control characters are escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceError {
    /// The Action that failed.
    pub action: &'static str,
    /// The HTTP status.
    pub status: StatusCode,
    /// The Code, such as `EntityNotExist.Role`.
    pub code: String,
    /// The Message.
    pub message: String,
    /// The RequestId.
    pub request_id: Option<String>,
    /// The HostId.
    pub host_id: Option<String>,
    /// The URL at which Alibaba explains the error.
    pub recommend: Option<String>,
    /// How long the service asks to wait.
    pub retry_after: Option<Duration>,
    /// What a refused signature was due to.
    pub signature: Option<SignatureVerdict>,
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "STS answered {}", self.code)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        f.write_str(&suffix(self.request_id.as_deref()))
    }
}

impl std::error::Error for ServiceError {}

/// Why a signature was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureVerdict {
    /// The service signed another string than we did: a fault in one of the two programs, or
    /// something on the way that changes requests.
    SigningMismatch,
    /// The service signed the same string, so the AccessKeySecret is wrong.
    WrongSecret,
}

fn suffix(request_id: Option<&str>) -> String {
    request_id.map_or_else(String::new, |id| format!(" (RequestId {id})"))
}
