//! [RPC signature version 1.0](https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism)
//! (HMAC-SHA1): everything is a parameter, and all of them are signed wherever they are sent, in
//! the query or in a form. Must not know which API is called.

use std::fmt;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{Addition, Names, Signed, canonical, completed, date, encode, mac, security_token};
use crate::model::Credentials;

/// An RPC call before it is signed.
#[derive(Clone, Copy)]
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

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("action", &self.action)
            .field("version", &self.version)
            .field("params", &Names(self.params))
            .finish()
    }
}

/// Builds the StringToSign over all parameters; one named `Signature` is left out.
pub fn string_to_sign(method: &str, params: &[(&str, &str)]) -> Zeroizing<String> {
    let signed: Vec<_> = params
        .iter()
        .copied()
        .filter(|(name, _)| *name != SIGNATURE)
        .collect();
    let bound = canonical::encoded_bound(&signed);
    let mut query = Zeroizing::new(String::with_capacity(bound));
    canonical::push_pairs(&mut query, &signed);
    debug_assert!(query.len() <= bound, "a copy was left behind");

    let bound = method.len() + PATH.len() + 3 * query.len();
    let mut out = Zeroizing::new(String::with_capacity(bound));
    out.push_str(method);
    out.push_str(PATH);
    encode::push(&mut out, &query);
    debug_assert!(out.len() <= bound, "a copy was left behind");
    out
}

/// Computes the Signature: base64 of HMAC-SHA1 under `secret&`.
pub fn signature(string_to_sign: &str, secret: &SecretString) -> String {
    // `concat` allocates once; `format!` may leave a copy of the secret behind
    let key = Zeroizing::new([secret.expose_secret(), "&"].concat());
    mac::hmac_sha1_base64(key.as_bytes(), string_to_sign)
}

/// Signs a call. The additions are parameters: Action, Version, Format=JSON, AccessKeyId, SignatureMethod,
/// SignatureVersion, SignatureNonce, Timestamp, SecurityToken if there is one, and Signature.
pub fn sign(
    request: &Request<'_>,
    credentials: &Credentials,
    timestamp: DateTime<Utc>,
    nonce: &str,
) -> Signed {
    let mut additions = vec![
        Addition::open("Action", request.action),
        Addition::open("Version", request.version),
        Addition::open("Format", "JSON"),
        Addition::open("AccessKeyId", credentials.access_key_id.as_str()),
        Addition::open("SignatureMethod", "HMAC-SHA1"),
        Addition::open("SignatureVersion", "1.0"),
        Addition::open("SignatureNonce", nonce),
        Addition::open("Timestamp", date::iso(timestamp)),
    ];
    if let Some(token) = security_token(credentials) {
        additions.push(Addition::sensitive("SecurityToken", token));
    }
    let params = completed(request.params, &additions, str::eq);
    let string_to_sign = string_to_sign(request.method, &params);
    let signature = signature(&string_to_sign, &credentials.access_key_secret);
    additions.push(Addition::sensitive(SIGNATURE, signature));
    Signed {
        additions,
        string_to_sign,
    }
}

const SIGNATURE: &str = "Signature";
/// The separator, the encoded path `/`, and the separator again.
const PATH: &str = "&%2F&";
