//! What is wrong with a piece of text that should have been one of the model's types. Must not
//! know where the text came from: the caller adds that.

/// A value that is not what it should be: names the kind of value, the text and the rule it broke.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not a valid {what}: {rule}")]
pub struct Error {
    /// The kind of value, in Alibaba's words, such as `RoleArn`.
    pub what: &'static str,
    /// The offending text, cut to a readable length.
    pub value: String,
    /// The rule, as a sentence fragment.
    pub rule: String,
}

/// The result of parsing a model type.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Builds the error, cutting `value` to its first 80 characters and escaping control characters.
    pub fn new(what: &'static str, value: &str, rule: impl Into<String>) -> Self {
        let mut shown: String = value
            .chars()
            .take(80)
            .flat_map(char::escape_debug)
            .collect();
        if value.chars().nth(80).is_some() {
            shown.push('…');
        }
        Self {
            what,
            value: shown,
            rule: rule.into(),
        }
    }
}
