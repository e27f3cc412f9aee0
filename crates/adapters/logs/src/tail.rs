//! A file that grows: its last lines first, then each line once it is whole, over truncation and rotation.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// How much is read at once.
const CHUNK: usize = 64 * 1024;
/// A line that is longer is given in parts.
const LINE_MAX: usize = 1024 * 1024;

/// The part of a file that nobody has read yet.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    file: File,
    /// Device and number of the file that is read, which the path may stop naming.
    identity: (u64, u64),
    position: u64,
    /// The beginning of a line whose end is not written yet.
    begun: Vec<u8>,
}

impl Tail {
    /// Opens a file at its beginning, or before the last `lines` lines.
    ///
    /// # Errors
    /// Those of the file.
    pub fn open(path: &Path, lines: Option<usize>) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        let position = match lines {
            Some(lines) => start_of_last(&mut file, metadata.len(), lines)?,
            None => 0,
        };
        let identity = (metadata.dev(), metadata.ino());
        Ok(Self { path: path.to_owned(), file, identity, position, begun: Vec::new() })
    }

    /// Some whole lines that were not given yet; none if there are none now.
    ///
    /// # Errors
    /// Those of the file.
    pub fn read(&mut self) -> io::Result<Vec<u8>> {
        if self.file.metadata()?.len() < self.position {
            // Somebody cut the file off and writes it anew.
            self.position = 0;
            self.begun.clear();
        }
        loop {
            let mut chunk = vec![0; CHUNK];
            self.file.seek(SeekFrom::Start(self.position))?;
            let length = self.file.read(&mut chunk)?;
            if length == 0 {
                if self.is_replaced()? {
                    let rest = self.rest();
                    let begun = Self::open(&self.path, None)?;
                    *self = begun;
                    if rest.is_empty() {
                        continue;
                    }
                    return Ok(rest);
                }
                return Ok(Vec::new());
            }
            self.position += length as u64;
            chunk.truncate(length);
            self.begun.append(&mut chunk);
            let whole = match self.begun.iter().rposition(|byte| *byte == b'\n') {
                Some(end) => end + 1,
                None if self.begun.len() > LINE_MAX => self.begun.len(),
                None => continue,
            };
            let rest = self.begun.split_off(whole);
            return Ok(std::mem::replace(&mut self.begun, rest));
        }
    }

    /// The beginning of the last line, as if it were whole.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.begun);
        if !rest.is_empty() {
            rest.push(b'\n');
        }
        rest
    }

    /// Whether the path names another file by now.
    fn is_replaced(&self) -> io::Result<bool> {
        match fs::metadata(&self.path) {
            Ok(metadata) => Ok((metadata.dev(), metadata.ino()) != self.identity),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Where the last `lines` lines begin; a line that has not ended counts.
fn start_of_last(file: &mut File, length: u64, lines: usize) -> io::Result<u64> {
    if lines == 0 {
        return Ok(length);
    }
    let (mut end, mut found) = (length, 0);
    while end > 0 {
        let start = end.saturating_sub(CHUNK as u64);
        let mut part = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        file.by_ref().take(end - start).read_to_end(&mut part)?;
        for (offset, byte) in part.iter().enumerate().rev() {
            let next = start + offset as u64 + 1;
            if *byte == b'\n' && next < length {
                found += 1;
                if found == lines {
                    return Ok(next);
                }
            }
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn all(tail: &mut Tail) -> String {
        let mut text = String::new();
        loop {
            let part = tail.read().unwrap();
            if part.is_empty() {
                return text;
            }
            text.push_str(&String::from_utf8(part).unwrap());
        }
    }

    #[test]
    fn the_last_lines_are_found_from_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.log");
        let long = "x".repeat(CHUNK);
        for (content, lines, expected) in [
            ("a\nb\nc\n".to_owned(), 2, "b\nc\n".to_owned()),
            ("a\nb\nc".to_owned(), 2, "b\n".to_owned()),
            ("a\nb\n".to_owned(), 9, "a\nb\n".to_owned()),
            ("a\nb\n".to_owned(), 0, String::new()),
            (String::new(), 3, String::new()),
            (format!("a\n{long}\nb\n"), 2, format!("{long}\nb\n")),
            (format!("a\n{long}\nb\n"), 3, format!("a\n{long}\nb\n")),
        ] {
            fs::write(&path, &content).unwrap();
            let mut tail = Tail::open(&path, Some(lines)).unwrap();
            assert_eq!(all(&mut tail), expected, "{lines}");
        }
    }

    #[test]
    fn a_line_is_given_once_it_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.log");
        let mut file = File::create(&path).unwrap();
        let mut tail = Tail::open(&path, None).unwrap();
        for (written, expected) in [("one\ntw", "one\n"), ("o", ""), ("\n", "two\n"), ("three", "")] {
            file.write_all(written.as_bytes()).unwrap();
            assert_eq!(all(&mut tail), expected);
        }
        assert_eq!(tail.rest(), b"three\n");
        assert_eq!(tail.rest(), b"");
    }

    #[test]
    fn what_is_cut_off_or_replaced_is_read_from_its_beginning() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.log");
        fs::write(&path, "old line\nbegun").unwrap();
        let mut tail = Tail::open(&path, None).unwrap();
        assert_eq!(all(&mut tail), "old line\n");
        fs::rename(&path, directory.path().join("a.log.1")).unwrap();
        assert_eq!(all(&mut tail), "");
        fs::write(&path, "new line\n").unwrap();
        assert_eq!(all(&mut tail), "begun\nnew line\n");
        fs::write(&path, "cut\n").unwrap();
        assert_eq!(all(&mut tail), "cut\n");
    }
}
