//! What a plan says about itself: where its parts came from, where else was looked, and what a
//! person should know. Must not decide anything.

use std::fmt;
use std::path::PathBuf;

use crate::model::{Expiration, RegionId, RoleArn};

/// A place where a base identity may be configured, in the order of the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The profile named by `--profile` or `STSCTL_PROFILE`.
    NamedProfile,
    /// The AccessKey in the environment.
    Environment,
    /// `default_profile` of `config.toml`.
    DefaultProfile,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NamedProfile => "named profile",
            Self::Environment => "environment",
            Self::DefaultProfile => "default profile",
        })
    }
}

/// What was found at one place of the search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing; why so.
    NotConfigured(String),
    /// A session that stsctl exported, which does not do; why not.
    PassedOver(String),
    /// The identity that is used.
    Used(Origin),
    /// It was not looked at, because the search was over.
    NotReached,
}

/// One step of the search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Where.
    pub source: Source,
    /// What was found.
    pub outcome: Outcome,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.source)?;
        match &self.outcome {
            Outcome::NotConfigured(reason) => f.write_str(reason),
            Outcome::PassedOver(reason) => write!(f, "passed over, {reason}"),
            Outcome::Used(origin) => write!(f, "used, {origin}"),
            Outcome::NotReached => f.write_str("not looked at"),
        }
    }
}

/// Where a base identity was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the environment.
    Environment {
        /// The variable that has the AccessKeyId.
        variable: &'static str,
    },
    /// In a profile of `config.toml`: the one at the end of the `source_profile` chain.
    Profile {
        /// The profile.
        name: String,
        /// The file.
        file: PathBuf,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment { variable } => write!(f, "{variable} of the environment"),
            Self::Profile { name, file } => {
                write!(f, "profile `{name}` of {}", file.display())
            }
        }
    }
}

/// What named the role that a plan ends with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleSource {
    /// `--role-arn`.
    Option,
    /// A profile.
    Profile(String),
    /// `ALIBABA_CLOUD_ROLE_ARN`.
    Variable,
    /// `STSCTL_ROLE_ARN`: the session that stsctl exported, which is made anew.
    Exported,
}

impl fmt::Display for RoleSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option => f.write_str("--role-arn"),
            Self::Profile(name) => write!(f, "profile `{name}`"),
            Self::Variable => f.write_str(super::env::ROLE_ARN),
            Self::Exported => f.write_str(super::env::STSCTL_ROLE_ARN),
        }
    }
}

/// What a person should know although the plan can be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The exported session is for another role: it is the base, and assumes the role.
    ChainedFromExported {
        /// The role of the exported session.
        role_arn: RoleArn,
    },
    /// The exported session is close to its end, and nothing else is configured.
    LastResort {
        /// Its role.
        role_arn: RoleArn,
        /// Its end.
        expiration: Expiration,
    },
    /// Others can read a `config.toml` that has a secret in it.
    LooseMode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// OSS's `oss-` prefix is not part of a RegionId.
    RegionStripped {
        /// Where the region was given.
        place: String,
        /// What it was taken for.
        region: RegionId,
    },
}

impl Warning {
    /// Tells whether it only explains: nothing needs to be mended.
    pub fn is_notice(&self) -> bool {
        matches!(self, Self::ChainedFromExported { .. })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ChainedFromExported { role_arn } => write!(
                f,
                "the role is assumed with the exported session for `{role_arn}`"
            ),
            Self::LastResort {
                role_arn,
                expiration,
            } => write!(
                f,
                "the exported session for `{role_arn}` ends at {expiration} and cannot be renewed \
                 here: the identity it was made from is not in this environment"
            ),
            Self::LooseMode { path, mode } => write!(
                f,
                "`{0}` holds a secret and can be read or written by others (mode {mode:04o}): \
                 chmod 600 '{0}'",
                path.display()
            ),
            Self::RegionStripped { place, region } => {
                write!(f, "{place}: the region is `{region}`, without `oss-`")
            }
        }
    }
}
