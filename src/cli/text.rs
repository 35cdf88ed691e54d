//! How values are laid out for a person, and JSON for a program. Pure; must not know commands.

use chrono::TimeDelta;
use serde::Serialize;
use serde_json::Value;

/// Pads each column to its widest cell.
pub(crate) fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let padded = |row: &[String; N]| {
        let cells = widths
            .iter()
            .zip(row)
            .map(|(width, cell)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ")
    };
    rows.iter().fold(String::new(), |text, row| {
        text + padded(row).trim_end() + "\n"
    })
}

/// Lays out named values, a line each; a list is joined by arrows.
pub(crate) fn listing(values: &[(&'static str, Value)]) -> String {
    let rows: Vec<[String; 2]> = values
        .iter()
        .map(|(name, value)| {
            let shown = match value {
                Value::String(text) => text.clone(),
                Value::Array(items) => items
                    .iter()
                    .filter_map(Value::as_str)
                    .collect::<Vec<_>>()
                    .join(" → "),
                other => other.to_string(),
            };
            [(*name).to_owned(), shown]
        })
        .collect();
    columns(&rows)
}

/// Makes named values an object.
pub(crate) fn object(values: Vec<(&'static str, Value)>) -> Value {
    values
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Writes a JSON document with its line end.
pub(crate) fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value);
    text.expect("what is printed has text for names") + "\n"
}

/// Writes a remaining lifetime as `1h 5m`, `59m 58s` or `40s`.
pub(crate) fn lifetime(left: TimeDelta) -> String {
    let seconds = left.num_seconds().max(0);
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m {s}s"),
        (h, m, _) => format!("{h}h {m}m"),
    }
}

/// Writes a name from outside so that it cannot steer a terminal.
pub(crate) fn printable(name: &str) -> String {
    let shown = |c: char| {
        if c.is_control() {
            c.escape_default().to_string()
        } else {
            c.to_string()
        }
    };
    name.chars().map(shown).collect()
}

/// Writes an error and its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a", "bb", ""], ["ccc", "d", "e"]].map(|row| row.map(str::to_owned));
        assert_eq!(columns(&rows), "a    bb\nccc  d   e\n");
    }

    #[test]
    fn lifetimes_are_short() {
        for (seconds, text) in [(-5, "0s"), (40, "40s"), (3598, "59m 58s"), (3900, "1h 5m")] {
            assert_eq!(lifetime(TimeDelta::seconds(seconds)), text);
        }
    }
}
