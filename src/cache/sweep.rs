//! The cache as a whole: what is in it, and cleaning it up. Must not know how it is printed, and
//! never shows a secret.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::cache::Cache;
use crate::cache::entry::{Entry, VERSION};
use crate::cache::error::Error;
use crate::cache::files::{self, Content, Kind};
use crate::cache::key::{Inputs, Key};
use crate::cache::lock::Held;
use crate::model::{AccessKeyId, ClockSkew, Expiration, RoleArn};

/// One file of the cache that holds, or once held, a session.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The session's key.
    pub key: Key,
    /// What the file holds.
    pub state: State,
}

/// What a file of the cache holds.
#[derive(Clone, Debug)]
pub enum State {
    /// Something that cannot be used: damaged, unreadable, or open to others.
    Damaged,
    /// A session in another version's format. It is left alone.
    Foreign,
    /// A session.
    Good(Box<Summary>),
}

/// What may be told about a session: neither its secrets nor its ExternalId.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The STS endpoint that issued it.
    pub endpoint: String,
    /// The role.
    pub role_arn: RoleArn,
    /// The RoleSessionName.
    pub role_session_name: String,
    /// The DurationSeconds that were asked for.
    pub duration_seconds: u32,
    /// The session policy that narrows it.
    pub policy: Option<String>,
    /// `AssumedRoleUser.Arn`.
    pub assumed_role_arn: String,
    /// The temporary AccessKeyId.
    pub access_key_id: AccessKeyId,
    /// When it ends, by the server's clock.
    pub expiration: Expiration,
    /// When it was obtained, by our clock.
    pub obtained_at: DateTime<Utc>,
    /// How far the server's clock was ahead of ours.
    pub skew: ClockSkew,
}

/// Which sessions to remove.
#[derive(Clone, Debug)]
pub enum Filter {
    /// All of them, of every version.
    All,
    /// The one with this key.
    Key(Key),
    /// Those of this role. What is damaged or of another version tells no role, and stays.
    RoleArn(RoleArn),
}

impl Cache {
    /// Lists the cache, by role and then by Expiration; what is not a session of this version
    /// comes last.
    pub fn list(&self) -> Result<Vec<Listed>, Error> {
        let mut listed = Vec::new();
        for (key, files) in self.files()? {
            for (kind, path) in files {
                let state = match kind {
                    Kind::Session(VERSION) => match files::read(&path) {
                        Ok(Content::Absent) => continue,
                        Ok(Content::Good(good)) if good.0.key() == key => {
                            State::Good(Box::new(Summary::new(good.0, good.1)))
                        }
                        Ok(Content::Damaged | Content::Good(_)) | Err(_) => State::Damaged,
                    },
                    Kind::Session(_) => State::Foreign,
                    Kind::Bad => State::Damaged,
                    Kind::Temp | Kind::Lock => continue,
                };
                listed.push(Listed {
                    key: key.clone(),
                    state,
                });
            }
        }
        listed.sort_by(|a, b| a.rank().cmp(&b.rank()));
        Ok(listed)
    }

    /// Removes sessions with all that was kept for them, and returns how many files of sessions
    /// are gone. One that another process is writing right now may appear again.
    pub fn clear(&self, filter: &Filter) -> Result<usize, Error> {
        let mut swept = Swept::default();
        for (key, files) in self.files()? {
            let chosen = match filter {
                Filter::All => true,
                Filter::Key(wanted) => key == *wanted,
                Filter::RoleArn(role_arn) => self.is_of_role(&key, role_arn),
            };
            if !chosen {
                continue;
            }
            match self.sweep(&key, &files, |_| true) {
                // A refresh is under way. The session that it will replace goes all the same.
                Ok(None) => {
                    for (kind, path) in &files {
                        if matches!(kind, Kind::Session(_) | Kind::Bad) {
                            swept.add(files::remove(path).map(usize::from));
                        }
                    }
                }
                Ok(Some(count)) => swept.add(Ok(count)),
                Err(error) => swept.add(Err(error)),
            }
        }
        swept.result()
    }

    /// Removes what nobody will use again: sessions that have expired by the server's clock,
    /// damaged ones, and unfinished files. Returns how many files of sessions are gone. What
    /// another process has locked stays.
    pub fn prune(&self, now: DateTime<Utc>) -> Result<usize, Error> {
        let mut swept = Swept::default();
        for (key, files) in self.files()? {
            let useless = |kind| match kind {
                Kind::Session(VERSION) => match files::read(&files::session(&self.dir, &key)) {
                    Ok(Content::Good(good)) => good.1.lifetime(now).is_zero(),
                    Ok(Content::Damaged) => true,
                    Ok(Content::Absent) | Err(_) => false,
                },
                Kind::Session(_) => false,
                Kind::Bad | Kind::Temp => true,
                Kind::Lock => files.len() == 1,
            };
            if files.iter().any(|(kind, _)| useless(*kind)) {
                let count = self.sweep(&key, &files, useless);
                swept.add(count.map(Option::unwrap_or_default));
            }
        }
        swept.result()
    }

    /// Removes those of one key's files that `useless` chooses, while holding its lock, so that
    /// what was replaced in the meantime is judged anew; with the last of them goes the lock's
    /// own file. `None` if another process holds the lock.
    fn sweep(
        &self,
        key: &Key,
        files: &[(Kind, PathBuf)],
        useless: impl Fn(Kind) -> bool,
    ) -> Result<Option<usize>, Error> {
        let lock = files::lock(&self.dir, key);
        let Some(held) = Held::take(&lock)? else {
            return Ok(None);
        };
        let (mut gone, mut kept) = (0, 0);
        for (kind, path) in files {
            match kind {
                Kind::Lock => {}
                _ if useless(*kind) => gone += usize::from(files::remove(path)?),
                _ => kept += 1,
            }
        }
        if kept == 0 {
            held.remove(&lock)?;
        }
        Ok(Some(gone))
    }

    fn is_of_role(&self, key: &Key, role_arn: &RoleArn) -> bool {
        match files::read(&files::session(&self.dir, key)) {
            Ok(Content::Good(good)) => good.0.role_arn == role_arn.as_str(),
            _ => false,
        }
    }

    /// Returns the cache's files by key. Files with other names are not the cache's, and stay.
    fn files(&self) -> Result<BTreeMap<Key, Vec<(Kind, PathBuf)>>, Error> {
        let failed = |error| Error::io("list", &self.dir)(error);
        let mut files: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let dir = match fs::read_dir(&self.dir) {
            Ok(dir) => dir,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
            Err(error) => return Err(failed(error)),
        };
        for file in dir {
            let file = file.map_err(failed)?;
            if let Some((key, kind)) = file.file_name().to_str().and_then(Kind::of) {
                files.entry(key).or_default().push((kind, file.path()));
            }
        }
        for of_key in files.values_mut() {
            of_key.sort();
        }
        Ok(files)
    }
}

impl Summary {
    fn new(inputs: Inputs, entry: Entry) -> Self {
        Self {
            endpoint: inputs.endpoint,
            role_arn: entry.session.role_arn,
            role_session_name: inputs.role_session_name,
            duration_seconds: inputs.duration_seconds,
            policy: inputs.policy,
            assumed_role_arn: entry.session.assumed_role_arn,
            access_key_id: entry.session.access_key_id,
            expiration: entry.session.expiration,
            obtained_at: entry.obtained_at,
            skew: entry.skew,
        }
    }
}

impl Listed {
    fn rank(&self) -> (u8, Option<(&str, Expiration)>, &Key) {
        match &self.state {
            State::Good(summary) => {
                let order = (summary.role_arn.as_str(), summary.expiration);
                (0, Some(order), &self.key)
            }
            State::Damaged => (1, None, &self.key),
            State::Foreign => (2, None, &self.key),
        }
    }
}

/// What a sweep came to: it goes on after an error, and reports the first.
#[derive(Default)]
struct Swept {
    count: usize,
    failed: Option<Error>,
}

impl Swept {
    fn add(&mut self, swept: Result<usize, Error>) {
        match swept {
            Ok(count) => self.count += count,
            Err(error) => self.failed = self.failed.take().or(Some(error)),
        }
    }

    fn result(self) -> Result<usize, Error> {
        self.failed.map_or(Ok(self.count), Err)
    }
}
