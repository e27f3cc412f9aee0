//! Digests of content: what a file of the cache is called, and what a checksum is compared with.

use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use kobel_model::{Error, Result};
use sha2::{Digest as _, Sha256};

/// How many digits a digest has.
const DIGITS: usize = 64;
/// How much is read at a time.
const CHUNK: usize = 256 * 1024;

/// A SHA-256 in lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ContentDigest(String);

impl ContentDigest {
    /// The digest that is written as 64 hexadecimal digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_digest = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_digest.then(|| Self(text.to_ascii_lowercase()))
    }

    /// The digest that a user writes as a checksum.
    ///
    /// # Errors
    /// Invalid if it is no SHA-256.
    pub(super) fn of_checksum(text: &str) -> Result<Self> {
        let text = text.trim();
        let (algorithm, digits) = text.split_once(':').unwrap_or(("sha256", text));
        let is_known = algorithm.eq_ignore_ascii_case("sha256") || algorithm.eq_ignore_ascii_case("sha-256");
        Self::parse(digits.trim()).filter(|_| is_known).ok_or_else(|| {
            let message =
                format!("cannot use the checksum `{text}`: expected `sha256:` and {DIGITS} hexadecimal digits");
            Error::invalid(message).with_hint("`sha256sum FILE` prints the digits")
        })
    }

    /// The digest of a text.
    pub(super) fn of_text(text: &str) -> Self {
        let mut digester = Digester::default();
        digester.update(text.as_bytes());
        digester.finish()
    }

    /// The digest of a file.
    ///
    /// # Errors
    /// Missing, Denied or Unavailable if it cannot be read.
    pub(super) fn of_file(path: &Path) -> Result<Self> {
        let failed = |error| Error::io(format!("cannot read `{}`", path.display()), error);
        let mut file = File::open(path).map_err(failed)?;
        let mut digester = Digester::default();
        let mut chunk = vec![0; CHUNK];
        loop {
            let length = file.read(&mut chunk).map_err(failed)?;
            if length == 0 {
                return Ok(digester.finish());
            }
            digester.update(chunk.get(..length).unwrap_or_default());
        }
    }

    /// The digits.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Refuses content that is not what was asked for; `shown` names it.
    ///
    /// # Errors
    /// Invalid if `wanted` is another digest.
    pub(super) fn check(&self, wanted: Option<&Self>, shown: &str) -> Result<()> {
        let Some(wanted) = wanted.filter(|wanted| *wanted != self) else {
            return Ok(());
        };
        let message =
            format!("cannot use `{shown}`: its checksum is `sha256:{self}`, and `sha256:{wanted}` is asked for");
        Err(Error::invalid(message)
            .with_hint("it was changed after the checksum was taken: find out why, then correct one of the two"))
    }
}

impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Takes the digest of content that passes by.
#[derive(Default)]
pub(super) struct Digester(Sha256);

impl Digester {
    /// Takes note of the next bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all bytes.
    pub(super) fn finish(self) -> ContentDigest {
        let mut text = String::with_capacity(DIGITS);
        for byte in self.0.finalize() {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        ContentDigest(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_digest_of_a_text_and_of_a_file_is_its_sha256() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(ContentDigest::of_text("abc").as_str(), ABC);
        assert_eq!(ContentDigest::of_file(&path).unwrap().as_str(), ABC);
    }

    #[test]
    fn checksums_are_read_with_and_without_their_algorithm() {
        let upper = ABC.to_ascii_uppercase();
        for text in [ABC.to_owned(), upper.clone(), format!("sha256:{ABC}"), format!(" SHA-256: {upper} ")] {
            assert_eq!(ContentDigest::of_checksum(&text).unwrap().as_str(), ABC, "for `{text}`");
        }
        for text in ["", "sha256:", "md5:900150983cd24fb0d6963f7d28e17f72", &ABC[1..], &format!("sha512:{ABC}")] {
            assert!(ContentDigest::of_checksum(text).is_err(), "for `{text}`");
        }
    }
}
