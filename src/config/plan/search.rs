//! The search for the base identity: a list of sources, each a function that says "not
//! configured", "here it is", or fails because it is configured and broken, which ends the
//! search. A new source is a line in [`SOURCES`] and its function. Must not know which roles
//! follow, but for the one question whether an exported session is already what is wanted.

use chrono::{DateTime, TimeDelta, Utc};

use super::chain::Chain;
use super::report::{Attempt, Origin, Outcome, Source, Warning};
use super::{Base, BaseKind, Wanted};
use crate::config::env::{self, EnvAccessKey};
use crate::config::{ConfigFile, Env, Error, Profile, Result, SecretSource};
use crate::model::{Expiration, RoleArn};

/// All that the plan is made from.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) wanted: &'a Wanted,
    pub(super) env: &'a Env,
    pub(super) config: &'a ConfigFile,
    now: DateTime<Utc>,
    /// The named profile's name.
    named: Option<&'a str>,
    /// The default profile, unless one is named.
    default: Option<Profile>,
    /// The role that `--role-arn` or the variable asks for.
    pub(super) asked_role: Option<AskedRole>,
}

/// A role that was asked for outside all profiles.
#[derive(Debug)]
pub(super) enum AskedRole {
    /// By `--role-arn`.
    Option(RoleArn),
    /// By the variable.
    Variable(RoleArn),
}

impl AskedRole {
    fn role_arn(&self) -> &RoleArn {
        match self {
            Self::Option(role) | Self::Variable(role) => role,
        }
    }
}

impl<'a> Request<'a> {
    pub(super) fn new(
        wanted: &'a Wanted,
        env: &'a Env,
        config: &'a ConfigFile,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let named = match wanted.profile.as_deref() {
            Some(name) => Some(name),
            None => env.text(env::PROFILE)?,
        };
        let mut request = Self {
            wanted,
            env,
            config,
            now,
            named,
            default: None,
            asked_role: match wanted.role_arns.last() {
                Some(role) => Some(AskedRole::Option(role.clone())),
                None if wanted.no_role => None,
                None => env.parsed(env::ROLE_ARN)?.map(AskedRole::Variable),
            },
        };
        if named.is_none() {
            request.default = request.load_default()?;
        }
        Ok(request)
    }

    /// Reads the default profile, without its sources.
    pub(super) fn load_default(&self) -> Result<Option<Profile>> {
        let Some(name) = self.config.default_profile() else {
            return Ok(None);
        };
        if self.config.has_profile(name) {
            self.config.profile(name).map(Some)
        } else {
            Err(self
                .config
                .unknown_profile(name, Some(DEFAULT_PROFILE.to_owned())))
        }
    }

    /// Returns the default profile, unless one is named.
    pub(super) fn default_profile(&self) -> Option<&Profile> {
        self.default.as_ref()
    }

    /// Returns the profiles that lend their region and endpoints, nearest first.
    pub(super) fn profiles_in_play<'b>(&'b self, found: &'b Found) -> Vec<&'b Profile> {
        match &found.chain {
            Some(chain) => chain.profiles().collect(),
            None => self.default.iter().collect(),
        }
    }
}

/// The base identity, and how it was come by.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) base: Base,
    /// The profiles it came from, if it came from profiles.
    pub(super) chain: Option<Chain>,
    /// Whether it came from the profile that was named.
    pub(super) named: bool,
    /// Whether it is an exported session that is already what is wanted.
    pub(super) is_session_wanted: bool,
    /// The role of an exported session that was passed over.
    pub(super) passed_over: Option<RoleArn>,
    pub(super) search: Vec<Attempt>,
}

impl Found {
    /// Returns what should be said about an exported session.
    pub(super) fn warning(&self) -> Option<Warning> {
        let BaseKind::Exported {
            role_arn,
            expiration,
            last_resort,
            ..
        } = &self.base.kind
        else {
            return None;
        };
        let role_arn = role_arn.clone();
        match expiration {
            Some(expiration) if *last_resort => Some(Warning::LastResort {
                role_arn,
                expiration: *expiration,
            }),
            _ if self.is_session_wanted => None,
            _ => Some(Warning::ChainedFromExported { role_arn }),
        }
    }
}

/// What a source says when it is not broken.
enum Answer {
    NotConfigured(String),
    /// An exported session that should not be used if anything else can be.
    PassOver(Exported, String),
    Here(Base, Option<Chain>),
}

/// An exported session.
struct Exported {
    key: EnvAccessKey,
    role_arn: RoleArn,
    expiration: Option<Expiration>,
    /// Why it is not the session that is wanted, although its role is: an option that it cannot
    /// meet.
    unfit: Option<String>,
}

type Find = fn(&Request<'_>) -> Result<Answer>;

/// The sources, in the order in which they are asked.
const SOURCES: [(Source, Find); 3] = [
    (Source::NamedProfile, named_profile),
    (Source::Environment, environment),
    (Source::DefaultProfile, default_profile),
];

/// Asks the sources in turn.
pub(super) fn search(request: &Request<'_>) -> Result<Found> {
    let mut attempts: Vec<Attempt> = Vec::new();
    let mut found: Option<(Source, Base, Option<Chain>)> = None;
    let mut exported = None;
    for (source, find) in SOURCES {
        let outcome = if found.is_some() {
            Outcome::NotReached
        } else {
            match find(request)? {
                Answer::NotConfigured(reason) => Outcome::NotConfigured(reason),
                Answer::PassOver(session, reason) => {
                    exported = Some((attempts.len(), source, session));
                    Outcome::PassedOver(reason)
                }
                Answer::Here(base, chain) => {
                    let origin = base.origin.clone();
                    found = Some((source, base, chain));
                    Outcome::Used(origin)
                }
            }
        };
        attempts.push(Attempt { source, outcome });
    }
    let passed_over = exported
        .as_ref()
        .map(|(_, _, session)| session.role_arn.clone());
    let (source, base, chain) = match (found, exported) {
        (Some(found), _) => found,
        (None, None) => return Err(Error::NoCredentials { search: attempts }),
        (None, Some((at, source, session))) => {
            let base = last_resort(request, session)?;
            attempts[at].outcome = Outcome::Used(base.origin.clone());
            (source, base, None)
        }
    };
    let is_session_wanted = matches!(
        &base.kind,
        BaseKind::Exported { role_arn, .. } if is_wanted(request, role_arn)
    );
    Ok(Found {
        base,
        chain,
        named: source == Source::NamedProfile,
        is_session_wanted,
        passed_over,
        search: attempts,
    })
}

/// 1. The profile that was named. Then the environment is no base.
fn named_profile(request: &Request<'_>) -> Result<Answer> {
    let Some(name) = request.named else {
        return Ok(Answer::NotConfigured(
            "neither --profile nor STSCTL_PROFILE is given".to_owned(),
        ));
    };
    let referrer = request.wanted.profile.is_none().then_some(env::PROFILE);
    let chain = Chain::load(request.config, name, referrer)?;
    Ok(Answer::Here(chain.base.clone(), Some(chain)))
}

/// 2. The environment's AccessKey, and its token if it is temporary.
fn environment(request: &Request<'_>) -> Result<Answer> {
    let Some(key) = request.env.access_key()? else {
        return Ok(Answer::NotConfigured(format!(
            "{} is not set",
            env::ACCESS_KEY_ID
        )));
    };
    if key.access_key_id.is_temporary()
        && let Some(role_arn) = request.env.parsed(env::STSCTL_ROLE_ARN)?
    {
        return exported(request, key, role_arn);
    }
    let kind = match key.security_token {
        None => BaseKind::AccessKey {
            secret: SecretSource::Plain(key.access_key_secret),
        },
        Some(token) => BaseKind::SessionToken {
            secret: key.access_key_secret,
            token,
        },
    };
    let base = Base {
        origin: Origin::Environment {
            variable: key.variable,
        },
        access_key_id: key.access_key_id,
        kind,
    };
    Ok(Answer::Here(base, None))
}

/// 4. The default profile. (3 is OIDC.)
fn default_profile(request: &Request<'_>) -> Result<Answer> {
    let Some(name) = request.config.default_profile() else {
        return Ok(Answer::NotConfigured(format!(
            "{} has no default_profile",
            request.config.path().display()
        )));
    };
    let chain = Chain::load(request.config, name, Some(DEFAULT_PROFILE))?;
    Ok(Answer::Here(chain.base.clone(), Some(chain)))
}

/// Judges a session that stsctl exported: good as it is or as a base, or to be passed over.
///
/// Its second window, in which it is passed over, is the last five minutes: the lifetime, of
/// which a tenth may be less, is not exported. Whoever has no other identity loses nothing by
/// that, as the session is then used to its end.
fn exported(request: &Request<'_>, key: EnvAccessKey, role_arn: RoleArn) -> Result<Answer> {
    let expiration: Option<Expiration> = request.env.parsed(env::STSCTL_EXPIRATION)?;
    let left = expiration.map(|end| end.instant() - request.now);
    let wanted = is_wanted(request, &role_arn);
    let session = Exported {
        unfit: wanted.then(|| unfit(request.wanted, left)).flatten(),
        key,
        role_arn,
        expiration,
    };
    let reason = match (&session.unfit, left) {
        (_, Some(left)) if left <= TimeDelta::zero() => "the exported session has ended",
        (Some(reason), _) => reason,
        (None, Some(left)) if left <= SECOND_WINDOW => "the exported session is close to its end",
        (None, _) => return Ok(Answer::Here(session.into_base(false)?, None)),
    };
    let reason = reason.to_owned();
    Ok(Answer::PassOver(session, reason))
}

/// Takes a session that was passed over, after nothing else was found.
fn last_resort(request: &Request<'_>, session: Exported) -> Result<Base> {
    match session.expiration {
        Some(expiration) if expiration.instant() <= request.now => Err(Error::ExportedEnded {
            role_arn: session.role_arn,
            expiration,
        }),
        _ => match session.unfit {
            Some(reason) => Err(Error::ExportedUnfit {
                role_arn: session.role_arn,
                reason,
            }),
            None => session.into_base(true),
        },
    }
}

impl Exported {
    fn into_base(self, last_resort: bool) -> Result<Base> {
        let Some(token) = self.key.security_token else {
            // Env::access_key gives no temporary key without its token.
            return Err(Error::HalfPair {
                present: self.key.variable,
                missing: env::SECURITY_TOKEN,
            });
        };
        Ok(Base {
            origin: Origin::Environment {
                variable: self.key.variable,
            },
            access_key_id: self.key.access_key_id,
            kind: BaseKind::Exported {
                secret: self.key.access_key_secret,
                token,
                role_arn: self.role_arn,
                expiration: self.expiration,
                last_resort,
            },
        })
    }
}

/// Tells whether an exported session's role is the one that is wanted: the one asked for, or no
/// one. A default profile's role does not count: it is for those who say nothing, and an exported
/// session says something.
fn is_wanted(request: &Request<'_>, role_arn: &RoleArn) -> bool {
    request
        .asked_role
        .as_ref()
        .is_none_or(|asked| asked.role_arn() == role_arn)
}

/// Returns what asks for another session than the exported one, though its role is the same.
fn unfit(wanted: &Wanted, left: Option<TimeDelta>) -> Option<String> {
    let left = left.unwrap_or(TimeDelta::MAX).to_std().unwrap_or_default();
    if wanted.min_lifetime.is_some_and(|asked| asked > left) {
        return Some("--min-lifetime asks for more time than it has left".to_owned());
    }
    if wanted.no_role {
        return None;
    }
    let option = [
        (wanted.fresh, "--refresh"),
        (wanted.policy.is_some(), "a session policy"),
        (wanted.duration.is_some(), "--duration"),
        (wanted.external_id.is_some(), "--external-id"),
        (wanted.source_identity.is_some(), "--source-identity"),
        (wanted.role_session_name.is_some(), "--role-session-name"),
    ]
    .into_iter()
    .find_map(|(given, option)| given.then_some(option))?;
    Some(format!("{option} asks for a new session"))
}

/// How long before its end an exported session is passed over.
const SECOND_WINDOW: TimeDelta = TimeDelta::minutes(5);

const DEFAULT_PROFILE: &str = "default_profile";
