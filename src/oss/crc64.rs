//! CRC-64/XZ, the checksum that OSS keeps of every object and answers as `x-oss-hash-crc64ecma`
//! ([how it is used](https://www.alibabacloud.com/help/en/oss/user-guide/check-data-transmission-integrity-by-using-crc-64)).
//! It is the reflected ECMA-182 polynomial with all ones in and out, which many libraries call
//! XZ; their "ECMA-182" is another checksum. Must not know where the bytes come from.

use crc_fast::{CrcAlgorithm, Digest};

/// A CRC-64 in the making: feeds on bytes in order.
#[derive(Clone, Debug)]
pub struct Crc64(Digest);

impl Crc64 {
    /// Starts a checksum; that of no bytes is 0.
    pub fn new() -> Self {
        Self(Digest::new(ALGORITHM))
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the checksum of all bytes so far.
    pub fn value(&self) -> u64 {
        self.0.finalize()
    }
}

impl Default for Crc64 {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the checksum of two pieces joined, from the checksum of each and the length of the
/// second in bytes.
pub fn combine(first: u64, second: u64, second_length: u64) -> u64 {
    crc_fast::checksum_combine(ALGORITHM, first, second, second_length)
}

const ALGORITHM: CrcAlgorithm = CrcAlgorithm::Crc64Xz;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn crc(bytes: &[u8]) -> u64 {
        let mut crc = Crc64::new();
        crc.update(bytes);
        crc.value()
    }

    /// The published check value of CRC-64/XZ, and the values of the official Go SDK's tests.
    #[test]
    fn published_values() {
        let emergency = b"This is a test of the emergency broadcast system.";
        for (bytes, expected) in [
            (&b""[..], 0),
            (b"123456789", 0x995d_c9bb_df19_39fa),
            (b"hello", 11_177_612_005_948_864_433),
            (emergency, 0x27db_187f_c15b_bc72),
            (&vec![0; 1 << 20], 0x606b_70a2_3eba_f6c2),
        ] {
            assert_eq!(crc(bytes), expected);
        }
        assert_eq!(
            combine(crc(b"123456789"), crc(emergency), emergency.len() as u64),
            0x6a7a_a19f_cbf4_8688
        );
    }

    proptest! {
        #[test]
        fn pieces_and_the_whole_agree(bytes: Vec<u8>, cut: prop::sample::Index) {
            let (first, second) = bytes.split_at(cut.index(bytes.len() + 1));
            let mut streamed = Crc64::new();
            streamed.update(first);
            streamed.update(second);
            prop_assert_eq!(streamed.value(), crc(&bytes));
            prop_assert_eq!(combine(crc(first), crc(second), second.len() as u64), crc(&bytes));
        }
    }
}
