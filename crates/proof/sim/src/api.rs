//! The Kubernetes API of the simulated world: a server in memory, with its history, that a real `kube::Client` speaks
//! to.
//!
//! It has the rules of the embedded API where they are pure (paths, options, decoding, schemas, patches, selectors,
//! managed fields) and its own store, watches, deletions and garbage collection. The suite of behaviour checks runs
//! against it as it does against the embedded API. It has no webhooks, like most clusters: what only a reviewer refuses
//! is stored.
//!
//! # Invariant
//! Every write tells one entry of the history and takes one revision; what is refused or changes nothing does neither.

mod act;
mod commit;
mod deletion;
mod owners;
mod reads;
mod scale;
mod server;
mod store;
mod watch;
mod writes;

use std::sync::Arc;

use kobel_apiserver::kind::Kind;
use kobel_apiserver::kinds::Kinds;
use kobel_apiserver::managed::Force;
use kobel_apiserver::object;
use kobel_apiserver::patch::PatchKind;
use kobel_apiserver::verbs::{DeleteOptions, DryRun, FieldValidation, Subresource, Target, WriteOptions};
use serde_json::{Value, json};

use self::act::Act;
use self::server::{Caller, Service};
use crate::entry::{ObjectKey, Verb, Who};
use crate::fault::Fault;
use crate::gate::{Gate, Shared};
use crate::world::World;

pub use self::store::{Due, Store};

/// The manager of fields that scripts write.
const MANAGER: &str = "script";
/// The annotation that somebody else writes.
const TOUCHED: &str = "sim.kobel.dev/touched";

/// A write that a person or a script makes.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Creates an object; without a namespace it goes to `default`.
    Create(Value),
    /// Changes an object by a merge patch.
    Merge(ObjectKey, Value),
    /// Changes its status by a merge patch.
    MergeStatus(ObjectKey, Value),
    /// Deletes an object, or begins to.
    Delete(ObjectKey),
    /// Deletes an object whoever holds it.
    ForceDelete(ObjectKey),
}

/// A client for the controller: its calls are numbered, take their time, and are hit by faults. It is made in the
/// runtime that drives it.
pub fn client(gate: &Gate) -> kube::Client {
    kube::Client::new(Service::of(Caller::Controller(gate.clone())), "default")
}

/// A client for people: its calls have no number and no faults. It is made in the runtime that drives it.
pub fn outside(shared: &Shared) -> kube::Client {
    kube::Client::new(Service::of(Caller::Person(shared.clone())), "default")
}

/// Lets happen what is due.
pub fn fire(world: &mut World, due: Due) {
    match due {
        Due::Collect => owners::collect(world),
    }
}

/// Makes a write; tells the object as it is now, or as it was when it went.
///
/// # Errors
/// What the API says against it.
pub fn write(world: &mut World, by: Who, request: Write) -> Result<Arc<Value>, String> {
    match request {
        Write::Create(body) => {
            let target = target_of_body(&body)?;
            let made = writes::create(world, &target, body, &Act::new(options(), by));
            made.map(|made| made.value).map_err(|status| status.message)
        }
        Write::Merge(key, patch) => merge(world, by, &target_of(&key, None)?, patch),
        Write::MergeStatus(key, patch) => merge(world, by, &target_of(&key, Some(Subresource::Status))?, patch),
        Write::Delete(key) => {
            let target = target_of(&key, None)?;
            let gone = deletion::delete(world, &target, &DeleteOptions::default(), by);
            gone.map(|done| Arc::clone(&done.object().value)).map_err(|status| status.message)
        }
        Write::ForceDelete(key) => {
            let found = world.api.stored(&key).ok_or_else(|| format!("there is no {key}"))?;
            let mut last = Value::clone(&found.value);
            kobel_apiserver::garbage::set_finalizers(&mut last, Vec::new());
            Ok(Arc::clone(&commit::remove(world, &found, last, by).value))
        }
    }
}

/// Somebody else writes an annotation of every object of this `namespace/name`, their events aside.
pub fn touch(world: &mut World, about: &str) {
    let is_meant = |key: &ObjectKey| {
        key.resource != "events"
            && about.split_once('/').is_some_and(|(namespace, name)| key.namespace == namespace && key.name == name)
    };
    let meant: Vec<_> = world.api.everything().filter(|object| is_meant(&object.key)).cloned().collect();
    for object in meant {
        let mut changed = Value::clone(&object.value);
        let annotations = object::meta_mut(&mut changed).entry("annotations").or_insert_with(|| json!({}));
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.insert(TOUCHED.to_owned(), json!(object.revision.to_string()));
        }
        commit::put(world, &object.key, changed, (Verb::Update, Who::User));
    }
}

/// Ends all watches: with `Close410` their revisions are gone too. Other faults do nothing to watches as such.
pub fn watch_fault(world: &mut World, fault: &Fault) {
    match fault {
        Fault::Close410 => world.api.forget(),
        Fault::CloseWatch => world.api.cut(),
        _ => {}
    }
}

fn merge(world: &mut World, by: Who, target: &Target, patch: Value) -> Result<Arc<Value>, String> {
    let made = writes::patch(world, target, (PatchKind::Merge, patch), &Act::new(options(), by));
    made.map(|made| made.value).map_err(|status| status.message)
}

/// A field that the schema does not know is a mistake of the script.
fn options() -> WriteOptions {
    WriteOptions {
        field_manager: MANAGER.to_owned(),
        dry_run: DryRun::No,
        validation: FieldValidation::Strict,
        force: Force::No,
        body_faults: Vec::new(),
    }
}

fn target_of(key: &ObjectKey, subresource: Option<Subresource>) -> Result<Target, String> {
    let kind = find(|kind| kind.plural == key.resource).ok_or_else(|| format!("there is no kind of {key}"))?;
    let namespace = kind.is_namespaced().then(|| key.namespace.clone());
    Ok(Target { kind, namespace, name: Some(key.name.clone()), subresource })
}

fn target_of_body(body: &Value) -> Result<Target, String> {
    let text = |field: &str| body.get(field).and_then(Value::as_str).unwrap_or_default();
    let found = find(|kind| kind.kind == text("kind") && kind.api_version() == text("apiVersion"));
    let kind = found.ok_or_else(|| format!("there is no kind `{}` of `{}`", text("kind"), text("apiVersion")))?;
    let namespace = match object::namespace(body) {
        "" => "default",
        given => given,
    };
    let namespace = kind.is_namespaced().then(|| namespace.to_owned());
    Ok(Target { kind, namespace, name: None, subresource: None })
}

fn find(is_meant: impl Fn(&Kind) -> bool) -> Option<Arc<Kind>> {
    Kinds::all().iter().find(|kind| server::is_served(kind) && is_meant(kind)).cloned()
}
