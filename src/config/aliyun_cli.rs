//! The official CLI's `~/.aliyun/config.json`, read so that a profile can be brought over. Must
//! never write it: other programs rewrite it too, and lose what they do not know.
//!
//! The format is documented at
//! <https://www.alibabacloud.com/help/en/cli/configure-credentials>.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::error::nearest;
use super::{Error, Location, Profile, Result, SecretSource, secret};
use crate::model;

/// The official CLI's configuration.
#[derive(Debug)]
pub struct AliyunConfig {
    path: PathBuf,
    document: Document,
}

/// A profile brought over, and what of it has no place in `config.toml`.
#[derive(Debug)]
pub struct Imported {
    /// The profile. Its `source_profile`, if any, is to be brought over too.
    pub profile: Profile,
    /// Names of the fields that are left behind.
    pub left_behind: Vec<&'static str>,
}

impl AliyunConfig {
    /// Reads the file.
    pub fn load(path: &Path) -> Result<Self> {
        let text = fs_err::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|source| Error::Read {
                what: "the official CLI's configuration",
                source,
            })?;
        Self::parse(path, &text)
    }

    /// Parses the text of the file at `path`. A byte order mark is skipped.
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let text = text.trim_start_matches('\u{feff}');
        let document = serde_json::from_str(text).map_err(|error| Error::Json {
            location: Location {
                path: path.to_owned(),
                line: error.line(),
                column: error.column(),
            },
            // serde_json's own message may quote a value, which may be a secret.
            message: match error.classify() {
                serde_json::error::Category::Data => "a field is missing or has the wrong type",
                _ => "not JSON",
            }
            .to_owned(),
        })?;
        Ok(Self {
            path: path.to_owned(),
            document,
        })
    }

    /// Returns the profile that the official CLI uses where none is named.
    pub fn current(&self) -> Option<&str> {
        self.document.current.as_deref()
    }

    /// Returns the names of all profiles, in the file's order.
    pub fn profile_names(&self) -> impl Iterator<Item = &str> {
        self.document.profiles.iter().map(|p| p.name.as_str())
    }

    /// Returns a profile as one of `config.toml`. Refuses the modes that are temporary or that
    /// this version does not know how to use.
    pub fn import(&self, name: &str) -> Result<Imported> {
        let Some(raw) = self.document.profiles.iter().find(|p| p.name == name) else {
            return Err(Error::UnknownProfile {
                name: name.to_owned(),
                referrer: None,
                nearest: nearest(name, self.profile_names()).map(str::to_owned),
                known: self.profile_names().map(str::to_owned).collect(),
            });
        };
        Reader {
            path: &self.path,
            raw,
        }
        .import()
    }
}

/// The envelope. Fields that do not concern us are many, and more with every release.
#[derive(Debug, Deserialize)]
struct Document {
    current: Option<String>,
    #[serde(default)]
    profiles: Vec<Raw>,
}

#[derive(Debug, Deserialize)]
struct Raw {
    name: String,
    #[serde(default)]
    mode: String,
    access_key_id: Option<String>,
    #[serde(default, deserialize_with = "secret_text")]
    access_key_secret: Option<SecretString>,
    #[serde(default, deserialize_with = "secret_text")]
    sts_token: Option<SecretString>,
    ram_role_arn: Option<String>,
    ram_session_name: Option<String>,
    source_profile: Option<String>,
    external_id: Option<String>,
    expired_seconds: Option<u64>,
    region_id: Option<String>,
    sts_region: Option<String>,
    sts_endpoint: Option<String>,
}

/// Reads text that is a secret, not yet checked; an empty one is none.
fn secret_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<SecretString>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    Ok(text.filter(|t| !t.is_empty()).map(SecretString::from))
}

struct Reader<'a> {
    path: &'a Path,
    raw: &'a Raw,
}

impl Reader<'_> {
    fn import(&self) -> Result<Imported> {
        let raw = self.raw;
        let (has_key, has_role) = match self.mode() {
            Mode::Ak => (true, false),
            Mode::RamRoleArn => (true, true),
            Mode::ChainableRamRoleArn => (false, true),
            Mode::Temporary => {
                return Err(self.refuse(
                    "a temporary session",
                    "it ends by itself; bring over the profile that it was made from",
                ));
            }
            Mode::Other => {
                return Err(self.refuse(
                    &format!("mode `{}`", raw.mode.escape_debug()),
                    "modes AK, RamRoleArn and ChainableRamRoleArn can be brought over",
                ));
            }
        };
        let mut profile = Profile {
            name: raw.name.clone(),
            region: some(raw.region_id.as_deref()).map(str::to_owned),
            ..Profile::default()
        };
        if has_key {
            let id = self.needed("access_key_id", raw.access_key_id.as_deref())?;
            profile.access_key_id = Some(id.parse().map_err(|_| Error::Malformed {
                place: self.place("access_key_id"),
                problem: "is not an AccessKeyId",
            })?);
            profile.access_key_secret = Some(SecretSource::Plain(self.secret()?));
        } else {
            let source = self.needed("source_profile", raw.source_profile.as_deref())?;
            profile.source_profile = Some(source.to_owned());
        }
        if has_role {
            let role = self.needed("ram_role_arn", raw.ram_role_arn.as_deref())?;
            profile.role_arn = self.parsed("ram_role_arn", Some(role))?;
            profile.role_session_name =
                self.parsed("ram_session_name", raw.ram_session_name.as_deref())?;
            profile.external_id = self.parsed("external_id", raw.external_id.as_deref())?;
            // 0 is how the official CLI writes "not set".
            let seconds = raw
                .expired_seconds
                .filter(|s| *s != 0)
                .map(|s| s.to_string());
            profile.duration = self.parsed("expired_seconds", seconds.as_deref())?;
        }
        let left_behind = [
            ("sts_region", &raw.sts_region),
            ("sts_endpoint", &raw.sts_endpoint),
        ]
        .into_iter()
        .filter(|(_, value)| some(value.as_deref()).is_some())
        .map(|(field, _)| field)
        .collect();
        Ok(Imported {
            profile,
            left_behind,
        })
    }

    /// Tells the mode, which the official CLI takes in any case of letters and infers where it is
    /// missing.
    fn mode(&self) -> Mode {
        let raw = self.raw;
        let is = |mode: &str| raw.mode.eq_ignore_ascii_case(mode);
        let has_role = some(raw.ram_role_arn.as_deref()).is_some();
        let inferred = raw.mode.is_empty() && raw.access_key_secret.is_some();
        if is("StsToken") {
            Mode::Temporary
        } else if is("ChainableRamRoleArn") {
            Mode::ChainableRamRoleArn
        } else if is("RamRoleArn") || is("AK") || inferred {
            if raw.sts_token.is_some() && !is("AK") {
                Mode::Temporary
            } else if is("RamRoleArn") || (inferred && has_role) {
                Mode::RamRoleArn
            } else {
                Mode::Ak
            }
        } else {
            Mode::Other
        }
    }

    fn secret(&self) -> Result<SecretString> {
        let text = self.raw.access_key_secret.as_ref();
        let text = self.needed("access_key_secret", text.map(ExposeSecret::expose_secret))?;
        secret::checked(text, || self.place("access_key_secret"))
    }

    fn needed<'a>(&self, field: &'static str, value: Option<&'a str>) -> Result<&'a str> {
        some(value).ok_or_else(|| Error::Malformed {
            place: self.place(field),
            problem: "is missing",
        })
    }

    fn parsed<T: FromStr<Err = model::Error>>(
        &self,
        field: &str,
        value: Option<&str>,
    ) -> Result<Option<T>> {
        some(value)
            .map(|text| {
                text.parse().map_err(|source| Error::Value {
                    place: self.place(field),
                    source,
                })
            })
            .transpose()
    }

    fn refuse(&self, what: &str, instead: &'static str) -> Error {
        Error::Unsupported {
            what: format!("bringing over profile `{}`, {what},", self.raw.name),
            instead,
        }
    }

    fn place(&self, field: &str) -> String {
        format!(
            "`{field}` of profile `{}` in {}",
            self.raw.name,
            self.path.display()
        )
    }
}

/// The modes that make a difference here.
enum Mode {
    Ak,
    ChainableRamRoleArn,
    Other,
    RamRoleArn,
    /// `StsToken`, or another with a token in it.
    Temporary,
}

/// The official CLI writes what is not set as an empty string.
fn some(value: Option<&str>) -> Option<&str> {
    value.filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(profile: &str) -> Result<Imported> {
        let text =
            format!("\u{feff}{{\"current\":\"p\",\"profiles\":[{profile}],\"meta_path\":\"\"}}");
        AliyunConfig::parse(Path::new("config.json"), &text)?.import("p")
    }

    #[test]
    fn an_access_key_comes_over_with_its_region() {
        let imported = import(
            r#"{"name":"p","mode":"ak","access_key_id":"LTAIexample","access_key_secret":"s3cret",
                "sts_token":"","region_id":"cn-hangzhou","language":"en","sts_region":"cn-beijing"}"#,
        )
        .unwrap();
        let profile = imported.profile;
        assert_eq!(profile.access_key_id.unwrap().as_str(), "LTAIexample");
        let Some(SecretSource::Plain(secret)) = profile.access_key_secret else {
            panic!("no secret");
        };
        assert_eq!(secret.expose_secret(), "s3cret");
        assert_eq!(profile.region.as_deref(), Some("cn-hangzhou"));
        assert!(profile.role_arn.is_none());
        assert_eq!(imported.left_behind, ["sts_region"]);
    }

    #[test]
    fn a_role_comes_over_with_its_settings() {
        let imported = import(
            r#"{"name":"p","mode":"RamRoleArn","access_key_id":"LTAIexample","access_key_secret":"s3cret",
                "ram_role_arn":"acs:ram::1:role/dev","ram_session_name":"me","external_id":"x1",
                "expired_seconds":1800}"#,
        )
        .unwrap();
        let profile = imported.profile;
        assert_eq!(profile.role_arn.unwrap().name(), "dev");
        assert_eq!(profile.role_session_name.unwrap().as_str(), "me");
        assert_eq!(profile.external_id.unwrap().as_str(), "x1");
        assert_eq!(profile.duration.unwrap().get(), 1800);
    }

    #[test]
    fn a_chained_role_keeps_its_source() {
        let imported = import(
            r#"{"name":"p","mode":"ChainableRamRoleArn","source_profile":"base",
                "ram_role_arn":"acs:ram::2:role/prod","ram_session_name":"me","expired_seconds":0}"#,
        )
        .unwrap();
        assert_eq!(imported.profile.source_profile.as_deref(), Some("base"));
        assert!(imported.profile.access_key_id.is_none());
        assert!(imported.profile.duration.is_none());
    }

    #[test]
    fn temporary_and_unknown_modes_are_refused_by_name() {
        for (profile, what) in [
            (
                r#"{"name":"p","mode":"StsToken","access_key_id":"STS.x"}"#,
                "a temporary session",
            ),
            (
                r#"{"name":"p","access_key_secret":"s","sts_token":"t"}"#,
                "a temporary session",
            ),
            (r#"{"name":"p","mode":"EcsRamRole"}"#, "mode `EcsRamRole`"),
            (r#"{"name":"p"}"#, "mode ``"),
        ] {
            let error = import(profile).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
    }

    #[test]
    fn errors_show_no_value() {
        for profile in [
            r#"{"name":"p","mode":"AK","access_key_secret":"canary""#,
            r#"{"name":"p","mode":"AK","access_key_id":"x","access_key_secret":["canary"]}"#,
            r#"{"name":"p","mode":"AK","access_key_id":"canary 1","access_key_secret":"canary"}"#,
            r#"{"name":"p","mode":"AK","access_key_id":"x","access_key_secret":"canary 1"}"#,
            r#"{"name":"p","mode":"AK","access_key_secret":"canary"}"#,
        ] {
            let error = import(profile).unwrap_err();
            let shown = format!("{error} {error:?} {}", error.hints().concat());
            assert!(!shown.contains("canary"), "{shown}");
        }
    }

    #[test]
    fn an_unknown_profile_is_answered_with_the_nearest() {
        let config = AliyunConfig::parse(
            Path::new("config.json"),
            r#"{"profiles":[{"name":"default"},{"name":"prod"}]}"#,
        )
        .unwrap();
        let error = config.import("defualt").unwrap_err();
        assert!(error.hints()[0].contains("`default`"), "{error:?}");
        assert_eq!(config.current(), None);
    }
}
