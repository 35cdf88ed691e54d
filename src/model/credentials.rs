//! Credentials, long-lived and temporary. Secrets live in [`SecretString`], which neither prints
//! nor compares nor serialises and is zeroised on drop. Must not know where credentials come from
//! or where they go.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SubsecRound, Utc};
use secrecy::SecretString;

use super::{Error, Result, RoleArn};

/// The public half of an AccessKey pair: `LTAI…` for a long-lived key, `STS.…` for a session.
/// Not a secret: it is what ActionTrail and error messages name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessKeyId(String);

impl AccessKeyId {
    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether STS issued it, which is so when it starts with `STS.`.
    pub fn is_temporary(&self) -> bool {
        self.0.starts_with("STS.")
    }
}

impl FromStr for AccessKeyId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty() || text.len() > 128 || !text.bytes().all(|b| b.is_ascii_graphic()) {
            let rule = "1 to 128 printable ASCII characters without spaces";
            return Err(Error::new("AccessKeyId", text, rule));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What signs a request: an AccessKey pair, and the SecurityToken if the pair is temporary.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The AccessKeyId.
    pub access_key_id: AccessKeyId,
    /// The AccessKeySecret.
    pub access_key_secret: SecretString,
    /// The SecurityToken; `None` for a long-lived AccessKey. Never empty.
    pub security_token: Option<SecretString>,
}

/// The instant at which the service stops accepting a session. Whole seconds, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expiration(DateTime<Utc>);

impl Expiration {
    /// Cuts the instant to whole seconds, so that it is never later than the service gave it.
    pub fn new(at: DateTime<Utc>) -> Self {
        Self(at.trunc_subsecs(0))
    }

    /// Returns the instant.
    pub fn instant(self) -> DateTime<Utc> {
        self.0
    }
}

impl FromStr for Expiration {
    type Err = Error;

    /// Reads RFC 3339, of which the API's `2026-01-02T03:04:05Z` is a case.
    fn from_str(text: &str) -> Result<Self> {
        DateTime::parse_from_rfc3339(text)
            .map(|at| Self::new(at.to_utc()))
            .map_err(|_| Error::new("Expiration", text, "expected the form 2026-01-02T03:04:05Z"))
    }
}

impl fmt::Display for Expiration {
    /// Writes `YYYY-MM-DDTHH:MM:SSZ`, the only form that every official SDK accepts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%dT%H:%M:%SZ"))
    }
}

/// A role session as [AssumeRole] answers it.
///
/// [AssumeRole]: https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole
#[derive(Clone, Debug)]
pub struct Session {
    /// The temporary AccessKeyId, `STS.…`.
    pub access_key_id: AccessKeyId,
    /// The temporary AccessKeySecret.
    pub access_key_secret: SecretString,
    /// The SecurityToken.
    pub security_token: SecretString,
    /// When the session ends, by the service's clock.
    pub expiration: Expiration,
    /// The role that was assumed.
    pub role_arn: RoleArn,
    /// `AssumedRoleUser.Arn`, such as `acs:ram::1234567890123456:role/dev/alice`.
    pub assumed_role_arn: String,
    /// `AssumedRoleUser.AssumedRoleId`, such as `344584339364951186:alice`.
    pub assumed_role_id: String,
    /// The RequestId of the AssumeRole call that made it.
    pub request_id: String,
}

impl Session {
    /// Returns the three-part credential that signs with this session.
    pub fn credentials(&self) -> Credentials {
        Credentials {
            access_key_id: self.access_key_id.clone(),
            access_key_secret: self.access_key_secret.clone(),
            security_token: Some(self.security_token.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiration_is_cut_to_the_second_and_never_later() {
        let expiration: Expiration = "2026-01-02T03:04:05.999Z".parse().unwrap();
        assert_eq!(expiration.to_string(), "2026-01-02T03:04:05Z");
        let offset: Expiration = "2026-01-02T11:04:05+08:00".parse().unwrap();
        assert_eq!(offset, expiration);
        assert!("2026-01-02 03:04".parse::<Expiration>().is_err());
    }

    #[test]
    fn debug_shows_no_secret() {
        let credentials = Credentials {
            access_key_id: "LTAIexample".parse().unwrap(),
            access_key_secret: "canary-secret".into(),
            security_token: Some("canary-token".into()),
        };
        let shown = format!("{credentials:?}");
        assert!(
            shown.contains("LTAIexample") && !shown.contains("canary"),
            "{shown}"
        );
    }
}
