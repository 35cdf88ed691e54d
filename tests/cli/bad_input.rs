//! Options and variables that cannot be used: each a clear error with exit code 2, before any
//! service is asked.

use snapbox::str;

use crate::world::World;

#[test]
fn a_role_arn_is_checked() {
    let world = World::new();
    world
        .stsctl(["assume", "--role-arn", "acs:ram::123:user/alice"])
        .assert(str![[r#"
exit 2
2> error: the value of --role-arn <ARN> cannot be used
2>   caused by: `acs:ram::123:user/alice` is not a valid RoleArn: expected acs:ram::<account id>:role/<role name>
2>
2> hint: for more information, try --help
"#]]);
    world
        .stsctl(["assume"])
        .env("ALIBABA_CLOUD_ROLE_ARN", "testrole")
        .assert(str![[r#"
exit 2
2> error: the value of ALIBABA_CLOUD_ROLE_ARN cannot be used
2>   caused by: `testrole` is not a valid RoleArn: expected acs:ram::<account id>:role/<role name>
"#]]);
    world.config("[profile.dev]\nsource_profile = \"base\"\nrole_arn = \"arn:aws:iam::1:role/x\"\n[profile.base]\naccess_key_id = \"LTAIalice\"\naccess_key_secret = \"x\"\n");
    world.stsctl(["assume", "-p", "dev"]).assert(str![[r#"
exit 2
2> error: `role_arn` of profile `dev` ([HOME]/config/config.toml:3:12) cannot be used
2>   caused by: `arn:aws:iam::1:role/x` is not a valid RoleArn: this is an AWS ARN; expected acs:ram::<account id>:role/<role name>
"#]]);
    assert_eq!(world.cloud.calls("AssumeRole"), 0);
}

#[test]
fn a_session_name_is_checked() {
    let world = World::new();
    for name in ["a", "with space", "名字", &"x".repeat(65)] {
        let stderr = world
            .stsctl(["assume", "--role-session-name", name])
            .stderr(2);
        assert!(stderr.contains("not a valid RoleSessionName"), "{stderr}");
    }
    world
        .stsctl(["assume", "--role-session-name", "with space"])
        .assert(str![[r#"
exit 2
2> error: the value of --role-session-name <NAME> cannot be used
2>   caused by: `with space` is not a valid RoleSessionName: 2 to 64 letters, digits, `.`, `@`, `_` and `-`
2>
2> hint: for more information, try --help
"#]]);
    world
        .stsctl(["assume"])
        .env("ALIBABA_CLOUD_ROLE_SESSION_NAME", "x")
        .assert(str![[r#"
exit 2
2> error: the value of ALIBABA_CLOUD_ROLE_SESSION_NAME cannot be used
2>   caused by: `x` is not a valid RoleSessionName: 2 to 64 letters, digits, `.`, `@`, `_` and `-`
"#]]);
}

#[test]
fn a_duration_is_checked() {
    let world = World::new();
    world
        .stsctl(["assume", "--duration", "14m59s"])
        .assert(str![[r#"
exit 2
2> error: the value of --duration <D> cannot be used
2>   caused by: `899` is not a valid DurationSeconds: a session lasts 900 s (15m) to 43200 s (12h)
2>
2> hint: for more information, try --help
"#]]);
    world
        .stsctl(["assume", "--duration", "13h"])
        .assert(str![[r#"
exit 2
2> error: the value of --duration <D> cannot be used
2>   caused by: `46800` is not a valid DurationSeconds: a session lasts 900 s (15m) to 43200 s (12h)
2>
2> hint: for more information, try --help
"#]]);
    world
        .stsctl(["assume", "--duration", "an hour"])
        .assert(str![[r#"
exit 2
2> error: the value of --duration <D> cannot be used
2>   caused by: `an hour` is not a valid duration: expected seconds, or a form like 90s, 15m, 1h30m, 2d
2>
2> hint: for more information, try --help
"#]]);
    world
        .stsctl(["assume", "--min-lifetime", "2h"])
        .assert(str![[r#"
exit 2
2> error: --min-lifetime 7200 s is more than the session's duration of 3600 s
2>
2> hint: ask for a longer --duration, or a shorter --min-lifetime
"#]]);
}

#[test]
fn a_policy_is_checked() {
    let world = World::new();
    world
        .stsctl(["assume", "--policy", "{\"Version\": \"1\", }"])
        .assert(str![[r#"
exit 2
2> error: `{\"Version\": \"1\", }` is not a valid Policy: it is not JSON: key must be a string at line 1 column 18
2>
2> hint: pass JSON, @FILE or -
"#]]);
    let long = format!(
        r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"oss:*","Resource":"{}"}}]}}"#,
        "x".repeat(2048)
    );
    world.file("long.json", &long);
    world
        .stsctl(["assume", "--policy", "@long.json"])
        .assert(str![[r#"
exit 2
2> error: `{\"Version\":\"1\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"oss:*\",\"Resource\":\"xxxxx…` is not a valid Policy: 2127 characters after minifying, at most 2048 are allowed
2>
2> hint: pass JSON, @FILE or -
"#]]);
    world
        .stsctl(["assume", "--policy", "@missing.json"])
        .assert(str![[r#"
exit 2
2> error: cannot read the session policy
2>   caused by: failed to open file `missing.json`: No such file or directory (os error 2)
"#]]);
    // Blanks do not count.
    let blank = long.replace(&"x".repeat(2048), "*") + &" ".repeat(4096);
    world.file("blank.json", blank);
    world.assume(&["--policy", "@blank.json"]);
    world
        .stsctl(["oss", "put", "demo-bucket", "k", "-", "--policy", "-"])
        .assert(str![[r#"
exit 2
2> error: stdin can't be both the policy and the file
"#]]);
}

#[test]
fn plain_http_to_another_machine_is_refused() {
    let world = World::new();
    world
        .stsctl(["assume", "--sts-endpoint", "http://sts.example.com"])
        .assert(str![[r#"
exit 2
2> error: `http://sts.example.com` would carry credentials over plain HTTP
2>
2> hint: use https://, or insist with --insecure-http
"#]]);
    world
        .stsctl(["oss", "put", "demo-bucket", "k", "-"])
        .args(["--endpoint", "http://oss.example.com"])
        .stdin("")
        .assert(str![[r#"
exit 2
2> error: `http://oss.example.com` is plain HTTP to another machine: the SecurityToken would cross the network in the clear
2>
2> hint: use https://, or pass --insecure-http if that network is yours
"#]]);
}

#[test]
fn a_password_in_an_endpoint_is_not_repeated() {
    let world = World::new();
    let url = "https://user:canary@sts.example.com";
    let asked = world.stsctl(["assume", "--sts-endpoint", url]);
    asked.assert(str![[r#"
exit 2
2> error: the value of --sts-endpoint <HOST or URL> cannot be used
2>   caused by: `…@…` is not a valid Endpoint: user names and passwords have no place in it
2>
2> hint: for more information, try --help
"#]]);
    let variable = world.stsctl(["assume"]).env("STSCTL_STS_ENDPOINT", url);
    variable.assert(str![[r#"
exit 2
2> error: the value of STSCTL_STS_ENDPOINT cannot be used
2>   caused by: `…@…` is not a valid Endpoint: user names and passwords have no place in it
"#]]);
    world
        .stsctl(["assume", "--error-format=json", "--sts-endpoint", url])
        .assert(str![[r#"
exit 2
2> {"error":{"code":null,"hints":["for more information, try --help"],"kind":"usage","message":"the value of --sts-endpoint <HOST or URL> cannot be used: `…@…` is not a valid Endpoint: user names and passwords have no place in it","request_id":null}}
"#]]);
}

#[test]
fn variables_are_checked_as_options_are() {
    let world = World::new();
    for (name, value) in [
        ("STSCTL_TIMEOUT", "soon"),
        ("STSCTL_SIGNATURE", "md5"),
        ("STSCTL_LOG", "all"),
        ("STSCTL_STS_ENDPOINT", "not a host"),
        ("ALIBABA_CLOUD_REGION_ID", "no region"),
    ] {
        let stderr = world.stsctl(["assume"]).env(name, value).stderr(2);
        assert!(stderr.contains(name), "{stderr}");
    }
    world
        .stsctl(["assume"])
        .env("STSCTL_TIMEOUT", "soon")
        .assert(str![[r#"
exit 2
2> error: cannot use the variable STSCTL_TIMEOUT
2>   caused by: `soon` is not a valid duration: expected seconds, or a form like 90s, 15m, 1h30m, 2d
"#]]);
}

#[test]
fn a_region_with_oss_in_front_is_taken_without_it() {
    let world = World::new();
    world
        .stsctl(["whoami", "--offline", "--region", "oss-cn-hangzhou"])
        .assert(str![[r#"
exit 0
1> Source             ALIBABA_CLOUD_ACCESS_KEY_ID of the environment
1> SourceAccessKeyId  LTAIalice
1> Roles              acs:ram::1234567890123456:role/testrole
2> warning: a region has no `oss-` in front: taken for `cn-hangzhou`
"#]]);
}

#[test]
fn what_is_no_object_is_not_sent() {
    let world = World::new();
    let put = |bucket: &str, key: &str, file: &str| {
        world.stsctl(["oss", "put", "-q", "--", bucket, key, file])
    };
    world.file("hello.txt", "hello");
    put("demo-bucket", "k", "missing.txt").assert(str![[r#"
exit 2
2> error: cannot put `demo-bucket/k`
2>   caused by: `missing.txt` does not exist
2>
"#]]);
    put("demo-bucket", "k", ".").assert(str![[r#"
exit 2
2> error: cannot put `demo-bucket/k`
2>   caused by: `.` is a directory
2>
"#]]);
    put("demo-bucket", "", "hello.txt").assert(str![[r#"
exit 2
2> error: the value of <KEY> cannot be used
2>   caused by: `` is not a valid ObjectKey: 1 to 1023 bytes of UTF-8
2>
2> hint: for more information, try --help
"#]]);
    put("demo-bucket", "a/../b", "hello.txt").assert(str![[r#"
exit 2
2> error: the value of <KEY> cannot be used
2>   caused by: `a/../b` is not a valid ObjectKey: a `.` or `..` segment would be folded away by HTTP clients
2>
2> hint: for more information, try --help
"#]]);
    put("demo-bucket", "/k", "hello.txt").assert(str![[r#"
exit 2
2> error: the value of <KEY> cannot be used
2>   caused by: `/k` is not a valid ObjectKey: it must not start with `/` or `\`
2>
2> hint: for more information, try --help
"#]]);
    put("demo-bucket", &"x".repeat(1024), "hello.txt").assert(str![[r#"
exit 2
2> error: the value of <KEY> cannot be used
2>   caused by: `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…` is not a valid ObjectKey: 1 to 1023 bytes of UTF-8
2>
2> hint: for more information, try --help
"#]]);
    put("Demo_Bucket", "k", "hello.txt").assert(str![[r#"
exit 2
2> error: the value of <BUCKET> cannot be used
2>   caused by: `Demo_Bucket` is not a valid Bucket: 3 to 63 lower-case letters, digits and hyphens, no hyphen at either end
2>
2> hint: for more information, try --help
"#]]);
    let large = world.file("large", "");
    let file = fs_err::OpenOptions::new().write(true).open(large).unwrap();
    file.set_len(5 * (1 << 30) + 1).unwrap();
    put("demo-bucket", "k", "large").assert(str![[r#"
exit 2
2> error: cannot put `demo-bucket/k`
2>   caused by: `large` is larger than 5 GiB, the most that one PutObject takes
2>
"#]]);
    assert_eq!(world.cloud.calls("PutObject"), 0);
}

#[test]
fn headers_that_oss_would_refuse_are_not_sent() {
    let world = World::new();
    let put = |option: &str, value: &str| {
        world
            .stsctl(["oss", "put", "demo-bucket", "k", "-", option, value])
            .stdin("")
    };
    put("--meta", "no-equals-sign").assert(str![[r#"
exit 2
2> error: the value of --meta <K=V> cannot be used
2>   caused by: `no-equals-sign` is not a valid pair: expected NAME=VALUE
2>
2> hint: for more information, try --help
"#]]);
    put("--content-type", "two\nlines").assert(str![[r#"
exit 2
2> error: the value of --content-type <TYPE> cannot be used
2>   caused by: `two\nlines` is not a valid header value: a header holds printable ASCII characters only; encode others, as with %XX
2>
2> hint: for more information, try --help
"#]]);
    put("--acl", "everyone").assert(str![[r#"
exit 2
2> error: the value of --acl <ACL> cannot be used
2>   caused by: `everyone` is not a valid object ACL: one of default, private, public-read, public-read-write
2>
2> hint: for more information, try --help
"#]]);
    put("--storage-class", "Cold").assert(str![[r#"
exit 2
2> error: the value of --storage-class <CLASS> cannot be used
2>   caused by: `Cold` is not a valid storage class: one of Standard, IA, Archive, ColdArchive, DeepColdArchive
2>
2> hint: for more information, try --help
"#]]);
    put("--bandwidth-limit", "0").assert(str![[r#"
exit 2
2> error: the value of --bandwidth-limit <SIZE> cannot be used
2>   caused by: `0` is not a valid bandwidth limit: it must be more than 0
2>
2> hint: for more information, try --help
"#]]);
    assert_eq!(world.cloud.calls("PutObject"), 0);
}

#[test]
fn v4_needs_the_region() {
    let world = World::new();
    let put = |options: &[&str]| {
        world
            .stsctl(["oss", "put", "demo-bucket", "k", "-"])
            .args(options)
            .stdin("x")
            .without(["ALIBABA_CLOUD_REGION_ID"])
    };
    put(&[]).assert(str![[r#"
exit 2
2> error: signature version 4 needs the region, and `[CLOUD]` names none
2>
2> hint: pass --region cn-hangzhou, or set OSS_REGION or ALIBABA_CLOUD_REGION_ID
"#]]);
    put(&["-q", "--sign-version", "v1"]).stdout();
    put(&["-q", "--region", "cn-hangzhou"]).stdout();
    put(&["-q"]).env("OSS_REGION", "cn-hangzhou").stdout();
}

#[test]
fn usage_errors_come_in_either_format() {
    let world = World::new();
    world.stsctl(["assume", "--rolearn", "x"]).assert(str![[r#"
exit 2
2> error: unexpected argument '--rolearn' found
2>
2>   tip: a similar argument exists: '--role-arn'
2>
2> Usage: stsctl assume --role-arn <ARN>
2>
2> For more information, try '--help'.
"#]]);
    world
        .stsctl(["assume", "--rolearn", "x", "--error-format", "json"])
        .assert(str![[r#"
exit 2
2> {"error":{"code":null,"hints":[],"kind":"usage","message":"unexpected argument '--rolearn' found","request_id":null}}
"#]]);
    world.stsctl(["frobnicate"]).assert(str![[r#"
exit 2
2> error: unrecognized subcommand 'frobnicate'
2>
2> Usage: stsctl [OPTIONS] <COMMAND>
2>
2> For more information, try '--help'.
"#]]);
}
