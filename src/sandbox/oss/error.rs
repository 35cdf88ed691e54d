//! OSS's errors, as XML and for HEAD as headers. Must not know when they are due.
//!
//! <https://www.alibabacloud.com/help/en/oss/support/overview-14>

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{Method, Response, StatusCode, header};

use crate::http::Body;
use crate::sandbox::Note;
use crate::sandbox::faults::What;
use crate::sandbox::wire::Head;
use crate::sandbox::xml::Xml;

/// An error as OSS words it.
pub(super) struct Fail {
    status: StatusCode,
    code: &'static str,
    message: String,
    ec: Option<&'static str>,
    /// More elements.
    extras: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, &'static str)>,
}

impl Fail {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code,
            message: message.into(),
            ec: None,
            extras: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Adds the EC, the code that names the exact cause.
    pub(super) fn ec(mut self, ec: &'static str) -> Self {
        self.ec = Some(ec);
        self
    }

    /// Adds an element.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.extras.push((name, value.into()));
        self
    }

    pub(super) fn access_denied(message: &str) -> Self {
        Self::new(403, "AccessDenied", message)
    }

    pub(super) fn internal() -> Self {
        Self::new(
            500,
            "InternalError",
            "We encountered an internal error. Please try again.",
        )
    }

    pub(super) fn invalid_argument(name: &str, value: &str, message: &str) -> Self {
        Self::new(400, "InvalidArgument", message)
            .with("ArgumentName", name)
            .with("ArgumentValue", value)
    }

    pub(super) fn malformed_xml() -> Self {
        Self::new(
            400,
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published \
             schema.",
        )
    }

    pub(super) fn no_such_bucket(bucket: &str) -> Self {
        Self::new(404, "NoSuchBucket", "The specified bucket does not exist.")
            .ec("0015-00000101")
            .with("BucketName", bucket)
    }

    pub(super) fn no_such_key(key: &str) -> Self {
        Self::new(404, "NoSuchKey", "The specified key does not exist.")
            .ec("0026-00000001")
            .with("Key", key)
    }

    pub(super) fn file_already_exists(key: &str) -> Self {
        Self::new(
            409,
            "FileAlreadyExists",
            "The object you specified already exists and can not be overwritten.",
        )
        .ec("0026-00000101")
        .with("Key", key)
    }

    pub(super) fn invalid_digest(client: &str, server: &str) -> Self {
        Self::new(
            400,
            "InvalidDigest",
            "The Content-MD5 you specified was invalid.",
        )
        .with("ClientDigest", client)
        .with("ServerDigest", server)
    }

    pub(super) fn entity_too_large() -> Self {
        Self::new(
            400,
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size.",
        )
        .with("MaxSizeAllowed", super::object::MAX_SIZE.to_string())
    }

    pub(super) fn not_implemented(what: &str) -> Self {
        Self::new(
            501,
            "NotImplemented",
            "A header you provided implies functionality that is not implemented.",
        )
        .with("Header", what)
    }

    pub(super) fn token_expired() -> Self {
        Self::new(
            403,
            "SecurityTokenExpired",
            "The security token you provided has expired.",
        )
        .ec("0002-00000007")
    }

    /// The error that an early fault stands for.
    pub(super) fn of_fault(fault: What) -> Self {
        match fault {
            What::Throttle => {
                let mut fail = Self::new(
                    503,
                    "QpsLimitExceeded",
                    "The QPS of your requests exceeds the limit.",
                );
                fail.headers.push(("x-oss-qos-delay-time", "500"));
                fail
            }
            What::Status(status) if status != 500 => Self::new(
                status,
                "ServiceUnavailable",
                "The service is temporarily unavailable. Please try again later.",
            ),
            _ => Self::internal(),
        }
    }

    /// Writes the error; the RequestId comes with the headers all answers have.
    pub(super) fn respond(self, head: &Head, request_id: &str, note: &mut Note) -> Response<Body> {
        note.code = Some(self.code.to_owned());
        let mut response = Response::builder()
            .status(self.status)
            .header(header::CONTENT_TYPE, "application/xml");
        if let Some(ec) = self.ec {
            response = response.header("x-oss-ec", ec);
        }
        for (name, value) in &self.headers {
            response = response.header(*name, *value);
        }
        let xml = self.xml(head, request_id);
        let response = if head.method == Method::HEAD {
            response
                .header("x-oss-err", BASE64_STANDARD.encode(xml))
                .body(Body::empty())
        } else {
            response.body(Body::from(xml))
        };
        response.expect("the response is well formed")
    }

    fn xml(&self, head: &Head, request_id: &str) -> String {
        let mut xml = Xml::new();
        xml.node("Error", |error| {
            error
                .leaf("Code", self.code)
                .leaf("Message", &self.message)
                .leaf("RequestId", request_id)
                .leaf("HostId", &head.host);
            for (name, value) in &self.extras {
                error.leaf(name, value);
            }
            if let Some(ec) = self.ec {
                let doc = format!("https://api.aliyun.com/troubleshoot?q={ec}");
                error.leaf("EC", ec).leaf("RecommendDoc", &doc);
            }
        });
        xml.finish()
    }
}
