//! The shape of a clock, and the difference between ours and the server's. Must not be read by
//! pure layers: they take `now` as an argument.

use std::fmt::Debug;

use chrono::{DateTime, TimeDelta, Utc};

use super::Expiration;

/// Tells the wall-clock time. The shipped program uses [`SystemClock`]; tests set their own.
pub trait Clock: Debug + Send + Sync {
    /// Returns the current instant.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the clock"
        )]
        Utc::now()
    }
}

/// How far the server's clock is ahead of ours, in whole seconds (negative: behind).
///
/// Measured from the `Date` header of an answer, so it is right to about a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockSkew(i64);

impl ClockSkew {
    /// The clocks agree.
    pub const ZERO: Self = Self(0);

    /// A skew of so many seconds; the server is ahead when it is positive.
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Measures the skew from the server's `Date` and the local instants around the exchange.
    /// `Date` is truncated to the second, so half a second is added; the middle of the exchange
    /// stands for the moment at which the server wrote it.
    pub fn measure(date: DateTime<Utc>, sent: DateTime<Utc>, received: DateTime<Utc>) -> Self {
        let middle = sent + (received - sent) / 2;
        let ahead = date + TimeDelta::milliseconds(500) - middle;
        Self((ahead.num_milliseconds() + 500).div_euclid(1000))
    }

    /// Returns the skew in seconds.
    pub fn seconds(self) -> i64 {
        self.0
    }

    /// Returns how long it is until `expiration` when our clock says `local`; negative when it is
    /// past. The server's clock decides.
    pub fn left(self, expiration: Expiration, local: DateTime<Utc>) -> TimeDelta {
        expiration.instant() - self.server_time(local)
    }

    /// Returns what the server's clock says when ours says `local`.
    pub fn server_time(self, local: DateTime<Utc>) -> DateTime<Utc> {
        TimeDelta::try_seconds(self.0)
            .and_then(|ahead| local.checked_add_signed(ahead))
            .unwrap_or(local)
    }
}
