//! `stsctl profile`: the profiles of `config.toml`, and those brought over from the official CLI.

use snapbox::str;

use crate::world::{ROLE, World};

const CONFIG: &str = r#"# mine
default_profile = "dev"

[profile.base] # the key
access_key_id = "LTAIbase"
access_key_secret = "marked-secret"
region = "cn-hangzhou"

[profile.dev]
source_profile = "base"
role_arn = "acs:ram::1234567890123456:role/testrole"
duration = "30m"
"#;

#[test]
fn profiles_are_listed_and_shown_without_their_secret() {
    let world = World::new();
    world.stsctl(["profile", "list"]).assert(str![[r#"
exit 0
2> no profile in [HOME]/config/config.toml
"#]]);
    world.config(CONFIG);
    world.stsctl(["profile", "list"]).assert(str![[r#"
exit 0
1> PROFILE        ROLE                                     IDENTITY      REGION
1> base                                                    LTAIbase      cn-hangzhou
1> dev (default)  acs:ram::1234567890123456:role/testrole  profile base
"#]]);
    world
        .stsctl(["profile", "list", "-o", "json"])
        .assert(str![[r#"
exit 0
1> [
1>   {
1>     "access_key_id": "LTAIbase",
1>     "access_key_secret": "********",
1>     "default": false,
1>     "name": "base",
1>     "region": "cn-hangzhou"
1>   },
1>   {
1>     "default": true,
1>     "duration": "1800s",
1>     "name": "dev",
1>     "role_arn": "acs:ram::1234567890123456:role/testrole",
1>     "source_profile": "base"
1>   }
1> ]
"#]]);
    world.stsctl(["profile", "show"]).assert(str![[r#"
exit 0
1> name            dev
1> default         true
1> source_profile  base
1> role_arn        acs:ram::1234567890123456:role/testrole
1> duration        1800s
"#]]);
    world.stsctl(["profile", "show", "base"]).assert(str![[r#"
exit 0
1> name               base
1> default            false
1> access_key_id      LTAIbase
1> access_key_secret  ********
1> region             cn-hangzhou
"#]]);
    world.stsctl(["profile", "show", "bass"]).assert(str![[r#"
exit 2
2> error: there is no profile `bass`
2>
2> hint: did you mean `base`?
2> hint: known profiles: base, dev
"#]]);
}

#[test]
fn one_broken_profile_hides_no_other() {
    let world = World::new();
    world.config(&format!(
        "{CONFIG}\n[profile.odd]\nsource_profile = \"base\"\nrole_arn = \"dev\"\n"
    ));
    world.stsctl(["profile", "list"]).assert(str![[r#"
exit 0
1> PROFILE        ROLE                                     IDENTITY      REGION
1> base                                                    LTAIbase      cn-hangzhou
1> dev (default)  acs:ram::1234567890123456:role/testrole  profile base
1> odd            (broken)
2> warning: `role_arn` of profile `odd` ([HOME]/config/config.toml:16:12) cannot be used: `dev` is not a valid RoleArn: expected acs:ram::<account id>:role/<role name>
"#]]);
}

#[test]
fn adding_keeps_what_is_there_and_takes_the_secret_from_stdin() {
    let world = World::new();
    world.config(CONFIG);
    let base = [
        "profile",
        "add",
        "other",
        "--access-key-id",
        "LTAIother",
        "--secret-stdin",
    ];
    world
        .stsctl(base)
        .stdin("another-marked-secret\n")
        .assert(str![[r#"
exit 0
2> added profile `other`
"#]]);
    let role = [
        "profile",
        "add",
        "ops",
        "--source-profile",
        "other",
        "--role-arn",
        ROLE,
    ];
    world
        .stsctl(role)
        .args(["--duration", "2h", "--default"])
        .assert(str![[r#"
exit 0
2> added profile `ops`
"#]]);
    let text = fs_err::read_to_string(world.config_dir().join("config.toml")).unwrap();
    snapbox::assert_data_eq!(
        text,
        str![[r##"
# mine
default_profile = "ops"

[profile.base] # the key
access_key_id = "LTAIbase"
access_key_secret = "marked-secret"
region = "cn-hangzhou"

[profile.dev]
source_profile = "base"
role_arn = "acs:ram::1234567890123456:role/testrole"
duration = "30m"

[profile.other]
access_key_id = "LTAIother"
access_key_secret = "another-marked-secret"

[profile.ops]
source_profile = "other"
role_arn = "acs:ram::1234567890123456:role/testrole"
duration = "7200s"

"##]]
    );
}

#[test]
fn a_profile_that_could_not_work_is_not_added() {
    let world = World::new();
    world.config(CONFIG);
    world.stsctl(["profile", "add", "bare"]).assert(str![[r#"
exit 2
2> error: a profile has an AccessKey of its own or a source_profile that has one
2>
2> hint: pass --access-key-id with --secret-stdin, --secret-file or --secret-command; or --source-profile with --role-arn
"#]]);
    world
        .stsctl(["profile", "add", "x", "--access-key-id", "LTAIx"])
        .assert(str![[r#"
exit 2
2> error: the following required arguments were not provided:
2>   <--secret-stdin|--secret-file <FILE>|--secret-command <CMD ARG…>>
2>
2> Usage: stsctl profile add --access-key-id <ID> <--secret-stdin|--secret-file <FILE>|--secret-command <CMD ARG…>> <NAME>
2>
2> For more information, try '--help'.
"#]]);
    world
        .stsctl(["profile", "add", "x", "--source-profile", "bse"])
        .assert(str![[r#"
exit 2
2> error: there is no profile `bse`
2>
2> hint: did you mean `base`?
2> hint: known profiles: base, dev
"#]]);
    world
        .stsctl(["profile", "add", "dev", "--source-profile", "base"])
        .assert(str![[r#"
exit 2
2> error: there is already a profile `dev`
2>
2> hint: remove it first, or choose another name
"#]]);
    let empty = [
        "profile",
        "add",
        "x",
        "--access-key-id",
        "LTAIx",
        "--secret-stdin",
    ];
    world.stsctl(empty).stdin("two words\n").assert(str![[r#"
exit 2
2> error: the first line of stdin is no AccessKeySecret: it has spaces or characters outside ASCII
"#]]);
    world.stsctl(empty).stdin("\n").assert(str![[r#"
exit 2
2> error: stdin holds no AccessKeySecret on its first line
"#]]);
    let text = fs_err::read_to_string(world.config_dir().join("config.toml")).unwrap();
    assert_eq!(text, CONFIG);
}

#[test]
fn a_source_of_others_is_not_removed() {
    let world = World::new();
    world.config(CONFIG);
    world.stsctl(["profile", "remove", "base"]).assert(str![[r#"
exit 2
2> error: profile `base` is the source_profile of `dev`
2>
2> hint: remove or change those profiles first
"#]]);
    world.stsctl(["profile", "remove", "dev"]).assert(str![[r#"
exit 0
2> removed profile `dev`
2> there is no default profile now
"#]]);
    world.stsctl(["profile", "remove", "base"]).assert(str![[r#"
exit 0
2> removed profile `base`
"#]]);
    world.stsctl(["profile", "list"]).assert(str![[r#"
exit 0
2> no profile in [HOME]/config/config.toml
"#]]);
}

#[test]
fn a_profile_of_the_official_cli_is_brought_over_with_its_sources() {
    let world = World::new();
    fs_err::create_dir(world.path("work/.aliyun")).unwrap();
    let home = world.path("work");
    world.file(
        ".aliyun/config.json",
        r#"{"current":"chain","profiles":[
          {"name":"ak","mode":"AK","access_key_id":"LTAItheirs","access_key_secret":"their-marked-secret","region_id":"cn-beijing","output_format":"json"},
          {"name":"chain","mode":"ChainableRamRoleArn","source_profile":"ak","ram_role_arn":"acs:ram::1234567890123456:role/testrole","ram_session_name":"me","expired_seconds":900,"region_id":"cn-beijing"},
          {"name":"sso","mode":"CloudSSO"}
        ],"meta_path":""}"#,
    );
    world
        .stsctl(["profile", "import", "--default"])
        .env("HOME", &home)
        .assert(str![[r#"
exit 0
2> imported profile `chain`
2> imported profile `ak`
"#]]);
    world.stsctl(["profile", "show"]).assert(str![[r#"
exit 0
1> name               chain
1> default            true
1> source_profile     ak
1> role_arn           acs:ram::1234567890123456:role/testrole
1> role_session_name  me
1> duration           900s
1> region             cn-beijing
"#]]);
    world
        .stsctl(["profile", "import", "sso"])
        .env("HOME", &home)
        .assert(str![[r#"
exit 2
2> error: bringing over profile `sso`, mode `CloudSSO`, is not available in this version
2>
2> hint: modes AK, RamRoleArn and ChainableRamRoleArn can be brought over
"#]]);
    world
        .stsctl(["profile", "import", "chain"])
        .env("HOME", &home)
        .assert(str![[r#"
exit 2
2> error: there is already a profile `chain`
2>
2> hint: remove it first, or choose another name
"#]]);
}

#[test]
fn without_the_official_cli_there_is_nothing_to_import() {
    World::new().stsctl(["profile", "import"]).assert(str![[r#"
exit 2
2> error: cannot read the official CLI's configuration
2>   caused by: failed to open file `[HOME]/.aliyun/config.json`: No such file or directory (os error 2)
"#]]);
}
