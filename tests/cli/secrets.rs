//! No secret where it does not belong: every command and every error, with secrets that are
//! known to the test, at the highest verbosity and in both forms of errors. Then stderr, stdout,
//! the arguments of processes and every file that is left behind are searched for them.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod commands;
mod faults;
mod harness;
mod mistakes;
#[cfg(target_os = "linux")]
mod processes;
mod relay;
