//! The artifacts that were fetched: content under its own digest, and which content each source gave last.
//!
//! ```text
//! <cache>/content/<digest of the content>.jar    whole and durable: it is renamed to this name when it is
//! <cache>/sources/<digest of the source>         which content it is, and what the server says of its version
//! <cache>/sources/<digest of the source>.lock    held by whoever fetches from the source
//! <cache>/partial/<digest of the source>         what a fetch has received so far
//! ```
//! Addresses may hold secrets, so names are digests. One process at a time fetches from a source; what it received
//! belongs to nobody once its lock is free, and the next fetch removes it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use kobel_model::deployment::ArtifactKind;
use kobel_model::{Error, ErrorKind, Result};

use super::digest::{ContentDigest, Digester};
use super::web::{Call, Content, Validators};
use crate::file;

const CONTENT: &str = "content";
const SOURCES: &str = "sources";
const PARTIAL: &str = "partial";
/// The largest note of a source.
const NOTE_BYTES_MAX: u64 = 16 * 1024;
/// How long is waited before a lock is tried again.
const LOCK_PAUSE: Duration = Duration::from_millis(20);
/// How much is received at a time.
const CHUNK: usize = 256 * 1024;

/// A directory of fetched artifacts.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    root: PathBuf,
}

/// The right to fetch from a source; it ends with its value, or with the process.
#[derive(Debug)]
pub(super) struct Hold {
    _lock: File,
}

/// Content that a source gave and that is still whole.
#[derive(Debug)]
pub(super) struct Known {
    /// What it holds.
    pub(super) digest: ContentDigest,
    /// Where it lies.
    pub(super) path: PathBuf,
    /// What the server said of its version.
    pub(super) validators: Validators,
}

impl Cache {
    /// A cache in this directory, which need not be there yet.
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Makes the directories, and removes what fetches left behind that never came to their end.
    ///
    /// # Errors
    /// Denied or Unavailable if the directories cannot be made.
    pub(super) fn prepare(&self) -> Result<()> {
        for name in [CONTENT, SOURCES, PARTIAL] {
            let path = self.root.join(name);
            fs::create_dir_all(&path)
                .map_err(|error| Error::io(format!("cannot make the directory `{}`", path.display()), error))?;
        }
        // What cannot be removed now is in nobody's way.
        for entry in fs::read_dir(self.root.join(PARTIAL)).into_iter().flatten().flatten() {
            let source = entry.file_name().to_str().and_then(ContentDigest::parse);
            let Some(source) = source else { continue };
            let lock = File::create(self.lock(&source));
            if lock.is_ok_and(|lock| lock.try_lock().is_ok() && fs::remove_file(entry.path()).is_ok()) {
                tracing::debug!(file = %entry.path().display(), "removed what a fetch left behind");
            }
        }
        Ok(())
    }

    /// Waits until nobody else fetches from a source.
    ///
    /// # Errors
    /// Unavailable if somebody still does when the time is over.
    pub(super) fn hold(&self, source: &ContentDigest, shown: &str, time_max: Duration) -> Result<Hold> {
        let path = self.lock(source);
        let failed = |error| Error::io(format!("cannot lock `{}`", path.display()), error);
        let lock = File::create(&path).map_err(failed)?;
        let start = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Hold { _lock: lock }),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) if start.elapsed() >= time_max => {
                    let message = format!("cannot fetch `{shown}`: another fetch of it takes longer than {time_max:?}");
                    return Err(Error::new(ErrorKind::Unavailable, message));
                }
                Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
            }
        }
    }

    /// The content that a source gave last; content that was changed since is removed.
    ///
    /// # Errors
    /// Denied or Unavailable if it cannot be read.
    pub(super) fn known(&self, source: &ContentDigest, kind: ArtifactKind) -> Result<Option<Known>> {
        let note = self.root.join(SOURCES).join(source.as_str());
        let bytes = match file::read(&note, NOTE_BYTES_MAX) {
            Ok(bytes) => bytes,
            // A note that is not there or not ours tells nothing, and the source tells it again.
            Err(error) if matches!(error.kind(), ErrorKind::Missing | ErrorKind::Corrupt) => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some((digest, validators)) = std::str::from_utf8(&bytes).ok().and_then(read_note) else {
            return Ok(None);
        };
        let path = self.content(&digest, kind);
        match ContentDigest::of_file(&path) {
            Ok(found) if found == digest => Ok(Some(Known { digest, path, validators })),
            Ok(_) => {
                tracing::warn!(file = %path.display(), "a fetched artifact was changed on disk; it is fetched again");
                fs::remove_file(&path)
                    .map_err(|error| Error::io(format!("cannot remove the damaged `{}`", path.display()), error))?;
                Ok(None)
            }
            Err(error) if error.kind() == ErrorKind::Missing => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Receives content into a file that nobody uses yet.
    ///
    /// # Errors
    /// Invalid if it is too large, empty or no program, Unavailable if it breaks off or takes too long.
    pub(super) fn receive(
        &self,
        source: &ContentDigest,
        content: &mut Content,
        bytes_max: u64,
        call: &Call<'_>,
    ) -> Result<ContentDigest> {
        let path = self.partial(source);
        let received = receive(&path, content, bytes_max, call);
        if received.is_err() {
            let _ = fs::remove_file(&path);
        }
        received
    }

    /// Drops what was received.
    pub(super) fn drop_received(&self, source: &ContentDigest) {
        let _ = fs::remove_file(self.partial(source));
    }

    /// Puts what was received in its place and notes where it came from.
    ///
    /// # Errors
    /// Denied or Unavailable if the directories cannot be changed.
    pub(super) fn keep(
        &self,
        source: &ContentDigest,
        digest: &ContentDigest,
        kind: ArtifactKind,
        validators: &Validators,
    ) -> Result<PathBuf> {
        let path = self.content(digest, kind);
        fs::rename(self.partial(source), &path)
            .map_err(|error| Error::io(format!("cannot put `{}` in its place", path.display()), error))?;
        file::sync_directory(&self.root.join(CONTENT))?;
        let note = self.root.join(SOURCES).join(source.as_str());
        file::write_atomically(&note, write_note(digest, validators).as_bytes())?;
        Ok(path)
    }

    fn content(&self, digest: &ContentDigest, kind: ArtifactKind) -> PathBuf {
        let ending = match kind {
            ArtifactKind::Jar => "jar",
            ArtifactKind::Python => "py",
            ArtifactKind::Sql => "sql",
        };
        self.root.join(CONTENT).join(format!("{digest}.{ending}"))
    }

    fn lock(&self, source: &ContentDigest) -> PathBuf {
        self.root.join(SOURCES).join(format!("{source}.lock"))
    }

    fn partial(&self, source: &ContentDigest) -> PathBuf {
        self.root.join(PARTIAL).join(source.as_str())
    }
}

fn too_large(bytes_max: u64, call: &Call<'_>) -> Error {
    call.error(ErrorKind::Invalid, &format!("it has more than {bytes_max} bytes"))
        .with_hint("check the address, or allow larger artifacts")
}

/// Receives content into a file.
///
/// # Errors
/// Invalid if it is too large, empty or no program, Unavailable if it breaks off or takes too long.
pub(super) fn receive(path: &Path, content: &mut Content, bytes_max: u64, call: &Call<'_>) -> Result<ContentDigest> {
    if content.length.is_some_and(|length| length > bytes_max) {
        return Err(too_large(bytes_max, call));
    }
    let failed = |error| Error::io(format!("cannot write `{}`", path.display()), error);
    let mut file = create_private(path).map_err(failed)?;
    let mut digester = Digester::default();
    let mut chunk = vec![0; CHUNK];
    let mut bytes = 0_u64;
    loop {
        call.time_left()?;
        let length = match content.body.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(call.broken(error)),
        };
        let piece = chunk.get(..length).unwrap_or_default();
        if bytes == 0 && is_page(piece) {
            let error =
                call.error(ErrorKind::Invalid, "the server answers with a page for people, and not with a program");
            return Err(error.with_hint("check the address; the page may ask for a login"));
        }
        bytes += piece.len() as u64;
        if bytes > bytes_max {
            return Err(too_large(bytes_max, call));
        }
        digester.update(piece);
        file.write_all(piece).map_err(failed)?;
    }
    if content.length.is_some_and(|length| length != bytes) {
        return Err(call.error(ErrorKind::Unavailable, "it is not as long as the server says"));
    }
    if bytes == 0 {
        return Err(call.error(ErrorKind::Invalid, "it is empty"));
    }
    file.sync_all().map_err(failed)?;
    Ok(digester.finish())
}

/// Whether content begins as HTML and XML do, and as no program does.
fn is_page(piece: &[u8]) -> bool {
    piece.trim_ascii_start().first() == Some(&b'<')
}

/// Makes a file that only its owner reads: a program may hold what others must not see.
fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn write_note(digest: &ContentDigest, validators: &Validators) -> String {
    let mut text = format!("sha256 {digest}\n");
    for (name, value) in [("etag", &validators.etag), ("last-modified", &validators.last_modified)] {
        if let Some(value) = value {
            text.push_str(&format!("{name} {value}\n"));
        }
    }
    text
}

/// Reads a note; one that does not end in a line break is torn.
fn read_note(text: &str) -> Option<(ContentDigest, Validators)> {
    let mut digest = None;
    let mut validators = Validators::default();
    for line in text.strip_suffix('\n')?.lines() {
        let (name, value) = line.split_once(' ')?;
        match name {
            "sha256" => digest = Some(ContentDigest::parse(value)?),
            "etag" => validators.etag = Some(value.to_owned()),
            "last-modified" => validators.last_modified = Some(value.to_owned()),
            _ => return None,
        }
    }
    Some((digest?, validators))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_read_as_they_were_written() {
        let digest = ContentDigest::of_text("content");
        for validators in [
            Validators::default(),
            Validators { etag: Some("W/\"a b\"".to_owned()), last_modified: None },
            Validators { etag: None, last_modified: Some("Tue, 01 Sep 2026 10:00:00 GMT".to_owned()) },
        ] {
            assert_eq!(read_note(&write_note(&digest, &validators)), Some((digest.clone(), validators)));
        }
    }

    #[test]
    fn torn_notes_tell_nothing() {
        let whole = write_note(&ContentDigest::of_text("content"), &Validators::default());
        for text in ["", "\n", "etag \"a\"\n", "sha256 12\n", "sha256\n", &whole[..whole.len() - 1], &whole[3..]] {
            assert_eq!(read_note(text), None, "for `{text}`");
        }
    }
}
