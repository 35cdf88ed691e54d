//! One file a subcommand: its arguments and how it runs. They share nothing but the context.

mod assume;
mod cache;
mod env;
mod oss;
mod profile;
mod sandbox;
mod whoami;

use clap::Subcommand;

use crate::cli::context::Context;
use crate::cli::error::CommandError;

/// The commands. What they take is built only for the one that is typed: to build it all would
/// cost `env` more than everything else it does.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Get a session: assume the role, or take the cached session while it is good
    Assume(assume::AssumeArgs),
    /// Print the session as assignments for a shell to evaluate
    Env(env::EnvArgs),
    /// Ask STS whose identity a command would use (GetCallerIdentity), and say where it comes from
    Whoami(whoami::WhoamiArgs),
    /// List and edit the profiles of config.toml
    Profile(profile::ProfileArgs),
    /// List or remove the cached sessions
    Cache(cache::CacheArgs),
    /// Work with objects in OSS, using the session
    Oss(oss::OssArgs),
    /// Run the embedded cloud: STS and OSS on this machine, every signature checked
    Sandbox(sandbox::SandboxArgs),
}

impl Command {
    /// Runs the command and returns the exit code of its success.
    pub(crate) fn run(self, context: &Context) -> Result<u8, CommandError> {
        match self {
            Self::Assume(args) => assume::run(&args, context)?,
            Self::Env(args) => env::run(&args, context)?,
            Self::Whoami(args) => whoami::run(&args, context)?,
            Self::Profile(args) => profile::run(args, context)?,
            Self::Cache(args) => cache::run(&args, context)?,
            Self::Oss(args) => oss::run(&args, context)?,
            Self::Sandbox(args) => return sandbox::run(&args, context),
        }
        Ok(0)
    }
}
