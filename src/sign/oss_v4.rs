//! OSS signature version 4 (OSS4-HMAC-SHA256), in a header or in the URL.
#![allow(unused_variables)]
use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::{OssRequest, Signed};
use crate::model::Credentials;

/// What a signing key is good for, besides its secret.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The instant of signing; the key is good for its day.
    pub at: DateTime<Utc>,
    /// The RegionId, such as `cn-hangzhou`, or a CloudBox id.
    pub region: &'a str,
    /// `oss`, or `oss-cloudbox`.
    pub product: &'a str,
}

/// Builds the CanonicalRequest of a request whose headers (or, in a URL, query) already hold what
/// the signer adds. `additional_headers` are lower-case names, sorted.
pub fn canonical_request(
    request: &OssRequest<'_>,
    additional_headers: &[&str],
) -> Zeroizing<String> {
    unimplemented!()
}

/// Builds the StringToSign of a CanonicalRequest.
pub fn string_to_sign(canonical_request: &str, scope: &Scope<'_>) -> Zeroizing<String> {
    unimplemented!()
}

/// Computes the Signature in lower-case hex.
pub fn signature(string_to_sign: &str, secret: &SecretString, scope: &Scope<'_>) -> String {
    unimplemented!()
}

/// Signs by header. The additions are headers: x-oss-date, x-oss-content-sha256,
/// x-oss-security-token, Authorization.
pub fn sign_header(
    request: &OssRequest<'_>,
    additional_headers: &[&str],
    credentials: &Credentials,
    scope: &Scope<'_>,
) -> Signed {
    unimplemented!()
}

/// Signs a URL good for `expires` from `scope.at`. The additions are query parameters.
pub fn sign_url(
    request: &OssRequest<'_>,
    additional_headers: &[&str],
    credentials: &Credentials,
    scope: &Scope<'_>,
    expires: Duration,
) -> Signed {
    unimplemented!()
}
