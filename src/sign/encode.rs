//! Percent-encoding as the signatures want it.

/// Encodes everything but `A-Z a-z 0-9 - _ . ~`, as `%XX` of the UTF-8 bytes, upper case.
pub fn component(text: &str) -> String {
    let _ = text;
    unimplemented!()
}

/// As [`component`], but keeps `/`: for paths.
pub fn path(text: &str) -> String {
    let _ = text;
    unimplemented!()
}
