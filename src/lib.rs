//! `stsctl`, a credential broker for Alibaba Cloud.
//!
//! The layers, lowest first; each may use only those above it in this list
//! (`tests/spec/layering.rs` holds the table and fails on a violation):
//!
//! - [`model`]: the nouns of the domain.
//! - [`sign`]: RPC V1, ACS3, OSS V1 and OSS V4 signatures, pure.
//! - [`http`]: the transport seam, its client, retries and a local server.
//! - [`config`]: the environment, `config.toml`, and the plan that they make.
//! - [`cache`]: sessions on disk.
//! - [`sts`] and [`oss`]: the clients of the two services.
//! - [`broker`]: a plan in, a session out; one refresh at a time.
//! - [`transfer`]: files to OSS.
//! - [`sandbox`]: STS and OSS on loopback, never built on their clients.
//! - [`cli`]: the commands.
//!
//! The library never prints, reads neither environment nor clock by itself, and keeps every
//! secret in a [`secrecy::SecretString`].

pub mod model;

pub mod sign;

pub mod http;

pub mod config;

pub mod cache;

pub mod sts;

pub mod oss;

pub mod broker;

pub mod transfer;

pub mod sandbox;

pub mod cli;
