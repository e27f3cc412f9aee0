//! How far a fetch is, told from time to time.

use std::io::{self, Read};
use std::time::{Duration, Instant};

/// How often it is told.
const EVERY: Duration = Duration::from_secs(5);

/// A content that tells how much of it was read.
pub(super) struct Told {
    inner: Box<dyn Read>,
    /// What is fetched, without secrets.
    shown: String,
    length: Option<u64>,
    received: u64,
    last: Instant,
}

impl Told {
    /// Tells of `inner`, which has this length if anybody knows.
    pub(super) fn new(inner: Box<dyn Read>, shown: &str, length: Option<u64>) -> Self {
        Self { inner, shown: shown.to_owned(), length, received: 0, last: Instant::now() }
    }
}

impl Read for Told {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(into)?;
        self.received += length as u64;
        if self.last.elapsed() >= EVERY {
            self.last = Instant::now();
            match self.length {
                Some(all) => tracing::info!("fetched {} of {all} bytes of `{}`", self.received, self.shown),
                None => tracing::info!("fetched {} bytes of `{}`", self.received, self.shown),
            }
        }
        Ok(length)
    }
}
