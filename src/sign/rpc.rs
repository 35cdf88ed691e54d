//! RPC signature version 1.0 (HMAC-SHA1).
#![allow(unused_variables)]
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::Signed;
use crate::model::Credentials;

/// An RPC call before it is signed.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The HTTP method, upper case.
    pub method: &'a str,
    /// The Action.
    pub action: &'a str,
    /// The API's Version, such as `2015-04-01`.
    pub version: &'a str,
    /// The action's own parameters, unencoded.
    pub params: &'a [(&'a str, &'a str)],
}

/// Builds the StringToSign over all parameters; one named `Signature` is left out.
pub fn string_to_sign(method: &str, params: &[(&str, &str)]) -> Zeroizing<String> {
    unimplemented!()
}

/// Computes the Signature: base64 of HMAC-SHA1 under `secret&`.
pub fn signature(string_to_sign: &str, secret: &SecretString) -> String {
    unimplemented!()
}

/// Signs a call. The additions are parameters: Action, Version, Format=JSON, AccessKeyId, SignatureMethod,
/// SignatureVersion, SignatureNonce, Timestamp, SecurityToken if there is one, and Signature.
pub fn sign(
    request: &Request<'_>,
    credentials: &Credentials,
    timestamp: DateTime<Utc>,
    nonce: &str,
) -> Signed {
    unimplemented!()
}
