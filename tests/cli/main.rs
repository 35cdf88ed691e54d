//! What a user of `stsctl` sees: the real program as a process, its exit code, stdout and stderr
//! asserted together, against a sandbox on a loopback port. The environment of every run is
//! empty but for what `world.rs` and the test put there, and HOME is a temporary directory.
//!
//! `SNAPSHOTS=overwrite cargo test --test cli` writes what the program says now into the tests;
//! `git diff` then shows what changed.

#![expect(
    clippy::needless_raw_string_hashes,
    reason = "snapbox writes its snapshots so"
)]
#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod assume;
mod bad_identity;
mod bad_input;
mod cache;
mod cloud;
mod env;
mod freshness;
mod help;
mod oss_put;
mod profile;
#[cfg(unix)]
mod readme;
mod refusals;
mod run;
mod sandbox;
#[cfg(unix)]
mod sandbox_shell;
mod secrets;
#[cfg(unix)]
mod single_flight;
#[cfg(unix)]
mod trouble;
mod whoami;
mod world;
