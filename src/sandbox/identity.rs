//! Who a caller is: looks an AccessKeyId and a SecurityToken up among the world's AccessKeys and
//! the sessions that were issued. Must not know how either service words a refusal.

use std::collections::HashMap;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::world::KeyStatus;
use super::{Error, World, disk, random};
use crate::model::Expiration;
use crate::sign::equal;

/// A caller whose AccessKeyId is known.
#[derive(Clone, Debug)]
pub(super) enum Caller {
    /// The account itself.
    Root,
    /// A RAM user.
    User { name: String, id: String },
    /// A role session.
    Role(Assumed),
}

/// The role and the name of a session.
#[derive(Clone, Debug, Serialize, Deserialize, Zeroize)]
pub(super) struct Assumed {
    pub(super) role_id: String,
    pub(super) role_name: String,
    pub(super) session_name: String,
}

/// Why a caller cannot be identified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The AccessKey is disabled.
    Inactive,
    /// The token belongs to another session.
    TokenMismatch,
    /// The session is over.
    TokenExpired,
    /// Nobody issued that token.
    TokenMalformed,
    /// A temporary AccessKeyId came without its token.
    TokenMissing,
    /// A long-lived AccessKeyId came with a token.
    TokenUnwanted,
    /// There is no such AccessKeyId.
    UnknownKey,
}

/// What AssumeRole hands out.
pub(super) struct Issued {
    pub(super) access_key_id: String,
    pub(super) access_key_secret: SecretString,
    pub(super) security_token: SecretString,
    pub(super) expiration: Expiration,
}

/// The sessions that were issued, by AccessKeyId. With a file, they survive a restart.
pub(super) struct Sessions {
    table: HashMap<String, Entry>,
    file: Option<PathBuf>,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Entry {
    access_key_secret: String,
    security_token: String,
    #[zeroize(skip)]
    expiration: DateTime<Utc>,
    assumed: Assumed,
}

impl Sessions {
    /// Opens the table, empty or from its file.
    pub(super) fn open(file: Option<PathBuf>) -> Result<Self, Error> {
        let table = match &file {
            Some(path) => disk::load(path)?.unwrap_or_default(),
            None => HashMap::new(),
        };
        Ok(Self { table, file })
    }

    /// Issues a session. Those that ended a day ago are forgotten.
    pub(super) fn issue(
        &mut self,
        assumed: Assumed,
        expiration: Expiration,
        now: DateTime<Utc>,
    ) -> std::io::Result<Issued> {
        self.table
            .retain(|_, entry| now - entry.expiration < TimeDelta::days(1));
        let issued = Issued {
            access_key_id: format!("STS.{}", random::base62(25).as_str()),
            access_key_secret: random::secret(44),
            security_token: random::security_token(),
            expiration,
        };
        let entry = Entry {
            access_key_secret: issued.access_key_secret.expose_secret().to_owned(),
            security_token: issued.security_token.expose_secret().to_owned(),
            expiration: expiration.instant(),
            assumed,
        };
        self.table.insert(issued.access_key_id.clone(), entry);
        if let Some(path) = &self.file {
            disk::save(path, &self.table)?;
        }
        Ok(issued)
    }

    /// Returns the caller and the secret it must have signed with.
    pub(super) fn identify(
        &self,
        world: &World,
        access_key_id: &str,
        token: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(Caller, SecretString), Refusal> {
        if let Some(entry) = self.table.get(access_key_id) {
            let token = token.ok_or(Refusal::TokenMissing)?;
            if !equal(&entry.security_token, token) {
                return Err(self.stray(token));
            }
            if now >= entry.expiration {
                return Err(Refusal::TokenExpired);
            }
            let caller = Caller::Role(entry.assumed.clone());
            return Ok((caller, entry.access_key_secret.as_str().into()));
        }
        let (caller, key, status) = if world.root().access_key_id.as_str() == access_key_id {
            (Caller::Root, world.root(), KeyStatus::Active)
        } else if let Some(user) = world.user_of_key(access_key_id) {
            let caller = Caller::User {
                name: user.name.clone(),
                id: user.id.clone(),
            };
            (caller, &user.key, user.key_status)
        } else if access_key_id.starts_with("STS.") && token.is_none() {
            return Err(Refusal::TokenMissing);
        } else {
            return Err(Refusal::UnknownKey);
        };
        match (status, token) {
            (KeyStatus::Inactive, _) => Err(Refusal::Inactive),
            (KeyStatus::Active, Some(_)) => Err(Refusal::TokenUnwanted),
            (KeyStatus::Active, None) => Ok((caller, key.access_key_secret.clone())),
        }
    }

    /// Tells a token of another session from one that nobody issued.
    fn stray(&self, token: &str) -> Refusal {
        if self.table.values().any(|e| equal(&e.security_token, token)) {
            Refusal::TokenMismatch
        } else {
            Refusal::TokenMalformed
        }
    }
}
