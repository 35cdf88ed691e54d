//! GetCallerIdentity: whose credentials these are.

use serde::Deserialize;

use super::Error;
use super::answer::Answered;

/// Whom STS takes the caller for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerIdentity {
    /// The account's id.
    pub account_id: String,
    /// The caller's ARN: `acs:ram::<account>:user/<name>`, `…:root`, or for a session
    /// `…:assumed-role/<role>/<session>`, which differs from what AssumeRole calls it.
    pub arn: String,
    /// `Account`, `RAMUser` or `AssumedRoleUser`.
    pub identity_type: String,
    /// The id of the account or user, or `<RoleId>:<RoleSessionName>`.
    pub principal_id: String,
    /// The user's id; for an account and a RAM user.
    pub user_id: Option<String>,
    /// The role's id; for a session.
    pub role_id: Option<String>,
    /// The RequestId of the call.
    pub request_id: String,
}

/// Reads a success.
pub(super) fn read(answered: &Answered<'_>) -> Result<CallerIdentity, Error> {
    let answer: CallerIdentityAnswer = answered.parse()?;
    let id = answer.request_id;
    let text = |field, value: Option<String>| {
        let value = value.filter(|text| !text.is_empty());
        value.ok_or_else(|| answered.missing(field, id.clone()))
    };
    Ok(CallerIdentity {
        account_id: text("AccountId", answer.account_id)?,
        arn: text("Arn", answer.arn)?,
        identity_type: text("IdentityType", answer.identity_type)?,
        principal_id: text("PrincipalId", answer.principal_id)?,
        user_id: answer.user_id.filter(|id| !id.is_empty()),
        role_id: answer.role_id.filter(|id| !id.is_empty()),
        request_id: text("RequestId", id.clone())?,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CallerIdentityAnswer {
    account_id: Option<String>,
    arn: Option<String>,
    identity_type: Option<String>,
    principal_id: Option<String>,
    user_id: Option<String>,
    role_id: Option<String>,
    request_id: Option<String>,
}
