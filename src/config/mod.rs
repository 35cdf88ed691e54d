//! What the user asked for: the environment, `config.toml`, and the plan that they make together.
//!
//! [`resolve`] turns flags ([`Wanted`]), the environment ([`Env`]) and the profiles
//! ([`ConfigFile`]) into a [`Plan`]: one base identity and the roles to assume from it. Nothing
//! here talks to a network, reads a clock or runs a session; the files read are `config.toml`,
//! the policy file of a profile in use, and (for `profile import`) `~/.aliyun/config.json`.
//! Secrets are fetched by [`secret`] only when a session has to be made.

pub mod aliyun_cli;
pub mod edit;
pub mod env;
pub mod secret;

mod dirs;
mod error;
mod plan;
mod profile;

pub use dirs::Dirs;
pub use env::Env;
pub use error::{Error, ErrorKind, Location, Result, SecretFileProblem};
pub use plan::{
    Attempt, Base, BaseKind, Origin, Outcome, Plan, RoleHop, RoleSource, Source, Wanted, Warning,
    refuse_exposed, resolve,
};
pub use profile::{ConfigFile, PolicySource, Profile, SecretSource};
