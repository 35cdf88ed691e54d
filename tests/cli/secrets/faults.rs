//! Every fault of the network and of the services.

use super::harness::{Place, Run, Stdout};
use super::relay::Mode;

/// Runs a command in a sandbox with a fault, and finds no secret whatever comes of it.
fn befall(fault: &str, run: &Run) {
    let mut place = Place::with(&["--fault", fault], Mode::Pass);
    place.check(run);
    place.close();
}

#[test]
fn answers_of_sts_that_make_no_sense() {
    for (fault, code) in [
        ("sts:garbage", 1),
        ("sts:truncate", 1),
        ("sts:missing-field", 1),
        ("sts:expired", 1),
        ("sts:nonce-used", 4),
        ("sts:skewed", 4),
    ] {
        befall(fault, &Run::failing("assume", code));
    }
}

#[test]
fn no_answer_of_sts() {
    for fault in ["sts:503", "sts:reset", "sts:drop-reply", "sts:throttle"] {
        befall(fault, &Run::failing("assume", 5));
    }
    befall("sts:hang", &Run::failing("assume --timeout 1s", 5));
}

#[test]
fn answers_of_oss_that_make_no_sense() {
    for (fault, code) in [
        ("oss:garbage", 1),
        ("oss:wrong-crc", 1),
        ("oss:skewed", 4),
        ("oss:expire-token", 3),
    ] {
        for version in ["v4", "v1"] {
            let put = format!("oss put demo-bucket x - --sign-version {version}");
            befall(fault, &Run::failing(&put, code).stdin("x"));
        }
    }
}

#[test]
fn no_answer_of_oss() {
    for fault in [
        "oss:503",
        "oss:reset",
        "oss:drop-reply",
        "oss:throttle",
        "oss:reset-after=0",
    ] {
        befall(
            fault,
            &Run::failing("oss put demo-bucket x -", 5).stdin("x"),
        );
    }
    befall(
        "oss:hang",
        &Run::failing("oss put demo-bucket x - --timeout 1s", 5).stdin("x"),
    );
}

/// What goes wrong once and is mended on the way.
#[test]
fn a_fault_that_passes() {
    for fault in ["sts:503:1", "sts:nonce-used:1", "sts:reset:1"] {
        befall(fault, &Run::of("assume --refresh", Stdout::Any));
    }
    for fault in ["oss:503:1", "oss:wrong-crc:1"] {
        let mut place = Place::with(&["--fault", fault], Mode::Pass);
        super::harness::private_file(&place.home.path().join("file"), "content");
        place.check(&Run::of("oss put demo-bucket x file", Stdout::Any));
        place.close();
    }
}

/// A refresh that fails is told in a warning, and the session that is valid is used.
#[test]
fn a_session_that_ends() {
    let mut place = Place::with(
        &["--session-lifetime", "15m", "--fault", "sts:expire-token"],
        Mode::Pass,
    );
    place.check(&Run::of("assume", Stdout::Any));
    place.check(&Run::failing("whoami", 3));
    place.close();
}
