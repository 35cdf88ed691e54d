//! From flags, environment and `config.toml` to a plan: the precedences of the command line, as
//! tables of input and the plan's rendering.
//!
//! `role:dev` stands for `acs:ram::1:role/dev` on both sides. A plan renders as its base and its
//! hops; of a hop only what is not the default is shown.

use std::path::Path;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use stsctl::config::plan::Origin;
use stsctl::config::{self, BaseKind, ConfigFile, Env, ErrorKind, Plan, RoleHop, Wanted, resolve};

const NOW: &str = "2026-01-02T12:00:00Z";

/// An AccessKey in the environment.
const KEY: &str = "ALIBABA_CLOUD_ACCESS_KEY_ID=LTAIenv ALIBABA_CLOUD_ACCESS_KEY_SECRET=s3cret";

/// A session for the role dev that stsctl exported, good for an hour.
const SESSION: &str = "ALIBABA_CLOUD_ACCESS_KEY_ID=STS.env ALIBABA_CLOUD_ACCESS_KEY_SECRET=s3cret \
    ALIBABA_CLOUD_SECURITY_TOKEN=t0ken STSCTL_ROLE_ARN=role:dev \
    STSCTL_EXPIRATION=2026-01-02T13:00:00Z";

/// The same, with four minutes left.
const CLOSING: &str = "ALIBABA_CLOUD_ACCESS_KEY_ID=STS.env ALIBABA_CLOUD_ACCESS_KEY_SECRET=s3cret \
    ALIBABA_CLOUD_SECURITY_TOKEN=t0ken STSCTL_ROLE_ARN=role:dev \
    STSCTL_EXPIRATION=2026-01-02T12:04:00Z";

/// The same, over.
const ENDED: &str = "ALIBABA_CLOUD_ACCESS_KEY_ID=STS.env ALIBABA_CLOUD_ACCESS_KEY_SECRET=s3cret \
    ALIBABA_CLOUD_SECURITY_TOKEN=t0ken STSCTL_ROLE_ARN=role:dev \
    STSCTL_EXPIRATION=2026-01-02T12:00:00Z";

/// A key, a role on it, and a role on that.
const PROFILES: &str = r#"
    [profile.base]
    access_key_id = "LTAIbase"
    access_key_secret = "s3cret"

    [profile.dev]
    source_profile = "base"
    role_arn = "role:dev"

    [profile.ops]
    source_profile = "dev"
    role_arn = "role:ops"
"#;

fn full(text: &str) -> String {
    text.replace("role:", "acs:ram::1:role/")
}

fn env(pairs: &str) -> Env {
    let pairs = full(pairs);
    let pairs = pairs.split_whitespace().filter_map(|p| p.split_once('='));
    Env::from_vars(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())))
}

fn wanted(flags: &str) -> Wanted {
    let mut wanted = Wanted::new("me@here".parse().unwrap());
    for flag in full(flags).split_whitespace() {
        let (name, value) = flag.split_once('=').unwrap_or((flag, ""));
        match name {
            "--profile" => wanted.profile = Some(value.to_owned()),
            "--role-arn" => wanted.role_arns.push(value.parse().unwrap()),
            "--no-role" => wanted.no_role = true,
            "--role-session-name" => wanted.role_session_name = Some(value.parse().unwrap()),
            "--duration" => wanted.duration = Some(value.parse().unwrap()),
            "--policy" => wanted.policy = Some(value.parse().unwrap()),
            "--external-id" => wanted.external_id = Some(value.parse().unwrap()),
            "--source-identity" => wanted.source_identity = Some(value.parse().unwrap()),
            "--refresh" => wanted.fresh = true,
            "--min-lifetime" => {
                wanted.min_lifetime = Some(stsctl::model::parse_duration(value).unwrap());
            }
            "--region" => wanted.region = Some(value.to_owned()),
            "--sts-endpoint" => wanted.sts_endpoint = Some(value.parse().unwrap()),
            "--vpc" => wanted.vpc = true,
            "--insecure-http" => wanted.insecure_http = true,
            _ => panic!("no such flag: {flag}"),
        }
    }
    wanted
}

fn plan_at(
    toml: &str,
    variables: &str,
    flags: &str,
    now: DateTime<Utc>,
) -> Result<Plan, config::Error> {
    let config = ConfigFile::parse(Path::new("config.toml"), &full(toml))?;
    resolve(&wanted(flags), &env(variables), &config, now)
}

fn plan(toml: &str, variables: &str, flags: &str) -> Result<Plan, config::Error> {
    plan_at(toml, variables, flags, NOW.parse().unwrap())
}

fn hop(hop: &RoleHop) -> String {
    let mut shown = vec![hop.role_arn.name().to_owned()];
    if hop.role_session_name.as_str() != "me@here" {
        shown.push(hop.role_session_name.to_string());
    }
    if hop.duration.get() != 3600 {
        shown.push(format!("{}s", hop.duration.get()));
    }
    shown.extend(hop.policy.as_ref().map(ToString::to_string));
    shown.extend(hop.external_id.as_ref().map(|id| format!("x:{id}")));
    shown.extend(hop.source_identity.as_ref().map(|id| format!("i:{id}")));
    shown.join(" ")
}

fn render(plan: &Plan) -> String {
    let place = match &plan.base.origin {
        Origin::Environment { .. } => "env".to_owned(),
        Origin::Profile { name, .. } => name.clone(),
    };
    let base = match &plan.base.kind {
        BaseKind::AccessKey { .. } => place,
        BaseKind::SessionToken { .. } => format!("{place} session"),
        BaseKind::Exported {
            role_arn,
            last_resort,
            ..
        } => {
            let last = if *last_resort { " to its end" } else { "" };
            format!("exported {}{last}", role_arn.name())
        }
    };
    std::iter::once(base)
        .chain(plan.hops.iter().map(hop))
        .collect::<Vec<_>>()
        .join(" -> ")
}

/// Renders a plan or the error's exit code and message.
fn outcome(toml: &str, variables: &str, flags: &str) -> String {
    match plan(toml, variables, flags) {
        Ok(plan) => render(&plan),
        Err(error) => {
            let code = match error.kind() {
                ErrorKind::Local => 1,
                ErrorKind::Configuration => 2,
                ErrorKind::NoCredentials => 3,
            };
            let source = std::error::Error::source(&error);
            let cause = source.map(|cause| format!(": {cause}")).unwrap_or_default();
            format!("{code}: {error}{cause}").replace("acs:ram::1:role/", "role:")
        }
    }
}

#[track_caller]
fn check(toml: &str, table: &[(&str, &str, &str)]) {
    for (variables, flags, expected) in table {
        assert_eq!(
            &outcome(toml, variables, flags),
            expected,
            "{flags} | {variables}"
        );
    }
}

fn with(rest: &str, text: &str) -> String {
    format!("{rest} {text}")
}

#[test]
fn the_base_is_the_named_profile_then_the_environment_then_the_default_profile() {
    let toml = with("default_profile = \"base\"\n", PROFILES);
    check(
        &toml,
        &[
            ("", "", "base"),
            (KEY, "", "env"),
            (KEY, "--profile=base", "base"),
            (&with(KEY, "STSCTL_PROFILE=base"), "", "base"),
            (&with(KEY, "STSCTL_PROFILE="), "", "env"),
            (&with(KEY, "STSCTL_PROFILE=ghost"), "--profile=base", "base"),
            (SESSION, "--profile=dev", "base -> dev"),
        ],
    );
    check(PROFILES, &[("", "", "3: no credentials are configured")]);
    check(
        "",
        &[(
            "ALIBABA_CLOUD_ACCESS_KEY_ID=STS.x ALIBABA_CLOUD_ACCESS_KEY_SECRET=s ALIBABA_CLOUD_SECURITY_TOKEN=t",
            "",
            "env session",
        )],
    );
}

#[test]
fn the_first_spelling_of_which_any_part_is_set_is_the_only_one() {
    let second = "ALIBABACLOUD_ACCESS_KEY_ID=LTAIb ALIBABACLOUD_ACCESS_KEY_SECRET=b";
    let third = "ALICLOUD_ACCESS_KEY_ID=LTAIc ALICLOUD_ACCESS_KEY_SECRET=c";
    for (variables, id) in [
        (with(second, third), "LTAIb"),
        (third.to_owned(), "LTAIc"),
        (format!("{third} {second} {KEY}"), "LTAIenv"),
    ] {
        let plan = plan("", &variables, "").unwrap();
        assert_eq!(plan.base.access_key_id.as_str(), id, "{variables}");
    }
    check(
        "",
        &[
            (
                &with("ALIBABA_CLOUD_SECURITY_TOKEN=t", second),
                "",
                "2: `ALIBABA_CLOUD_SECURITY_TOKEN` is set without `ALIBABA_CLOUD_ACCESS_KEY_ID`",
            ),
            (
                &with("ALIBABACLOUD_ACCESS_KEY_SECRET=b", third),
                "",
                "2: `ALIBABACLOUD_ACCESS_KEY_SECRET` is set without `ALIBABACLOUD_ACCESS_KEY_ID`",
            ),
            (
                "ALICLOUD_ACCESS_KEY_ID=LTAIc ALICLOUD_ACCESS_KEY_SECRET=",
                "",
                "2: `ALICLOUD_ACCESS_KEY_ID` is set without `ALICLOUD_ACCESS_KEY_SECRET`",
            ),
            (
                "ALIBABA_CLOUD_ACCESS_KEY_ID=STS.x ALIBABA_CLOUD_ACCESS_KEY_SECRET=s",
                "",
                "2: `ALIBABA_CLOUD_ACCESS_KEY_ID` is set without `ALIBABA_CLOUD_SECURITY_TOKEN`",
            ),
        ],
    );
    // Terraform's spelling is written, never read.
    check(
        "",
        &[(
            "ALICLOUD_ACCESS_KEY=a ALICLOUD_SECRET_KEY=b",
            "",
            "3: no credentials are configured",
        )],
    );
}

#[test]
fn the_role_is_the_option_then_the_named_profile_then_the_variable_then_the_default_profile() {
    let toml = with("default_profile = \"dev\"\n", PROFILES);
    let variable = "ALIBABA_CLOUD_ROLE_ARN=role:var";
    check(
        &toml,
        &[
            ("", "", "base -> dev"),
            (variable, "", "base -> var"),
            (variable, "--profile=dev", "base -> dev"),
            (variable, "--profile=base", "base -> var"),
            (
                variable,
                "--profile=dev --role-arn=role:flag",
                "base -> flag",
            ),
            (variable, "--role-arn=role:flag", "base -> flag"),
            (
                "",
                "--profile=ops --role-arn=role:flag",
                "base -> dev -> flag",
            ),
            ("", "--profile=base", "base -> dev"),
            (KEY, "", "env -> dev"),
            (&with(KEY, variable), "", "env -> var"),
            (&with(KEY, variable), "--role-arn=role:flag", "env -> flag"),
            (variable, "--no-role", "base"),
            (&with(KEY, variable), "--no-role", "env"),
            ("", "--profile=ops --no-role", "base"),
            (
                "",
                "--no-role --role-arn=role:flag",
                "2: --no-role and --role-arn contradict each other",
            ),
        ],
    );
}

#[test]
fn roles_chain_through_sources_and_repeated_options() {
    let toml = with(
        PROFILES,
        "[profile.deep]\nsource_profile = \"ops\"\nrole_arn = \"role:deep\"\n\
         [profile.plain]\nsource_profile = \"ops\"\n\
         [profile.rooted]\naccess_key_id = \"LTAIr\"\naccess_key_secret = \"s\"\nrole_arn = \"role:r\"\n\
         [profile.on-rooted]\nsource_profile = \"rooted\"\nrole_arn = \"role:s\"\n",
    );
    check(
        &toml,
        &[
            ("", "--profile=deep", "base -> dev -> ops -> deep"),
            ("", "--profile=plain", "base -> dev -> ops"),
            (
                "ALIBABA_CLOUD_ROLE_ARN=role:var",
                "--profile=plain",
                "base -> dev -> ops",
            ),
            (
                "",
                "--profile=plain --role-arn=role:x",
                "base -> dev -> ops -> x",
            ),
            ("", "--profile=rooted", "rooted -> r"),
            ("", "--profile=on-rooted", "rooted -> r -> s"),
            (
                KEY,
                "--role-arn=role:a --role-arn=role:b --role-arn=role:c",
                "env -> a -> b -> c",
            ),
        ],
    );
}

#[test]
fn each_setting_is_the_option_then_the_named_profile_then_the_variable_then_the_default_profile() {
    let toml = r#"
        default_profile = "mine"
        [profile.mine]
        access_key_id = "LTAImine"
        access_key_secret = "s"
        role_arn = "role:mine"
        role_session_name = "mine"
        duration = "30m"
        external_id = "xmine"
        source_identity = "imine"
        policy = '{"p": "mine"}'
        [profile.bare]
        access_key_id = "LTAIbare"
        access_key_secret = "s"
        role_arn = "role:bare"
    "#;
    let variables = "ALIBABA_CLOUD_ROLE_SESSION_NAME=var ALIBABA_CLOUD_EXTERNAL_ID=xvar";
    let flags = "--role-session-name=flag --duration=2h --external-id=xflag --source-identity=iflag --policy={\"p\":1}";
    let all = "7200s {\"p\":1} x:xflag i:iflag";
    check(
        toml,
        &[
            (
                "",
                "",
                "mine -> mine mine 1800s {\"p\":\"mine\"} x:xmine i:imine",
            ),
            (
                variables,
                "",
                "mine -> mine var 1800s {\"p\":\"mine\"} x:xvar i:imine",
            ),
            (
                variables,
                "--profile=mine",
                "mine -> mine mine 1800s {\"p\":\"mine\"} x:xmine i:imine",
            ),
            (variables, flags, &format!("mine -> mine flag {all}")),
            (
                variables,
                &with("--profile=mine", flags),
                &format!("mine -> mine flag {all}"),
            ),
            // A named profile that says nothing: the variables, but not the default profile's.
            ("", "--profile=bare", "bare -> bare"),
            (variables, "--profile=bare", "bare -> bare var x:xvar"),
            // In the environment's name, the default profile's role has its settings.
            (
                KEY,
                "",
                "env -> mine mine 1800s {\"p\":\"mine\"} x:xmine i:imine",
            ),
        ],
    );
}

#[test]
fn duration_policy_and_external_id_go_with_the_role_they_were_made_for() {
    let toml = r#"
        default_profile = "mine"
        [profile.key]
        access_key_id = "LTAIkey"
        access_key_secret = "s"
        role_session_name = "alice"
        duration = 1800
        external_id = "xkey"
        [profile.mine]
        source_profile = "key"
        role_arn = "role:mine"
        role_session_name = "bob"
        duration = "2h"
        external_id = "xmine"
        policy = '{}'
        source_identity = "bob-id"
    "#;
    check(
        toml,
        &[
            // Another role in the place of the profile's: who it is stays.
            (
                "",
                "--profile=mine --role-arn=role:x",
                "key -> x bob i:bob-id",
            ),
            ("", "--role-arn=role:x", "key -> x bob i:bob-id"),
            ("ALIBABA_CLOUD_ROLE_ARN=role:x", "", "key -> x bob i:bob-id"),
            // A profile without a role means its settings for whatever role it is used with.
            (
                "",
                "--profile=key --role-arn=role:x",
                "key -> x alice 1800s x:xkey",
            ),
        ],
    );
}

#[test]
fn in_a_chain_the_options_are_for_the_last_hop_but_who_it_is_for_all() {
    let toml = r#"
        [profile.base]
        access_key_id = "LTAIbase"
        access_key_secret = "s"
        [profile.mid]
        source_profile = "base"
        role_arn = "role:mid"
        role_session_name = "mid"
        duration = "20m"
        external_id = "xmid"
        policy = '{"of":"mid"}'
        [profile.plain]
        source_profile = "mid"
        role_arn = "role:plain"
        [profile.top]
        source_profile = "plain"
        role_arn = "role:top"
        role_session_name = "top"
        source_identity = "itop"
        duration = "2h"
        external_id = "xtop"
    "#;
    let mid = "1200s {\"of\":\"mid\"} x:xmid";
    check(
        toml,
        &[
            (
                "",
                "--profile=top",
                &format!(
                    "base -> mid mid {mid} i:itop -> plain top i:itop -> top top 7200s x:xtop i:itop"
                ),
            ),
            (
                "",
                "--profile=top --role-session-name=flag --source-identity=iflag --duration=3h --external-id=xf --policy={}",
                &format!(
                    "base -> mid flag {mid} i:iflag -> plain flag i:iflag -> top flag 10800s {{}} x:xf i:iflag"
                ),
            ),
            (
                "ALIBABA_CLOUD_ROLE_SESSION_NAME=var ALIBABA_CLOUD_EXTERNAL_ID=xvar",
                "--profile=plain",
                &format!("base -> mid mid {mid} -> plain var x:xvar"),
            ),
            (
                KEY,
                "--role-arn=role:a --role-arn=role:b --role-session-name=flag --duration=2h --external-id=xf",
                "env -> a flag -> b flag 7200s x:xf",
            ),
        ],
    );
}

#[test]
fn profiles_that_lead_nowhere() {
    let toml = r#"
        [profile.a]
        source_profile = "b"
        [profile.b]
        source_profile = "c"
        [profile.c]
        source_profile = "b"
        [profile.self]
        source_profile = "self"
        [profile.dangling]
        source_profile = "bsae"
        [profile.base]
        role_arn = "role:x"
        [profile.half]
        access_key_id = "LTAIx"
        [profile.other-half]
        access_key_secret = "s"
        [profile.both]
        access_key_id = "LTAIx"
        access_key_secret = "s"
        source_profile = "base"
        [profile.temporary]
        access_key_id = "STS.x"
        access_key_secret = "s"
    "#;
    check(
        toml,
        &[
            ("", "--profile=a", "2: the profiles form a cycle: b → c → b"),
            (
                "",
                "--profile=self",
                "2: the profiles form a cycle: self → self",
            ),
            (
                "",
                "--profile=dangling",
                "2: there is no profile `bsae`, which `source_profile` of profile `dangling` names",
            ),
            (
                "",
                "--profile=base",
                "2: profile `base` has neither an access_key_id nor a source_profile",
            ),
            (
                "",
                "--profile=half",
                "2: profile `half` has an access_key_id but no access_key_secret",
            ),
            (
                "",
                "--profile=other-half",
                "2: profile `other-half` has an access_key_secret but no access_key_id",
            ),
            (
                "",
                "--profile=both",
                "2: profile `both` has both an access_key_id and a source_profile",
            ),
            (
                "",
                "--profile=temporary",
                "2: profile `temporary` has a temporary AccessKeyId (`STS.…`)",
            ),
            (KEY, "--profile=hlaf", "2: there is no profile `hlaf`"),
            (
                &with(KEY, "STSCTL_PROFILE=nix"),
                "",
                "2: there is no profile `nix`, which STSCTL_PROFILE names",
            ),
        ],
    );
    let error = plan(toml, KEY, "--profile=hlaf").unwrap_err();
    assert_eq!(error.hints()[0], "did you mean `half`?");
    assert!(
        error.hints()[1].starts_with("known profiles: a, b, c, self, "),
        "{error:?}"
    );
    check(
        "default_profile = \"ghost\"",
        &[(
            "",
            "",
            "2: there is no profile `ghost`, which default_profile names",
        )],
    );
}

#[test]
fn an_exported_session_is_used_as_it_is_and_never_chained_onto_itself() {
    let toml = with("default_profile = \"ops\"\n", PROFILES);
    let same = with(SESSION, "ALIBABA_CLOUD_ROLE_ARN=role:dev");
    for toml in ["", &toml] {
        check(
            toml,
            &[
                (SESSION, "", "exported dev"),
                (&same, "", "exported dev"),
                (SESSION, "--role-arn=role:dev", "exported dev"),
                (
                    SESSION,
                    "--role-arn=role:x --role-arn=role:dev",
                    "exported dev",
                ),
                (SESSION, "--no-role", "exported dev"),
                (SESSION, "--min-lifetime=1h", "exported dev"),
            ],
        );
    }
    // A session that something else exported is a base like any other.
    let foreign = SESSION.replace("STSCTL_ROLE_ARN", "OTHER");
    check(
        "",
        &[(&foreign, "--role-arn=role:dev", "env session -> dev")],
    );
    // What a long-lived AccessKey stands beside is a left-over.
    check(
        "",
        &[(
            &with(KEY, "STSCTL_ROLE_ARN=role:dev"),
            "--role-arn=role:dev",
            "env -> dev",
        )],
    );
}

#[test]
fn an_exported_session_for_another_role_is_the_base() {
    check(
        "",
        &[
            (SESSION, "--role-arn=role:x", "exported dev -> x"),
            (
                SESSION,
                "--role-arn=role:dev --role-arn=role:x",
                "exported dev -> dev -> x",
            ),
            (
                &with(SESSION, "ALIBABA_CLOUD_ROLE_ARN=role:x"),
                "",
                "exported dev -> x",
            ),
            (
                SESSION,
                "--role-arn=role:x --refresh --duration=2h",
                "exported dev -> x 7200s",
            ),
            (CLOSING, "--role-arn=role:x", "exported dev to its end -> x"),
        ],
    );
    let plan = plan("", SESSION, "--role-arn=role:x").unwrap();
    assert!(plan.warnings[0].is_notice());
    assert_eq!(
        plan.warnings[0].to_string(),
        "the role is assumed with the exported session for `acs:ram::1:role/dev`"
    );
}

#[test]
fn an_exported_session_close_to_its_end_is_passed_over_if_anything_else_is_configured() {
    let base = with("default_profile = \"base\"\n", PROFILES);
    let dev = with("default_profile = \"dev\"\n", PROFILES);
    let ops = with("default_profile = \"ops\"\n", PROFILES);
    for variables in [CLOSING, ENDED] {
        check(
            &base,
            &[
                (variables, "", "base -> dev"),
                (variables, "--role-arn=role:x", "base -> x"),
            ],
        );
        check(&dev, &[(variables, "", "base -> dev")]);
        // The shell's role is kept, and is not chained onto itself.
        check(&ops, &[(variables, "", "base -> dev")]);
        let other = variables.replace("role:dev", "role:x");
        check(&ops, &[(&other, "", "base -> dev -> x")]);
    }
    check("", &[(CLOSING, "", "exported dev to its end")]);
    let plan = plan("", CLOSING, "").unwrap();
    assert!(
        plan.warnings[0]
            .to_string()
            .contains("ends at 2026-01-02T12:04:00Z"),
        "{plan:?}"
    );
    check(
        "",
        &[(
            ENDED,
            "",
            "3: the exported session for `role:dev` ended at 2026-01-02T12:00:00Z",
        )],
    );
}

#[test]
fn the_windows_of_an_exported_session() {
    let toml = with("default_profile = \"base\"\n", PROFILES);
    for (now, with_other, alone) in [
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
        let at = |toml: &str| plan_at(toml, SESSION, "", now);
        assert_eq!(render(&at(&toml).unwrap()), with_other, "{now}");
        let alone_now = at("").map_or_else(|_| "over".to_owned(), |plan| render(&plan));
        assert_eq!(alone_now, alone, "{now}");
    }
    // Without its mark of time it is trusted.
    let unmarked = SESSION.replace("STSCTL_EXPIRATION", "OTHER");
    check(&toml, &[(&unmarked, "--min-lifetime=12h", "exported dev")]);
}

#[test]
fn options_that_an_exported_session_cannot_meet_pass_it_over() {
    let toml = with("default_profile = \"base\"\n", PROFILES);
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
    ] {
        check(&toml, &[(SESSION, flag, &format!("base -> {hop}"))]);
        let error = format!("3: the exported session for `role:dev` cannot be used: {reason}");
        check("", &[(SESSION, flag, &error)]);
    }
    check(
        &toml,
        &[(
            SESSION,
            "--min-lifetime=3601 --duration=2h",
            "base -> dev 7200s",
        )],
    );
    check(
        "",
        &[
            (
                SESSION,
                "--min-lifetime=3601",
                "3: the exported session for `role:dev` cannot be used: \
                 --min-lifetime asks for more time than it has left",
            ),
            (SESSION, "--no-role --duration=2h", "exported dev"),
            (
                ENDED,
                "--refresh",
                "3: the exported session for `role:dev` ended at 2026-01-02T12:00:00Z",
            ),
        ],
    );
}

#[test]
fn more_minimum_lifetime_than_duration_is_a_mistake() {
    let refused = "2: --min-lifetime 3601 s is more than the session's duration of 3600 s";
    check(
        PROFILES,
        &[
            (KEY, "--role-arn=role:x --min-lifetime=3600", "env -> x"),
            (KEY, "--role-arn=role:x --min-lifetime=3601", refused),
            ("", "--profile=dev --min-lifetime=3601", refused),
            (
                "",
                "--profile=dev --min-lifetime=3601 --duration=2h",
                "base -> dev 7200s",
            ),
        ],
    );
}

#[test]
fn the_region_and_where_sts_is() {
    let toml = with(
        PROFILES,
        "[profile.r]\nregion = \"cn-beijing\"\nsource_profile = \"s\"\n\
         [profile.s]\nregion = \"cn-shanghai\"\nsource_profile = \"base\"\n\
         [profile.t]\nsource_profile = \"s\"\noss_endpoint = \"http://localhost:1\"\n",
    );
    let region = "ALIBABA_CLOUD_REGION_ID=cn-hangzhou";
    for (variables, flags, expected) in [
        ("", "--profile=base", "- https://sts.aliyuncs.com"),
        (
            "",
            "--profile=r",
            "cn-beijing https://sts.cn-beijing.aliyuncs.com",
        ),
        (
            "",
            "--profile=t",
            "cn-shanghai https://sts.cn-shanghai.aliyuncs.com",
        ),
        (
            region,
            "--profile=r",
            "cn-hangzhou https://sts.cn-hangzhou.aliyuncs.com",
        ),
        (
            region,
            "--profile=r --region=eu-west-1",
            "eu-west-1 https://sts.eu-west-1.aliyuncs.com",
        ),
        (
            region,
            "--profile=base --vpc",
            "cn-hangzhou https://sts-vpc.cn-hangzhou.aliyuncs.com",
        ),
        (
            "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED=true",
            "--profile=r",
            "cn-beijing https://sts-vpc.cn-beijing.aliyuncs.com",
        ),
        (
            "ALIBABA_CLOUD_STS_REGION=cn-shenzhen",
            "--profile=r",
            "cn-beijing https://sts.cn-shenzhen.aliyuncs.com",
        ),
        (
            "ALIBABA_CLOUD_STS_ENDPOINT=sts.x",
            "--profile=r",
            "cn-beijing https://sts.x",
        ),
        (
            "ALIBABA_CLOUD_STS_ENDPOINT=sts.x STSCTL_STS_ENDPOINT=sts.y",
            "--profile=r",
            "cn-beijing https://sts.y",
        ),
        (
            "STSCTL_STS_ENDPOINT=sts.y",
            "--profile=r --sts-endpoint=sts.z",
            "cn-beijing https://sts.z",
        ),
        (
            "STSCTL_STS_ENDPOINT=http://127.0.0.1:9",
            "--profile=base",
            "- http://127.0.0.1:9",
        ),
        (
            "STSCTL_STS_ENDPOINT=http://h",
            "--profile=base --insecure-http",
            "- http://h",
        ),
    ] {
        let plan = plan(&toml, variables, flags).unwrap();
        let region = plan.region.as_ref().map_or("-", |r| r.as_str());
        assert_eq!(
            format!("{region} {}", plan.sts_endpoint),
            expected,
            "{flags} | {variables}"
        );
        assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
    }
    check(
        &toml,
        &[
            (
                "STSCTL_STS_ENDPOINT=http://h",
                "--profile=base",
                "2: `http://h` would carry credentials over plain HTTP",
            ),
            (
                "ALIBABA_CLOUD_STS_ENDPOINT=ftp://h",
                "--profile=base",
                "2: the value of ALIBABA_CLOUD_STS_ENDPOINT cannot be used: \
                 `ftp://h` is not a valid Endpoint: the scheme must be https or http",
            ),
            (
                "ALIBABA_CLOUD_REGION_ID=Hangzhou",
                "--profile=base",
                "2: ALIBABA_CLOUD_REGION_ID cannot be used: \
                 `Hangzhou` is not a valid RegionId: expected a form like cn-hangzhou",
            ),
        ],
    );
    let plan = plan(&toml, "", "--profile=t").unwrap();
    assert_eq!(plan.oss_endpoint.unwrap().to_string(), "http://localhost:1");
}

#[test]
fn a_region_in_oss_dress_is_undressed_with_a_warning() {
    let toml = "default_profile = \"p\"\n[profile.p]\naccess_key_id = \"LTAIp\"\naccess_key_secret = \"s\"\nregion = \"oss-cn-beijing\"";
    for (variables, flags, warning) in [
        (
            "",
            "",
            "`region` of profile `p`: the region is `cn-beijing`, without `oss-`",
        ),
        (
            "ALIBABA_CLOUD_REGION_ID=oss-cn-x",
            "",
            "ALIBABA_CLOUD_REGION_ID: the region is `cn-x`, without `oss-`",
        ),
        (
            "",
            "--region=oss-cn-y",
            "--region: the region is `cn-y`, without `oss-`",
        ),
    ] {
        let plan = plan(toml, variables, flags).unwrap();
        assert_eq!(plan.warnings[0].to_string(), warning);
    }
}

#[test]
fn the_whole_search_is_reported() {
    let toml = with("default_profile = \"dev\"\n", PROFILES);
    let shown = |plan: &Plan| {
        plan.search
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    let closing = plan(&toml, CLOSING, "").unwrap();
    assert_eq!(
        shown(&closing),
        [
            "named profile: neither --profile nor STSCTL_PROFILE is given",
            "environment: passed over, the exported session is close to its end",
            "default profile: used, profile `base` of config.toml",
        ]
    );
    let environment = plan(&toml, KEY, "").unwrap();
    assert_eq!(
        shown(&environment)[1..],
        [
            "environment: used, ALIBABA_CLOUD_ACCESS_KEY_ID of the environment",
            "default profile: not looked at",
        ]
    );
    let nothing = plan("", "", "").unwrap_err();
    assert_eq!(
        nothing.hints()[2],
        "default profile: config.toml has no default_profile"
    );
}

#[test]
fn what_named_the_role_is_told() {
    let toml = with("default_profile = \"dev\"\n", PROFILES);
    for (variables, flags, source) in [
        (KEY, "--role-arn=role:x", "--role-arn"),
        ("", "", "profile `dev`"),
        (KEY, "", "profile `dev`"),
        (
            "ALIBABA_CLOUD_ROLE_ARN=role:x",
            "",
            "ALIBABA_CLOUD_ROLE_ARN",
        ),
    ] {
        let plan = plan(&toml, variables, flags).unwrap();
        assert_eq!(plan.role_source.unwrap().to_string(), source);
    }
    let toml = with("default_profile = \"base\"\n", PROFILES);
    let renewed = plan(&toml, CLOSING, "").unwrap();
    assert_eq!(renewed.role_source.unwrap().to_string(), "STSCTL_ROLE_ARN");
    assert!(plan(&toml, "", "").unwrap().role_source.is_none());
}

#[test]
fn mistakes_in_config_toml_are_shown_by_place_and_never_by_line() {
    for (toml, message) in [
        (
            "[profile.a\n",
            "config.toml:1:11: unclosed table, expected `]`",
        ),
        (
            "[profile.a]\naccess_key_id = \"LTAIx\"\naccess_key_secret = \"canary\n",
            "config.toml:3:28: invalid basic string, expected `\"`",
        ),
        (
            "default_profil = \"a\"",
            "config.toml:1:1: unknown key `default_profil`",
        ),
        ("[profiles.a]", "config.toml:1:2: unknown key `profiles`"),
        (
            "profile = 5",
            "config.toml:1:11: `profile` must be a table, not a value of type integer",
        ),
        (
            "default_profile = 5",
            "config.toml:1:19: `default_profile` must be a string, not a value of type integer",
        ),
        (
            "seal_cache = true",
            "`seal_cache = true` is not available in this version",
        ),
        (
            "seal_cache = \"no\"",
            "config.toml:1:14: `seal_cache` must be true or false, not a value of type string",
        ),
    ] {
        let error = plan(toml, "", "").unwrap_err();
        assert_eq!(error.to_string(), message, "{toml}");
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
    let error = plan("[profiles.a]", "", "").unwrap_err();
    assert_eq!(error.hints(), ["did you mean `profile`?"]);
}

#[test]
fn mistakes_in_a_profile_are_shown_when_it_is_used() {
    for (line, message) in [
        (
            "rol_arn = \"canary\"",
            "config.toml:2:1: unknown key `rol_arn` of profile `p`",
        ),
        (
            "role_arn = 5",
            "config.toml:2:12: `role_arn` of profile `p` must be a string, not a value of type integer",
        ),
        (
            "role_arn = \"x\"",
            "`role_arn` of profile `p` (config.toml:2:12) cannot be used: `x` is not a valid RoleArn: \
             expected acs:ram::<account id>:role/<role name>",
        ),
        (
            "duration = 60",
            "`duration` of profile `p` (config.toml:2:12) cannot be used: `60` is not a valid DurationSeconds: \
             a session lasts 900 s (15m) to 43200 s (12h)",
        ),
        (
            "access_key_id = \"canary x\"",
            "`access_key_id` of profile `p` (config.toml:2:17) is not an AccessKeyId: it has spaces or other characters that no id has",
        ),
        (
            "access_key_secret = \"canary x\"",
            "`access_key_secret` of profile `p` (config.toml:2:21) is no secret of an AccessKey: it has spaces, line ends or characters outside ASCII",
        ),
        (
            "access_key_secret = 5",
            "config.toml:2:21: `access_key_secret` of profile `p` must be a string, or one of { command = […] }, { file = \"…\" }, { keychain = true }",
        ),
        (
            "access_key_secret = {}",
            "config.toml:2:21: `access_key_secret` of profile `p` must be a string, or one of { command = […] }, { file = \"…\" }, { keychain = true }",
        ),
        (
            "access_key_secret = { keychain = false }",
            "config.toml:2:21: `access_key_secret` of profile `p` must be a string, or one of { command = […] }, { file = \"…\" }, { keychain = true }",
        ),
        (
            "access_key_secret = { fiel = \"canary\" }",
            "config.toml:2:23: unknown key `fiel` of `access_key_secret` of profile `p`",
        ),
        (
            "access_key_secret = { command = \"canary\" }",
            "config.toml:2:33: `command` of `access_key_secret` of profile `p` must be a list of strings: the program and its arguments",
        ),
        (
            "policy = \"nope\"",
            "`policy` of profile `p` (config.toml:2:10) cannot be used: `nope` is not a valid Policy: it is not JSON: expected ident at line 1 column 2",
        ),
        (
            "region = \"\"",
            "`region` of profile `p` (config.toml:2:10) cannot be used: `` is not a valid RegionId: expected a form like cn-hangzhou",
        ),
    ] {
        let toml = format!(
            "[profile.p]\n{line}\n[profile.good]\naccess_key_id = \"LTAIg\"\naccess_key_secret = \"s\""
        );
        assert_eq!(outcome(&toml, "", "--profile=p"), format!("2: {message}"));
        assert_eq!(outcome(&toml, "", "--profile=good"), "good");
    }
}

#[test]
fn paths_in_config_toml_count_from_its_directory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    let policy = dir.path().join("p.json");
    let mut file = fs_err::File::create(&policy).unwrap();
    std::io::Write::write_all(&mut file, b"{ \"Version\": \"1\" }\n").unwrap();
    let toml = full(
        "[profile.p]\naccess_key_id = \"LTAIp\"\naccess_key_secret = { file = \"key\" }\n\
         role_arn = \"role:p\"\npolicy = \"@p.json\"\n\
         [profile.q]\naccess_key_id = \"LTAIq\"\naccess_key_secret = { command = [\"bin/get\", \"x\"] }\n\
         role_arn = \"role:q\"\npolicy = \"@missing.json\"\n",
    );
    let config = ConfigFile::parse(&path, &toml).unwrap();
    let now = NOW.parse().unwrap();
    let p = resolve(&wanted("--profile=p"), &Env::default(), &config, now).unwrap();
    assert_eq!(render(&p), "p -> p {\"Version\":\"1\"}");
    let BaseKind::AccessKey { secret } = &p.base.kind else {
        panic!("{p:?}");
    };
    assert_eq!(
        format!("{secret:?}"),
        format!("File({:?})", dir.path().join("key"))
    );
    let q = resolve(&wanted("--profile=q"), &Env::default(), &config, now).unwrap_err();
    assert_eq!(q.to_string(), "cannot read the session policy");
    // Whoever brings a policy of their own needs no other.
    let q = resolve(
        &wanted("--profile=q --policy={}"),
        &Env::default(),
        &config,
        now,
    )
    .unwrap();
    assert!(format!("{:?}", q.base.kind).contains(&format!("{:?}", dir.path().join("bin/get"))));
}

#[test]
fn an_absent_file_is_an_empty_one_and_a_directory_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let config = ConfigFile::load(&dir.path().join("config.toml")).unwrap();
    assert_eq!(config.profile_names().count(), 0);
    let error = ConfigFile::load(dir.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Local);
}

#[cfg(unix)]
#[test]
fn a_secret_that_others_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    for (secret, mode, warned) in [
        ("\"s\"", 0o644, true),
        ("\"s\"", 0o600, false),
        ("{ file = \"key\" }", 0o644, false),
    ] {
        let text =
            format!("[profile.p]\naccess_key_id = \"LTAIp\"\naccess_key_secret = {secret}\n");
        let mut file = fs_err::File::create(&path).unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        let mode = std::fs::Permissions::from_mode(mode);
        fs_err::set_permissions(&path, mode).unwrap();
        let config = ConfigFile::load(&path).unwrap();
        assert_eq!(!config.warnings().is_empty(), warned, "{text}");
        if warned {
            assert!(config.warnings()[0].to_string().contains("(mode 0644)"));
        }
    }
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_no_mistake() {
    let toml = format!("\u{feff}{}", PROFILES.replace('\n', "\r\n"));
    check(&toml, &[("", "--profile=ops", "base -> dev -> ops")]);
}

#[test]
fn debug_shows_no_secret() {
    let toml = PROFILES.replace("s3cret", "canary");
    let variables = SESSION
        .replace("s3cret", "canary")
        .replace("t0ken", "canary");
    let config = ConfigFile::parse(Path::new("config.toml"), &full(&toml)).unwrap();
    let env = env(&variables);
    let now = NOW.parse().unwrap();
    let base = resolve(&wanted("--profile=base"), &env, &config, now).unwrap();
    let session = resolve(&wanted(""), &env, &config, now).unwrap();
    let profile = config.profile("base").unwrap();
    let shown = format!("{config:?} {env:?} {base:?} {session:?} {profile:?}");
    assert!(
        shown.contains("LTAIbase") && !shown.contains("canary"),
        "{shown}"
    );
}

/// Names that collide often enough to chain, to cycle, to be missing.
fn name() -> impl Strategy<Value = String> {
    "[abc]"
}

proptest! {
    #[test]
    fn any_text_as_config_toml_is_a_plan_or_an_error(text in ".{0,200}", flags in "(--profile=a)?") {
        let _ = plan(&text, KEY, &flags);
    }

    /// A valid file with a piece cut out or changed: an error never shows the secret.
    #[test]
    fn a_damaged_file_never_shows_its_secret(at in 0_usize..200, cut in 0_usize..8, put in ".{0,3}") {
        let text = "default_profile = \"p\"\n[profile.p]\naccess_key_id = \"LTAIp\"\n\
                    access_key_secret = \"canary0canary\"\nrole_arn = \"acs:ram::1:role/x\"\n";
        let damaged: String = text.chars().take(at).chain(put.chars())
            .chain(text.chars().skip(at + cut)).collect();
        if let Err(error) = plan(&damaged, "", "") {
            // A key or another value that the damage made of the secret is no longer it.
            let shown = format!("{error} {error:?} {:?}", error.hints());
            prop_assert!(!shown.contains("canary0canary"), "{}\n{}", damaged, shown);
        }
    }

    /// Whatever profiles refer to whatever: there is a plan or an error, and the search ends.
    #[test]
    fn profiles_in_any_tangle_end(
        profiles in proptest::collection::btree_map(
            name(), (proptest::option::of(name()), any::<bool>(), any::<bool>()), 0..4),
        default in proptest::option::of(name()),
        named in proptest::option::of(name()),
    ) {
        let mut toml = default.map(|d| format!("default_profile = \"{d}\"\n")).unwrap_or_default();
        for (name, (source, key, role)) in &profiles {
            toml += &format!("[profile.{name}]\n");
            if let Some(source) = source {
                toml += &format!("source_profile = \"{source}\"\n");
            }
            if *key {
                toml += "access_key_id = \"LTAIx\"\naccess_key_secret = \"s\"\n";
            }
            if *role {
                toml += &format!("role_arn = \"role:{name}\"\n");
            }
        }
        let flags = named.map(|n| format!("--profile={n}")).unwrap_or_default();
        if let Ok(plan) = plan(&toml, "", &flags) {
            prop_assert!(plan.base.is_long_lived());
            prop_assert!(plan.hops.len() <= profiles.len() + 1);
        }
    }

    #[test]
    fn any_environment_is_a_plan_or_an_error(
        values in proptest::collection::vec((0_usize..14, ".{0,20}"), 0..14),
    ) {
        let names = [
            "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
            "ALIBABA_CLOUD_SECURITY_TOKEN", "ALIBABACLOUD_ACCESS_KEY_ID",
            "ALIBABA_CLOUD_ROLE_ARN", "ALIBABA_CLOUD_ROLE_SESSION_NAME",
            "ALIBABA_CLOUD_EXTERNAL_ID", "STSCTL_PROFILE", "STSCTL_EXPIRATION",
            "STSCTL_ROLE_ARN", "ALIBABA_CLOUD_REGION_ID", "STSCTL_STS_ENDPOINT",
            "ALIBABA_CLOUD_STS_ENDPOINT", "ALIBABA_CLOUD_STS_REGION",
        ];
        let env = Env::from_vars(values.into_iter().map(|(at, value)| (names[at], value)));
        let config = ConfigFile::parse(Path::new("config.toml"), &full(PROFILES)).unwrap();
        let _ = resolve(&wanted(""), &env, &config, NOW.parse().unwrap());
    }
}
