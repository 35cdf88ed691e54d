//! What may be said about an object when it is put
//! ([PutObject](https://www.alibabacloud.com/help/en/oss/developer-reference/putobject)), each
//! checked against OSS's limits before anything is sent. Must not know how headers are signed.

use std::fmt;
use std::str::FromStr;

use crate::model::{Error, Result};
use crate::sign::encode;

/// The options of a PutObject; by default none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PutOptions {
    /// Content-Type; without one, OSS calls the object `application/octet-stream`.
    pub content_type: Option<HeaderText>,
    /// Cache-Control of later downloads.
    pub cache_control: Option<HeaderText>,
    /// Content-Disposition of later downloads.
    pub content_disposition: Option<HeaderText>,
    /// Content-Encoding that the data already has.
    pub content_encoding: Option<HeaderText>,
    /// User metadata.
    pub metadata: Metadata,
    /// Tags.
    pub tags: Tags,
    /// The object's own ACL; without one, the bucket's holds.
    pub acl: Option<ObjectAcl>,
    /// The storage class; without one, the bucket's holds.
    pub storage_class: Option<StorageClass>,
    /// Whether an object that is there already makes OSS refuse (409 FileAlreadyExists).
    pub forbid_overwrite: bool,
}

impl PutOptions {
    /// Returns the headers that say all this, with names in lower case.
    pub(super) fn headers(&self) -> Vec<(String, String)> {
        let mut headers: Vec<(String, String)> = Vec::new();
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                headers.push((name.to_owned(), value));
            }
        };
        let text = |value: &Option<HeaderText>| value.as_ref().map(|value| value.0.clone());
        add("content-type", text(&self.content_type));
        add("cache-control", text(&self.cache_control));
        add("content-disposition", text(&self.content_disposition));
        add("content-encoding", text(&self.content_encoding));
        add("x-oss-object-acl", self.acl.map(|acl| acl.to_string()));
        add(
            "x-oss-storage-class",
            self.storage_class.map(|class| class.to_string()),
        );
        add(
            "x-oss-forbid-overwrite",
            self.forbid_overwrite.then(|| "true".to_owned()),
        );
        add(
            "x-oss-tagging",
            (!self.tags.0.is_empty()).then(|| self.tags.encoded()),
        );
        for (name, value) in &self.metadata.0 {
            add(&format!("x-oss-meta-{name}"), Some(value.clone()));
        }
        headers
    }
}

/// Text that can be a header's value: 1 or more printable ASCII characters, no space at either
/// end. Anything else is changed on its way, or read differently by the two ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderText(String);

impl HeaderText {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HeaderText {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::new("header value", text, "it must not be empty"));
        }
        check_header_text("header value", text)?;
        Ok(Self(text.to_owned()))
    }
}

/// A `NAME=VALUE` as it stands on a command line; the value may hold more `=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair(pub String, pub String);

impl FromStr for Pair {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once('=') {
            Some((name, value)) => Ok(Self(name.to_owned(), value.to_owned())),
            None => Err(Error::new("pair", text, "expected NAME=VALUE")),
        }
    }
}

/// User metadata, `x-oss-meta-*`: names of letters, digits and hyphens, taken in lower case as
/// OSS does; at most 8 KiB together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata(Vec<(String, String)>);

impl Metadata {
    /// Checks names and values.
    pub fn new(pairs: impl IntoIterator<Item = Pair>) -> Result<Self> {
        let mut entries: Vec<(String, String)> = Vec::new();
        let mut size = 0;
        for Pair(name, value) in pairs {
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
                let rule = "letters, digits and hyphens";
                return Err(Error::new("metadata name", &name, rule));
            }
            check_header_text("metadata value", &value)?;
            let name = name.to_ascii_lowercase();
            if entries.iter().any(|(other, _)| *other == name) {
                return Err(Error::new("metadata name", &name, "it is given twice"));
            }
            size += name.len() + value.len();
            if size > Self::MAX_BYTES {
                let rule = "all metadata together may have 8192 bytes";
                return Err(Error::new("metadata name", &name, rule));
            }
            entries.push((name, value));
        }
        Ok(Self(entries))
    }

    /// The most bytes that names and values may have together.
    pub const MAX_BYTES: usize = 8192;
}

/// Object tags: at most 10, names of 1 to 128 bytes, values of at most 256 bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(Vec<(String, String)>);

impl Tags {
    /// Checks names and values.
    pub fn new(pairs: impl IntoIterator<Item = Pair>) -> Result<Self> {
        let mut tags: Vec<(String, String)> = Vec::new();
        for Pair(name, value) in pairs {
            if name.is_empty() || name.len() > 128 {
                return Err(Error::new("tag name", &name, "1 to 128 bytes"));
            }
            if value.len() > 256 {
                return Err(Error::new("tag value", &value, "at most 256 bytes"));
            }
            if name.chars().chain(value.chars()).any(char::is_control) {
                return Err(Error::new("tag", &name, "no control characters"));
            }
            if tags.iter().any(|(other, _)| *other == name) {
                return Err(Error::new("tag name", &name, "it is given twice"));
            }
            if tags.len() == 10 {
                return Err(Error::new(
                    "tag name",
                    &name,
                    "an object has at most 10 tags",
                ));
            }
            tags.push((name, value));
        }
        Ok(Self(tags))
    }

    /// Writes them as `x-oss-tagging` wants it.
    fn encoded(&self) -> String {
        let encode = |(name, value): &(String, String)| {
            format!("{}={}", encode::component(name), encode::component(value))
        };
        self.0.iter().map(encode).collect::<Vec<_>>().join("&")
    }
}

/// Declares an enum whose variants have one spelling each.
macro_rules! spelled {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(Error::new($what, text, $rule)),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$variant => $text,)*
                })
            }
        }
    };
}

spelled! {
    /// Who may read and write one object.
    ObjectAcl, "object ACL", "one of default, private, public-read, public-read-write",
    /// As the bucket's ACL says.
    Default = "default",
    /// The owner, and whom policies let.
    Private = "private",
    /// Everyone reads.
    PublicRead = "public-read",
    /// Everyone reads and writes.
    PublicReadWrite = "public-read-write",
}

spelled! {
    /// How an object is kept, from the quickest to the cheapest.
    StorageClass, "storage class", "one of Standard, IA, Archive, ColdArchive, DeepColdArchive",
    /// Read at once, priced for frequent use.
    Standard = "Standard",
    /// Read at once, priced for infrequent access.
    Ia = "IA",
    /// Restored within minutes before it can be read.
    Archive = "Archive",
    /// Restored within hours before it can be read.
    ColdArchive = "ColdArchive",
    /// Restored within two days before it can be read.
    DeepColdArchive = "DeepColdArchive",
}

/// Returns the Content-Type that a file or key of this name usually has.
pub fn content_type_of(name: &str) -> &'static str {
    mime_guess::from_path(name)
        .first_raw()
        .unwrap_or("application/octet-stream")
}

fn check_header_text(what: &'static str, text: &str) -> Result<()> {
    if !text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
        let rule = "a header holds printable ASCII characters only; encode others, as with %XX";
        return Err(Error::new(what, text, rule));
    }
    if text.starts_with(' ') || text.ends_with(' ') {
        return Err(Error::new(what, text, "no space at either end"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> Pair {
        Pair(name.to_owned(), value.to_owned())
    }

    #[test]
    fn metadata_has_limits() {
        let ok = Metadata::new([pair("Author-1", "a = b"), pair("empty", "")]).unwrap();
        assert_eq!(ok.0[0], ("author-1".to_owned(), "a = b".to_owned()));
        for (name, value) in [
            ("", "x"),
            ("a_b", "x"),
            ("ä", "x"),
            ("a", "é"),
            ("a", "x\r\nx-oss-object-acl: public-read"),
            ("a", " x"),
            ("a", "x\t"),
        ] {
            assert!(
                Metadata::new([pair(name, value)]).is_err(),
                "{name:?}={value:?}"
            );
        }
        assert!(Metadata::new([pair("a", "1"), pair("A", "2")]).is_err());
        assert!(Metadata::new([pair("a", &"x".repeat(8191))]).is_ok());
        assert!(Metadata::new([pair("a", &"x".repeat(8191)), pair("b", "")]).is_err());
    }

    #[test]
    fn tags_have_limits_and_are_encoded() {
        let tags = Tags::new([pair("k 1", "a&b=c"), pair("ключ", "")]).unwrap();
        assert_eq!(tags.encoded(), "k%201=a%26b%3Dc&%D0%BA%D0%BB%D1%8E%D1%87=");
        let many = |n: usize| Tags::new((0..n).map(|i| pair(&i.to_string(), "")));
        assert!(many(10).is_ok() && many(11).is_err());
        for (name, value) in [
            (String::new(), String::new()),
            ("k".repeat(129), String::new()),
            ("k".to_owned(), "v".repeat(257)),
            ("k\n".to_owned(), String::new()),
        ] {
            assert!(Tags::new([Pair(name.clone(), value)]).is_err(), "{name}");
        }
        assert!(Tags::new([pair(&"k".repeat(128), &"v".repeat(256))]).is_ok());
        assert!(Tags::new([pair("k", "1"), pair("k", "2")]).is_err());
    }

    #[test]
    fn spellings_and_ranges() {
        for text in ["default", "private", "public-read", "public-read-write"] {
            assert_eq!(text.parse::<ObjectAcl>().unwrap().to_string(), text);
        }
        assert!("Private".parse::<ObjectAcl>().is_err());
        assert_eq!("IA".parse::<StorageClass>().unwrap(), StorageClass::Ia);
        assert!("Glacier".parse::<StorageClass>().is_err());
        assert!("".parse::<HeaderText>().is_err());
        assert!("attachment; filename=\"a b\"".parse::<HeaderText>().is_ok());
        assert_eq!("a=b=c".parse::<Pair>().unwrap(), pair("a", "b=c"));
        assert!("a".parse::<Pair>().is_err());
    }

    #[test]
    fn content_types() {
        assert_eq!(content_type_of("a/b.JSON"), "application/json");
        assert_eq!(content_type_of("中.png"), "image/png");
        for name in ["", "Makefile", "a.unheard-of", "dir.png/x"] {
            assert_eq!(content_type_of(name), "application/octet-stream", "{name}");
        }
    }
}
