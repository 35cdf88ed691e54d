//! Roles assumed one from the other, each session cached by itself.

use chrono::TimeDelta;
use futures_util::future::join_all;
use stsctl::broker::{Error, inputs};
use stsctl::cache::Inputs;
use stsctl::config::Plan;

use super::stage::{IOTROLE, Sent, Stage, TESTROLE, Weather, id};

fn three_hops(stage: &Stage) -> Plan {
    stage.plan(&[TESTROLE, IOTROLE, TESTROLE])
}

/// What the hops' requests look like when each is made by the session before it.
fn expected(stage: &Stage, plan: &Plan, hops: &[usize]) -> Vec<Sent> {
    let inputs = inputs(plan);
    hops.iter()
        .map(|&hop| Sent {
            caller: match hop {
                0 => plan.base.access_key_id.to_string(),
                _ => stage
                    .entry(&inputs[hop - 1])
                    .session
                    .access_key_id
                    .to_string(),
            },
            role_arn: plan.hops[hop].role_arn.to_string(),
        })
        .collect()
}

/// Makes an entry look as if it had been obtained so long ago that it is over.
fn expire(stage: &Stage, plan: &Plan, hop: usize) {
    let inputs = &inputs(plan)[hop];
    let mut entry = stage.entry(inputs);
    let past = stage.now() - TimeDelta::hours(2);
    entry.session.expiration = stsctl::model::Expiration::new(past);
    stage.put(inputs, &entry);
}

/// Makes a hop's session one that STS does not know.
fn revoke(stage: &Stage, plan: &Plan, hop: usize) {
    let inputs = &inputs(plan)[hop];
    let mut entry = stage.entry(inputs);
    entry.session.access_key_id = "STS.revoked".parse().unwrap();
    stage.put(inputs, &entry);
}

#[tokio::test(start_paused = true)]
async fn each_hop_is_made_with_the_one_before_and_cached_by_its_own_key() {
    let stage = Stage::new();
    let plan = three_hops(&stage);
    let granted = stage.session(&plan).await.unwrap();
    assert_eq!(stage.sent(), expected(&stage, &plan, &[0, 1, 2]));
    let keys: std::collections::BTreeSet<_> = inputs(&plan).iter().map(Inputs::key).collect();
    assert_eq!(keys.len(), 3);
    assert_eq!(
        granted.session.access_key_id,
        stage.entry(&inputs(&plan)[2]).session.access_key_id
    );

    // A shorter chain is a part of it.
    assert!(
        stage
            .session(&stage.plan(&[TESTROLE, IOTROLE]))
            .await
            .unwrap()
            .cached
    );
    assert!(stage.session(&stage.one_role()).await.unwrap().cached);
    assert!(stage.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn while_the_last_is_fresh_no_other_is_touched() {
    let stage = Stage::new();
    let plan = three_hops(&stage);
    let first = stage.session(&plan).await.unwrap();
    stage.sent();
    for hop in [0, 1] {
        expire(&stage, &plan, hop);
    }
    let _held = (stage.hold(&inputs(&plan)[0]), stage.hold(&inputs(&plan)[1]));
    assert_eq!(id(&stage.session(&plan).await.unwrap()), id(&first));
    assert!(stage.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn only_the_hops_that_need_it_are_made_anew() {
    let stage = Stage::new();
    let plan = three_hops(&stage);
    stage.session(&plan).await.unwrap();
    stage.sent();
    expire(&stage, &plan, 2);
    stage.session(&plan).await.unwrap();
    assert_eq!(stage.sent(), expected(&stage, &plan, &[2]));
    for hop in [1, 2] {
        expire(&stage, &plan, hop);
    }
    stage.session(&plan).await.unwrap();
    assert_eq!(stage.sent(), expected(&stage, &plan, &[1, 2]));
}

#[tokio::test(start_paused = true)]
async fn a_hop_that_was_revoked_is_made_anew_once() {
    let stage = Stage::new();
    let plan = three_hops(&stage);
    stage.session(&plan).await.unwrap();
    stage.sent();
    expire(&stage, &plan, 2);
    revoke(&stage, &plan, 1);
    assert!(!stage.session(&plan).await.unwrap().cached);
    let sent = stage.sent();
    assert_eq!(sent[0].caller, "STS.revoked");
    assert_eq!(sent[1..], expected(&stage, &plan, &[1, 2]));

    // Two in a row.
    expire(&stage, &plan, 2);
    for hop in [0, 1] {
        revoke(&stage, &plan, hop);
    }
    assert!(!stage.session(&plan).await.unwrap().cached);
    let sent = stage.sent();
    assert_eq!(
        sent.iter()
            .filter(|sent| sent.caller == "STS.revoked")
            .count(),
        2
    );
    assert_eq!(sent[2..], expected(&stage, &plan, &[0, 1, 2]));
}

/// A base identity that is no good is not a cached hop: nothing can be made anew.
#[tokio::test(start_paused = true)]
async fn a_base_that_is_refused_is_an_error_at_once() {
    let stage = Stage::new();
    let mut plan = three_hops(&stage);
    plan.base.access_key_id = "LTAIunknown".parse().unwrap();
    let error = stage.session(&plan).await.unwrap_err();
    let Error::AssumeRole { role_arn, source } = error else {
        panic!("{error:?}");
    };
    assert_eq!(role_arn.as_str(), TESTROLE);
    assert!(source.is_bad_credentials(), "{source:?}");
    assert_eq!(stage.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn many_who_want_a_chain_make_each_hop_once() {
    let stage = Stage::new();
    stage.set_weather(Weather::Slow(std::time::Duration::from_secs(1)));
    let plans = [
        three_hops(&stage),
        stage.plan(&[TESTROLE, IOTROLE]),
        stage.one_role(),
    ];
    let all = join_all(
        plans
            .iter()
            .cycle()
            .take(12)
            .map(|plan| stage.session(plan)),
    )
    .await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(stage.sent(), expected(&stage, &plans[0], &[0, 1, 2]));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_clock_is_found_out_by_the_first_hop_for_all() {
    let stage = Stage::new();
    stage.set_clock_ahead(TimeDelta::hours(2));
    let plan = three_hops(&stage);
    stage.session(&plan).await.unwrap();
    assert_eq!(stage.sent(), expected(&stage, &plan, &[0, 0, 1, 2]));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_is_of_the_last_hop_alone() {
    let stage = Stage::new();
    let plan = three_hops(&stage);
    stage.session(&plan).await.unwrap();
    stage.sent();
    let demand = stsctl::broker::Demand {
        refresh: true,
        ..Default::default()
    };
    stage.demand(&plan, &demand).await.unwrap();
    assert_eq!(stage.sent(), expected(&stage, &plan, &[2]));
}
