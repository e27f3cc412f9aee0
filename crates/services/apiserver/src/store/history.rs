//! The newest changes, so that watchers can read on from where they were.
//!
//! Changes follow each other without a gap: the one at place `n` has revision `floor + 1 + n`. What their bodies and
//! their cached lines take is bounded, whatever their number, but for the last few.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::json;

use super::key::Change;
use crate::status::{Answer, Status};

/// Bytes of bodies and lines that are kept at most.
const MAX_BYTES: usize = 16 << 20;
/// Changes that are kept at most.
const MAX_CHANGES: usize = 20_000;
/// Changes that are kept even if their bodies are large.
const MIN_CHANGES: usize = 16;

/// The newest changes, oldest first.
#[derive(Debug)]
pub struct History {
    entries: VecDeque<Entry>,
    /// The revision before the oldest change that is kept.
    floor: u64,
    /// The sum of all weights.
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    change: Arc<Change>,
    /// The body of the new state, the line that watchers make of it, and the state before if no other entry has it.
    weight: usize,
    /// The revision of the change that has this one's state as the state before.
    heir: Option<u64>,
}

impl History {
    /// A history that knows no change up to `revision`.
    pub fn from(revision: u64) -> Self {
        Self { entries: VecDeque::new(), floor: revision, bytes: 0 }
    }

    /// The revision of the newest change.
    pub fn newest(&self) -> u64 {
        self.entries.back().map_or(self.floor, |entry| entry.change.revision)
    }

    /// Adds the change after the newest, and forgets old ones.
    pub fn push(&mut self, change: Arc<Change>) {
        debug_assert_eq!(change.revision, self.newest() + 1, "a revision is missing");
        let mut weight = 2 * change.object.body.len();
        if let Some(previous) = &change.previous {
            match self.entry_mut(previous.revision) {
                Some(maker) => maker.heir = Some(change.revision),
                None => weight += previous.body.len(),
            }
        }
        self.bytes += weight;
        self.entries.push_back(Entry { change, weight, heir: None });
        while (self.bytes > MAX_BYTES || self.entries.len() > MAX_CHANGES) && self.entries.len() > MIN_CHANGES {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.entries.pop_front() else { return };
        self.floor = oldest.change.revision;
        self.bytes -= oldest.weight;
        // The heir still has the body.
        let body = oldest.change.object.body.len();
        if let Some(heir) = oldest.heir.and_then(|heir| self.entry_mut(heir)) {
            heir.weight += body;
            self.bytes += body;
        }
    }

    /// The change that made a revision, if it is kept.
    fn entry_mut(&mut self, revision: u64) -> Option<&mut Entry> {
        let place = revision.checked_sub(self.floor)?.checked_sub(1)?;
        self.entries.get_mut(usize::try_from(place).ok()?)
    }

    /// The change after `revision`, if it was made yet; 410 if it was forgotten.
    pub fn after(&self, revision: u64) -> Answer<Option<&Arc<Change>>> {
        let Some(place) = revision.checked_sub(self.floor) else {
            return Err(Status::expired(format!("too old resource version: {revision} ({})", self.floor)));
        };
        let entry = usize::try_from(place).ok().and_then(|place| self.entries.get(place));
        Ok(entry.map(|entry| &entry.change))
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
