//! The OSS client and transfers to OSS: what goes out, and what is made of each answer. Against a
//! scripted transport; `sandbox` checks the same against a server that verifies signatures.

mod answers;
mod fake;
mod requests;
mod retries;
mod sources;
