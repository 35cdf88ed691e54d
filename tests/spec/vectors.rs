//! Every published or SDK-made signature, stage by stage, so that a failure names the first wrong
//! one. Each vector's `source` says where it is from; none was made by this library.
#![allow(clippy::unwrap_used, reason = "a malformed vector is a failed test")]

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use stsctl::model::Credentials;
use stsctl::sign::{OssRequest, Signed, acs3, oss_v1, oss_v4, rpc};

#[test]
fn rpc_v1() {
    let vectors: Vec<RpcVector> = load(include_str!("vectors/rpc.json"));
    for vector in &vectors {
        let name = &vector.name;
        let secret = SecretString::from(vector.secret.as_str());
        let params = pairs(&vector.params);
        let string_to_sign = rpc::string_to_sign(&vector.method, &params);
        assert_eq!(*string_to_sign, vector.string_to_sign, "{name}");
        let signature = rpc::signature(&string_to_sign, &secret);
        assert_eq!(signature, vector.signature, "{name}");

        // a server has the Signature among the parameters
        let mut received = params.clone();
        received.push(("Signature", &signature));
        let rebuilt = rpc::string_to_sign(&vector.method, &received);
        assert_eq!(*rebuilt, vector.string_to_sign, "{name}");

        // `sign` always asks for JSON
        if vector.params["Format"] != "JSON" {
            continue;
        }
        let own = |name: &str| OWN_PARAMETERS.contains(&name);
        let token = vector.params.get("SecurityToken");
        let signed = rpc::sign(
            &rpc::Request {
                method: &vector.method,
                action: &vector.params["Action"],
                version: &vector.params["Version"],
                params: &params
                    .iter()
                    .copied()
                    .filter(|(name, _)| !own(name))
                    .collect::<Vec<_>>(),
            },
            &credentials(&vector.params["AccessKeyId"], &vector.secret, token),
            instant(&vector.params["Timestamp"]),
            &vector.params["SignatureNonce"],
        );
        assert_eq!(*signed.string_to_sign, vector.string_to_sign, "{name}");
        let added: BTreeMap<_, _> = additions(&signed).into_iter().collect();
        for (param, value) in vector.params.iter().filter(|(param, _)| own(param)) {
            assert_eq!(added[param.as_str()], value, "{name}: {param}");
        }
        assert_eq!(added["Signature"], vector.signature, "{name}");
        let count = vector.params.keys().filter(|param| own(param)).count() + 1;
        assert_eq!(added.len(), count, "{name}");
    }
    assert_eq!(vectors.len(), 12);
}

#[test]
fn acs3_hmac_sha256() {
    let vectors: Vec<Acs3Vector> = load(include_str!("vectors/acs3.json"));
    for vector in &vectors {
        let name = &vector.name;
        let query = pairs(&vector.query);
        let headers = pairs(&vector.headers);
        let secret = SecretString::from(vector.access_key_secret.as_str());
        let hashed_payload = acs3::hashed_payload(vector.body.as_bytes());
        let expected = &vector.headers["x-acs-content-sha256"];
        assert_eq!(hashed_payload, *expected, "{name}");
        let canonical_request = acs3::canonical_request(
            &vector.method,
            &vector.path,
            &query,
            &headers,
            &hashed_payload,
        );
        let string_to_sign = acs3::string_to_sign(&canonical_request);
        let authorization = format!(
            "ACS3-HMAC-SHA256 Credential={},SignedHeaders={},Signature={}",
            vector.access_key_id,
            acs3::signed_headers(&headers),
            acs3::signature(&string_to_sign, &secret)
        );
        assert_eq!(
            authorization, vector.authorization,
            "{name}: {}",
            *canonical_request
        );

        let token = vector.headers.get("x-acs-security-token");
        let signed = acs3::sign(
            &acs3::Request {
                method: &vector.method,
                path: &vector.path,
                query: &query,
                host: &vector.headers["host"],
                action: &vector.headers["x-acs-action"],
                version: &vector.headers["x-acs-version"],
                content_type: vector.headers.get("content-type").map(String::as_str),
                body: vector.body.as_bytes(),
            },
            &credentials(&vector.access_key_id, &vector.access_key_secret, token),
            instant(&vector.headers["x-acs-date"]),
            &vector.headers["x-acs-signature-nonce"],
        );
        assert_eq!(*signed.string_to_sign, string_to_sign, "{name}");
        let mut expected: Vec<_> = headers
            .into_iter()
            .filter(|(header, _)| header.starts_with("x-acs-"))
            .collect();
        expected.push(("Authorization", &vector.authorization));
        expected.sort_unstable();
        assert_eq!(additions(&signed), expected, "{name}");
    }
    assert_eq!(vectors.len(), 6);
}

#[test]
fn oss_v1_header() {
    let vectors = oss_vectors("OSSv1-header");
    for vector in &vectors {
        let name = &vector.name;
        let query = pairs(&vector.query);
        let headers = pairs(&vector.headers);
        let given = vector.request(&query, &headers);
        let date = vector.string_to_sign.split('\n').nth(3).unwrap();
        let mut sent = headers.clone();
        sent.push(("Date", date));
        if let Some(token) = &vector.token {
            sent.push(("x-oss-security-token", token));
        }
        let sent = vector.request(&query, &sent);
        assert_eq!(oss_v1::date_line(&sent), Some(date), "{name}");
        let string_to_sign = oss_v1::string_to_sign(&sent, date);
        assert_eq!(*string_to_sign, vector.string_to_sign, "{name}");
        let signature = oss_v1::signature(&string_to_sign, &vector.sk.as_str().into());
        let expected = vector.expected_authorization.as_deref().unwrap();
        assert_eq!(format!("OSS {}:{signature}", vector.ak), expected, "{name}");

        let signed = oss_v1::sign_header(&given, &vector.credentials(), vector.instant());
        assert_eq!(*signed.string_to_sign, vector.string_to_sign, "{name}");
        assert_eq!(signed.value("Authorization"), Some(expected), "{name}");
        let token = vector.token.as_deref();
        assert_eq!(signed.value("x-oss-security-token"), token, "{name}");
        let date = (!vector.headers.contains_key("x-oss-date")).then_some(date);
        assert_eq!(signed.value("Date"), date, "{name}");
        let count = 1 + usize::from(token.is_some()) + usize::from(date.is_some());
        assert_eq!(signed.additions.len(), count, "{name}");
    }
    assert_eq!(vectors.len(), 15);
}

#[test]
fn oss_v1_url() {
    let vectors = oss_vectors("OSSv1-url");
    for vector in &vectors {
        let name = &vector.name;
        let query = pairs(&vector.query);
        let headers = pairs(&vector.headers);
        let expires = vector.expires_at.unwrap();
        let mut sent = query.clone();
        if let Some(token) = &vector.token {
            sent.push(("security-token", token));
        }
        let sent = vector.request(&sent, &headers);
        let string_to_sign = oss_v1::string_to_sign(&sent, &expires.to_string());
        assert_eq!(*string_to_sign, vector.string_to_sign, "{name}");
        let signature = oss_v1::signature(&string_to_sign, &vector.sk.as_str().into());
        assert_eq!(
            Some(&signature),
            vector.expected_signature.as_ref(),
            "{name}"
        );

        let signed = oss_v1::sign_url(
            &vector.request(&query, &headers),
            &vector.credentials(),
            DateTime::from_timestamp(expires, 0).unwrap(),
        );
        assert_eq!(*signed.string_to_sign, vector.string_to_sign, "{name}");
        vector.assert_query(&signed, "Signature");
    }
    assert_eq!(vectors.len(), 5);
}

#[test]
fn oss_v4_header() {
    let vectors = oss_vectors("OSS4-header");
    for vector in &vectors {
        let name = &vector.name;
        let query = pairs(&vector.query);
        let headers = pairs(&vector.headers);
        let given = vector.request(&query, &headers);
        let stamp = vector.string_to_sign.split('\n').nth(1).unwrap();
        let mut sent = headers.clone();
        sent.push(("x-oss-date", stamp));
        sent.push(("x-oss-content-sha256", "UNSIGNED-PAYLOAD"));
        if let Some(token) = &vector.token {
            sent.push(("x-oss-security-token", token));
        }
        vector.assert_v4_stages(&vector.request(&query, &sent));

        let signed = oss_v4::sign_header(
            &given,
            &vector.wanted_headers(),
            &vector.credentials(),
            &vector.scope(),
        );
        assert_eq!(*signed.string_to_sign, vector.string_to_sign, "{name}");
        let authorization = vector.expected_authorization.as_deref();
        assert_eq!(signed.value("Authorization"), authorization, "{name}");
        assert_eq!(signed.value("x-oss-date"), Some(stamp), "{name}");
        let token = vector.token.as_deref();
        assert_eq!(signed.value("x-oss-security-token"), token, "{name}");
        let payload = signed.value("x-oss-content-sha256");
        assert_eq!(payload, Some("UNSIGNED-PAYLOAD"), "{name}");
        let count = 3 + usize::from(token.is_some());
        assert_eq!(signed.additions.len(), count, "{name}");
    }
    assert_eq!(vectors.len(), 20);
}

#[test]
fn oss_v4_url() {
    let vectors = oss_vectors("OSS4-url");
    for vector in &vectors {
        let name = &vector.name;
        let query = pairs(&vector.query);
        let headers = pairs(&vector.headers);
        let signed = oss_v4::sign_url(
            &vector.request(&query, &headers),
            &vector.wanted_headers(),
            &vector.credentials(),
            &vector.scope(),
            Duration::from_secs(vector.expires_in.unwrap()),
        );
        // as a server receives it: with the signature among the parameters
        let mut sent = query.clone();
        sent.extend(additions(&signed));
        vector.assert_v4_stages(&vector.request(&sent, &headers));
        assert_eq!(*signed.string_to_sign, vector.string_to_sign, "{name}");
        vector.assert_query(&signed, "x-oss-signature");
    }
    assert_eq!(vectors.len(), 11);
}

/// What the RPC signer itself adds, but for the Signature.
const OWN_PARAMETERS: [&str; 9] = [
    "AccessKeyId",
    "Action",
    "Format",
    "SecurityToken",
    "SignatureMethod",
    "SignatureNonce",
    "SignatureVersion",
    "Timestamp",
    "Version",
];

#[derive(Deserialize)]
struct File<V> {
    vectors: Vec<V>,
}

#[derive(Deserialize)]
struct RpcVector {
    name: String,
    method: String,
    params: BTreeMap<String, String>,
    secret: String,
    string_to_sign: String,
    signature: String,
}

#[derive(Deserialize)]
struct Acs3Vector {
    name: String,
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: String,
    access_key_id: String,
    access_key_secret: String,
    authorization: String,
}

#[derive(Deserialize)]
struct OssVector {
    name: String,
    scheme: String,
    method: String,
    bucket: Option<String>,
    key: Option<String>,
    region: Option<String>,
    product: Option<String>,
    headers: BTreeMap<String, String>,
    query: BTreeMap<String, String>,
    additional_headers: Option<Vec<String>>,
    ak: String,
    sk: String,
    token: Option<String>,
    date: Option<String>,
    expires_at: Option<i64>,
    expires_in: Option<u64>,
    canonical_request: Option<String>,
    string_to_sign: String,
    signing_key_hex: Option<String>,
    expected_authorization: Option<String>,
    expected_signature: Option<String>,
    expected_url: Option<String>,
}

impl OssVector {
    fn request<'a>(
        &'a self,
        query: &'a [(&'a str, &'a str)],
        headers: &'a [(&'a str, &'a str)],
    ) -> OssRequest<'a> {
        OssRequest {
            method: &self.method,
            bucket: self.bucket.as_deref(),
            key: self.key.as_deref(),
            query,
            headers,
        }
    }

    fn credentials(&self) -> Credentials {
        credentials(&self.ak, &self.sk, self.token.as_ref())
    }

    fn instant(&self) -> DateTime<Utc> {
        instant(self.date.as_deref().unwrap())
    }

    fn scope(&self) -> oss_v4::Scope<'_> {
        oss_v4::Scope {
            at: self.instant(),
            region: self.region.as_deref().unwrap(),
            product: self.product.as_deref().unwrap(),
        }
    }

    fn wanted_headers(&self) -> Vec<&str> {
        let wanted = self.additional_headers.as_ref().unwrap();
        wanted.iter().map(String::as_str).collect()
    }

    fn assert_v4_stages(&self, sent: &OssRequest<'_>) {
        let name = &self.name;
        let expected = self.canonical_request.as_deref().unwrap();
        let listed = expected.rsplit('\n').nth(1).unwrap();
        let listed: Vec<_> = listed.split_terminator(';').collect();
        let canonical_request = oss_v4::canonical_request(sent, &listed);
        assert_eq!(*canonical_request, expected, "{name}");
        let string_to_sign = oss_v4::string_to_sign(&canonical_request, &self.scope());
        assert_eq!(*string_to_sign, self.string_to_sign, "{name}");
        let secret = SecretString::from(self.sk.as_str());
        if let Some(expected) = &self.signing_key_hex {
            let key = oss_v4::signing_key(&secret, &self.scope());
            assert_eq!(key.as_slice(), unhex(expected), "{name}");
        }
        let signature = oss_v4::signature(&string_to_sign, &secret, &self.scope());
        let expected = match (&self.expected_signature, &self.expected_authorization) {
            (Some(signature), _) => signature,
            (None, authorization) => {
                authorization
                    .as_deref()
                    .unwrap()
                    .rsplit_once('=')
                    .unwrap()
                    .1
            }
        };
        assert_eq!(signature, expected, "{name}");
    }

    /// Compares the whole query where the vector has a URL, else the signature.
    fn assert_query(&self, signed: &Signed, signature: &str) {
        let name = &self.name;
        let expected = self.expected_signature.as_deref();
        assert_eq!(signed.value(signature), expected, "{name}");
        let Some(url) = &self.expected_url else {
            return;
        };
        let (_, expected) = url.split_once('?').unwrap();
        let mut expected: Vec<_> = expected
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(key, value)| (decoded(key), decoded(value)))
            .collect();
        expected.sort_unstable();
        let mut query = pairs(&self.query);
        query.extend(additions(signed));
        query.sort_unstable();
        let query: Vec<_> = query
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        assert_eq!(query, expected, "{name}");
    }
}

fn load<V: DeserializeOwned>(json: &str) -> Vec<V> {
    serde_json::from_str::<File<V>>(json).unwrap().vectors
}

fn oss_vectors(scheme: &str) -> Vec<OssVector> {
    let mut vectors: Vec<OssVector> = load(include_str!("vectors/oss.json"));
    assert_eq!(vectors.len(), 51);
    vectors.retain(|vector| vector.scheme == scheme);
    vectors
}

fn pairs(map: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    map.iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

fn additions(signed: &Signed) -> Vec<(&str, &str)> {
    let mut additions: Vec<_> = signed
        .additions
        .iter()
        .map(|added| (added.name, added.value.as_str()))
        .collect();
    additions.sort_unstable();
    additions
}

fn credentials(id: &str, secret: &str, token: Option<&String>) -> Credentials {
    Credentials {
        access_key_id: id.parse().unwrap(),
        access_key_secret: secret.into(),
        security_token: token.map(|token| token.as_str().into()),
    }
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().unwrap().into_owned()
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
