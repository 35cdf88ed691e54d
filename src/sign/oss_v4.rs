//! OSS signature version 4 (OSS4-HMAC-SHA256), in [a header] or in [the URL]. Signs the whole
//! query and some headers, under a key that is good for one day, region and product. Must not
//! know how the URL is built.
//!
//! [a header]: https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4
//! [the URL]: https://www.alibabacloud.com/help/en/oss/developer-reference/add-signatures-to-urls

use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{
    Addition, OssRequest, Signed, canonical, completed, date, encode, mac, security_token,
};
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

impl Scope<'_> {
    fn day(&self) -> String {
        self.at.format("%Y%m%d").to_string()
    }

    /// Returns `day/region/product/aliyun_v4_request`, as it stands in Credential.
    fn path(&self) -> String {
        format!(
            "{}/{}/{}/{TERMINATOR}",
            self.day(),
            self.region,
            self.product
        )
    }
}

/// Builds the CanonicalRequest of a request whose headers (or, in a URL, query) already hold what
/// the signer adds; a parameter `x-oss-signature` is left out. `additional_headers` are lower-case
/// names, sorted.
pub fn canonical_request(
    request: &OssRequest<'_>,
    additional_headers: &[&str],
) -> Zeroizing<String> {
    let headers = canonical::headers(request.headers, |name| {
        is_always_signed(name) || additional_headers.contains(&name)
    });
    let uri = encode::path(&request.resource());
    let hashed_payload = request.header(CONTENT_SHA256).unwrap_or(UNSIGNED_PAYLOAD);

    let bound = request.method.len()
        + uri.len()
        + canonical::encoded_bound(request.query)
        + canonical::plain_bound(request.headers)
        + additional_headers
            .iter()
            .map(|name| name.len() + 1)
            .sum::<usize>()
        + hashed_payload.len()
        + 8;
    let mut out = Zeroizing::new(String::with_capacity(bound));
    out.push_str(request.method);
    out.push('\n');
    out.push_str(&uri);
    out.push('\n');
    push_query(&mut out, request.query);
    out.push('\n');
    canonical::push_headers(&mut out, &headers);
    out.push('\n');
    out.push_str(&additional_headers.join(";"));
    out.push('\n');
    out.push_str(hashed_payload);
    debug_assert!(out.len() <= bound, "a copy was left behind");
    out
}

/// Builds the StringToSign of a CanonicalRequest.
pub fn string_to_sign(canonical_request: &str, scope: &Scope<'_>) -> Zeroizing<String> {
    Zeroizing::new(format!(
        "{ALGORITHM}\n{}\n{}\n{}",
        date::compact(scope.at),
        scope.path(),
        mac::sha256_hex(canonical_request.as_bytes())
    ))
}

/// Derives the key that signs for the scope's day, region and product.
pub fn signing_key(secret: &SecretString, scope: &Scope<'_>) -> Zeroizing<[u8; 32]> {
    // `concat` allocates once; `format!` may leave a copy of the secret behind
    let first = Zeroizing::new(["aliyun_v4", secret.expose_secret()].concat());
    let day = mac::hmac_sha256(first.as_bytes(), &scope.day());
    let region = mac::hmac_sha256(day.as_slice(), scope.region);
    let product = mac::hmac_sha256(region.as_slice(), scope.product);
    mac::hmac_sha256(product.as_slice(), TERMINATOR)
}

/// Computes the Signature in lower-case hex.
pub fn signature(string_to_sign: &str, secret: &SecretString, scope: &Scope<'_>) -> String {
    let key = signing_key(secret, scope);
    mac::hex(mac::hmac_sha256(key.as_slice(), string_to_sign).as_slice())
}

/// Signs by header. The additions are headers: x-oss-date, x-oss-content-sha256,
/// x-oss-security-token, Authorization. Of the additional headers those count that the request
/// has and that are not signed anyway.
pub fn sign_header(
    request: &OssRequest<'_>,
    additional_headers: &[&str],
    credentials: &Credentials,
    scope: &Scope<'_>,
) -> Signed {
    let mut additions = vec![
        Addition::open("x-oss-date", date::compact(scope.at)),
        Addition::open(CONTENT_SHA256, UNSIGNED_PAYLOAD),
    ];
    if let Some(token) = security_token(credentials) {
        additions.push(Addition::sensitive("x-oss-security-token", token));
    }
    let headers = completed(request.headers, &additions, str::eq_ignore_ascii_case);
    let completed = OssRequest {
        headers: &headers,
        ..*request
    };
    let names = chosen(request, additional_headers);
    let (string_to_sign, signature) = finish(&completed, &names, credentials, scope);

    let credential = credential(credentials, scope);
    let listed = match names.join(";") {
        names if names.is_empty() => names,
        names => format!("AdditionalHeaders={names},"),
    };
    let authorization =
        format!("{ALGORITHM} Credential={credential},{listed}Signature={signature}");
    additions.push(Addition::sensitive("Authorization", authorization));
    Signed {
        additions,
        string_to_sign,
    }
}

/// Signs a URL good for `expires` (whole seconds) from `scope.at`. The additions are query
/// parameters: x-oss-signature-version, -credential, -date, -expires, -security-token,
/// -additional-headers, -signature. Whoever uses the URL must send the signed headers.
pub fn sign_url(
    request: &OssRequest<'_>,
    additional_headers: &[&str],
    credentials: &Credentials,
    scope: &Scope<'_>,
    expires: Duration,
) -> Signed {
    let mut additions = vec![
        Addition::open("x-oss-signature-version", ALGORITHM),
        Addition::open("x-oss-credential", credential(credentials, scope)),
        Addition::open("x-oss-date", date::compact(scope.at)),
        Addition::open("x-oss-expires", expires.as_secs().to_string()),
    ];
    if let Some(token) = security_token(credentials) {
        additions.push(Addition::sensitive("x-oss-security-token", token));
    }
    let names = chosen(request, additional_headers);
    if !names.is_empty() {
        additions.push(Addition::open("x-oss-additional-headers", names.join(";")));
    }
    let query = completed(request.query, &additions, str::eq);
    let completed = OssRequest {
        query: &query,
        ..*request
    };
    let (string_to_sign, signature) = finish(&completed, &names, credentials, scope);
    additions.push(Addition::sensitive(SIGNATURE, signature));
    Signed {
        additions,
        string_to_sign,
    }
}

fn finish(
    completed: &OssRequest<'_>,
    names: &[String],
    credentials: &Credentials,
    scope: &Scope<'_>,
) -> (Zeroizing<String>, String) {
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let string_to_sign = string_to_sign(&canonical_request(completed, &names), scope);
    let signature = signature(&string_to_sign, &credentials.access_key_secret, scope);
    (string_to_sign, signature)
}

fn credential(credentials: &Credentials, scope: &Scope<'_>) -> String {
    format!("{}/{}", credentials.access_key_id, scope.path())
}

/// Returns the names worth listing, lower case, sorted: a server refuses empty items.
fn chosen(request: &OssRequest<'_>, wanted: &[&str]) -> Vec<String> {
    let mut names: Vec<_> = wanted
        .iter()
        .map(|name| name.to_ascii_lowercase())
        .filter(|name| !is_always_signed(name) && request.header(name).is_some())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn is_always_signed(name: &str) -> bool {
    name.starts_with("x-oss-") || name == "content-type" || name == "content-md5"
}

/// Writes the pairs in the order of their encoded names; an empty value has no `=`.
fn push_query(out: &mut String, query: &[(&str, &str)]) {
    let mut signed: Vec<_> = query
        .iter()
        .filter(|(name, _)| *name != SIGNATURE)
        .collect();
    signed.sort_by(|(a, a_value), (b, b_value)| {
        encode::bytes(a)
            .cmp(encode::bytes(b))
            .then_with(|| a_value.cmp(b_value))
    });
    for (index, (name, value)) in signed.into_iter().enumerate() {
        if index > 0 {
            out.push('&');
        }
        encode::push(out, name);
        if !value.is_empty() {
            out.push('=');
            encode::push(out, value);
        }
    }
}

const ALGORITHM: &str = "OSS4-HMAC-SHA256";
const CONTENT_SHA256: &str = "x-oss-content-sha256";
const SIGNATURE: &str = "x-oss-signature";
const TERMINATOR: &str = "aliyun_v4_request";
/// OSS does not sign bodies: it is the one value that it takes.
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
