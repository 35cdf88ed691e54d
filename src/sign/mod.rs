//! The four signature schemes of Alibaba Cloud, pure: parts of a request, credentials, an instant
//! and a nonce in; what to add to the request out. Nothing is mutated, nothing is read from
//! outside: neither clock nor randomness nor environment. Must not know HTTP types, where
//! credentials come from, or which service is asked.
//!
//! Each scheme's module offers its stages apart (canonical request, string to sign, signature),
//! so that a test names the first wrong one, and so that a server can rebuild a signature from
//! what came over the wire; and `sign…` functions that run all stages for a client.
//!
//! An addition takes the place of whatever the request holds under the same name. An empty
//! SecurityToken counts as none. What several schemes share is written for one string that is
//! zeroised, never for copies.

pub mod acs3;
mod canonical;
mod date;
pub mod encode;
mod mac;
pub mod oss_v1;
pub mod oss_v4;
pub mod rpc;

pub use date::{imf_fixdate, parse_imf_fixdate};
pub use mac::equal;

use std::fmt;

use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::model::Credentials;

/// One header or query parameter that signing adds to a request. Values are unencoded.
pub struct Addition {
    /// The header's or parameter's name as it is sent.
    pub name: &'static str,
    /// Its value.
    pub value: Zeroizing<String>,
    /// Whether the value must never be shown: a SecurityToken or a signature.
    pub sensitive: bool,
}

impl Addition {
    fn open(name: &'static str, value: impl Into<String>) -> Self {
        Self {
            name,
            value: Zeroizing::new(value.into()),
            sensitive: false,
        }
    }

    fn sensitive(name: &'static str, value: impl Into<String>) -> Self {
        Self {
            sensitive: true,
            ..Self::open(name, value)
        }
    }

    fn pair(&self) -> (&str, &str) {
        (self.name, &self.value)
    }
}

impl fmt::Debug for Addition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = if self.sensitive {
            REDACTED
        } else {
            self.value.as_str()
        };
        f.debug_tuple("Addition")
            .field(&self.name)
            .field(&value)
            .finish()
    }
}

/// The outcome of signing.
pub struct Signed {
    /// What to add to the request.
    pub additions: Vec<Addition>,
    /// The string that was signed. Holds SecurityToken and Policy: never to be shown. Compared
    /// with the one a server reports, it tells a wrong secret from a wrong signature.
    pub string_to_sign: Zeroizing<String>,
}

impl Signed {
    /// Returns the value of an addition.
    pub fn value(&self, name: &str) -> Option<&str> {
        let addition = self.additions.iter().find(|added| added.name == name)?;
        Some(&addition.value)
    }
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed")
            .field("additions", &self.additions)
            .field("string_to_sign", &REDACTED)
            .finish()
    }
}

/// The parts of an OSS request that either version signs.
#[derive(Clone, Copy)]
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

impl<'a> OssRequest<'a> {
    /// Returns `/`, `/bucket/` or `/bucket/key`, whatever the style of the URL.
    fn resource(&self) -> String {
        match self.bucket {
            None => "/".to_owned(),
            Some(bucket) => format!("/{bucket}/{}", self.key.unwrap_or_default()),
        }
    }

    /// Returns the trimmed value of the first header of this name.
    fn header(&self, name: &str) -> Option<&'a str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(given, _)| given.eq_ignore_ascii_case(name))?;
        Some(value.trim())
    }
}

impl fmt::Debug for OssRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OssRequest")
            .field("method", &self.method)
            .field("bucket", &self.bucket)
            .field("key", &self.key)
            .field("query", &Names(self.query))
            .field("headers", &Names(self.headers))
            .finish()
    }
}

/// Shows the names of pairs alone: a value may be a SecurityToken or a Policy.
struct Names<'a>(&'a [(&'a str, &'a str)]);

impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

fn security_token(credentials: &Credentials) -> Option<&str> {
    let token = credentials.security_token.as_ref()?.expose_secret();
    (!token.is_empty()).then_some(token)
}

/// Returns the pairs as they will be sent: an addition takes the place of those named alike.
/// Headers are alike in any case, parameters are not.
fn completed<'a>(
    pairs: &[(&'a str, &'a str)],
    additions: &'a [Addition],
    alike: impl Fn(&str, &str) -> bool,
) -> Vec<(&'a str, &'a str)> {
    let kept = pairs
        .iter()
        .copied()
        .filter(|(name, _)| !additions.iter().any(|added| alike(added.name, name)));
    kept.chain(additions.iter().map(Addition::pair)).collect()
}

const REDACTED: &str = "[REDACTED]";
