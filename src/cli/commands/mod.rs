//! One file a subcommand: its arguments and how it runs. They share nothing but the context.

mod assume;
mod cache;
mod env;
mod oss;
mod profile;
mod sandbox;
mod whoami;

use clap::Subcommand;

use crate::cli::args::{GlobalArgs, Typed};
use crate::cli::context::Context;
use crate::cli::error::CommandError;

/// The commands. What they take is built only for the one that is typed: to build it all would
/// cost `env` more than everything else it does.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Get a session: assume the role, or take the cached session while it is good
    Assume(Typed<assume::AssumeArgs>),
    /// Print the session as assignments for a shell to evaluate
    Env(Typed<env::EnvArgs>),
    /// Ask STS whose identity a command would use (GetCallerIdentity), and say where it comes from
    Whoami(Typed<whoami::WhoamiArgs>),
    /// List and edit the profiles of config.toml
    Profile(Typed<profile::ProfileArgs>),
    /// List or remove the cached sessions
    Cache(Typed<cache::CacheArgs>),
    /// Work with objects in OSS, using the session
    Oss(Typed<oss::OssArgs>),
    /// Run the embedded cloud: STS and OSS on this machine, every signature checked
    Sandbox(Typed<sandbox::SandboxArgs>),
}

impl Command {
    /// Returns the options of every command that follow this one's name.
    pub(crate) fn global(&self) -> &GlobalArgs {
        match self {
            Self::Assume(args) => &args.global,
            Self::Env(args) => &args.global,
            Self::Whoami(args) => &args.global,
            Self::Profile(args) => &args.global,
            Self::Cache(args) => &args.global,
            Self::Oss(args) => &args.global,
            Self::Sandbox(args) => &args.global,
        }
    }

    /// Runs the command and returns the exit code of its success.
    pub(crate) fn run(self, context: &Context) -> Result<u8, CommandError> {
        match self {
            Self::Assume(args) => assume::run(&args.own, context)?,
            Self::Env(args) => env::run(&args.own, context)?,
            Self::Whoami(args) => whoami::run(&args.own, context)?,
            Self::Profile(args) => profile::run(args.own, context)?,
            Self::Cache(args) => cache::run(&args.own, context)?,
            Self::Oss(args) => oss::run(&args.own, context)?,
            Self::Sandbox(args) => return sandbox::run(&args.own, context),
        }
        Ok(0)
    }
}
