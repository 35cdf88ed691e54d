//! AssumeRole: its parameters, and the session in its answer.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::Error;
use super::answer::Answered;
use crate::model::{
    DurationSeconds, Expiration, ExternalId, RoleArn, RoleSessionName, Session, SessionPolicy,
    SourceIdentity,
};

/// The parameters of AssumeRole.
#[derive(Clone, Copy, Debug)]
pub struct AssumeRole<'a> {
    /// The role to assume.
    pub role_arn: &'a RoleArn,
    /// Who assumes it, for the audit trail.
    pub role_session_name: &'a RoleSessionName,
    /// How long the session shall last.
    pub duration: DurationSeconds,
    /// What the session is narrowed to.
    pub policy: Option<&'a SessionPolicy>,
    /// What the role's trust policy may ask for.
    pub external_id: Option<&'a ExternalId>,
    /// The person or program behind the session.
    pub source_identity: Option<&'a SourceIdentity>,
}

impl<'a> AssumeRole<'a> {
    /// Returns the parameters as they are sent; `duration` is `self.duration` as text.
    pub(super) fn params(&self, duration: &'a str) -> Vec<(&'a str, &'a str)> {
        let mut params = vec![
            ("RoleArn", self.role_arn.as_str()),
            ("RoleSessionName", self.role_session_name.as_str()),
            ("DurationSeconds", duration),
        ];
        params.extend(self.policy.map(|p| ("Policy", p.as_str())));
        params.extend(self.external_id.map(|id| ("ExternalId", id.as_str())));
        params.extend(
            self.source_identity
                .map(|id| ("SourceIdentity", id.as_str())),
        );
        params
    }
}

/// Reads a success. Everything that a session needs must be there and make sense.
pub(super) fn read(answered: &Answered<'_>, role_arn: &RoleArn) -> Result<Session, Error> {
    let answer: AssumeRoleAnswer = answered.parse()?;
    let id = answer.request_id;
    let missing = |field| answered.missing(field, id.clone());
    let credentials = answer.credentials.ok_or_else(|| missing("Credentials"))?;
    let user = answer.user.ok_or_else(|| missing("AssumedRoleUser"))?;
    let text = |field, value: Option<String>| {
        let value = value.filter(|text| !text.is_empty());
        value.ok_or_else(|| missing(field))
    };
    let secret = |field, value: Option<SecretString>| {
        let value = value.filter(|secret| !secret.expose_secret().is_empty());
        value.ok_or_else(|| missing(field))
    };
    let malformed = |field| {
        let request_id = id.as_deref().map(|id| answered.safe(id));
        move |source| Error::Malformed {
            action: answered.action,
            field,
            request_id,
            source,
        }
    };
    let access_key_id = text("Credentials.AccessKeyId", credentials.access_key_id)?
        .parse()
        .map_err(malformed("Credentials.AccessKeyId"))?;
    let expiration: Expiration = text("Credentials.Expiration", credentials.expiration)?
        .parse()
        .map_err(malformed("Credentials.Expiration"))?;
    if expiration.instant() <= answered.server_now {
        return Err(Error::AlreadyExpired {
            action: answered.action,
            expiration,
            server_now: answered.server_now,
        });
    }
    Ok(Session {
        access_key_id,
        access_key_secret: secret("Credentials.AccessKeySecret", credentials.access_key_secret)?,
        security_token: secret("Credentials.SecurityToken", credentials.security_token)?,
        expiration,
        role_arn: role_arn.clone(),
        assumed_role_arn: text("AssumedRoleUser.Arn", user.arn)?,
        assumed_role_id: text("AssumedRoleUser.AssumedRoleId", user.assumed_role_id)?,
        request_id: text("RequestId", id.clone())?,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumeRoleAnswer {
    request_id: Option<String>,
    #[serde(rename = "AssumedRoleUser")]
    user: Option<AssumedRoleUser>,
    credentials: Option<WireCredentials>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedRoleUser {
    arn: Option<String>,
    assumed_role_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireCredentials {
    access_key_id: Option<String>,
    access_key_secret: Option<SecretString>,
    security_token: Option<SecretString>,
    expiration: Option<String>,
}
