//! Options that commands share: those of every command and those that choose a session. Must not
//! know what the options mean: variables, profiles and precedence belong to `config::plan`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::ui::{Color, ErrorFormat};
use crate::broker::Demand;
use crate::model::{
    DurationSeconds, Endpoint, ExternalId, RegionId, RoleArn, RoleSessionName, SourceIdentity,
    parse_duration,
};

// A command's own arguments, and the options of every command as far as they follow its name.
// clap's global options would do, but it copies them to every command, typed or not. No doc
// comment: clap would take it for the command's help.
#[derive(Args, Debug)]
pub(crate) struct Typed<T: Args> {
    #[command(flatten)]
    pub(crate) own: T,
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
}

// The options of every command. No doc comment, either.
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
    #[arg(long, global = true, value_name = "D", value_parser = parse_some_time)]
    pub(crate) connect_timeout: Option<Duration>,

    /// Longest time for an answer; for transfers, without a byte moving
    /// [variable: STSCTL_TIMEOUT] [default: 10s]
    #[arg(long, global = true, value_name = "D", value_parser = parse_some_time)]
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

    /// When messages are coloured [variables: NO_COLOR, CLICOLOR_FORCE] [default: auto]
    #[arg(long, global = true, value_enum, value_name = "WHEN")]
    pub(crate) color: Option<Color>,

    /// How errors are written on stderr [default: human]
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    pub(crate) error_format: Option<ErrorFormat>,
}

impl GlobalArgs {
    /// Joins what precedes the command's name with what follows it, which counts where both are.
    pub(crate) fn followed_by(self, later: Self) -> Self {
        Self {
            profile: later.profile.or(self.profile),
            region: later.region.or(self.region),
            sts_endpoint: later.sts_endpoint.or(self.sts_endpoint),
            vpc: later.vpc || self.vpc,
            signature: later.signature.or(self.signature),
            config_dir: later.config_dir.or(self.config_dir),
            connect_timeout: later.connect_timeout.or(self.connect_timeout),
            timeout: later.timeout.or(self.timeout),
            ca_file: later.ca_file.or(self.ca_file),
            insecure_http: later.insecure_http || self.insecure_http,
            verbose: later.verbose.saturating_add(self.verbose),
            quiet: later.quiet || self.quiet,
            color: later.color.or(self.color),
            error_format: later.error_format.or(self.error_format),
        }
    }
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

/// Parses a duration of which there must be some.
pub(crate) fn parse_some_time(text: &str) -> crate::model::Result<Duration> {
    match parse_duration(text)? {
        Duration::ZERO => Err(crate::model::Error::new(
            "duration",
            text,
            "it must be more than 0",
        )),
        some => Ok(some),
    }
}
