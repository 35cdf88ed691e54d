//! The two windows, and what happens when a refresh in them fails.

use std::time::Duration;

use chrono::TimeDelta;
use stsctl::broker::{Error, inputs};
use tokio::time::{Instant, sleep};

use super::stage::{FAIR, IOTROLE, Stage, TESTROLE, Weather, id, last};

/// Where the windows of a session open, in seconds before its Expiration.
struct Windows {
    duration: &'static str,
    first: i64,
    second: i64,
}

/// An hour's windows are a third and 5 minutes; the longest session's 20 and 5 minutes, the
/// shortest one's a third and a tenth.
const WINDOWS: [Windows; 3] = [
    Windows {
        duration: "1h",
        first: 1200,
        second: 300,
    },
    Windows {
        duration: "12h",
        first: 1200,
        second: 300,
    },
    Windows {
        duration: "15m",
        first: 300,
        second: 90,
    },
];

/// Lets time pass until the cached session lasts so many seconds.
fn pass_until(stage: &Stage, plan: &stsctl::config::Plan, left: i64) {
    let expiration = stage.entry(&last(plan)).session.expiration.instant();
    stage.pass(expiration - TimeDelta::seconds(left) - stage.cloud.now());
}

#[tokio::test(start_paused = true)]
async fn the_first_window_opens_on_time() {
    for windows in WINDOWS {
        let stage = Stage::new();
        let mut plan = stage.one_role();
        plan.hops[0].duration = windows.duration.parse().unwrap();
        let first = stage.session(&plan).await.unwrap();
        assert!(!first.cached);
        assert_eq!(stage.calls(), 1);

        // A skew is right to a second.
        pass_until(&stage, &plan, windows.first + 2);
        let second = stage.session(&plan).await.unwrap();
        assert!(second.cached);
        assert_eq!(
            (id(&second), stage.calls()),
            (id(&first), 0),
            "{}",
            windows.duration
        );

        pass_until(&stage, &plan, windows.first - 2);
        let third = stage.session(&plan).await.unwrap();
        assert!(!third.cached);
        assert_ne!(id(&third), id(&first), "{}", windows.duration);
        assert_eq!(stage.calls(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fresh_session_waits_for_nobody() {
    let stage = Stage::new();
    let plan = stage.one_role();
    stage.session(&plan).await.unwrap();
    let _held = stage.hold(&last(&plan));
    let before = Instant::now();
    assert!(stage.session(&plan).await.unwrap().cached);
    assert_eq!((stage.calls(), before.elapsed()), (1, Duration::ZERO));
    assert!(stage.notices().is_empty());
}

#[tokio::test(start_paused = true)]
async fn in_the_first_window_others_are_served_while_one_refreshes() {
    for windows in WINDOWS {
        for left in [windows.first - 2, windows.second + 2] {
            let stage = Stage::new();
            let mut plan = stage.one_role();
            plan.hops[0].duration = windows.duration.parse().unwrap();
            let first = stage.session(&plan).await.unwrap();
            pass_until(&stage, &plan, left);
            let held = stage.hold(&last(&plan));
            let before = Instant::now();
            let served = stage.session(&plan).await.unwrap();
            assert_eq!(id(&served), id(&first), "{} {left}", windows.duration);
            assert_eq!((stage.calls(), before.elapsed()), (1, Duration::ZERO));

            drop(held);
            assert_ne!(id(&stage.session(&plan).await.unwrap()), id(&first));
            assert_eq!(stage.calls(), 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn in_the_second_window_callers_wait_for_the_refresh() {
    for windows in WINDOWS {
        let stage = Stage::new();
        let mut plan = stage.one_role();
        plan.hops[0].duration = windows.duration.parse().unwrap();
        let first = stage.session(&plan).await.unwrap();
        pass_until(&stage, &plan, windows.second - 2);
        let new = stage.made_elsewhere(&plan).await;
        let held = stage.hold(&last(&plan));
        let before = Instant::now();
        let (served, ()) = tokio::join!(stage.session(&plan), async {
            sleep(Duration::from_secs(10)).await;
            stage.cache().put(&held, &new).unwrap();
        });
        let served = served.unwrap();
        assert_ne!(id(&served), id(&first), "{}", windows.duration);
        assert_eq!(served.session.access_key_id, new.session.access_key_id);
        assert!(served.cached);
        assert_eq!((stage.calls(), before.elapsed().as_secs()), (0, 10));
        assert_eq!(stage.notices(), ["waiting for this process"]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_holder_may_end_without_a_session() {
    let stage = Stage::new();
    let plan = stage.one_role();
    let held = stage.hold(&last(&plan));
    let (served, ()) = tokio::join!(stage.session(&plan), async {
        sleep(Duration::from_millis(300)).await;
        drop(held);
    });
    assert!(!served.unwrap().cached);
    assert_eq!(stage.calls(), 1);
    assert!(stage.notices().is_empty(), "too short a wait to speak of");
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_bounded() {
    let stage = Stage::new();
    let plan = stage.one_role();

    // Nothing to fall back to.
    let held = stage.hold(&last(&plan));
    let before = Instant::now();
    let error = stage.session(&plan).await.unwrap_err();
    assert!((30..31).contains(&before.elapsed().as_secs()));
    let pid = std::process::id();
    assert_eq!(
        error.to_string(),
        format!("waited 30 s for process {pid} to refresh the session of `{TESTROLE}`")
    );
    assert!(matches!(error, Error::Waited { .. }));
    assert_eq!(stage.calls(), 0);
    drop(held);

    // A session that still is valid.
    let first = stage.session(&plan).await.unwrap();
    pass_until(&stage, &plan, 200);
    let held = stage.hold(&last(&plan));
    let before = Instant::now();
    assert_eq!(id(&stage.session(&plan).await.unwrap()), id(&first));
    assert!((30..31).contains(&before.elapsed().as_secs()));
    drop(held);

    // One that ends meanwhile.
    pass_until(&stage, &plan, 20);
    let held = stage.hold(&last(&plan));
    let error = stage.session(&plan).await.unwrap_err();
    assert!(matches!(error, Error::Waited { .. }), "{error:?}");
    drop(held);
    assert_eq!(stage.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_ahead_of_need_is_one_short_attempt_and_then_a_pause() {
    for (weather, took) in [(Weather::Stormy, 0), (Weather::Silent, 3)] {
        for left in [1100, 200] {
            let stage = Stage::new();
            let plan = stage.one_role();
            let first = stage.session(&plan).await.unwrap();
            pass_until(&stage, &plan, left);
            stage.set_weather(weather);
            stage.sent();

            let before = Instant::now();
            let served = stage.session(&plan).await.unwrap();
            assert!(served.cached);
            assert_eq!(id(&served), id(&first));
            let elapsed = before.elapsed();
            assert_eq!(stage.calls(), 1);
            assert!(elapsed <= Duration::from_secs(took), "{elapsed:?}");
            assert!(elapsed >= Duration::from_secs(took).mul_f32(0.9));
            let [notice] = stage.notices().try_into().unwrap();
            let failed = format!(" s left: cannot assume `{TESTROLE}`");
            let said = notice.strip_prefix("refresh failed, ").unwrap();
            let said: i64 = said.strip_suffix(&failed).unwrap().parse().unwrap();
            assert!((said - left).abs() <= 5, "{notice}");

            let pause = stage.entry(&last(&plan)).retry_after.unwrap() - stage.now();
            assert!(
                (TimeDelta::seconds(30)..=TimeDelta::seconds(60)).contains(&pause),
                "{pause}"
            );
            stage.pass(pause - TimeDelta::milliseconds(1));
            stage.set_weather(FAIR);
            assert_eq!(id(&stage.session(&plan).await.unwrap()), id(&first));
            assert_eq!(stage.calls(), 0, "nobody tries again");
            assert!(stage.notices().is_empty());

            stage.pass(TimeDelta::milliseconds(1));
            assert_ne!(id(&stage.session(&plan).await.unwrap()), id(&first));
            assert_eq!(stage.calls(), 1);
            assert_eq!(stage.entry(&last(&plan)).retry_after, None);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_ends_with_the_session() {
    let stage = Stage::new();
    let plan = stage.one_role();
    let first = stage.session(&plan).await.unwrap();
    pass_until(&stage, &plan, 20);
    stage.set_weather(Weather::Stormy);
    assert_eq!(id(&stage.session(&plan).await.unwrap()), id(&first));
    pass_until(&stage, &plan, 0);
    stage.sent();
    let error = stage.session(&plan).await.unwrap_err();
    assert!(matches!(error, Error::AssumeRole { .. }), "{error:?}");
    assert_eq!(stage.calls(), 4, "in the pause, but there is nothing left");
}

#[tokio::test(start_paused = true)]
async fn a_note_by_another_clock_stops_nobody() {
    let stage = Stage::new();
    let plan = stage.one_role();
    stage.session(&plan).await.unwrap();
    pass_until(&stage, &plan, 1000);
    let mut entry = stage.entry(&last(&plan));
    entry.retry_after = Some(stage.now() + TimeDelta::hours(5));
    stage.put(&last(&plan), &entry);
    stage.sent();
    assert!(!stage.session(&plan).await.unwrap().cached);
    assert_eq!(stage.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_valid_session_there_are_four_attempts() {
    let stage = Stage::new();
    let plan = stage.one_role();
    stage.set_weather(Weather::Stormy);
    let error = stage.session(&plan).await.unwrap_err();
    assert!(matches!(error, Error::AssumeRole { .. }), "{error:?}");
    assert_eq!(stage.calls(), 4);

    stage.set_weather(FAIR);
    stage.session(&plan).await.unwrap();
    pass_until(&stage, &plan, 0);
    stage.set_weather(Weather::Stormy);
    stage.sent();
    stage.session(&plan).await.unwrap_err();
    assert_eq!(stage.calls(), 4);
    assert!(
        stage.notices().is_empty(),
        "an error needs no notice beside it"
    );

    stage.set_weather(Weather::Silent);
    let before = Instant::now();
    stage.session(&plan).await.unwrap_err();
    assert_eq!(before.elapsed().as_secs(), 30);
}

/// The hops before may have to be made anew, or be another process's to make; all of it counts.
#[tokio::test(start_paused = true)]
async fn the_limit_of_a_refresh_covers_the_hops_before() {
    let stage = Stage::new();
    let plan = stage.plan(&[TESTROLE, IOTROLE]);
    let first = stage.session(&plan).await.unwrap();
    pass_until(&stage, &plan, 1000);
    let mut before_it = stage.entry(&inputs(&plan)[0]);
    before_it.obtained_at += TimeDelta::hours(10);
    stage.put(&inputs(&plan)[0], &before_it);

    let held = stage.hold(&inputs(&plan)[0]);
    let before = Instant::now();
    assert_eq!(id(&stage.session(&plan).await.unwrap()), id(&first));
    assert_eq!(before.elapsed().as_secs(), 3);
    drop(held);
    assert!(
        stage
            .notices()
            .iter()
            .any(|said| said.contains("longer than 3 s"))
    );

    stage.pass(TimeDelta::seconds(61));
    stage.set_weather(Weather::Silent);
    let before = Instant::now();
    assert_eq!(id(&stage.session(&plan).await.unwrap()), id(&first));
    assert_eq!(before.elapsed().as_secs(), 3);
}
