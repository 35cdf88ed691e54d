//! Which variables a session becomes, and which it makes void. Must not know how they are
//! written ([`shell`](crate::cli::shell) does) or handed to a child process.

use secrecy::{ExposeSecret, SecretString};

use crate::cli::shell::Assignment;
use crate::model::{RegionId, Session};

/// One environment variable and what happens to it.
#[derive(Clone, Debug)]
pub struct Export<'a> {
    /// The variable's name.
    pub name: &'static str,
    /// What happens to it.
    pub change: Change<'a>,
}

/// What happens to a variable.
#[derive(Clone, Debug)]
pub enum Change<'a> {
    /// It gets a value that anyone may see.
    Plain(String),
    /// It is removed.
    Remove,
    /// It gets a value that must not be shown.
    Secret(&'a SecretString),
}

impl Export<'_> {
    /// Returns the assignment that a shell is given. It holds the secret in the clear.
    pub fn assignment(&self) -> Assignment<'_> {
        match &self.change {
            Change::Plain(value) => Assignment::Set(self.name, value),
            Change::Remove => Assignment::Unset(self.name),
            Change::Secret(value) => Assignment::Set(self.name, value.expose_secret()),
        }
    }
}

/// Returns what makes `session` the identity of every official SDK and tool, in a stable order:
/// first what is set, then what is removed of all that is `present`.
///
/// Removed is every other spelling of what is set, and what would outrank or contradict it:
/// nothing else, so an endpoint stays. The region's other spellings count only when the region
/// is known.
pub fn exports<'a>(
    session: &'a Session,
    region: Option<&RegionId>,
    present: &dyn Fn(&str) -> bool,
) -> Vec<Export<'a>> {
    let id = || Change::Plain(session.access_key_id.as_str().to_owned());
    let secret = || Change::Secret(&session.access_key_secret);
    let token = || Change::Secret(&session.security_token);
    let mut exports: Vec<Export<'a>> = SETS
        .into_iter()
        .filter_map(|(name, what)| {
            let change = match what {
                What::Id => id(),
                What::Secret => secret(),
                What::Token => token(),
                What::Region => Change::Plain(region?.as_str().to_owned()),
                What::Expiration => Change::Plain(session.expiration.to_string()),
                What::Role => Change::Plain(session.role_arn.as_str().to_owned()),
            };
            Some(Export { name, change })
        })
        .collect();
    let regions: &[&'static str] = if region.is_some() {
        &OTHER_REGIONS
    } else {
        &[]
    };
    let voided = OTHERS.iter().chain(regions).copied();
    exports.extend(voided.filter(|name| present(name)).map(removal));
    exports
}

/// Returns the removal of everything that [`exports`] can set, in the same order. What it removed
/// does not come back.
pub fn removals() -> Vec<Export<'static>> {
    SETS.into_iter().map(|(name, _)| removal(name)).collect()
}

/// Returns every variable that carries an identity, or the region it is used in, under any of its
/// spellings.
pub fn identity_variables() -> impl Iterator<Item = &'static str> {
    let set = SETS.into_iter().map(|(name, _)| name);
    set.chain(OTHERS).chain(OTHER_REGIONS)
}

fn removal<'a>(name: &'static str) -> Export<'a> {
    Export {
        name,
        change: Change::Remove,
    }
}

/// The part of a session that a variable holds.
#[derive(Clone, Copy)]
enum What {
    Expiration,
    Id,
    Region,
    Role,
    Secret,
    Token,
}

/// What is set: for the SDKs and `aliyun`, for OSS's SDKs and `ossutil`, for Terraform, for
/// `stsctl` itself.
const SETS: [(&str, What); 14] = [
    ("ALIBABA_CLOUD_ACCESS_KEY_ID", What::Id),
    ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", What::Secret),
    ("ALIBABA_CLOUD_SECURITY_TOKEN", What::Token),
    ("OSS_ACCESS_KEY_ID", What::Id),
    ("OSS_ACCESS_KEY_SECRET", What::Secret),
    ("OSS_SESSION_TOKEN", What::Token),
    ("ALICLOUD_ACCESS_KEY", What::Id),
    ("ALICLOUD_SECRET_KEY", What::Secret),
    ("ALICLOUD_SECURITY_TOKEN", What::Token),
    ("ALIBABA_CLOUD_REGION_ID", What::Region),
    ("OSS_REGION", What::Region),
    ("ALICLOUD_REGION", What::Region),
    ("STSCTL_EXPIRATION", What::Expiration),
    ("STSCTL_ROLE_ARN", What::Role),
];

/// Other spellings of the key, and what the SDKs and tools would prefer to it or add to it.
const OTHERS: [&str; 24] = [
    "ALIBABACLOUD_ACCESS_KEY_ID",
    "ALIBABACLOUD_ACCESS_KEY_SECRET",
    "ALIBABACLOUD_SECURITY_TOKEN",
    "ALICLOUD_ACCESS_KEY_ID",
    "ALICLOUD_ACCESS_KEY_SECRET",
    "ACCESS_KEY_ID",
    "ACCESS_KEY_SECRET",
    "SECURITY_TOKEN",
    "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
    "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
    "ALIBABA_CLOUD_ROLE_ARN",
    "ALIBABA_CLOUD_PROFILE",
    "ALIBABA_CLOUD_CREDENTIALS_URI",
    "ALIBABACLOUD_OIDC_PROVIDER_ARN",
    "ALIBABACLOUD_OIDC_TOKEN_FILE",
    "ALIBABACLOUD_ROLE_ARN",
    "ALIBABACLOUD_PROFILE",
    "ALIBABACLOUD_CREDENTIALS_URI",
    "ALICLOUD_OIDC_PROVIDER_ARN",
    "ALICLOUD_OIDC_TOKEN_FILE",
    "ALICLOUD_ROLE_ARN",
    "ALICLOUD_PROFILE",
    "ALICLOUD_CREDENTIALS_URI",
    // ossutil would assume it on top of the session.
    "OSS_ROLE_ARN",
];

/// Other spellings of the region that official tools read.
const OTHER_REGIONS: [&str; 2] = ["ALIBABACLOUD_REGION_ID", "ALICLOUD_REGION_ID"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::env::{SPELLINGS, Spelling};

    fn session() -> Session {
        Session {
            access_key_id: "STS.example".parse().unwrap(),
            access_key_secret: "canary-secret".into(),
            security_token: "canary-token".into(),
            expiration: "2026-01-02T03:04:05Z".parse().unwrap(),
            role_arn: "acs:ram::1234567890123456:role/dev".parse().unwrap(),
            assumed_role_arn: String::new(),
            assumed_role_id: String::new(),
            request_id: String::new(),
        }
    }

    /// Each export as `NAME=value`, a removal as `-NAME`.
    fn shown(exports: &[Export<'_>]) -> Vec<String> {
        let line = |export: &Export<'_>| match export.assignment() {
            Assignment::Set(name, value) => format!("{name}={value}"),
            Assignment::Unset(name) => format!("-{name}"),
        };
        exports.iter().map(line).collect()
    }

    #[test]
    fn a_session_becomes_every_official_name() {
        let region = "cn-hangzhou".parse().unwrap();
        assert_eq!(
            shown(&exports(&session(), Some(&region), &|_| false)),
            [
                "ALIBABA_CLOUD_ACCESS_KEY_ID=STS.example",
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET=canary-secret",
                "ALIBABA_CLOUD_SECURITY_TOKEN=canary-token",
                "OSS_ACCESS_KEY_ID=STS.example",
                "OSS_ACCESS_KEY_SECRET=canary-secret",
                "OSS_SESSION_TOKEN=canary-token",
                "ALICLOUD_ACCESS_KEY=STS.example",
                "ALICLOUD_SECRET_KEY=canary-secret",
                "ALICLOUD_SECURITY_TOKEN=canary-token",
                "ALIBABA_CLOUD_REGION_ID=cn-hangzhou",
                "OSS_REGION=cn-hangzhou",
                "ALICLOUD_REGION=cn-hangzhou",
                "STSCTL_EXPIRATION=2026-01-02T03:04:05Z",
                "STSCTL_ROLE_ARN=acs:ram::1234567890123456:role/dev",
            ]
        );
    }

    #[test]
    fn without_a_region_none_is_set_and_none_removed() {
        let session = session();
        let names = shown(&exports(&session, None, &|_| true));
        assert!(
            names.iter().all(|name| !name.contains("REGION")),
            "{names:?}"
        );
    }

    #[test]
    fn what_contradicts_the_session_is_removed_and_nothing_else() {
        let region = "cn-hangzhou".parse().unwrap();
        let present = [
            "SECURITY_TOKEN",
            "ALICLOUD_ACCESS_KEY_ID",
            "ALIBABACLOUD_REGION_ID",
            "ALIBABA_CLOUD_ROLE_ARN",
            "ALIBABA_CLOUD_ROLE_SESSION_NAME",
            "ALIBABA_CLOUD_SECURITY_TOKEN",
            "STSCTL_PROFILE",
            "OSS_ENDPOINT",
            "PATH",
        ];
        let session = session();
        let exports = exports(&session, Some(&region), &|name| present.contains(&name));
        assert_eq!(
            shown(&exports)[14..],
            [
                "-ALICLOUD_ACCESS_KEY_ID",
                "-SECURITY_TOKEN",
                "-ALIBABA_CLOUD_ROLE_ARN",
                "-ALIBABACLOUD_REGION_ID",
            ]
        );
    }

    #[test]
    fn what_is_read_as_an_access_key_is_either_set_or_removed() {
        let known: Vec<&str> = identity_variables().collect();
        for name in SPELLINGS.iter().flat_map(Spelling::names) {
            assert_eq!(known.iter().filter(|n| **n == name).count(), 1, "{name}");
        }
    }

    #[test]
    fn what_is_set_is_never_also_removed() {
        for (name, _) in SETS {
            assert!(
                !OTHERS.contains(&name) && !OTHER_REGIONS.contains(&name),
                "{name}"
            );
        }
    }

    #[test]
    fn unsetting_names_all_that_is_ever_set() {
        let region = "cn-hangzhou".parse().unwrap();
        let session = session();
        let set = exports(&session, Some(&region), &|_| false);
        let names = |exports: &[Export<'_>]| exports.iter().map(|e| e.name).collect::<Vec<_>>();
        assert_eq!(names(&removals()), names(&set));
        assert!(shown(&removals()).iter().all(|line| line.starts_with('-')));
    }

    #[test]
    fn debug_shows_no_secret() {
        let session = session();
        let shown = format!("{:?}", exports(&session, None, &|_| false));
        assert!(
            shown.contains("STS.example") && !shown.contains("canary"),
            "{shown}"
        );
    }
}
