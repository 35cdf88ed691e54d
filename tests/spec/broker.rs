//! The broker in process: the sandbox is its network, the cache is a real directory, and every
//! clock is set. Another process is played by another broker, or by the test holding a lock.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod chains;
mod clocks;
mod demands;
mod inputs;
mod sharing;
mod stage;
mod windows;
