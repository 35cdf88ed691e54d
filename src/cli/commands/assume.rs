//! `stsctl assume`: gets the session and says what it is, without its secrets.

use clap::Args;
use secrecy::ExposeSecret;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::broker::Granted;
use crate::cli::args::{Output, SessionArgs};
use crate::cli::context::Context;
use crate::cli::error::CommandError;
use crate::cli::text::{self, lifetime, listing};

/// Get a session: assume the role, or take the cached session while it is good
///
/// Prints a summary with the secrets masked; `-o json` prints what the STS API answers, secrets
/// included.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stsctl assume --role-arn acs:ram::1234567890123456:role/dev")]
pub(crate) struct AssumeArgs {
    #[command(flatten)]
    session: SessionArgs,

    /// How the session is printed
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "text")]
    output: Output,
}

pub(crate) fn run(args: &AssumeArgs, context: &Context) -> Result<(), CommandError> {
    let granted = context.session(&args.session)?;
    let text = match args.output {
        Output::Json => answer(&granted),
        Output::Text => Zeroizing::new(summary(&granted, context)),
    };
    Ok(context.ui.data(&text)?)
}

/// The API's own answer.
fn answer(granted: &Granted) -> Zeroizing<String> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer<'a> {
        request_id: &'a str,
        assumed_role_user: AssumedRoleUser<'a>,
        credentials: Credentials<'a>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct AssumedRoleUser<'a> {
        arn: &'a str,
        assumed_role_id: &'a str,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Credentials<'a> {
        access_key_id: &'a str,
        access_key_secret: &'a str,
        security_token: &'a str,
        expiration: String,
    }
    let session = &granted.session;
    let answer = Answer {
        request_id: &session.request_id,
        assumed_role_user: AssumedRoleUser {
            arn: &session.assumed_role_arn,
            assumed_role_id: &session.assumed_role_id,
        },
        credentials: Credentials {
            access_key_id: session.access_key_id.as_str(),
            access_key_secret: session.access_key_secret.expose_secret(),
            security_token: session.security_token.expose_secret(),
            expiration: session.expiration.to_string(),
        },
    };
    Zeroizing::new(text::json(&answer))
}

fn summary(granted: &Granted, context: &Context) -> String {
    let session = &granted.session;
    let left = granted.skew.left(session.expiration, context.clock.now());
    // A session that the environment handed on has no RequestId.
    let from = match (granted.cached, session.request_id.is_empty()) {
        (false, _) => "AssumeRole",
        (true, false) => "cache",
        (true, true) => "environment",
    };
    let rows = [
        ("RoleArn", session.role_arn.to_string()),
        ("AssumedRoleUser", session.assumed_role_arn.clone()),
        ("AccessKeyId", session.access_key_id.to_string()),
        ("AccessKeySecret", "********".to_owned()),
        ("SecurityToken", "********".to_owned()),
        (
            "Expiration",
            format!("{} (in {})", session.expiration, lifetime(left)),
        ),
        ("RequestId", session.request_id.clone()),
        ("From", from.to_owned()),
    ];
    // What an exported session no longer knows of itself is left out.
    let known = rows.into_iter().filter(|(_, value)| !value.is_empty());
    let values: Vec<_> = known.map(|(name, value)| (name, value.into())).collect();
    listing(&values)
}
