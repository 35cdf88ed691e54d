//! What each layer's errors mean on the command line: the kind, the service's own words, and the
//! advice. Must not print.

use crate::cli::error::{CommandError, Kind};
use crate::cli::hints;
use crate::http::{HttpError, HttpErrorKind};
use crate::{broker, cache, config, oss, sts, transfer};

impl From<config::Error> for CommandError {
    fn from(error: config::Error) -> Self {
        let kind = match error.kind() {
            config::ErrorKind::Local => Kind::Local,
            config::ErrorKind::Configuration => Kind::Usage,
            config::ErrorKind::NoCredentials => Kind::Credentials,
        };
        let advice = error.hints();
        advice
            .into_iter()
            .fold(Self::new(kind, error), Self::hinted)
    }
}

impl From<cache::Error> for CommandError {
    fn from(error: cache::Error) -> Self {
        let mend = error.mend().map(str::to_owned);
        mend.into_iter()
            .fold(Self::new(Kind::Local, error), Self::hinted)
    }
}

impl From<broker::Error> for CommandError {
    fn from(error: broker::Error) -> Self {
        match error {
            broker::Error::AssumeRole { role_arn, source } => {
                Self::from(*source).doing(format!("cannot assume `{role_arn}`"))
            }
            broker::Error::Config(error) => error.into(),
            broker::Error::TooShort { .. } => Self::new(Kind::Denied, error).hinted(
                "the role's MaxSessionDuration limits it: ask for less with --min-lifetime",
            ),
            broker::Error::TooSlow { .. } => Self::new(Kind::Unavailable, error),
            broker::Error::Waited { .. } => Self::new(Kind::Unavailable, error)
                .hinted("try again; if that process hangs, end it, and its lock is free"),
        }
    }
}

impl From<sts::Error> for CommandError {
    fn from(error: sts::Error) -> Self {
        let verdict = error.signature_verdict();
        let kind = if matches!(&error, sts::Error::Transport { source, .. } if is_ours(source)) {
            Kind::Usage
        } else if error.is_throttled() || error.is_unavailable() {
            Kind::Unavailable
        } else if error.is_bad_credentials() {
            Kind::Credentials
        } else if error.is_denied() {
            Kind::Denied
        } else {
            Kind::Local
        };
        let hint = match verdict {
            Some(sts::SignatureVerdict::WrongSecret) => Some(WRONG_SECRET),
            Some(sts::SignatureVerdict::SigningMismatch) => Some(SIGNING_MISMATCH),
            None => match &error {
                sts::Error::Transport { source, .. } => network(source),
                sts::Error::NotTheApi { .. } | sts::Error::Truncated { .. } => Some(NOT_THE_API),
                sts::Error::AlreadyExpired { .. } => Some(ALREADY_EXPIRED),
                _ => error.code().and_then(hints::sts),
            },
        };
        let (code, request_id) = (
            error.code().map(str::to_owned),
            error.request_id().map(str::to_owned),
        );
        let failed = Self::new(kind, error).with_facts(code.as_deref(), request_id.as_deref());
        hint.into_iter().fold(failed, Self::hinted)
    }
}

impl From<oss::Error> for CommandError {
    fn from(error: oss::Error) -> Self {
        let kind = if matches!(&error, oss::Error::Transport { source, .. } if is_ours(source)) {
            Kind::Usage
        } else if error.is_bad_credentials() {
            Kind::Credentials
        } else if error.is_transient() {
            Kind::Unavailable
        } else if error.refusal().is_some_and(|refusal| refusal.status < 500) {
            Kind::Denied
        } else {
            Kind::Local
        };
        let verdict = error.refusal().and_then(|refusal| refusal.verdict);
        let hint = match verdict {
            Some(oss::Verdict::WrongSecret) => Some(WRONG_SECRET),
            Some(oss::Verdict::SigningMismatch) => Some(SIGNING_MISMATCH),
            None => match &error {
                oss::Error::Transport { source, .. } => network(source),
                oss::Error::NotOss { .. } => Some(NOT_THE_API),
                oss::Error::Refused(_) => error.code().and_then(hints::oss),
            },
        };
        let refusal = error.refusal().cloned();
        let code = refusal.as_ref().and_then(|refusal| refusal.code.as_deref());
        let request_id = refusal
            .as_ref()
            .and_then(|refusal| refusal.request_id.as_deref());
        let failed = Self::new(kind, error).with_facts(code, request_id);
        let elsewhere = refusal
            .as_ref()
            .and_then(|refusal| refusal.endpoint.as_ref());
        match elsewhere {
            Some(endpoint) => failed.hinted(format!(
                "the bucket is at another endpoint: pass --endpoint {}",
                endpoint.authority()
            )),
            None => hint.into_iter().fold(failed, Self::hinted),
        }
    }
}

impl From<transfer::Error<Self>> for CommandError {
    fn from(error: transfer::Error<Self>) -> Self {
        match error {
            transfer::Error::Credentials(error) => error,
            transfer::Error::Oss { attempts: 1, source } => source.into(),
            transfer::Error::Oss { attempts, source } => {
                Self::from(source).doing(format!("the transfer failed after {attempts} attempts"))
            }
            transfer::Error::Unsettled { source } => Self::from(source)
                .doing("an answer was lost and an object is there now; whether it is this one cannot be told"),
            transfer::Error::Source(error) => {
                let hint = source_hint(&error);
                let failed = Self::new(source_kind(&error), error);
                hint.into_iter().fold(failed, Self::hinted)
            }
            transfer::Error::Checksum { .. } => Self::local(error.to_string())
                .hinted("put it again; the object that is there now is damaged"),
            transfer::Error::Unread => Self::local(error.to_string()).hinted(NOT_THE_API),
        }
    }
}

/// A file that is not there was named wrongly; one that changes is the machine's doing.
fn source_kind(error: &transfer::SourceError) -> Kind {
    match error {
        transfer::SourceError::Changed(_)
        | transfer::SourceError::Io { .. }
        | transfer::SourceError::Spent => Kind::Local,
        transfer::SourceError::Directory(_)
        | transfer::SourceError::Missing(_)
        | transfer::SourceError::TooLarge(_) => Kind::Usage,
    }
}

fn source_hint(error: &transfer::SourceError) -> Option<&'static str> {
    Some(match error {
        transfer::SourceError::Directory(_) => "name a file: one object is made of one file",
        transfer::SourceError::Missing(_) => "check the path; - reads stdin",
        transfer::SourceError::TooLarge(_) => {
            "split it: larger objects need multipart uploads, which this version does not make"
        }
        transfer::SourceError::Io { .. } => "check that the file can be read",
        transfer::SourceError::Changed(_) => "put it again when nothing writes to it any more",
        transfer::SourceError::Spent => return None,
    })
}

/// Tells whether our own configuration stood in the way, before anything was sent.
fn is_ours(error: &HttpError) -> bool {
    error.kind() == HttpErrorKind::Request
}

fn network(error: &HttpError) -> Option<&'static str> {
    Some(match error.kind() {
        HttpErrorKind::Resolve => {
            "check the endpoint's spelling (--sts-endpoint, --endpoint, --region) and the machine's DNS"
        }
        HttpErrorKind::Connect => {
            "check the endpoint and its port, and HTTPS_PROXY if a proxy is needed"
        }
        HttpErrorKind::Tls => {
            "check that the endpoint speaks TLS; behind a company proxy add its root certificate with --ca-file. For plain HTTP on this machine write http://"
        }
        HttpErrorKind::Timeout => "try again, or allow more with --timeout and --connect-timeout",
        HttpErrorKind::Interrupted => "try again",
        HttpErrorKind::Request => {
            "check HTTPS_PROXY and HTTP_PROXY, and --ca-file or SSL_CERT_FILE"
        }
        HttpErrorKind::BodySource | HttpErrorKind::TooLarge => return None,
    })
}

const WRONG_SECRET: &str = "the AccessKeySecret is wrong: the service signed the same string with the secret it has. Check ALIBABA_CLOUD_ACCESS_KEY_SECRET or the profile's access_key_secret";
const SIGNING_MISMATCH: &str = "the service saw another request than the one that was signed: a proxy may have changed it. If none did, this is a bug in stsctl: please report it with the RequestId";
const NOT_THE_API: &str = "a proxy or a captive portal may be answering: check the endpoint, HTTPS_PROXY and the network's log-in page";
const ALREADY_EXPIRED: &str = "try again; if it stays so, the endpoint is not Alibaba's";
