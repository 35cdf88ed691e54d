//! [ACS3-HMAC-SHA256](https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature):
//! headers, query and the hash of the body are signed under the AccessKeySecret itself. Must not
//! know which API is called.

use std::fmt;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{Addition, Names, Signed, canonical, completed, date, mac, security_token};
use crate::model::Credentials;

/// A call before it is signed.
#[derive(Clone, Copy)]
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

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &Names(self.query))
            .field("host", &self.host)
            .field("action", &self.action)
            .field("version", &self.version)
            .field("content_type", &self.content_type)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

/// Builds the CanonicalRequest; every header given is signed (names in any case). Several values
/// of one name are sorted, as the official SDKs do.
pub fn canonical_request(
    method: &str,
    path: &str,
    query: &[(&str, &str)],
    headers: &[(&str, &str)],
    hashed_payload: &str,
) -> Zeroizing<String> {
    let bound = method.len()
        + path.len()
        + canonical::encoded_bound(query)
        + 2 * canonical::plain_bound(headers)
        + hashed_payload.len()
        + 8;
    let mut out = Zeroizing::new(String::with_capacity(bound));
    out.push_str(method);
    out.push('\n');
    out.push_str(path);
    out.push('\n');
    canonical::push_pairs(&mut out, query);
    out.push('\n');
    let mut sorted = canonical::headers(headers, |_| true);
    sorted.sort_unstable();
    canonical::push_headers(&mut out, &sorted);
    out.push('\n');
    out.push_str(&signed_headers(headers));
    out.push('\n');
    out.push_str(hashed_payload);
    debug_assert!(out.len() <= bound, "a copy was left behind");
    out
}

/// Returns the SignedHeaders value: the names, lower case, sorted, joined by `;`.
pub fn signed_headers(headers: &[(&str, &str)]) -> String {
    let mut names: Vec<_> = canonical::headers(headers, |_| true)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    names.dedup();
    names.join(";")
}

/// Returns what stands for the body in the CanonicalRequest and in x-acs-content-sha256.
pub fn hashed_payload(body: &[u8]) -> String {
    mac::sha256_hex(body)
}

/// Builds the StringToSign of a CanonicalRequest.
pub fn string_to_sign(canonical_request: &str) -> String {
    format!(
        "{ALGORITHM}\n{}",
        mac::sha256_hex(canonical_request.as_bytes())
    )
}

/// Computes the Signature in lower-case hex.
pub fn signature(string_to_sign: &str, secret: &SecretString) -> String {
    let key = secret.expose_secret().as_bytes();
    mac::hex(mac::hmac_sha256(key, string_to_sign).as_slice())
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
    let access_key_id = credentials.access_key_id.as_str();
    let hashed_payload = hashed_payload(request.body);
    let mut additions = vec![
        Addition::open("x-acs-action", request.action),
        Addition::open("x-acs-version", request.version),
        Addition::open("x-acs-date", date::iso(timestamp)),
        Addition::open("x-acs-signature-nonce", nonce),
        Addition::open("x-acs-content-sha256", hashed_payload.as_str()),
    ];
    if let Some(token) = security_token(credentials) {
        additions.push(Addition::open("x-acs-accesskey-id", access_key_id));
        additions.push(Addition::sensitive("x-acs-security-token", token));
    }
    let mut given = vec![("host", request.host)];
    given.extend(request.content_type.map(|value| ("content-type", value)));
    let headers = completed(&given, &additions, str::eq_ignore_ascii_case);
    let canonical_request = canonical_request(
        request.method,
        request.path,
        request.query,
        &headers,
        &hashed_payload,
    );
    let signed_headers = signed_headers(&headers);
    let string_to_sign = string_to_sign(&canonical_request);
    let signature = signature(&string_to_sign, &credentials.access_key_secret);
    let authorization = format!(
        "{ALGORITHM} Credential={access_key_id},SignedHeaders={signed_headers},Signature={signature}"
    );
    additions.push(Addition::sensitive("Authorization", authorization));
    Signed {
        additions,
        string_to_sign: Zeroizing::new(string_to_sign),
    }
}

const ALGORITHM: &str = "ACS3-HMAC-SHA256";
