//! `sign-interop`: signs requests with the library, for comparison with the official SDKs.
//! Reads one JSON object a line from stdin, each a [`Request`]; prints for each one JSON object of
//! what signing adds, name to value. `sign_compare.py` beside it feeds it. Must not know the SDKs.

use std::error::Error;
use std::io::{self, BufRead, Write};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};
use stsctl::model::Credentials;
use stsctl::sign::{OssRequest, Signed, acs3, oss_v1, oss_v4, rpc};

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let request: Request = serde_json::from_str(&line?)?;
        let additions: Map<String, Value> = sign(&request)?
            .additions
            .iter()
            .map(|added| (added.name.to_owned(), added.value.as_str().into()))
            .collect();
        writeln!(out, "{}", Value::Object(additions))?;
    }
    Ok(())
}

/// A request in any scheme. What a scheme does not sign is empty or null.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    scheme: Scheme,
    method: String,
    access_key_id: String,
    access_key_secret: String,
    security_token: Option<String>,
    timestamp: DateTime<Utc>,
    /// RPC and ACS3.
    nonce: String,
    action: String,
    version: String,
    /// RPC: the action's parameters.
    params: Vec<(String, String)>,
    /// ACS3: the encoded path, the host, and the body with its type.
    path: String,
    host: String,
    content_type: Option<String>,
    body: String,
    /// ACS3 and OSS.
    query: Vec<(String, String)>,
    /// OSS.
    headers: Vec<(String, String)>,
    bucket: Option<String>,
    key: Option<String>,
    /// URLs: seconds from the timestamp.
    expires: u32,
    /// OSS V4.
    additional_headers: Vec<String>,
    region: String,
    product: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Scheme {
    Acs3,
    OssV1Header,
    OssV1Url,
    OssV4Header,
    OssV4Url,
    Rpc,
}

fn sign(request: &Request) -> Result<Signed, Box<dyn Error>> {
    let credentials = Credentials {
        access_key_id: request.access_key_id.parse()?,
        access_key_secret: request.access_key_secret.as_str().into(),
        security_token: request.security_token.as_deref().map(Into::into),
    };
    let query = pairs(&request.query);
    let headers = pairs(&request.headers);
    let additional: Vec<_> = request
        .additional_headers
        .iter()
        .map(String::as_str)
        .collect();
    let oss = OssRequest {
        method: &request.method,
        bucket: request.bucket.as_deref(),
        key: request.key.as_deref(),
        query: &query,
        headers: &headers,
    };
    let scope = oss_v4::Scope {
        at: request.timestamp,
        region: &request.region,
        product: &request.product,
    };
    let lifetime = Duration::from_secs(request.expires.into());
    Ok(match request.scheme {
        Scheme::Acs3 => acs3::sign(
            &acs3::Request {
                method: &request.method,
                path: &request.path,
                query: &query,
                host: &request.host,
                action: &request.action,
                version: &request.version,
                content_type: request.content_type.as_deref(),
                body: request.body.as_bytes(),
            },
            &credentials,
            request.timestamp,
            &request.nonce,
        ),
        Scheme::OssV1Header => oss_v1::sign_header(&oss, &credentials, request.timestamp),
        Scheme::OssV1Url => oss_v1::sign_url(&oss, &credentials, request.timestamp + lifetime),
        Scheme::OssV4Header => oss_v4::sign_header(&oss, &additional, &credentials, &scope),
        Scheme::OssV4Url => oss_v4::sign_url(&oss, &additional, &credentials, &scope, lifetime),
        Scheme::Rpc => rpc::sign(
            &rpc::Request {
                method: &request.method,
                action: &request.action,
                version: &request.version,
                params: &pairs(&request.params),
            },
            &credentials,
            request.timestamp,
            &request.nonce,
        ),
    })
}

fn pairs(owned: &[(String, String)]) -> Vec<(&str, &str)> {
    owned
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}
