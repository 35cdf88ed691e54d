//! A sandbox that outlives its command: started detached, and stopped by its pid, which is
//! believed only while the sandbox's own lock file says that it lives.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::serve::ServeArgs;
use crate::cli::context::Context;
use crate::cli::error::CommandError;
use crate::config::env as var;

/// The line with which the detached process says that it has printed everything.
pub(super) const READY: &str = "# ready\n";

/// Where the pid stands, in the sandbox's configuration directory.
const PID_FILE: &str = "sandbox.pid";

/// How often and how many times `stop` looks whether the sandbox has ended: 10 s in all.
const LOOKS: (Duration, u32) = (Duration::from_millis(20), 500);

/// Starts the detached process, passes on what it prints, and leaves it alone.
pub(super) fn start(args: &ServeArgs, context: &Context) -> Result<(), CommandError> {
    let mut command = Command::new(std::env::current_exe()?);
    let detached = |arg: OsString| {
        if arg == "--background" {
            "--detached".into()
        } else {
            arg
        }
    };
    command.args(std::env::args_os().skip(1).map(detached));
    // Its errors are ours until it is ready; after that nobody reads them but with --trace.
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command.stderr(if args.cloud.trace {
        Stdio::inherit()
    } else {
        Stdio::piped()
    });
    let mut child = command.spawn()?;
    let mut script = zeroize::Zeroizing::new(String::new());
    if let Some(stdout) = child.stdout.take() {
        let mut reader = BufReader::new(stdout);
        loop {
            let start = script.len();
            if reader.read_line(&mut script)? == 0 {
                let mut said = String::new();
                if let Some(mut stderr) = child.stderr.take() {
                    stderr.read_to_string(&mut said)?;
                }
                let said = said.trim().trim_start_matches("error: ").to_owned();
                return Err(CommandError::local(said).doing("the sandbox did not start"));
            }
            if script.get(start..) == Some(READY) {
                script.truncate(start);
                break;
            }
        }
    }
    Ok(context.ui.data(&script)?)
}

/// Leaves the terminal and the process group of the command that started us.
pub(super) fn detach() -> Result<(), CommandError> {
    #[cfg(unix)]
    rustix::process::setsid().map_err(std::io::Error::from)?;
    Ok(())
}

/// Writes our pid into the configuration directory and locks it for as long as we live.
pub(super) fn sign(config_dir: &Path, pid: &str) -> Result<File, CommandError> {
    fs_err::File::create(config_dir.join(PID_FILE))?.write_all(pid.as_bytes())?;
    // A file of its own: on Windows nobody else could read the pid in a locked one.
    let lock = File::create(lock_path(config_dir))?;
    lock.try_lock()
        .map_err(|_| CommandError::local("the sandbox's lock file is taken"))?;
    Ok(lock)
}

/// Ends the sandbox that this environment was made by.
pub(super) fn stop(context: &Context) -> Result<(), CommandError> {
    let none_here = || {
        CommandError::usage("no sandbox was started in this shell: STSCTL_SANDBOX_PID is not set")
            .hinted("start one with eval \"$(stsctl sandbox serve --background)\"")
    };
    let pid = context.env.get(var::SANDBOX_PID).ok_or_else(none_here)?;
    let config_dir = context.env.path(var::CONFIG_DIR).ok_or_else(|| {
        CommandError::usage(
            "STSCTL_SANDBOX_PID is set, but not STSCTL_CONFIG_DIR, by which the sandbox is known",
        )
        .hinted("run it in the shell that started the sandbox")
    })?;
    let gone = || CommandError::local(format!("the sandbox (pid {pid}) is not running any more"));
    // The pid may have been given to another process since: the lock says whose it is.
    let path = lock_path(&config_dir);
    let signed = fs_err::read_to_string(config_dir.join(PID_FILE)).map_err(|_| gone())?;
    if signed != pid || !is_held(&path) {
        return Err(gone());
    }
    terminate(pid)?;
    for _ in 0..LOOKS.1 {
        if !is_held(&path) {
            context
                .ui
                .status(&format!("stopped the sandbox (pid {pid})"));
            context
                .ui
                .hint("this shell's variables still point at it: close the shell before you go on");
            return Ok(());
        }
        thread::sleep(LOOKS.0);
    }
    Err(CommandError::local(format!(
        "the sandbox (pid {pid}) did not end"
    )))
}

fn lock_path(config_dir: &Path) -> PathBuf {
    config_dir.join("sandbox.lock")
}

/// Tells whether a living process holds the lock; a file that is gone is held by nobody.
fn is_held(path: &Path) -> bool {
    fs_err::File::open(path)
        .is_ok_and(|file| matches!(file.into_file().try_lock(), Err(TryLockError::WouldBlock)))
}

#[cfg(unix)]
fn terminate(pid: &str) -> Result<(), CommandError> {
    use rustix::process::{Pid, Signal, kill_process};
    let pid = pid.parse().ok().and_then(Pid::from_raw).ok_or_else(|| {
        CommandError::usage(format!("STSCTL_SANDBOX_PID is `{pid}`, which is no pid"))
    })?;
    Ok(kill_process(pid, Signal::TERM).map_err(std::io::Error::from)?)
}

#[cfg(not(unix))]
fn terminate(pid: &str) -> Result<(), CommandError> {
    let ended = Command::new("taskkill")
        .args(["/F", "/PID", pid])
        .stdout(Stdio::null())
        .status()?;
    if ended.success() {
        Ok(())
    } else {
        Err(CommandError::local(format!(
            "taskkill could not end process {pid}"
        )))
    }
}
