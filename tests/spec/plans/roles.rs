//! Which roles are assumed.

use super::{PROFILES, check, default_profile, outcome, plan};

#[test]
fn the_role_is_the_option_then_the_named_profile_then_the_variable_then_the_default_profile() {
    check(
        &default_profile("dev"),
        "
                                            |                                     | base -> dev
        ALIBABA_CLOUD_ROLE_ARN=role:var     |                                     | base -> var
        ALIBABA_CLOUD_ROLE_ARN=role:var     | --profile=dev                       | base -> dev
        ALIBABA_CLOUD_ROLE_ARN=role:var     | --profile=base                      | base -> var
        ALIBABA_CLOUD_ROLE_ARN=role:var     | --profile=dev --role-arn=role:flag  | base -> flag
        ALIBABA_CLOUD_ROLE_ARN=role:var     | --role-arn=role:flag                | base -> flag
                                            | --profile=ops --role-arn=role:flag  | base -> dev -> flag
                                            | --profile=base                      | base -> dev
        KEY                                 |                                     | env -> dev
        KEY ALIBABA_CLOUD_ROLE_ARN=role:var |                                     | env -> var
        KEY ALIBABA_CLOUD_ROLE_ARN=role:var | --role-arn=role:flag                | env -> flag
        ALIBABA_CLOUD_ROLE_ARN=role:var     | --no-role                           | base
        KEY ALIBABA_CLOUD_ROLE_ARN=role:var | --no-role                           | env
                                            | --profile=ops --no-role             | base
                                            | --no-role --role-arn=role:flag      | 2: --no-role and --role-arn contradict each other
        ",
    );
}

#[test]
fn roles_chain_through_sources_and_repeated_options() {
    let more = r#"
        [profile.deep]
        source_profile = "ops"
        role_arn = "role:deep"
        [profile.plain]
        source_profile = "ops"
        [profile.rooted]
        access_key_id = "LTAIr"
        access_key_secret = "s"
        role_arn = "role:r"
        [profile.on-rooted]
        source_profile = "rooted"
        role_arn = "role:s"
    "#;
    check(
        &format!("{PROFILES}{more}"),
        "
                                        | --profile=deep                     | base -> dev -> ops -> deep
                                        | --profile=plain                    | base -> dev -> ops
        ALIBABA_CLOUD_ROLE_ARN=role:var | --profile=plain                    | base -> dev -> ops
                                        | --profile=plain --role-arn=role:x  | base -> dev -> ops -> x
                                        | --profile=rooted                   | rooted -> r
                                        | --profile=on-rooted                | rooted -> r -> s
        KEY                             | --role-arn=role:a --role-arn=role:b --role-arn=role:c | env -> a -> b -> c
        ",
    );
}

#[test]
fn what_named_the_role_is_told() {
    let toml = default_profile("dev");
    for (variables, flags, source) in [
        ("KEY", "--role-arn=role:x", "--role-arn"),
        ("", "", "profile `dev`"),
        ("KEY", "", "profile `dev`"),
        (
            "ALIBABA_CLOUD_ROLE_ARN=role:x",
            "",
            "ALIBABA_CLOUD_ROLE_ARN",
        ),
    ] {
        let plan = plan(&toml, variables, flags).unwrap();
        assert_eq!(plan.role_source.unwrap().to_string(), source);
    }
    let toml = default_profile("base");
    let renewed = plan(&toml, "CLOSING", "").unwrap();
    assert_eq!(renewed.role_source.unwrap().to_string(), "STSCTL_ROLE_ARN");
    assert!(plan(&toml, "", "").unwrap().role_source.is_none());
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
        "
            | --profile=a          | 2: the profiles form a cycle: b → c → b
            | --profile=self       | 2: the profiles form a cycle: self → self
            | --profile=dangling   | 2: there is no profile `bsae`, which `source_profile` of profile `dangling` names
            | --profile=base       | 2: profile `base` has neither an access_key_id nor a source_profile
            | --profile=half       | 2: profile `half` has an access_key_id but no access_key_secret
            | --profile=other-half | 2: profile `other-half` has an access_key_secret but no access_key_id
            | --profile=both       | 2: profile `both` has both an access_key_id and a source_profile
            | --profile=temporary  | 2: profile `temporary` has a temporary AccessKeyId (`STS.…`)
        KEY | --profile=hlaf       | 2: there is no profile `hlaf`
        KEY STSCTL_PROFILE=nix |   | 2: there is no profile `nix`, which STSCTL_PROFILE names
        ",
    );
    let error = plan(toml, "KEY", "--profile=hlaf").unwrap_err();
    assert_eq!(error.hints()[0], "did you mean `half`?");
    assert!(
        error.hints()[1].starts_with("known profiles: a, b, c, self, "),
        "{error:?}"
    );
    assert_eq!(
        outcome("default_profile = \"ghost\"", "", ""),
        "2: there is no profile `ghost`, which default_profile names"
    );
}
