//! Changes to `config.toml` that keep its comments and layout. The file is replaced whole, by one
//! that was private from its birth; what a symbolic link points to is replaced, not the link.
//! Must not know what profiles mean: the plan judges that.

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value};
use zeroize::Zeroizing;

use super::profile::{ACCESS_KEY_ID, ACCESS_KEY_SECRET, DEFAULT_PROFILE, PROFILE};
use super::{ConfigFile, Error, PolicySource, Profile, Result, SecretSource};
use crate::model;

/// `config.toml`, opened for changes that [`Editor::save`] writes.
pub struct Editor {
    path: PathBuf,
    before: Zeroizing<String>,
    document: DocumentMut,
}

impl Editor {
    /// Reads the file; an absent one is empty. A file that is not sound is not edited.
    pub fn open(path: &Path) -> Result<Self> {
        let before = read(path)?;
        ConfigFile::parse(path, &before)?;
        let document = parse(&before);
        Ok(Self {
            path: path.to_owned(),
            before,
            document,
        })
    }

    /// Adds a profile at the end. Fails when there is one of its name.
    pub fn add(&mut self, profile: &Profile) -> Result<()> {
        check_name(&profile.name)?;
        let table = new_table(profile)?;
        // `profile = { … }` on one line takes values only.
        let item = if self
            .document
            .get(PROFILE)
            .is_some_and(Item::is_inline_table)
        {
            Item::Value(Value::InlineTable(table.into_inline_table()))
        } else {
            Item::Table(table)
        };
        let profiles = self.profiles();
        if profiles.contains_key(&profile.name) {
            return Err(Error::ProfileExists {
                profile: profile.name.clone(),
            });
        }
        profiles.insert(&profile.name, item);
        Ok(())
    }

    /// Removes a profile, and `default_profile` if that names it. Returns whether it did. Fails
    /// when the profile is the source of others.
    pub fn remove(&mut self, name: &str) -> Result<bool> {
        self.known(name)?;
        let profiles = self.profiles();
        let by: Vec<String> = profiles
            .iter()
            .filter(|(other, _)| *other != name)
            .filter(|(_, item)| text_of(item, "source_profile") == Some(name))
            .map(|(other, _)| format!("`{other}`"))
            .collect();
        if !by.is_empty() {
            return Err(Error::ProfileInUse {
                profile: name.to_owned(),
                by,
            });
        }
        profiles.remove(name);
        let was_default = self.document.get(DEFAULT_PROFILE).and_then(Item::as_str) == Some(name);
        if was_default {
            self.document.remove(DEFAULT_PROFILE);
        }
        Ok(was_default)
    }

    /// Makes a profile the one to use where none is named.
    pub fn set_default(&mut self, name: &str) -> Result<()> {
        self.known(name)?;
        match self
            .document
            .get_mut(DEFAULT_PROFILE)
            .and_then(Item::as_value_mut)
        {
            Some(value) => {
                let decor = value.decor().clone();
                *value = Value::from(name);
                *value.decor_mut() = decor;
            }
            None => {
                self.document
                    .insert(DEFAULT_PROFILE, Item::Value(Value::from(name)));
            }
        }
        Ok(())
    }

    /// Writes the file: whole or not at all, mode 0600, in a directory that is made with mode 0700
    /// if there is none. Fails when somebody else changed the file since it was opened.
    pub fn save(self) -> Result<()> {
        if *read(&self.path)? != *self.before {
            return Err(Error::ChangedMeanwhile { path: self.path });
        }
        let text = Zeroizing::new(self.document.to_string());
        // What was written by hand in an unusual way must not come out as something else.
        ConfigFile::parse(&self.path, &text)?;
        write(&self.path, text.as_bytes()).map_err(|source| Error::Write { source })
    }

    /// Returns the table of profiles, which is made if there is none.
    fn profiles(&mut self) -> &mut dyn TableLike {
        let profiles = self.document.entry(PROFILE).or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        profiles
            .as_table_like_mut()
            .expect("a file in which `profile` is no table is not opened")
    }

    fn known(&self, name: &str) -> Result<()> {
        let config = ConfigFile::parse(&self.path, &self.document.to_string())?;
        if config.has_profile(name) {
            Ok(())
        } else {
            Err(config.unknown_profile(name, None))
        }
    }
}

impl fmt::Debug for Editor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Editor")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// A profile's name is printable, short, and cannot be taken for an option.
fn check_name(name: &str) -> Result<()> {
    let rule = if name.is_empty() || name.chars().count() > 64 {
        "1 to 64 characters"
    } else if name.starts_with('-') {
        "it must not start with `-`"
    } else if name.chars().any(|c| c.is_control() || c.is_whitespace()) {
        "it must not have spaces or control characters"
    } else {
        return Ok(());
    };
    Err(Error::Value {
        place: "the profile's name".to_owned(),
        source: model::Error::new("profile name", name, rule),
    })
}

/// Parses text for editing.
fn parse(text: &str) -> DocumentMut {
    text.parse()
        .expect("ConfigFile::parse took the same text before")
}

fn text_of<'a>(item: &'a Item, key: &str) -> Option<&'a str> {
    item.as_table_like()?.get(key)?.as_str()
}

/// Writes a profile as a table, its keys in the order of the documentation.
fn new_table(profile: &Profile) -> Result<Table> {
    let mut table = Table::new();
    let mut put = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            table.insert(key, Item::Value(Value::from(value)));
        }
    };
    put(
        ACCESS_KEY_ID,
        profile.access_key_id.as_ref().map(ToString::to_string),
    );
    put("source_profile", profile.source_profile.clone());
    put(
        "role_arn",
        profile.role_arn.as_ref().map(ToString::to_string),
    );
    put(
        "role_session_name",
        profile.role_session_name.as_ref().map(ToString::to_string),
    );
    put(
        "duration",
        profile.duration.map(|d| format!("{}s", d.get())),
    );
    put(
        "external_id",
        profile.external_id.as_ref().map(ToString::to_string),
    );
    put(
        "policy",
        match &profile.policy {
            None => None,
            Some(PolicySource::Inline(policy)) => Some(policy.to_string()),
            Some(PolicySource::File(path)) => Some(format!("@{}", text_path(path)?)),
        },
    );
    put(
        "source_identity",
        profile.source_identity.as_ref().map(ToString::to_string),
    );
    put("region", profile.region.clone());
    put(
        "oss_endpoint",
        profile.oss_endpoint.as_ref().map(ToString::to_string),
    );
    if let Some(secret) = &profile.access_key_secret {
        table.insert(ACCESS_KEY_SECRET, Item::Value(secret_value(secret)?));
    }
    Ok(table)
}

fn secret_value(secret: &SecretSource) -> Result<Value> {
    let (key, value) = match secret {
        SecretSource::Plain(secret) => return Ok(Value::from(secret.expose_secret())),
        SecretSource::File(path) => ("file", Value::from(text_path(path)?)),
        SecretSource::Command { program, arguments } => {
            let mut command = Array::new();
            command.push(text_path(program)?);
            command.extend(arguments.iter().map(String::as_str));
            ("command", Value::Array(command))
        }
        SecretSource::Keychain => ("keychain", Value::from(true)),
    };
    let mut table = InlineTable::new();
    table.insert(key, value);
    Ok(Value::InlineTable(table))
}

/// A path as TOML can hold it.
fn text_path(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| Error::Write {
        source: std::io::Error::new(
            std::io::ErrorKind::InvalidInput,
            format!("`{}` is not valid Unicode", path.display()),
        ),
    })
}

fn read(path: &Path) -> Result<Zeroizing<String>> {
    match fs_err::read_to_string(path) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Zeroizing::default()),
        Err(source) => Err(Error::Read {
            what: "the configuration",
            source,
        }),
    }
}

fn write(path: &Path, text: &[u8]) -> std::io::Result<()> {
    // A link is often how a home directory under version control holds the file.
    let path = match fs_err::canonicalize(path) {
        Ok(target) => target,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let dir = path.parent().unwrap_or(Path::new("."));
    create_private_dir(dir)?;
    // 0600 from its birth on Unix; elsewhere it inherits the directory's access list.
    let mut file = tempfile::Builder::new()
        .prefix(".config.toml.")
        .tempfile_in(dir)?;
    file.write_all(text)?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    #[cfg(unix)]
    fs_err::File::open(dir)?.sync_all()?;
    Ok(())
}

fn create_private_dir(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

#[cfg(test)]
mod tests;
