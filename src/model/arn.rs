//! ARNs of RAM roles, parsed once. Must not know policies, where ARNs have wildcards.

use std::fmt;
use std::str::FromStr;

use super::{Error, Result};

/// The ARN of a RAM role, `acs:ram::<account>:role/<name>`.
///
/// The account is digits; the name has 1 to 64 letters, digits, `.`, `-`, `_` or `@`
/// ([CreateRole](https://www.alibabacloud.com/help/en/ram/developer-reference/api-ram-2015-05-01-createrole)).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoleArn {
    text: String,
    account: std::ops::Range<usize>,
    name: usize,
}

impl RoleArn {
    /// Returns the account id, such as `1234567890123456`.
    pub fn account(&self) -> &str {
        &self.text[self.account.clone()]
    }

    /// Returns the role's name.
    pub fn name(&self) -> &str {
        &self.text[self.name..]
    }

    /// Returns the whole ARN.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for RoleArn {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |rule: &str| Error::new("RoleArn", text, rule);
        let Some((account, name)) = text
            .strip_prefix("acs:ram::")
            .and_then(|rest| rest.split_once(":role/"))
        else {
            let rule = if text.starts_with("arn:") {
                "this is an AWS ARN; expected acs:ram::<account id>:role/<role name>"
            } else {
                "expected acs:ram::<account id>:role/<role name>"
            };
            return Err(wrong(rule));
        };
        if account.is_empty() || !account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong("the account id must be digits"));
        }
        if name.is_empty()
            || name.len() > 64
            || !name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b".-_@".contains(&b))
        {
            return Err(wrong(
                "the role name must have 1 to 64 letters, digits, `.`, `-` or `_`",
            ));
        }
        let start = "acs:ram::".len();
        Ok(Self {
            text: text.to_owned(),
            account: start..start + account.len(),
            name: text.len() - name.len(),
        })
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_role_arn() {
        let arn: RoleArn = "acs:ram::1234567890123456:role/test.role".parse().unwrap();
        assert_eq!(
            (arn.account(), arn.name()),
            ("1234567890123456", "test.role")
        );
        assert_eq!(arn.to_string(), "acs:ram::1234567890123456:role/test.role");
    }

    #[test]
    fn malformed_role_arns_are_refused() {
        for text in [
            "",
            "dev",
            "acs:ram::123:user/dev",
            "acs:ram::12x3:role/dev",
            "acs:ram:::role/dev",
            "acs:ram::123:role/",
            "acs:ram::123:role/a b",
            "acs:ram::123:role/dev/alice",
            "arn:aws:iam::123:role/dev",
        ] {
            assert!(text.parse::<RoleArn>().is_err(), "{text}");
        }
    }
}
