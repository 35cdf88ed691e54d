//! Profiles that are sources of each other, flattened. Must not know roles' settings.

use std::collections::BTreeSet;

use super::{Base, BaseKind, Origin};
use crate::config::{ConfigFile, Error, Profile, Result};

/// A profile and its sources, each the source of the one before it; the last has the AccessKey.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// Never empty.
    profiles: Vec<Profile>,
    /// The identity of the last.
    pub(super) base: Base,
}

impl Chain {
    /// Follows `source_profile` from the profile `name` to the AccessKey.
    pub(super) fn load(config: &ConfigFile, name: &str, referrer: Option<&str>) -> Result<Self> {
        let mut profiles: Vec<Profile> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut next = name.to_owned();
        loop {
            if !config.has_profile(&next) {
                let by_profile = profiles
                    .last()
                    .map(|profile| format!("`source_profile` of profile `{}`", profile.name));
                let referrer = by_profile.or_else(|| referrer.map(str::to_owned));
                return Err(config.unknown_profile(&next, referrer));
            }
            if !seen.insert(next.clone()) {
                let path = profiles
                    .into_iter()
                    .map(|profile| profile.name)
                    .skip_while(|name| *name != next)
                    .chain([next.clone()])
                    .collect();
                return Err(Error::ProfileCycle { path });
            }
            let profile = config.profile(&next)?;
            if let Some(base) = own_base(config, &profile)? {
                profiles.push(profile);
                return Ok(Self { profiles, base });
            }
            let source = profile.source_profile.clone();
            next = source.ok_or_else(|| Error::NoAccessKey {
                profile: profile.name.clone(),
            })?;
            profiles.push(profile);
        }
    }

    /// Returns the profile that was asked for.
    pub(super) fn head(&self) -> &Profile {
        &self.profiles[0]
    }

    /// Returns the sources of the head that have a role, in the order in which they are assumed.
    pub(super) fn source_roles(&self) -> impl DoubleEndedIterator<Item = &Profile> {
        self.profiles
            .iter()
            .skip(1)
            .rev()
            .filter(|profile| profile.role_arn.is_some())
    }

    /// Returns the head, its source, the source of that, and so on.
    pub(super) fn profiles(&self) -> impl Iterator<Item = &Profile> {
        self.profiles.iter()
    }
}

/// Returns the AccessKey that the profile itself has, if it has one.
fn own_base(config: &ConfigFile, profile: &Profile) -> Result<Option<Base>> {
    let half = |present, missing| {
        Err(Error::HalfProfile {
            profile: profile.name.clone(),
            present,
            missing,
        })
    };
    let (id, secret) = match (&profile.access_key_id, &profile.access_key_secret) {
        (None, None) => return Ok(None),
        (Some(_), None) => return half("access_key_id", "access_key_secret"),
        (None, Some(_)) => return half("access_key_secret", "access_key_id"),
        (Some(id), Some(secret)) => (id, secret),
    };
    if profile.source_profile.is_some() {
        return Err(Error::AmbiguousSource {
            profile: profile.name.clone(),
        });
    }
    if id.is_temporary() {
        return Err(Error::TemporaryKey {
            profile: profile.name.clone(),
        });
    }
    Ok(Some(Base {
        origin: Origin::Profile {
            name: profile.name.clone(),
            file: config.path().to_owned(),
        },
        access_key_id: id.clone(),
        kind: BaseKind::AccessKey {
            secret: secret.clone(),
        },
    }))
}
