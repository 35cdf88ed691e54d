//! Durations and sizes as people write them. Must not know what they are for: bounds belong to
//! the types built on them.

use std::time::Duration;

use super::{Error, Result};

/// Parses seconds (`90`) or a sum of parts in falling order (`90s`, `15m`, `1h30m`, `2d`).
pub fn parse_duration(text: &str) -> Result<Duration> {
    let wrong = || {
        Error::new(
            "duration",
            text,
            "expected seconds, or a form like 90s, 15m, 1h30m, 2d",
        )
    };
    if let Some(seconds) = digits(text) {
        return Ok(Duration::from_secs(seconds));
    }
    let mut total: u64 = 0;
    let mut rest = text;
    let mut last_unit = u64::MAX;
    while !rest.is_empty() {
        let split = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, tail) = rest.split_at(split);
        let unit: u64 = match tail.chars().next() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86400,
            _ => return Err(wrong()),
        };
        if unit >= last_unit {
            return Err(wrong());
        }
        last_unit = unit;
        let part = digits(number)
            .and_then(|n| n.checked_mul(unit))
            .ok_or_else(wrong)?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        rest = &tail[1..];
    }
    if last_unit == u64::MAX {
        Err(wrong())
    } else {
        Ok(Duration::from_secs(total))
    }
}

/// Parses bytes (`1048576`) or a multiple (`KiB`, `MiB`, `GiB`). Returns bytes.
pub fn parse_size(text: &str) -> Result<u64> {
    let wrong = || {
        Error::new(
            "size",
            text,
            "expected bytes, or a number with KiB, MiB or GiB",
        )
    };
    let (number, factor) = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)]
        .into_iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?.trim_end(), factor)))
        .unwrap_or((text, 1_u64));
    digits(number)
        .and_then(|n| n.checked_mul(factor))
        .ok_or_else(wrong)
}

/// Parses digits alone: no sign, no space.
fn digits(text: &str) -> Option<u64> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in [
            ("0", 0),
            ("90", 90),
            ("90s", 90),
            ("15m", 900),
            ("1h30m", 5400),
            ("2d", 172_800),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_secs(seconds)),
                "{text}"
            );
        }
        for text in [
            "",
            "h",
            "1x",
            "1h1h",
            "1m1h",
            "-1",
            "1.5h",
            "99999999999999999999s",
            "1h 30m",
            "é",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("0", 0),
            ("1KiB", 1024),
            ("16 MiB", 16 << 20),
            ("5GiB", 5 << 30),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "MiB", "1MB", "1.5GiB", "-1", "99999999999GiB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in ".*") {
            let _ = parse_duration(&text);
            let _ = parse_size(&text);
        }

        #[test]
        fn a_duration_written_in_parts_is_their_sum(h in 0_u64..100, m in 0_u64..100, s in 0_u64..100) {
            let parsed = parse_duration(&format!("{h}h{m}m{s}s")).unwrap();
            prop_assert_eq!(parsed.as_secs(), h * 3600 + m * 60 + s);
        }
    }
}
