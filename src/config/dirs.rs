//! Where configuration lies. Must not read anything there.

use std::path::{Path, PathBuf};

use super::{Env, Error, Result, env};

/// The directories of this user.
#[derive(Clone, Debug)]
pub struct Dirs {
    config_dir: PathBuf,
    home: Option<PathBuf>,
}

impl Dirs {
    /// Finds the configuration directory: `flag`, else `STSCTL_CONFIG_DIR`, else the platform's.
    ///
    /// The exception to the rule that the environment is read once, through [`Env`]: the
    /// `directories` crate reads `HOME` and `XDG_CONFIG_HOME` itself, and asks the passwd entry
    /// where `HOME` is unset. To be called by the command line at its start, once.
    pub fn discover(flag: Option<&Path>, env: &Env) -> Result<Self> {
        let chosen = flag
            .map(Path::to_owned)
            .or_else(|| env.path(env::CONFIG_DIR))
            .or_else(|| {
                directories::ProjectDirs::from("", "", "stsctl")
                    .map(|dirs| dirs.config_dir().to_owned())
            })
            .ok_or(Error::NoConfigDir)?;
        let home = directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned());
        let config_dir = std::path::absolute(&chosen).map_err(|source| Error::Read {
            what: "the current directory",
            source,
        })?;
        Ok(Self { config_dir, home })
    }

    /// Takes directories that are known.
    pub fn new(config_dir: PathBuf, home: Option<PathBuf>) -> Self {
        Self { config_dir, home }
    }

    /// Returns the configuration directory, which may not exist.
    pub fn config_dir(&self) -> &Path {
        &self.config_dir
    }

    /// Returns the path of `config.toml`.
    pub fn config_file(&self) -> PathBuf {
        self.config_dir.join("config.toml")
    }

    /// Returns the directory of the cached sessions.
    pub fn sessions_dir(&self) -> PathBuf {
        self.config_dir.join("sessions")
    }

    /// Returns the path of `~/.aliyun/config.json`; `None` without a home.
    pub fn aliyun_cli_file(&self) -> Option<PathBuf> {
        self.home
            .as_ref()
            .map(|home| home.join(".aliyun").join("config.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_outranks_the_variable() {
        let env = Env::from_vars([(env::CONFIG_DIR, "/from/env")]);
        let dirs = Dirs::discover(Some(Path::new("/from/flag")), &env).unwrap();
        assert!(dirs.config_file().ends_with("from/flag/config.toml"));
        let dirs = Dirs::discover(None, &env).unwrap();
        assert!(dirs.sessions_dir().ends_with("from/env/sessions"));
    }

    #[test]
    fn a_relative_directory_is_made_absolute() {
        let dirs = Dirs::discover(Some(Path::new("relative")), &Env::default()).unwrap();
        assert!(dirs.config_dir().is_absolute());
    }
}
