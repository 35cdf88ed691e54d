//! Reads what came back: a success as JSON, an error as JSON or XML, and everything else for what
//! it is. Must not let the text of an answer into an error: it may be anyone's, and it may quote
//! the request, token included.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use http::response::Parts;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use zeroize::{Zeroize, Zeroizing};

use super::{Error, ServiceError, SignatureVerdict};
use crate::model::Credentials;
use crate::sign::{Signed, encode};

/// One answer, and what is needed to understand it. No Debug: it holds secrets.
pub(super) struct Answered<'a> {
    /// The Action that was called.
    pub(super) action: &'static str,
    /// The `host[:port]` that was asked.
    pub(super) host: &'a str,
    /// Status and headers.
    pub(super) head: &'a Parts,
    /// The whole body.
    pub(super) body: &'a [u8],
    /// The time by the server's clock.
    pub(super) server_now: DateTime<Utc>,
    /// What signing made of the call.
    pub(super) signed: &'a Signed,
    /// Who signed it.
    pub(super) caller: &'a Credentials,
}

impl Answered<'_> {
    /// Parses a success.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        // The parser's own error may quote a value, so only its category is kept.
        serde_json::from_slice(self.body).map_err(|error| self.unreadable(error.classify()))
    }

    /// Makes the error of a field that is not there.
    pub(super) fn missing(&self, field: &'static str, request_id: Option<String>) -> Error {
        Error::MissingField {
            action: self.action,
            field,
            request_id: request_id.map(|id| self.safe(&id)),
        }
    }

    /// Reads an answer whose status is not a success.
    pub(super) fn refusal(&self) -> Error {
        let parsed = if self.first_byte() == Some(b'<') {
            from_xml(self.body).ok_or(Category::Syntax)
        } else {
            serde_json::from_slice(self.body).map_err(|error| error.classify())
        };
        let wire: WireError = match parsed {
            Ok(wire) => wire,
            Err(category) => return self.unreadable(category),
        };
        let safe = |text: Option<String>| {
            let text = Zeroizing::new(text?);
            Some(self.safe(&text)).filter(|text| !text.is_empty())
        };
        let Some(code) = safe(wire.code) else {
            return self.unreadable(Category::Data);
        };
        let message = Zeroizing::new(wire.message.unwrap_or_default());
        let (message, quoted) = split_quoted(&message);
        let signature =
            quoted.map(
                |quoted| match quoted.strip_prefix(self.signed.string_to_sign.as_str()) {
                    Some("") => SignatureVerdict::WrongSecret,
                    Some(rest) if rest.starts_with(']') => SignatureVerdict::WrongSecret,
                    _ => SignatureVerdict::SigningMismatch,
                },
            );
        Error::Service(Box::new(ServiceError {
            action: self.action,
            status: self.head.status,
            code,
            message: self.safe(message),
            request_id: safe(wire.request_id),
            host_id: safe(wire.host_id),
            recommend: safe(wire.recommend),
            retry_after: self.retry_after(),
            signature,
        }))
    }

    /// Says what came instead of an answer.
    fn unreadable(&self, category: Category) -> Error {
        if category == Category::Eof && self.first_byte() == Some(b'{') {
            return Error::Truncated {
                action: self.action,
                status: self.head.status,
                bytes: self.body.len(),
            };
        }
        let content_type = self.head.headers.get(CONTENT_TYPE);
        let content_type = content_type.map(|value| {
            let value = String::from_utf8_lossy(value.as_bytes());
            self.safe(value.split(';').next().unwrap_or_default().trim())
        });
        Error::NotTheApi {
            action: self.action,
            host: self.host.to_owned(),
            status: self.head.status,
            content_type,
        }
    }

    /// Makes a text from outside fit to be shown: none of the secrets that it may echo, no control
    /// characters, and no more of it than a person reads.
    pub(super) fn safe(&self, text: &str) -> String {
        let mut text = Zeroizing::new(text.trim().to_owned());
        for secret in self.secrets() {
            if text.contains(secret.as_str()) {
                text = Zeroizing::new(text.replace(secret.as_str(), "[REDACTED]"));
            }
        }
        let mut safe = String::new();
        for c in text.chars() {
            if safe.len() >= MAX_TEXT {
                safe.push('…');
                break;
            }
            if c.is_control() || is_invisible(c) {
                safe.extend(c.escape_unicode());
            } else {
                safe.push(c);
            }
        }
        safe
    }

    /// Returns what the call carried and nobody may see, as it is and as a form or a URL has it;
    /// the longest first, so that what holds another is struck out whole.
    fn secrets(&self) -> Vec<Zeroizing<String>> {
        let caller = self.caller;
        let given = caller.security_token.iter();
        let given = given.chain([&caller.access_key_secret]);
        let added = self.signed.additions.iter().filter(|added| added.sensitive);
        let added = added.flat_map(|added| {
            let value = added.value.as_str();
            // An Authorization header may also be quoted in part.
            [
                Some(value),
                value.rsplit_once("Signature=").map(|(_, it)| it),
            ]
        });
        let all = given.map(ExposeSecret::expose_secret);
        let mut secrets: Vec<_> = all
            .chain(added.flatten())
            .filter(|secret| !secret.is_empty())
            .flat_map(|secret| {
                let once = encode::component(secret);
                // RPC's string to sign encodes what is encoded.
                [secret.to_owned(), encode::component(&once), once]
            })
            .map(Zeroizing::new)
            .collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets
    }

    /// Reads `x-acs-retry-after`, a number of milliseconds.
    fn retry_after(&self) -> Option<Duration> {
        let value = self.head.headers.get("x-acs-retry-after")?;
        let millis: u64 = value.to_str().ok()?.trim().parse().ok()?;
        (millis > 0).then(|| Duration::from_millis(millis))
    }

    fn first_byte(&self) -> Option<u8> {
        let start = self.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(self.body);
        start.trim_ascii_start().first().copied()
    }
}

/// An answer's body, zeroised when it is dropped (as far as nobody else holds its memory).
pub(super) struct Wiped(Bytes);

impl From<Bytes> for Wiped {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        if let Ok(mut bytes) = std::mem::take(&mut self.0).try_into_mut() {
            bytes.zeroize();
        }
    }
}

/// Reads a `Date` header.
pub(super) fn date(value: Option<&HeaderValue>) -> Option<DateTime<Utc>> {
    let date = DateTime::parse_from_rfc2822(value?.to_str().ok()?).ok()?;
    Some(date.to_utc())
}

/// The fields of an error. The newer SDKs also read the lower-case names.
#[derive(Default, Deserialize)]
struct WireError {
    #[serde(rename = "Code", alias = "code")]
    code: Option<String>,
    #[serde(rename = "Message", alias = "message")]
    message: Option<String>,
    #[serde(rename = "RequestId", alias = "requestId")]
    request_id: Option<String>,
    #[serde(rename = "HostId", alias = "hostId")]
    host_id: Option<String>,
    #[serde(rename = "Recommend", alias = "recommend")]
    recommend: Option<String>,
}

/// Reads `<Error><Code>…</Code>…</Error>`, as a gateway answers before it knows the Format.
fn from_xml(body: &[u8]) -> Option<WireError> {
    let mut reader = Reader::from_str(str::from_utf8(body).ok()?);
    let mut path: Vec<String> = Vec::new();
    let mut text = Zeroizing::new(String::new());
    let mut error = WireError::default();
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                path.push(tag.name().as_ref().to_owned());
                text.clear();
            }
            Event::Text(part) => text.push_str(&part),
            Event::CData(part) => text.push_str(&part),
            Event::GeneralRef(entity) => match entity.resolve_char_ref().ok()? {
                Some(c) => text.push(c),
                None => text.push_str(resolve_predefined_entity(&entity)?),
            },
            Event::End(_) => {
                if let [root, name] = path.as_slice()
                    && root == "Error"
                {
                    let field = match name.as_str() {
                        "Code" => Some(&mut error.code),
                        "Message" => Some(&mut error.message),
                        "RequestId" => Some(&mut error.request_id),
                        "HostId" => Some(&mut error.host_id),
                        "Recommend" => Some(&mut error.recommend),
                        _ => None,
                    };
                    if let Some(field) = field {
                        *field = Some(text.to_string());
                    }
                }
                path.pop();
            }
            Event::Eof => return path.is_empty().then_some(error),
            _ => {}
        }
    }
}

/// Splits a Message at the string to sign that it quotes: returns what comes before, and the
/// quotation up to the Message's end.
fn split_quoted(message: &str) -> (&str, Option<&str>) {
    let first = QUOTES
        .into_iter()
        .filter_map(|mark| Some((message.find(mark)?, mark)))
        .min();
    match first {
        None => (message, None),
        Some((at, mark)) => {
            let quoted = message[at + mark.len()..].trim_start();
            (
                &message[..at],
                Some(quoted.strip_prefix('[').unwrap_or(quoted)),
            )
        }
    }
}

/// Tells whether a character changes how the text around it is shown.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The longest answer that is read, in bytes.
pub(super) const LIMIT: usize = 1 << 20;

/// The longest text that is taken from an answer, in bytes.
const MAX_TEXT: usize = 512;

/// What precedes the server's string to sign: in RPC V1, and in ACS3.
const QUOTES: [&str; 3] = [
    "server string to sign is:",
    "server StringToSign is",
    "server CanonicalRequest is",
];
