//! PutObject, GetObject, HeadObject, GetObjectMeta and DeleteObject. Must not know signatures, nor
//! where the bytes are kept.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/putobject>

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use crc_fast::{CrcAlgorithm, Digest as Crc};
use http::response::Builder;
use http::{Method, Response, StatusCode, header};
use md5::{Digest, Md5};

use super::error::Fail;
use super::range::{Chosen, choose};
use super::store::{Meta, Object, Overwrite};
use super::{Failure, condition, stored};
use crate::http::{Abort, Body};
use crate::sandbox::State;
use crate::sandbox::faults::{Service, What};
use crate::sandbox::random::hex_upper;
use crate::sandbox::wire::{Head, parse_query};
use crate::sign::imf_fixdate;

/// PutObject takes at most 5 GiB.
pub(super) const MAX_SIZE: u64 = 5 << 30;

/// Stores an object, streaming.
pub(super) async fn put(
    state: &State,
    head: &Head,
    body: &mut Body,
    bucket: &str,
    key: &str,
) -> Result<Response<Body>, Failure> {
    let length = content_length(head)?;
    let overwrite = match head.header("x-oss-forbid-overwrite") {
        Some(value) if value.eq_ignore_ascii_case("true") => Overwrite::Forbid,
        _ => Overwrite::Allow,
    };
    let exists = state
        .store
        .look(bucket, |objects| objects.contains_key(key))
        .ok_or_else(|| Fail::no_such_bucket(bucket))?;
    if exists && overwrite == Overwrite::Forbid {
        return Err(Fail::file_already_exists(key).into());
    }
    let mut meta = described(state, head, key)?;

    let mut sink = state.store.sink(bucket).map_err(|_| Fail::internal())?;
    let mut md5 = Md5::new();
    let mut crc = Crc::new(CrcAlgorithm::Crc64Xz);
    while let Some(chunk) = body.next_chunk().await {
        // The connection is gone, and with it whoever could be told.
        let chunk = chunk.map_err(|_| Abort)?;
        meta.size += chunk.len() as u64;
        if reset_within(state, meta.size).is_some() {
            return Err(Abort.into());
        }
        if meta.size > MAX_SIZE {
            return Err(Fail::entity_too_large().into());
        }
        md5.update(&chunk);
        crc.update(&chunk);
        sink.write(chunk).map_err(|_| Fail::internal())?;
    }
    if length.is_some_and(|length| length != meta.size) {
        return Err(Fail::new(
            400,
            "IncompleteBody",
            "You did not provide the number of bytes specified by the Content-Length HTTP header.",
        )
        .into());
    }
    let digest = md5.finalize();
    meta.etag = format!("\"{}\"", hex_upper(&digest));
    meta.content_md5 = BASE64_STANDARD.encode(digest);
    meta.crc64 = crc.finalize();
    if let Some(claimed) = head.header("content-md5")
        && claimed.trim() != meta.content_md5
    {
        return Err(Fail::invalid_digest(claimed, &meta.content_md5).into());
    }
    if let Some(claimed) = head.header("x-oss-hash-crc64ecma")
        && claimed.trim().parse() != Ok(meta.crc64)
    {
        return Err(Fail::new(
            400,
            "InvalidCRC64",
            "The x-oss-hash-crc64ecma you specified does not match.",
        )
        .into());
    }

    let response = Response::builder()
        .header(header::ETAG, &meta.etag)
        .header("content-md5", &meta.content_md5)
        .header("x-oss-hash-crc64ecma", crc_of(state, &meta));
    stored(state.store.put(bucket, meta, sink, overwrite), bucket, key)?;
    finish(response, Body::empty())
}

/// Answers GetObject.
pub(super) fn get(
    state: &State,
    head: &Head,
    bucket: &str,
    key: &str,
) -> Result<Response<Body>, Failure> {
    let object = find(state, bucket, key)?;
    let meta = &object.meta;
    let response =
        described_headers(head, meta).header("x-oss-hash-crc64ecma", crc_of(state, meta));
    if condition::check(head, meta)? == condition::Outcome::NotModified {
        let response = response.status(StatusCode::NOT_MODIFIED);
        return finish(response, Body::empty());
    }
    let standard = head.header("x-oss-range-behavior") == Some("standard");
    let (response, range) = match choose(head.header("range"), standard, meta.size) {
        Chosen::Part(range) => {
            let content_range = format!("bytes {}-{}/{}", range.start, range.end - 1, meta.size);
            let response = response
                .status(StatusCode::PARTIAL_CONTENT)
                .header(header::CONTENT_RANGE, content_range);
            (response, range)
        }
        Chosen::Unsatisfiable => {
            return Err(Fail::new(
                416,
                "InvalidRange",
                "The requested range cannot be satisfied.",
            )
            .with("ActualObjectSize", meta.size.to_string())
            .with("RangeRequested", head.header("range").unwrap_or_default())
            .into());
        }
        Chosen::Whole => (response, 0..meta.size),
    };
    let length = range.end - range.start;
    let mut body = object.blob.read(range).map_err(|_| Fail::internal())?;
    if let Some(limit) = reset_within(state, length) {
        body = super::cut_off(body, limit);
    }
    finish(response.header(header::CONTENT_LENGTH, length), body)
}

/// Answers HeadObject.
pub(super) fn head(
    state: &State,
    head: &Head,
    bucket: &str,
    key: &str,
) -> Result<Response<Body>, Failure> {
    let object = find(state, bucket, key)?;
    let meta = &object.meta;
    let response = described_headers(head, meta)
        .header("x-oss-hash-crc64ecma", meta.crc64.to_string())
        .header(header::CONTENT_LENGTH, meta.size);
    let status = match condition::check(head, meta)? {
        condition::Outcome::NotModified => StatusCode::NOT_MODIFIED,
        condition::Outcome::Proceed => StatusCode::OK,
    };
    finish(response.status(status), Body::empty())
}

/// Answers GetObjectMeta: the few headers that cost nothing to find.
pub(super) fn meta(
    state: &State,
    head: &Head,
    bucket: &str,
    key: &str,
) -> Result<Response<Body>, Failure> {
    let object = find(state, bucket, key)?;
    let mut response = Response::builder()
        .header(header::ETAG, &object.meta.etag)
        .header(header::LAST_MODIFIED, imf_fixdate(object.meta.modified))
        .header("x-oss-hash-crc64ecma", object.meta.crc64.to_string());
    // GET has no body to go with the length.
    if head.method == Method::HEAD {
        response = response.header(header::CONTENT_LENGTH, object.meta.size);
    }
    finish(response, Body::empty())
}

/// Answers DeleteObject, the same whether the object was there or not.
pub(super) fn delete(state: &State, bucket: &str, key: &str) -> Result<Response<Body>, Failure> {
    stored(state.store.delete(bucket, key), bucket, key)?;
    let response = Response::builder().status(StatusCode::NO_CONTENT);
    finish(response, Body::empty())
}

fn find(state: &State, bucket: &str, key: &str) -> Result<Arc<Object>, Fail> {
    state
        .store
        .look(bucket, |objects| objects.get(key).cloned())
        .ok_or_else(|| Fail::no_such_bucket(bucket))?
        .ok_or_else(|| Fail::no_such_key(key))
}

/// Reads the length that the client announces; `None` if the body comes in chunks.
fn content_length(head: &Head) -> Result<Option<u64>, Fail> {
    let Some(length) = head.header("content-length") else {
        return match head.header("transfer-encoding") {
            Some(_) => Ok(None),
            None => Err(Fail::new(
                411,
                "MissingContentLength",
                "You must provide the Content-Length HTTP header.",
            )),
        };
    };
    let length = length.trim().parse().map_err(|_| {
        Fail::invalid_argument("Content-Length", length, "The Content-Length is invalid.")
    })?;
    if length > MAX_SIZE {
        return Err(Fail::entity_too_large());
    }
    Ok(Some(length))
}

/// Takes an object's description from the headers of PutObject.
fn described(state: &State, head: &Head, key: &str) -> Result<Meta, Fail> {
    let one_of = |name: &'static str, allowed: &[&str], default: &str| match head.header(name) {
        None => Ok(default.to_owned()),
        Some(value) if allowed.contains(&value) => Ok(value.to_owned()),
        Some(value) => Err(Fail::invalid_argument(
            name,
            value,
            &format!("The {name} is invalid."),
        )),
    };
    let headers: Vec<_> = head
        .headers
        .iter()
        .filter(|(name, _)| KEPT.contains(&name.as_str()) || name.starts_with(USER_META))
        .cloned()
        .collect();
    let user_meta = headers.iter().filter(|(n, _)| n.starts_with(USER_META));
    if user_meta
        .map(|(n, v)| n.len() - USER_META.len() + v.len())
        .sum::<usize>()
        > MAX_USER_META
    {
        return Err(Fail::new(
            400,
            "InvalidArgument",
            "The user metadata is larger than 8 KB.",
        ));
    }
    let tags = parse_query(head.header("x-oss-tagging").unwrap_or_default());
    let too_long = |(key, value): &(String, String)| {
        key.is_empty() || key.len() > MAX_TAG_KEY || value.len() > MAX_TAG_VALUE
    };
    if tags.len() > MAX_TAGS || tags.iter().any(too_long) {
        return Err(Fail::new(
            400,
            "InvalidTag",
            "The tags you provided are invalid.",
        ));
    }
    Ok(Meta {
        key: key.to_owned(),
        size: 0,
        etag: String::new(),
        content_md5: String::new(),
        crc64: 0,
        modified: state.now(),
        headers,
        storage_class: one_of("x-oss-storage-class", STORAGE_CLASSES, "Standard")?,
        acl: one_of("x-oss-object-acl", ACLS, "default")?,
        tags,
    })
}

/// Starts the answer of GetObject and HeadObject.
fn described_headers(head: &Head, meta: &Meta) -> Builder {
    let mut response = Response::builder()
        .header(header::ETAG, &meta.etag)
        .header(header::LAST_MODIFIED, imf_fixdate(meta.modified))
        .header(header::ACCEPT_RANGES, "bytes")
        .header("content-md5", &meta.content_md5)
        .header("x-oss-object-type", "Normal")
        .header("x-oss-storage-class", &meta.storage_class);
    if !meta.tags.is_empty() {
        response = response.header("x-oss-tagging-count", meta.tags.len());
    }
    let overrides: Vec<(&str, &str)> = head
        .query
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix("response-")?, value.as_str())))
        .filter(|(name, _)| OVERRIDABLE.contains(name))
        .collect();
    let kept = meta
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, _)| overrides.iter().all(|(other, _)| other != name));
    let typed = meta.headers.iter().any(|(name, _)| name == "content-type")
        || overrides.iter().any(|(name, _)| *name == "content-type");
    let default = (!typed).then_some(("content-type", "application/octet-stream"));
    for (name, value) in kept.chain(overrides.iter().copied()).chain(default) {
        // An override may hold what no header can; it is left out.
        if let Ok(value) = header::HeaderValue::from_bytes(value.as_bytes()) {
            response = response.header(name, value);
        }
    }
    response
}

/// Takes a fault that breaks the connection before so many bytes have moved.
fn reset_within(state: &State, size: u64) -> Option<u64> {
    let strikes = |what| matches!(what, What::ResetAfter(limit) if limit < size);
    match state.faults.take(Service::Oss, strikes)? {
        What::ResetAfter(limit) => Some(limit),
        _ => None,
    }
}

fn crc_of(state: &State, meta: &Meta) -> String {
    let wrong = state
        .faults
        .take(Service::Oss, |what| what == What::WrongCrc)
        .is_some();
    meta.crc64.wrapping_add(wrong.into()).to_string()
}

/// Completes an answer. It can fail only on a description that somebody changed on disk.
fn finish(response: Builder, body: Body) -> Result<Response<Body>, Failure> {
    response.body(body).map_err(|_| Fail::internal().into())
}

/// The headers that are stored and given back, beside user metadata.
const KEPT: &[&str] = &[
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
    "x-oss-server-side-data-encryption",
    "x-oss-server-side-encryption",
    "x-oss-server-side-encryption-key-id",
];

/// The headers that a query parameter `response-…` replaces.
const OVERRIDABLE: &[&str] = &[
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
];

const USER_META: &str = "x-oss-meta-";
const MAX_USER_META: usize = 8 << 10;
const MAX_TAGS: usize = 10;
const MAX_TAG_KEY: usize = 128;
const MAX_TAG_VALUE: usize = 256;
pub(super) const ACLS: &[&str] = &["default", "private", "public-read", "public-read-write"];
pub(super) const STORAGE_CLASSES: &[&str] = &[
    "Standard",
    "IA",
    "Archive",
    "ColdArchive",
    "DeepColdArchive",
];
