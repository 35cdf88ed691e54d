//! Which bytes a Range header asks for, as OSS understands it. Must not know the object.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/getobject>

use std::ops::Range;

/// What is to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Chosen {
    /// A 206.
    Part(Range<u64>),
    /// A 416.
    Unsatisfiable,
    /// A 200.
    Whole,
}

/// Chooses the bytes of an object of `size` bytes. A header that is not one range of bytes is
/// ignored. One that reaches past the end is ignored too, unless the client asks for the standard
/// behaviour (`x-oss-range-behavior: standard`), which cuts or refuses it.
pub(super) fn choose(header: Option<&str>, standard: bool, size: u64) -> Chosen {
    let Some(asked) = header.and_then(parse) else {
        return Chosen::Whole;
    };
    let range = match asked {
        Asked::Between(first, last) => first..last.saturating_add(1),
        Asked::From(first) if first < size => first..size,
        Asked::From(first) => first..first.saturating_add(1),
        Asked::Last(length) if length <= size => size - length..size,
        Asked::Last(_) if standard => 0..size,
        Asked::Last(_) => return Chosen::Whole,
    };
    match (range.start < size && !range.is_empty(), standard) {
        (true, true) => Chosen::Part(range.start..range.end.min(size)),
        (true, false) if range.end <= size => Chosen::Part(range),
        (false, true) => Chosen::Unsatisfiable,
        _ => Chosen::Whole,
    }
}

enum Asked {
    Between(u64, u64),
    From(u64),
    Last(u64),
}

fn parse(header: &str) -> Option<Asked> {
    let (first, last) = header.trim().strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| text.parse::<u64>().ok())
            .flatten()
    };
    match (first.is_empty(), last.is_empty()) {
        (true, _) => Some(Asked::Last(number(last)?)),
        (false, true) => Some(Asked::From(number(first)?)),
        (false, false) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Asked::Between(first, last))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Chosen::{Part, Unsatisfiable, Whole};
    use super::*;

    #[test]
    fn ranges_of_1000_bytes() {
        for (header, plain, standard) in [
            ("bytes=0-0", Part(0..1), Part(0..1)),
            ("bytes=0-999", Part(0..1000), Part(0..1000)),
            ("bytes=500-", Part(500..1000), Part(500..1000)),
            ("bytes=-1", Part(999..1000), Part(999..1000)),
            ("bytes=-1000", Part(0..1000), Part(0..1000)),
            ("bytes=500-2000", Whole, Part(500..1000)),
            ("bytes=-2000", Whole, Part(0..1000)),
            ("bytes=1000-2000", Whole, Unsatisfiable),
            ("bytes=1000-", Whole, Unsatisfiable),
            ("bytes=-0", Whole, Unsatisfiable),
            ("bytes=5-1", Whole, Whole),
            ("bytes=0-1,5-6", Whole, Whole),
            ("bytes=-", Whole, Whole),
            ("bytes=+1-2", Whole, Whole),
            ("chunks=0-1", Whole, Whole),
        ] {
            assert_eq!(choose(Some(header), false, 1000), plain, "{header}");
            assert_eq!(
                choose(Some(header), true, 1000),
                standard,
                "{header}, standard"
            );
        }
        assert_eq!(choose(None, true, 1000), Whole);
    }

    proptest! {
        #[test]
        fn a_part_lies_within_the_object(
            header in "bytes=[0-9]{0,20}-[0-9]{0,20}", standard: bool, size: u64,
        ) {
            if let Part(range) = choose(Some(&header), standard, size) {
                prop_assert!(range.start < range.end && range.end <= size);
            }
        }
    }
}
