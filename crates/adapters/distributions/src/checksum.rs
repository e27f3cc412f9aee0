//! Checksums of what was fetched: of archives as their publisher gives them, of packages as their index shows them.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use kobel_model::{Error, Result};
use sha2::Digest;

/// How much is read at a time.
const CHUNK: usize = 256 * 1024;
/// The length of a SHA-512 digest in hexadecimal digits.
const SHA512_DIGITS: usize = 128;

/// The digest of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    /// The name of the file.
    pub file: String,
    /// The algorithm, a colon, the digest in hexadecimal digits.
    pub digest: String,
}

/// Digests a file.
///
/// # Errors
/// Those of the file system.
pub(crate) fn of_file<D: Digest>(path: &Path) -> Result<String> {
    let failed = |error| Error::io(format!("cannot read `{}`", path.display()), error);
    let mut file = File::open(path).map_err(failed)?;
    let mut digest = D::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = file.read(&mut chunk).map_err(failed)?;
        if length == 0 {
            return Ok(hex(digest.finalize().as_slice()));
        }
        digest.update(chunk.get(..length).unwrap_or_default());
    }
}

/// Digests bytes.
pub(crate) fn of_bytes<D: Digest>(bytes: &[u8]) -> String {
    hex(D::digest(bytes).as_slice())
}

/// The digest in a file that `sha512sum` has written.
pub(crate) fn published_sha512(text: &str) -> Option<String> {
    let is_digest = |word: &&str| word.len() == SHA512_DIGITS && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split_whitespace().find(is_digest).map(str::to_ascii_lowercase)
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use sha2::{Sha256, Sha512};

    use super::*;

    #[test]
    fn a_file_and_its_bytes_have_the_same_digest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "abc").unwrap();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(of_file::<Sha256>(&path).unwrap(), expected);
        assert_eq!(of_bytes::<Sha256>(b"abc"), expected);
        assert_eq!(of_bytes::<Sha512>(b"abc").len(), SHA512_DIGITS);
    }

    #[test]
    fn a_published_digest_is_found_beside_the_name_of_its_file() {
        let digest = "AB".repeat(64);
        for (text, is_found) in [
            (format!("{digest}  flink-2.3.0-bin-scala_2.12.tgz\n"), true),
            (format!("{digest} *flink.tgz"), true),
            ("<html>not found</html>".to_owned(), false),
            (digest.replace('A', "g"), false),
            ("ab".repeat(32), false),
        ] {
            let found = published_sha512(&text);
            assert_eq!(found, is_found.then(|| digest.to_ascii_lowercase()), "{text}");
        }
    }
}
