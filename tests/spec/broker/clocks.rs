//! Clocks that are wrong, that jump, and that say what no clock says.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use stsctl::cache::{Entry, Lookup};
use stsctl::model::{ClockSkew, Expiration};
use stsctl::sandbox::Options;

use super::stage::{FAIR, Stage, Weather, id, last};

#[tokio::test(start_paused = true)]
async fn a_wrong_clock_changes_nothing_but_the_first_call() {
    for ahead in [2, -2, 24, -24].map(TimeDelta::hours) {
        let stage = Stage::new();
        stage.set_clock_ahead(ahead);
        let plan = stage.one_role();
        let first = stage.session(&plan).await.unwrap();
        assert_eq!(stage.calls(), 2, "the first was refused for its time");
        let skew = -ahead.num_seconds();
        assert!((skew..=skew + 1).contains(&first.skew.seconds()), "{ahead}");

        // The session is as fresh as the cloud's clock says.
        stage.pass(TimeDelta::minutes(39));
        assert_eq!(id(&stage.session(&plan).await.unwrap()), id(&first));
        stage.pass(TimeDelta::minutes(2));
        assert_ne!(id(&stage.session(&plan).await.unwrap()), id(&first));
        assert_eq!(stage.calls(), 1, "the skew was remembered");

        // So was it for a session that is over.
        stage.pass(TimeDelta::hours(2));
        assert!(!stage.session(&plan).await.unwrap().cached);
        assert_eq!(stage.calls(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_back_makes_the_age_unknown() {
    for back in [TimeDelta::seconds(10), TimeDelta::hours(2)] {
        let stage = Stage::new();
        let plan = stage.one_role();
        let first = stage.session(&plan).await.unwrap();
        stage.set_clock_ahead(-back);
        let second = stage.session(&plan).await.unwrap();
        assert!(!second.cached);
        assert_ne!(id(&second), id(&first));
        stage.sent();
        assert_eq!(id(&stage.session(&plan).await.unwrap()), id(&second));
        assert_eq!(stage.calls(), 0);
    }
    // A clock that is corrected by a little is no reason.
    let stage = Stage::new();
    let plan = stage.one_role();
    stage.session(&plan).await.unwrap();
    stage.set_clock_ahead(TimeDelta::seconds(-4));
    assert!(stage.session(&plan).await.unwrap().cached);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_forward_costs_a_call() {
    let stage = Stage::new();
    let plan = stage.one_role();
    let first = stage.session(&plan).await.unwrap();
    stage.set_clock_ahead(TimeDelta::hours(5));
    let second = stage.session(&plan).await.unwrap();
    assert_ne!(id(&second), id(&first));
    assert!((-18000..=-17999).contains(&second.skew.seconds()));
}

/// A step of a story: time passes, the network changes, somebody wants the session.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Milliseconds.
    Pass(i64),
    /// To so many milliseconds before the end of the session that is cached.
    PassToEnd(i64),
    Weather(Weather),
    Want,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => (0_i64..4_000_000).prop_map(Step::Pass),
        2 => (0_i64..3_000).prop_map(Step::Pass),
        2 => (-1_500_i64..3_500).prop_map(Step::PassToEnd),
        1 => Just(Step::Weather(FAIR)),
        1 => Just(Step::Weather(Weather::Stormy)),
        2 => (0_u64..2000).prop_map(|ms| Step::Weather(Weather::Slow(Duration::from_millis(ms)))),
        6 => Just(Step::Want),
    ];
    proptest::collection::vec(step, 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// [`Stage::demand`] holds each session that is handed out against the cloud's own clock. (A
    /// session of a second or two may end on its way here; no service gives such.)
    #[test]
    fn nobody_is_handed_a_session_past_its_expiration(
        lifetime in prop_oneof![5_u64..120, 120_u64..4000],
        skew in prop_oneof![Just(0), -3_i64..3, -100_000_i64..100_000],
        ahead in prop_oneof![Just(0), -3000_i64..3000, -100_000_000_i64..100_000_000],
        steps in steps(),
    ) {
        paused(async {
            let stage = Stage::with(Options {
                session_lifetime: Some(Duration::from_secs(lifetime)),
                skew: ClockSkew::from_seconds(skew),
                ..Options::default()
            });
            stage.set_clock_ahead(TimeDelta::milliseconds(ahead));
            let plan = stage.one_role();
            let mut stormy = false;
            for step in steps {
                match step {
                    Step::Pass(millis) => stage.pass(TimeDelta::milliseconds(millis)),
                    Step::PassToEnd(millis) => {
                        if let Lookup::Hit(entry) = stage.cache().get(&last(&plan)) {
                            let end = entry.session.expiration.instant();
                            let then = end - TimeDelta::milliseconds(millis);
                            stage.pass((then - stage.cloud.now()).max(TimeDelta::zero()));
                        }
                    }
                    Step::Weather(weather) => {
                        stormy = weather == Weather::Stormy;
                        stage.set_weather(weather);
                    }
                    Step::Want => {
                        let granted = stage.session(&plan).await;
                        assert!(granted.is_ok() || stormy, "{granted:?}");
                    }
                }
            }
        });
    }

    /// The last seconds, when no refresh succeeds and the skew is known to a second at best.
    #[test]
    fn a_session_is_handed_out_almost_to_its_end_and_no_longer(
        ahead in -10_000_i64..10_000,
        round_trip in 0_u64..2000,
    ) {
        paused(async {
            let stage = Stage::new();
            stage.set_clock_ahead(TimeDelta::milliseconds(ahead));
            stage.set_weather(Weather::Slow(Duration::from_millis(round_trip)));
            let plan = stage.one_role();
            let first = stage.session(&plan).await.unwrap();
            stage.set_weather(Weather::Stormy);
            let end = first.session.expiration.instant();
            stage.pass(end - TimeDelta::seconds(5) - stage.cloud.now());
            let mut served = 0;
            while stage.session(&plan).await.is_ok() {
                served += 1;
                stage.pass(TimeDelta::milliseconds(50));
            }
            assert!(served > 0, "five seconds before the end it is good");
            assert!(stage.cloud.now() > end - TimeDelta::seconds(5));
        });
    }

    #[test]
    fn no_instant_makes_it_panic(
        now in instants(),
        obtained_at in instants(),
        expiration in instants(),
        retry_after in proptest::option::of(instants()),
        skew in prop_oneof![any::<i64>(), Just(0), -100_000_i64..100_000],
    ) {
        paused(async {
            let stage = Stage::new();
            stage.set_weather(Weather::Stormy);
            let plan = stage.one_role();
            let entry = Entry {
                session: stsctl::model::Session {
                    access_key_id: "STS.example".parse().unwrap(),
                    access_key_secret: "canary".into(),
                    security_token: "canary".into(),
                    expiration: Expiration::new(expiration),
                    role_arn: plan.hops[0].role_arn.clone(),
                    assumed_role_arn: String::new(),
                    assumed_role_id: String::new(),
                    request_id: String::new(),
                },
                skew: ClockSkew::from_seconds(skew),
                obtained_at,
                retry_after,
            };
            stage.put(&last(&plan), &entry);
            stage.stop_clock_at(now);
            let granted = stage.broker().session(&plan, &stsctl::broker::Demand::default()).await;
            let server_now = entry.skew.server_time(now);
            assert!(granted.is_err() || expiration > server_now, "{granted:?}");
        });
    }
}

/// Runs a story in paused time.
fn paused(story: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build().unwrap();
    runtime.block_on(story);
}

fn instants() -> impl Strategy<Value = DateTime<Utc>> {
    let at = |seconds: i64| DateTime::from_timestamp(seconds, 0).unwrap();
    let now = 1_767_323_045_i64;
    prop_oneof![
        Just(DateTime::<Utc>::MIN_UTC),
        Just(DateTime::<Utc>::MAX_UTC),
        (0_i64..100).prop_map(|s| DateTime::<Utc>::MAX_UTC - TimeDelta::seconds(s)),
        (0_i64..100).prop_map(|s| DateTime::<Utc>::MIN_UTC + TimeDelta::seconds(s)),
        (now - 5000..now + 5000).prop_map(at),
        (-8_000_000_000_000_i64..8_000_000_000_000).prop_map(at),
    ]
}
