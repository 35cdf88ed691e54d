//! The parameters of AssumeRole, each checked against the limits of the
//! [API reference](https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole)
//! before anything is sent. Must not know where their values were given.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{Error, Result, parse_duration};

/// Declares a newtype over checked text.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            /// Returns the text as it is sent.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_type! {
    /// RoleSessionName: 2 to 64 letters, digits, `.`, `@`, `_` and `-`.
    RoleSessionName
}

impl RoleSessionName {
    /// Makes the default name, `<user>@<host>`, fit: characters outside the set become `-`, and
    /// what is too long is cut.
    pub fn for_user(user: &str, host: &str) -> Self {
        let mut name: String = format!("{user}@{host}")
            .chars()
            .map(|c| {
                if c.is_ascii() && session_name_byte(c as u8) {
                    c
                } else {
                    '-'
                }
            })
            .take(64)
            .collect();
        while name.len() < 2 {
            name.push('-');
        }
        Self(name)
    }
}

impl FromStr for RoleSessionName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if !(2..=64).contains(&text.len()) || !text.bytes().all(session_name_byte) {
            let rule = "2 to 64 letters, digits, `.`, `@`, `_` and `-`";
            return Err(Error::new("RoleSessionName", text, rule));
        }
        Ok(Self(text.to_owned()))
    }
}

fn session_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".@_-".contains(&byte)
}

text_type! {
    /// ExternalId: 2 to 1224 letters, digits and `_ + = , . @ : / -`.
    ExternalId
}

impl FromStr for ExternalId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let fits = (2..=1224).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&b));
        if !fits {
            let rule = "2 to 1224 letters, digits and `_+=,.@:/-`";
            return Err(Error::new("ExternalId", text, rule));
        }
        Ok(Self(text.to_owned()))
    }
}

text_type! {
    /// SourceIdentity: 2 to 64 letters, digits and `_ + = , . @ -`, not starting with `acs:`,
    /// `aliyun:` or `alibabacloud:`.
    SourceIdentity
}

impl FromStr for SourceIdentity {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let fits = (2..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b));
        if !fits {
            return Err(Error::new(
                "SourceIdentity",
                text,
                "2 to 64 letters, digits and `_+=,.@-`",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

/// DurationSeconds: how long a session is asked to last, 900 s to 43200 s; 3600 s by default.
/// The role's MaxSessionDuration may be less; only the service knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DurationSeconds(u32);

impl DurationSeconds {
    /// Returns the number of seconds.
    pub fn get(self) -> u32 {
        self.0
    }

    /// Returns it as a duration.
    pub fn as_duration(self) -> Duration {
        Duration::from_secs(self.0.into())
    }
}

impl Default for DurationSeconds {
    fn default() -> Self {
        Self(3600)
    }
}

impl TryFrom<Duration> for DurationSeconds {
    type Error = Error;

    fn try_from(duration: Duration) -> Result<Self> {
        let seconds = duration.as_secs();
        u32::try_from(seconds)
            .ok()
            .filter(|s| (900..=43200).contains(s))
            .map(Self)
            .ok_or_else(|| {
                let rule = "a session lasts 900 s (15m) to 43200 s (12h)";
                Error::new("DurationSeconds", &seconds.to_string(), rule)
            })
    }
}

impl FromStr for DurationSeconds {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::try_from(parse_duration(text)?)
    }
}

text_type! {
    /// Policy: a session policy, a JSON object of at most 2048 characters after minifying.
    SessionPolicy
}

impl SessionPolicy {
    /// The most characters that STS takes.
    pub const MAX_CHARS: usize = 2048;
}

impl FromStr for SessionPolicy {
    type Err = Error;

    /// Checks that the text is one JSON object and removes the white space outside its strings;
    /// the rest is sent as it was written.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = |rule: String| Error::new("Policy", text, rule);
        let text = text.trim_start_matches('\u{feff}');
        if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
            return Err(wrong(format!("it is not JSON: {error}")));
        }
        let minified = minify(text);
        if !minified.starts_with('{') {
            return Err(wrong("a policy is a JSON object".to_owned()));
        }
        let chars = minified.chars().count();
        if chars > Self::MAX_CHARS {
            let most = Self::MAX_CHARS;
            return Err(wrong(format!(
                "{chars} characters after minifying, at most {most} are allowed"
            )));
        }
        Ok(Self(minified))
    }
}

/// Removes white space outside strings. `json` is valid JSON.
fn minify(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c == '"' {
            in_string = true;
        } else if c.is_ascii_whitespace() {
            continue;
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn session_names() {
        assert!("a".parse::<RoleSessionName>().is_err());
        assert!("alice smith".parse::<RoleSessionName>().is_err());
        assert!("x".repeat(65).parse::<RoleSessionName>().is_err());
        assert_eq!(
            RoleSessionName::for_user("ali ce", "höst").as_str(),
            "ali-ce@h-st"
        );
        assert_eq!(RoleSessionName::for_user("", "").as_str(), "@-");
    }

    #[test]
    fn durations_have_bounds() {
        for text in ["899", "43201", "13h", "0", "x"] {
            assert!(text.parse::<DurationSeconds>().is_err(), "{text}");
        }
        assert_eq!("15m".parse::<DurationSeconds>().unwrap().get(), 900);
        assert_eq!("12h".parse::<DurationSeconds>().unwrap().get(), 43200);
    }

    #[test]
    fn a_policy_is_minified_outside_its_strings_only() {
        let policy: SessionPolicy = "{ \"a\" :\n [ \"x \\\" y\\\\\" , 1 ] }".parse().unwrap();
        assert_eq!(policy.as_str(), "{\"a\":[\"x \\\" y\\\\\",1]}");
        for text in ["", "{", "[]", "\"x\"", "{} {}", "{'a':1}"] {
            assert!(text.parse::<SessionPolicy>().is_err(), "{text}");
        }
        let at_limit = format!("{{\"a\":\"{}\"}}", "é".repeat(2048 - 8));
        assert_eq!(
            at_limit
                .parse::<SessionPolicy>()
                .unwrap()
                .as_str()
                .chars()
                .count(),
            2048
        );
        let over = format!("{{\"a\":\"{}\"}}", "é".repeat(2048 - 7));
        assert!(over.parse::<SessionPolicy>().is_err());
    }

    proptest! {
        #[test]
        fn the_default_session_name_always_fits(user in ".*", host in ".*") {
            let name = RoleSessionName::for_user(&user, &host);
            prop_assert_eq!(name.as_str().parse::<RoleSessionName>(), Ok(name));
        }

        #[test]
        fn minifying_keeps_the_value(text in proptest::collection::vec(("[ -~é]{0,12}", "[ -~\n]{0,12}"), 0..6)) {
            let object: serde_json::Map<_, _> =
                text.into_iter().map(|(k, v)| (k, serde_json::Value::String(v))).collect();
            let value = serde_json::Value::Object(object);
            let policy: SessionPolicy = serde_json::to_string_pretty(&value).unwrap().parse().unwrap();
            prop_assert_eq!(policy.as_str(), serde_json::to_string(&value).unwrap());
        }
    }
}
