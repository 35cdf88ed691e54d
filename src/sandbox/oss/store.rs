//! The buckets and what is in them, in memory or on disk. Must not know requests or XML.
//!
//! On disk a bucket is a directory `buckets/<bucket>` with a `bucket.json`; an object is a pair of
//! files, `<random>.data` and `<random>.json`, of which the second appears last. The index is
//! always in memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::blob::{Blob, Sink};
use crate::sandbox::{Error, disk, lock};

/// All buckets.
pub(in crate::sandbox) struct Store {
    buckets: Mutex<BTreeMap<String, Bucket>>,
    dir: Option<PathBuf>,
}

/// What is known of a bucket.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) created: DateTime<Utc>,
    pub(super) acl: String,
    pub(super) storage_class: String,
}

struct Bucket {
    about: About,
    objects: BTreeMap<String, Arc<Object>>,
}

/// A stored object.
pub(super) struct Object {
    pub(super) meta: Meta,
    pub(super) blob: Blob,
}

/// All of an object but its bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Meta {
    pub(super) key: String,
    pub(super) size: u64,
    /// Upper-case hex of the MD5, quoted.
    pub(super) etag: String,
    /// The MD5 in base64.
    pub(super) content_md5: String,
    pub(super) crc64: u64,
    pub(super) modified: DateTime<Utc>,
    /// The headers that are given back as they came.
    pub(super) headers: Vec<(String, String)>,
    pub(super) storage_class: String,
    pub(super) acl: String,
    pub(super) tags: Vec<(String, String)>,
}

/// Whether PutObject may replace an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overwrite {
    Allow,
    Forbid,
}

/// Why something cannot be stored or removed.
#[derive(Debug)]
pub(super) enum Conflict {
    BucketNotEmpty,
    Exists,
    Io,
    NoSuchBucket,
}

impl Store {
    /// Opens the store. The initial buckets are made when there is nothing yet.
    pub(in crate::sandbox) fn open(
        data: Option<&Path>,
        initial: &[String],
        now: DateTime<Utc>,
    ) -> Result<Self, Error> {
        let dir = data.map(|data| data.join("buckets"));
        let mut store = Self {
            buckets: Mutex::default(),
            dir: dir.clone(),
        };
        match dir {
            Some(dir) if dir.is_dir() => store.buckets = Mutex::new(load(&dir)?),
            dir => {
                if let Some(dir) = &dir {
                    disk::make_private_dir(dir)?;
                }
                for bucket in initial {
                    let about = About {
                        created: now,
                        acl: "private".to_owned(),
                        storage_class: "Standard".to_owned(),
                    };
                    store.create(bucket, about)?;
                }
            }
        }
        Ok(store)
    }

    /// Makes a bucket; one that exists stays as it is.
    pub(super) fn create(&self, name: &str, about: About) -> std::io::Result<()> {
        let mut buckets = self.lock();
        if buckets.contains_key(name) {
            return Ok(());
        }
        if let Some(dir) = self.bucket_dir(name) {
            disk::make_private_dir(&dir)?;
            disk::save(&dir.join(ABOUT), &about)?;
        }
        let objects = BTreeMap::new();
        buckets.insert(name.to_owned(), Bucket { about, objects });
        Ok(())
    }

    /// Removes an empty bucket.
    pub(super) fn remove(&self, name: &str) -> Result<(), Conflict> {
        let mut buckets = self.lock();
        let bucket = buckets.get(name).ok_or(Conflict::NoSuchBucket)?;
        if !bucket.objects.is_empty() {
            return Err(Conflict::BucketNotEmpty);
        }
        if let Some(dir) = self.bucket_dir(name) {
            fs_err::remove_dir_all(dir).map_err(|_| Conflict::Io)?;
        }
        buckets.remove(name);
        Ok(())
    }

    /// Returns every bucket by name.
    pub(super) fn all(&self) -> Vec<(String, About)> {
        self.lock()
            .iter()
            .map(|(name, bucket)| (name.clone(), bucket.about.clone()))
            .collect()
    }

    /// Returns what is known of a bucket.
    pub(super) fn about(&self, name: &str) -> Option<About> {
        Some(self.lock().get(name)?.about.clone())
    }

    /// Looks at a bucket's objects, in the order of their keys' bytes.
    pub(super) fn look<T>(
        &self,
        bucket: &str,
        look: impl FnOnce(&BTreeMap<String, Arc<Object>>) -> T,
    ) -> Option<T> {
        Some(look(&self.lock().get(bucket)?.objects))
    }

    /// Opens a place for an object's bytes.
    pub(super) fn sink(&self, bucket: &str) -> std::io::Result<Sink> {
        match self.bucket_dir(bucket) {
            Some(dir) => Sink::in_dir(&dir),
            None => Ok(Sink::in_memory()),
        }
    }

    /// Stores an object whose bytes are in the sink.
    pub(super) fn put(
        &self,
        bucket: &str,
        meta: Meta,
        sink: Sink,
        overwrite: Overwrite,
    ) -> Result<(), Conflict> {
        let mut buckets = self.lock();
        let objects = &mut buckets
            .get_mut(bucket)
            .ok_or(Conflict::NoSuchBucket)?
            .objects;
        if overwrite == Overwrite::Forbid && objects.contains_key(&meta.key) {
            return Err(Conflict::Exists);
        }
        let blob = sink.finish().map_err(|_| Conflict::Io)?;
        if let Some(data) = blob.path() {
            disk::save(&data.with_extension(META), &meta).map_err(|_| Conflict::Io)?;
        }
        let object = Arc::new(Object { meta, blob });
        if let Some(old) = objects.insert(object.meta.key.clone(), object) {
            discard(&old);
        }
        Ok(())
    }

    /// Removes an object, if it is there.
    pub(super) fn delete(&self, bucket: &str, key: &str) -> Result<(), Conflict> {
        let mut buckets = self.lock();
        let bucket = buckets.get_mut(bucket).ok_or(Conflict::NoSuchBucket)?;
        if let Some(old) = bucket.objects.remove(key) {
            discard(&old);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Bucket>> {
        lock(&self.buckets)
    }

    fn bucket_dir(&self, name: &str) -> Option<PathBuf> {
        Some(self.dir.as_ref()?.join(name))
    }
}

/// Removes an object's files, the description first: without it the data is rubbish, which the
/// next start sweeps away. Whoever still reads the data keeps it open.
fn discard(object: &Object) {
    if let Some(data) = object.blob.path() {
        drop(fs_err::remove_file(data.with_extension(META)));
        drop(fs_err::remove_file(data));
    }
}

fn load(dir: &Path) -> Result<BTreeMap<String, Bucket>, Error> {
    let mut buckets = BTreeMap::new();
    for entry in fs_err::read_dir(dir)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if !entry.file_type()?.is_dir() {
            continue;
        }
        // A directory without its description was being made or removed.
        if let Some(about) = disk::load::<About>(&entry.path().join(ABOUT))? {
            let objects = load_objects(&entry.path())?;
            buckets.insert(name, Bucket { about, objects });
        }
    }
    Ok(buckets)
}

fn load_objects(dir: &Path) -> Result<BTreeMap<String, Arc<Object>>, Error> {
    let mut objects: BTreeMap<String, Arc<Object>> = BTreeMap::new();
    for entry in fs_err::read_dir(dir)? {
        let entry = entry?;
        let path = entry.path();
        let unfinished = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(disk::TEMPORARY));
        if !unfinished && path.extension().is_none_or(|extension| extension != DATA) {
            continue;
        }
        let Some(meta) = disk::load::<Meta>(&path.with_extension(META))? else {
            // An upload or a deletion that was cut short.
            fs_err::remove_file(path)?;
            continue;
        };
        let object = Arc::new(Object {
            blob: Blob::File(path),
            meta,
        });
        match objects.get(&object.meta.key) {
            // A replacement that was cut short after the new description appeared.
            Some(other) if other.meta.modified > object.meta.modified => discard(&object),
            _ => {
                if let Some(old) = objects.insert(object.meta.key.clone(), object) {
                    discard(&old);
                }
            }
        }
    }
    Ok(objects)
}

const ABOUT: &str = "bucket.json";
const META: &str = "json";
/// The ending of an object's bytes.
pub(super) const DATA: &str = "data";
