//! OSS signature version 1 (HMAC-SHA1), in [a header] or in [the URL]. Signs the method, two
//! headers, a date, the `x-oss-` headers, the resource and some query parameters, nothing else.
//! Must not know how the URL is built.
//!
//! [a header]: https://www.alibabacloud.com/help/en/oss/developer-reference/include-signatures-in-the-authorization-header
//! [the URL]: https://www.alibabacloud.com/help/en/oss/developer-reference/ddd-signatures-to-urls

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{Addition, OssRequest, Signed, canonical, completed, date, mac, security_token};
use crate::model::Credentials;

/// Builds the StringToSign; `date` is its fourth line: the Date header, `x-oss-date` or Expires.
pub fn string_to_sign(request: &OssRequest<'_>, date: &str) -> Zeroizing<String> {
    let headers = canonical::headers(request.headers, |name| name.starts_with(OSS_PREFIX));
    let mut query: Vec<_> = request
        .query
        .iter()
        .copied()
        .filter(|(name, _)| is_signed_parameter(name))
        .collect();
    query.sort_unstable();
    let resource = request.resource();

    let bound = request.method.len()
        + canonical::plain_bound(request.headers)
        + date.len()
        + resource.len()
        + canonical::plain_bound(&query)
        + 8;
    let mut out = Zeroizing::new(String::with_capacity(bound));
    let lines = [
        request.method,
        request.header("content-md5").unwrap_or_default(),
        request.header("content-type").unwrap_or_default(),
        date,
    ];
    for line in lines {
        out.push_str(line);
        out.push('\n');
    }
    canonical::push_headers(&mut out, &headers);
    out.push_str(&resource);
    for (index, (name, value)) in query.into_iter().enumerate() {
        out.push(if index == 0 { '?' } else { '&' });
        out.push_str(name);
        if !value.is_empty() {
            out.push('=');
            out.push_str(value);
        }
    }
    debug_assert!(out.len() <= bound, "a copy was left behind");
    out
}

/// Returns the date that a request signed by header goes by: `x-oss-date`, else Date.
pub fn date_line<'a>(request: &OssRequest<'a>) -> Option<&'a str> {
    request.header("x-oss-date").or(request.header("date"))
}

/// Computes the Signature: base64 of HMAC-SHA1.
pub fn signature(string_to_sign: &str, secret: &SecretString) -> String {
    mac::hmac_sha1_base64(secret.expose_secret().as_bytes(), string_to_sign)
}

/// Signs by header. The additions are headers: Date (unless the request has an `x-oss-date`,
/// which then counts), x-oss-security-token, Authorization.
pub fn sign_header(
    request: &OssRequest<'_>,
    credentials: &Credentials,
    at: DateTime<Utc>,
) -> Signed {
    let now = date::imf_fixdate(at);
    let given = request.header("x-oss-date");
    let mut additions = Vec::new();
    if given.is_none() {
        additions.push(Addition::open("Date", now.as_str()));
    }
    if let Some(token) = security_token(credentials) {
        additions.push(Addition::sensitive("x-oss-security-token", token));
    }
    let headers = completed(request.headers, &additions, str::eq_ignore_ascii_case);
    let completed = OssRequest {
        headers: &headers,
        ..*request
    };
    let string_to_sign = string_to_sign(&completed, given.unwrap_or(&now));
    let signature = signature(&string_to_sign, &credentials.access_key_secret);
    let authorization = format!("OSS {}:{signature}", credentials.access_key_id);
    additions.push(Addition::sensitive("Authorization", authorization));
    Signed {
        additions,
        string_to_sign,
    }
}

/// Signs a URL. The additions are query parameters: OSSAccessKeyId, Expires, security-token, Signature.
pub fn sign_url(
    request: &OssRequest<'_>,
    credentials: &Credentials,
    expires: DateTime<Utc>,
) -> Signed {
    let expires = expires.timestamp().to_string();
    let mut additions = vec![
        Addition::open("OSSAccessKeyId", credentials.access_key_id.as_str()),
        Addition::open("Expires", expires.as_str()),
    ];
    if let Some(token) = security_token(credentials) {
        additions.push(Addition::sensitive("security-token", token));
    }
    let query = completed(request.query, &additions, str::eq);
    let completed = OssRequest {
        query: &query,
        ..*request
    };
    let string_to_sign = string_to_sign(&completed, &expires);
    let signature = signature(&string_to_sign, &credentials.access_key_secret);
    additions.push(Addition::sensitive("Signature", signature));
    Signed {
        additions,
        string_to_sign,
    }
}

fn is_signed_parameter(name: &str) -> bool {
    name.starts_with(OSS_PREFIX) || SUB_RESOURCES.contains(&name)
}

const OSS_PREFIX: &str = "x-oss-";

/// The query parameters that are part of the resource, beside those that start with `x-oss-`.
const SUB_RESOURCES: &[&str] = &[
    "accessPoint",
    "accessPointPolicy",
    "acl",
    "append",
    "asyncFetch",
    "bucketArchiveDirectRead",
    "bucketInfo",
    "callback",
    "callback-var",
    "cloudboxes",
    "cname",
    "comp",
    "continuation-token",
    "cors",
    "delete",
    "encryption",
    "endTime",
    "group",
    "httpsConfig",
    "inventory",
    "inventoryId",
    "lifecycle",
    "link",
    "live",
    "location",
    "logging",
    "metaQuery",
    "objectInfo",
    "objectMeta",
    "partNumber",
    "policy",
    "position",
    "publicAccessBlock",
    "qos",
    "qosInfo",
    "qosRequester",
    "redundancyTransition",
    "referer",
    "regionList",
    "replication",
    "replicationLocation",
    "replicationProgress",
    "requestPayment",
    "requesterQosInfo",
    "resourceGroup",
    "resourcePool",
    "resourcePoolBuckets",
    "resourcePoolInfo",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "security-token",
    "sequential",
    "startTime",
    "stat",
    "status",
    "style",
    "styleName",
    "symlink",
    "tagging",
    "transferAcceleration",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "vod",
    "website",
    "worm",
    "wormExtend",
    "wormId",
];
