//! The OSS client and transfers to OSS: what goes out, and what is made of each answer. Against a
//! scripted transport; `sandbox` checks the same against a server that verifies signatures.

#![allow(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod answers;
mod fake;
mod requests;
mod retries;
mod sources;
