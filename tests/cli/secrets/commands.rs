//! Every command when all is well.

use fs_err as fs;

use super::harness::{Place, Run, Stdout, finish, private_file, text};
use super::relay::Mode;

const SUMMARY: &[&str] = &[
    "RoleArn",
    "AssumedRoleUser",
    "AccessKeyId",
    "AccessKeySecret  ********",
    "SecurityToken    ********",
    "Expiration",
    "RequestId",
    "From",
];
const IDENTITY: &[&str] = &[
    "Arn",
    "IdentityType",
    "AccountId",
    "PrincipalId",
    "UserId",
    "RoleId",
    "RequestId",
    "Source",
    "Roles",
    "AccessKeyId",
    "Expiration",
    "Lifetime",
    "Cached",
    "ClockSkewSeconds",
];
const ASSIGNMENTS: &[&str] = &["export ", "unset "];

#[test]
fn assume_and_env_show_secrets_only_where_they_hand_them_out() {
    let mut place = Place::new();
    let github = place.home.path().join("github_env");
    private_file(&github, "");
    for scheme in ["rpc", "acs3"] {
        let refresh = format!("assume --refresh --signature {scheme}");
        place.check(&Run::of(&refresh, Stdout::Lines(SUMMARY)));
    }
    for run in [
        Run::of("assume", Stdout::Lines(SUMMARY)),
        Run::of("assume --no-cache", Stdout::Lines(SUMMARY)),
        Run::of("assume -o json", Stdout::SecretJson),
        Run::of("assume --no-cache -o json", Stdout::SecretJson),
        Run::of("env", Stdout::SecretLines(ASSIGNMENTS)),
        Run::of("env --shell fish", Stdout::SecretLines(&["set "])),
        Run::of("env --shell json", Stdout::SecretJson),
        Run::of("env --unset", Stdout::Lines(&["unset "])),
        Run::of("env --shell github", Stdout::SecretLines(&["::add-mask::"]))
            .set("GITHUB_ENV", github.to_str().unwrap()),
    ] {
        place.check(&run);
    }
    let exported = fs::read_to_string(&github).unwrap();
    assert!(exported.contains("ALIBABA_CLOUD_SECURITY_TOKEN<<"));
    fs::remove_file(&github).unwrap();
    place.close();
}

#[test]
fn whoami_cache_and_help_show_none() {
    let mut place = Place::new();
    for run in [
        Run::of("whoami --offline", Stdout::Lines(IDENTITY)),
        Run::of("whoami", Stdout::Lines(IDENTITY)),
        Run::of("whoami -o json", Stdout::Json),
        Run::of("whoami --offline -o json", Stdout::Json),
        Run::of("whoami --no-role --signature acs3", Stdout::Lines(IDENTITY)),
        Run::of("cache list", Stdout::Lines(&["ROLE ", "acs:ram::"])),
        Run::of("cache list -o json", Stdout::Json),
        Run::of("cache path", Stdout::Lines(&["/"])),
        Run::of("cache prune", Stdout::Nothing),
        Run::of("cache clear", Stdout::Nothing),
        Run::of("cache list", Stdout::Nothing),
        Run::of("--help", Stdout::Any),
        Run::of("--version", Stdout::Lines(&["stsctl "])),
        Run::of("assume --help", Stdout::Any),
        Run::of("env --help", Stdout::Any),
        Run::of("whoami --help", Stdout::Any),
        Run::of("cache --help", Stdout::Any),
        Run::of("profile --help", Stdout::Any),
        Run::of("profile add --help", Stdout::Any),
        Run::of("oss --help", Stdout::Any),
        Run::of("oss put --help", Stdout::Any),
        Run::of("sandbox --help", Stdout::Any),
        Run::of("sandbox serve --help", Stdout::Any),
        Run::of("sandbox exec --help", Stdout::Any),
    ] {
        #[cfg(not(unix))]
        if run.args == ["cache", "path"] {
            continue;
        }
        place.check(&run);
    }
    place.close();
}

#[test]
fn uploads_show_none() {
    let mut place = Place::new();
    fs::copy(
        concat!(env!("CARGO_MANIFEST_DIR"), "/LICENSE"),
        place.home.path().join("file.txt"),
    )
    .unwrap();
    for run in [
        Run::of(
            "oss put demo-bucket a/b.txt file.txt",
            Stdout::Lines(&["put "]),
        ),
        Run::of("oss put demo-bucket b file.txt -o json", Stdout::Json),
        Run::of(
            "oss put demo-bucket c file.txt --sign-version v1",
            Stdout::Lines(&["put "]),
        ),
        Run::of(
            "oss put demo-bucket d - --no-role",
            Stdout::Lines(&["put "]),
        )
        .stdin("some text"),
        Run::of(
            "oss put demo-bucket e file.txt --progress always",
            Stdout::Lines(&["put "]),
        ),
        Run::of(
            "oss put demo-bucket f file.txt --meta a=b --tag c=d",
            Stdout::Lines(&["put "]),
        ),
    ] {
        place.check(&run);
    }
    place.close();
}

#[test]
fn profiles_show_none() {
    let mut place = Place::new();
    let secret = place.var("ALIBABA_CLOUD_ACCESS_KEY_SECRET").to_owned();
    let id = place.var("ALIBABA_CLOUD_ACCESS_KEY_ID").to_owned();
    place.mark("canary-of-the-official-cli");
    let aliyun = place.home.path().join(".aliyun");
    fs::create_dir(&aliyun).unwrap();
    let official = serde_json::json!({"current": "old", "profiles": [{
        "name": "old", "mode": "AK", "access_key_id": "LTAIofficial",
        "access_key_secret": "canary-of-the-official-cli", "region_id": "cn-hangzhou",
    }]});
    private_file(&aliyun.join("config.json"), &official.to_string());
    for name in ["plain", "plain2"] {
        let add = format!("profile add {name} --access-key-id {id} --secret-stdin");
        let add = Run::of(&add, Stdout::Nothing).stdin(&format!("{secret}\n"));
        place.check_once(&add, &["-vv"], &[]);
    }
    let add = "profile add chained --source-profile plain --role-arn acs:ram::1234567890123456:role/testrole";
    place.check_once(&Run::of(add, Stdout::Nothing), &["-vv"], &[]);
    for run in [
        Run::of("profile list", Stdout::Any),
        Run::of("profile list -o json", Stdout::Json),
        Run::of("profile show plain", Stdout::Any),
        Run::of("profile show plain -o json", Stdout::Json),
        Run::of("profile show chained", Stdout::Any),
        Run::of("assume --profile chained", Stdout::Lines(SUMMARY)),
        Run::of(
            "whoami --profile chained --no-role",
            Stdout::Lines(IDENTITY),
        ),
        Run::failing(
            "profile add plain --access-key-id LTAIother --secret-stdin",
            2,
        )
        .stdin("canary-of-the-official-cli\n"),
    ] {
        place.check(&run);
    }
    place.check_once(
        &Run::of("profile import old", Stdout::Nothing),
        &["-vv"],
        &[],
    );
    place.check_once(&Run::failing("profile import old", 2), &["-vv"], &[]);
    place.check(&Run::of("profile show old", Stdout::Any));
    for name in ["plain2", "old"] {
        let remove = format!("profile remove {name}");
        place.check_once(&Run::of(&remove, Stdout::Nothing), &["-vv"], &[]);
    }
    fs::remove_dir_all(aliyun).unwrap();
    place.close();
}

#[cfg(unix)]
#[test]
fn every_source_of_a_secret_keeps_it() {
    let mut place = Place::new();
    let secret = place.var("ALIBABA_CLOUD_ACCESS_KEY_SECRET").to_owned();
    let id = place.var("ALIBABA_CLOUD_ACCESS_KEY_ID").to_owned();
    let file = place.config_dir().join("secret");
    private_file(&file, &format!("{secret}\n"));
    let role = place.var("ALIBABA_CLOUD_ROLE_ARN").to_owned();
    for source in [
        format!("\"{secret}\""),
        "{ file = \"secret\" }".to_owned(),
        format!("{{ command = [\"cat\", {:?}] }}", file.to_str().unwrap()),
    ] {
        place.configure(&format!(
            "[profile.a]\naccess_key_id = \"{id}\"\naccess_key_secret = {source}\nrole_arn = \"{role}\"\n"
        ));
        let run = Run::of("assume --refresh --profile a", Stdout::Lines(SUMMARY))
            .unset("ALIBABA_CLOUD_ACCESS_KEY_ID")
            .unset("ALIBABA_CLOUD_ACCESS_KEY_SECRET");
        place.check(&run);
    }
    fs::remove_file(file).unwrap();
    place.close();
}

/// A session that was exported signs by itself, and is never told.
#[test]
fn an_exported_session_keeps_its_secrets() {
    let mut place = Place::new();
    let answer = place
        .command(&Run::of("env --shell json", Stdout::Any))
        .output()
        .unwrap();
    let exported: serde_json::Value = serde_json::from_slice(&answer.stdout).unwrap();
    for (name, value) in exported.as_object().unwrap() {
        if let Some(value) = value.as_str() {
            place.environment.insert(name.clone(), value.to_owned());
        }
    }
    for run in [
        Run::of("assume", Stdout::Lines(SUMMARY)),
        Run::of("env", Stdout::SecretLines(ASSIGNMENTS)),
        Run::of("whoami", Stdout::Lines(IDENTITY)),
        Run::of("whoami --signature acs3", Stdout::Lines(IDENTITY)),
        Run::of("oss put demo-bucket x -", Stdout::Lines(&["put "])).stdin("x"),
        // Its time is over, and nothing is behind it.
        Run::failing("assume", 3).set("STSCTL_EXPIRATION", "2020-01-01T00:00:00Z"),
        Run::failing("env", 3).set("STSCTL_EXPIRATION", "2020-01-01T00:00:00Z"),
    ] {
        place.check(&run);
    }
    place.close();
}

/// A server that says back, in every field, all that it was told.
#[test]
fn an_echo_is_not_passed_on() {
    for mode in [Mode::EchoSts, Mode::EchoOss] {
        let mut place = Place::with(&[], mode);
        place.environment.remove("ALIBABA_CLOUD_ROLE_ARN");
        let token = "CAISwC/canary+token+that+comes+back==".to_owned();
        place.mark(&token);
        place.mark("canary-secret-of-a-session");
        let temporary = |run: Run| {
            run.set("ALIBABA_CLOUD_ACCESS_KEY_ID", "STS.canary")
                .set(
                    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
                    "canary-secret-of-a-session",
                )
                .set("ALIBABA_CLOUD_SECURITY_TOKEN", &token)
        };
        let runs = if mode == Mode::EchoSts {
            let assume = "assume --role-arn acs:ram::1234567890123456:role/testrole";
            vec![
                (
                    Run::failing(assume, 4),
                    ["--signature=rpc", "--signature=acs3"],
                ),
                (
                    Run::failing("whoami", 4),
                    ["--signature=rpc", "--signature=acs3"],
                ),
            ]
        } else {
            let put = Run::failing("oss put demo-bucket x -", 4).stdin("x");
            vec![(put, ["--sign-version=v4", "--sign-version=v1"])]
        };
        for (run, schemes) in runs {
            for scheme in schemes {
                place.check(&temporary(run.clone()).arg(scheme));
                place.check(&run.clone().arg(scheme));
            }
        }
        place.close();
    }
}

/// The story has a world of its own, whose secrets nobody is told; but every SecurityToken of a
/// sandbox begins alike, and an AccessKeySecret is only ever shown as an assignment.
#[test]
fn the_demo_tells_no_secret() {
    let mut place = Place::new();
    let demo = place.command(&Run::of("-vv sandbox demo", Stdout::Any));
    let output = finish(demo, "");
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("SecurityToken"), "{stdout}");
    for told in [stdout, stderr] {
        assert!(!told.contains("CAIS"), "{told}");
        for line in told.lines().filter(|line| line.contains("SECRET")) {
            let value = line.split_once('=').map_or("", |(_, value)| value);
            let value = value.trim_matches(['\'', ' ', '*', '…', '.']);
            assert_eq!(value, "", "{line}");
        }
    }
    place.learn();
    place.close();
}
