//! The account that the sandbox plays: its region, identities, roles and first buckets. Must not
//! know requests, nor the sessions that are issued.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Error, disk, random};
use crate::model::{AccessKeyId, Credentials, DurationSeconds, RegionId, RoleArn};

/// An Alibaba Cloud account with RAM users, roles and buckets.
///
/// The default world is account 1234567890123456 in cn-hangzhou with the RAM users `alice` and
/// `admin`, the roles `testrole` (sessions of up to 12 hours, so that `--duration 12h` can be
/// tried) and `iotstsrole` (up to the default, 1 hour), and the buckets `demo-bucket` and `logs`.
/// Every role trusts the account; permissions are not enforced.
#[derive(Clone, Debug)]
pub struct World {
    account: String,
    region: RegionId,
    root: Credentials,
    users: Vec<User>,
    roles: Vec<Role>,
    buckets: Vec<String>,
}

/// A RAM user with its one AccessKey.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) key: Credentials,
    pub(super) key_status: KeyStatus,
}

/// Whether an AccessKey may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum KeyStatus {
    Active,
    Inactive,
}

/// A RAM role.
#[derive(Clone, Debug)]
pub(super) struct Role {
    pub(super) arn: RoleArn,
    pub(super) id: String,
    pub(super) max_session_duration: DurationSeconds,
}

impl World {
    /// Makes the default world with fresh random AccessKeys.
    pub fn generate() -> Self {
        Self::with_keys(random_key(), random_key(), random_key())
    }

    /// Makes the default world with given AccessKeys for the account itself and its two users.
    ///
    /// # Panics
    /// Never: what is parsed here is constant.
    pub fn with_keys(root: Credentials, alice: Credentials, admin: Credentials) -> Self {
        let user = |name: &str, id: &str, key| User {
            name: name.to_owned(),
            id: id.to_owned(),
            key,
            key_status: KeyStatus::Active,
        };
        let role = |name: &str, id: &str, duration: &str| Role {
            arn: format!("acs:ram::{ACCOUNT}:role/{name}")
                .parse()
                .expect("the default roles' names are valid"),
            id: id.to_owned(),
            max_session_duration: duration.parse().expect("the durations are in range"),
        };
        Self {
            account: ACCOUNT.to_owned(),
            region: "cn-hangzhou".parse().expect("the region is well formed"),
            root,
            users: vec![
                user("alice", "216959339000654321", alice),
                user("admin", "261234567890123400", admin),
            ],
            roles: vec![
                role("testrole", "344584339364951186", "12h"),
                role("iotstsrole", "391578752573973854", "1h"),
            ],
            buckets: vec!["demo-bucket".to_owned(), "logs".to_owned()],
        }
    }

    /// Returns the world kept in a data directory, or generates one and keeps it there.
    ///
    /// # Errors
    /// The directory cannot be read or written, or its `world.json` is damaged.
    pub fn kept_in(data: &Path) -> Result<Self, Error> {
        disk::make_private_dir(data)?;
        let path = data.join("world.json");
        if let Some(stored) = disk::load::<Stored>(&path)? {
            return stored.revive().ok_or(Error::Damaged { path, line: 1 });
        }
        let world = Self::generate();
        disk::save(&path, &Stored::of(&world))?;
        Ok(world)
    }

    /// Returns the account id.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Returns the region that everything lives in.
    pub fn region(&self) -> &RegionId {
        &self.region
    }

    /// Returns the account's own AccessKey, which may not assume roles.
    pub fn root(&self) -> &Credentials {
        &self.root
    }

    /// Returns the AccessKey of a RAM user.
    pub fn user(&self, name: &str) -> Option<&Credentials> {
        let user = self.users.iter().find(|user| user.name == name)?;
        Some(&user.key)
    }

    /// Returns the ARN of each role.
    pub fn role_arns(&self) -> impl Iterator<Item = &RoleArn> {
        self.roles.iter().map(|role| &role.arn)
    }

    /// Disables the AccessKey of a RAM user, as UpdateAccessKey does.
    pub fn deactivate(&mut self, name: &str) {
        for user in self.users.iter_mut().filter(|user| user.name == name) {
            user.key_status = KeyStatus::Inactive;
        }
    }

    pub(super) fn user_of_key(&self, access_key_id: &str) -> Option<&User> {
        self.users
            .iter()
            .find(|user| user.key.access_key_id.as_str() == access_key_id)
    }

    pub(super) fn role(&self, arn: &RoleArn) -> Option<&Role> {
        self.roles.iter().find(|role| role.arn == *arn)
    }

    pub(super) fn buckets(&self) -> &[String] {
        &self.buckets
    }
}

fn random_key() -> Credentials {
    Credentials {
        access_key_id: format!("LTAI5t{}", random::base62(18).as_str())
            .parse()
            .expect("letters and digits make an AccessKeyId"),
        access_key_secret: random::secret(30),
        security_token: None,
    }
}

/// The world as `world.json` has it.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Stored {
    account: String,
    region: String,
    root: StoredKey,
    users: Vec<StoredUser>,
    roles: Vec<StoredRole>,
    buckets: Vec<String>,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct StoredKey {
    access_key_id: String,
    access_key_secret: String,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct StoredUser {
    name: String,
    id: String,
    access_key: StoredKey,
    active: bool,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct StoredRole {
    arn: String,
    id: String,
    max_session_duration: u32,
}

impl Stored {
    fn of(world: &World) -> Self {
        Self {
            account: world.account.clone(),
            region: world.region.to_string(),
            root: StoredKey::of(&world.root),
            users: world
                .users
                .iter()
                .map(|user| StoredUser {
                    name: user.name.clone(),
                    id: user.id.clone(),
                    access_key: StoredKey::of(&user.key),
                    active: user.key_status == KeyStatus::Active,
                })
                .collect(),
            roles: world
                .roles
                .iter()
                .map(|role| StoredRole {
                    arn: role.arn.to_string(),
                    id: role.id.clone(),
                    max_session_duration: role.max_session_duration.get(),
                })
                .collect(),
            buckets: world.buckets.clone(),
        }
    }

    fn revive(&self) -> Option<World> {
        let users = self.users.iter().map(|user| {
            Some(User {
                name: user.name.clone(),
                id: user.id.clone(),
                key: user.access_key.revive()?,
                key_status: if user.active {
                    KeyStatus::Active
                } else {
                    KeyStatus::Inactive
                },
            })
        });
        let roles = self.roles.iter().map(|role| {
            Some(Role {
                arn: role.arn.parse().ok()?,
                id: role.id.clone(),
                max_session_duration: role.max_session_duration.to_string().parse().ok()?,
            })
        });
        Some(World {
            account: self.account.clone(),
            region: self.region.parse().ok()?,
            root: self.root.revive()?,
            users: users.collect::<Option<_>>()?,
            roles: roles.collect::<Option<_>>()?,
            buckets: self.buckets.clone(),
        })
    }
}

impl StoredKey {
    fn of(key: &Credentials) -> Self {
        Self {
            access_key_id: key.access_key_id.to_string(),
            access_key_secret: key.access_key_secret.expose_secret().to_owned(),
        }
    }

    fn revive(&self) -> Option<Credentials> {
        let access_key_id: AccessKeyId = self.access_key_id.parse().ok()?;
        Some(Credentials {
            access_key_id,
            access_key_secret: SecretString::from(self.access_key_secret.as_str()),
            security_token: None,
        })
    }
}

const ACCOUNT: &str = "1234567890123456";
