//! Watches: what is there, then what changes, one line for each event, and where the watch is once a minute.
//!
//! # Invariants
//! A watch is told of every change that it is about in the order of revisions, or that it cannot be. It only knows its
//! place in the log, so it goes on after nothing but a look at the world.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kobel_apiserver::http::query::{Freshness, ListOptions, check_freshness};
use kobel_apiserver::kind::Kind;
use kobel_apiserver::selector::Selection;
use kobel_apiserver::status::{Answer, Status};
use kobel_apiserver::store::{ChangeKind, event_line};
use serde_json::{Value, json};

use super::reads::Scope;
use super::store::{Change, Stored};
use crate::entry::ObjectKey;
use crate::world::World;

/// The time between two bookmarks, in milliseconds.
const BOOKMARK_MS: i64 = 60_000;
/// The least time of a watch whose caller named none, in milliseconds; the most is twice that.
const DEFAULT_MS: i64 = 1_800_000;

/// What a watch does next.
#[derive(Debug)]
pub(crate) enum Turn {
    /// It tells this.
    Tell(Bytes),
    /// It waits for a change, or for so many milliseconds.
    Wait(u64),
    /// It is over.
    End,
}

/// One watch.
#[derive(Debug)]
pub(crate) struct Watch {
    kind: Arc<Kind>,
    namespace: String,
    selection: Selection,
    /// Every change up to here was looked at.
    position: u64,
    begun_ms: i64,
    ends_ms: i64,
    /// When the next bookmark is due, if they are wanted.
    bookmark_ms: Option<i64>,
    /// How often watches had been ended when it began.
    cuts: u32,
    queue: VecDeque<Bytes>,
    is_over: bool,
    /// Changes that a fault keeps from it until the next one of their object.
    held: BTreeMap<Arc<ObjectKey>, u64>,
}

impl Watch {
    /// Begins a watch. A version that is no longer known is told as an event.
    pub(crate) fn open(
        world: &mut World,
        kind: &Arc<Kind>,
        namespace: &str,
        selection: Selection,
        options: &ListOptions,
    ) -> Answer<Self> {
        let now_ms = world.now_ms;
        let lasts = options.timeout.and_then(|given: Duration| i64::try_from(given.as_millis()).ok());
        let lasts = lasts.unwrap_or_else(|| world.chance.between(DEFAULT_MS, 2 * DEFAULT_MS));
        let mut watch = Self {
            kind: Arc::clone(kind),
            namespace: namespace.to_owned(),
            selection,
            position: 0,
            begun_ms: now_ms,
            ends_ms: now_ms.saturating_add(lasts),
            bookmark_ms: options.has_bookmarks.then_some(now_ms + BOOKMARK_MS),
            cuts: world.api.cuts(),
            queue: VecDeque::new(),
            is_over: false,
            held: BTreeMap::new(),
        };
        match options.freshness {
            Freshness::NotOlderThan(after) | Freshness::Exact(after) if options.sends_initial != Some(true) => {
                watch.position = after;
                watch.check_position(world);
            }
            freshness => watch.begin(world, freshness, options)?,
        }
        Ok(watch)
    }

    /// Tells first what is there.
    fn begin(&mut self, world: &World, freshness: Freshness, options: &ListOptions) -> Answer<()> {
        let revision = world.api.shown(world.now_ms);
        check_freshness(freshness, revision)?;
        self.position = revision;
        if options.sends_initial != Some(false) {
            let objects = world.api.at(revision);
            let lines: Vec<Bytes> =
                self.scope().of(&objects).map(|object| event_line(ChangeKind::Added, &object.body)).collect();
            self.queue.extend(lines);
        }
        if options.sends_initial == Some(true) && options.has_bookmarks {
            let annotations = json!({"k8s.io/initial-events-end": "true"});
            self.mark(&json!({"resourceVersion": revision.to_string(), "annotations": annotations}));
        }
        Ok(())
    }

    /// What it does next.
    pub(crate) fn turn(&mut self, world: &World) -> Turn {
        if self.queue.is_empty() && !self.is_over {
            self.look(world);
        }
        if let Some(line) = self.queue.pop_front() {
            return Turn::Tell(line);
        }
        if self.is_over {
            return Turn::End;
        }
        let next = [Some(self.ends_ms), self.bookmark_ms, self.next_told(world)].into_iter().flatten().min();
        let wait = next.unwrap_or(self.ends_ms).saturating_sub(world.now_ms).max(1);
        Turn::Wait(u64::try_from(wait).unwrap_or(1))
    }

    fn scope(&self) -> Scope<'_> {
        Scope { kind: &self.kind, namespace: &self.namespace, selection: &self.selection }
    }

    /// Looks for what is to be told.
    fn look(&mut self, world: &World) {
        let is_cut = world.api.cuts() != self.cuts;
        if !self.check_position(world) {
            return;
        }
        if is_cut {
            self.is_over = true;
            return;
        }
        let visible = world.api.shown(world.now_ms);
        for change in world.api.after(self.position) {
            if change.telling.from_ms > world.now_ms || change.object.revision > visible {
                break;
            }
            self.position = change.object.revision;
            self.take(change);
        }
        let is_late = world.now_ms >= self.ends_ms;
        if let Some(due_ms) = self.bookmark_ms
            && (is_late || world.now_ms >= due_ms)
        {
            self.bookmark_ms = Some(world.now_ms + BOOKMARK_MS);
            self.mark(&json!({"resourceVersion": self.safe_position().to_string()}));
        }
        self.is_over = is_late;
    }

    /// Tells that the changes after its position are not known, if so; answers whether they are.
    fn check_position(&mut self, world: &World) -> bool {
        let (floor, newest) = (world.api.floor(), world.api.revision());
        let status = if self.position < floor {
            Status::expired(format!("too old resource version: {} ({floor})", self.position))
        } else if let Err(status) = check_freshness(Freshness::NotOlderThan(self.position), newest) {
            status
        } else {
            return true;
        };
        let event = json!({"type": "ERROR", "object": status.to_json()});
        self.queue.push_back(Bytes::from(format!("{event}\n")));
        self.is_over = true;
        false
    }

    /// The position from which a watch that begins there misses nothing that was kept from this one.
    fn safe_position(&self) -> u64 {
        self.held.values().min().map_or(self.position, |held| held - 1)
    }

    /// When the next change may be told.
    fn next_told(&self, world: &World) -> Option<i64> {
        let next = world.api.after(self.position).first()?;
        let stale = world.api.stale.filter(|_| next.object.revision > world.api.shown(world.now_ms));
        Some(next.telling.from_ms.max(stale.map_or(i64::MIN, |(until_ms, _)| until_ms)))
    }

    /// Tells a change, if it is about it.
    fn take(&mut self, change: &Change) {
        let key = &change.object.key;
        let is_about =
            key.resource == self.kind.plural && (self.namespace.is_empty() || key.namespace == self.namespace);
        if !is_about {
            return;
        }
        if change.telling.is_held && self.begun_ms <= change.at_ms {
            self.held.insert(Arc::clone(key), change.object.revision);
            return;
        }
        self.held.remove(key);
        let Some(line) = self.line(change) else { return };
        for _ in 0..change.telling.copies {
            self.queue.push_back(line.clone());
        }
    }

    /// The line of a change. An object that begins or ceases to be selected is added or deleted to the watcher.
    fn line(&self, change: &Change) -> Option<Bytes> {
        if self.selection.is_everything() {
            return Some(change.line());
        }
        let scope = self.scope();
        let is_selected = change.kind != ChangeKind::Deleted && scope.selects(&change.object);
        let was_selected = change.previous.as_ref().is_some_and(|previous| scope.selects(previous));
        match (was_selected, is_selected, &change.previous) {
            (false, false, _) => None,
            (false, true, _) => Some(event_line(ChangeKind::Added, &change.object.body)),
            (true, true, _) => Some(event_line(ChangeKind::Modified, &change.object.body)),
            (true, false, Some(last)) if change.kind != ChangeKind::Deleted => {
                // The watcher is told the last state that it could see, with the revision at which it ceased to.
                let last = Stored::new(Arc::clone(&last.key), change.object.revision, Value::clone(&last.value));
                Some(event_line(ChangeKind::Deleted, &last.body))
            }
            (true, false, _) => Some(event_line(ChangeKind::Deleted, &change.object.body)),
        }
    }

    /// Tells a bookmark with this metadata.
    fn mark(&mut self, meta: &Value) {
        let object = json!({"kind": self.kind.kind, "apiVersion": self.kind.api_version(), "metadata": meta});
        self.queue.push_back(Bytes::from(format!("{}\n", json!({"type": "BOOKMARK", "object": object}))));
    }
}
