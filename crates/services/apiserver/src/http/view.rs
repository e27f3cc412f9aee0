//! A view: which objects a read is about, and the form in which they are shown.
//!
//! `events.k8s.io` events are stored as core events and only look different; everything else is shown as it is stored.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use super::negotiation::Form;
use crate::kind::Kind;
use crate::kinds::events::{EVENTS, to_events_v1};
use crate::selector::Selection;
use crate::store::Stored;
use crate::table::{self, Include};

/// What a read is about.
#[derive(Debug, Clone)]
pub struct View {
    /// The kind that was asked for.
    pub kind: Arc<Kind>,
    /// The resource under which its objects are stored.
    pub resource: Arc<str>,
    /// The namespace, if one was asked for.
    pub namespace: Option<String>,
    /// Which of them.
    pub selection: Selection,
    /// The form that was asked for.
    pub form: Form,
    /// What a table's rows carry.
    pub include: Include,
}

/// The group of the newer view of events.
const EVENTS_GROUP: &str = "events.k8s.io";

/// Whether a kind is the newer view of events.
pub fn is_event_view(kind: &Kind) -> bool {
    kind.group == EVENTS_GROUP && kind.plural == EVENTS
}

/// The resource under which objects of a kind are stored.
pub fn stored_as(kind: &Kind) -> String {
    if is_event_view(kind) { EVENTS.to_owned() } else { kind.resource().qualified() }
}

impl View {
    /// A view of all objects of a kind, or of those in one namespace, as JSON.
    pub fn new(kind: Arc<Kind>, namespace: Option<String>) -> Self {
        let resource = Arc::from(stored_as(&kind));
        let (selection, form, include) = (Selection::default(), Form::default(), Include::default());
        Self { kind, resource, namespace, selection, form, include }
    }

    /// Whether an object is of the collection, selected or not.
    pub fn covers(&self, object: &Stored) -> bool {
        *object.key.resource == *self.resource
            && self.namespace.as_deref().is_none_or(|namespace| *object.key.namespace == *namespace)
    }

    /// The object in the version that was asked for.
    pub fn shown(&self, object: &Stored) -> Value {
        if is_event_view(&self.kind) { to_events_v1(&object.value()) } else { object.value() }
    }

    /// The same as JSON text.
    pub fn json(&self, object: &Stored) -> Bytes {
        if is_event_view(&self.kind) { Bytes::from(self.shown(object).to_string()) } else { object.body.clone() }
    }

    /// An object's row in a table.
    pub fn row(&self, object: &Stored, now: Timestamp) -> Value {
        let stored = object.value();
        if is_event_view(&self.kind) {
            return table::row(&self.kind, &stored, &to_events_v1(&stored), self.include, now);
        }
        table::row(&self.kind, &stored, &stored, self.include, now)
    }
}
