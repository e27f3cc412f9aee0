//! Namespaces go with their content.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Deletion, NAMESPACES, delete};
use crate::auth::Caller;
use crate::kinds::Kinds;
use crate::store::{Key, Store};
use crate::surroundings::Surroundings;
use crate::verbs::request::Propagation;
use crate::verbs::site::Site;

struct Fixed;

impl Surroundings for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn new_uid(&self) -> String {
        String::new()
    }

    fn name_suffix(&self) -> String {
        String::new()
    }
}

/// Deletes a namespace with one object in it; answers whether the namespace and the object are still there.
fn delete_namespace_with(metadata: Value) -> (bool, bool) {
    let store = Store::in_memory().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (namespace, inside) = (Key::new(NAMESPACES, "", "ns"), Key::new("configmaps", "ns", "c"));
    let (space, held) = (namespace.clone(), inside.clone());
    let act = store.write(move |tx| {
        tx.put(&space, json!({"metadata": {"name": "ns", "uid": "n"}, "status": {"phase": "Active"}}))?;
        tx.put(&held, json!({"metadata": metadata}))?;
        let old = tx.get(&space).unwrap().value();
        let caller = Caller { user: String::new(), groups: Vec::new() };
        let mut site = Site { tx, kinds: &Kinds::all(), surroundings: &Fixed, caller: &caller };
        delete(&mut site, &space, old, Propagation::Background)
    });
    let Deletion::Begun(state) = runtime.block_on(act).unwrap() else { panic!("a namespace goes in two steps") };
    assert_eq!(state["status"]["phase"], "Terminating");
    (store.get(&namespace).is_some(), store.get(&inside).is_some())
}

#[test]
fn a_namespace_goes_with_its_content() {
    assert_eq!(delete_namespace_with(json!({"name": "c", "namespace": "ns", "uid": "c"})), (false, false));
}

#[test]
fn a_namespace_waits_for_content_that_is_held() {
    let held = json!({"name": "c", "namespace": "ns", "uid": "c", "finalizers": ["a/f"]});
    assert_eq!(delete_namespace_with(held), (true, true));
}
