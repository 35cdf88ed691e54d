//! `stsctl sandbox`: the embedded cloud for people, scripts and tests. Must not know how the cloud
//! answers: `crate::sandbox` does.

mod background;
mod demo;
mod environment;
mod exec;
mod serve;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::cli::args::parse_some_time;
use crate::cli::context::Context;
use crate::cli::error::CommandError;
use crate::model::{ClockSkew, parse_duration};
use crate::sandbox::Fault;

/// Run the embedded cloud: STS and OSS on this machine, every signature checked
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  eval \"$(stsctl sandbox serve --background)\"")]
pub(crate) struct SandboxArgs {
    #[command(subcommand)]
    command: SandboxCommand,
}

#[derive(Debug, Subcommand)]
enum SandboxCommand {
    /// Tell the whole story on this terminal: assume, cache, export, upload, refresh
    #[command(after_help = "Example:\n  stsctl sandbox demo")]
    Demo,
    /// Run a command inside the sandbox's environment, and exit with its code
    #[command(
        after_help = "Example:\n  stsctl sandbox exec -- sh -c 'stsctl assume && stsctl whoami'"
    )]
    Exec(exec::ExecArgs),
    /// Serve, and print what a client needs as `export NAME='value'` lines for a shell
    #[command(after_help = "Example:\n  eval \"$(stsctl sandbox serve --background)\"", after_long_help = serve::long_help())]
    Serve(serve::ServeArgs),
    /// End the sandbox that `serve --background` started in this shell
    #[command(after_help = "Example:\n  stsctl sandbox stop")]
    Stop,
}

/// How the cloud behaves.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "The cloud")]
struct CloudArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Keep objects, sessions and AccessKeys in this directory [default: in memory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Let every session last so long, whatever DurationSeconds says
    #[arg(long, value_name = "D", value_parser = parse_some_time)]
    session_lifetime: Option<Duration>,

    /// Let the cloud's clock be ahead of this machine's by so much; -D: behind
    #[arg(long, value_name = "D", allow_hyphen_values = true, value_parser = parse_skew)]
    skew: Option<ClockSkew>,

    /// Let this befall requests, as SERVICE:WHAT[:COUNT]; repeatable; --help lists them
    #[arg(long, value_name = "SPEC")]
    fault: Vec<Fault>,

    /// Say on stderr what each request was and how it was answered
    #[arg(long)]
    trace: bool,
}

pub(crate) fn run(args: &SandboxArgs, context: &Context) -> Result<u8, CommandError> {
    match &args.command {
        SandboxCommand::Demo => demo::run(context).map(|()| 0),
        SandboxCommand::Exec(args) => exec::run(args, context),
        SandboxCommand::Serve(args) => serve::run(args, context).map(|()| 0),
        SandboxCommand::Stop => background::stop(context).map(|()| 0),
    }
}

fn parse_skew(text: &str) -> crate::model::Result<ClockSkew> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text),
    };
    let seconds = i64::try_from(parse_duration(text)?.as_secs()).unwrap_or(i64::MAX);
    Ok(ClockSkew::from_seconds(sign * seconds))
}
