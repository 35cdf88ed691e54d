//! OSS signature version 1 (HMAC-SHA1), in a header or in the URL.
#![allow(unused_variables)]
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::{OssRequest, Signed};
use crate::model::Credentials;

/// Builds the StringToSign; `date` is its fourth line: the Date header, `x-oss-date` or Expires.
pub fn string_to_sign(request: &OssRequest<'_>, date: &str) -> Zeroizing<String> {
    unimplemented!()
}

/// Computes the Signature: base64 of HMAC-SHA1.
pub fn signature(string_to_sign: &str, secret: &SecretString) -> String {
    unimplemented!()
}

/// Signs by header. The additions are headers: Date, x-oss-security-token, Authorization.
pub fn sign_header(
    request: &OssRequest<'_>,
    credentials: &Credentials,
    at: DateTime<Utc>,
) -> Signed {
    unimplemented!()
}

/// Signs a URL. The additions are query parameters: OSSAccessKeyId, Expires, security-token, Signature.
pub fn sign_url(
    request: &OssRequest<'_>,
    credentials: &Credentials,
    expires: DateTime<Utc>,
) -> Signed {
    unimplemented!()
}
