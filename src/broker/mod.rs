//! A plan in, a session out. Looks into the cache, decides by freshness, lets one process refresh
//! at a time and the others be served, and never hands out a session past its Expiration. Must
//! not know terminals or arguments: what a person should hear goes to a [`Notice`] callback.

mod error;
mod freshness;
mod hop;
mod notice;

pub use error::Error;
pub use hop::inputs;
pub use notice::Notice;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::{FutureExt, LocalBoxFuture};
use tokio::time::Instant;

use self::freshness::{Freshness, judge, lifetime_left};
use self::hop::request;
use crate::cache::{Cache, CacheLock, Entry, Inputs, Lookup};
use crate::config::{Base, BaseKind, Plan, secret};
use crate::http::{RetryPolicy, Transport};
use crate::model::{AccessKeyId, Clock, ClockSkew, Credentials, Session};
use crate::sts::{SignatureScheme, StsClient};

/// How long a caller waits for another process to refresh the session it wants.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How often a waiting caller looks again.
const POLL: Duration = Duration::from_millis(20);
/// How long a caller waits before it says so.
const QUIET_WAIT: Duration = Duration::from_millis(700);
/// The one attempt to refresh a session that is still valid may take this long, with all that it
/// needs: a secret's command, a wait for another process, the hops before.
const REFRESH_LIMIT: Duration = Duration::from_secs(3);
/// The call itself may take this long, so that its own error, which says more, comes first.
const CALL_LIMIT: Duration = Duration::from_millis(2750);
/// After a failed refresh nobody tries again for this many seconds, drawn at random.
const BACK_OFF_SECONDS: std::ops::RangeInclusive<i64> = 30..=60;

/// What a new session may lack of the lifetime asked for: the request itself took a moment, and
/// that is not what the caller means by "less".
const GRACE: TimeDelta = TimeDelta::seconds(60);

/// What a caller asks beyond the plan.
#[derive(Clone, Debug, Default)]
pub struct Demand {
    /// A new session even if a good one is cached; its failure is an error.
    pub refresh: bool,
    /// A new session rather than one that lasts less.
    pub min_lifetime: Option<Duration>,
    /// The AccessKeyId of a session that a service has refused: anything but that one.
    pub rejected: Option<AccessKeyId>,
}

/// A session that may be used now.
#[derive(Clone, Debug)]
pub struct Granted {
    /// The session.
    pub session: Session,
    /// How far the service's clock is ahead of ours, for signing with it.
    pub skew: ClockSkew,
    /// Whether it came from the cache.
    pub cached: bool,
}

/// Turns plans into sessions.
pub struct Broker {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    cache: Option<Cache>,
    scheme: SignatureScheme,
    notify: Box<dyn Fn(Notice<'_>) + Send + Sync>,
}

impl Broker {
    /// A broker that keeps sessions in `cache` (`None`: nowhere) and tells `notify` what a person
    /// should hear.
    pub fn new(
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        cache: Option<Cache>,
        scheme: SignatureScheme,
        notify: impl Fn(Notice<'_>) + Send + Sync + 'static,
    ) -> Self {
        Self {
            transport,
            clock,
            cache,
            scheme,
            notify: Box::new(notify),
        }
    }

    /// Returns the plan's session if the cache has one that needs no refresh. Touches no
    /// network and waits for nothing.
    pub fn cached(&self, plan: &Plan, demand: &Demand) -> Option<Granted> {
        if demand.refresh {
            return None;
        }
        match self.look(inputs(plan).last()?, demand, self.clock.now()) {
            Look::Serve(entry) => {
                tracing::info!(role_arn = %entry.session.role_arn, "the cached session");
                Some(granted(entry, true))
            }
            Look::Refresh { .. } => None,
        }
    }

    /// Returns what the cache holds for the plan, fresh or not, for those who only report.
    pub fn peek(&self, plan: &Plan) -> Option<Granted> {
        let entry = self.entry(inputs(plan).last()?)?;
        judge(&entry, self.clock.now())
            .is_valid()
            .then(|| granted(entry, true))
    }

    /// Returns a session for the plan's last role.
    ///
    /// # Errors
    /// What stands in the way of one; never while a valid session is at hand, unless `demand`
    /// excludes it.
    ///
    /// # Panics
    /// If the plan has no role: such a plan's base identity is used as it is.
    pub async fn session(&self, plan: &Plan, demand: &Demand) -> Result<Granted, Error> {
        assert!(!plan.hops.is_empty(), "a session needs a role");
        let inputs = inputs(plan);
        self.obtain(plan, &inputs, plan.hops.len() - 1, demand.clone())
            .await
    }

    /// Returns the base identity's own credentials, running its command or reading its file.
    /// The command gets at most `limit`.
    pub async fn base_credentials(
        &self,
        base: &Base,
        limit: Duration,
    ) -> Result<Credentials, Error> {
        let (access_key_secret, security_token) = match &base.kind {
            BaseKind::AccessKey { secret: source } => {
                let source = source.clone();
                // A command may take its time: it must not stop the runtime's other work.
                let resolved = tokio::task::spawn_blocking(move || secret::resolve(&source, limit))
                    .await
                    .expect("resolving a secret does not panic");
                (resolved?, None)
            }
            BaseKind::SessionToken { secret, token } | BaseKind::Exported { secret, token, .. } => {
                (secret.clone(), Some(token.clone()))
            }
        };
        let access_key_id = base.access_key_id.clone();
        Ok(Credentials {
            access_key_id,
            access_key_secret,
            security_token,
        })
    }

    /// Obtains the session of one hop. Locks are taken from the last hop to the first, so that
    /// no two processes can wait for each other.
    fn obtain<'a>(
        &'a self,
        plan: &'a Plan,
        inputs: &'a [Inputs],
        hop: usize,
        mut demand: Demand,
    ) -> LocalBoxFuture<'a, Result<Granted, Error>> {
        async move {
            let wanted = &inputs[hop];
            let asked = self.clock.now();
            if demand.refresh {
                // From here on "new" means: not the one that is there now.
                let there = self.entry(wanted).map(|entry| entry.session.access_key_id);
                demand.rejected = there.or(demand.rejected);
            } else if let Look::Serve(entry) = self.look(wanted, &demand, asked) {
                return Ok(granted(entry, true));
            }
            let lock = match self.lock(wanted, &demand, asked).await? {
                Turn::Served(entry) => return Ok(granted(*entry, true)),
                Turn::Mine(lock) => Some(*lock),
                Turn::Unlocked => None,
            };
            // Another process may have refreshed it while we waited for the lock.
            let (last, fallback) = match self.look(wanted, &demand, asked) {
                Look::Serve(entry) => return Ok(granted(entry, true)),
                Look::Refresh { last, fallback } => (last, fallback),
            };
            let skew = last
                .or(fallback.as_ref().map(|f| f.skew))
                .unwrap_or_default();
            let made = if fallback.is_some() {
                let retry = RetryPolicy::once(CALL_LIMIT);
                let attempt = self.assume(plan, inputs, hop, skew, retry);
                match tokio::time::timeout(REFRESH_LIMIT, attempt).await {
                    Ok(made) => made,
                    Err(_) => Err(Error::TooSlow {
                        role_arn: plan.hops[hop].role_arn.clone(),
                    }),
                }
            } else {
                let retry = RetryPolicy::default();
                self.assume(plan, inputs, hop, skew, retry).await
            };
            match made {
                Ok(entry) => {
                    self.keep(lock.as_ref(), &entry);
                    self.check_lifetime(&entry, &demand)?;
                    Ok(granted(entry, false))
                }
                Err(error) => self.fall_back(lock.as_ref(), fallback, error),
            }
        }
        .boxed_local()
    }

    /// Calls AssumeRole for one hop with the credentials of the hop before it.
    async fn assume(
        &self,
        plan: &Plan,
        inputs: &[Inputs],
        hop: usize,
        skew: ClockSkew,
        retry: RetryPolicy,
    ) -> Result<Entry, Error> {
        let role = &plan.hops[hop];
        let sts = StsClient::new(
            Arc::clone(&self.transport),
            Arc::clone(&self.clock),
            plan.sts_endpoint.clone(),
            self.scheme,
            retry,
        );
        // A refresh that may take no time leaves none to the secret's command.
        let command_limit = secret::COMMAND_LIMIT.min(retry.budget * retry.attempts);
        let answer = if hop == 0 {
            let caller = self.base_credentials(&plan.base, command_limit).await?;
            sts.assume_role(&caller, skew, &request(role)).await
        } else {
            let before = self
                .obtain(plan, inputs, hop - 1, Demand::default())
                .await?;
            let caller = before.session.credentials();
            match sts.assume_role(&caller, before.skew, &request(role)).await {
                // A cached hop may have been revoked: once, ask for another.
                Err(error) if error.is_bad_credentials() && before.cached => {
                    let rejected = Some(caller.access_key_id);
                    let demand = Demand {
                        rejected,
                        ..Demand::default()
                    };
                    let before = self.obtain(plan, inputs, hop - 1, demand).await?;
                    let caller = before.session.credentials();
                    sts.assume_role(&caller, before.skew, &request(role)).await
                }
                other => other,
            }
        };
        let answer = answer.map_err(|source| Error::AssumeRole {
            role_arn: role.role_arn.clone(),
            source: Box::new(source),
        })?;
        tracing::info!(
            role_arn = %role.role_arn,
            request_id = answer.value.request_id,
            skew = answer.skew.seconds(),
            "a new session"
        );
        Ok(Entry {
            session: answer.value,
            skew: answer.skew,
            obtained_at: self.clock.now(),
            retry_after: None,
        })
    }

    /// Serves the session that is still valid although its refresh failed, and notes the failure
    /// so that nobody tries again at once.
    fn fall_back(
        &self,
        lock: Option<&CacheLock>,
        fallback: Option<Entry>,
        error: Error,
    ) -> Result<Granted, Error> {
        let now = self.clock.now();
        let Some(mut entry) = fallback.filter(|entry| judge(entry, now).is_valid()) else {
            return Err(error);
        };
        (self.notify)(Notice::RefreshFailed {
            error: &error,
            left: lifetime_left(&entry, now),
        });
        let pause = fastrand::i64(BACK_OFF_SECONDS);
        entry.retry_after = now.checked_add_signed(TimeDelta::seconds(pause));
        self.keep(lock, &entry);
        Ok(granted(entry, true))
    }

    /// Waits for the lock of a session, or until another process has made it good enough.
    async fn lock(
        &self,
        wanted: &Inputs,
        demand: &Demand,
        asked: DateTime<Utc>,
    ) -> Result<Turn, Error> {
        let Some(cache) = &self.cache else {
            return Ok(Turn::Unlocked);
        };
        let started = Instant::now();
        let mut told = false;
        loop {
            match cache.try_lock(wanted, self.clock.now()) {
                Ok(Some(lock)) => return Ok(Turn::Mine(Box::new(lock))),
                Ok(None) => {}
                Err(error) => {
                    (self.notify)(Notice::CacheUnusable(&error));
                    return Ok(Turn::Unlocked);
                }
            }
            let fallback = match self.look(wanted, demand, asked) {
                Look::Serve(entry) => return Ok(Turn::Served(Box::new(entry))),
                Look::Refresh { fallback, .. } => fallback,
            };
            let now = self.clock.now();
            let elapsed = started.elapsed();
            let out_of_time = elapsed >= LONGEST_WAIT;
            if let Some(entry) = fallback {
                // While the session is merely ageing nobody waits; when it is ending, its
                // refresh is waited for, but not past the bound.
                if judge(&entry, now) == Freshness::Ageing || out_of_time {
                    return Ok(Turn::Served(Box::new(entry)));
                }
            }
            if out_of_time {
                let holder = cache.holder(wanted);
                return Err(Error::Waited {
                    holder,
                    role_arn: wanted.role_arn.clone(),
                });
            }
            if !told && elapsed >= QUIET_WAIT {
                told = true;
                (self.notify)(Notice::Waiting {
                    holder: cache.holder(wanted).as_ref(),
                });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Decides what to do with what the cache holds. A session made since the caller `asked` counts
    /// as new for it, whoever made it.
    fn look(&self, wanted: &Inputs, demand: &Demand, asked: DateTime<Utc>) -> Look {
        let Some(entry) = self.entry(wanted) else {
            return Look::Refresh {
                last: None,
                fallback: None,
            };
        };
        let now = self.clock.now();
        let freshness = judge(&entry, now);
        let too_short = if entry.obtained_at <= asked {
            is_short(lifetime_left(&entry, now), demand)
        } else {
            is_short(lifetime_left(&entry, now) + GRACE, demand)
        };
        if demand.rejected.as_ref() == Some(&entry.session.access_key_id)
            || too_short
            || !freshness.is_valid()
        {
            return Look::Refresh {
                last: Some(entry.skew),
                fallback: None,
            };
        }
        // A note from further ahead than any back-off reaches was written by another clock.
        let longest = TimeDelta::seconds(*BACK_OFF_SECONDS.end());
        let backing_off = entry
            .retry_after
            .is_some_and(|until| now < until && until - now <= longest);
        if freshness == Freshness::Fresh || backing_off {
            Look::Serve(entry)
        } else {
            Look::Refresh {
                last: None,
                fallback: Some(entry),
            }
        }
    }

    /// Reads the cache; what is wrong with it is told, and counts as nothing there.
    fn entry(&self, wanted: &Inputs) -> Option<Entry> {
        match self.cache.as_ref()?.get(wanted) {
            Lookup::Hit(entry) => Some(*entry),
            Lookup::Miss => None,
            Lookup::Unusable(error) => {
                (self.notify)(Notice::CacheUnusable(&error));
                None
            }
        }
    }

    /// Stores an entry; a cache that cannot be written costs a notice, never the session.
    fn keep(&self, lock: Option<&CacheLock>, entry: &Entry) {
        if let (Some(cache), Some(lock)) = (&self.cache, lock)
            && let Err(error) = cache.put(lock, entry)
        {
            (self.notify)(Notice::CacheUnusable(&error));
        }
    }

    /// A new session may still be shorter than asked for: the role's or the service's limit.
    fn check_lifetime(&self, entry: &Entry, demand: &Demand) -> Result<(), Error> {
        let left = lifetime_left(entry, self.clock.now());
        match demand.min_lifetime {
            Some(least) if is_short(left + GRACE, demand) => Err(Error::TooShort {
                left: left.to_std().unwrap_or_default(),
                least,
            }),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker")
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}

/// What to do with what the cache holds.
enum Look {
    /// Hand it out.
    Serve(Entry),
    /// Get a new one; `fallback` is the old one, where it may still be handed out, and `last` the
    /// skew of one that may not.
    Refresh {
        last: Option<ClockSkew>,
        fallback: Option<Entry>,
    },
}

/// The outcome of waiting for a lock.
enum Turn {
    /// This process refreshes.
    Mine(Box<CacheLock>),
    /// Another process has refreshed, or is doing so while the session is good enough.
    Served(Box<Entry>),
    /// There is nothing to lock: no cache, or one that cannot be used.
    Unlocked,
}

/// Tells whether a session that lasts `left` is less than was asked for.
fn is_short(left: TimeDelta, demand: &Demand) -> bool {
    let left = left.to_std().unwrap_or_default();
    demand.min_lifetime.is_some_and(|least| left < least)
}

fn granted(entry: Entry, cached: bool) -> Granted {
    Granted {
        session: entry.session,
        skew: entry.skew,
        cached,
    }
}
