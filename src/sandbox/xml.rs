//! Writes the small XML documents that both services answer with. Must not know what they say.

use quick_xml::escape::escape;

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

#[cfg(test)]
mod tests {
    use super::*;

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
