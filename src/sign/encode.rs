//! Percent-encoding as the signatures want it: everything is encoded but the unreserved
//! characters of RFC 3986, upper case, byte by byte. Must not know what the text means.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

/// Encodes everything but `A-Z a-z 0-9 - _ . ~`, as `%XX` of the UTF-8 bytes, upper case.
pub fn component(text: &str) -> String {
    chunks(text).collect()
}

/// As [`component`], but keeps `/`: for paths.
pub fn path(text: &str) -> String {
    utf8_percent_encode(text, PATH).collect()
}

/// Appends the encoded text, without a copy in between: it may be a SecurityToken or a Policy.
pub(super) fn push(out: &mut String, text: &str) {
    out.extend(chunks(text));
}

/// Yields the encoded bytes, for an order by the encoded form.
pub(super) fn bytes(text: &str) -> impl Iterator<Item = u8> {
    chunks(text).flat_map(str::bytes)
}

fn chunks(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, COMPONENT)
}

const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
const PATH: &AsciiSet = &COMPONENT.remove(b'/');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreserved_characters_stay_and_all_else_is_encoded() {
        let kept = "AZaz09-_.~";
        assert_eq!(component(kept), kept);
        assert_eq!(component(" +*%/"), "%20%2B%2A%25%2F");
        assert_eq!(component("!'()"), "%21%27%28%29");
        assert_eq!(component("中\u{7f}\n"), "%E4%B8%AD%7F%0A");
        assert_eq!(path("a/b c//.."), "a/b%20c//..");
    }
}
