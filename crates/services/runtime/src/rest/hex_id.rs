//! Ids in paths that are 32 hexadecimal digits and belong to nothing that the engine has a type for.

use std::fmt;
use std::str::FromStr;

/// An id of 32 hexadecimal digits, in small letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HexId(String);

/// The text is no such id.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoHexId;

impl FromStr for HexId {
    type Err = NoHexId;

    fn from_str(text: &str) -> Result<Self, NoHexId> {
        let is_id = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_id { Ok(Self(text.to_ascii_lowercase())) } else { Err(NoHexId) }
    }
}

impl fmt::Display for HexId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{HexId, NoHexId};

    #[test]
    fn ids_are_read_in_any_case_and_written_in_small_letters() {
        let id: HexId = "ABCDEF00000000000000000000000012".parse().unwrap();
        assert_eq!(id.to_string(), "abcdef00000000000000000000000012");
        for text in ["", "abc", "0000000000000000000000000000000g", "000000000000000000000000000000000"] {
            assert_eq!(text.parse::<HexId>(), Err(NoHexId), "for `{text}`");
        }
    }
}
