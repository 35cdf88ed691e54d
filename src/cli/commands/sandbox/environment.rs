//! What a client needs to talk to the sandbox and to nothing else: variables to set, variables to
//! remove, and a private configuration directory with the users' profiles.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::cli::error::{CommandError, Kind};
use crate::cli::exports;
use crate::cli::shell::{self, Assignment, Shell};
use crate::config::edit::Editor;
use crate::config::{Profile, SecretSource, env as var};
use crate::sandbox::Sandbox;

/// A configuration directory of the sandbox's own, removed with it.
#[derive(Debug)]
pub(super) struct Environment {
    config_dir: TempDir,
    set: Vec<(&'static str, Zeroizing<String>)>,
}

impl Environment {
    /// Writes the configuration and lists the variables for the sandbox at `address`.
    pub(super) fn new(sandbox: &Sandbox, address: SocketAddr) -> Result<Self, CommandError> {
        let config_dir = private_dir()?;
        let world = sandbox.world();
        let alice = world.user("alice").expect("the default world has alice");
        write_profiles(sandbox, config_dir.path())?;
        let url = format!("http://{address}");
        let region = world.region().to_string();
        let role_arn = world
            .role_arns()
            .next()
            .expect("the default world has a role")
            .to_string();
        let text = |value: &str| Zeroizing::new(value.to_owned());
        let mut set: Vec<(&'static str, Zeroizing<String>)> = [
            var::STSCTL_STS_ENDPOINT,
            var::STSCTL_RAM_ENDPOINT,
            var::STSCTL_IMS_ENDPOINT,
            var::STSCTL_LOCATION_ENDPOINT,
            var::STSCTL_SIGNIN_ENDPOINT,
            var::STSCTL_OSS_ENDPOINT,
            var::OSS_ENDPOINT,
        ]
        .into_iter()
        .map(|name| (name, text(&url)))
        .collect();
        let dir = config_dir.path().to_str().ok_or_else(|| {
            CommandError::local("the directory for temporary files has a name that is not UTF-8")
        })?;
        set.extend([
            (var::REGION_ID, text(&region)),
            (var::OSS_REGION, text(&region)),
            (var::ACCESS_KEY_ID, text(alice.access_key_id.as_str())),
            (
                var::ACCESS_KEY_SECRET,
                text(alice.access_key_secret.expose_secret()),
            ),
            (var::ROLE_ARN, text(&role_arn)),
            (var::CONFIG_DIR, text(dir)),
        ]);
        Ok(Self { config_dir, set })
    }

    /// Returns the variables to set.
    pub(super) fn set(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.set.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Returns the variables to remove: every other one that names an identity.
    pub(super) fn removed(&self) -> impl Iterator<Item = &'static str> {
        const OTHERS: [&str; 9] = [
            var::STS_ENDPOINT,
            var::STS_REGION,
            var::VPC_ENDPOINT_ENABLED,
            var::ROLE_SESSION_NAME,
            var::EXTERNAL_ID,
            var::PROFILE,
            "ALIBABA_CLOUD_CREDENTIALS_FILE",
            "ALIBABA_CLOUD_ECS_METADATA",
            "ALIBABA_CLOUD_CONFIG_FILE",
        ];
        let is_set = |name: &&str| self.set.iter().any(|(set, _)| set == name);
        exports::identity_variables()
            .chain(OTHERS)
            .filter(move |name| !is_set(name))
    }

    /// Writes all of it for a shell to evaluate, with `more` at the end of what is set.
    pub(super) fn script(
        &self,
        more: Option<(&str, &str)>,
    ) -> Result<Zeroizing<String>, CommandError> {
        let mut assignments: Vec<Assignment<'_>> = Vec::new();
        for (name, value) in self.set() {
            assignments.push(Assignment::Set(name, value));
        }
        if let Some((name, value)) = more {
            assignments.push(Assignment::Set(name, value));
        }
        for name in self.removed() {
            assignments.push(Assignment::Unset(name));
        }
        let mut text = Zeroizing::new(String::new());
        shell::render(Shell::Sh, &assignments, &mut text)
            .map_err(|error| CommandError::new(Kind::Local, error))?;
        Ok(text)
    }

    /// Returns the configuration directory.
    pub(super) fn config_dir(&self) -> PathBuf {
        self.config_dir.path().to_owned()
    }
}

/// Makes a directory that only its owner can enter.
fn private_dir() -> std::io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("stsctl-sandbox-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir()
}

/// Writes `config.toml` with a profile for each user.
fn write_profiles(sandbox: &Sandbox, dir: &Path) -> Result<(), CommandError> {
    let world = sandbox.world();
    let mut editor = Editor::open(&dir.join("config.toml"))?;
    for name in ["alice", "admin"] {
        let user = world.user(name).expect("the default world has both users");
        editor.add(&Profile {
            name: name.to_owned(),
            access_key_id: Some(user.access_key_id.clone()),
            access_key_secret: Some(SecretSource::Plain(user.access_key_secret.clone())),
            region: Some(world.region().to_string()),
            ..Profile::default()
        })?;
    }
    Ok(editor.save()?)
}
