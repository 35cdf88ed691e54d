//! Operations on one object, one attempt each. Must not know files or retries.

use http::{Method, StatusCode};

use super::error::header;
use super::{Answer, Call, Error, OssClient, PutOptions, Reply};
use crate::http::Body;
use crate::model::{Bucket, ClockSkew, Credentials, ObjectKey};

/// An object to be put.
#[derive(Clone, Copy, Debug)]
pub struct PutObject<'a> {
    /// The bucket.
    pub bucket: &'a Bucket,
    /// The object's key.
    pub key: &'a ObjectKey,
    /// What is said about it.
    pub options: &'a PutOptions,
}

/// What OSS answers a PutObject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutAnswer {
    /// The ETag, without its quotes.
    pub etag: String,
    /// The CRC-64 of what OSS stored.
    pub crc64: Option<u64>,
    /// The new version's id, in a bucket with versions.
    pub version_id: Option<String>,
    /// The RequestId.
    pub request_id: String,
}

/// What OSS knows about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectHead {
    /// The size in bytes.
    pub size: u64,
    /// The ETag, without its quotes.
    pub etag: String,
    /// The CRC-64 of the whole object; old objects have none.
    pub crc64: Option<u64>,
    /// The version's id, in a bucket with versions.
    pub version_id: Option<String>,
    /// The RequestId.
    pub request_id: String,
}

impl OssClient {
    /// Puts an object
    /// ([PutObject](https://www.alibabacloud.com/help/en/oss/developer-reference/putobject)):
    /// signs now, by the server's clock, and sends `body`. `length` is its size in bytes; without
    /// it the body is sent in HTTP's chunks.
    ///
    /// The CRC-64 in the answer is OSS's; comparing it is for whoever read the body.
    pub async fn put_object(
        &self,
        credentials: &Credentials,
        skew: ClockSkew,
        request: &PutObject<'_>,
        body: Body,
        length: Option<u64>,
    ) -> Result<Answer<PutAnswer>, Error> {
        let call = Call {
            operation: "PutObject",
            method: Method::PUT,
            bucket: request.bucket,
            key: request.key,
            headers: request.options.headers(),
            body,
            length,
        };
        // 203 is an error too: the object is stored, but a callback failed.
        let reply = self.send(credentials, skew, call).await?;
        let Stored {
            etag,
            crc64,
            version_id,
            request_id,
        } = Stored::of(&reply)?;
        Ok(reply.answer(PutAnswer {
            etag,
            crc64,
            version_id,
            request_id,
        }))
    }

    /// Asks for an object's size and checksum
    /// ([HeadObject](https://www.alibabacloud.com/help/en/oss/developer-reference/headobject)).
    pub async fn head_object(
        &self,
        credentials: &Credentials,
        skew: ClockSkew,
        bucket: &Bucket,
        key: &ObjectKey,
    ) -> Result<Answer<ObjectHead>, Error> {
        let call = Call {
            operation: "HeadObject",
            method: Method::HEAD,
            bucket,
            key,
            headers: Vec::new(),
            body: Body::empty(),
            length: None,
        };
        let reply = self.send(credentials, skew, call).await?;
        let Stored {
            etag,
            crc64,
            version_id,
            request_id,
        } = Stored::of(&reply)?;
        let size = header(&reply.headers, "content-length").and_then(|size| size.parse().ok());
        let size = size.ok_or_else(|| reply.not_oss())?;
        Ok(reply.answer(ObjectHead {
            size,
            etag,
            crc64,
            version_id,
            request_id,
        }))
    }
}

/// The headers that OSS gives to every object.
struct Stored {
    etag: String,
    crc64: Option<u64>,
    version_id: Option<String>,
    request_id: String,
}

impl Stored {
    /// Reads them. An answer without ETag or RequestId is some proxy's: a 200 of it would pass
    /// for a stored object.
    fn of(reply: &Reply) -> Result<Self, Error> {
        let text = |name| header(&reply.headers, name).map(|text| reply.sent.kept(text));
        match (reply.status, text("etag"), text("x-oss-request-id")) {
            (StatusCode::OK, Some(etag), Some(request_id)) => Ok(Self {
                etag: etag.trim_matches('"').to_owned(),
                crc64: header(&reply.headers, "x-oss-hash-crc64ecma")
                    .and_then(|decimal| decimal.parse().ok()),
                version_id: text("x-oss-version-id"),
                request_id,
            }),
            _ => Err(reply.not_oss()),
        }
    }
}
