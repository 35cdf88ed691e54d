//! Why there is no session.

use std::time::Duration;

use crate::cache::Holder;
use crate::config;
use crate::model::RoleArn;
use crate::sts;

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// STS did not give one.
    #[error("cannot assume `{role_arn}`")]
    AssumeRole {
        /// The role.
        role_arn: RoleArn,
        /// What STS, or the way to it, said.
        #[source]
        source: Box<sts::Error>,
    },
    /// The base identity's secret could not be had.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The new session lasts less than was asked for.
    #[error("the new session lasts {} s, less than the {} s asked for", left.as_secs(), least.as_secs())]
    TooShort {
        /// How long it lasts.
        left: Duration,
        /// How long it should.
        least: Duration,
    },
    /// The refresh of a session that is still valid took too long; never returned, only noticed.
    #[error("refreshing the session of `{role_arn}` took longer than 3 s")]
    TooSlow {
        /// The role.
        role_arn: RoleArn,
    },
    /// Another process held the session's lock all the time.
    #[error("waited 30 s for {} to refresh the session of `{role_arn}`", whom(holder.as_ref()))]
    Waited {
        /// Who held it, if that could be read.
        holder: Option<Holder>,
        /// The role.
        role_arn: String,
    },
}

fn whom(holder: Option<&Holder>) -> String {
    holder.map_or_else(
        || "another process".to_owned(),
        |h| format!("process {}", h.pid),
    )
}
