//! `stsctl sandbox exec`: a command inside a sandbox that lives as long as the command.

use std::ffi::OsString;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::thread;

use clap::Args;
use tokio::sync::oneshot;

use super::CloudArgs;
use super::serve::{Running, told_to_stop};
use crate::cli::context::{Context, block_on};
use crate::cli::error::CommandError;

#[derive(Args, Debug)]
pub(super) struct ExecArgs {
    #[command(flatten)]
    cloud: CloudArgs,

    /// Command and its arguments
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "CMD"
    )]
    command: Vec<OsString>,
}

pub(super) fn run(args: &ExecArgs, context: &Context) -> Result<u8, CommandError> {
    let (program, rest) = args.command.split_first().expect("clap requires a command");
    block_on(async {
        let running = Running::start(&args.cloud, Arc::clone(&context.clock), context).await?;
        let mut command = Command::new(program);
        command.args(rest).envs(running.environment.set());
        for name in running.environment.removed() {
            command.env_remove(name);
        }
        let told = told_to_stop()?;
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return Ok(not_run(program, &error, context)),
        };
        let pid = child.id();
        let (ended, mut end) = oneshot::channel();
        thread::spawn(move || ended.send(child.wait()));
        let mut status = None;
        let end = async {
            tokio::select! {
                ended = &mut end => status = ended.ok(),
                // A Ctrl-C reaches the command by itself; what was sent to us alone is passed on.
                () = told => {
                    terminate(pid);
                    status = end.await.ok();
                }
            }
        };
        running.serve(end).await;
        let status = status.ok_or_else(|| CommandError::local("the command's end was not seen"))?;
        Ok(exit_code(status?))
    })?
}

/// Asks the command to end; one that has ended already needs no asking.
fn terminate(pid: u32) {
    #[cfg(unix)]
    if let Some(pid) = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    #[cfg(not(unix))]
    let _ = pid;
}

/// Answers as a shell does: 127 if there is no such command, 126 if it cannot run.
fn not_run(program: &OsString, error: &std::io::Error, context: &Context) -> u8 {
    let missing = error.kind() == std::io::ErrorKind::NotFound;
    context
        .ui
        .error(&format!("cannot run `{}`: {error}", program.display()));
    if missing { 127 } else { 126 }
}

/// Returns the command's own code; 128 and the signal's number if one ended it.
fn exit_code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).unwrap_or(u8::MAX);
    }
    status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1)
}
