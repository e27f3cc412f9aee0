//! The state of the API: objects, the log of their changes, and how far reads and watches see now.
//!
//! # Invariants
//! Each revision that is not forgotten has exactly one change, and a stored object never changes. What is big is shared
//! by clones. Nobody waits for changes of a clone: whoever watches, watches the store that was cloned.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use kobel_apiserver::object;
use kobel_apiserver::store::{ChangeKind, Key, Stored as Plain, event_line};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::entry::ObjectKey;

/// The revision of a new store. It is not the first there ever was: older ones are forgotten.
const FIRST: u64 = 1_000;
/// The most changes that are kept; then half of them are forgotten.
const LOG_MAX: usize = 2_048;
/// The namespaces of a new store.
const NAMESPACES: [&str; 2] = ["default", "kube-system"];

/// What happens by itself in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// The garbage collector looks at everything.
    Collect,
}

/// The objects of a moment.
pub(crate) type Objects = Arc<BTreeMap<Arc<ObjectKey>, Arc<Stored>>>;

/// One state of one object.
#[derive(Debug)]
pub(crate) struct Stored {
    /// Which object.
    pub(crate) key: Arc<ObjectKey>,
    /// The revision that made this state.
    pub(crate) revision: u64,
    /// The object.
    pub(crate) value: Arc<Value>,
    /// The same as compact JSON.
    pub(crate) body: Bytes,
}

impl Stored {
    /// The state of a revision: sets `metadata.resourceVersion` and encodes the object.
    pub(crate) fn new(key: Arc<ObjectKey>, revision: u64, mut value: Value) -> Self {
        object::meta_mut(&mut value).insert("resourceVersion".to_owned(), Value::String(revision.to_string()));
        let body = encode(&value);
        Self { key, revision, value: Arc::new(value), body }
    }

    /// The object as selectors look at it.
    pub(crate) fn plain(&self) -> Plain {
        let labels = object::text_map(&self.value, "labels").map(|(key, value)| (key.to_owned(), value.to_owned()));
        Plain {
            key: Key::new(&self.key.resource, &self.key.namespace, &self.key.name),
            uid: object::uid(&self.value).to_owned(),
            revision: self.revision,
            labels: labels.collect(),
            owners: Vec::new(),
            body: self.body.clone(),
        }
    }
}

/// A JSON value as bytes.
pub(crate) fn encode(value: &Value) -> Bytes {
    // A JSON value in memory can always be written.
    serde_json::to_vec(value).map(Bytes::from).unwrap_or_default()
}

/// How a change is told to watches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Telling {
    /// Not before this time.
    pub(crate) from_ms: i64,
    /// So often.
    pub(crate) copies: usize,
    /// Whether the watches that are open now are not told it.
    pub(crate) is_held: bool,
}

/// One change of one object.
#[derive(Debug)]
pub(crate) struct Change {
    /// What happened.
    pub(crate) kind: ChangeKind,
    /// The new state; of a deleted object the last one, with the revision of the deletion.
    pub(crate) object: Arc<Stored>,
    /// The state before.
    pub(crate) previous: Option<Arc<Stored>>,
    /// When it happened.
    pub(crate) at_ms: i64,
    /// How it is told.
    pub(crate) telling: Telling,
    line: OnceLock<Bytes>,
}

impl Change {
    /// A change.
    pub(crate) fn new(kind: ChangeKind, object: Arc<Stored>, previous: Option<Arc<Stored>>, at_ms: i64) -> Self {
        let telling = Telling { from_ms: at_ms, copies: 1, is_held: false };
        Self { kind, object, previous, at_ms, telling, line: OnceLock::new() }
    }

    /// The change as a line of a watch; it is encoded once.
    pub(crate) fn line(&self) -> Bytes {
        self.line.get_or_init(|| event_line(self.kind, &self.object.body)).clone()
    }
}

/// Rings when something has changed; a clone is a bell of its own.
#[derive(Debug, Default)]
struct Bell(Arc<Notify>);

impl Clone for Bell {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// The state of the API.
#[derive(Debug, Clone)]
pub struct Store {
    /// Until when reads see what was there how many changes of declared objects ago.
    pub stale: Option<(i64, u64)>,
    objects: Objects,
    log: Arc<Vec<Arc<Change>>>,
    revision: u64,
    /// The newest revision that is forgotten.
    floor: u64,
    told_ms: i64,
    /// How often all watches were ended.
    cuts: u32,
    is_collecting: bool,
    bell: Bell,
}

impl Default for Store {
    fn default() -> Self {
        Self::new()
    }
}

impl Store {
    /// A store with the namespaces that are always there.
    pub fn new() -> Self {
        let objects: BTreeMap<_, _> = NAMESPACES
            .iter()
            .map(|name| {
                let key =
                    ObjectKey { resource: "namespaces".to_owned(), namespace: String::new(), name: (*name).to_owned() };
                let key = Arc::new(key);
                (Arc::clone(&key), Arc::new(Stored::new(key, FIRST, namespace(name))))
            })
            .collect();
        Self {
            stale: None,
            objects: Arc::new(objects),
            log: Arc::new(Vec::new()),
            revision: FIRST,
            floor: FIRST,
            told_ms: 0,
            cuts: 0,
            is_collecting: false,
            bell: Bell::default(),
        }
    }

    /// An object as it is.
    pub fn get(&self, key: &ObjectKey) -> Option<Arc<Value>> {
        self.objects.get(key).map(|object| Arc::clone(&object.value))
    }

    /// The objects of a resource as they are, in the order of their names.
    pub fn list(&self, resource: &str) -> Vec<(ObjectKey, Arc<Value>)> {
        let found = of_resource(&self.objects, resource, "");
        found.map(|object| (ObjectKey::clone(&object.key), Arc::clone(&object.value))).collect()
    }

    /// The revision of the newest change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The newest state of an object.
    pub(crate) fn stored(&self, key: &ObjectKey) -> Option<Arc<Stored>> {
        self.objects.get(key).cloned()
    }

    /// The newest state of every object.
    pub(crate) fn everything(&self) -> impl Iterator<Item = &Arc<Stored>> {
        self.objects.values()
    }

    /// The newest revision that is forgotten.
    pub(crate) fn floor(&self) -> u64 {
        self.floor
    }

    /// The revision that reads see now.
    pub(crate) fn shown(&self, now_ms: i64) -> u64 {
        let Some((_, back)) = self.stale.filter(|(until_ms, back)| now_ms < *until_ms && *back > 0) else {
            return self.revision;
        };
        // What is told of objects in events is of no interest to anybody who reads them late.
        let mut declared = self.log.iter().rev().filter(|change| change.object.key.resource.starts_with("flink"));
        let newest_unseen = declared.nth(usize::try_from(back - 1).unwrap_or(usize::MAX));
        newest_unseen.map_or(self.revision, |change| change.object.revision - 1)
    }

    /// Everything as it was at a revision that is not forgotten.
    pub(crate) fn at(&self, revision: u64) -> Objects {
        if revision >= self.revision {
            return Arc::clone(&self.objects);
        }
        let mut objects = BTreeMap::clone(&self.objects);
        for change in self.after(revision).iter().rev() {
            match &change.previous {
                Some(previous) => objects.insert(Arc::clone(&previous.key), Arc::clone(previous)),
                None => objects.remove(&change.object.key),
            };
        }
        Arc::new(objects)
    }

    /// The changes after a revision that is not forgotten.
    pub(crate) fn after(&self, revision: u64) -> &[Arc<Change>] {
        let first = self.log.partition_point(|change| change.object.revision <= revision);
        self.log.get(first..).unwrap_or_default()
    }

    /// Takes a change; watches are told in the order of changes, whenever that is.
    pub(crate) fn push(&mut self, mut change: Change) {
        self.told_ms = self.told_ms.max(change.telling.from_ms);
        change.telling.from_ms = self.told_ms;
        self.revision = change.object.revision;
        let objects = Arc::make_mut(&mut self.objects);
        let key = Arc::clone(&change.object.key);
        match change.kind {
            ChangeKind::Added | ChangeKind::Modified => objects.insert(key, Arc::clone(&change.object)),
            ChangeKind::Deleted => objects.remove(&key),
        };
        let log = Arc::make_mut(&mut self.log);
        log.push(Arc::new(change));
        if log.len() > LOG_MAX {
            for forgotten in log.drain(..LOG_MAX / 2) {
                self.floor = forgotten.object.revision;
            }
        }
        self.bell.0.notify_waiters();
    }

    /// Ends all watches.
    pub(crate) fn cut(&mut self) {
        self.cuts += 1;
        self.bell.0.notify_waiters();
    }

    /// Ends all watches and forgets all changes. It takes a revision of its own, so that every watch is behind.
    pub(crate) fn forget(&mut self) {
        self.revision += 1;
        self.log = Arc::new(Vec::new());
        self.floor = self.revision;
        self.cut();
    }

    /// How often all watches were ended.
    pub(crate) fn cuts(&self) -> u32 {
        self.cuts
    }

    /// Whether the garbage collector has to be told that there is something to do.
    pub(crate) fn wants_collector(&mut self) -> bool {
        !std::mem::replace(&mut self.is_collecting, true)
    }

    /// The garbage collector begins to look.
    pub(crate) fn collector_came(&mut self) {
        self.is_collecting = false;
    }

    /// What rings at the next change.
    pub(crate) fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.bell.0)
    }
}

/// The objects of a resource, of one namespace if one is given, in order.
pub(crate) fn of_resource<'a>(
    objects: &'a Objects,
    resource: &'a str,
    namespace: &'a str,
) -> impl Iterator<Item = &'a Arc<Stored>> + 'a {
    let first = ObjectKey { resource: resource.to_owned(), namespace: namespace.to_owned(), name: String::new() };
    let from: (Bound<&ObjectKey>, Bound<&ObjectKey>) = (Bound::Included(&first), Bound::Unbounded);
    let range = objects.range::<ObjectKey, _>(from).map(|(_, object)| object);
    range.take_while(move |object| {
        object.key.resource == resource && (namespace.is_empty() || object.key.namespace == namespace)
    })
}

fn namespace(name: &str) -> Value {
    let labels = json!({"kubernetes.io/metadata.name": name});
    json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {
            "name": name, "uid": format!("00000000-0000-4000-8000-{:0>12}", name.len()), "labels": labels,
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Arc<ObjectKey> {
        let (resource, namespace) = ("flinkdeployments".to_owned(), "default".to_owned());
        Arc::new(ObjectKey { resource, namespace, name: name.to_owned() })
    }

    fn put(store: &mut Store, name: &str, kind: ChangeKind) {
        let object = Arc::new(Stored::new(key(name), store.revision() + 1, json!({})));
        let previous = store.stored(&key(name));
        store.push(Change::new(kind, object, previous, 0));
    }

    fn names(objects: &Objects) -> Vec<String> {
        of_resource(objects, "flinkdeployments", "default").map(|object| object.key.name.clone()).collect()
    }

    #[test]
    fn every_revision_can_be_seen_until_it_is_forgotten() {
        let mut store = Store::new();
        put(&mut store, "b", ChangeKind::Added);
        put(&mut store, "a", ChangeKind::Added);
        put(&mut store, "b", ChangeKind::Modified);
        put(&mut store, "b", ChangeKind::Deleted);
        let seen: Vec<Vec<String>> = (0..=4).map(|back| names(&store.at(store.revision() - back))).collect();
        assert_eq!(seen, [vec!["a"], vec!["a", "b"], vec!["a", "b"], vec!["b"], vec![]]);
        assert_eq!(store.after(FIRST + 2).len(), 2);
        store.forget();
        assert_eq!((store.floor(), store.after(FIRST).len()), (store.revision(), 0));
    }

    #[test]
    fn stale_reads_are_so_many_changes_back_and_only_for_a_while() {
        let mut store = Store::new();
        put(&mut store, "a", ChangeKind::Added);
        put(&mut store, "a", ChangeKind::Modified);
        store.stale = Some((50, 1));
        assert_eq!((store.shown(49), store.shown(50)), (store.revision() - 1, store.revision()));
        store.stale = Some((50, 9));
        assert_eq!(store.shown(0), store.revision(), "there is nothing so old");
    }

    #[test]
    fn the_log_is_bounded() {
        let mut store = Store::new();
        for _ in 0..=LOG_MAX {
            put(&mut store, "a", ChangeKind::Modified);
        }
        assert!(store.after(0).len() <= LOG_MAX && store.floor() > FIRST);
    }
}
