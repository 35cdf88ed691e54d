//! The XML of OSS answers; the only place that knows quick-xml. Reads what it looks for and
//! passes over the rest, whatever namespace the root carries. Must not know what the fields mean.
//!
//! No entity but XML's own five and character references is resolved, a document type is refused,
//! and depth is bounded; the size is bounded by whoever read the body.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use zeroize::Zeroizing;

/// The fields of an `<Error>` document that may be looked at, as the server wrote them.
///
/// StringToSign holds the SecurityToken: it is for comparing, never for keeping. The
/// CanonicalRequest, the Authorization and all others are not even read.
#[derive(Default)]
pub(super) struct ErrorDocument {
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) ec: Option<String>,
    pub(super) endpoint: Option<String>,
    pub(super) string_to_sign: Option<Zeroizing<String>>,
}

/// Reads an `<Error>` document with a Code. `None` if `body` is anything else.
pub(super) fn error_document(body: &[u8]) -> Option<ErrorDocument> {
    let mut document = ErrorDocument::default();
    children(body, "Error", |name, text| {
        let plain = || Some(text.trim().to_owned());
        match name {
            "Code" => document.code = plain(),
            "Message" => document.message = plain(),
            "RequestId" => document.request_id = plain(),
            "EC" => document.ec = plain(),
            "Endpoint" => document.endpoint = plain(),
            "StringToSign" => document.string_to_sign = Some(Zeroizing::new(text.to_owned())),
            _ => {}
        }
    })?;
    document
        .code
        .as_ref()
        .is_some_and(|code| !code.is_empty())
        .then_some(document)
}

/// Hands each child of the root `root` to `visit`: its local name and its own text. `None` if
/// `body` is not one well-formed document with that root.
fn children(body: &[u8], root: &str, mut visit: impl FnMut(&str, &str)) -> Option<()> {
    let text = str::from_utf8(body).ok()?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    reader.config_mut().expand_empty_elements = true;
    let mut depth = 0_usize;
    let mut seen_root = false;
    let mut child = String::new();
    let mut content = Zeroizing::new(String::new());
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                depth += 1;
                match depth {
                    1 if seen_root || start.local_name().as_ref() != root => return None,
                    1 => seen_root = true,
                    2 => {
                        start.local_name().as_ref().clone_into(&mut child);
                        content.clear();
                    }
                    3..=MAX_DEPTH => {}
                    _ => return None,
                }
            }
            Event::End(_) => {
                if depth == 2 {
                    visit(&child, &content);
                }
                depth = depth.checked_sub(1)?;
            }
            Event::Text(piece) if depth == 2 => content.push_str(&piece.xml10_content()),
            Event::CData(piece) if depth == 2 => content.push_str(&piece.xml10_content()),
            Event::GeneralRef(entity) => {
                let resolved = match entity.resolve_char_ref().ok()? {
                    Some(char) => char.to_string(),
                    None => resolve_predefined_entity(&entity)?.to_owned(),
                };
                if depth == 2 {
                    content.push_str(&resolved);
                }
            }
            Event::DocType(_) => return None,
            Event::Eof => return (seen_root && depth == 0).then_some(()),
            _ => {}
        }
    }
}

const MAX_DEPTH: usize = 32;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_error_is_read_through_namespace_entities_and_strangers() {
        let body = "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
            <Error xmlns=\"http://doc.oss-cn-hangzhou.aliyuncs.com\">\n\
            <Code> SignatureDoesNotMatch </Code><Message>a &lt;b&gt; &#38; <![CDATA[<c>]]></Message>\
            <Odd><Code>Inner</Code></Odd><Empty/>\
            <StringToSign>PUT\n\n&amp;x\n</StringToSign><EC>0002-00000040</EC></Error>\n";
        let error = error_document(body.as_bytes()).unwrap();
        assert_eq!(error.code.unwrap(), "SignatureDoesNotMatch");
        assert_eq!(error.message.unwrap(), "a <b> & <c>");
        assert_eq!(error.ec.unwrap(), "0002-00000040");
        assert_eq!(error.string_to_sign.unwrap().as_str(), "PUT\n\n&x\n");
        assert!(error.request_id.is_none() && error.endpoint.is_none());
    }

    #[test]
    fn anything_else_is_not_an_error_document() {
        let deep = format!(
            "<Error><Code>X</Code>{}{}</Error>",
            "<a>".repeat(99),
            "</a>".repeat(99)
        );
        for body in [
            "",
            "no xml",
            "<html><body><Code>X</Code></body></html>",
            "<Error/>",
            "<Error><Code></Code></Error>",
            "<Error><Code>X</Code>",
            "<Error><Code>X</Error></Code>",
            "<Error><Code>X</Code></Error><Error/>",
            "<Error><Code>&unknown;</Code></Error>",
            "<!DOCTYPE a [<!ENTITY e \"x\">]><Error><Code>&e;</Code></Error>",
            &deep,
        ] {
            assert!(error_document(body.as_bytes()).is_none(), "{body}");
        }
        assert!(error_document(b"<Error><Code>\xff</Code></Error>").is_none());
    }

    proptest! {
        #[test]
        fn reading_never_panics(body: Vec<u8>, text in "[<>/&;A-Za-z!\\[\\]\" ]{0,80}") {
            let _ = error_document(&body);
            let _ = error_document(text.as_bytes());
        }

        #[test]
        fn any_escaped_message_comes_back(message in "[ -~\u{a0}-\u{ff}]*") {
            let escaped = quick_xml::escape::escape(message.as_str());
            let body = format!("<Error><Code>X</Code><Message>{escaped}</Message></Error>");
            let error = error_document(body.as_bytes()).unwrap();
            prop_assert_eq!(error.message.unwrap(), message.trim());
        }
    }
}
