//! What a session depends on, and the key that stands for it. Must not know files, nor any
//! secret: inputs are stored and compared, keys are file names.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Everything that changes what AssumeRole answers. Two requests with the same inputs may share a
/// session; any difference, however small, makes them strangers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// The STS endpoint that is asked, as a URL.
    pub endpoint: String,
    /// The RoleArn.
    pub role_arn: String,
    /// The RoleSessionName.
    pub role_session_name: String,
    /// The DurationSeconds that are asked for.
    pub duration_seconds: u32,
    /// The session policy, minified.
    pub policy: Option<String>,
    /// The ExternalId.
    pub external_id: Option<String>,
    /// The SourceIdentity.
    pub source_identity: Option<String>,
    /// Who asks.
    pub base: BaseInputs,
}

/// The identity that assumes the role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum BaseInputs {
    /// A long-lived AccessKey, or a session that was given: its AccessKeyId.
    AccessKeyId(String),
    /// The session of the hop before, which stands for all of that hop's inputs.
    Hop(Key),
    /// A source whose AccessKeyId changes by itself.
    Source {
        /// Which kind of source.
        kind: String,
        /// What stays the same about it, by name.
        inputs: BTreeMap<String, String>,
    },
}

/// The name of a session in the cache: SHA-256 of its [`Inputs`], 64 hexadecimal digits.
///
/// The digest is not shortened: a hop's key stands for inputs that are compared nowhere else, so
/// it must resist deliberate collisions. 64 digits fit every file system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key(String);

impl Inputs {
    /// Computes the key.
    pub fn key(&self) -> Key {
        // Taken apart by name, so that a new input cannot be forgotten here.
        let Self {
            endpoint,
            role_arn,
            role_session_name,
            duration_seconds,
            policy,
            external_id,
            source_identity,
            base,
        } = self;
        let mut fields = Fields(Sha256::new());
        fields.text(ENCODING);
        fields.text(endpoint);
        fields.text(role_arn);
        fields.text(role_session_name);
        fields.number((*duration_seconds).into());
        fields.optional(policy.as_deref());
        fields.optional(external_id.as_deref());
        fields.optional(source_identity.as_deref());
        match base {
            BaseInputs::AccessKeyId(id) => {
                fields.text("access_key_id");
                fields.text(id);
            }
            BaseInputs::Hop(key) => {
                fields.text("hop");
                fields.text(key.as_str());
            }
            BaseInputs::Source { kind, inputs } => {
                fields.text("source");
                fields.text(kind);
                fields.number(inputs.len() as u64);
                for (name, value) in inputs {
                    fields.text(name);
                    fields.text(value);
                }
            }
        }
        Key(hex(&fields.0.finalize()))
    }
}

impl Key {
    /// Returns the 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Key {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Key {
    type Error = NotAKey;

    fn try_from(text: String) -> Result<Self, NotAKey> {
        let digits = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() == 64 && digits(&text) {
            Ok(Self(text))
        } else {
            Err(NotAKey)
        }
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not the key of a cached session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key of a cached session is 64 digits of 0-9 and a-f")]
pub struct NotAKey;

/// Feeds fields to the digest so that no two lists of fields look the same: each text follows its
/// length, each option a byte that says whether it is there.
struct Fields(Sha256);

impl Fields {
    fn number(&mut self, number: u64) {
        self.0.update(number.to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.update(text);
    }

    fn optional(&mut self, text: Option<&str>) {
        self.0.update([u8::from(text.is_some())]);
        if let Some(text) = text {
            self.text(text);
        }
    }
}

/// Writes bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes all that is written to it");
        text
    })
}

/// Names the encoding: a change to it must change this text, and with it every key.
const ENCODING: &str = "stsctl session 1";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn inputs() -> Inputs {
        Inputs {
            endpoint: "https://sts.cn-hangzhou.aliyuncs.com".to_owned(),
            role_arn: "acs:ram::1234567890123456:role/dev".to_owned(),
            role_session_name: "alice".to_owned(),
            duration_seconds: 3600,
            policy: None,
            external_id: Some("x".to_owned()),
            source_identity: None,
            base: BaseInputs::AccessKeyId("LTAIexample".to_owned()),
        }
    }

    /// The expected digest was computed outside this crate, from the description of the encoding.
    #[test]
    fn a_key_never_changes_between_releases() {
        assert_eq!(
            inputs().key().as_str(),
            "96335a05fc9155b45d6019da047bd616781aa56158b26b3029f39dd2a30e0382"
        );
    }

    #[test]
    fn moving_a_byte_across_fields_changes_the_key() {
        let mut moved = inputs();
        moved.endpoint.push('a');
        moved.role_arn.remove(0);
        assert_ne!(moved.key(), inputs().key());

        let mut moved = inputs();
        moved.source_identity = moved.external_id.take();
        assert_ne!(moved.key(), inputs().key());

        let mut moved = inputs();
        moved.policy = Some(String::new());
        assert_ne!(moved.key(), inputs().key());
    }

    #[test]
    fn only_64_hexadecimal_digits_are_a_key() {
        let key = inputs().key();
        assert_eq!(key.as_str().parse(), Ok(key.clone()));
        for text in [
            "",
            "../../etc/passwd",
            &key.as_str()[1..],
            &key.as_str().to_uppercase(),
        ] {
            assert_eq!(text.parse::<Key>(), Err(NotAKey), "{text}");
        }
    }

    /// Few values, so that equal and almost equal inputs are both common.
    fn any_inputs() -> impl Strategy<Value = Inputs> {
        let text = || "[ab]{0,2}";
        let option = || proptest::option::of(text());
        let base = prop_oneof![
            text().prop_map(BaseInputs::AccessKeyId),
            (0_u8..2).prop_map(|n| BaseInputs::Hop(Key(format!("{n:064x}")))),
            (
                text(),
                proptest::collection::btree_map(text(), text(), 0..3)
            )
                .prop_map(|(kind, inputs)| BaseInputs::Source { kind, inputs }),
        ];
        let texts = (text(), text(), text(), 900_u32..902);
        (texts, option(), option(), option(), base).prop_map(
            |((endpoint, role_arn, name, duration), policy, external_id, source_identity, base)| {
                Inputs {
                    endpoint,
                    role_arn,
                    role_session_name: name,
                    duration_seconds: duration,
                    policy,
                    external_id,
                    source_identity,
                    base,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn keys_are_equal_exactly_when_inputs_are(a in any_inputs(), b in any_inputs()) {
            prop_assert_eq!(a.key() == b.key(), a == b);
            prop_assert_eq!(a.key(), a.clone().key());
        }

        #[test]
        fn changing_one_input_changes_the_key(original in any_inputs(), other in any_inputs(), field in 0..8) {
            let mut changed = original.clone();
            match field {
                0 => changed.endpoint = other.endpoint,
                1 => changed.role_arn = other.role_arn,
                2 => changed.role_session_name = other.role_session_name,
                3 => changed.duration_seconds = other.duration_seconds,
                4 => changed.policy = other.policy,
                5 => changed.external_id = other.external_id,
                6 => changed.source_identity = other.source_identity,
                _ => changed.base = other.base,
            }
            prop_assert_eq!(original.key() == changed.key(), original == changed);
        }
    }
}
