//! One file a subcommand: its arguments and how it runs. They share nothing but the context.

pub(crate) mod assume;
pub(crate) mod cache;
pub(crate) mod env;
pub(crate) mod oss;
pub(crate) mod profile;
pub(crate) mod sandbox;
pub(crate) mod whoami;
