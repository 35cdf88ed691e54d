//! URIs fit for diagnostics. Must not know which parameters are secret: none of their values is
//! shown, so a new one cannot be forgotten.

use std::fmt;

use http::Uri;

/// A URI whose Display keeps scheme, host and path, and of the query only the names.
#[derive(Clone, Copy)]
pub struct SafeUri<'a>(pub &'a Uri);

impl fmt::Display for SafeUri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = self.0.scheme_str() {
            write!(f, "{scheme}://")?;
        }
        f.write_str(&host_and_port(self.0))?;
        f.write_str(self.0.path())?;
        for (nth, pair) in self
            .0
            .query()
            .into_iter()
            .flat_map(|q| q.split('&'))
            .enumerate()
        {
            let before = if nth == 0 { '?' } else { '&' };
            match pair.split_once('=') {
                Some((name, _)) => write!(f, "{before}{name}=…")?,
                None => write!(f, "{before}{pair}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for SafeUri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Returns a URI's `host[:port]`, without a user name or password; empty without a host.
pub(super) fn host_and_port(uri: &Uri) -> String {
    match (uri.host(), uri.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_query_and_user_names_are_hidden() {
        let uri =
            "https://user:canary@b.oss.example:8443/a%20b?Signature=canary&uploads&x=".parse();
        let uri: Uri = uri.unwrap();
        let shown = "https://b.oss.example:8443/a%20b?Signature=…&uploads&x=…";
        assert_eq!(SafeUri(&uri).to_string(), shown);
        assert_eq!(format!("{:?}", SafeUri(&uri)), shown);
    }

    #[test]
    fn a_bare_host() {
        let uri = Uri::from_static("http://[::1]:80");
        assert_eq!(SafeUri(&uri).to_string(), "http://[::1]:80/");
    }
}
