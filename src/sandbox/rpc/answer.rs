//! The RPC gateway's answers, in JSON and XML. Must not know when they are due.

use std::borrow::Cow;

use http::{Response, StatusCode, header};
use serde_json::{Value, json};

use crate::http::Body;
use crate::sandbox::faults::What;
use crate::sandbox::wire::{self, Head};
use crate::sandbox::xml::Xml;
use crate::sandbox::{Note, random};

/// An error as the gateway words it.
pub(in crate::sandbox) struct Fail {
    status: StatusCode,
    code: Cow<'static, str>,
    message: String,
    retry_after_ms: Option<u32>,
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    #[default]
    Json,
    Xml,
}

impl Fail {
    pub(in crate::sandbox) fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            retry_after_ms: None,
        }
    }

    /// A 400.
    pub(in crate::sandbox) fn bad(
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// A required parameter is not there.
    pub(super) fn missing(param: &str) -> Self {
        Self::bad(
            format!("Missing{param}"),
            format!("{param} is mandatory for this action."),
        )
    }

    /// A parameter breaks its rule.
    pub(in crate::sandbox) fn wrongly_formed(param: &str) -> Self {
        Self::bad(
            format!("InvalidParameter.{param}"),
            format!("The parameter {param} is wrongly formed."),
        )
    }

    pub(super) fn expired_timestamp() -> Self {
        Self::bad(
            "InvalidTimeStamp.Expired",
            "Specified time stamp or date value is expired.",
        )
    }

    pub(super) fn expired_token() -> Self {
        Self::bad(
            "InvalidSecurityToken.Expired",
            "Specified SecurityToken is expired.",
        )
    }

    pub(super) fn nonce_used() -> Self {
        Self::bad(
            "SignatureNonceUsed",
            "Specified signature nonce was used already.",
        )
    }

    pub(in crate::sandbox) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            "STS Server Internal Error happened, please send the RequestId to us.",
        )
    }

    /// The error that an early fault stands for.
    pub(super) fn of_fault(fault: What) -> Self {
        match fault {
            What::NonceUsed => Self::nonce_used(),
            What::Skewed => Self::expired_timestamp(),
            What::Throttle => Self {
                retry_after_ms: Some(500),
                ..Self::bad(
                    "Throttling.User",
                    "Request was denied due to user flow control.",
                )
            },
            What::Status(status) if status != 500 => Self::new(
                StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
                "ServiceUnavailable",
                "The request has failed due to a temporary failure of the server.",
            ),
            _ => Self::internal(),
        }
    }

    /// Writes the error.
    pub(super) fn respond(self, head: &Head, format: Format, note: &mut Note) -> Response<Body> {
        let request_id = random::rpc_request_id();
        let code = &self.code;
        let recommend = format!(
            "https://api.aliyun.com/troubleshoot?q={code}&product=Sts&requestId={request_id}"
        );
        let value = json!({
            "RequestId": request_id,
            "HostId": head.host,
            "Code": code,
            "Message": self.message,
            "Recommend": recommend,
        });
        note.code = Some(self.code.into_owned());
        let mut response = write("Error", &value, &request_id, format, false);
        *response.status_mut() = self.status;
        if let Some(delay) = self.retry_after_ms {
            response
                .headers_mut()
                .insert("x-acs-retry-after", delay.into());
        }
        response
    }
}

impl Format {
    /// Chooses by the Format parameter, else by the Accept header, else JSON. `None` if Format is
    /// neither JSON nor XML.
    pub(super) fn of(head: &Head, params: &[(String, String)]) -> Option<Self> {
        match wire::find(params, "Format") {
            Some(name) if name.eq_ignore_ascii_case("json") => Some(Self::Json),
            Some(name) if name.eq_ignore_ascii_case("xml") => Some(Self::Xml),
            Some(_) => None,
            None => match head.header("accept") {
                Some(accept) if accept.contains("xml") && !accept.contains("json") => {
                    Some(Self::Xml)
                }
                _ => Some(Self::Json),
            },
        }
    }
}

/// Writes the result of an operation; a truncated one ends halfway.
pub(super) fn success(
    operation: &str,
    value: &Value,
    request_id: &str,
    format: Format,
    truncated: bool,
) -> Response<Body> {
    let root = format!("{operation}Response");
    write(&root, value, request_id, format, truncated)
}

fn write(
    root: &str,
    value: &Value,
    request_id: &str,
    format: Format,
    truncated: bool,
) -> Response<Body> {
    let (media, mut text) = match format {
        Format::Json => ("application/json;charset=utf-8", value.to_string()),
        Format::Xml => {
            let mut xml = Xml::new();
            element(&mut xml, root, value);
            ("text/xml;charset=utf-8", xml.finish())
        }
    };
    if truncated {
        let half = text.len() / 2;
        text.truncate(
            (0..=half)
                .rev()
                .find(|at| text.is_char_boundary(*at))
                .unwrap_or(0),
        );
    }
    Response::builder()
        .header(header::CONTENT_TYPE, media)
        .header("x-acs-request-id", request_id)
        .body(Body::from(text))
        .expect("the response is well formed")
}

fn element(xml: &mut Xml, name: &str, value: &Value) {
    match value {
        Value::Object(fields) => {
            xml.node(name, |xml| {
                for (name, value) in fields {
                    element(xml, name, value);
                }
            });
        }
        Value::String(text) => {
            xml.leaf(name, text);
        }
        other => {
            xml.leaf(name, &other.to_string());
        }
    }
}
