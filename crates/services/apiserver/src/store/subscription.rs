//! Reading changes as they come.
//!
//! A subscription holds no queue of its own: it reads the shared history, so a slow reader costs nothing and is told
//! when it has fallen behind.

use std::sync::Arc;

use tokio::sync::watch;

use super::committed::Shared;
use super::key::Change;
use crate::status::{Answer, Status};

/// A place in the history, from which changes are read in order.
#[derive(Debug)]
pub struct Subscription {
    shared: Shared,
    newest: watch::Receiver<u64>,
    position: u64,
}

impl Subscription {
    /// Begins after `position`: 410 if changes after it were forgotten, 504 if it is not reached yet.
    pub(super) fn begin(shared: Shared, newest: watch::Receiver<u64>, position: u64) -> Answer<Self> {
        shared.read().history.check(position)?;
        Ok(Self { shared, newest, position })
    }

    /// Waits for the next change. It is 410 if this subscription fell behind the history, and 503 when the store is
    /// closed. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Answer<Arc<Change>> {
        loop {
            if let Some(change) = self.try_next()? {
                return Ok(change);
            }
            if self.newest.changed().await.is_err() {
                // A last batch may have been published between the look above and the end of the writer.
                return self.try_next()?.ok_or_else(|| Status::unavailable("the store is closed"));
            }
        }
    }

    /// The next change, if there is one yet; 410 if this subscription fell behind the history.
    pub fn try_next(&mut self) -> Answer<Option<Arc<Change>>> {
        let change = self.shared.read().history.after(self.position)?.cloned();
        if let Some(change) = &change {
            self.position = change.revision;
        }
        Ok(change)
    }

    /// The revision up to which everything was given.
    pub fn position(&self) -> u64 {
        self.position
    }
}
