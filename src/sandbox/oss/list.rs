//! ListObjects and ListObjectsV2. Must not know signatures.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/listobjectsv2>

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::Response;

use super::error::Fail;
use super::store::{Meta, Object};
use super::{Failure, iso_millis, xml_response};
use crate::http::Body;
use crate::sandbox::State;
use crate::sandbox::wire::Head;
use crate::sandbox::xml::Xml;
use crate::sign::encode;

/// Which of the two listings is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V2,
}

/// One page of a listing.
#[derive(Debug, Default)]
struct Page {
    contents: Vec<Meta>,
    prefixes: Vec<String>,
    /// The last key or prefix, if there is more after it.
    next: Option<String>,
}

/// Answers a listing.
pub(super) fn list(
    state: &State,
    head: &Head,
    bucket: &str,
    version: Version,
) -> Result<Response<Body>, Failure> {
    let text = |name| head.param(name).unwrap_or_default();
    let (prefix, delimiter) = (text("prefix"), text("delimiter"));
    let max_keys = max_keys(head, "max-keys")?;
    let encoding = Encoding::of(head)?;
    let after = match (version, head.param("continuation-token")) {
        (Version::V1, _) => text("marker").to_owned(),
        (Version::V2, Some(token)) if !token.is_empty() => key_of(token)?,
        (Version::V2, _) => text("start-after").to_owned(),
    };
    let page = state
        .store
        .look(bucket, |objects| {
            page(objects, prefix, delimiter, &after, max_keys)
        })
        .ok_or_else(|| Fail::no_such_bucket(bucket))?;

    let account = state.world.account();
    let with_owner = version == Version::V1 || head.param("fetch-owner") == Some("true");
    let mut xml = Xml::new();
    xml.node("ListBucketResult", |list| {
        list.leaf("Name", bucket)
            .leaf("Prefix", &encoding.write(prefix))
            .leaf("MaxKeys", &max_keys.to_string())
            .leaf("Delimiter", &encoding.write(delimiter));
        if encoding == Encoding::Url {
            list.leaf("EncodingType", "url");
        }
        list.leaf(
            "IsTruncated",
            if page.next.is_some() { "true" } else { "false" },
        );
        match version {
            Version::V1 => {
                list.leaf("Marker", &encoding.write(&after));
                if let Some(next) = &page.next {
                    list.leaf("NextMarker", &encoding.write(next));
                }
            }
            Version::V2 => {
                list.leaf("StartAfter", &encoding.write(text("start-after")));
                if let Some(token) = head.param("continuation-token") {
                    list.leaf("ContinuationToken", token);
                }
                if let Some(next) = &page.next {
                    list.leaf(
                        "NextContinuationToken",
                        &BASE64_URL_SAFE_NO_PAD.encode(next),
                    );
                }
                let count = page.contents.len() + page.prefixes.len();
                list.leaf("KeyCount", &count.to_string());
            }
        }
        for meta in &page.contents {
            list.node("Contents", |entry| {
                entry
                    .leaf("Key", &encoding.write(&meta.key))
                    .leaf("LastModified", &iso_millis(meta.modified))
                    .leaf("ETag", &meta.etag)
                    .leaf("Type", "Normal")
                    .leaf("Size", &meta.size.to_string())
                    .leaf("StorageClass", &meta.storage_class);
                if with_owner {
                    entry.node("Owner", |owner| {
                        owner.leaf("ID", account).leaf("DisplayName", account);
                    });
                }
            });
        }
        for prefix in &page.prefixes {
            list.node("CommonPrefixes", |entry| {
                entry.leaf("Prefix", &encoding.write(prefix));
            });
        }
    });
    Ok(xml_response(xml))
}

/// Reads a page's size, 1 to 1000, 100 by default.
pub(super) fn max_keys(head: &Head, name: &'static str) -> Result<usize, Fail> {
    match head.param(name) {
        None | Some("") => Ok(100),
        Some(text) => text
            .parse()
            .ok()
            .filter(|count| (1..=1000).contains(count))
            .ok_or_else(|| Fail::invalid_argument(name, text, &format!("The {name} is invalid."))),
    }
}

/// How names are written: XML 1.0 cannot carry every character of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Plain,
    Url,
}

impl Encoding {
    pub(super) fn of(head: &Head) -> Result<Self, Fail> {
        match head.param("encoding-type") {
            None | Some("") => Ok(Self::Plain),
            Some("url") => Ok(Self::Url),
            Some(other) => Err(Fail::invalid_argument(
                "encoding-type",
                other,
                "Invalid Encoding Method specified in Request.",
            )),
        }
    }

    pub(super) fn write(self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Url => encode::component(text),
        }
    }
}

/// Collects at most `most` keys and common prefixes that come after `after`.
fn page(
    objects: &BTreeMap<String, Arc<Object>>,
    prefix: &str,
    delimiter: &str,
    after: &str,
    most: usize,
) -> Page {
    let mut page = Page::default();
    let mut last = String::new();
    let start = if after >= prefix {
        Bound::Excluded(after)
    } else {
        Bound::Included(prefix)
    };
    for (key, object) in objects.range::<str, _>((start, Bound::Unbounded)) {
        let Some(rest) = key.strip_prefix(prefix) else {
            break;
        };
        let group = match rest.find(delimiter) {
            Some(at) if !delimiter.is_empty() => Some(&key[..prefix.len() + at + delimiter.len()]),
            _ => None,
        };
        if let Some(group) = group
            && (page.prefixes.last().is_some_and(|p| p == group) || after == group)
        {
            continue;
        }
        if page.contents.len() + page.prefixes.len() == most {
            page.next = Some(last);
            break;
        }
        if let Some(group) = group {
            group.clone_into(&mut last);
            page.prefixes.push(group.to_owned());
        } else {
            key.clone_into(&mut last);
            page.contents.push(object.meta.clone());
        }
    }
    page
}

fn key_of(token: &str) -> Result<String, Fail> {
    BASE64_URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|key| String::from_utf8(key).ok())
        .ok_or_else(|| {
            Fail::invalid_argument(
                "continuation-token",
                token,
                "The continuation token provided is incorrect.",
            )
        })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;
    use crate::sandbox::oss::blob::Blob;

    fn objects(keys: &BTreeSet<String>) -> BTreeMap<String, Arc<Object>> {
        let object = |key: &String| Object {
            meta: Meta {
                key: key.clone(),
                size: 0,
                etag: String::new(),
                content_md5: String::new(),
                crc64: 0,
                modified: DateTime::UNIX_EPOCH,
                headers: Vec::new(),
                storage_class: String::new(),
                acl: String::new(),
                tags: Vec::new(),
            },
            blob: Blob::Memory(Vec::new()),
        };
        keys.iter()
            .map(|key| (key.clone(), Arc::new(object(key))))
            .collect()
    }

    proptest! {
        #[test]
        fn pages_of_any_size_together_list_everything_once(
            keys in proptest::collection::btree_set("[a-c/é]{1,5}", 0..30),
            prefix in "[a-c/]{0,2}",
            delimiter in "/?",
            most in 1_usize..6,
        ) {
            let objects = objects(&keys);
            let whole = page(&objects, &prefix, &delimiter, "", usize::MAX);
            prop_assert_eq!(&whole.next, &None);
            let (mut contents, mut prefixes) = (Vec::new(), Vec::new());
            let mut after = String::new();
            loop {
                let part = page(&objects, &prefix, &delimiter, &after, most);
                prop_assert!(part.contents.len() + part.prefixes.len() <= most);
                contents.extend(part.contents.into_iter().map(|meta| meta.key));
                prefixes.extend(part.prefixes);
                match part.next {
                    Some(next) => after = next,
                    None => break,
                }
            }
            let listed: Vec<_> = whole.contents.iter().map(|meta| meta.key.clone()).collect();
            prop_assert_eq!(&contents, &listed);
            prop_assert_eq!(&prefixes, &whole.prefixes);

            let expected = keys.iter().filter(|key| key.starts_with(&prefix));
            for key in expected {
                let grouped = prefixes.iter().any(|group| key.starts_with(group.as_str()));
                prop_assert!(grouped != contents.contains(key), "{}", key);
            }
        }
    }
}
