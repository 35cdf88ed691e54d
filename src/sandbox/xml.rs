//! Writes the small XML documents that both services answer with, and reads those that OSS takes.
//! Must not know what they say.

use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};

/// An XML document that grows element by element.
#[derive(Debug)]
pub(super) struct Xml(String);

impl Xml {
    /// Starts a document.
    pub(super) fn new() -> Self {
        Self("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned())
    }

    /// Adds an element with text.
    pub(super) fn leaf(&mut self, name: &str, text: &str) -> &mut Self {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
        self.0.push_str(&escape(text));
        self.close(name)
    }

    /// Adds an element whose children `fill` adds.
    pub(super) fn node(&mut self, name: &str, fill: impl FnOnce(&mut Self)) -> &mut Self {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
        fill(self);
        self.close(name)
    }

    /// Returns the document's text.
    pub(super) fn finish(self) -> String {
        self.0
    }

    fn close(&mut self, name: &str) -> &mut Self {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
        self
    }
}

/// Returns the text of every element of that name, wherever it stands; `None` if the document is
/// not well formed.
pub(super) fn texts(document: &[u8], name: &str) -> Option<Vec<String>> {
    let mut reader = Reader::from_str(std::str::from_utf8(document).ok()?);
    let (mut found, mut open, mut depth) = (Vec::new(), None, 0_usize);
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                depth += 1;
                if tag.local_name().as_ref() == name {
                    open = Some(String::new());
                }
            }
            Event::End(tag) => {
                depth = depth.checked_sub(1)?;
                if tag.local_name().as_ref() == name {
                    found.extend(open.take());
                }
            }
            Event::Text(text) => {
                if let Some(open) = &mut open {
                    open.push_str(&text.xml_content(XmlVersion::Implicit1_0));
                }
            }
            Event::CData(text) => {
                if let Some(open) = &mut open {
                    open.push_str(&text.xml_content(XmlVersion::Implicit1_0));
                }
            }
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().ok()?;
                if let Some(open) = &mut open {
                    match character {
                        Some(character) => open.push(character),
                        None => open.push_str(resolve_predefined_entity(&reference)?),
                    }
                }
            }
            Event::Eof => return (depth == 0).then_some(found),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_elements() {
        let document =
            b"<D x='1'><!-- --><Q>no</Q><O><K>a&amp;&#x4e2d;<![CDATA[<]]></K></O><K/><K> b</K></D>";
        let keys = texts(document, "K").unwrap();
        assert_eq!(keys, ["a&\u{4e2d}<", " b"]);
        for broken in [
            "<D><K>a</K>",
            "<K>a</D>",
            "<K>&nothing;</K>",
            "\u{0}<",
            "</K>",
        ] {
            assert_eq!(texts(broken.as_bytes(), "K"), None, "{broken}");
        }
        assert_eq!(texts(b"\xff", "K"), None);
    }

    #[test]
    fn text_is_escaped() {
        let mut xml = Xml::new();
        xml.node("A", |a| {
            a.leaf("B", "x<&>\"").leaf("C", "");
        });
        assert!(
            xml.finish()
                .ends_with("<A><B>x&lt;&amp;&gt;&quot;</B><C></C></A>")
        );
    }
}
