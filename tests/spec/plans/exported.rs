//! Sessions that stsctl itself exported.

use chrono::{DateTime, Utc};

use super::{SESSION, check, default_profile, outcome, plan, plan_at, render};

#[test]
fn it_is_used_as_it_is_and_never_chained_onto_itself() {
    for toml in ["", &default_profile("ops"), &default_profile("dev")] {
        check(
            toml,
            "
            SESSION                                 |                                     | exported dev
            SESSION ALIBABA_CLOUD_ROLE_ARN=role:dev |                                     | exported dev
            SESSION                                 | --role-arn=role:dev                 | exported dev
            SESSION                                 | --role-arn=role:x --role-arn=role:dev | exported dev
            SESSION                                 | --no-role                           | exported dev
            SESSION                                 | --min-lifetime=1h                   | exported dev
            ",
        );
    }
    let foreign = SESSION.replace("STSCTL_", "OTHER_");
    assert_eq!(
        outcome("", &foreign, "--role-arn=role:dev"),
        "env session -> dev"
    );
    // Beside a long-lived AccessKey the marks are left over from something else.
    check(
        "",
        "KEY STSCTL_ROLE_ARN=role:dev | --role-arn=role:dev | env -> dev",
    );
}

#[test]
fn for_another_role_it_is_the_base() {
    check(
        "",
        "
        SESSION                               | --role-arn=role:x                        | exported dev -> x
        SESSION                               | --role-arn=role:dev --role-arn=role:x    | exported dev -> dev -> x
        SESSION ALIBABA_CLOUD_ROLE_ARN=role:x |                                          | exported dev -> x
        SESSION                               | --role-arn=role:x --refresh --duration=2h | exported dev -> x 7200s
        CLOSING                               | --role-arn=role:x                        | exported dev to its end -> x
        ",
    );
    let plan = plan("", "SESSION", "--role-arn=role:x").unwrap();
    assert!(plan.warnings[0].is_notice());
    assert_eq!(
        plan.warnings[0].to_string(),
        "the role is assumed with the exported session for `acs:ram::1:role/dev`"
    );
}

#[test]
fn close_to_its_end_it_is_passed_over_if_anything_else_is_configured() {
    check(
        &default_profile("base"),
        "
        CLOSING |                   | base -> dev
        CLOSING | --role-arn=role:x | base -> x
        CLOSING | --no-role         | base
        ENDED   |                   | base -> dev
        ENDED   | --role-arn=role:x | base -> x
        ",
    );
    // The shell's role stays, and is not chained onto itself.
    for profile in ["dev", "ops"] {
        check(
            &default_profile(profile),
            "
            CLOSING                        |  | base -> dev
            ENDED                          |  | base -> dev
            ",
        );
    }
    let other = SESSION
        .replace("role:dev", "role:x")
        .replace("T13:", "T12:");
    assert_eq!(outcome(&default_profile("dev"), &other, ""), "base -> x");
    assert_eq!(
        outcome(&default_profile("ops"), &other, ""),
        "base -> dev -> x"
    );
}

#[test]
fn alone_it_is_used_to_its_end_with_a_warning_and_then_refused() {
    check(
        "",
        "
        CLOSING |                     | exported dev to its end
        CLOSING | --role-arn=role:dev | exported dev to its end
        ENDED   |                     | 3: the exported session for `role:dev` ended at 2026-01-02T12:00:00Z
        ENDED   | --role-arn=role:x   | 3: the exported session for `role:dev` ended at 2026-01-02T12:00:00Z
        ENDED   | --refresh           | 3: the exported session for `role:dev` ended at 2026-01-02T12:00:00Z
        ",
    );
    let plan_to_end = plan("", "CLOSING", "").unwrap();
    assert!(!plan_to_end.warnings[0].is_notice());
    let warning = plan_to_end.warnings[0].to_string();
    assert!(
        warning.contains("ends at 2026-01-02T12:04:00Z"),
        "{warning}"
    );
    let error = plan("", "ENDED", "").unwrap_err();
    assert!(error.hints()[0].contains("is not in this environment"));
}

#[test]
fn its_windows_are_exact() {
    let toml = default_profile("base");
    for (now, beside_another, alone) in [
        ("2026-01-02T12:54:59Z", "exported dev", "exported dev"),
        (
            "2026-01-02T12:55:00Z",
            "base -> dev",
            "exported dev to its end",
        ),
        (
            "2026-01-02T12:59:59Z",
            "base -> dev",
            "exported dev to its end",
        ),
        ("2026-01-02T13:00:00Z", "base -> dev", "over"),
    ] {
        let now: DateTime<Utc> = now.parse().unwrap();
        let at = |toml| plan_at(toml, "SESSION", "", now);
        assert_eq!(render(&at(&toml).unwrap()), beside_another, "{now}");
        let shown = at("").map_or_else(|_| "over".to_owned(), |plan| render(&plan));
        assert_eq!(shown, alone, "{now}");
    }
    // Without the mark of its end it is trusted.
    let unmarked = SESSION.replace("STSCTL_EXPIRATION", "OTHER");
    assert_eq!(
        outcome(&toml, &unmarked, "--min-lifetime=12h"),
        "exported dev"
    );
}

#[test]
fn what_it_cannot_meet_passes_it_over() {
    for (flag, hop, reason) in [
        ("--refresh", "dev", "--refresh asks for a new session"),
        (
            "--duration=2h",
            "dev 7200s",
            "--duration asks for a new session",
        ),
        (
            "--policy={}",
            "dev {}",
            "a session policy asks for a new session",
        ),
        (
            "--external-id=xx",
            "dev x:xx",
            "--external-id asks for a new session",
        ),
        (
            "--source-identity=ii",
            "dev i:ii",
            "--source-identity asks for a new session",
        ),
        (
            "--role-session-name=nn",
            "dev nn",
            "--role-session-name asks for a new session",
        ),
        (
            "--min-lifetime=3601 --duration=2h",
            "dev 7200s",
            "--min-lifetime asks for more time than it has left",
        ),
    ] {
        assert_eq!(
            outcome(&default_profile("base"), "SESSION", flag),
            format!("base -> {hop}")
        );
        assert_eq!(
            outcome("", "SESSION", flag),
            format!("3: the exported session for `role:dev` cannot be used: {reason}")
        );
    }
    // The base identity itself has no settings.
    check("", "SESSION | --no-role --duration=2h | exported dev");
}

#[test]
fn marks_that_cannot_be_read_are_mistakes() {
    let role = SESSION.replace("STSCTL_ROLE_ARN=role:dev", "STSCTL_ROLE_ARN=dev");
    assert_eq!(
        outcome("", &role, ""),
        "2: the value of STSCTL_ROLE_ARN cannot be used: `dev` is not a valid RoleArn: \
         expected acs:ram::<account id>:role/<role name>"
    );
    let end = SESSION.replace("2026-01-02T13:00:00Z", "soon");
    assert_eq!(
        outcome("", &end, ""),
        "2: the value of STSCTL_EXPIRATION cannot be used: `soon` is not a valid Expiration: \
         expected the form 2026-01-02T03:04:05Z"
    );
}
