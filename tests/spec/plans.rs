//! From flags, environment and `config.toml` to a plan, as tables: a line has the variables, the
//! flags, and what comes of them.
//!
//! `role:dev` stands for `acs:ram::1:role/dev` on both sides, and KEY, SESSION, CLOSING and ENDED
//! for the variables below. A plan renders as its base and its hops, of which only what is not
//! the default is shown; an error as its exit code and message.

mod config_toml;
mod exported;
mod places;
mod roles;
mod settings;

use std::path::Path;

use chrono::{DateTime, Utc};
use stsctl::config::{
    self, BaseKind, ConfigFile, Env, ErrorKind, Origin, Plan, RoleHop, Wanted, resolve,
};

#[test]
fn the_base_is_the_named_profile_then_the_environment_then_the_default_profile() {
    check(
        &default_profile("base"),
        "
                                  |                | base
        KEY                       |                | env
        KEY                       | --profile=base | base
        KEY STSCTL_PROFILE=base   |                | base
        KEY STSCTL_PROFILE=       |                | env
        KEY STSCTL_PROFILE=ghost  | --profile=base | base
        SESSION                   | --profile=dev  | base -> dev
        ",
    );
    check(PROFILES, "| | 3: no credentials are configured");
    let foreign = SESSION.replace("STSCTL_", "OTHER_");
    assert_eq!(outcome("", &foreign, ""), "env session");
}

#[test]
fn the_first_spelling_of_which_any_part_is_set_is_the_only_one() {
    let second = "ALIBABACLOUD_ACCESS_KEY_ID=LTAIb ALIBABACLOUD_ACCESS_KEY_SECRET=b";
    let third = "ALICLOUD_ACCESS_KEY_ID=LTAIc ALICLOUD_ACCESS_KEY_SECRET=c";
    for (variables, id) in [
        (format!("{second} {third}"), "LTAIb"),
        (third.to_owned(), "LTAIc"),
        (format!("{third} {second} KEY"), "LTAIenv"),
    ] {
        let plan = plan("", &variables, "").unwrap();
        assert_eq!(plan.base.access_key_id.as_str(), id, "{variables}");
    }
    for (half, present, missing) in [
        (
            format!("ALIBABA_CLOUD_SECURITY_TOKEN=t {second}"),
            "ALIBABA_CLOUD_SECURITY_TOKEN",
            "ALIBABA_CLOUD_ACCESS_KEY_ID",
        ),
        (
            format!("ALIBABACLOUD_ACCESS_KEY_SECRET=b {third}"),
            "ALIBABACLOUD_ACCESS_KEY_SECRET",
            "ALIBABACLOUD_ACCESS_KEY_ID",
        ),
        (
            "ALICLOUD_ACCESS_KEY_ID=LTAIc ALICLOUD_ACCESS_KEY_SECRET=".to_owned(),
            "ALICLOUD_ACCESS_KEY_ID",
            "ALICLOUD_ACCESS_KEY_SECRET",
        ),
        (
            "ALIBABA_CLOUD_ACCESS_KEY_ID=STS.x ALIBABA_CLOUD_ACCESS_KEY_SECRET=s".to_owned(),
            "ALIBABA_CLOUD_ACCESS_KEY_ID",
            "ALIBABA_CLOUD_SECURITY_TOKEN",
        ),
    ] {
        let expected = format!("2: `{present}` is set without `{missing}`");
        assert_eq!(outcome(&default_profile("base"), &half, ""), expected);
    }
    // Terraform's spelling is written, never read.
    let terraform = "ALICLOUD_ACCESS_KEY=a ALICLOUD_SECRET_KEY=b";
    assert_eq!(
        outcome("", terraform, ""),
        "3: no credentials are configured"
    );
}

#[test]
fn the_whole_search_is_reported() {
    let toml = default_profile("dev");
    let closing = plan(&toml, "CLOSING", "").unwrap();
    let shown: Vec<String> = closing.search.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "named profile: neither --profile nor STSCTL_PROFILE is given",
            "environment: passed over, the exported session is close to its end",
            "default profile: used, profile `base` of config.toml",
        ]
    );
    let environment = plan(&toml, "KEY", "").unwrap();
    let shown: Vec<String> = environment.search.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown[1..],
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
fn debug_shows_no_secret() {
    let toml = PROFILES.replace("s3cret", "canary");
    let variables = SESSION
        .replace("s3cret", "canary")
        .replace("t0ken", "canary");
    let config = ConfigFile::parse(Path::new("config.toml"), &full(&toml)).unwrap();
    let env = env(&variables);
    let base = resolve(&wanted("--profile=base"), &env, &config, now()).unwrap();
    let session = resolve(&wanted(""), &env, &config, now()).unwrap();
    let profile = config.profile("base").unwrap();
    let shown = format!("{config:?} {env:?} {base:?} {session:?} {profile:?}");
    assert!(
        shown.contains("LTAIbase") && !shown.contains("canary"),
        "{shown}"
    );
}

/// Checks each line of a table: variables, flags, outcome.
#[track_caller]
fn check(toml: &str, table: &str) {
    let mut lines = 0;
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let mut columns = line.splitn(3, '|').map(str::trim);
        let mut column = || columns.next().expect("a line has three columns");
        let (variables, flags, expected) = (column(), column(), column());
        assert_eq!(
            outcome(toml, variables, flags),
            expected,
            "{variables} | {flags}"
        );
        lines += 1;
    }
    assert!(lines > 0, "an empty table shows nothing");
}

/// Renders the plan, or the error's exit code and message.
fn outcome(toml: &str, variables: &str, flags: &str) -> String {
    plan(toml, variables, flags).map_or_else(|error| render_error(&error), |plan| render(&plan))
}

fn plan(toml: &str, variables: &str, flags: &str) -> Result<Plan, config::Error> {
    plan_at(toml, variables, flags, now())
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

/// The instant against which SESSION, CLOSING and ENDED are what they are called.
fn now() -> DateTime<Utc> {
    "2026-01-02T12:00:00Z".parse().expect("an instant")
}

fn full(text: &str) -> String {
    text.replace("role:", "acs:ram::1:role/")
}

/// The profiles, and one of them as the default.
fn default_profile(name: &str) -> String {
    format!("default_profile = \"{name}\"\n{PROFILES}")
}

fn env(variables: &str) -> Env {
    let variables: Vec<&str> = variables
        .split_whitespace()
        .map(|word| match word {
            "KEY" => KEY,
            "SESSION" => SESSION,
            "CLOSING" => CLOSING,
            "ENDED" => ENDED,
            variable => variable,
        })
        .collect();
    let variables = full(&variables.join(" "));
    let pairs = variables.split_whitespace().map(|pair| {
        let (name, value) = pair.split_once('=').expect("a variable has a value");
        (name.to_owned(), value.to_owned())
    });
    Env::from_vars(pairs)
}

fn wanted(flags: &str) -> Wanted {
    fn parse<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
        text.parse().expect("the flag's value is valid")
    }
    let mut wanted = Wanted::new(parse("me@here"));
    for flag in full(flags).split_whitespace() {
        let (name, value) = flag.split_once('=').unwrap_or((flag, ""));
        match name {
            "--profile" => wanted.profile = Some(value.to_owned()),
            "--role-arn" => wanted.role_arns.push(parse(value)),
            "--no-role" => wanted.no_role = true,
            "--role-session-name" => wanted.role_session_name = Some(parse(value)),
            "--duration" => wanted.duration = Some(parse(value)),
            "--policy" => wanted.policy = Some(parse(value)),
            "--external-id" => wanted.external_id = Some(parse(value)),
            "--source-identity" => wanted.source_identity = Some(parse(value)),
            "--refresh" => wanted.fresh = true,
            "--min-lifetime" => wanted.min_lifetime = stsctl::model::parse_duration(value).ok(),
            "--region" => wanted.region = Some(value.to_owned()),
            "--sts-endpoint" => wanted.sts_endpoint = Some(parse(value)),
            "--vpc" => wanted.vpc = true,
            "--insecure-http" => wanted.insecure_http = true,
            _ => panic!("no such flag: {flag}"),
        }
    }
    wanted
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
    let hops = plan.hops.iter().map(render_hop);
    std::iter::once(base)
        .chain(hops)
        .collect::<Vec<_>>()
        .join(" -> ")
}

fn render_hop(hop: &RoleHop) -> String {
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

fn render_error(error: &config::Error) -> String {
    let code = match error.kind() {
        ErrorKind::Local => 1,
        ErrorKind::Configuration => 2,
        ErrorKind::NoCredentials => 3,
    };
    let cause = std::error::Error::source(error)
        .map(|cause| format!(": {cause}"))
        .unwrap_or_default();
    format!("{code}: {error}{cause}").replace("acs:ram::1:role/", "role:")
}

/// An AccessKey in the environment.
const KEY: &str = "ALIBABA_CLOUD_ACCESS_KEY_ID=LTAIenv ALIBABA_CLOUD_ACCESS_KEY_SECRET=s3cret";

/// A session for the role dev that stsctl exported, with an hour left.
const SESSION: &str = "ALIBABA_CLOUD_ACCESS_KEY_ID=STS.env ALIBABA_CLOUD_ACCESS_KEY_SECRET=s3cret \
    ALIBABA_CLOUD_SECURITY_TOKEN=t0ken STSCTL_ROLE_ARN=role:dev \
    STSCTL_EXPIRATION=2026-01-02T13:00:00Z";

/// The same with four minutes left.
const CLOSING: &str = "ALIBABA_CLOUD_ACCESS_KEY_ID=STS.env ALIBABA_CLOUD_ACCESS_KEY_SECRET=s3cret \
    ALIBABA_CLOUD_SECURITY_TOKEN=t0ken STSCTL_ROLE_ARN=role:dev \
    STSCTL_EXPIRATION=2026-01-02T12:04:00Z";

/// The same at its very end.
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
