//! What a hop of the plan means to STS and to the cache. Pure. Must not know when or by whom it is
//! asked for.

use crate::cache::{BaseInputs, Inputs};
use crate::config::{Plan, RoleHop};
use crate::sts::AssumeRole;

/// Returns the AssumeRole call that a hop is.
pub(super) fn request(hop: &RoleHop) -> AssumeRole<'_> {
    AssumeRole {
        role_arn: &hop.role_arn,
        role_session_name: &hop.role_session_name,
        duration: hop.duration,
        policy: hop.policy.as_ref(),
        external_id: hop.external_id.as_ref(),
        source_identity: hop.source_identity.as_ref(),
    }
}

/// Returns the cache inputs of each hop; a hop's base is the key of the hop before it.
pub fn inputs(plan: &Plan) -> Vec<Inputs> {
    let mut all: Vec<Inputs> = Vec::with_capacity(plan.hops.len());
    for hop in &plan.hops {
        let base = match all.last() {
            None => BaseInputs::AccessKeyId(plan.base.access_key_id.to_string()),
            Some(before) => BaseInputs::Hop(before.key()),
        };
        all.push(Inputs {
            endpoint: plan.sts_endpoint.to_string(),
            role_arn: hop.role_arn.to_string(),
            role_session_name: hop.role_session_name.to_string(),
            duration_seconds: hop.duration.get(),
            policy: hop.policy.as_ref().map(ToString::to_string),
            external_id: hop.external_id.as_ref().map(ToString::to_string),
            source_identity: hop.source_identity.as_ref().map(ToString::to_string),
            base,
        });
    }
    all
}
