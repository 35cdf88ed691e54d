//! `stsctl cache`: what is cached, and how to be rid of it. Never shows a secret.

use chrono::TimeDelta;
use clap::{Args, Subcommand};
use serde_json::Value;

use crate::cache::{Filter, Key, Listed, State, Summary};
use crate::cli::args::Output;
use crate::cli::context::Context;
use crate::cli::error::CommandError;
use crate::cli::text::{columns, json, lifetime};
use crate::model::RoleArn;

/// List or remove the cached sessions
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stsctl cache list")]
pub(crate) struct CacheArgs {
    #[command(subcommand)]
    command: CacheCommand,
}

#[derive(Debug, Subcommand)]
enum CacheCommand {
    /// List the cached sessions: role, session name, AccessKeyId, expiry
    #[command(after_help = "Example:\n  stsctl cache list -o json")]
    List {
        /// How the list is printed
        #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "text")]
        output: Output,
    },
    /// Delete cached sessions. This does not revoke them: they work until they expire
    #[command(
        after_help = "Example:\n  stsctl cache clear --role-arn acs:ram::1234567890123456:role/dev"
    )]
    Clear {
        /// Only the sessions of this role
        #[arg(long, value_name = "ARN", conflicts_with = "key")]
        role_arn: Option<RoleArn>,
        /// Only the session with this key, as `cache list -o json` shows it
        #[arg(long, value_name = "KEY")]
        key: Option<Key>,
    },
    /// Delete sessions that have expired, and what damaged files were set aside
    #[command(after_help = "Example:\n  stsctl cache prune")]
    Prune,
    /// Print the directory that holds the sessions
    #[command(after_help = "Example:\n  ls -l \"$(stsctl cache path)\"")]
    Path,
}

pub(crate) fn run(args: &CacheArgs, context: &Context) -> Result<(), CommandError> {
    match &args.command {
        CacheCommand::List { output } => {
            let listed = context.open_cache()?.list()?;
            let text = match output {
                Output::Json => json_list(&listed, context),
                Output::Text => table(&listed, context),
            };
            context.ui.data(&text)?;
            if listed.is_empty() {
                context.ui.status("no session is cached");
            }
        }
        CacheCommand::Clear { role_arn, key } => {
            let filter = match (role_arn, key) {
                (Some(role_arn), _) => Filter::RoleArn(role_arn.clone()),
                (None, Some(key)) => Filter::Key(key.clone()),
                (None, None) => Filter::All,
            };
            let count = context.open_cache()?.clear(&filter)?;
            context.ui.status(&format!("deleted {}", sessions(count)));
            if count > 0 {
                context.ui.hint(
                    "a deleted session is not revoked: whoever has a copy can use it until its Expiration. To revoke it, detach the role's policies or delete the role (see \"Revoking a session\" in README.md)",
                );
            }
        }
        CacheCommand::Prune => {
            let count = context.open_cache()?.prune(context.clock.now())?;
            context.ui.status(&format!("deleted {}", sessions(count)));
        }
        CacheCommand::Path => {
            let path = context.dirs.sessions_dir();
            context.ui.data(&format!("{}\n", path.display()))?;
        }
    }
    Ok(())
}

fn sessions(count: usize) -> String {
    format!(
        "{count} {}",
        if count == 1 { "session" } else { "sessions" }
    )
}

fn table(listed: &[Listed], context: &Context) -> String {
    let mut rows: Vec<[String; 4]> = Vec::new();
    for Listed { key, state } in listed {
        rows.push(match state {
            State::Good(summary) => [
                summary.role_arn.to_string(),
                summary.role_session_name.clone(),
                summary.access_key_id.to_string(),
                expiry(summary, context),
            ],
            State::Damaged => not_a_session(key, "damaged; `stsctl cache prune` removes it"),
            State::Foreign => not_a_session(key, "written by another version"),
        });
    }
    if rows.is_empty() {
        return String::new();
    }
    rows.insert(
        0,
        ["ROLE", "SESSION NAME", "ACCESS KEY ID", "EXPIRATION"].map(str::to_owned),
    );
    columns(&rows)
}

fn not_a_session(key: &Key, what: &str) -> [String; 4] {
    [
        format!("({key})"),
        String::new(),
        String::new(),
        what.to_owned(),
    ]
}

fn expiry(summary: &Summary, context: &Context) -> String {
    let left = summary.skew.left(summary.expiration, context.clock.now());
    if left.num_seconds() > 0 {
        format!("{} (in {})", summary.expiration, lifetime(left))
    } else {
        format!("{} (expired)", summary.expiration)
    }
}

fn json_list(listed: &[Listed], context: &Context) -> String {
    let now = context.clock.now();
    let rows: Vec<Value> = listed
        .iter()
        .map(|Listed { key, state }| match state {
            State::Damaged => serde_json::json!({"Key": key.to_string(), "State": "damaged"}),
            State::Foreign => serde_json::json!({"Key": key.to_string(), "State": "foreign"}),
            State::Good(summary) => serde_json::json!({
                "Key": key.to_string(),
                "State": if summary.skew.left(summary.expiration, now) > TimeDelta::zero() { "valid" } else { "expired" },
                "RoleArn": summary.role_arn.as_str(),
                "RoleSessionName": summary.role_session_name,
                "AccessKeyId": summary.access_key_id.as_str(),
                "Expiration": summary.expiration.to_string(),
                "DurationSeconds": summary.duration_seconds,
                "Policy": summary.policy,
                "Endpoint": summary.endpoint,
                "AssumedRoleArn": summary.assumed_role_arn,
                "ClockSkewSeconds": summary.skew.seconds(),
            }),
        })
        .collect();
    json(&rows)
}
