//! Many who want the same session, and caches that cannot be shared.

use std::time::Duration;

use futures_util::future::join_all;
use stsctl::broker::Demand;

use super::stage::{Stage, Weather, id, last};

const SLOW: Weather = Weather::Slow(Duration::from_millis(1500));

#[tokio::test(start_paused = true)]
async fn one_call_serves_all_tasks_of_a_process() {
    let stage = Stage::new();
    let plan = stage.one_role();
    stage.set_weather(SLOW);
    let broker = stage.broker();
    for (tasks, demand) in [
        (2, Demand::default()),
        (
            20,
            Demand {
                refresh: true,
                ..Demand::default()
            },
        ),
    ] {
        let all = join_all((0..tasks).map(|_| broker.session(&plan, &demand))).await;
        let all: Vec<_> = all.into_iter().map(Result::unwrap).collect();
        assert!(all.iter().all(|granted| id(granted) == id(&all[0])));
        assert_eq!(all.iter().filter(|granted| !granted.cached).count(), 1);
        assert_eq!(stage.calls(), 1, "{tasks} tasks");
    }
}

#[tokio::test(start_paused = true)]
async fn one_call_serves_twenty_cold_brokers() {
    let stage = Stage::new();
    let plan = stage.one_role();
    stage.set_weather(SLOW);
    let all = join_all((0..20).map(|_| stage.session(&plan))).await;
    let all: Vec<_> = all.into_iter().map(Result::unwrap).collect();
    assert!(all.iter().all(|granted| id(granted) == id(&all[0])));
    assert_eq!(stage.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_cache_each_call_makes_a_session() {
    let stage = Stage::new();
    let plan = stage.one_role();
    let broker = stage.broker_with(None);
    let demand = Demand::default();
    assert!(broker.cached(&plan, &demand).is_none());
    let first = broker.session(&plan, &demand).await.unwrap();
    let second = broker.session(&plan, &demand).await.unwrap();
    assert_ne!(id(&first), id(&second));
    assert!(!first.cached && !second.cached);
    assert_eq!(stage.calls(), 2);
    assert!(!stage.cache().path().exists());
    assert!(stage.notices().is_empty());
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn what_others_could_have_read_costs_a_notice_and_not_the_session() {
    use std::os::unix::fs::PermissionsExt;

    for (is_file, mode) in [(true, 0o640), (false, 0o755)] {
        let stage = Stage::new();
        let plan = stage.one_role();
        let first = stage.session(&plan).await.unwrap();
        let broker = stage.broker();
        let mut path = stage.cache().path().to_owned();
        if is_file {
            path.push(format!("{}.v1.json", last(&plan).key()));
        }
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        let refresh = Demand {
            refresh: true,
            ..Demand::default()
        };
        let granted = broker.session(&plan, &refresh).await.unwrap();
        assert!(!granted.cached);
        assert_ne!(id(&granted), id(&first));
        assert_eq!(stage.calls(), 2);
        let notices = stage.notices();
        assert!(!notices.is_empty());
        assert!(notices.iter().all(|said| said.starts_with("cache: ")));
    }
}

/// A directory where a file must go stands for a disk that takes no writes; root ignores modes.
#[tokio::test(start_paused = true)]
async fn a_session_that_cannot_be_kept_is_handed_out() {
    let stage = Stage::new();
    let plan = stage.one_role();
    drop(stage.hold(&last(&plan)));
    let file = format!("{}.v1.json", last(&plan).key());
    std::fs::create_dir(stage.cache().path().join(file)).unwrap();
    for _ in 0..2 {
        let granted = stage.session(&plan).await.unwrap();
        assert!(!granted.cached);
        assert_eq!(stage.calls(), 1);
        assert!(!stage.notices().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_cannot_be_taken_costs_a_notice_and_not_the_session() {
    let stage = Stage::new();
    let plan = stage.one_role();
    drop(stage.hold(&last(&plan)));
    let file = stage
        .cache()
        .path()
        .join(format!("{}.lock", last(&plan).key()));
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    assert!(!stage.session(&plan).await.unwrap().cached);
    assert_eq!(stage.calls(), 1);
    let notices = stage.notices();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(notices[0].starts_with("cache: "), "{notices:?}");
}

#[tokio::test(start_paused = true)]
async fn a_damaged_session_is_replaced_without_a_word() {
    let stage = Stage::new();
    let plan = stage.one_role();
    let first = stage.session(&plan).await.unwrap();
    let file = format!("{}.v1.json", last(&plan).key());
    let file = stage.cache().path().join(file);
    std::fs::OpenOptions::new()
        .write(true)
        .open(file)
        .unwrap()
        .set_len(40)
        .unwrap();
    let second = stage.session(&plan).await.unwrap();
    assert_ne!(id(&first), id(&second));
    assert_eq!(stage.calls(), 2);
    assert_eq!(id(&stage.session(&plan).await.unwrap()), id(&second));
    assert!(stage.notices().is_empty());
}
