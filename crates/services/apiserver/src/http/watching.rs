//! Watches: what is there, then what changes, one line for each event.
//!
//! # Invariants
//! Events come in the order of revisions and none is left out: a watch that cannot go on says so in an `ERROR` event
//! and ends. An object that begins or ceases to be selected is `ADDED` or `DELETED` to the watcher.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use super::negotiation::Form;
use super::places::Place;
use super::query::{Freshness, ListOptions, check_freshness};
use super::view::{View, is_event_view};
use crate::status::{Answer, Status};
use crate::store::{Change, ChangeKind, Store, Stored, Subscription, event_line};
use crate::surroundings::Surroundings;
use crate::table;

/// Time between two bookmarks.
const BOOKMARK_INTERVAL: Duration = Duration::from_secs(60);
/// The shortest time of a watch whose caller named none; the longest is twice that.
const DEFAULT_TIME: u64 = 1800;
/// The longest time of a watch.
const TIME_MAX: Duration = Duration::from_secs(3600);
/// How often it is asked whether the caller may still watch.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);
/// Changes that the watcher does not see, after which others have their turn.
const SKIPPED_MAX: usize = 128;

/// Tells whether the caller may still watch.
pub type StillAllowed = Box<dyn Fn() -> bool + Send + Sync>;

/// What a watch needs from where it runs.
pub struct Ground {
    /// Where changes come from.
    pub store: Store,
    /// Time, for ages in tables.
    pub surroundings: Arc<dyn Surroundings>,
    /// The place of this watch among all that are allowed.
    pub room: Option<OwnedSemaphorePermit>,
    /// The place of this watch among those of its caller.
    pub place: Option<Place<String>>,
    /// Whether the caller may still watch.
    pub still_allowed: StillAllowed,
}

/// The events of one watch.
pub struct WatchStream {
    view: View,
    ground: Ground,
    /// Encoded events that are to be given next.
    queue: VecDeque<Bytes>,
    /// What is there and not yet told.
    initial: std::vec::IntoIter<Arc<Stored>>,
    /// Whether the end of what is there is to be told.
    marks_end: bool,
    subscription: Option<Subscription>,
    ends: Instant,
    /// When it is asked next whether the caller may still watch.
    check: Instant,
    /// When the next bookmark is due; absent if the caller wants none.
    bookmark: Option<Instant>,
    /// Whether the columns of a table were told; they are told once.
    has_columns: bool,
}

impl fmt::Debug for WatchStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchStream").field("resource", &self.view.resource).finish_non_exhaustive()
    }
}

impl WatchStream {
    /// Begins a watch; `items` tells what is there now. A version that is no longer known is told as an event.
    pub fn open(
        view: View,
        ground: Ground,
        options: &ListOptions,
        items: impl FnOnce() -> (u64, Vec<Arc<Stored>>),
    ) -> Answer<Self> {
        let now = Instant::now();
        let given = options
            .timeout
            .unwrap_or_else(|| Duration::from_secs(DEFAULT_TIME + u64::from(rand::random::<u16>()) % DEFAULT_TIME));
        let mut stream = Self {
            view,
            queue: VecDeque::new(),
            initial: Vec::new().into_iter(),
            marks_end: false,
            subscription: None,
            ends: now + given.min(TIME_MAX),
            check: now + CHECK_INTERVAL,
            bookmark: options.has_bookmarks.then(|| now + BOOKMARK_INTERVAL),
            has_columns: false,
            ground,
        };
        let after = match options.freshness {
            Freshness::NotOlderThan(after) | Freshness::Exact(after) if options.sends_initial != Some(true) => after,
            freshness => {
                let (revision, mut items) = items();
                check_freshness(freshness, revision)?;
                if options.sends_initial != Some(false) {
                    items.retain(|item| stream.view.selection.matches(item));
                    stream.initial = items.into_iter();
                }
                stream.marks_end = options.sends_initial == Some(true) && options.has_bookmarks;
                revision
            }
        };
        match stream.ground.store.subscribe(after) {
            Ok(subscription) => stream.subscription = Some(subscription),
            Err(status) => stream.fail(&status),
        }
        Ok(stream)
    }

    /// The next event; none when the watch is over. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Bytes> {
        let mut skipped: usize = 0;
        loop {
            if Instant::now() >= self.check && !self.may_go_on() {
                return None;
            }
            if let Some(line) = self.queue.pop_front() {
                return Some(line);
            }
            if let Some(object) = self.initial.next() {
                return Some(self.line(ChangeKind::Added, &object));
            }
            if std::mem::take(&mut self.marks_end) {
                let position = self.position();
                let annotations = json!({"k8s.io/initial-events-end": "true"});
                return Some(self.mark(json!({"resourceVersion": position, "annotations": annotations})));
            }
            let subscription = self.subscription.as_mut()?;
            let due = self.bookmark.unwrap_or(self.ends);
            let found = tokio::select! {
                biased;
                () = sleep_until(self.ends) => Found::End,
                () = sleep_until(self.check) => continue,
                change = subscription.next() => Found::Change(change),
                () = sleep_until(due) => Found::Bookmark,
            };
            let is_change = matches!(found, Found::Change(Ok(_)));
            self.take(found);
            if is_change && self.queue.is_empty() {
                skipped += 1;
                if skipped.is_multiple_of(SKIPPED_MAX) {
                    yield_now().await;
                }
            }
        }
    }

    /// Asks whether the caller may still watch; a watch whose caller may not is over, whatever it has yet to tell.
    fn may_go_on(&mut self) -> bool {
        self.check = Instant::now() + CHECK_INTERVAL;
        let is_allowed = (self.ground.still_allowed)();
        if !is_allowed {
            self.queue.clear();
            self.initial = Vec::new().into_iter();
            self.marks_end = false;
            self.subscription = None;
        }
        is_allowed
    }

    fn take(&mut self, found: Found) {
        match found {
            Found::Change(Ok(change)) => {
                let line = self.change(&change);
                self.queue.extend(line);
            }
            Found::Change(Err(status)) => self.fail(&status),
            Found::Bookmark => self.push_bookmark(),
            Found::End => {
                self.push_bookmark();
                self.subscription = None;
            }
        }
    }

    fn fail(&mut self, status: &Status) {
        let event = json!({"type": "ERROR", "object": status.to_json()});
        self.queue.push_back(Bytes::from(format!("{event}\n")));
        self.subscription = None;
    }

    fn push_bookmark(&mut self) {
        if self.bookmark.is_some() {
            self.bookmark = Some(Instant::now() + BOOKMARK_INTERVAL);
            let meta = json!({"resourceVersion": self.position()});
            let line = self.mark(meta);
            self.queue.push_back(line);
        }
    }

    fn position(&self) -> String {
        self.subscription.as_ref().map(Subscription::position).unwrap_or_default().to_string()
    }

    /// A bookmark with this metadata.
    fn mark(&mut self, meta: Value) -> Bytes {
        let object = match self.view.form {
            Form::Table => {
                let row = table::bookmark_row(&self.view.kind, &meta);
                let columns = self.columns();
                table::table(json!({"resourceVersion": meta["resourceVersion"]}), columns, vec![row])
            }
            Form::Partial => table::partial(&json!({"metadata": meta})),
            Form::Json | Form::Yaml => {
                json!({"kind": self.view.kind.kind, "apiVersion": self.view.kind.api_version(), "metadata": meta})
            }
        };
        Bytes::from(format!("{}\n", json!({"type": "BOOKMARK", "object": object})))
    }

    /// The event of a change, if the watcher sees it.
    fn change(&mut self, change: &Change) -> Option<Bytes> {
        if !self.view.covers(&change.object) {
            return None;
        }
        let is_plain = matches!(self.view.form, Form::Json | Form::Yaml) && !is_event_view(&self.view.kind);
        if self.view.selection.is_everything() {
            return Some(if is_plain { change.line() } else { self.line(change.kind, &change.object) });
        }
        let (kind, object) = seen(&self.view, change)?;
        Some(if is_plain && kind == change.kind { change.line() } else { self.line(kind, &object) })
    }

    fn line(&mut self, kind: ChangeKind, object: &Stored) -> Bytes {
        match self.view.form {
            Form::Json | Form::Yaml => event_line(kind, &self.view.json(object)),
            Form::Partial => event_line(kind, table::partial(&self.view.shown(object)).to_string().as_bytes()),
            Form::Table => {
                let row = self.view.row(object, self.ground.surroundings.now());
                let meta = json!({"resourceVersion": object.revision.to_string()});
                let columns = self.columns();
                event_line(kind, table::table(meta, columns, vec![row]).to_string().as_bytes())
            }
        }
    }

    /// The columns for the first event, null for the others.
    fn columns(&mut self) -> Value {
        if std::mem::replace(&mut self.has_columns, true) {
            return Value::Null;
        }
        Value::Array(table::definitions(&self.view.kind))
    }
}

enum Found {
    Change(Answer<Arc<Change>>),
    Bookmark,
    End,
}

/// What a change is to somebody who sees only what is selected.
fn seen(view: &View, change: &Change) -> Option<(ChangeKind, Arc<Stored>)> {
    let is_selected = change.kind != ChangeKind::Deleted && view.selection.matches(&change.object);
    let was_selected = match &change.previous {
        Some(previous) => view.selection.matches(previous),
        None => change.kind == ChangeKind::Deleted && view.selection.matches(&change.object),
    };
    match (was_selected, is_selected) {
        (false, false) => None,
        (false, true) => Some((ChangeKind::Added, Arc::clone(&change.object))),
        (true, true) => Some((ChangeKind::Modified, Arc::clone(&change.object))),
        (true, false) => {
            // The watcher is told the last state that it could see, with the revision at which it ceased to see it.
            let last = match &change.previous {
                Some(last) if change.kind != ChangeKind::Deleted => {
                    Arc::new(Stored::of(last.key.clone(), change.revision, last.value()))
                }
                _ => Arc::clone(&change.object),
            };
            Some((ChangeKind::Deleted, last))
        }
    }
}

#[cfg(test)]
mod tests;
