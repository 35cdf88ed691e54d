//! What the library promises, in process: no ports, no child processes but real shells
//! and, for the cache, this binary itself.

mod broker;
mod cache;
mod layering;
mod oss;
mod plans;
mod sandbox;
mod secrets;
mod shells;
mod sign;
mod sts;
mod vectors;
