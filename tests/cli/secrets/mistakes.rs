//! Every mistake that a person can make.

use fs_err as fs;

use super::harness::{Place, Run, private_file};

const CANARY: &str = "canary-typed-in-the-wrong-place";

fn place() -> Place {
    let mut place = Place::new();
    place.mark(CANARY);
    place
}

#[test]
fn secrets_on_the_command_line_are_not_said_again() {
    let mut place = place();
    for option in [
        "--access-key-secret",
        "--access_key_secret",
        "--secret",
        "--security-token",
        "--token",
    ] {
        for command in ["assume", "whoami", "profile add x"] {
            let run = Run::failing(command, 2);
            place.check(&run.clone().arg(option).arg(CANARY));
            place.check(&run.arg(&format!("{option}={CANARY}")));
        }
    }
    place.close();
}

#[test]
fn credentials_that_are_wrong_are_not_said_again() {
    let mut place = place();
    let secret = "ALIBABA_CLOUD_ACCESS_KEY_SECRET";
    let id = "ALIBABA_CLOUD_ACCESS_KEY_ID";
    let token = "ALIBABA_CLOUD_SECURITY_TOKEN";
    let put = Run::failing("oss put demo-bucket x -", 3).stdin("x");
    for run in [
        // A wrong secret, in all schemes.
        Run::failing("assume --refresh", 3).set(secret, CANARY),
        Run::failing("assume --refresh --signature acs3", 3).set(secret, CANARY),
        Run::failing("whoami --no-role", 3).set(secret, CANARY),
        put.clone().arg("--no-role").set(secret, CANARY),
        put.clone()
            .arg("--no-role")
            .arg("--sign-version=v1")
            .set(secret, CANARY),
        // An unknown AccessKey.
        Run::failing("assume --refresh", 3).set(id, "LTAIunknown"),
        put.clone().arg("--no-role").set(id, "LTAIunknown"),
        // A token that nobody issued.
        Run::failing("whoami --no-role", 3)
            .set(id, "STS.unknown")
            .set(token, CANARY),
        put.clone()
            .arg("--no-role")
            .set(id, "STS.unknown")
            .set(token, CANARY),
        put.arg("--no-role")
            .arg("--sign-version=v1")
            .set(id, "STS.unknown")
            .set(token, CANARY),
        // Halves, and what is no credential at all.
        Run::failing("assume", 2).unset(id).set(secret, CANARY),
        Run::failing("assume", 2).unset(secret),
        Run::failing("assume", 2)
            .unset(id)
            .unset(secret)
            .set(token, CANARY),
        Run::failing("assume", 2)
            .set(id, "STS.half")
            .set(secret, CANARY),
        Run::failing("assume", 3).unset(id).unset(secret),
        Run::failing("assume", 2).set(secret, &format!("{CANARY} and more")),
        Run::failing("assume", 2).set(secret, &format!("{CANARY}\nand more")),
        Run::failing("assume", 2).set(id, &format!("{CANARY} and more")),
        // A long-lived AccessKey is not handed out.
        Run::failing("env --no-role", 2),
        Run::failing("env", 2).unset("ALIBABA_CLOUD_ROLE_ARN"),
        // A session whose role is refused.
        Run::failing("assume --role-arn acs:ram::1234567890123456:role/nobody", 4),
        Run::failing(
            "assume --role-arn acs:ram::1234567890123456:role/testrole --role-arn acs:ram::1234567890123456:role/nobody",
            4,
        ),
        Run::failing(
            "assume --role-arn acs:ram::1234567890123456:role/iotstsrole --duration 12h",
            4,
        ),
    ] {
        place.check(&run);
    }
    place.close();
}

#[test]
fn usage_that_is_wrong_tells_nothing() {
    let mut place = place();
    fs::create_dir(place.home.path().join("directory")).unwrap();
    for run in [
        Run::failing("assume --role-arn nonsense", 2),
        Run::failing("assume --role-session-name x", 2),
        Run::failing("assume --duration 1s", 2),
        Run::failing("assume --policy nonsense", 2),
        Run::failing("assume --policy", 2).arg(&format!("{{\"a\":\"{}\"}}", "x".repeat(2048))),
        Run::failing("assume --min-lifetime 13h", 2),
        Run::failing("assume --profile nobody", 2),
        Run::failing("assume --signature none", 2),
        Run::failing("assume", 2).set("STSCTL_SIGNATURE", "none"),
        Run::failing("nonsense", 2),
        Run::failing("env --shell nonsense", 2),
        Run::failing("oss put demo-bucket x missing.txt", 2),
        Run::failing("oss put demo-bucket x directory", 2),
        Run::failing("oss put demo-bucket ../x missing.txt", 2),
        Run::failing("oss put nobodys-bucket x -", 4).stdin("x"),
        Run::failing("sandbox stop", 2),
        Run::failing("sandbox serve --fault nonsense", 2),
        Run::failing("sandbox serve --listen 0.0.0.0:0", 2),
        // Where nobody listens, nothing is called so, no TLS is spoken, and no secret may go.
        Run::failing("assume --refresh --sts-endpoint http://127.0.0.1:1", 5),
        Run::failing(
            "assume --refresh --sts-endpoint https://no-such-host.invalid",
            5,
        ),
        Run::failing("assume --refresh --sts-endpoint http://sts.example.com", 2),
        Run::failing("oss put demo-bucket x - --endpoint http://127.0.0.1:1", 5).stdin("x"),
        Run::failing(
            "oss put demo-bucket x - --endpoint http://oss.example.com",
            2,
        )
        .stdin("x"),
    ] {
        place.check(&run);
    }
    let plain = place
        .var("STSCTL_STS_ENDPOINT")
        .replace("http://", "https://");
    let no_tls = Run::failing("assume --refresh --sts-endpoint", 5).arg(&plain);
    let output = place.command(&no_tls).output().unwrap();
    let code = output.status.code().unwrap();
    assert!(matches!(code, 1 | 5), "{code}");
    place.check(&Run { code, ..no_tls });
    place.close();
}

/// A proxy's URL has a password as often as not.
#[test]
fn the_password_of_a_proxy_is_not_said() {
    let mut place = place();
    for proxy in [
        format!("http://user:{CANARY}@127.0.0.1:1"),
        format!("http://user:{CANARY}@[nonsense"),
        format!("nonsense://user:{CANARY}@127.0.0.1:1"),
    ] {
        let run = Run::failing("assume --refresh --sts-endpoint https://sts.example.com", 5)
            .set("HTTPS_PROXY", &proxy);
        let code = place.command(&run).output().unwrap().status.code().unwrap();
        assert_ne!(code, 0);
        place.check(&Run { code, ..run });
    }
    place.close();
}

#[test]
fn a_broken_config_toml_is_explained_without_its_secrets() {
    let mut place = place();
    for broken in [
        format!("access_key_secret = \"{CANARY}"),
        format!("access_key_secret = {CANARY}"),
        format!("access_key_secret = '{CANARY}' '{CANARY}'"),
        format!("access_key_secret = [\"{CANARY}\"]"),
        format!("access_key_secret = {{ plain = \"{CANARY}\" }}"),
        format!("access_key_secret = {{ file = 1, plain = \"{CANARY}\" }}"),
        format!("access_key_secret = \"{CANARY} with spaces\""),
        format!("acces_key_secret = \"{CANARY}\""),
        format!("security_token = \"{CANARY}\""),
        format!("access_key_secret = \"{CANARY}\"\naccess_key_secret = \"{CANARY}\""),
        format!("access_key_secret = \"{CANARY}\"\nduration = \"1s\""),
        format!("access_key_secret = \"{CANARY}\"\nsource_profile = \"a\""),
        format!("access_key_secret = \"{CANARY}\" # comment\nrole_arn = 7"),
    ] {
        place.configure(&format!(
            "[profile.a]\naccess_key_id = \"LTAIa\"\n{broken}\n"
        ));
        for command in ["assume --profile a", "profile show a"] {
            let run = Run::failing(command, 2);
            let code = place.command(&run).output().unwrap().status.code().unwrap();
            // `profile show` may show what `assume` cannot use.
            if code == 0 {
                assert_eq!(command, "profile show a", "{broken}");
                continue;
            }
            place.check(&run);
        }
    }
    place.configure("[profile.a]\nsource_profile = \"b\"\n[profile.b]\nsource_profile = \"a\"\n");
    place.check(&Run::failing("assume --profile a", 2));
    place.close();
}

#[cfg(unix)]
#[test]
fn a_secret_that_cannot_be_had_is_not_guessed_at() {
    use std::os::unix::fs::PermissionsExt;

    let mut place = place();
    let file = place.config_dir().join("secret");
    private_file(&file, CANARY);
    let script = place.config_dir().join("script");
    private_file(&script, &format!("echo {CANARY} >&1\nexit 3\n"));
    for source in [
        "{ file = \"missing\" }".to_owned(),
        "{ file = \"secret\" }".to_owned(),
        "{ command = [\"/nonexistent\"] }".to_owned(),
        "{ command = [\"false\"] }".to_owned(),
        format!("{{ command = [\"sh\", {:?}] }}", script.to_str().unwrap()),
        "{ keychain = true }".to_owned(),
    ] {
        fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        place.configure(&format!(
            "[profile.a]\naccess_key_id = \"LTAIa\"\naccess_key_secret = {source}\n"
        ));
        let run = Run::failing("whoami --no-role --profile a", 2);
        let code = place.command(&run).output().unwrap().status.code().unwrap();
        assert!(matches!(code, 1..=3), "{source}: {code}");
        place.check(&Run { code, ..run });
    }
    fs::remove_file(file).unwrap();
    fs::remove_file(script).unwrap();
    place.close();
}

/// What the cache complains of, it does not quote.
#[cfg(unix)]
#[test]
fn a_cache_that_is_no_good_is_not_quoted() {
    use std::os::unix::fs::PermissionsExt;

    use super::harness::Stdout;

    let mut place = place();
    let assume = Run::of("assume", Stdout::Any);
    place.check(&assume);
    let sessions = place.config_dir().join("sessions");
    let session = || {
        let entries = fs::read_dir(&sessions)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mut files = entries.filter(|path| path.extension().is_some_and(|end| end == "json"));
        files.next().unwrap()
    };
    let content = fs::read_to_string(session()).unwrap();
    for damaged in [
        &content[..content.len() - 2],
        &content.replace("\"version\":1", "\"version\":7"),
    ] {
        private_file(&session(), damaged);
        place.check(&Run::of("cache list", Stdout::Any));
        place.check(&assume);
    }
    fs::set_permissions(session(), std::fs::Permissions::from_mode(0o644)).unwrap();
    place.check(&assume);
    fs::set_permissions(&sessions, std::fs::Permissions::from_mode(0o755)).unwrap();
    place.check(&assume);
    place.check(&Run::failing("cache list", 1));
    fs::set_permissions(&sessions, std::fs::Permissions::from_mode(0o700)).unwrap();
    place.check(&assume);
    place.close();
}
