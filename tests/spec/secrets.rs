//! No secret in the Debug of any public type that holds one, however deep.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use stsctl::broker::{self, Broker, Granted, Notice};
use stsctl::cache::{BaseInputs, Cache, Entry, Inputs};
use stsctl::cli::exports::exports;
use stsctl::config::aliyun_cli::AliyunConfig;
use stsctl::config::edit::Editor;
use stsctl::config::{BaseKind, ConfigFile, Env, Wanted, resolve};
use stsctl::http::{Body, Client, ClientOptions, Proxies, RetryPolicy, SafeUri, Transport};
use stsctl::model::{ClockSkew, Credentials, Session, SystemClock};
use stsctl::oss::{Addressing, OssClient, OssSignature, PutOptions};
use stsctl::sandbox::{Options, Sandbox, World};
use stsctl::sign::{OssRequest, Signed, acs3, oss_v1, oss_v4, rpc};
use stsctl::sts::{self, SignatureScheme, StsClient};
use stsctl::transfer::Source;

const SECRET: &str = "canary-secret";
const TOKEN: &str = "canary-token";

/// Fails if the value shows a secret, in either form of Debug. `shown` is something that it does
/// show, so that a Debug of nothing does not pass.
fn check(value: &dyn Debug, shown: &str) {
    for text in [format!("{value:?}"), format!("{value:#?}")] {
        assert!(!text.contains("canary"), "{text}");
        assert!(text.contains(shown), "`{shown}` is not in {text}");
    }
}

fn credentials() -> Credentials {
    session().credentials()
}

fn session() -> Session {
    Session {
        access_key_id: "STS.shown".parse().unwrap(),
        access_key_secret: SECRET.into(),
        security_token: TOKEN.into(),
        expiration: "2026-01-02T04:04:05Z".parse().unwrap(),
        role_arn: "acs:ram::1234567890123456:role/shown".parse().unwrap(),
        assumed_role_arn: "acs:ram::1234567890123456:role/shown/alice".to_owned(),
        assumed_role_id: "344584339364951186:alice".to_owned(),
        request_id: "3D57EAD2".to_owned(),
    }
}

fn now() -> DateTime<Utc> {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

#[test]
fn credentials_and_sessions() {
    check(&credentials(), "STS.shown");
    check(&session(), "STS.shown");
    let granted = Granted {
        session: session(),
        skew: ClockSkew::ZERO,
        cached: true,
    };
    check(&granted, "STS.shown");
    let answer = sts::Answer {
        value: session(),
        skew: ClockSkew::ZERO,
    };
    check(&answer, "STS.shown");
    let session = session();
    let exported = exports(&session, None, &|_| false);
    check(&exported, "ALIBABA_CLOUD_SECURITY_TOKEN");
    let assignments: Vec<_> = exported.iter().map(|export| export.assignment()).collect();
    check(&assignments, "ALIBABA_CLOUD_SECURITY_TOKEN");
}

#[test]
fn cached_sessions() {
    let home = tempfile::tempdir().unwrap();
    let cache = Cache::open(home.path()).unwrap();
    let inputs = Inputs {
        endpoint: "https://sts.aliyuncs.com".to_owned(),
        role_arn: session().role_arn.to_string(),
        role_session_name: "alice".to_owned(),
        duration_seconds: 3600,
        policy: None,
        external_id: None,
        source_identity: None,
        base: BaseInputs::AccessKeyId("LTAIshown".to_owned()),
    };
    let entry = Entry {
        session: session(),
        skew: ClockSkew::ZERO,
        obtained_at: now(),
        retry_after: None,
    };
    check(&entry, "STS.shown");
    let lock = cache.try_lock(&inputs, now()).unwrap().unwrap();
    cache.put(&lock, &entry).unwrap();
    check(&lock, "LTAIshown");
    check(&cache.get(&inputs), "STS.shown");
    check(&cache.list().unwrap(), "STS.shown");
}

#[test]
fn configuration_and_plans() {
    let path = Path::new("config.toml");
    let toml = format!(
        "[profile.shown]\naccess_key_id = \"LTAIshown\"\naccess_key_secret = \"{SECRET}\"\n\
         role_arn = \"acs:ram::1234567890123456:role/dev\"\n"
    );
    let config = ConfigFile::parse(path, &toml).unwrap();
    check(&config, "config.toml");
    check(&config.profile("shown").unwrap(), "LTAIshown");
    let wanted = Wanted {
        profile: Some("shown".to_owned()),
        ..Wanted::new("alice".parse().unwrap())
    };
    let plan = resolve(&wanted, &Env::default(), &config, now()).unwrap();
    check(&plan, "LTAIshown");

    let env = |more: &[(&str, &str)]| {
        let mut vars = vec![
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", "STS.shown"),
            ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", SECRET),
            ("ALIBABA_CLOUD_SECURITY_TOKEN", TOKEN),
            ("HTTPS_PROXY", "http://user:canary@proxy.example"),
        ];
        vars.extend(more);
        Env::from_vars(vars)
    };
    let given = env(&[]);
    check(&given, "ALIBABA_CLOUD_SECURITY_TOKEN");
    check(&given.access_key().unwrap(), "STS.shown");
    let exported = env(&[
        ("STSCTL_ROLE_ARN", "acs:ram::1234567890123456:role/dev"),
        ("STSCTL_EXPIRATION", "2026-01-02T04:04:05Z"),
    ]);
    let nothing = ConfigFile::parse(path, "").unwrap();
    let mut kinds = Vec::new();
    for env in [given, exported] {
        let wanted = Wanted::new("alice".parse().unwrap());
        let plan = resolve(&wanted, &env, &nothing, now()).unwrap();
        check(&plan, "STS.shown");
        kinds.push(plan.base.kind);
    }
    assert!(matches!(
        kinds[..],
        [BaseKind::SessionToken { .. }, BaseKind::Exported { .. }]
    ));

    let home = tempfile::tempdir().unwrap();
    let mut editor = Editor::open(&home.path().join("config.toml")).unwrap();
    editor.add(&config.profile("shown").unwrap()).unwrap();
    check(&editor, "config.toml");
    let official = format!(
        r#"{{"current":"shown","profiles":[{{"name":"shown","mode":"AK",
        "access_key_id":"LTAIshown","access_key_secret":"{SECRET}"}}]}}"#
    );
    let official = AliyunConfig::parse(Path::new("config.json"), &official).unwrap();
    check(&official, "config.json");
    check(&official.import("shown").unwrap(), "LTAIshown");
}

#[test]
fn signatures_and_what_is_signed() {
    let credentials = credentials();
    let params = [("Policy", "canary"), ("RoleArn", "canary")];
    let rpc_request = rpc::Request {
        method: "POST",
        action: "AssumeRole",
        version: "2015-04-01",
        params: &params,
    };
    let acs3_request = acs3::Request {
        method: "POST",
        path: "/",
        query: &params,
        host: "sts.aliyuncs.com",
        action: "AssumeRole",
        version: "2015-04-01",
        content_type: None,
        body: b"SecurityToken=canary",
    };
    let oss_request = OssRequest {
        method: "PUT",
        bucket: Some("demo-bucket"),
        key: Some("shown"),
        query: &params,
        headers: &[("x-oss-security-token", "canary")],
    };
    check(&rpc_request, "AssumeRole");
    check(&acs3_request, "AssumeRole");
    check(&oss_request, "shown");
    let scope = oss_v4::Scope {
        at: now(),
        region: "cn-hangzhou",
        product: "oss",
    };
    let minute = Duration::from_secs(60);
    let all: [Signed; 6] = [
        rpc::sign(&rpc_request, &credentials, now(), "nonce"),
        acs3::sign(&acs3_request, &credentials, now(), "nonce"),
        oss_v1::sign_header(&oss_request, &credentials, now()),
        oss_v1::sign_url(&oss_request, &credentials, now()),
        oss_v4::sign_header(&oss_request, &[], &credentials, &scope),
        oss_v4::sign_url(&oss_request, &[], &credentials, &scope, minute),
    ];
    for signed in &all {
        check(signed, "REDACTED");
        let shown = format!("{signed:?}");
        let sensitive = signed.additions.iter().filter(|added| added.sensitive);
        let mut signatures = 0;
        for added in sensitive {
            check(added, added.name);
            assert!(!shown.contains(added.value.as_str()), "{shown}");
            signatures += usize::from(!added.value.contains("canary"));
        }
        assert_eq!(signatures, 1, "the signature itself is one of them");
    }
}

#[test]
fn clients_and_the_sandbox() {
    let clock = Arc::new(SystemClock);
    let proxies = Proxies {
        https: Some("http://user:canary@proxy.example:3128".to_owned()),
        http: Some("http://canary@[".to_owned()),
        no_proxy: None,
    };
    check(&proxies, "proxy.example");
    let options = ClientOptions {
        proxies,
        ..ClientOptions::default()
    };
    check(&options, "proxy.example");
    let client: Arc<dyn Transport> = Arc::new(Client::new(options));
    check(&client, "proxy.example");
    let endpoint = || "https://shown.example".parse().unwrap();
    let sts = StsClient::new(
        Arc::clone(&client),
        clock.clone(),
        endpoint(),
        SignatureScheme::Acs3,
        RetryPolicy::default(),
    );
    check(&sts, "shown.example");
    let oss = OssClient::new(
        Arc::clone(&client),
        clock.clone(),
        endpoint(),
        Addressing::Path,
        OssSignature::V1,
    );
    check(&oss, "shown.example");
    check(&PutOptions::default(), "PutOptions");
    let broker = Broker::new(client, clock.clone(), None, SignatureScheme::Rpc, |_| {});
    check(&broker, "Broker");
    check(&Body::from(SECRET.to_owned()), "Body");
    check(&Source::Reader(Box::new(SECRET.as_bytes())), "Reader");
    let uri = "https://user:canary@shown.example/?Signature=canary&security-token=canary";
    check(&SafeUri(&uri.parse().unwrap()), "shown.example");

    let key = |id: &str| Credentials {
        access_key_id: id.parse().unwrap(),
        access_key_secret: SECRET.into(),
        security_token: None,
    };
    let world = World::with_keys(key("LTAIshown"), key("LTAIalice"), key("LTAIadmin"));
    check(&world, "LTAIshown");
    let sandbox = Sandbox::new(world, Options::default(), clock).unwrap();
    check(&sandbox, "1234567890123456");
    check(&Options::default(), "Options");
}

/// Errors of the services are searched where they are made; these hold them.
#[test]
fn errors_and_notices() {
    let path = Path::new("config.toml");
    for broken in [
        format!("[profile.a]\naccess_key_secret = \"{SECRET}"),
        format!("[profile.a]\naccess_key_secret = [\"{SECRET}\"]"),
        format!("[profile.a]\nsecret = \"{SECRET}\""),
        format!("[profile.a]\naccess_key_secret = \"{SECRET} and more\""),
    ] {
        let error = ConfigFile::parse(path, &broken)
            .and_then(|config| config.profile("a"))
            .unwrap_err();
        check(&error, "config.toml");
        assert!(!error.to_string().contains("canary"), "{error}");
        let error = broker::Error::from(error);
        check(&error, "config.toml");
        let left = chrono::TimeDelta::zero();
        check(
            &Notice::RefreshFailed {
                error: &error,
                left,
            },
            "config.toml",
        );
    }
    let vars = [
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "canary in the wrong place"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", SECRET),
    ];
    let error = Env::from_vars(vars).access_key().unwrap_err();
    check(&error, "ALIBABA_CLOUD_ACCESS_KEY_ID");
}
