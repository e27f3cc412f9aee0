//! What the store keeps: keys, stored objects, and the changes that subscribers see.
//!
//! A stored object never changes; a write makes a new one. So readers, subscribers and the writer share them freely.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use crate::object;

/// Which object: its resource, its namespace, its name; ordered in this order, as lists are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// `plural.group`, or the plural alone in the core group.
    pub resource: Arc<str>,
    /// The namespace; empty for objects without one.
    pub namespace: Arc<str>,
    /// The name.
    pub name: Arc<str>,
}

impl Key {
    /// Makes a key; an empty namespace means none.
    pub fn new(resource: &str, namespace: &str, name: &str) -> Self {
        Self { resource: Arc::from(resource), namespace: Arc::from(namespace), name: Arc::from(name) }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{}/{}", self.resource, self.name)
        } else {
            write!(f, "{}/{}/{}", self.resource, self.namespace, self.name)
        }
    }
}

/// One state of one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Which object it is.
    pub key: Key,
    /// `metadata.uid`; empty if the object has none.
    pub uid: String,
    /// The revision that made this state; it is also `metadata.resourceVersion`.
    pub revision: u64,
    /// `metadata.labels`, for selectors.
    pub labels: BTreeMap<String, String>,
    /// The unique ids of `metadata.ownerReferences`.
    pub owners: Vec<String>,
    /// The whole object as compact JSON.
    pub body: Bytes,
}

/// The part of an object that is read when the store opens; everything else is skipped over.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    metadata: HeadMetadata,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct HeadMetadata {
    uid: String,
    labels: BTreeMap<String, String>,
    owner_references: Vec<HeadOwner>,
}

#[derive(Deserialize)]
struct HeadOwner {
    #[serde(default)]
    uid: String,
}

impl Stored {
    /// Makes the state of `revision`: sets `metadata.resourceVersion` and encodes the object.
    pub fn of(key: Key, revision: u64, mut object: Value) -> Self {
        let version = Value::String(revision.to_string());
        object::meta_mut(&mut object).insert("resourceVersion".to_owned(), version);
        let body = Bytes::from(object.to_string());
        Self::from_parts(key, revision, &object, body)
    }

    /// Reads a state back from its bytes, looking only at the metadata.
    pub fn load(key: Key, revision: u64, body: Bytes) -> serde_json::Result<Self> {
        let Ok(Head { metadata }) = serde_json::from_slice(&body) else {
            // Metadata of an unusual shape is read as leniently as it was when it was written.
            let object: Value = serde_json::from_slice(&body)?;
            return Ok(Self::from_parts(key, revision, &object, body));
        };
        let owners = metadata.owner_references.into_iter().map(|owner| owner.uid).filter(|uid| !uid.is_empty());
        let (uid, labels, owners) = (metadata.uid, metadata.labels, owners.collect());
        Ok(Self { key, uid, revision, labels, owners, body })
    }

    /// The object as a JSON value.
    pub fn value(&self) -> Value {
        // The body was a JSON value when it was stored, and no deeper than can be read back.
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            tracing::error!(target: "kobel.store", key = %self.key, %error, "a stored object cannot be read");
            Value::Null
        })
    }

    fn from_parts(key: Key, revision: u64, object: &Value, body: Bytes) -> Self {
        let labels = object::text_map(object, "labels").map(|(key, value)| (key.to_owned(), value.to_owned()));
        let owners = object::owner_uids(object).into_iter().filter(|uid| !uid.is_empty()).map(str::to_owned);
        let (labels, owners) = (labels.collect(), owners.collect());
        Self { key, uid: object::uid(object).to_owned(), revision, labels, owners, body }
    }
}

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was not there before.
    Added,
    /// It has a new state.
    Modified,
    /// It is gone.
    Deleted,
}

impl ChangeKind {
    /// The `type` of a watch event.
    pub fn event_type(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

/// One change of one object. Each revision after the first has exactly one.
#[derive(Debug)]
pub struct Change {
    /// The revision it made.
    pub revision: u64,
    /// What happened.
    pub kind: ChangeKind,
    /// The new state; of a deleted object the last state, with the revision of the deletion.
    pub object: Arc<Stored>,
    /// The state before, if there was one.
    pub previous: Option<Arc<Stored>>,
    line: OnceLock<Bytes>,
}

impl Change {
    /// Makes a change; its revision is the object's.
    pub fn new(kind: ChangeKind, object: Arc<Stored>, previous: Option<Arc<Stored>>) -> Self {
        Self { revision: object.revision, kind, object, previous, line: OnceLock::new() }
    }

    /// The change as a watch event of plain JSON, `{"type":"ADDED","object":…}` and a line end. It is encoded once,
    /// however many watchers ask.
    pub fn line(&self) -> Bytes {
        self.line.get_or_init(|| event_line(self.kind, &self.object.body)).clone()
    }
}

/// Encodes a watch event: `{"type":"ADDED","object":…}` and a line end. Watchers with a selector use it when an object
/// begins or ceases to match, because then the event's type is not the change's.
pub fn event_line(kind: ChangeKind, body: &[u8]) -> Bytes {
    let (event_type, mut line) = (kind.event_type(), Vec::with_capacity(body.len() + 40));
    line.extend_from_slice(b"{\"type\":\"");
    line.extend_from_slice(event_type.as_bytes());
    line.extend_from_slice(b"\",\"object\":");
    line.extend_from_slice(body);
    line.extend_from_slice(b"}\n");
    Bytes::from(line)
}
