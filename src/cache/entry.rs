//! A cached session, and the one form in which its secrets are ever serialised. Must not know
//! where that form is kept.

use std::io::{self, Write};
use std::mem;
use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::cache::key::{Inputs, hex};
use crate::model::{ClockSkew, Session};

/// A session and what is known about it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The session.
    pub session: Session,
    /// How far the server's clock was ahead of ours when it answered.
    pub skew: ClockSkew,
    /// When the answer came, by our clock.
    pub obtained_at: DateTime<Utc>,
    /// Set when a refresh has failed: nobody tries again before this instant, by our clock.
    pub retry_after: Option<DateTime<Utc>>,
}

impl Entry {
    /// Returns how long the session is still good when our clock says `now`: the server's clock
    /// decides. Zero once it has expired. At [`Entry::obtained_at`] this is its whole lifetime.
    pub fn lifetime(&self, now: DateTime<Utc>) -> Duration {
        let left = self.skew.left(self.session.expiration, now);
        left.to_std().unwrap_or(Duration::ZERO)
    }
}

/// The file's content. The only type that serialises secrets; they are zeroised when it is
/// dropped, and it has no Debug.
#[derive(Serialize, Deserialize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    version: u32,
    /// SHA-256 of this value's JSON with an empty checksum. A secret with a flipped bit would
    /// otherwise be served until it expires, and each use of it refused.
    checksum: String,
    #[zeroize(skip)]
    inputs: Inputs,
    access_key_id: String,
    access_key_secret: String,
    security_token: String,
    expiration: String,
    role_arn: String,
    assumed_role_arn: String,
    assumed_role_id: String,
    request_id: String,
    skew_seconds: i64,
    #[zeroize(skip)]
    obtained_at: DateTime<Utc>,
    #[zeroize(skip)]
    retry_after: Option<DateTime<Utc>>,
}

impl Stored {
    /// Copies what is to be stored.
    pub(super) fn new(inputs: &Inputs, entry: &Entry) -> Self {
        let session = &entry.session;
        Self {
            version: VERSION,
            checksum: String::new(),
            inputs: inputs.clone(),
            access_key_id: session.access_key_id.to_string(),
            access_key_secret: session.access_key_secret.expose_secret().to_owned(),
            security_token: session.security_token.expose_secret().to_owned(),
            expiration: session.expiration.to_string(),
            role_arn: session.role_arn.to_string(),
            assumed_role_arn: session.assumed_role_arn.clone(),
            assumed_role_id: session.assumed_role_id.clone(),
            request_id: session.request_id.clone(),
            skew_seconds: entry.skew.seconds(),
            obtained_at: entry.obtained_at,
            retry_after: entry.retry_after,
        }
    }

    /// Renders the JSON with its checksum.
    pub(super) fn encode(mut self) -> Zeroizing<Vec<u8>> {
        let (checksum, length) = self.measure();
        // Room for all of it: a buffer that grows leaves copies of secrets behind.
        let mut json = Zeroizing::new(Vec::with_capacity(length + checksum.len()));
        self.checksum = checksum;
        self.write_to(&mut *json);
        json
    }

    /// Reads the JSON back; `None` if anything at all is wrong with it.
    pub(super) fn decode(json: &[u8]) -> Option<(Inputs, Entry)> {
        if !is_intact(json) {
            return None;
        }
        let mut stored: Self = serde_json::from_slice(json).ok()?;
        if stored.version != VERSION {
            return None;
        }
        let entry = Entry {
            session: Session {
                access_key_id: stored.access_key_id.parse().ok()?,
                access_key_secret: mem::take(&mut stored.access_key_secret).into(),
                security_token: mem::take(&mut stored.security_token).into(),
                expiration: stored.expiration.parse().ok()?,
                role_arn: stored.role_arn.parse().ok()?,
                assumed_role_arn: mem::take(&mut stored.assumed_role_arn),
                assumed_role_id: mem::take(&mut stored.assumed_role_id),
                request_id: mem::take(&mut stored.request_id),
            },
            skew: ClockSkew::from_seconds(stored.skew_seconds),
            obtained_at: stored.obtained_at,
            retry_after: stored.retry_after,
        };
        Some((stored.inputs.clone(), entry))
    }

    /// Returns the SHA-256 of the JSON as it stands, and its length.
    fn measure(&self) -> (String, usize) {
        let mut measure = Measure {
            digest: Sha256::new(),
            length: 0,
        };
        self.write_to(&mut measure);
        (hex(&measure.digest.finalize()), measure.length)
    }

    fn write_to(&self, writer: impl Write) {
        serde_json::to_writer(writer, self).expect("plain fields serialise, and memory takes them");
    }
}

/// Tells whether the checksum fits the rest: it was made over the same bytes without itself.
fn is_intact(json: &[u8]) -> bool {
    const BEFORE: &[u8] = br#"{"version":1,"checksum":""#;
    let parts = json
        .strip_prefix(BEFORE)
        .and_then(|rest| rest.split_at_checked(64));
    parts.is_some_and(|(checksum, after)| {
        let digest = Sha256::new().chain_update(BEFORE).chain_update(after);
        hex(&digest.finalize()).as_bytes() == checksum
    })
}

/// Digests and counts what is written to it.
struct Measure {
    digest: Sha256,
    length: usize,
}

impl Write for Measure {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.digest.update(bytes);
        self.length += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The version of the file's content, which its name carries too.
pub(super) const VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::key::BaseInputs;

    /// The checksum was computed outside this crate.
    const JSON: &str = concat!(
        r#"{"version":1,"checksum":"9bebccf05767700b594a34642861900dfda45c8c323b6630fe0ae85acbd9087a","#,
        r#""inputs":{"endpoint":"https://sts.aliyuncs.com","role_arn":"acs:ram::1:role/dev","#,
        r#""role_session_name":"alice","duration_seconds":3600,"policy":null,"external_id":null,"#,
        r#""source_identity":null,"base":{"access_key_id":"LTAIexample"}},"#,
        r#""access_key_id":"STS.example","access_key_secret":"canary-secret","#,
        r#""security_token":"canary-token","expiration":"2026-01-02T04:04:05Z","#,
        r#""role_arn":"acs:ram::1:role/dev","assumed_role_arn":"acs:ram::1:role/dev/alice","#,
        r#""assumed_role_id":"2:alice","request_id":"3D57EAD2","skew_seconds":-7,"#,
        r#""obtained_at":"2026-01-02T03:04:12.500Z","retry_after":null}"#,
    );

    fn inputs() -> Inputs {
        Inputs {
            endpoint: "https://sts.aliyuncs.com".to_owned(),
            role_arn: "acs:ram::1:role/dev".to_owned(),
            role_session_name: "alice".to_owned(),
            duration_seconds: 3600,
            policy: None,
            external_id: None,
            source_identity: None,
            base: BaseInputs::AccessKeyId("LTAIexample".to_owned()),
        }
    }

    #[test]
    fn the_format_never_changes_within_a_version() {
        let (read, entry) = Stored::decode(JSON.as_bytes()).unwrap();
        assert_eq!(read, inputs());
        assert_eq!(entry.session.security_token.expose_secret(), "canary-token");
        assert_eq!(entry.skew.seconds(), -7);
        let written = Stored::new(&read, &entry).encode();
        assert_eq!(str::from_utf8(&written).unwrap(), JSON);
    }

    #[test]
    fn the_buffer_has_room_from_the_start() {
        let (inputs, entry) = Stored::decode(JSON.as_bytes()).unwrap();
        let written = Stored::new(&inputs, &entry).encode();
        assert_eq!(written.capacity(), JSON.len());
    }

    #[test]
    fn another_version_or_an_unknown_field_is_damage() {
        for (from, to) in [
            (r#""version":1"#, r#""version":2"#),
            (r#""version":1"#, r#""version":1,"more":0"#),
            ("canary-secret", "canary-sacret"),
            ("T04:04:05Z", "T05:04:05Z"),
        ] {
            let changed = JSON.replace(from, to);
            assert_ne!(changed, JSON);
            assert!(Stored::decode(changed.as_bytes()).is_none(), "{to}");
        }
    }

    #[test]
    fn a_lifetime_is_judged_by_the_servers_clock() {
        let (_, entry) = Stored::decode(JSON.as_bytes()).unwrap();
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        // The server is 7 seconds behind, so the session lasts 7 seconds longer for us.
        let left = entry.lifetime(at("2026-01-02T04:04:05Z"));
        assert_eq!(left, Duration::from_secs(7));
        assert!(entry.lifetime(at("2026-01-02T04:04:12Z")).is_zero());
        assert!(entry.lifetime(DateTime::<Utc>::MAX_UTC).is_zero());
    }
}
