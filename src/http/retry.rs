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

    /// Runs `attempt` until it succeeds, `judge` finds its error final, or attempts or budget are
    /// used up; then returns the last error. A pause that would outlast the budget is not begun.
    ///
    /// `unit` draws from [0, 1). Each attempt must keep to the time it is given.
    pub async fn run<T, E>(
        &self,
        mut unit: impl FnMut() -> f64,
        judge: impl Fn(&E) -> Retry,
        mut attempt: impl AsyncFnMut(Attempt) -> Result<T, E>,
    ) -> Result<T, E> {
        let start = Instant::now();
        let mut number = 1;
        loop {
            let left = self.budget.saturating_sub(start.elapsed());
            let error = match attempt(Attempt { number, left }).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let pause = match judge(&error) {
                Retry::No => return Err(error),
                Retry::Backoff => self.delay(number, unit()),
                Retry::After(least) => least.max(self.delay(number, unit())),
            };
            let spent = start.elapsed().saturating_add(pause);
            if number >= self.attempts || spent >= self.budget {
                return Err(error);
            }
            sleep(pause).await;
            number += 1;
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

/// One attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// What is left of the budget: the longest it may take.
    pub left: Duration,
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

    /// Runs attempts that always fail; returns the instants at which they started.
    async fn failing(policy: RetryPolicy, unit: f64, verdict: Retry) -> Vec<Duration> {
        let start = Instant::now();
        let mut starts = Vec::new();
        let outcome: Result<(), ()> = policy
            .run(
                || unit,
                |()| verdict,
                async |_| {
                    starts.push(start.elapsed());
                    Err(())
                },
            )
            .await;
        assert_eq!(outcome, Err(()));
        starts
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
        let starts = failing(RetryPolicy::default(), 0.5, Retry::Backoff).await;
        assert_eq!(starts, millis(&[0, 100, 300, 700]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_final_error_is_not_repeated() {
        assert_eq!(
            failing(RetryPolicy::default(), 0.5, Retry::No).await.len(),
            1
        );
        let once = RetryPolicy::once(Duration::from_secs(3));
        assert_eq!(failing(once, 0.5, Retry::Backoff).await.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_named_pause_is_kept_and_the_budget_ends_it() {
        let after = Retry::After(Duration::from_secs(9));
        let starts = failing(RetryPolicy::default(), 0.5, after).await;
        assert_eq!(starts, millis(&[0, 9000, 18000, 27000]));
        let after = Retry::After(Duration::from_secs(16));
        let starts = failing(RetryPolicy::default(), 0.5, after).await;
        assert_eq!(starts, millis(&[0, 16000]));
        let after = Retry::After(Duration::MAX);
        assert_eq!(failing(RetryPolicy::default(), 0.5, after).await.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_is_told_what_is_left() {
        let policy = RetryPolicy::default();
        let mut seen = Vec::new();
        let outcome = policy
            .run(
                || 0.0,
                |()| Retry::Backoff,
                async |attempt| {
                    seen.push(attempt);
                    sleep(attempt.left.min(Duration::from_secs(12))).await;
                    Err::<(), ()>(())
                },
            )
            .await;
        assert_eq!(outcome, Err(()));
        let left: Vec<_> = seen.iter().map(|a| (a.number, a.left.as_secs())).collect();
        assert_eq!(left, [(1, 30), (2, 18), (3, 6)]);
    }

    proptest! {
        #[test]
        fn a_pause_never_exceeds_the_cap(attempt: u32, unit in 0.0_f64..1.0) {
            let policy = RetryPolicy::default();
            prop_assert!(policy.delay(attempt, unit) <= policy.cap);
        }
    }
}
