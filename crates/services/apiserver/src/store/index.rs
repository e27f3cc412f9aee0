//! Objects in memory, found by key, namespace, owner and unique id.
//!
//! The four maps always tell the same: only [`Index::insert`] and [`Index::remove`] change them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use super::key::{Key, Stored};

/// Objects by key, and keys by what objects say of themselves.
#[derive(Debug, Default)]
pub struct Index {
    objects: BTreeMap<Key, Arc<Stored>>,
    namespaces: HashMap<Arc<str>, BTreeSet<Key>>,
    owners: HashMap<String, BTreeSet<Key>>,
    uids: HashMap<String, Key>,
}

impl Index {
    /// The object of a key.
    pub fn get(&self, key: &Key) -> Option<&Arc<Stored>> {
        self.objects.get(key)
    }

    /// Adds an object, or replaces the one with the same key.
    pub fn insert(&mut self, object: Arc<Stored>) {
        let key = object.key.clone();
        self.remove(&key);
        self.namespaces.entry(Arc::clone(&key.namespace)).or_default().insert(key.clone());
        for owner in &object.owners {
            self.owners.entry(owner.clone()).or_default().insert(key.clone());
        }
        if !object.uid.is_empty() {
            self.uids.insert(object.uid.clone(), key.clone());
        }
        self.objects.insert(key, object);
    }

    /// Removes an object, if it is there.
    pub fn remove(&mut self, key: &Key) {
        let Some(object) = self.objects.remove(key) else { return };
        remove_from(&mut self.namespaces, &key.namespace, key);
        for owner in &object.owners {
            remove_from(&mut self.owners, owner, key);
        }
        if self.uids.get(&object.uid) == Some(key) {
            self.uids.remove(&object.uid);
        }
    }

    /// The objects of a resource in key order, of one namespace or of all.
    pub fn list<'a>(
        &'a self,
        resource: &'a str,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Arc<Stored>> + 'a {
        let first = Key::new(resource, namespace.unwrap_or_default(), "");
        self.objects.range(first..).map(|(_, object)| object).take_while(move |object| {
            &*object.key.resource == resource && namespace.is_none_or(|wanted| &*object.key.namespace == wanted)
        })
    }

    /// The keys of objects that have this owner.
    pub fn dependents(&self, owner_uid: &str) -> impl Iterator<Item = &Key> {
        self.owners.get(owner_uid).into_iter().flatten()
    }

    /// The keys of objects in a namespace.
    pub fn in_namespace(&self, namespace: &str) -> impl Iterator<Item = &Key> {
        self.namespaces.get(namespace).into_iter().flatten()
    }

    /// The object with this unique id.
    pub fn by_uid(&self, uid: &str) -> Option<&Arc<Stored>> {
        self.objects.get(self.uids.get(uid)?)
    }
}

/// Removes a key from one entry, and the entry with its last key.
fn remove_from<K: Hash + Eq>(map: &mut HashMap<K, BTreeSet<Key>>, entry: &K, key: &Key) {
    if let Some(keys) = map.get_mut(entry) {
        keys.remove(key);
        if keys.is_empty() {
            map.remove(entry);
        }
    }
}
