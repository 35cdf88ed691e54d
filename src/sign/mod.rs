//! The four signature schemes of Alibaba Cloud, pure: parts of a request, credentials, an instant
//! and a nonce in; what to add to the request out. Nothing is mutated, nothing is read from
//! outside: neither clock nor randomness nor environment. Must not know HTTP types, where
//! credentials come from, or which service is asked.
//!
//! Each scheme's module offers its stages apart (canonical request, string to sign, signature),
//! so that a test names the first wrong one, and so that a server can rebuild a signature from
//! what came over the wire; and `sign…` functions that run all stages for a client.

pub mod acs3;
pub mod encode;
pub mod oss_v1;
pub mod oss_v4;
pub mod rpc;

use zeroize::Zeroizing;

/// One header or query parameter that signing adds to a request. Values are unencoded.
#[derive(Debug)]
pub struct Addition {
    /// The header's or parameter's name as it is sent.
    pub name: &'static str,
    /// Its value.
    pub value: Zeroizing<String>,
    /// Whether the value must never be shown: a SecurityToken or a signature.
    pub sensitive: bool,
}

/// The outcome of signing.
#[derive(Debug)]
pub struct Signed {
    /// What to add to the request.
    pub additions: Vec<Addition>,
    /// The string that was signed. Holds SecurityToken and Policy: never to be shown. Compared
    /// with the one a server reports, it tells a wrong secret from a wrong signature.
    pub string_to_sign: Zeroizing<String>,
}

/// The parts of an OSS request that either version signs.
#[derive(Clone, Copy, Debug)]
pub struct OssRequest<'a> {
    /// The HTTP method, upper case.
    pub method: &'a str,
    /// The bucket; `None` for ListBuckets.
    pub bucket: Option<&'a str>,
    /// The ObjectKey, unencoded; `None` for operations on the bucket.
    pub key: Option<&'a str>,
    /// The query parameters, decoded; a valueless one has "".
    pub query: &'a [(&'a str, &'a str)],
    /// The headers that will be sent; names in any case.
    pub headers: &'a [(&'a str, &'a str)],
}
