//! Remembers SignatureNonces, so that a request that is replayed is refused. Must not know
//! signatures.

use std::collections::{HashSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};

/// The nonces of the last 15 minutes, at most a hundred thousand.
#[derive(Debug, Default)]
pub(super) struct Nonces {
    seen: HashSet<(String, String)>,
    order: VecDeque<(DateTime<Utc>, (String, String))>,
}

impl Nonces {
    /// Tells whether the AccessKey has used the nonce.
    pub(super) fn knows(&mut self, access_key_id: &str, nonce: &str, now: DateTime<Utc>) -> bool {
        while let Some((at, nonce)) = self.order.front() {
            if now - *at < MEMORY && self.order.len() <= CAPACITY {
                break;
            }
            self.seen.remove(nonce);
            self.order.pop_front();
        }
        self.seen
            .contains(&(access_key_id.to_owned(), nonce.to_owned()))
    }

    /// Remembers a nonce.
    pub(super) fn insert(&mut self, access_key_id: &str, nonce: &str, now: DateTime<Utc>) {
        let pair = (access_key_id.to_owned(), nonce.to_owned());
        if self.seen.insert(pair.clone()) {
            self.order.push_back((now, pair));
        }
    }
}

const MEMORY: TimeDelta = TimeDelta::minutes(15);
const CAPACITY: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_known_for_15_minutes_and_only_for_its_key() {
        let mut nonces = Nonces::default();
        let start = DateTime::UNIX_EPOCH;
        nonces.insert("a", "n", start);
        assert!(nonces.knows("a", "n", start + TimeDelta::seconds(899)));
        assert!(!nonces.knows("b", "n", start));
        assert!(!nonces.knows("a", "n", start + TimeDelta::seconds(900)));
        assert!(nonces.seen.is_empty() && nonces.order.is_empty());
    }
}
