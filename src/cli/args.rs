//! What can be typed: the options of every command and those that choose a session
//! (`--help` is made from this file). Must not know what the options mean: variables, profiles
//! and precedence belong to `config::plan`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::commands;
use super::ui::{Color, ErrorFormat};
use crate::broker::Demand;
use crate::model::{
    DurationSeconds, Endpoint, ExternalId, RegionId, RoleArn, RoleSessionName, SourceIdentity,
    parse_duration,
};

/// Credential broker for Alibaba Cloud: assumes RAM roles, caches the sessions, hands them out
#[derive(Debug, Parser)]
#[command(
    name = "stsctl",
    version,
    disable_help_subcommand = true,
    max_term_width = 100
)]
#[command(after_help = "Example:\n  stsctl assume --role-arn acs:ram::1234567890123456:role/dev")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands. What they take is built only for the one that is typed: to build it all would
/// cost `env` more than everything else it does.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Get a session: assume the role, or take the cached session while it is good
    Assume(commands::assume::AssumeArgs),
    /// Print the session as assignments for a shell to evaluate
    Env(commands::env::EnvArgs),
    /// Ask STS whose identity a command would use (GetCallerIdentity), and say where it comes from
    Whoami(commands::whoami::WhoamiArgs),
    /// List and edit the profiles of config.toml
    Profile(commands::profile::ProfileArgs),
    /// List or remove the cached sessions
    Cache(commands::cache::CacheArgs),
    /// Work with objects in OSS, using the session
    Oss(commands::oss::OssArgs),
    /// Run the embedded cloud: STS and OSS on this machine, every signature checked
    Sandbox(commands::sandbox::SandboxArgs),
}

/// The options of every command.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct GlobalArgs {
    /// Use this profile of config.toml [variable: STSCTL_PROFILE]
    #[arg(short, long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,

    /// Region, such as cn-hangzhou [variable: ALIBABA_CLOUD_REGION_ID]
    #[arg(long, global = true, value_name = "ID", value_parser = RegionId::parse_stripping)]
    pub(crate) region: Option<(RegionId, bool)>,

    /// STS endpoint [variables: STSCTL_STS_ENDPOINT, ALIBABA_CLOUD_STS_ENDPOINT]
    #[arg(long, global = true, value_name = "HOST or URL")]
    pub(crate) sts_endpoint: Option<Endpoint>,

    /// Use the endpoints inside a VPC [variable: ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED=true]
    #[arg(long, global = true)]
    pub(crate) vpc: bool,

    /// How STS requests are signed [variable: STSCTL_SIGNATURE] [default: rpc]
    #[arg(long, global = true, value_enum, value_name = "SCHEME")]
    pub(crate) signature: Option<Signature>,

    /// Where config.toml and the sessions lie [variable: STSCTL_CONFIG_DIR]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) config_dir: Option<PathBuf>,

    /// Longest time to connect [variable: STSCTL_CONNECT_TIMEOUT] [default: 5s]
    #[arg(long, global = true, value_name = "D", value_parser = parse_duration)]
    pub(crate) connect_timeout: Option<Duration>,

    /// Longest time for an answer; for transfers, without a byte moving
    /// [variable: STSCTL_TIMEOUT] [default: 10s]
    #[arg(long, global = true, value_name = "D", value_parser = parse_duration)]
    pub(crate) timeout: Option<Duration>,

    /// More trusted root certificates, PEM [variable: SSL_CERT_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,

    /// Allow http:// to a host that is not this machine: secrets cross the network in the clear
    #[arg(long, global = true)]
    pub(crate) insecure_http: bool,

    /// Say more on stderr; -vv says most; never a secret [variable: STSCTL_LOG]
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Say only warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// When messages are coloured [variables: NO_COLOR, CLICOLOR_FORCE]
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value = "auto"
    )]
    pub(crate) color: Color,

    /// How errors are written on stderr
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "FORMAT",
        default_value = "human"
    )]
    pub(crate) error_format: ErrorFormat,
}

/// How STS requests are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Signature {
    /// RPC version 1.0, HMAC-SHA1.
    Rpc,
    /// ACS3-HMAC-SHA256.
    Acs3,
}

/// How a result is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For a person.
    #[default]
    Text,
    /// One JSON document.
    Json,
}

/// The options that choose a session.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct SessionArgs {
    /// Assume this role; repeat it to chain roles, first to last
    /// [variable: ALIBABA_CLOUD_ROLE_ARN]
    #[arg(long, value_name = "ARN")]
    pub(crate) role_arn: Vec<RoleArn>,

    /// Use the base identity itself
    #[arg(long, conflicts_with = "role_arn")]
    pub(crate) no_role: bool,

    /// Name the session; shown in ActionTrail
    /// [variable: ALIBABA_CLOUD_ROLE_SESSION_NAME] [default: <user>@<host>]
    #[arg(long, value_name = "NAME")]
    pub(crate) role_session_name: Option<RoleSessionName>,

    /// How long the session is to last, 15m to 12h [default: 1h]
    #[arg(long, alias = "duration-seconds", value_name = "D")]
    pub(crate) duration: Option<DurationSeconds>,

    /// Narrow the session by this policy; - reads it from stdin
    #[arg(long, value_name = "JSON, @FILE or -")]
    pub(crate) policy: Option<String>,

    /// ExternalId that the role's trust policy asks for [variable: ALIBABA_CLOUD_EXTERNAL_ID]
    #[arg(long, value_name = "ID")]
    pub(crate) external_id: Option<ExternalId>,

    /// SourceIdentity, kept through role chains and shown in ActionTrail
    #[arg(long, value_name = "ID")]
    pub(crate) source_identity: Option<SourceIdentity>,

    /// Get a new session even if a good one is cached
    #[arg(long)]
    pub(crate) refresh: bool,

    /// Neither read nor write the cache
    #[arg(long)]
    pub(crate) no_cache: bool,

    /// Get a new session rather than hand out one that lasts less
    #[arg(long, value_name = "D", value_parser = parse_duration)]
    pub(crate) min_lifetime: Option<Duration>,
}

impl SessionArgs {
    /// Returns what the options ask of a session beyond the plan.
    pub(crate) fn demand(&self) -> Demand {
        Demand {
            refresh: self.refresh,
            min_lifetime: self.min_lifetime,
            rejected: None,
        }
    }
}
