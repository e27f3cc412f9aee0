//! How long is tried what may pass: a server that is away, a name that nobody knows yet.

use std::thread;
use std::time::{Duration, Instant};

use kobel_model::{ErrorKind, Result};

/// How often and how long something is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The pause after the first try; each pause is twice as long as the one before.
    pub pause: Duration,
    /// The longest pause.
    pub pause_max: Duration,
    /// No try begins later than this after the first.
    pub time_max: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            pause: Duration::from_secs(1),
            pause_max: Duration::from_secs(30),
            time_max: Duration::from_secs(3 * 60),
        }
    }
}

impl Patience {
    /// Tries until it succeeds, until it fails with what does not pass, or until the time is over.
    ///
    /// # Errors
    /// The last one.
    pub fn attempt<T>(&self, mut act: impl FnMut() -> Result<T>) -> Result<T> {
        let begun = Instant::now();
        let mut pause = self.pause;
        loop {
            let error = match act() {
                Err(error) if error.kind() == ErrorKind::Unavailable => error,
                ended => return ended,
            };
            if begun.elapsed() + pause > self.time_max {
                return Err(error);
            }
            tracing::warn!(pause = ?pause, "{error}; it is tried again");
            thread::sleep(pause);
            pause = (pause * 2).min(self.pause_max);
        }
    }
}

#[cfg(test)]
mod tests {
    use kobel_model::Error;

    use super::*;

    #[test]
    fn what_may_pass_is_tried_again_and_nothing_else_is() {
        let patience = Patience {
            pause: Duration::from_millis(1),
            pause_max: Duration::from_millis(4),
            time_max: Duration::from_millis(200),
        };
        for (kind, least, most) in
            [(ErrorKind::Unavailable, 3, 200), (ErrorKind::Denied, 1, 1), (ErrorKind::Missing, 1, 1)]
        {
            let mut tries = 0;
            let ended: Result<()> = patience.attempt(|| {
                tries += 1;
                Err(Error::new(kind, "no"))
            });
            assert_eq!(ended.unwrap_err().kind(), kind);
            assert!((least..=most).contains(&tries), "{kind:?}: {tries} tries");
        }
        let mut tries = 0;
        let third = patience.attempt(|| {
            tries += 1;
            if tries < 3 { Err(Error::new(ErrorKind::Unavailable, "away")) } else { Ok(tries) }
        });
        assert_eq!(third.unwrap(), 3);
    }
}
