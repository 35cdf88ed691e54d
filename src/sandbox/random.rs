//! Ids, keys and tokens in the forms that Alibaba gives them, from the system's randomness. Must
//! not know what they are for.

use secrecy::SecretString;
use zeroize::Zeroizing;

/// Returns so many random letters and digits.
pub(super) fn base62(length: usize) -> Zeroizing<String> {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = Zeroizing::new(String::with_capacity(length));
    while text.len() < length {
        let mut pool = Zeroizing::new([0; 64]);
        fill(pool.as_mut());
        // 248 is the largest multiple of 62 in a byte: what lies above would favour some letters.
        let letters = pool.iter().filter(|byte| **byte < 248);
        for byte in letters.take(length - text.len()) {
            text.push(char::from(ALPHABET[usize::from(byte % 62)]));
        }
    }
    text
}

/// Returns a secret of so many letters and digits.
pub(super) fn secret(length: usize) -> SecretString {
    base62(length).as_str().into()
}

/// Returns a SecurityToken: opaque, long, and starting as the real ones do.
pub(super) fn security_token() -> SecretString {
    Zeroizing::new(format!("CAIS{}=", base62(495).as_str()))
        .as_str()
        .into()
}

/// Returns a RequestId as the RPC gateway makes them: an upper-case UUID.
pub(super) fn rpc_request_id() -> String {
    uuid::Uuid::new_v4().hyphenated().to_string().to_uppercase()
}

/// Returns a RequestId as OSS makes them: 24 upper-case hex digits.
pub(super) fn oss_request_id() -> String {
    let mut bytes = [0; 12];
    fill(&mut bytes);
    hex_upper(&bytes)
}

/// Writes bytes in upper-case hex.
pub(super) fn hex_upper(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        .collect()
}

fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives random bytes");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for length in [0, 1, 25, 200] {
            let text = base62(length);
            assert_eq!(text.len(), length);
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric()));
        }
        assert_ne!(base62(25), base62(25));
        assert_eq!(oss_request_id().len(), 24);
        assert_eq!(hex_upper(&[0, 0xAB, 0xF0]), "00ABF0");
        let id = rpc_request_id();
        assert_eq!((id.len(), id.to_uppercase()), (36, id));
    }
}
