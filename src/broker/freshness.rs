//! When a cached session is handed out as it is, refreshed ahead of need, or no longer usable.
//! Pure. Must not know how a refresh is done.

use chrono::{DateTime, TimeDelta, Utc};

use crate::cache::Entry;

/// The advisory window opens at most this long before Expiration.
const FIRST_WINDOW: TimeDelta = TimeDelta::minutes(20);
/// The mandatory window opens at most this long before Expiration.
const SECOND_WINDOW: TimeDelta = TimeDelta::minutes(5);
/// How far our clock may run behind the moment of the answer before we say that it was set back.
const STEP_TOLERANCE: TimeDelta = TimeDelta::seconds(5);
/// How long before its Expiration a session counts as over: the skew is right to about a second
/// (a `Date` has no fractions, and when it was written between request and answer is a guess).
const UNSURE: TimeDelta = TimeDelta::seconds(2);

/// What may be done with a cached session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    /// Far from its end: handed out at once.
    Fresh,
    /// In the first window (20 minutes or a third of the lifetime, whichever is less): one caller
    /// refreshes it, the others are served at once.
    Ageing,
    /// In the second window (5 minutes or a tenth): callers wait for the refresh.
    Ending,
    /// Past its Expiration, as far as we can be sure, or our clock was set back since and its age
    /// can't be told: never handed out.
    Over,
}

impl Freshness {
    /// Tells whether the session may still be handed out.
    pub(super) fn is_valid(self) -> bool {
        self != Self::Over
    }
}

/// Judges a session by the server's clock, as the entry's skew tells it.
pub(super) fn judge(entry: &Entry, now: DateTime<Utc>) -> Freshness {
    // By subtraction: any two instants have a distance, but not every sum is an instant.
    if entry.obtained_at - now > STEP_TOLERANCE {
        return Freshness::Over;
    }
    let left = lifetime_left(entry, now);
    let whole = lifetime_left(entry, entry.obtained_at);
    if left <= UNSURE {
        Freshness::Over
    } else if left <= SECOND_WINDOW.min(whole / 10) {
        Freshness::Ending
    } else if left <= FIRST_WINDOW.min(whole / 3) {
        Freshness::Ageing
    } else {
        Freshness::Fresh
    }
}

/// Returns how long the session lasts from `now` (our clock); negative when it is over.
pub(super) fn lifetime_left(entry: &Entry, now: DateTime<Utc>) -> TimeDelta {
    entry.skew.left(entry.session.expiration, now)
}
