//! What the canonical requests of several schemes have in common. Values are borrowed until they
//! are written into the one string, which is zeroised: they may be a SecurityToken or a Policy.
//! Must not know which scheme asks.

use super::encode;

/// Lower-cases the names, trims the values, keeps the headers that `signed` tells of, and sorts
/// them by name. Headers of one name stay in their order.
pub(super) fn headers<'a>(
    headers: &[(&str, &'a str)],
    signed: impl Fn(&str) -> bool,
) -> Vec<(String, &'a str)> {
    let mut kept: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
        .filter(|(name, _)| signed(name))
        .collect();
    kept.sort_by(|(a, _), (b, _)| a.cmp(b));
    kept
}

/// Writes `name:value\n` for each name; several values of one are joined by `,`.
pub(super) fn push_headers(out: &mut String, headers: &[(String, &str)]) {
    for group in headers.chunk_by(|(a, _), (b, _)| a == b) {
        for (index, (name, value)) in group.iter().enumerate() {
            if index == 0 {
                out.push_str(name);
                out.push(':');
            } else {
                out.push(',');
            }
            out.push_str(value);
        }
        out.push('\n');
    }
}

/// Writes `name=value` pairs, encoded, joined by `&`, sorted by name and then by value.
pub(super) fn push_pairs(out: &mut String, pairs: &[(&str, &str)]) {
    let mut sorted = pairs.to_vec();
    sorted.sort_unstable();
    for (index, (name, value)) in sorted.into_iter().enumerate() {
        if index > 0 {
            out.push('&');
        }
        encode::push(out, name);
        out.push('=');
        encode::push(out, value);
    }
}

/// Returns how many bytes suffice for the pairs once encoded, with two separators each, so that a
/// buffer never grows: growing leaves copies behind that nobody zeroises.
pub(super) fn encoded_bound(pairs: &[(&str, &str)]) -> usize {
    pairs
        .iter()
        .map(|(name, value)| 3 * (name.len() + value.len()) + 2)
        .sum()
}

/// Returns how many bytes suffice for the pairs as they are, with two separators each.
pub(super) fn plain_bound(pairs: &[(&str, &str)]) -> usize {
    pairs
        .iter()
        .map(|(name, value)| name.len() + value.len() + 2)
        .sum()
}
