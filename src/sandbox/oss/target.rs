//! Which bucket, which object, which operation a request means. Must not know who asks.

use http::Method;
use percent_encoding::percent_decode_str;

use super::error::Fail;
use crate::model::Bucket;
use crate::sandbox::wire::Head;

/// What a request is about.
pub(super) struct Target {
    pub(super) bucket: Option<String>,
    /// Never empty.
    pub(super) key: Option<String>,
}

/// What is to be done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    DeleteBucket,
    DeleteMultipleObjects,
    DeleteObject,
    GetBucketInfo,
    GetBucketLocation,
    GetObject,
    GetObjectMeta,
    HeadObject,
    ListBuckets,
    ListObjects,
    ListObjectsV2,
    PutBucket,
    PutObject,
}

impl Target {
    /// Takes the bucket from the Host (`bucket.localhost`, or an Alibaba endpoint), else from the
    /// path, and the key from what is left.
    pub(super) fn of(head: &Head) -> Result<Self, Fail> {
        let path = percent_decode_str(head.path.strip_prefix('/').unwrap_or(&head.path))
            .decode_utf8()
            .map_err(|_| invalid_name())?;
        let (bucket, key) = match bucket_of_host(head.host_name()) {
            Some(bucket) => (bucket, &*path),
            None => path.split_once('/').unwrap_or((&path, "")),
        };
        if bucket.is_empty() && !key.is_empty() {
            return Err(invalid_bucket(bucket));
        }
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Ok(Self {
            bucket: some(bucket),
            key: some(key),
        })
    }

    /// Refuses names that no bucket and no object can have.
    pub(super) fn check(&self) -> Result<(), Fail> {
        if let Some(bucket) = &self.bucket
            && bucket.parse::<Bucket>().is_err()
        {
            return Err(invalid_bucket(bucket));
        }
        match &self.key {
            Some(key) if key.len() > 1023 || key.starts_with(['/', '\\']) => Err(invalid_name()),
            _ => Ok(()),
        }
    }
}

impl Operation {
    /// Tells the operation by method, target and sub-resources. One that the sandbox lacks is
    /// refused as such, never taken for another.
    pub(super) fn of(head: &Head, target: &Target) -> Result<Self, Fail> {
        let selectors: Vec<&str> = head
            .query
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| SELECTORS.contains(name))
            .collect();
        let level = match (&target.bucket, &target.key) {
            (None, _) => Level::Service,
            (Some(_), None) => Level::Bucket,
            (Some(_), Some(_)) => Level::Object,
        };
        let operation = match (level, head.method.as_str(), selectors.as_slice()) {
            (Level::Service, "GET", []) => Self::ListBuckets,
            (Level::Bucket, "PUT", []) => Self::PutBucket,
            (Level::Bucket, "DELETE", []) => Self::DeleteBucket,
            (Level::Bucket, "GET", ["bucketInfo"]) => Self::GetBucketInfo,
            (Level::Bucket, "GET", ["location"]) => Self::GetBucketLocation,
            (Level::Bucket, "POST", ["delete"]) => Self::DeleteMultipleObjects,
            (Level::Bucket, "GET", []) => match head.param("list-type") {
                Some("2") => Self::ListObjectsV2,
                Some(other) => {
                    return Err(Fail::invalid_argument(
                        "list-type",
                        other,
                        "The list-type is invalid.",
                    ));
                }
                None => Self::ListObjects,
            },
            (Level::Object, "PUT", []) => Self::PutObject,
            (Level::Object, "GET", []) => Self::GetObject,
            (Level::Object, "HEAD", []) => Self::HeadObject,
            (Level::Object, "DELETE", []) => Self::DeleteObject,
            (Level::Object, "GET" | "HEAD", ["objectMeta"]) => Self::GetObjectMeta,
            (_, _, [selector, ..]) => return Err(Fail::not_implemented(selector)),
            (Level::Bucket, "POST", []) => return Err(Fail::not_implemented("POST")),
            (level, _, []) => return Err(method_not_allowed(&head.method, level)),
        };
        match OTHER_OPERATIONS
            .iter()
            .find(|name| operation == Self::PutObject && head.header(name).is_some())
        {
            Some(name) => Err(Fail::not_implemented(name)),
            None => Ok(operation),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::DeleteBucket => "DeleteBucket",
            Self::DeleteMultipleObjects => "DeleteMultipleObjects",
            Self::DeleteObject => "DeleteObject",
            Self::GetBucketInfo => "GetBucketInfo",
            Self::GetBucketLocation => "GetBucketLocation",
            Self::GetObject => "GetObject",
            Self::GetObjectMeta => "GetObjectMeta",
            Self::HeadObject => "HeadObject",
            Self::ListBuckets => "ListBuckets",
            Self::ListObjects => "ListObjects",
            Self::ListObjectsV2 => "ListObjectsV2",
            Self::PutBucket => "PutBucket",
            Self::PutObject => "PutObject",
        }
    }
}

#[derive(Clone, Copy)]
enum Level {
    Bucket,
    Object,
    Service,
}

/// Returns the bucket that a virtual-hosted name starts with: `b.localhost`, or
/// `b.oss-cn-hangzhou.aliyuncs.com` and `b.cn-hangzhou.oss.aliyuncs.com`. Other hosts name none.
fn bucket_of_host(host: &str) -> Option<&str> {
    if let Some(bucket) = host.strip_suffix(".localhost") {
        return Some(bucket);
    }
    let (bucket, service) = host.strip_suffix(".aliyuncs.com")?.split_once('.')?;
    let is_service = match service.split_once('.') {
        None => service.starts_with("oss-"),
        Some((_, rest)) => rest == "oss",
    };
    is_service.then_some(bucket)
}

fn invalid_bucket(bucket: &str) -> Fail {
    Fail::new(
        400,
        "InvalidBucketName",
        "The specified bucket is not valid.",
    )
    .with("BucketName", bucket)
}

fn invalid_name() -> Fail {
    Fail::new(
        400,
        "InvalidObjectName",
        "The specified object is not valid.",
    )
}

fn method_not_allowed(method: &Method, level: Level) -> Fail {
    let kind = match level {
        Level::Bucket => "BUCKET",
        Level::Object => "OBJECT",
        Level::Service => "SERVICE",
    };
    Fail::new(
        405,
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
    )
    .with("Method", method.as_str())
    .with("ResourceType", kind)
}

/// Headers that make of PutObject something else.
const OTHER_OPERATIONS: &[&str] = &["x-oss-callback", "x-oss-copy-source"];

/// The query parameters that select an operation, or change what one does.
const SELECTORS: &[&str] = &[
    "accessPoint",
    "accessPointPolicy",
    "acl",
    "append",
    "asyncFetch",
    "bucketArchiveDirectRead",
    "bucketInfo",
    "callback",
    "cloudboxes",
    "cname",
    "comp",
    "cors",
    "delete",
    "encryption",
    "group",
    "httpsConfig",
    "img",
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
    "policyStatus",
    "position",
    "publicAccessBlock",
    "qos",
    "qosInfo",
    "redundancyTransition",
    "referer",
    "regionList",
    "regions",
    "replication",
    "replicationLocation",
    "replicationProgress",
    "requestPayment",
    "resourceGroup",
    "restore",
    "seal",
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
    "x-oss-async-process",
    "x-oss-process",
    "x-oss-write-get-object-response",
];
