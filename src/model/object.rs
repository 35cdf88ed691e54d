//! Names in OSS. Must not know how they are put on the wire.

use std::fmt;
use std::str::FromStr;

use super::{Error, Result};

/// A bucket's name: 3 to 63 lower-case letters, digits and hyphens, with a letter or digit at
/// both ends ([naming conventions](https://www.alibabacloud.com/help/en/oss/user-guide/bucket-naming-conventions)).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bucket(String);

impl Bucket {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Bucket {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let fits = (3..=63).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        if !fits {
            let rule = "3 to 63 lower-case letters, digits and hyphens, no hyphen at either end";
            return Err(Error::new("Bucket", text, rule));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An object's key: 1 to 1023 bytes of UTF-8, not starting with `/` or `\`
/// ([naming conventions](https://www.alibabacloud.com/help/en/oss/user-guide/object-naming-conventions)),
/// and without a `.` or `..` path segment, which HTTP clients and proxies fold away: such a
/// request would reach another key than the one that was signed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// Returns the key, unencoded.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ObjectKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |rule: &str| Err(Error::new("ObjectKey", text, rule));
        if text.is_empty() || text.len() > 1023 {
            return wrong("1 to 1023 bytes of UTF-8");
        }
        if text.starts_with(['/', '\\']) {
            return wrong("it must not start with `/` or `\\`");
        }
        if text
            .split('/')
            .any(|segment| segment == "." || segment == "..")
        {
            return wrong("a `.` or `..` segment would be folded away by HTTP clients");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_the_api_or_clients_would_change_are_refused() {
        for key in [
            "",
            "/a",
            "\\a",
            "a/../b",
            "./a",
            "..",
            "a/.",
            &"k".repeat(1024),
        ] {
            assert!(key.parse::<ObjectKey>().is_err(), "{key}");
        }
        for key in [
            "a",
            "a//b",
            "a/...",
            ".hidden",
            "中文 +%'\"",
            &"k".repeat(1023),
        ] {
            assert!(key.parse::<ObjectKey>().is_ok(), "{key}");
        }
    }

    #[test]
    fn bucket_names() {
        for name in ["ab", "-ab", "ab-", "Abc", "a_b", "a.b", &"a".repeat(64)] {
            assert!(name.parse::<Bucket>().is_err(), "{name}");
        }
        assert!("demo-bucket".parse::<Bucket>().is_ok());
    }
}
