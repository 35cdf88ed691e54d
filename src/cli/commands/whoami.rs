//! `stsctl whoami`: whose identity a command would use, where it comes from and when it ends.

use clap::Args;
use serde_json::{Value, json};

use crate::broker::Granted;
use crate::cli::args::{Output, SessionArgs};
use crate::cli::context::{Context, Identity, block_on};
use crate::cli::error::CommandError;
use crate::cli::text::{self, lifetime, listing, object};
use crate::config::{BaseKind, Plan};
use crate::sts::CallerIdentity;

/// Ask STS whose identity a command would use (GetCallerIdentity), and say where it comes from
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stsctl whoami -o json")]
pub(crate) struct WhoamiArgs {
    #[command(flatten)]
    session: SessionArgs,

    /// Ask nobody: say what is configured and cached
    #[arg(long)]
    offline: bool,

    /// How the answer is printed
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "text")]
    output: Output,
}

pub(crate) fn run(args: &WhoamiArgs, context: &Context) -> Result<(), CommandError> {
    let plan = context.plan(&args.session)?;
    let facts = if args.offline {
        let cached = context.broker(&args.session)?.peek(&plan);
        facts(&plan, None, cached.as_ref(), context)
    } else {
        let (identity, caller) = block_on(async {
            let demand = args.session.demand();
            let broker = context.broker(&args.session)?;
            let identity = Identity::of(context, &broker, &plan, &demand).await?;
            let (credentials, skew) = identity.signer();
            let caller = context
                .sts(&plan)?
                .get_caller_identity(&credentials, skew)
                .await
                .map_err(|error| CommandError::from(error).doing("cannot ask who this is"))?;
            Ok::<_, CommandError>((identity, caller.value))
        })??;
        let granted = match &identity {
            Identity::Session(granted) => Some(granted),
            Identity::Base(..) => None,
        };
        facts(&plan, Some(&caller), granted, context)
    };
    let text = match args.output {
        Output::Json => text::json(&object(facts)),
        Output::Text => listing(&facts),
    };
    Ok(context.ui.data(&text)?)
}

/// Everything known, in the order in which it is shown.
fn facts(
    plan: &Plan,
    caller: Option<&CallerIdentity>,
    granted: Option<&Granted>,
    context: &Context,
) -> Vec<(&'static str, Value)> {
    let mut facts: Vec<(&'static str, Value)> = Vec::new();
    if let Some(caller) = caller {
        facts.push(("Arn", json!(caller.arn)));
        facts.push(("IdentityType", json!(caller.identity_type)));
        facts.push(("AccountId", json!(caller.account_id)));
        facts.push(("PrincipalId", json!(caller.principal_id)));
        facts.push(("UserId", json!(caller.user_id)));
        facts.push(("RoleId", json!(caller.role_id)));
        facts.push(("RequestId", json!(caller.request_id)));
    }
    facts.push(("Source", json!(plan.base.origin.to_string())));
    facts.push(("SourceAccessKeyId", json!(plan.base.access_key_id.as_str())));
    let roles: Vec<&str> = plan.hops.iter().map(|hop| hop.role_arn.as_str()).collect();
    facts.push((
        "Roles",
        if roles.is_empty() {
            Value::Null
        } else {
            json!(roles)
        },
    ));
    if let Some(granted) = granted {
        let session = &granted.session;
        let left = granted.skew.left(session.expiration, context.clock.now());
        facts.push(("AccessKeyId", json!(session.access_key_id.as_str())));
        facts.push(("Expiration", json!(session.expiration.to_string())));
        facts.push(("Lifetime", json!(lifetime(left))));
        facts.push(("Cached", json!(granted.cached)));
        facts.push(("ClockSkewSeconds", json!(granted.skew.seconds())));
    } else if let BaseKind::Exported {
        expiration: Some(expiration),
        ..
    } = &plan.base.kind
    {
        facts.push(("Expiration", json!(expiration.to_string())));
    }
    facts.retain(|(_, value)| !value.is_null());
    facts
}
