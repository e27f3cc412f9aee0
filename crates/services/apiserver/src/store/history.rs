//! The newest changes, so that watchers can read on from where they were.
//!
//! Changes follow each other without a gap: the one at place `n` has revision `floor + 1 + n`.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::json;

use super::key::Change;
use crate::status::{Answer, Status};

/// Bytes of bodies that are kept at most.
const MAX_BYTES: usize = 16 << 20;
/// Changes that are kept at most.
const MAX_CHANGES: usize = 20_000;
/// Changes that are kept even if their bodies are large.
const MIN_CHANGES: usize = 1_000;

/// The newest changes, oldest first.
#[derive(Debug)]
pub struct History {
    changes: VecDeque<Arc<Change>>,
    /// The revision before the oldest change that is kept.
    floor: u64,
    bytes: usize,
}

impl History {
    /// A history that knows no change up to `revision`.
    pub fn from(revision: u64) -> Self {
        Self { changes: VecDeque::new(), floor: revision, bytes: 0 }
    }

    /// The revision of the newest change.
    pub fn newest(&self) -> u64 {
        self.changes.back().map_or(self.floor, |change| change.revision)
    }

    /// Adds the change after the newest, and forgets old ones.
    pub fn push(&mut self, change: Arc<Change>) {
        debug_assert_eq!(change.revision, self.newest() + 1, "a revision is missing");
        self.bytes += change.object.body.len();
        self.changes.push_back(change);
        while (self.bytes > MAX_BYTES || self.changes.len() > MAX_CHANGES)
            && self.changes.len() > MIN_CHANGES
            && let Some(oldest) = self.changes.pop_front()
        {
            self.bytes -= oldest.object.body.len();
            self.floor = oldest.revision;
        }
    }

    /// The change after `revision`, if it was made yet; 410 if it was forgotten.
    pub fn after(&self, revision: u64) -> Answer<Option<&Arc<Change>>> {
        let Some(place) = revision.checked_sub(self.floor) else {
            return Err(Status::expired(format!("too old resource version: {revision} ({})", self.floor)));
        };
        Ok(usize::try_from(place).ok().and_then(|place| self.changes.get(place)))
    }

    /// Checks that somebody can read on after `revision`: 410 if changes were forgotten, 504 if it is not reached yet.
    pub fn check(&self, revision: u64) -> Answer<()> {
        let newest = self.newest();
        if revision > newest {
            return Err(too_large(revision, newest));
        }
        self.after(revision).map(|_| ())
    }
}

/// 504: a revision that was never given out, for example because the store was restored from an older copy.
fn too_large(revision: u64, newest: u64) -> Box<Status> {
    let message = format!("Timeout: Too large resource version: {revision}, current: {newest}");
    let mut status = Status::new(504, "Timeout", message);
    let cause = json!({"reason": "ResourceVersionTooLarge", "message": "Too large resource version"});
    status.details = Some(json!({"causes": [cause], "retryAfterSeconds": 1}));
    status
}
