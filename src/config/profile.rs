//! `config.toml`, read. The whole file must be TOML with known sections; what a profile says is
//! looked at only when the profile is used, so that ten thousand others cost one parse and cannot
//! be in the way. Must not know which profile wins.
//!
//! Keys are taken from the parsed tree by hand rather than through serde, whose messages quote
//! the values they reject: here a message never has any text of the file but names of keys and
//! values that are no secrets.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use secrecy::SecretString;
use toml_edit::{Document, Item, Table, TableLike};
use zeroize::Zeroizing;

use super::error::nearest;
use super::plan::Warning;
use super::{Error, Location, Result, secret};
use crate::model::{
    self, AccessKeyId, DurationSeconds, Endpoint, ExternalId, RegionId, RoleArn, RoleSessionName,
    SessionPolicy, SourceIdentity,
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
                return Err(Error::Io {
                    action: "read the configuration",
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
        file.warn_of_loose_mode();
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
        let top = Section {
            file: &file,
            owner: None,
            table: &file.root,
        };
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
        Section {
            file: self,
            owner: Some(&owner),
            table,
        }
        .profile(name)
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

    /// Warns when others can read a file that has a secret in it.
    fn warn_of_loose_mode(&mut self) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let Ok(metadata) = fs_err::metadata(&self.path) else {
                return;
            };
            let mode = metadata.permissions().mode() & 0o777;
            let has_plain_secret = || {
                self.profiles().is_some_and(|profiles| {
                    profiles.iter().any(|(_, profile)| {
                        profile
                            .as_table_like()
                            .and_then(|keys| keys.get(ACCESS_KEY_SECRET))
                            .is_some_and(Item::is_str)
                    })
                })
            };
            if mode & 0o077 != 0 && has_plain_secret() {
                self.warnings.push(Warning::LooseMode {
                    path: self.path.clone(),
                    mode,
                });
            }
        }
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

/// A profile: who to be, and how.
#[derive(Clone, Debug, Default)]
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
                .map_err(|source| Error::Io {
                    action: "read the session policy",
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

/// A table of `config.toml`: the root, a profile, or a value inside one.
struct Section<'a> {
    file: &'a ConfigFile,
    /// What messages call it; the root goes unnamed.
    owner: Option<&'a str>,
    table: &'a dyn TableLike,
}

impl<'a> Section<'a> {
    fn profile(&self, name: &str) -> Result<Profile> {
        self.check_keys(&PROFILE_KEYS)?;
        let access_key_id = match self.text(ACCESS_KEY_ID)? {
            None => None,
            Some(text) => Some(text.parse::<AccessKeyId>().map_err(|_| Error::Malformed {
                place: self.place(ACCESS_KEY_ID),
                problem: "is not an AccessKeyId: it has spaces or other characters that no id has",
            })?),
        };
        Ok(Profile {
            name: name.to_owned(),
            access_key_id,
            access_key_secret: self.secret()?,
            source_profile: self.text("source_profile")?.map(str::to_owned),
            role_arn: self.parsed("role_arn")?,
            role_session_name: self.parsed("role_session_name")?,
            duration: self.duration()?,
            external_id: self.parsed("external_id")?,
            policy: self.policy()?,
            source_identity: self.parsed("source_identity")?,
            region: self.region()?,
            oss_endpoint: self.parsed("oss_endpoint")?,
        })
    }

    /// Reads `access_key_secret`: a string, or a table that says where the secret is.
    fn secret(&self) -> Result<Option<SecretSource>> {
        let Some(item) = self.table.get(ACCESS_KEY_SECRET) else {
            return Ok(None);
        };
        if let Some(text) = item.as_str() {
            let secret = secret::checked(text, || self.place(ACCESS_KEY_SECRET))?;
            return Ok(Some(SecretSource::Plain(secret)));
        }
        let rule =
            "must be a string, or one of { command = […] }, { file = \"…\" }, { keychain = true }";
        let wrong = || {
            self.file.syntax(
                item,
                format!("{} {rule}", self.name(ACCESS_KEY_SECRET)),
                None,
            )
        };
        let owner = self.name(ACCESS_KEY_SECRET);
        let source = Section {
            file: self.file,
            owner: Some(&owner),
            table: item.as_table_like().ok_or_else(wrong)?,
        };
        source.check_keys(&["command", "file", "keychain"])?;
        if source.table.len() != 1 {
            return Err(wrong());
        }
        if let Some(path) = source.text("file")? {
            return Ok(Some(SecretSource::File(self.file.relative(path))));
        }
        if let Some(command) = source.table.get("command") {
            let argv: Option<Vec<&str>> = command
                .as_array()
                .and_then(|array| array.iter().map(toml_edit::Value::as_str).collect());
            return match argv.as_deref() {
                Some([program, arguments @ ..]) if !program.is_empty() => {
                    Ok(Some(SecretSource::Command {
                        // A bare name is looked for in PATH; anything else is a path.
                        program: if program.contains(std::path::is_separator) {
                            self.file.relative(program)
                        } else {
                            PathBuf::from(program)
                        },
                        arguments: arguments.iter().map(ToString::to_string).collect(),
                    }))
                }
                _ => Err(self.file.syntax(
                    command,
                    format!(
                        "{} must be a list of strings: the program and its arguments",
                        source.name("command")
                    ),
                    None,
                )),
            };
        }
        if source.flag("keychain")? {
            Ok(Some(SecretSource::Keychain))
        } else {
            Err(wrong())
        }
    }

    /// Reads `duration`: text like `1h`, or a number of seconds.
    fn duration(&self) -> Result<Option<DurationSeconds>> {
        const KEY: &str = "duration";
        match self.table.get(KEY).and_then(Item::as_integer) {
            None => self.parsed(KEY),
            Some(seconds) => self.checked(KEY, &seconds.to_string()).map(Some),
        }
    }

    /// Reads `policy`: JSON, or `@` and a path.
    fn policy(&self) -> Result<Option<PolicySource>> {
        const KEY: &str = "policy";
        self.text(KEY)?
            .map(|text| match text.strip_prefix('@') {
                Some(path) => Ok(PolicySource::File(self.file.relative(path))),
                None => self.checked(KEY, text).map(PolicySource::Inline),
            })
            .transpose()
    }

    /// Reads `region`, whose `oss-` prefix is for the plan to strip and to warn of.
    fn region(&self) -> Result<Option<String>> {
        const KEY: &str = "region";
        self.text(KEY)?
            .map(|text| {
                RegionId::parse_stripping(text)
                    .map(|_| text.to_owned())
                    .map_err(|source| self.value(KEY, source))
            })
            .transpose()
    }

    fn parsed<T: FromStr<Err = model::Error>>(&self, key: &str) -> Result<Option<T>> {
        self.text(key)?
            .map(|text| self.checked(key, text))
            .transpose()
    }

    fn checked<T: FromStr<Err = model::Error>>(&self, key: &str, text: &str) -> Result<T> {
        text.parse().map_err(|source| self.value(key, source))
    }

    fn text(&self, key: &str) -> Result<Option<&'a str>> {
        self.typed(key, "a string", Item::as_str)
    }

    fn flag(&self, key: &str) -> Result<bool> {
        Ok(self
            .typed(key, "true or false", Item::as_bool)?
            .unwrap_or(false))
    }

    fn section(&self, key: &str) -> Result<Option<&'a dyn TableLike>> {
        self.typed(key, "a table", Item::as_table_like)
    }

    fn typed<T>(
        &self,
        key: &str,
        expected: &str,
        take: impl FnOnce(&'a Item) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(item) = self.table.get(key) else {
            return Ok(None);
        };
        take(item).map(Some).ok_or_else(|| {
            let found = item.type_name();
            let message = format!(
                "{} must be {expected}, not a value of type {found}",
                self.name(key)
            );
            self.file.syntax(item, message, None)
        })
    }

    fn check_keys(&self, known: &[&str]) -> Result<()> {
        let Some((key, item)) = self.table.iter().find(|(key, _)| !known.contains(key)) else {
            return Ok(());
        };
        let at = self.table.key(key).and_then(toml_edit::Key::span);
        let at = at.or_else(|| item.span()).map_or(0, |span| span.start);
        Err(Error::Syntax {
            location: self.file.location(at),
            message: format!("unknown key {}", self.name(key)),
            nearest: nearest(key, known.iter().copied()).map(str::to_owned),
        })
    }

    fn value(&self, key: &str, source: model::Error) -> Error {
        Error::Value {
            place: self.place(key),
            source,
        }
    }

    /// Names a key, as in "`role_arn` of profile `dev`".
    fn name(&self, key: &str) -> String {
        let key = key.escape_debug();
        match self.owner {
            None => format!("`{key}`"),
            Some(owner) => format!("`{key}` of {owner}"),
        }
    }

    /// Names a key and says where it stands.
    fn place(&self, key: &str) -> String {
        let at = self.table.get(key).and_then(Item::span);
        let location = self.file.location(at.map_or(0, |span| span.start));
        format!("{} ({location})", self.name(key))
    }
}

impl ConfigFile {
    /// Takes a path of the file against the file's own directory.
    fn relative(&self, path: &str) -> PathBuf {
        self.path
            .parent()
            .map_or_else(|| PathBuf::from(path), |dir| dir.join(path))
    }
}

pub(super) const ACCESS_KEY_ID: &str = "access_key_id";
pub(super) const ACCESS_KEY_SECRET: &str = "access_key_secret";
pub(super) const DEFAULT_PROFILE: &str = "default_profile";
pub(super) const PROFILE: &str = "profile";
const SEAL_CACHE: &str = "seal_cache";

const PROFILE_KEYS: [&str; 11] = [
    ACCESS_KEY_ID,
    ACCESS_KEY_SECRET,
    "source_profile",
    "role_arn",
    "role_session_name",
    "duration",
    "external_id",
    "policy",
    "source_identity",
    "region",
    "oss_endpoint",
];
