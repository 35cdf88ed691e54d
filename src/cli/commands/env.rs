//! `stsctl env`: the session as assignments that a shell evaluates.

use std::io::Write;
use std::path::Path;

use clap::Args;
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::cli::args::SessionArgs;
use crate::cli::context::Context;
use crate::cli::error::{CommandError, Kind};
use crate::cli::exports::{self, Change, Export};
use crate::cli::shell::{self, Assignment, Shell};
use crate::config::env as var;

/// Print the session as assignments for a shell to evaluate
///
/// Sets the variables that the official SDKs and tools read, and removes those present that would
/// contradict them. `--shell github` appends to $GITHUB_ENV itself and prints only the commands
/// that mask the secrets in the job's log.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  eval \"$(stsctl env --profile dev)\"")]
pub(crate) struct EnvArgs {
    #[command(flatten)]
    session: SessionArgs,

    /// Which shell evaluates the output [default: from $SHELL, else sh]
    #[arg(long, value_enum, value_name = "SHELL")]
    shell: Option<Shell>,

    /// Print the removal of the variables instead
    #[arg(long)]
    unset: bool,
}

pub(crate) fn run(args: &EnvArgs, context: &Context) -> Result<(), CommandError> {
    let shell = args.shell.unwrap_or_else(|| {
        context
            .env
            .get(var::SHELL)
            .map_or(Shell::Sh, Shell::from_path)
    });
    if args.unset {
        return write(shell, &exports::removals(), context);
    }
    let plan = context.plan(&args.session)?;
    let granted = context.session_of(&plan, &args.session)?;
    let present = |name: &str| context.env.is_set(name);
    let exports = exports::exports(&granted.session, plan.region.as_ref(), &present);
    write(shell, &exports, context)
}

fn write(shell: Shell, exports: &[Export<'_>], context: &Context) -> Result<(), CommandError> {
    let assignments: Vec<Assignment<'_>> = exports.iter().map(Export::assignment).collect();
    let mut text = Zeroizing::new(String::new());
    if shell == Shell::GitHub {
        let path = context.env.path(var::GITHUB_ENV).ok_or_else(|| {
            CommandError::usage("--shell github needs $GITHUB_ENV, which GitHub Actions sets")
                .hinted("outside GitHub Actions use --shell sh, or --shell dotenv for a file")
        })?;
        // Masked first: what follows may be logged.
        shell::github_masks(&secrets(exports), &mut text);
        context.ui.data(&text)?;
        append(&assignments, &path)?;
        context
            .ui
            .status("$GITHUB_ENV is written for the steps that follow");
        return Ok(());
    }
    shell::render(shell, &assignments, &mut text)
        .map_err(|error| CommandError::new(Kind::Local, error))?;
    Ok(context.ui.data(&text)?)
}

fn append(assignments: &[Assignment<'_>], path: &Path) -> Result<(), CommandError> {
    // Random, so that no value can have been made to end its own block.
    let delimiter = format!("stsctl-{}", uuid::Uuid::new_v4().simple());
    let mut block = Zeroizing::new(String::new());
    shell::github_env(assignments, &delimiter, &mut block)
        .map_err(|error| CommandError::new(Kind::Local, error))?;
    let mut options = fs_err::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    fs_err::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    Ok(file.write_all(block.as_bytes())?)
}

/// Each secret once.
fn secrets<'a>(exports: &'a [Export<'_>]) -> Vec<&'a str> {
    let mut secrets: Vec<&str> = Vec::new();
    for export in exports {
        if let Change::Secret(secret) = &export.change
            && !secrets.contains(&secret.expose_secret())
        {
            secrets.push(secret.expose_secret());
        }
    }
    secrets
}
