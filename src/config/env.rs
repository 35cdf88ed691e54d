//! The process's environment, captured once, and the name of every variable that stsctl reads,
//! sets or removes. Must not know what the values lead to; nothing below `main` reads the real
//! environment.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use secrecy::SecretString;

use super::{Error, Result, secret};
use crate::model::{self, AccessKeyId};

/// The environment as it was when the program started. Clones share it.
///
/// An empty value counts as unset. `Debug` shows names only.
#[derive(Clone, Default)]
pub struct Env {
    variables: Arc<BTreeMap<String, OsString>>,
}

impl Env {
    /// Captures variables; those whose names are not Unicode are left out, as none of ours is so.
    pub fn from_vars<K: Into<OsString>, V: Into<OsString>>(
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let variables = variables
            .into_iter()
            .filter_map(|(name, value)| Some((name.into().into_string().ok()?, value.into())))
            .map(|(name, value)| (canonical(name), value))
            .collect();
        Self {
            variables: Arc::new(variables),
        }
    }

    /// Returns a variable's text; `None` when it is unset, empty or not Unicode.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_os(name).and_then(OsStr::to_str)
    }

    /// Returns a variable's text; a value that is not Unicode is an error, for where silently
    /// passing over it would pick something else.
    pub fn text(&self, name: &str) -> Result<Option<&str>> {
        match self.get_os(name) {
            None => Ok(None),
            Some(value) => value.to_str().map(Some).ok_or_else(|| Error::NotUnicode {
                variable: name.to_owned(),
            }),
        }
    }

    /// Returns a variable's value parsed as one of the model's types.
    pub fn parsed<T: std::str::FromStr<Err = model::Error>>(
        &self,
        name: &str,
    ) -> Result<Option<T>> {
        self.text(name)?
            .map(|text| {
                text.parse().map_err(|source| Error::Value {
                    place: format!("the value of {name}"),
                    source,
                })
            })
            .transpose()
    }

    /// Returns a variable's value, Unicode or not, for paths.
    pub fn get_os(&self, name: &str) -> Option<&OsStr> {
        self.variables
            .get(name)
            .map(OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }

    /// Returns a variable's value as a path.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.get_os(name).map(PathBuf::from)
    }

    /// Tells whether a variable has a value.
    pub fn is_set(&self, name: &str) -> bool {
        self.get_os(name).is_some()
    }

    /// Tells whether a variable is `true`, in any case of letters; `1` is not, as in Alibaba's SDKs.
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Returns the names of all variables that are present, even of empty ones.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    /// Returns the AccessKey pair, and its token, of the first spelling of which any part is set.
    /// Spellings are never mixed: half a pair there is an error.
    pub fn access_key(&self) -> Result<Option<EnvAccessKey>> {
        let Some(spelling) = SPELLINGS.iter().find(|spelling| {
            let [id, secret, token] = spelling.names();
            self.is_set(id) || self.is_set(secret) || self.is_set(token)
        }) else {
            return Ok(None);
        };
        let [id, secret, token] = spelling.names();
        let present =
            |wanted: &[&'static str]| wanted.iter().find(|name| self.is_set(name)).copied();
        let half = |missing: &'static str| Error::HalfPair {
            present: present(&[id, secret, token]).unwrap_or(id),
            missing,
        };
        let id_text = self.text(id)?.ok_or_else(|| half(id))?;
        let access_key_secret = self.secret(secret)?.ok_or_else(|| half(secret))?;
        let security_token = self.secret(token)?;
        // Said without the value: it may be a secret in the wrong place.
        let access_key_id: AccessKeyId = id_text.parse().map_err(|_| Error::Malformed {
            place: format!("the value of {id}"),
            problem: "is not an AccessKeyId: it has spaces or other characters that no id has",
        })?;
        if access_key_id.is_temporary() && security_token.is_none() {
            return Err(half(token));
        }
        Ok(Some(EnvAccessKey {
            variable: id,
            access_key_id,
            access_key_secret,
            security_token,
        }))
    }

    /// Returns a variable's value as a secret.
    fn secret(&self, name: &str) -> Result<Option<SecretString>> {
        self.text(name)?
            .map(|text| secret::checked(text, || format!("the value of {name}")))
            .transpose()
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Env")
            .field(&self.variables.keys().collect::<Vec<_>>())
            .finish()
    }
}

/// An AccessKey pair found in the environment, with its SecurityToken if it is temporary.
#[derive(Clone, Debug)]
pub struct EnvAccessKey {
    /// The variable that has the AccessKeyId, which tells the spelling.
    pub variable: &'static str,
    /// The AccessKeyId.
    pub access_key_id: AccessKeyId,
    /// The AccessKeySecret.
    pub access_key_secret: SecretString,
    /// The SecurityToken.
    pub security_token: Option<SecretString>,
}

/// The names under which one family of tools keeps an AccessKey.
#[derive(Clone, Copy, Debug)]
pub struct Spelling {
    /// The variable of the AccessKeyId.
    pub access_key_id: &'static str,
    /// The variable of the AccessKeySecret.
    pub access_key_secret: &'static str,
    /// The variable of the SecurityToken.
    pub security_token: &'static str,
}

impl Spelling {
    /// Returns the three names: id, secret, token.
    pub fn names(&self) -> [&'static str; 3] {
        [
            self.access_key_id,
            self.access_key_secret,
            self.security_token,
        ]
    }
}

/// Windows does not tell `Path` from `PATH`; ours are upper case everywhere.
fn canonical(name: String) -> String {
    if cfg!(windows) {
        name.to_uppercase()
    } else {
        name
    }
}

/// The spellings of an AccessKey in the environment, in the order in which they are looked at.
pub const SPELLINGS: [Spelling; 3] = [
    Spelling {
        access_key_id: ACCESS_KEY_ID,
        access_key_secret: ACCESS_KEY_SECRET,
        security_token: SECURITY_TOKEN,
    },
    Spelling {
        access_key_id: "ALIBABACLOUD_ACCESS_KEY_ID",
        access_key_secret: "ALIBABACLOUD_ACCESS_KEY_SECRET",
        security_token: "ALIBABACLOUD_SECURITY_TOKEN",
    },
    Spelling {
        access_key_id: "ALICLOUD_ACCESS_KEY_ID",
        access_key_secret: "ALICLOUD_ACCESS_KEY_SECRET",
        security_token: "ALICLOUD_SECURITY_TOKEN",
    },
];

// Who, and which role.

/// The AccessKeyId, as all of Alibaba's SDKs read it.
pub const ACCESS_KEY_ID: &str = "ALIBABA_CLOUD_ACCESS_KEY_ID";
/// The AccessKeySecret.
pub const ACCESS_KEY_SECRET: &str = "ALIBABA_CLOUD_ACCESS_KEY_SECRET";
/// The SecurityToken of a temporary AccessKey.
pub const SECURITY_TOKEN: &str = "ALIBABA_CLOUD_SECURITY_TOKEN";
/// The role to assume.
pub const ROLE_ARN: &str = "ALIBABA_CLOUD_ROLE_ARN";
/// The name of the sessions.
pub const ROLE_SESSION_NAME: &str = "ALIBABA_CLOUD_ROLE_SESSION_NAME";
/// The ExternalId that the role's trust policy may ask for.
pub const EXTERNAL_ID: &str = "ALIBABA_CLOUD_EXTERNAL_ID";
/// The profile to use, as `--profile`.
pub const PROFILE: &str = "STSCTL_PROFILE";
/// When the session that `env` or `exec` handed out ends, `2026-01-02T03:04:05Z`.
pub const STSCTL_EXPIRATION: &str = "STSCTL_EXPIRATION";
/// The role of the session that `env` or `exec` handed out.
pub const STSCTL_ROLE_ARN: &str = "STSCTL_ROLE_ARN";

// Where the services are.

/// The region, such as `cn-hangzhou`.
pub const REGION_ID: &str = "ALIBABA_CLOUD_REGION_ID";
/// The region in OSS's tools.
pub const OSS_REGION: &str = "OSS_REGION";
/// The host or URL of STS, before Alibaba's own variable.
pub const STSCTL_STS_ENDPOINT: &str = "STSCTL_STS_ENDPOINT";
/// The host or URL of STS.
pub const STS_ENDPOINT: &str = "ALIBABA_CLOUD_STS_ENDPOINT";
/// The region whose STS is used, before the region itself.
pub const STS_REGION: &str = "ALIBABA_CLOUD_STS_REGION";
/// `true`: endpoints inside the VPC.
pub const VPC_ENDPOINT_ENABLED: &str = "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED";
/// The host or URL of RAM.
pub const STSCTL_RAM_ENDPOINT: &str = "STSCTL_RAM_ENDPOINT";
/// The host or URL of IMS.
pub const STSCTL_IMS_ENDPOINT: &str = "STSCTL_IMS_ENDPOINT";
/// The host or URL of the location service.
pub const STSCTL_LOCATION_ENDPOINT: &str = "STSCTL_LOCATION_ENDPOINT";
/// The host or URL of federated sign-in.
pub const STSCTL_SIGNIN_ENDPOINT: &str = "STSCTL_SIGNIN_ENDPOINT";
/// The host or URL of OSS, before that of OSS's tools.
pub const STSCTL_OSS_ENDPOINT: &str = "STSCTL_OSS_ENDPOINT";
/// The host or URL of OSS.
pub const OSS_ENDPOINT: &str = "OSS_ENDPOINT";

// How stsctl itself behaves.

/// The configuration directory, as `--config-dir`.
pub const CONFIG_DIR: &str = "STSCTL_CONFIG_DIR";
/// `rpc` or `acs3`, as `--signature`.
pub const SIGNATURE: &str = "STSCTL_SIGNATURE";
/// As `--connect-timeout`.
pub const CONNECT_TIMEOUT: &str = "STSCTL_CONNECT_TIMEOUT";
/// As `--timeout`.
pub const TIMEOUT: &str = "STSCTL_TIMEOUT";
/// What diagnostics are printed.
pub const LOG: &str = "STSCTL_LOG";
/// The process of a credentials endpoint in the background.
pub const SERVE_PID: &str = "STSCTL_SERVE_PID";
/// The process of a sandbox in the background.
pub const SANDBOX_PID: &str = "STSCTL_SANDBOX_PID";

// The world around.

/// More trusted roots, as `--ca-file`.
pub const SSL_CERT_FILE: &str = "SSL_CERT_FILE";
/// The proxy for `https://`; also read in lower case.
pub const HTTPS_PROXY: &str = "HTTPS_PROXY";
/// The proxy for `http://`; read in lower case alone where CGI could set it.
pub const HTTP_PROXY: &str = "HTTP_PROXY";
/// The hosts without a proxy; also read in lower case.
pub const NO_PROXY: &str = "NO_PROXY";
/// Set: no colour.
pub const NO_COLOR: &str = "NO_COLOR";
/// Set: colour, even where there is no terminal.
pub const CLICOLOR_FORCE: &str = "CLICOLOR_FORCE";
/// The login shell, from which `env` tells what to print.
pub const SHELL: &str = "SHELL";
/// The user's name, for the default session name (Unix).
pub const USER: &str = "USER";
/// The user's name, for the default session name (Unix, where `USER` is missing).
pub const LOGNAME: &str = "LOGNAME";
/// The user's name, for the default session name (Windows).
pub const USERNAME: &str = "USERNAME";
/// The machine's name, for the default session name (Windows).
pub const COMPUTERNAME: &str = "COMPUTERNAME";
/// The file to which GitHub's workflow steps append variables.
pub const GITHUB_ENV: &str = "GITHUB_ENV";

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn debug_shows_names_only() {
        let env = Env::from_vars([(ACCESS_KEY_SECRET, "canary")]);
        let shown = format!("{env:?}");
        assert!(
            shown.contains(ACCESS_KEY_SECRET) && !shown.contains("canary"),
            "{shown}"
        );
    }

    #[test]
    fn an_empty_variable_is_present_but_not_set() {
        let env = Env::from_vars([(PROFILE, "")]);
        assert!(!env.is_set(PROFILE) && env.get(PROFILE).is_none());
        assert_eq!(env.names().collect::<Vec<_>>(), [PROFILE]);
    }

    #[test]
    fn only_the_word_true_is_true() {
        for (value, is) in [("true", true), ("TRUE", true), ("1", false), ("yes", false)] {
            let env = Env::from_vars([(VPC_ENDPOINT_ENABLED, value)]);
            assert_eq!(env.is_true(VPC_ENDPOINT_ENABLED), is, "{value}");
        }
    }

    #[test]
    fn spellings_are_never_mixed() {
        let env = Env::from_vars([
            ("ALIBABACLOUD_ACCESS_KEY_ID", "LTAIb"),
            ("ALICLOUD_ACCESS_KEY_SECRET", "c"),
        ]);
        let error = env.access_key().unwrap_err().to_string();
        assert_eq!(
            error,
            "`ALIBABACLOUD_ACCESS_KEY_ID` is set without `ALIBABACLOUD_ACCESS_KEY_SECRET`"
        );
    }

    #[test]
    fn a_spelling_is_read_whole() {
        let env = Env::from_vars([
            ("ALICLOUD_ACCESS_KEY_ID", "LTAIc"),
            ("ALICLOUD_ACCESS_KEY_SECRET", "secret-c"),
            ("ALICLOUD_SECURITY_TOKEN", "token-c"),
        ]);
        let key = env.access_key().unwrap().unwrap();
        assert_eq!(key.access_key_secret.expose_secret(), "secret-c");
        assert_eq!(key.security_token.unwrap().expose_secret(), "token-c");
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_unicode_is_an_error_where_it_matters() {
        use std::os::unix::ffi::OsStringExt;
        let env = Env::from_vars([(ROLE_ARN, OsString::from_vec(vec![0xff]))]);
        assert!(env.get(ROLE_ARN).is_none() && env.is_set(ROLE_ARN));
        assert!(matches!(env.text(ROLE_ARN), Err(Error::NotUnicode { .. })));
    }
}
