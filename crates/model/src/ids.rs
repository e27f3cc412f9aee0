//! Identifiers: fixed-width values that print as Flink prints them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The stable identity of an operator: 16 bytes, 32 hexadecimal digits (Flink `OperatorID`).
///
/// It is a hash of what the operator's state means, so that state finds its operator after a restart or an upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OperatorId([u8; 16]);

/// The identity of one application run: 32 hexadecimal digits (Flink `JobID`). It survives restores, so output files
/// and checkpoints of one lineage can be told from those of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobId([u8; 16]);

impl OperatorId {
    /// The identity of an operator that is described by `parts`, in order.
    pub fn of(parts: &[&str]) -> Self {
        Self(digest(parts))
    }
}

impl JobId {
    /// A job id made of random bytes that the caller drew.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

/// Hashes the parts to 16 bytes; stable for ever, since snapshots hold the result. FNV-1a with 128 bits over each part
/// and its length.
fn digest(parts: &[&str]) -> [u8; 16] {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let mut hash = OFFSET;
    for part in parts {
        let length = (part.len() as u64).to_be_bytes();
        for byte in length.iter().chain(part.as_bytes()) {
            hash = (hash ^ u128::from(*byte)).wrapping_mul(PRIME);
        }
    }
    hash.to_be_bytes()
}

macro_rules! hexadecimal {
    ($name:ident, $what:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                let wrong = || Error::invalid(format!("{} must have 32 hexadecimal digits, got `{text}`", $what));
                if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    return Err(wrong());
                }
                let value = u128::from_str_radix(text, 16).map_err(|_| wrong())?;
                Ok(Self(value.to_be_bytes()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(text: String) -> Result<Self, Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
    };
}

hexadecimal!(OperatorId, "an operator id");
hexadecimal!(JobId, "a job id");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operator_ids_are_stable_across_versions() {
        assert_eq!(OperatorId::of(&["source", "flights", "0"]).to_string(), "f3e2bba5f9130b8b6320b57207d37b77");
    }

    #[test]
    fn parts_are_kept_apart() {
        assert_ne!(OperatorId::of(&["ab", "c"]), OperatorId::of(&["a", "bc"]));
    }

    #[test]
    fn text_round_trips_and_nonsense_is_refused() {
        let id = OperatorId::of(&["x"]);
        assert_eq!(id.to_string().parse::<OperatorId>().expect("its own text"), id);
        assert!("+0000000000000000000000000000000".parse::<JobId>().is_err());
        assert!("xyz".parse::<JobId>().is_err());
    }
}
