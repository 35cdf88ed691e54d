//! What a session depends on: each input, and the base identity's secret.

use stsctl::broker::Demand;
use stsctl::config::{ConfigFile, Env, Plan, resolve};

use super::stage::{IOTROLE, Stage, TESTROLE, id, wanted};

/// A change, and its name.
type Flip = (&'static str, fn(&mut Plan));

/// Each changes one input of the plan, and nothing else.
const FLIPS: [Flip; 9] = [
    ("nothing", |_| {}),
    ("STS endpoint", |plan| {
        plan.sts_endpoint = "http://sts.other.localhost".parse().unwrap();
    }),
    ("RoleArn", |plan| {
        plan.hops[0].role_arn = IOTROLE.parse().unwrap();
    }),
    ("RoleSessionName", |plan| {
        plan.hops[0].role_session_name = "bob".parse().unwrap();
    }),
    ("DurationSeconds", |plan| {
        plan.hops[0].duration = "30m".parse().unwrap();
    }),
    ("Policy", |plan| {
        let policy =
            r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:*","Resource":"*"}]}"#;
        plan.hops[0].policy = Some(policy.parse().unwrap());
    }),
    ("ExternalId", |plan| {
        plan.hops[0].external_id = Some("ext".parse().unwrap());
    }),
    ("SourceIdentity", |plan| {
        plan.hops[0].source_identity = Some("alice".parse().unwrap());
    }),
    ("a hop before", |plan| {
        plan.hops.insert(0, plan.hops[0].clone());
        plan.hops[0].role_arn = IOTROLE.parse().unwrap();
    }),
];

#[tokio::test(start_paused = true)]
async fn a_change_of_any_input_is_exactly_one_new_call() {
    let stage = Stage::new();
    let mut seen = std::collections::BTreeSet::new();
    for (what, flip) in FLIPS {
        let mut plan = stage.one_role();
        flip(&mut plan);
        let granted = stage.session(&plan).await.unwrap();
        assert!(!granted.cached, "{what}");
        // The hop before is a flip of its own: `RoleArn` has it cached already.
        assert_eq!(stage.calls(), 1, "{what}");
        assert!(seen.insert(id(&granted)), "{what}");
        assert_eq!(id(&stage.session(&plan).await.unwrap()), id(&granted));
        assert_eq!(stage.calls(), 0, "{what}");
    }

    let mut plan = stage.one_role();
    let admin = stage.cloud.world().user("admin").unwrap();
    plan.base.access_key_id = admin.access_key_id.clone();
    plan.base.kind = stsctl::config::BaseKind::AccessKey {
        secret: stsctl::config::SecretSource::Plain(admin.access_key_secret.clone()),
    };
    assert!(seen.insert(id(&stage.session(&plan).await.unwrap())));
    assert_eq!(stage.calls(), 1);

    // And what is none of them changes nothing.
    let mut plan = stage.one_role();
    plan.region = Some("cn-beijing".parse().unwrap());
    plan.vpc = true;
    plan.profile_name = Some("other".to_owned());
    assert!(stage.session(&plan).await.unwrap().cached);
    assert_eq!(stage.calls(), 0);
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_secrets_command_runs_only_for_a_new_session() {
    use std::time::Duration;

    use futures_util::future::join_all;
    use secrecy::ExposeSecret;

    use super::stage::Weather;

    let stage = Stage::new();
    let alice = stage.cloud.world().user("alice").unwrap();
    let runs = stage.home.path().join("runs");
    let script = format!(
        "echo run >> '{}'; printf %s '{}'",
        runs.display(),
        alice.access_key_secret.expose_secret()
    );
    let config = format!(
        "[profile.alice]\naccess_key_id = \"{}\"\naccess_key_secret = {{ command = [\"sh\", \"-c\", {script:?}] }}\n",
        alice.access_key_id
    );
    let path = stage.home.path().join("config.toml");
    let config = ConfigFile::parse(&path, &config).unwrap();
    let mut wanted = wanted(&[TESTROLE]);
    wanted.profile = Some("alice".to_owned());
    let plan = resolve(&wanted, &Env::default(), &config, stage.now()).unwrap();
    let runs = || fs_err::read_to_string(&runs).map_or(0, |text| text.lines().count());
    assert_eq!(runs(), 0);

    stage.set_weather(Weather::Slow(Duration::from_secs(1)));
    let all = join_all((0..20).map(|_| stage.session(&plan))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!((runs(), stage.calls()), (1, 1));

    assert!(stage.session(&plan).await.unwrap().cached);
    assert!(stage.broker().peek(&plan).is_some());
    assert_eq!(runs(), 1);

    let refresh = Demand {
        refresh: true,
        ..Demand::default()
    };
    stage.demand(&plan, &refresh).await.unwrap();
    assert_eq!(runs(), 2);
}
