//! Many processes that want one session: one asks STS, the others wait for it or are served, and
//! the end of the one that asks is the end of its lock.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};

use chrono::TimeDelta;
use rustix::process::Signal;
use snapbox::str;

use crate::run::{Running, wait_for};
use crate::world::World;

#[test]
fn two_hundred_cold_processes_make_one_call() {
    let world = World::new();
    let ids = herd(&world, 200);
    assert_eq!(ids.len(), 1, "all have the same session");
    assert_eq!(world.cloud.calls("AssumeRole"), 1);
}

#[test]
fn in_the_first_window_one_refreshes_and_the_others_are_served() {
    let world = World::new();
    let first = world.assume(&[]);
    world.pass(TimeDelta::minutes(45));
    let mut ids = herd(&world, 30);
    assert_eq!(world.cloud.calls("AssumeRole"), 2);
    ids.insert(first);
    ids.insert(world.assume(&[]));
    assert_eq!(ids.len(), 2, "the old session, or the new one");
}

#[test]
fn in_the_second_window_all_wait_for_the_refresh() {
    let world = World::new();
    let first = world.assume(&[]);
    world.pass(TimeDelta::minutes(56));
    let ids = herd(&world, 30);
    assert_eq!(world.cloud.calls("AssumeRole"), 2);
    assert!(ids.len() == 1 && !ids.contains(&first));
}

#[test]
fn nobody_waits_while_an_ageing_session_is_being_refreshed() {
    let world = World::new();
    let first = world.assume(&[]);
    world.pass(TimeDelta::minutes(45));
    world.cloud.restart(&["sts:hang"]);
    let holder = hanging(&world, 2);
    holder.signal(Signal::STOP);
    for _ in 0..3 {
        assert_eq!(world.assume(&[]), first);
    }
    holder.signal(Signal::CONT);
    assert_eq!(world.cloud.calls("AssumeRole"), 2);
}

#[test]
fn who_waits_says_for_whom_and_goes_on_when_the_holder_is_killed() {
    let world = World::with_faults(&["sts:hang:1"]);
    let holder = hanging(&world, 1);
    let mut waiter = world.stsctl(["assume"]).start();
    let said = first_line(&mut waiter);
    let pid = holder.pid();
    assert_eq!(
        said,
        format!("waiting for process {pid} to refresh the session\n")
    );
    assert!(waiter.ended().is_none());
    drop(holder);
    waiter.assert(str![[r#"
exit 0
1> RoleArn          acs:ram::1234567890123456:role/testrole
1> AssumedRoleUser  acs:ram::1234567890123456:role/testrole/test
1> AccessKeyId      [STS_ID]
1> AccessKeySecret  ********
1> SecurityToken    ********
1> Expiration       [TIME] (in [LIFETIME])
1> RequestId        [REQUEST_ID]
1> From             AssumeRole
"#]]);
    assert_eq!(world.cloud.calls("AssumeRole"), 2);
    // What the killed process left does not stand in the way.
    world.assume(&["--refresh"]);
}

#[test]
fn a_holder_that_is_stopped_is_waited_for_until_the_bound() {
    // Cold: there is nothing to serve.
    let cold = World::with_faults(&["sts:hang:1"]);
    let cold_holder = hanging(&cold, 1);
    cold_holder.signal(Signal::STOP);
    // Ending: the session is still valid when the wait is over.
    let ending = World::new();
    let first = ending.assume(&[]);
    ending.pass(TimeDelta::minutes(56));
    ending.cloud.restart(&["sts:hang"]);
    let ending_holder = hanging(&ending, 2);
    ending_holder.signal(Signal::STOP);

    let denied = cold.stsctl(["env"]).start();
    let served = ending.stsctl(["assume", "-o", "json"]).start();
    denied.assert(str![[r#"
exit 5
2> waiting for process [PID] to refresh the session
2> error: waited 30 s for process [PID] to refresh the session of `acs:ram::1234567890123456:role/testrole`
2>
2> hint: try again; if that process hangs, end it, and its lock is free
"#]]);
    let output = served.assert(str![[r#"
exit 0
1> {
1>   "RequestId": "[REQUEST_ID]",
1>   "AssumedRoleUser": {
1>     "Arn": "acs:ram::1234567890123456:role/testrole/test",
1>     "AssumedRoleId": "344584339364951186:test"
1>   },
1>   "Credentials": {
1>     "AccessKeyId": "[STS_ID]",
1>     "AccessKeySecret": "[SECRET]",
1>     "SecurityToken": "[SECRET]",
1>     "Expiration": "[TIME]"
1>   }
1> }
2> waiting for process [PID] to refresh the session
"#]]);
    assert!(String::from_utf8(output.stdout).unwrap().contains(&first));
    assert_eq!(cold.cloud.calls("AssumeRole"), 1);
    // Killed, though stopped, it holds nothing any more.
    drop(cold_holder);
    cold.assume(&[]);
}

/// Starts so many processes at once; all must succeed. Returns the AccessKeyIds they print.
fn herd(world: &World, count: usize) -> BTreeSet<String> {
    let file = |name: &str, i: usize| world.path("tmp").join(format!("{name}{i}"));
    let children: Vec<_> = (0..count)
        .map(|i| {
            world
                .stsctl(["env", "--shell", "json"])
                .start_into(&file("out", i), &file("err", i))
        })
        .collect();
    let mut ids = BTreeSet::new();
    for (i, mut child) in children.into_iter().enumerate() {
        let status = child.wait().unwrap();
        let stderr = fs_err::read_to_string(file("err", i)).unwrap();
        let only_waited = stderr.lines().all(|line| {
            line.starts_with("waiting for ") && line.ends_with(" to refresh the session")
        });
        assert!(status.success() && only_waited, "{status}: {stderr}");
        let json = fs_err::read(file("out", i)).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let id = json["ALIBABA_CLOUD_ACCESS_KEY_ID"].as_str();
        ids.insert(id.unwrap().to_owned());
    }
    ids
}

/// Starts a process whose AssumeRole is the cloud's `nth` call and is not answered.
fn hanging(world: &World, nth: usize) -> Running {
    let running = world.stsctl(["assume"]).start();
    wait_for("call of the process that is to hang", || {
        (world.cloud.calls("AssumeRole") == nth).then_some(())
    });
    running
}

fn first_line(running: &mut Running) -> String {
    let mut line = String::new();
    BufReader::new(running.take_stderr())
        .read_line(&mut line)
        .unwrap();
    line
}
