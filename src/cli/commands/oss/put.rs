//! `stsctl oss put`: one file, or stdin, becomes one object.

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::OssOptions;
use super::progress::{Line, When};
use crate::cli::args::{Output, SessionArgs};
use crate::cli::context::{Context, Identity, block_on};
use crate::cli::error::CommandError;
use crate::cli::text::printable;
use crate::model::{Bucket, ObjectKey, parse_size};
use crate::oss::{
    HeaderText, Metadata, ObjectAcl, Pair, PutObject, PutOptions, StorageClass, Tags,
    content_type_of,
};
use crate::transfer::{self, Need, Put, Settings, Source};

/// Upload a file, or stdin, as one object of at most 5 GiB
///
/// Streams in constant memory, computes the CRC-64 on the way and compares it with what OSS
/// stored. A temporary failure is retried if the source can be read again.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stsctl oss put demo-bucket reports/today.csv today.csv")]
pub(super) struct PutArgs {
    /// Bucket
    bucket: Bucket,
    /// ObjectKey
    #[arg(value_name = "KEY")]
    key: ObjectKey,
    /// File to upload; - reads stdin
    file: PathBuf,

    #[command(flatten)]
    headers: HeaderArgs,

    #[command(flatten)]
    oss: OssOptions,

    #[command(flatten, next_help_heading = "Which session")]
    session: SessionArgs,

    /// Send at most so many bytes a second, such as 10MiB
    #[arg(long, value_name = "SIZE", value_parser = parse_limit)]
    bandwidth_limit: Option<NonZeroU64>,

    /// When the progress is shown
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    progress: When,

    /// How the result is printed
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "text")]
    output: Output,
}

/// What is stored beside the object's bytes.
#[derive(Args, Debug)]
#[command(next_help_heading = "The object")]
struct HeaderArgs {
    /// Content-Type [default: from the name of the key, else of the file]
    #[arg(long, value_name = "TYPE")]
    content_type: Option<HeaderText>,

    /// Cache-Control
    #[arg(long, value_name = "TEXT")]
    cache_control: Option<HeaderText>,

    /// Content-Disposition
    #[arg(long, value_name = "TEXT")]
    content_disposition: Option<HeaderText>,

    /// Content-Encoding
    #[arg(long, value_name = "TEXT")]
    content_encoding: Option<HeaderText>,

    /// User metadata; repeatable
    #[arg(long, value_name = "K=V")]
    meta: Vec<Pair>,

    /// Tag; repeatable
    #[arg(long, value_name = "K=V")]
    tag: Vec<Pair>,

    /// Object ACL: default, private, public-read or public-read-write
    #[arg(long, value_name = "ACL")]
    acl: Option<ObjectAcl>,

    /// Storage class: Standard, IA, Archive, ColdArchive or DeepColdArchive
    #[arg(long, value_name = "CLASS")]
    storage_class: Option<StorageClass>,

    /// Fail if the object exists
    #[arg(long)]
    no_overwrite: bool,
}

pub(super) fn run(args: &PutArgs, context: &Context) -> Result<(), CommandError> {
    let from_stdin = args.file == Path::new("-");
    if from_stdin && args.session.policy.as_deref() == Some("-") {
        return Err(CommandError::usage(
            "stdin can't be both the policy and the file",
        ));
    }
    let options = options(args)?;
    let request = PutObject {
        bucket: &args.bucket,
        key: &args.key,
        options: &options,
    };
    let (source, total) = if from_stdin {
        (Source::Reader(Box::new(std::io::stdin())), None)
    } else {
        // The size is for the progress line alone; the transfer looks at the file itself.
        let total = fs_err::metadata(&args.file)
            .ok()
            .filter(std::fs::Metadata::is_file);
        (
            Source::File(args.file.clone()),
            total.map(|found| found.len()),
        )
    };
    let plan = context.plan(&args.session)?;
    let client = super::client(&args.oss, &plan, context)?;
    let settings = Settings {
        bandwidth_limit: args.bandwidth_limit,
        ..Settings::default()
    };
    let line = Arc::new(Line::new(args.progress, context.ui, total));
    let progress = Arc::<Line>::clone(&line);
    let result = block_on(async {
        let broker = context.broker(&args.session)?;
        let mut held: Option<Identity> = None;
        let credentials = async |need: Need| {
            let signer = held.as_ref().map(Identity::signer);
            // Without a cache, or without a role, there is nobody who would know better.
            let is_settled = args.session.no_cache || plan.hops.is_empty();
            if let (Some(signer), Need::Current, true) = (&signer, need, is_settled) {
                return Ok(signer.clone());
            }
            let mut demand = args.session.demand();
            // A new session once, not for each attempt.
            demand.refresh &= signer.is_none();
            if need == Need::Fresh {
                // Any session but the one that was refused: another process may have one.
                demand.rejected = signer.map(|(credentials, _)| credentials.access_key_id);
            }
            let identity = held.insert(Identity::of(context, &broker, &plan, &demand).await?);
            Ok::<_, CommandError>(identity.signer())
        };
        let put = transfer::put(&client, &request, source, credentials, &settings, progress).await;
        Ok::<_, CommandError>(put)
    })??;
    line.finish();
    let put = result.map_err(|error| {
        CommandError::from(error).doing(format!(
            "cannot put `{}/{}`",
            args.bucket,
            printable(args.key.as_str())
        ))
    })?;
    report(&put, args, context)
}

fn options(args: &PutArgs) -> Result<PutOptions, CommandError> {
    let headers = &args.headers;
    let content_type = match &headers.content_type {
        Some(given) => given.clone(),
        None => guessed_type(args).parse()?,
    };
    Ok(PutOptions {
        content_type: Some(content_type),
        cache_control: headers.cache_control.clone(),
        content_disposition: headers.content_disposition.clone(),
        content_encoding: headers.content_encoding.clone(),
        metadata: Metadata::new(headers.meta.iter().cloned())?,
        tags: Tags::new(headers.tag.iter().cloned())?,
        acl: headers.acl,
        storage_class: headers.storage_class,
        forbid_overwrite: headers.no_overwrite,
    })
}

/// The key says what the object is to be; the file's name only where the key has no ending.
fn guessed_type(args: &PutArgs) -> &'static str {
    const UNKNOWN: &str = "application/octet-stream";
    match content_type_of(args.key.as_str()) {
        UNKNOWN => content_type_of(&args.file.to_string_lossy()),
        known => known,
    }
}

fn report(put: &Put, args: &PutArgs, context: &Context) -> Result<(), CommandError> {
    if put.crc64_checked {
        tracing::debug!(crc64 = put.crc64, "the CRC-64 that OSS stored is ours");
    } else {
        context
            .ui
            .warning("OSS did not report a CRC-64: what it stored was not checked");
    }
    let text = match args.output {
        Output::Json => {
            let object = json!({
                "bucket": args.bucket.as_str(),
                "key": args.key.as_str(),
                "size": put.size,
                "etag": put.etag,
                "crc64": put.crc64.to_string(),
                "version_id": put.version_id,
                "request_id": put.request_id,
                "parts": 1,
                "seconds": put.elapsed.as_secs_f64(),
            });
            format!("{object}\n")
        }
        Output::Text => format!(
            "put {}/{} ({} bytes, CRC-64 {}, RequestId {})\n",
            args.bucket,
            printable(args.key.as_str()),
            put.size,
            put.crc64,
            put.request_id
        ),
    };
    Ok(context.ui.data(&text)?)
}

fn parse_limit(text: &str) -> crate::model::Result<NonZeroU64> {
    NonZeroU64::new(parse_size(text)?)
        .ok_or_else(|| crate::model::Error::new("bandwidth limit", text, "it must be more than 0"))
}
