//! The OSS client and transfers to OSS: what goes out, and what is made of each answer. Against a
//! scripted transport, and against the sandbox, which verifies every signature.

#![allow(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod answers;
mod cloud;
mod fake;
mod requests;
mod retries;
mod sources;
