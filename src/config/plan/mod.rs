//! From what was asked to what is to be done: one base identity and the roles to assume from it,
//! in order. Must not fetch secrets, sessions or the time.
//!
//! **The base identity** is the first source that is configured ([`resolve`] reports the whole
//! search); **the role** and each other setting have their own order, in [`roles`].

mod chain;
mod report;
mod roles;
mod search;

use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::SecretString;

pub use self::report::{Attempt, Origin, Outcome, RoleSource, Source, Warning};
use super::{ConfigFile, Env, Error, Profile, Result, SecretSource, env};
use crate::model::{
    AccessKeyId, DurationSeconds, Endpoint, Expiration, ExternalId, RegionId, RoleArn,
    RoleSessionName, SessionPolicy, SourceIdentity, sts_host,
};

/// What the options of a command ask for. What is `None` or empty was not given.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct Wanted {
    /// `--profile`; `STSCTL_PROFILE` is looked up here.
    pub profile: Option<String>,
    /// `--role-arn`, first to last.
    pub role_arns: Vec<RoleArn>,
    /// `--no-role`.
    pub no_role: bool,
    /// `--role-session-name`.
    pub role_session_name: Option<RoleSessionName>,
    /// The session name where nothing else gives one.
    pub default_session_name: RoleSessionName,
    /// `--duration`.
    pub duration: Option<DurationSeconds>,
    /// `--policy`, or what `--scope` came to.
    pub policy: Option<SessionPolicy>,
    /// `--external-id`.
    pub external_id: Option<ExternalId>,
    /// `--source-identity`.
    pub source_identity: Option<SourceIdentity>,
    /// `--refresh`: a session that exists does not do.
    pub fresh: bool,
    /// `--min-lifetime`.
    pub min_lifetime: Option<Duration>,
    /// `--region` as typed: OSS's `oss-` prefix is stripped here.
    pub region: Option<String>,
    /// `--sts-endpoint`.
    pub sts_endpoint: Option<Endpoint>,
    /// `--vpc`.
    pub vpc: bool,
    /// `--insecure-http`.
    pub insecure_http: bool,
}

impl Wanted {
    /// Asks for nothing in particular.
    pub fn new(default_session_name: RoleSessionName) -> Self {
        Self {
            profile: None,
            role_arns: Vec::new(),
            no_role: false,
            role_session_name: None,
            default_session_name,
            duration: None,
            policy: None,
            external_id: None,
            source_identity: None,
            fresh: false,
            min_lifetime: None,
            region: None,
            sts_endpoint: None,
            vpc: false,
            insecure_http: false,
        }
    }
}

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Who it starts from.
    pub base: Base,
    /// The roles to assume, each with the session before it. Empty: the base itself is used.
    pub hops: Vec<RoleHop>,
    /// What named the last role; `None` without hops.
    pub role_source: Option<RoleSource>,
    /// The profile that was named, else the default profile if it took part.
    pub profile_name: Option<String>,
    /// The region, if any is known.
    pub region: Option<RegionId>,
    /// Whether endpoints inside the VPC are wanted.
    pub vpc: bool,
    /// Where STS is.
    pub sts_endpoint: Endpoint,
    /// Where OSS is, according to the profile.
    pub oss_endpoint: Option<Endpoint>,
    /// What a person should know, though it works.
    pub warnings: Vec<Warning>,
    /// Where a base identity was looked for, in order, and what was found.
    pub search: Vec<Attempt>,
}

/// The identity that a plan starts from.
#[derive(Clone, Debug)]
pub struct Base {
    /// Where it was found.
    pub origin: Origin,
    /// Its AccessKeyId.
    pub access_key_id: AccessKeyId,
    /// What else there is of it.
    pub kind: BaseKind,
}

impl Base {
    /// Tells whether it is an AccessKey that does not end by itself.
    pub fn is_long_lived(&self) -> bool {
        matches!(self.kind, BaseKind::AccessKey { .. })
    }
}

/// What a base identity consists of beside its AccessKeyId.
#[derive(Clone, Debug)]
pub enum BaseKind {
    /// A long-lived AccessKey.
    AccessKey {
        /// Where its secret is; fetched only when a session has to be made.
        secret: SecretSource,
    },
    /// A temporary AccessKey that something else put there. Nobody knows when it ends.
    SessionToken {
        /// The AccessKeySecret.
        secret: SecretString,
        /// The SecurityToken.
        token: SecretString,
    },
    /// A session that stsctl handed out by `env` or `exec`.
    Exported {
        /// The AccessKeySecret.
        secret: SecretString,
        /// The SecurityToken.
        token: SecretString,
        /// The role it is a session of.
        role_arn: RoleArn,
        /// When it ends; `None` when `STSCTL_EXPIRATION` was not passed on with it.
        expiration: Option<Expiration>,
        /// Whether it is close to its end and used only because nothing else is configured.
        last_resort: bool,
    },
}

/// One AssumeRole call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleHop {
    /// The role.
    pub role_arn: RoleArn,
    /// The session's name.
    pub role_session_name: RoleSessionName,
    /// How long the session is to last.
    pub duration: DurationSeconds,
    /// The session policy.
    pub policy: Option<SessionPolicy>,
    /// The ExternalId.
    pub external_id: Option<ExternalId>,
    /// The SourceIdentity.
    pub source_identity: Option<SourceIdentity>,
}

/// Makes the plan: what to start from, which roles to assume, and where.
///
/// Reads at most the policy file of a profile whose role is used. `now` decides whether a session
/// that stsctl exported is still good.
pub fn resolve(
    wanted: &Wanted,
    env: &Env,
    config: &ConfigFile,
    now: DateTime<Utc>,
) -> Result<Plan> {
    if wanted.no_role && !wanted.role_arns.is_empty() {
        return Err(Error::NoRoleWithRole);
    }
    let request = search::Request::new(wanted, env, config, now)?;
    let found = search::search(&request)?;
    let roles = roles::choose(&request, &found)?;
    if let (Some(min_lifetime), Some(last)) = (wanted.min_lifetime, roles.hops.last()) {
        let duration = last.duration.as_duration();
        if min_lifetime > duration {
            return Err(Error::MinLifetime {
                min_lifetime,
                duration,
            });
        }
    }

    let mut warnings = config.warnings().to_vec();
    warnings.extend(found.warning());
    let profiles = request.profiles_in_play(&found);
    let region = region(&request, &profiles, &mut warnings)?;
    let vpc = wanted.vpc || env.is_true(env::VPC_ENDPOINT_ENABLED);
    let sts_endpoint = sts_endpoint(wanted, env, region.as_ref(), vpc)?;
    refuse_exposed(&sts_endpoint, wanted.insecure_http)?;
    Ok(Plan {
        profile_name: profiles.first().map(|profile| profile.name.clone()),
        oss_endpoint: profiles.iter().find_map(|p| p.oss_endpoint.clone()),
        hops: roles.hops,
        role_source: roles.source,
        base: found.base,
        region,
        vpc,
        sts_endpoint,
        warnings,
        search: found.search,
    })
}

/// Refuses an endpoint to which credentials would travel in the clear, unless that is insisted on.
pub fn refuse_exposed(endpoint: &Endpoint, insecure_http: bool) -> Result<()> {
    if endpoint.is_exposed() && !insecure_http {
        return Err(Error::Exposed {
            endpoint: endpoint.clone(),
        });
    }
    Ok(())
}

/// Picks the region: the option, the variable, then the profiles in play.
fn region(
    request: &search::Request<'_>,
    profiles: &[&Profile],
    warnings: &mut Vec<Warning>,
) -> Result<Option<RegionId>> {
    let option = request
        .wanted
        .region
        .as_deref()
        .map(|r| (r, "--region".to_owned()));
    let variable = || {
        Ok(request
            .env
            .text(env::REGION_ID)?
            .map(|r| (r, env::REGION_ID.to_owned())))
    };
    let profile = || {
        profiles.iter().find_map(|profile| {
            let region = profile.region.as_deref()?;
            Some((region, format!("`region` of profile `{}`", profile.name)))
        })
    };
    let chosen = match option {
        Some(option) => Some(option),
        None => variable()?.or_else(profile),
    };
    let Some((text, place)) = chosen else {
        return Ok(None);
    };
    match RegionId::parse_stripping(text) {
        Ok((region, stripped)) => {
            if stripped {
                warnings.push(Warning::RegionStripped {
                    place,
                    region: region.clone(),
                });
            }
            Ok(Some(region))
        }
        Err(source) => Err(Error::Value { place, source }),
    }
}

/// Picks the STS endpoint: the option, the two variables, then the region's own.
fn sts_endpoint(
    wanted: &Wanted,
    env: &Env,
    region: Option<&RegionId>,
    vpc: bool,
) -> Result<Endpoint> {
    if let Some(endpoint) = &wanted.sts_endpoint {
        return Ok(endpoint.clone());
    }
    for variable in [env::STSCTL_STS_ENDPOINT, env::STS_ENDPOINT] {
        if let Some(endpoint) = env.parsed(variable)? {
            return Ok(endpoint);
        }
    }
    let sts_region: Option<RegionId> = env.parsed(env::STS_REGION)?;
    Ok(sts_host(sts_region.as_ref().or(region), vpc))
}
