//! With which settings roles are assumed.

use super::{PROFILES, check};

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
    let table = r#"
                  |                | mine -> mine mine 1800s {"p":"mine"} x:xmine i:imine
        VARIABLES |                | mine -> mine var 1800s {"p":"mine"} x:xvar i:imine
        VARIABLES | --profile=mine | mine -> mine mine 1800s {"p":"mine"} x:xmine i:imine
        VARIABLES | FLAGS          | mine -> mine flag 7200s {"p":1} x:xflag i:iflag
        VARIABLES | --profile=mine FLAGS | mine -> mine flag 7200s {"p":1} x:xflag i:iflag
                  | --profile=bare | bare -> bare
        VARIABLES | --profile=bare | bare -> bare var x:xvar
        KEY       |                | env -> mine mine 1800s {"p":"mine"} x:xmine i:imine
    "#;
    let variables = "ALIBABA_CLOUD_ROLE_SESSION_NAME=var ALIBABA_CLOUD_EXTERNAL_ID=xvar";
    let flags = "--role-session-name=flag --duration=2h --external-id=xflag \
        --source-identity=iflag --policy={\"p\":1}";
    check(
        toml,
        &table
            .replace("VARIABLES", variables)
            .replace("FLAGS", flags),
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
    // Another role in the place of the profile's: only who it is stays. A profile without a role
    // means its settings for whatever role it is used with.
    check(
        toml,
        "
                                      | --profile=mine --role-arn=role:x | key -> x bob i:bob-id
                                      | --role-arn=role:x                | key -> x bob i:bob-id
        ALIBABA_CLOUD_ROLE_ARN=role:x |                                  | key -> x bob i:bob-id
                                      | --profile=key --role-arn=role:x  | key -> x alice 1800s x:xkey
        ",
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
        [profile.on-top]
        source_profile = "top"
        duration = "4h"
    "#;
    let table = r"
                  | --profile=top         | base -> mid mid MID i:itop -> plain top i:itop -> top top 7200s x:xtop i:itop
                  | --profile=on-top      | base -> mid mid MID -> plain -> top top 14400s x:xtop i:itop
                  | --profile=top FLAGS   | base -> mid flag MID i:iflag -> plain flag i:iflag -> top flag 10800s {} x:xf i:iflag
        VARIABLES | --profile=plain       | base -> mid mid MID -> plain var x:xvar
        KEY       | --role-arn=role:a --role-arn=role:b FLAGS | env -> a flag i:iflag -> b flag 10800s {} x:xf i:iflag
    ";
    let variables = "ALIBABA_CLOUD_ROLE_SESSION_NAME=var ALIBABA_CLOUD_EXTERNAL_ID=xvar";
    let flags = "--role-session-name=flag --source-identity=iflag --duration=3h \
        --external-id=xf --policy={}";
    check(
        toml,
        &table
            .replace("MID", "1200s {\"of\":\"mid\"} x:xmid")
            .replace("VARIABLES", variables)
            .replace("FLAGS", flags),
    );
}

#[test]
fn more_minimum_lifetime_than_duration_is_a_mistake() {
    check(
        PROFILES,
        "
        KEY | --role-arn=role:x --min-lifetime=3600           | env -> x
        KEY | --role-arn=role:x --min-lifetime=3601           | 2: --min-lifetime 3601 s is more than the session's duration of 3600 s
            | --profile=dev --min-lifetime=3601               | 2: --min-lifetime 3601 s is more than the session's duration of 3600 s
            | --profile=dev --min-lifetime=3601 --duration=2h | base -> dev 7200s
        ",
    );
}
