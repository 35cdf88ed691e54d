//! `stsctl oss`: objects, with the session. What its commands share: the endpoint, how the bucket
//! is addressed, how requests are signed, and the client made of these.

mod progress;
mod put;

use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::context::Context;
use crate::cli::error::CommandError;
use crate::config::{Plan, env as var};
use crate::model::{Endpoint, RegionId, oss_host};
use crate::oss::{Addressing, OssClient, OssSignature};

/// Work with objects in OSS, using the session
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stsctl oss put demo-bucket reports/today.csv today.csv")]
pub(crate) struct OssArgs {
    #[command(subcommand)]
    command: OssCommand,
}

#[derive(Debug, Subcommand)]
enum OssCommand {
    Put(Box<put::PutArgs>),
}

/// The options of every `oss` command.
#[derive(Args, Debug)]
#[command(next_help_heading = "Which OSS")]
struct OssOptions {
    /// OSS endpoint [variables: STSCTL_OSS_ENDPOINT, OSS_ENDPOINT] [default: from the region]
    #[arg(long, value_name = "HOST or URL")]
    endpoint: Option<Endpoint>,

    /// How the bucket is named in the URL [default: path for an IP address or localhost, virtual
    /// for *.aliyuncs.com, else cname]
    #[arg(long, value_enum, value_name = "STYLE")]
    addressing: Option<AddressingStyle>,

    /// OSS signature version; v4 needs the region
    #[arg(long, value_enum, value_name = "VERSION", default_value = "v4")]
    sign_version: SignVersion,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum AddressingStyle {
    Virtual,
    Path,
    Cname,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SignVersion {
    V4,
    V1,
}

pub(crate) fn run(args: &OssArgs, context: &Context) -> Result<(), CommandError> {
    match &args.command {
        OssCommand::Put(args) => put::run(args, context),
    }
}

/// Makes the client for these options.
fn client(options: &OssOptions, plan: &Plan, context: &Context) -> Result<OssClient, CommandError> {
    let endpoint = endpoint(options, plan, context)?;
    if endpoint.is_exposed() && !context.global.insecure_http {
        return Err(CommandError::usage(format!(
            "`{endpoint}` is plain HTTP to another machine: the SecurityToken would cross the network in the clear"
        ))
        .hinted("use https://, or pass --insecure-http if that network is yours"));
    }
    let addressing = match options.addressing {
        Some(AddressingStyle::Virtual) => Addressing::Virtual,
        Some(AddressingStyle::Path) => Addressing::Path,
        Some(AddressingStyle::Cname) => Addressing::Cname,
        None => Addressing::of(&endpoint),
    };
    if addressing != Addressing::Path && endpoint.ip().is_some() {
        return Err(CommandError::usage(format!(
            "`{endpoint}` is an IP address: no bucket can be named by it"
        ))
        .hinted("use --addressing path"));
    }
    let signature = match options.sign_version {
        SignVersion::V1 => OssSignature::V1,
        SignVersion::V4 => OssSignature::V4 {
            region: signing_region(&endpoint, plan, context)?,
        },
    };
    let transport = context.transport()?;
    let clock = Arc::clone(&context.clock);
    let client = OssClient::new(transport, clock, endpoint, addressing, signature);
    Ok(client.with_idle_timeout(context.timeout()?))
}

fn endpoint(
    options: &OssOptions,
    plan: &Plan,
    context: &Context,
) -> Result<Endpoint, CommandError> {
    if let Some(endpoint) = &options.endpoint {
        return Ok(endpoint.clone());
    }
    for name in [var::STSCTL_OSS_ENDPOINT, var::OSS_ENDPOINT] {
        if let Some(endpoint) = context.env.parsed(name)? {
            return Ok(endpoint);
        }
    }
    if let Some(endpoint) = &plan.oss_endpoint {
        return Ok(endpoint.clone());
    }
    let region = region_without_endpoint(plan, context)?.ok_or_else(|| {
        CommandError::usage("which OSS endpoint? Neither an endpoint nor a region is known")
            .hinted("pass --region cn-hangzhou or --endpoint oss-cn-hangzhou.aliyuncs.com, or set ALIBABA_CLOUD_REGION_ID")
    })?;
    Ok(oss_host(&region, context.is_vpc()))
}

/// The region that V4 signs for: the option's, the endpoint's own, `OSS_REGION`, then the plan's.
fn signing_region(
    endpoint: &Endpoint,
    plan: &Plan,
    context: &Context,
) -> Result<RegionId, CommandError> {
    if let Some((region, _)) = &context.global.region {
        return Ok(region.clone());
    }
    if let Some(region) = endpoint.oss_region() {
        return Ok(region);
    }
    region_without_endpoint(plan, context)?.ok_or_else(|| {
        CommandError::usage(format!(
            "signature version 4 needs the region, and `{endpoint}` names none"
        ))
        .hinted("pass --region cn-hangzhou, or set OSS_REGION or ALIBABA_CLOUD_REGION_ID")
    })
}

fn region_without_endpoint(
    plan: &Plan,
    context: &Context,
) -> Result<Option<RegionId>, CommandError> {
    if let Some((region, _)) = &context.global.region {
        return Ok(Some(region.clone()));
    }
    if let Some(text) = context.env.text(var::OSS_REGION)? {
        return Ok(Some(RegionId::parse_stripping(text)?.0));
    }
    Ok(plan.region.clone())
}
