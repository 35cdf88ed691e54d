//! ACS3-HMAC-SHA256.
#![allow(unused_variables)]
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::Signed;
use crate::model::Credentials;

/// A call before it is signed.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The HTTP method, upper case.
    pub method: &'a str,
    /// The path as it is on the wire; `/` for RPC style.
    pub path: &'a str,
    /// The query parameters, decoded.
    pub query: &'a [(&'a str, &'a str)],
    /// The Host header.
    pub host: &'a str,
    /// The Action.
    pub action: &'a str,
    /// The API's Version.
    pub version: &'a str,
    /// The Content-Type, if there is a body.
    pub content_type: Option<&'a str>,
    /// The whole body.
    pub body: &'a [u8],
}

/// Builds the CanonicalRequest; every header given is signed (names in any case).
pub fn canonical_request(
    method: &str,
    path: &str,
    query: &[(&str, &str)],
    headers: &[(&str, &str)],
    hashed_payload: &str,
) -> Zeroizing<String> {
    unimplemented!()
}

/// Returns the SignedHeaders value: the names, lower case, sorted, joined by `;`.
pub fn signed_headers(headers: &[(&str, &str)]) -> String {
    unimplemented!()
}

/// Builds the StringToSign of a CanonicalRequest.
pub fn string_to_sign(canonical_request: &str) -> String {
    unimplemented!()
}

/// Computes the Signature in lower-case hex.
pub fn signature(string_to_sign: &str, secret: &SecretString) -> String {
    unimplemented!()
}

/// Signs a call. The additions are headers: x-acs-action, -version, -date, -signature-nonce,
/// -content-sha256, with a token -accesskey-id and -security-token, and Authorization. (Host and
/// Content-Type are signed as given.)
pub fn sign(
    request: &Request<'_>,
    credentials: &Credentials,
    timestamp: DateTime<Utc>,
    nonce: &str,
) -> Signed {
    unimplemented!()
}
