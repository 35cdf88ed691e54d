//! Which roles are assumed, and with which settings. Must not know where the base identity is.
//!
//! The role is the first of: `--role-arn` (which replaces a profile's own role and keeps its
//! source); the role of the named profile; `ALIBABA_CLOUD_ROLE_ARN`; the default profile's role.
//! When an exported session was passed over, its role stands before the default profile's, so
//! that a shell does not change its role at the moment its session runs out. A profile without a
//! role whose source has one is that source's session: that role counts as its own.
//!
//! Session name and SourceIdentity say who it is, and follow the same order for every hop.
//! Duration, policy and ExternalId are made for one role: a profile that has a role lends them to
//! that role only, not to one that stands in its place. The default profile lends anything only
//! where it takes part: when no profile is named, or when the role is its own.

use super::chain::Chain;
use super::search::{AskedRole, Found, Request};
use super::{RoleHop, RoleSource};
use crate::config::env;
use crate::config::{PolicySource, Profile, Result};
use crate::model::{DurationSeconds, RoleArn};

/// The roles, in order, and what named the last.
#[derive(Debug, Default)]
pub(super) struct Roles {
    pub(super) hops: Vec<RoleHop>,
    pub(super) source: Option<RoleSource>,
}

/// Chooses the roles to assume from the base that was found.
pub(super) fn choose(request: &Request<'_>, found: &Found) -> Result<Roles> {
    if request.wanted.no_role || found.is_session_wanted {
        return Ok(Roles::default());
    }
    let spare = if found.named {
        // Loaded only where its role may count, so that it cannot be in the way otherwise.
        let needs_role = request.asked_role.is_none() && own_role(found).is_none();
        needs_role
            .then(|| request.load_default())
            .transpose()?
            .flatten()
    } else {
        None
    };
    let default = request.default_profile().or(spare.as_ref());
    let builder = Builder {
        request,
        chain: found.chain.as_ref(),
        named: found
            .named
            .then_some(found.chain.as_ref())
            .flatten()
            .map(Chain::head),
        default,
    };
    builder.roles(found)
}

/// Returns the profile whose role is that of the chain's head: the head, or its nearest source
/// that has one.
fn own_role(found: &Found) -> Option<&Profile> {
    let chain = found.chain.as_ref()?;
    chain.profiles().find(|profile| profile.role_arn.is_some())
}

struct Builder<'a> {
    request: &'a Request<'a>,
    /// The profiles that the base came from.
    chain: Option<&'a Chain>,
    named: Option<&'a Profile>,
    default: Option<&'a Profile>,
}

impl<'a> Builder<'a> {
    fn roles(&self, found: &'a Found) -> Result<Roles> {
        let named_role = found.named.then(|| own_role(found)).flatten();
        let default_role = if found.chain.is_some() && !found.named {
            own_role(found)
        } else {
            self.default.filter(|profile| profile.role_arn.is_some())
        };
        // A profile that has the exported session's role knows its settings and its source.
        let exported = found.passed_over.as_ref();
        let exported_owner = exported.and_then(|role| {
            let sources = found.chain.iter().flat_map(Chain::profiles);
            sources
                .chain(default_role)
                .find(|profile| profile.role_arn.as_ref() == Some(role))
        });
        match (&self.request.asked_role, named_role) {
            (Some(AskedRole::Option(_)), _) => {
                self.chain_of(&self.request.wanted.role_arns, RoleSource::Option)
            }
            (_, Some(profile)) => self.profile_role(profile),
            (Some(AskedRole::Variable(role)), None) => {
                self.chain_of(std::slice::from_ref(role), RoleSource::Variable)
            }
            (None, None) => match (exported, exported_owner.or(default_role)) {
                (Some(role), _) if exported_owner.is_none() => {
                    self.chain_of(std::slice::from_ref(role), RoleSource::Exported)
                }
                (_, Some(profile)) => self.profile_role(profile),
                (_, None) => Ok(Roles::default()),
            },
        }
    }

    /// Assumes the sources' roles, then `roles`, which belong to no profile.
    fn chain_of(&self, roles: &[RoleArn], source: RoleSource) -> Result<Roles> {
        let mut hops = self.source_hops(None)?;
        let Some((last, earlier)) = roles.split_last() else {
            return Ok(Roles::default());
        };
        for role in earlier {
            hops.push(self.earlier_hop(role, None)?);
        }
        hops.push(self.last_hop(last, None)?);
        Ok(Roles {
            hops,
            source: Some(source),
        })
    }

    /// Assumes the sources' roles, then that of `owner`.
    fn profile_role(&self, owner: &'a Profile) -> Result<Roles> {
        let Some(role) = &owner.role_arn else {
            return Ok(Roles::default());
        };
        let mut hops = self.source_hops(Some(owner))?;
        hops.push(self.last_hop(role, Some(owner))?);
        Ok(Roles {
            hops,
            source: Some(RoleSource::Profile(owner.name.clone())),
        })
    }

    /// The hops of the sources, up to that of `last`.
    fn source_hops(&self, last: Option<&Profile>) -> Result<Vec<RoleHop>> {
        self.chain
            .into_iter()
            .flat_map(Chain::source_roles)
            .take_while(|profile| last.is_none_or(|last| last.name != profile.name))
            .filter_map(|profile| Some((profile.role_arn.as_ref()?, profile)))
            .map(|(role, profile)| self.earlier_hop(role, Some(profile)))
            .collect()
    }

    /// A hop on the way: duration, policy and ExternalId are its own profile's.
    fn earlier_hop(&self, role: &RoleArn, owner: Option<&'a Profile>) -> Result<RoleHop> {
        let mut hop = self.hop(role, owner, Nearest::Owner)?;
        if let Some(owner) = owner {
            hop.duration = owner.duration.unwrap_or_default();
            hop.policy = owner.policy.as_ref().map(PolicySource::read).transpose()?;
            hop.external_id.clone_from(&owner.external_id);
        }
        Ok(hop)
    }

    /// The hop that everything asked for applies to.
    fn last_hop(&self, role: &RoleArn, owner: Option<&'a Profile>) -> Result<RoleHop> {
        let wanted = self.request.wanted;
        let lends = |profile: &&Profile| {
            profile.role_arn.is_none() || owner.is_some_and(|owner| owner.name == profile.name)
        };
        let mut tiers = self.tiers(owner, Nearest::Asked);
        tiers.named.retain(lends);
        tiers.default.retain(lends);
        let external_id = match &wanted.external_id {
            Some(id) => Some(id.clone()),
            None => tiers.pick(
                |p| p.external_id.clone(),
                self.request.env.parsed(env::EXTERNAL_ID)?,
            ),
        };
        let policy = match &wanted.policy {
            Some(policy) => Some(policy.clone()),
            None => tiers
                .pick(|p| p.policy.clone(), None)
                .map(|policy| policy.read())
                .transpose()?,
        };
        Ok(RoleHop {
            duration: wanted
                .duration
                .or_else(|| tiers.pick(|p| p.duration, None))
                .unwrap_or_default(),
            policy,
            external_id,
            ..self.hop(role, owner, Nearest::Asked)?
        })
    }

    /// A hop with the settings that every hop has.
    fn hop(&self, role: &RoleArn, owner: Option<&'a Profile>, nearest: Nearest) -> Result<RoleHop> {
        let wanted = self.request.wanted;
        let tiers = self.tiers(owner, nearest);
        let role_session_name = match &wanted.role_session_name {
            Some(name) => name.clone(),
            None => tiers
                .pick(
                    |p| p.role_session_name.clone(),
                    self.request.env.parsed(env::ROLE_SESSION_NAME)?,
                )
                .unwrap_or_else(|| wanted.default_session_name.clone()),
        };
        Ok(RoleHop {
            role_arn: role.clone(),
            role_session_name,
            duration: DurationSeconds::default(),
            policy: None,
            external_id: None,
            source_identity: wanted
                .source_identity
                .clone()
                .or_else(|| tiers.pick(|p| p.source_identity.clone(), None)),
        })
    }

    /// Lists the profiles that may give a setting of a hop. The owner of the hop's role stands
    /// with the profile that led to it.
    fn tiers(&self, owner: Option<&'a Profile>, nearest: Nearest) -> Tiers<'a> {
        let with_owner = |asked: Option<&'a Profile>, owner: Option<&'a Profile>| match nearest {
            Nearest::Asked => asked.into_iter().chain(owner).collect(),
            Nearest::Owner => owner.into_iter().chain(asked).collect(),
        };
        let is_default = |owner: &&Profile| self.default.is_some_and(|d| d.name == owner.name);
        let owner_is_named = self.named.is_some() && !owner.as_ref().is_some_and(is_default);
        let (of_named, of_default) = if owner_is_named {
            (owner, None)
        } else {
            (None, owner)
        };
        Tiers {
            named: with_owner(self.named, of_named),
            default: with_owner(self.default, of_default),
        }
    }
}

/// Whose word goes first among profiles of one tier.
#[derive(Clone, Copy)]
enum Nearest {
    /// The profile that was asked for.
    Asked,
    /// The profile whose role it is.
    Owner,
}

/// The profiles before and after the variables in the order of settings.
struct Tiers<'a> {
    named: Vec<&'a Profile>,
    default: Vec<&'a Profile>,
}

impl Tiers<'_> {
    fn pick<T>(&self, get: impl Fn(&Profile) -> Option<T>, variable: Option<T>) -> Option<T> {
        self.named
            .iter()
            .find_map(|profile| get(profile))
            .or(variable)
            .or_else(|| self.default.iter().find_map(|profile| get(profile)))
    }
}
