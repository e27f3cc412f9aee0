//! What the API takes from outside itself: time, and identifiers that nobody used before.
//!
//! A simulation gives its own, so that one seed gives one history.

use jiff::Timestamp;

/// Time and chance, as the API needs them.
pub trait Surroundings: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
    /// A new version-4 UUID in lower case.
    fn new_uid(&self) -> String;
    /// Five random characters for `metadata.generateName`, of the alphabet that Kubernetes uses.
    fn name_suffix(&self) -> String;
}

/// The machine's clock and random numbers.
#[derive(Debug, Default, Clone, Copy)]
pub struct Machine;

/// The alphabet of generated names: no vowels, no characters that look alike.
const SUFFIX_ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

impl Surroundings for Machine {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn new_uid(&self) -> String {
        let bits: u128 =
            (rand::random::<u128>() & !(0xf000_u128 << 64) & !(0xc_u128 << 60)) | (0x4000 << 64) | (0x8 << 60);
        let hex = format!("{bits:032x}");
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    fn name_suffix(&self) -> String {
        (0..5).map(|_| char::from(SUFFIX_ALPHABET[usize::from(rand::random::<u8>()) % SUFFIX_ALPHABET.len()])).collect()
    }
}

/// Prints a time as Kubernetes prints `metadata` times: whole seconds, UTC.
pub fn show_seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Prints a time as Kubernetes prints `MicroTime`.
pub fn show_micros(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_a_version_4_uuid() {
        let uid = Machine.new_uid();
        let parts: Vec<usize> = uid.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{uid}");
        assert_eq!(&uid[14..15], "4", "{uid}");
        assert!("89ab".contains(&uid[19..20]), "{uid}");
    }

    #[test]
    fn times_print_as_kubernetes_prints_them() {
        let time: Timestamp = "2026-01-02T03:04:05.678901234Z".parse().unwrap();
        assert_eq!(show_seconds(time), "2026-01-02T03:04:05Z");
        assert_eq!(show_micros(time), "2026-01-02T03:04:05.678901Z");
    }
}
