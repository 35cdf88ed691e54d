//! The tables of `config.toml`, taken apart. Must not know what follows from what they say.
//!
//! Keys are taken from the parsed tree by hand rather than through serde, whose messages quote
//! the values they reject: here a message never has any text of the file but names of keys and
//! values that are no secrets.

use std::path::PathBuf;
use std::str::FromStr;

use toml_edit::{Item, TableLike};

use super::{ACCESS_KEY_ID, ACCESS_KEY_SECRET, ConfigFile, PolicySource, Profile, SecretSource};
use crate::config::error::nearest;
use crate::config::{Error, Result, secret};
use crate::model::{self, AccessKeyId, DurationSeconds, RegionId};

/// A table of `config.toml`: the root, a profile, or a value inside one.
pub(super) struct Section<'a> {
    file: &'a ConfigFile,
    /// What messages call it; the root goes unnamed.
    owner: Option<&'a str>,
    table: &'a dyn TableLike,
}

impl<'a> Section<'a> {
    /// The file's top.
    pub(super) fn root(file: &'a ConfigFile) -> Self {
        Self {
            file,
            owner: None,
            table: &file.root,
        }
    }

    /// A table inside the file, which messages call `owner`.
    pub(super) fn new(file: &'a ConfigFile, owner: &'a str, table: &'a dyn TableLike) -> Self {
        Self {
            file,
            owner: Some(owner),
            table,
        }
    }

    /// Reads the table as a profile.
    pub(super) fn profile(&self, name: &str) -> Result<Profile> {
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
        let source = Section::new(self.file, &owner, item.as_table_like().ok_or_else(wrong)?);
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

    /// Reads a string.
    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>> {
        self.typed(key, "a string", Item::as_str)
    }

    /// Reads a flag, which is false where it is absent.
    pub(super) fn flag(&self, key: &str) -> Result<bool> {
        Ok(self
            .typed(key, "true or false", Item::as_bool)?
            .unwrap_or(false))
    }

    /// Reads a table.
    pub(super) fn section(&self, key: &str) -> Result<Option<&'a dyn TableLike>> {
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

    /// Refuses keys that are not known.
    pub(super) fn check_keys(&self, known: &[&str]) -> Result<()> {
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
