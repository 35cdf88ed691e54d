//! What a caller may ask beyond the plan.

use std::time::Duration;

use chrono::TimeDelta;
use stsctl::broker::{Broker, Demand, Error};
use tokio::time::sleep;

use super::stage::{FAIR, IOTROLE, Stage, Weather, id, last};

fn refresh() -> Demand {
    Demand {
        refresh: true,
        ..Demand::default()
    }
}

fn at_least(lifetime: Duration) -> Demand {
    Demand {
        min_lifetime: Some(lifetime),
        ..Demand::default()
    }
}

fn but(rejected: &str) -> Demand {
    Demand {
        rejected: Some(rejected.parse().unwrap()),
        ..Demand::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_makes_a_new_session_or_fails() {
    let stage = Stage::new();
    let plan = stage.one_role();
    let cold = stage.demand(&plan, &refresh()).await.unwrap();
    assert_eq!(stage.calls(), 1);
    let new = stage.demand(&plan, &refresh()).await.unwrap();
    assert_eq!(stage.calls(), 1);
    assert!(!new.cached);
    assert_ne!(id(&new), id(&cold));
    assert_eq!(id(&stage.session(&plan).await.unwrap()), id(&new));

    stage.set_weather(Weather::Stormy);
    stage.sent();
    let error = stage.demand(&plan, &refresh()).await.unwrap_err();
    assert!(matches!(error, Error::AssumeRole { .. }), "{error:?}");
    assert_eq!(stage.calls(), 4);
    // The good one is still there for those who do not insist.
    assert_eq!(id(&stage.session(&plan).await.unwrap()), id(&new));
    assert!(stage.notices().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_refresh_ignores_the_pause_after_a_failed_one() {
    let stage = Stage::new();
    let plan = stage.one_role();
    let first = stage.session(&plan).await.unwrap();
    stage.pass(TimeDelta::minutes(45));
    stage.set_weather(Weather::Stormy);
    assert_eq!(id(&stage.session(&plan).await.unwrap()), id(&first));
    stage.set_weather(FAIR);
    let new = stage.demand(&plan, &refresh()).await.unwrap();
    assert_ne!(id(&new), id(&first));
}

#[tokio::test(start_paused = true)]
async fn what_another_process_made_meanwhile_is_new() {
    let stage = Stage::new();
    let plan = stage.one_role();
    let first = stage.session(&plan).await.unwrap();
    let made = stage.made_elsewhere(&plan).await;
    for still_held in [true, false] {
        let held = stage.hold(&last(&plan));
        stage
            .cache()
            .put(&held, &stage.entry(&last(&plan)))
            .unwrap();
        let refresh = refresh();
        let (granted, held) = tokio::join!(stage.demand(&plan, &refresh), async {
            sleep(Duration::from_secs(1)).await;
            stage.cache().put(&held, &made).unwrap();
            still_held.then_some(held)
        });
        let granted = granted.unwrap();
        assert_eq!(granted.session.access_key_id, made.session.access_key_id);
        assert!(granted.cached);
        assert_eq!(stage.calls(), 0);
        drop(held);
        // Back to where it began.
        let mut old = made.clone();
        old.session = first.session.clone();
        stage.put(&last(&plan), &old);
    }
}

#[tokio::test(start_paused = true)]
async fn a_demand_that_waits_in_vain_fails_though_a_session_is_valid() {
    let stage = Stage::new();
    let plan = stage.one_role();
    stage.session(&plan).await.unwrap();
    let _held = stage.hold(&last(&plan));
    let long = at_least(Duration::from_secs(3601));
    for demand in [refresh(), long] {
        let error = stage.demand(&plan, &demand).await.unwrap_err();
        assert!(matches!(error, Error::Waited { .. }), "{error:?}");
    }
    assert_eq!(stage.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_lasts_less_than_asked_for_is_replaced() {
    let stage = Stage::new();
    let plan = stage.one_role();
    let first = stage.session(&plan).await.unwrap();
    stage.pass(TimeDelta::minutes(20));
    let enough = at_least(Duration::from_secs(39 * 60));
    assert_eq!(id(&stage.demand(&plan, &enough).await.unwrap()), id(&first));
    assert_eq!(stage.calls(), 1);

    let more = at_least(Duration::from_secs(41 * 60));
    let new = stage.demand(&plan, &more).await.unwrap();
    assert_ne!(id(&new), id(&first));
    assert_eq!(stage.calls(), 1);

    // Its failure is an error, although a session is valid.
    stage.pass(TimeDelta::minutes(20));
    stage.set_weather(Weather::Stormy);
    let error = stage.demand(&plan, &more).await.unwrap_err();
    assert!(matches!(error, Error::AssumeRole { .. }), "{error:?}");
    assert_eq!(id(&stage.demand(&plan, &enough).await.unwrap()), id(&new));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_gives_less_is_found_out() {
    let options = stsctl::sandbox::Options {
        session_lifetime: Some(Duration::from_secs(30 * 60)),
        ..Default::default()
    };
    let stage = Stage::with(options);
    let plan = stage.one_role();
    let error = stage
        .demand(&plan, &at_least(Duration::from_secs(45 * 60)))
        .await
        .unwrap_err();
    let Error::TooShort { left, least } = error else {
        panic!("{error:?}");
    };
    assert_eq!(least, Duration::from_secs(45 * 60));
    assert!((1797..=1800).contains(&left.as_secs()), "{left:?}");

    // The call itself takes time; that alone is not "less".
    let all = at_least(Duration::from_secs(30 * 60));
    stage.set_weather(Weather::Slow(Duration::from_secs(4)));
    assert!(!stage.demand(&plan, &all).await.unwrap().cached);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_session_is_not_served_again() {
    let stage = Stage::new();
    let plan = stage.one_role();
    let first = stage.session(&plan).await.unwrap();
    let new = stage.demand(&plan, &but(&id(&first))).await.unwrap();
    assert_ne!(id(&new), id(&first));
    assert_eq!(stage.calls(), 2);

    // Another process may have replaced it long ago.
    let served = stage.demand(&plan, &but(&id(&first))).await.unwrap();
    assert_eq!((id(&served), stage.calls()), (id(&new), 0));

    stage.set_weather(Weather::Stormy);
    let error = stage.demand(&plan, &but(&id(&new))).await.unwrap_err();
    assert!(matches!(error, Error::AssumeRole { .. }), "{error:?}");
}

/// Both at once: neither what is there, nor what a service has refused.
#[tokio::test(start_paused = true)]
async fn a_refresh_after_a_rejection_serves_neither() {
    let stage = Stage::new();
    let plan = stage.one_role();
    let first = stage.session(&plan).await.unwrap();
    let refused = stage.entry(&last(&plan));
    let second = stage.demand(&plan, &but(&id(&first))).await.unwrap();
    let both = Demand {
        refresh: true,
        ..but(&id(&first))
    };
    let third = stage.demand(&plan, &both).await.unwrap();
    assert!(![id(&first), id(&second)].contains(&id(&third)));

    // Somebody puts the refused one back while we wait.
    let held = stage.hold(&last(&plan));
    let file = format!("{}.v1.json", last(&plan).key());
    std::fs::remove_file(stage.cache().path().join(file)).unwrap();
    let (fourth, ()) = tokio::join!(stage.demand(&plan, &both), async {
        sleep(Duration::from_secs(1)).await;
        stage.cache().put(&held, &refused).unwrap();
        drop(held);
    });
    assert_ne!(id(&fourth.unwrap()), id(&first));
}

#[tokio::test(start_paused = true)]
async fn looking_is_not_asking() {
    let stage = Stage::new();
    let plan = stage.one_role();
    let broker = || stage.broker();
    let cached = |broker: Broker, demand| broker.cached(&plan, &demand).map(|g| id(&g));
    assert_eq!(cached(broker(), Demand::default()), None);
    assert!(broker().peek(&plan).is_none());
    assert!(
        !stage.cache().path().exists(),
        "looking does not even make the directory"
    );

    let first = id(&stage.session(&plan).await.unwrap());
    let _held = stage.hold(&last(&plan));
    assert_eq!(cached(broker(), Demand::default()), Some(first.clone()));
    assert_eq!(cached(broker(), refresh()), None);
    assert_eq!(cached(broker(), but(&first)), None);

    stage.pass(TimeDelta::minutes(45));
    assert_eq!(cached(broker(), Demand::default()), None);
    let peeked = broker().peek(&plan).map(|granted| id(&granted));
    assert_eq!(peeked, Some(first));
    stage.pass(TimeDelta::minutes(15));
    assert!(broker().peek(&plan).is_none());
    assert!(broker().peek(&stage.plan(&[IOTROLE])).is_none());
    assert_eq!(stage.calls(), 1);
}
