//! How often and how long something is tried again: attempts, a budget of time, and pauses with
//! full jitter. Must not know what is tried or what its errors mean: the caller judges them, and
//! makes each attempt anew (a signed request must not be sent twice).

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How persistent to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The most attempts, the first included.
    pub attempts: u32,
    /// The time for all attempts and the pauses between them.
    pub budget: Duration,
    /// The upper bound of the first pause; it doubles with each attempt.
    pub base: Duration,
    /// What the bound never exceeds.
    pub cap: Duration,
}

impl RetryPolicy {
    /// One attempt of at most `limit`.
    pub fn once(limit: Duration) -> Self {
        Self {
            attempts: 1,
            budget: limit,
            ..Self::default()
        }
    }

    /// Returns the pause after attempt number `attempt` (from 1), with `unit` drawn evenly from
    /// [0, 1): anything from nothing to the bound, so that many clients that failed together do
    /// not come back together.
    pub fn delay(&self, attempt: u32, unit: f64) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        let bound = self.base.saturating_mul(1 << doublings).min(self.cap);
        bound.mul_f64(unit.clamp(0.0, 1.0))
    }

    /// Starts the clock of a first attempt.
    pub fn start(self) -> Attempts {
        Attempts {
            policy: self,
            start: Instant::now(),
            number: 1,
        }
    }
}

impl Default for RetryPolicy {
    /// Four attempts within 30 s, pauses of at most 200 ms to 2 s.
    fn default() -> Self {
        Self {
            attempts: 4,
            budget: Duration::from_secs(30),
            base: Duration::from_millis(200),
            cap: Duration::from_secs(2),
        }
    }
}

/// The attempts at one thing: a loop makes one, and asks after a failure whether to go on.
///
/// (No function around an async closure: a caller cannot always show its future to be `Send`.)
#[derive(Debug)]
pub struct Attempts {
    policy: RetryPolicy,
    start: Instant,
    number: u32,
}

impl Attempts {
    /// Returns the number of the current attempt, from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Returns what is left of the budget: the longest that the current attempt may take.
    pub fn left(&self) -> Duration {
        self.policy.budget.saturating_sub(self.start.elapsed())
    }

    /// Tells whether there shall be another attempt after one that failed, and pauses before it.
    /// A pause that would outlast the budget is not begun. `unit` is drawn evenly from [0, 1).
    pub async fn again(&mut self, verdict: Retry, unit: f64) -> bool {
        let backoff = self.policy.delay(self.number, unit);
        let pause = match verdict {
            Retry::No => return false,
            Retry::Backoff => backoff,
            Retry::After(least) => least.max(backoff),
        };
        if self.number >= self.policy.attempts || pause >= self.left() {
            return false;
        }
        sleep(pause).await;
        self.number += 1;
        true
    }
}

/// What a failed attempt calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Another attempt no sooner than the other side asked.
    After(Duration),
    /// Another attempt after a pause.
    Backoff,
    /// Nothing: it would fail again.
    No,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Makes attempts that take so long and fail; returns when each started.
    async fn failing(policy: RetryPolicy, each: Duration, verdict: Retry) -> Vec<Duration> {
        let start = Instant::now();
        let mut starts = Vec::new();
        let mut attempts = policy.start();
        loop {
            starts.push(start.elapsed());
            assert_eq!(attempts.number() as usize, starts.len());
            assert_eq!(attempts.left() + start.elapsed(), policy.budget);
            sleep(each.min(attempts.left())).await;
            if !attempts.again(verdict, 0.5).await {
                return starts;
            }
        }
    }

    fn millis(values: &[u64]) -> Vec<Duration> {
        values.iter().copied().map(Duration::from_millis).collect()
    }

    #[test]
    fn pauses_double_from_base_to_cap() {
        let policy = RetryPolicy::default();
        let bounds: Vec<_> = (1..7).map(|n| policy.delay(n, 1.0)).collect();
        assert_eq!(bounds, millis(&[200, 400, 800, 1600, 2000, 2000]));
        assert_eq!(policy.delay(3, 0.0), Duration::ZERO);
        assert_eq!(policy.delay(3, 0.5), Duration::from_millis(400));
        assert_eq!(policy.delay(u32::MAX, 1.0), policy.cap);
    }

    #[tokio::test(start_paused = true)]
    async fn four_attempts_with_pauses_between_them() {
        let starts = failing(RetryPolicy::default(), Duration::ZERO, Retry::Backoff).await;
        assert_eq!(starts, millis(&[0, 100, 300, 700]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_final_error_is_not_repeated() {
        let starts = failing(RetryPolicy::default(), Duration::ZERO, Retry::No).await;
        assert_eq!(starts, millis(&[0]));
        let once = RetryPolicy::once(Duration::from_secs(3));
        let starts = failing(once, Duration::ZERO, Retry::Backoff).await;
        assert_eq!(starts, millis(&[0]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_named_pause_is_kept_and_the_budget_ends_it() {
        for (seconds, expected) in [(9, &[0, 9000, 18000, 27000][..]), (16, &[0, 16000])] {
            let after = Retry::After(Duration::from_secs(seconds));
            let starts = failing(RetryPolicy::default(), Duration::ZERO, after).await;
            assert_eq!(starts, millis(expected));
        }
        let after = Retry::After(Duration::MAX);
        let starts = failing(RetryPolicy::default(), Duration::ZERO, after).await;
        assert_eq!(starts, millis(&[0]));
    }

    #[tokio::test(start_paused = true)]
    async fn slow_attempts_use_up_the_budget() {
        let each = Duration::from_secs(14);
        let starts = failing(RetryPolicy::default(), each, Retry::Backoff).await;
        assert_eq!(starts, millis(&[0, 14_100, 28_300]));
    }

    proptest! {
        #[test]
        fn a_pause_never_exceeds_the_cap(attempt: u32, unit in 0.0_f64..1.0) {
            let policy = RetryPolicy::default();
            prop_assert!(policy.delay(attempt, unit) <= policy.cap);
        }
    }
}
