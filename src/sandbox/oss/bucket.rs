//! ListBuckets, PutBucket, DeleteBucket, GetBucketInfo, GetBucketLocation and
//! DeleteMultipleObjects. Must not know signatures.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/operations-on-buckets>

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{Response, StatusCode};
use md5::{Digest, Md5};

use super::error::Fail;
use super::list::{Encoding, max_keys};
use super::object::STORAGE_CLASSES;
use super::store::About;
use super::{Failure, iso_millis, stored, xml_response};
use crate::http::{Abort, Body};
use crate::sandbox::State;
use crate::sandbox::wire::Head;
use crate::sandbox::xml::{self, Xml};

/// Answers ListBuckets.
pub(super) fn all(state: &State, head: &Head) -> Result<Response<Body>, Failure> {
    let prefix = head.param("prefix").unwrap_or_default();
    let marker = head.param("marker").unwrap_or_default();
    let most = max_keys(head, "max-keys")?;
    let mut buckets = state.store.all();
    buckets.retain(|(name, _)| name.starts_with(prefix) && name.as_str() > marker);
    let truncated = buckets.len() > most;
    buckets.truncate(most);
    let account = state.world.account();
    let mut xml = Xml::new();
    xml.node("ListAllMyBucketsResult", |list| {
        list.node("Owner", |owner| {
            owner.leaf("ID", account).leaf("DisplayName", account);
        });
        if truncated && let Some((last, _)) = buckets.last() {
            list.leaf("Prefix", prefix)
                .leaf("Marker", marker)
                .leaf("MaxKeys", &most.to_string())
                .leaf("IsTruncated", "true")
                .leaf("NextMarker", last);
        }
        list.node("Buckets", |list| {
            for (name, about) in &buckets {
                list.node("Bucket", |bucket| {
                    describe(bucket, state, name, about);
                });
            }
        });
    });
    Ok(xml_response(xml))
}

/// Answers GetBucketInfo.
pub(super) fn info(state: &State, name: &str) -> Result<Response<Body>, Failure> {
    let about = find(state, name)?;
    let account = state.world.account();
    let mut xml = Xml::new();
    xml.node("BucketInfo", |info| {
        info.node("Bucket", |bucket| {
            describe(bucket, state, name, &about);
            bucket
                .leaf("DataRedundancyType", "LRS")
                .node("Owner", |owner| {
                    owner.leaf("ID", account).leaf("DisplayName", account);
                })
                .node("AccessControlList", |list| {
                    list.leaf("Grant", &about.acl);
                });
        });
    });
    Ok(xml_response(xml))
}

/// Answers GetBucketLocation.
pub(super) fn location(state: &State, name: &str) -> Result<Response<Body>, Failure> {
    find(state, name)?;
    let mut xml = Xml::new();
    xml.leaf(
        "LocationConstraint",
        &format!("oss-{}", state.world.region()),
    );
    Ok(xml_response(xml))
}

/// Makes a bucket; one that the account has already stays as it is.
pub(super) async fn put(
    state: &State,
    head: &Head,
    body: &mut Body,
    name: &str,
) -> Result<Response<Body>, Failure> {
    let configuration = collect(body, MAX_CONFIGURATION).await?;
    let storage_class = match texts(&configuration, "StorageClass")?.pop() {
        Some(class) if STORAGE_CLASSES.contains(&class.as_str()) => class,
        Some(_) => return Err(Fail::malformed_xml().into()),
        None => "Standard".to_owned(),
    };
    let acl = head.header("x-oss-acl").unwrap_or("private");
    if !["private", "public-read", "public-read-write"].contains(&acl) {
        return Err(Fail::invalid_argument("x-oss-acl", acl, "The x-oss-acl is invalid.").into());
    }
    let about = About {
        created: state.now(),
        acl: acl.to_owned(),
        storage_class,
    };
    state
        .store
        .create(name, about)
        .map_err(|_| Fail::internal())?;
    let response = Response::builder()
        .header("location", format!("/{name}"))
        .body(Body::empty());
    Ok(response.expect("the response is well formed"))
}

/// Removes an empty bucket.
pub(super) fn delete(state: &State, name: &str) -> Result<Response<Body>, Failure> {
    stored(state.store.remove(name), name, "")?;
    let response = Response::builder()
        .status(StatusCode::NO_CONTENT)
        .body(Body::empty());
    Ok(response.expect("the response is well formed"))
}

/// Removes up to a thousand objects at once.
pub(super) async fn delete_objects(
    state: &State,
    head: &Head,
    body: &mut Body,
    bucket: &str,
) -> Result<Response<Body>, Failure> {
    find(state, bucket)?;
    let encoding = Encoding::of(head)?;
    let document = collect(body, MAX_DELETE).await?;
    let digest = BASE64_STANDARD.encode(Md5::digest(&document));
    match head.header("content-md5") {
        None => {
            return Err(
                Fail::new(400, "MissingArgument", "Missing Some Required Arguments.")
                    .with("ArgumentName", "Content-MD5")
                    .into(),
            );
        }
        Some(claimed) if claimed.trim() != digest => {
            return Err(Fail::invalid_digest(claimed, &digest).into());
        }
        Some(_) => {}
    }
    let keys = texts(&document, "Key")?;
    if keys.is_empty() || keys.len() > 1000 {
        return Err(Fail::malformed_xml().into());
    }
    for key in &keys {
        match state.store.delete(bucket, key) {
            Ok(()) => {}
            Err(conflict) => stored(Err(conflict), bucket, key)?,
        }
    }
    let quiet = texts(&document, "Quiet")?.pop().as_deref() == Some("true");
    if quiet {
        return Ok(Response::new(Body::empty()));
    }
    let mut xml = Xml::new();
    xml.node("DeleteResult", |result| {
        if encoding == Encoding::Url {
            result.leaf("EncodingType", "url");
        }
        for key in &keys {
            result.node("Deleted", |deleted| {
                deleted.leaf("Key", &encoding.write(key));
            });
        }
    });
    Ok(xml_response(xml))
}

fn find(state: &State, name: &str) -> Result<About, Fail> {
    state
        .store
        .about(name)
        .ok_or_else(|| Fail::no_such_bucket(name))
}

fn describe(xml: &mut Xml, state: &State, name: &str, about: &About) {
    let region = state.world.region();
    xml.leaf("CreationDate", &iso_millis(about.created))
        .leaf("ExtranetEndpoint", &format!("oss-{region}.aliyuncs.com"))
        .leaf(
            "IntranetEndpoint",
            &format!("oss-{region}-internal.aliyuncs.com"),
        )
        .leaf("Location", &format!("oss-{region}"))
        .leaf("Name", name)
        .leaf("Region", region.as_str())
        .leaf("StorageClass", &about.storage_class);
}

/// Reads a small document whole.
async fn collect(body: &mut Body, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut whole = Vec::new();
    while let Some(chunk) = body.next_chunk().await {
        whole.extend_from_slice(&chunk.map_err(|_| Abort)?);
        if whole.len() > limit {
            return Err(Fail::malformed_xml().into());
        }
    }
    Ok(whole)
}

fn texts(document: &[u8], name: &str) -> Result<Vec<String>, Fail> {
    xml::texts(document, name).ok_or_else(Fail::malformed_xml)
}

/// The longest configuration of a bucket, in bytes.
const MAX_CONFIGURATION: usize = 64 << 10;

/// The longest list of objects to delete, in bytes.
const MAX_DELETE: usize = 2 << 20;
