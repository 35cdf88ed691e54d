//! The actions of [STS 2015-04-01](https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-overview):
//! their parameters' limits, and the sessions they issue. Must not know signatures or formats.

use chrono::TimeDelta;
use http::StatusCode;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::faults::{Service, What};
use super::identity::{Assumed, Caller};
use super::rpc::{Call, Fail};
use super::{State, lock};
use crate::model::{
    DurationSeconds, Expiration, ExternalId, RoleArn, RoleSessionName, SessionPolicy,
    SourceIdentity,
};

/// An action that the sandbox knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    AssumeRole,
    GetCallerIdentity,
}

impl Operation {
    /// Finds an action of an API version.
    pub(super) fn find(action: &str, version: &str) -> Option<Self> {
        [Self::AssumeRole, Self::GetCallerIdentity]
            .into_iter()
            .find(|operation| operation.name() == action && version == "2015-04-01")
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AssumeRole => "AssumeRole",
            Self::GetCallerIdentity => "GetCallerIdentity",
        }
    }

    /// Returns the parameters that the gateway asks for before anything else.
    pub(super) fn required(self) -> &'static [&'static str] {
        match self {
            Self::AssumeRole => &["RoleArn", "RoleSessionName"],
            Self::GetCallerIdentity => &[],
        }
    }
}

/// Runs a verified call.
pub(super) fn run(
    state: &State,
    call: &Call<'_>,
    caller: &Caller,
    request_id: &str,
) -> Result<Value, Fail> {
    match call.operation {
        Operation::AssumeRole => assume_role(state, call, caller, request_id),
        Operation::GetCallerIdentity => Ok(caller_identity(state, caller, request_id)),
    }
}

fn assume_role(
    state: &State,
    call: &Call<'_>,
    caller: &Caller,
    request_id: &str,
) -> Result<Value, Fail> {
    let role_arn: RoleArn = parsed(call.required("RoleArn")?, "RoleArn")?;
    let session_name: RoleSessionName =
        parsed(call.required("RoleSessionName")?, "RoleSessionName")?;
    let duration = match call.param("DurationSeconds") {
        Some(text) => text
            .parse::<u64>()
            .ok()
            .and_then(|seconds| {
                DurationSeconds::try_from(std::time::Duration::from_secs(seconds)).ok()
            })
            .ok_or_else(wrong_duration)?,
        None => DurationSeconds::default(),
    };
    if let Some(policy) = call.param("Policy") {
        check_policy(policy)?;
    }
    if let Some(id) = call.param("ExternalId") {
        parsed::<ExternalId>(id, "ExternalId")?;
    }
    let source_identity = match call.param("SourceIdentity") {
        Some(text) => Some(source_identity(text)?),
        None => None,
    };
    let role = state.world.role(&role_arn).ok_or_else(|| {
        Fail::new(
            StatusCode::NOT_FOUND,
            "EntityNotExist.Role",
            "The specified Role not exists .",
        )
    })?;
    if matches!(caller, Caller::Root) {
        return Err(Fail::new(
            StatusCode::FORBIDDEN,
            "NoPermission",
            "Roles may not be assumed by root accounts.",
        ));
    }
    if duration > role.max_session_duration {
        return Err(wrong_duration());
    }

    let lifetime = state.session_lifetime.unwrap_or(duration.as_duration());
    let now = state.now();
    let expiration = TimeDelta::from_std(lifetime)
        .ok()
        .and_then(|lifetime| now.checked_add_signed(lifetime))
        .map_or(Expiration::new(now), Expiration::new);
    let assumed = Assumed {
        role_id: role.id.clone(),
        role_name: role.arn.name().to_owned(),
        session_name: session_name.to_string(),
    };
    let issued = lock(&state.sessions)
        .issue(assumed, expiration, now)
        .map_err(|_| Fail::internal())?;

    let mut answer = json!({
        "RequestId": request_id,
        "AssumedRoleUser": {
            "Arn": format!("{role_arn}/{session_name}"),
            "AssumedRoleId": format!("{}:{session_name}", role.id),
        },
        "Credentials": {
            "AccessKeyId": issued.access_key_id,
            "AccessKeySecret": issued.access_key_secret.expose_secret(),
            "SecurityToken": issued.security_token.expose_secret(),
            "Expiration": issued.expiration.to_string(),
        },
    });
    if let Some(source_identity) = source_identity {
        answer["SourceIdentity"] = source_identity.as_str().into();
    }
    let fault = state.faults.take(Service::Sts, |what| {
        matches!(what, What::Expired | What::MissingField)
    });
    match fault {
        Some(What::Expired) => {
            let past = Expiration::new(now - TimeDelta::hours(1));
            answer["Credentials"]["Expiration"] = past.to_string().into();
        }
        Some(_) => {
            if let Some(credentials) = answer["Credentials"].as_object_mut() {
                credentials.remove("SecurityToken");
            }
        }
        None => {}
    }
    Ok(answer)
}

fn caller_identity(state: &State, caller: &Caller, request_id: &str) -> Value {
    let account = state.world.account();
    let mut answer = match caller {
        Caller::Root => json!({
            "IdentityType": "Account",
            "Arn": format!("acs:ram::{account}:root"),
            "PrincipalId": account,
            "UserId": account,
        }),
        Caller::User { name, id } => json!({
            "IdentityType": "RAMUser",
            "Arn": format!("acs:ram::{account}:user/{name}"),
            "PrincipalId": id,
            "UserId": id,
        }),
        Caller::Role(role) => json!({
            "IdentityType": "AssumedRoleUser",
            // Unlike AssumedRoleUser.Arn of AssumeRole, this one says `assumed-role`.
            "Arn": format!(
                "acs:ram::{account}:assumed-role/{}/{}", role.role_name, role.session_name
            ),
            "PrincipalId": format!("{}:{}", role.role_id, role.session_name),
            "RoleId": role.role_id,
        }),
    };
    answer["AccountId"] = account.into();
    answer["RequestId"] = request_id.into();
    answer
}

fn parsed<T: std::str::FromStr>(text: &str, param: &str) -> Result<T, Fail> {
    text.parse().map_err(|_| Fail::wrongly_formed(param))
}

fn source_identity(text: &str) -> Result<SourceIdentity, Fail> {
    if ["acs:", "aliyun:", "alibabacloud:"]
        .iter()
        .any(|prefix| text.starts_with(prefix))
    {
        return Err(Fail::wrongly_formed("SourceIdentity"));
    }
    parsed(text, "SourceIdentity")
}

/// The text speaks of one hour, whatever the role allows.
fn wrong_duration() -> Fail {
    Fail::bad(
        "InvalidParameter.DurationSeconds",
        "The Min/Max value of DurationSeconds is 15min/1hr.",
    )
}

/// Checks a session policy's size and that it is a policy: `{"Version":"1","Statement":[…]}`.
fn check_policy(policy: &str) -> Result<(), Fail> {
    if policy.chars().count() > SessionPolicy::MAX_CHARS {
        return Err(Fail::bad(
            "InvalidParameter.PolicySize",
            "The size of Policy must be smaller than 2048 bytes.",
        ));
    }
    let document: Value = serde_json::from_str(policy).unwrap_or_default();
    let statements = match &document["Statement"] {
        Value::Array(statements) => statements.as_slice(),
        statement @ Value::Object(_) => std::slice::from_ref(statement),
        _ => &[],
    };
    let sound = document["Version"] == "1"
        && !statements.is_empty()
        && statements.iter().all(|statement| {
            (statement["Effect"] == "Allow" || statement["Effect"] == "Deny")
                && (statement.get("Action").is_some() != statement.get("NotAction").is_some())
        });
    if sound {
        Ok(())
    } else {
        Err(Fail::bad(
            "InvalidParameter.PolicyGrammar",
            "The parameter Policy has not passed grammar check.",
        ))
    }
}
