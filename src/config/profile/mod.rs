//! `config.toml`, read. The whole file must be TOML with known sections; what a profile says is
//! looked at only when the profile is used, so that ten thousand others cost one parse and cannot
//! be in the way. Must not know which profile wins.

mod section;

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use toml_edit::{Document, Item, Table, TableLike};
use zeroize::Zeroizing;

use self::section::Section;
use super::error::nearest;
use super::plan::Warning;
use super::{Error, Location, Result};
use crate::model::{
    AccessKeyId, DurationSeconds, Endpoint, ExternalId, RoleArn, RoleSessionName, SessionPolicy,
    SourceIdentity,
};

/// The user's `config.toml`, parsed. An absent file is an empty one.
#[derive(Clone)]
pub struct ConfigFile {
    path: PathBuf,
    text: Zeroizing<String>,
    root: Table,
    warnings: Vec<Warning>,
}

impl ConfigFile {
    /// Reads and parses the file. Fails when it cannot be read, is not TOML, or has an unknown
    /// section; a profile's own mistakes show when the profile is asked for.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = match fs_err::read(path) {
            Ok(bytes) => Zeroizing::new(bytes),
            // Nor is there one where a directory above is a file.
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Self::parse(path, "");
            }
            Err(source) => {
                return Err(Error::Read {
                    what: "the configuration",
                    source,
                });
            }
        };
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let valid = bytes.split_at(error.valid_up_to()).0;
            let before = String::from_utf8_lossy(valid);
            Error::Syntax {
                location: Location::of_offset(path.to_owned(), &before, before.len()),
                message: "not UTF-8".to_owned(),
                nearest: None,
            }
        })?;
        let mut file = Self::parse(path, text)?;
        if let Some(mode) = loose_mode(path)
            && file.has_plain_secret()
        {
            file.warnings.push(Warning::LooseMode {
                path: path.to_owned(),
                mode,
            });
        }
        Ok(file)
    }

    /// Parses the text of a file at `path`, against whose directory relative paths count.
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let text = Zeroizing::new(text.to_owned());
        let document = Document::parse(text.as_str()).map_err(|error| Error::Syntax {
            location: Location::of_offset(
                path.to_owned(),
                &text,
                error.span().map_or(text.len(), |span| span.start),
            ),
            // The parser's message is made of fixed phrases; its excerpt, which is not, stays here.
            message: error.message().to_owned(),
            nearest: None,
        })?;
        let file = Self {
            path: path.to_owned(),
            root: document.into_table(),
            text,
            warnings: Vec::new(),
        };
        let top = Section::root(&file);
        top.check_keys(&[DEFAULT_PROFILE, SEAL_CACHE, PROFILE])?;
        top.text(DEFAULT_PROFILE)?;
        top.section(PROFILE)?;
        if top.flag(SEAL_CACHE)? {
            return Err(Error::Unsupported {
                what: "`seal_cache = true`".to_owned(),
                instead: "set it to false: sessions would not be encrypted",
            });
        }
        Ok(file)
    }

    /// Returns where the file is, or would be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the profile to use where none is named.
    pub fn default_profile(&self) -> Option<&str> {
        self.root.get(DEFAULT_PROFILE).and_then(Item::as_str)
    }

    /// Returns the names of all profiles, in the file's order.
    pub fn profile_names(&self) -> impl Iterator<Item = &str> {
        self.profiles()
            .into_iter()
            .flat_map(|table| table.iter().map(|(name, _)| name))
    }

    /// Tells whether there is a profile of this name.
    pub fn has_profile(&self, name: &str) -> bool {
        self.profiles()
            .is_some_and(|profiles| profiles.contains_key(name))
    }

    /// Reads one profile and checks all that it says.
    pub fn profile(&self, name: &str) -> Result<Profile> {
        let Some(item) = self.profiles().and_then(|profiles| profiles.get(name)) else {
            return Err(self.unknown_profile(name, None));
        };
        let owner = format!("profile `{name}`");
        let Some(table) = item.as_table_like() else {
            return Err(self.syntax(item, format!("{owner} must be a table of keys"), None));
        };
        Section::new(self, &owner, table).profile(name)
    }

    /// Returns what is suspicious about the file, though it can be used.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Says that there is no such profile, and which one was probably meant.
    pub(crate) fn unknown_profile(&self, name: &str, referrer: Option<String>) -> Error {
        Error::UnknownProfile {
            name: name.to_owned(),
            referrer,
            nearest: nearest(name, self.profile_names()).map(str::to_owned),
            known: self.profile_names().map(str::to_owned).collect(),
        }
    }

    fn profiles(&self) -> Option<&dyn TableLike> {
        self.root.get(PROFILE).and_then(Item::as_table_like)
    }

    fn syntax(&self, item: &Item, message: String, nearest: Option<String>) -> Error {
        Error::Syntax {
            location: self.location(item.span().map_or(0, |span| span.start)),
            message,
            nearest,
        }
    }

    fn location(&self, offset: usize) -> Location {
        Location::of_offset(self.path.clone(), &self.text, offset)
    }

    /// Takes a path of the file against the file's own directory.
    fn relative(&self, path: &str) -> PathBuf {
        self.path
            .parent()
            .map_or_else(|| PathBuf::from(path), |dir| dir.join(path))
    }

    fn has_plain_secret(&self) -> bool {
        let is_plain = |profile: &Item| {
            profile
                .as_table_like()
                .and_then(|keys| keys.get(ACCESS_KEY_SECRET))
                .is_some_and(Item::is_str)
        };
        self.profiles()
            .is_some_and(|profiles| profiles.iter().any(|(_, profile)| is_plain(profile)))
    }
}

impl fmt::Debug for ConfigFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigFile")
            .field("path", &self.path)
            .field("profiles", &self.profiles().map_or(0, TableLike::len))
            .finish_non_exhaustive()
    }
}

/// A profile: who to be, and how. Its fields are the keys of `config.toml`.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_field_names,
    reason = "source_profile is what config.toml calls it"
)]
pub struct Profile {
    /// The name, by which `--profile` and `source_profile` call it.
    pub name: String,
    /// The AccessKeyId of a profile that has an AccessKey of its own.
    pub access_key_id: Option<AccessKeyId>,
    /// Where that AccessKey's secret is.
    pub access_key_secret: Option<SecretSource>,
    /// The profile whose identity assumes the role.
    pub source_profile: Option<String>,
    /// The role to assume.
    pub role_arn: Option<RoleArn>,
    /// The name of the role's sessions.
    pub role_session_name: Option<RoleSessionName>,
    /// How long the role's sessions last.
    pub duration: Option<DurationSeconds>,
    /// The ExternalId that the role asks for.
    pub external_id: Option<ExternalId>,
    /// The session policy, which narrows what the session may do.
    pub policy: Option<PolicySource>,
    /// The SourceIdentity of the role's sessions.
    pub source_identity: Option<SourceIdentity>,
    /// The region, as written: OSS's `oss-` prefix is still on it.
    pub region: Option<String>,
    /// The host or URL of OSS.
    pub oss_endpoint: Option<Endpoint>,
}

/// Where the AccessKeySecret of a profile is.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// In the configuration or the environment itself.
    Plain(SecretString),
    /// In a file of its own, mode 0600.
    File(PathBuf),
    /// On the first line that a program prints. No shell is involved.
    Command {
        /// The program.
        program: PathBuf,
        /// Its arguments.
        arguments: Vec<String>,
    },
    /// In the platform's keychain.
    Keychain,
}

/// A profile's session policy.
#[derive(Clone, Debug)]
pub enum PolicySource {
    /// The policy itself.
    Inline(SessionPolicy),
    /// The file that has it.
    File(PathBuf),
}

impl PolicySource {
    /// Returns the policy, read and checked.
    pub fn read(&self) -> Result<SessionPolicy> {
        match self {
            Self::Inline(policy) => Ok(policy.clone()),
            Self::File(path) => fs_err::read_to_string(path)
                .map_err(|source| Error::Read {
                    what: "the session policy",
                    source,
                })?
                .parse()
                .map_err(|source| Error::Value {
                    place: format!("the policy in {}", path.display()),
                    source,
                }),
        }
    }
}

/// Returns the permission bits of a file that others may read or write.
#[cfg(unix)]
fn loose_mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs_err::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

/// Windows has no such bits; the access list is that of the user's profile.
#[cfg(not(unix))]
fn loose_mode(_path: &Path) -> Option<u32> {
    None
}

pub(super) const ACCESS_KEY_ID: &str = "access_key_id";
pub(super) const ACCESS_KEY_SECRET: &str = "access_key_secret";
pub(super) const DEFAULT_PROFILE: &str = "default_profile";
pub(super) const PROFILE: &str = "profile";
const SEAL_CACHE: &str = "seal_cache";
