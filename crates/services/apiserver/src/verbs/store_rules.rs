//! What every write has in common: who is named as manager, what a stored object looks like, and how it is answered.

use serde_json::{Value, json};

use super::request::{DryRun, Target, WriteOptions};
use super::site::Site;
use crate::garbage::NAMESPACES;
use crate::kind::Kind;
use crate::managed::{self, Manager, Operation};
use crate::object;
use crate::status::{Answer, Status};
use crate::store::Key;

/// Refuses new content of a namespace that is not there or is going.
pub fn check_namespace(site: &Site<'_, '_>, target: &Target, name: &str) -> Answer<()> {
    let Some(namespace) = target.namespace.as_deref().filter(|_| target.kind.is_namespaced()) else { return Ok(()) };
    let namespaces = crate::status::Resource { group: "", plural: NAMESPACES };
    let Some(found) = site.value(&Key::new(NAMESPACES, "", namespace)) else {
        return Err(Status::not_found(&namespaces, namespace));
    };
    if !object::is_deleting(&found) {
        return Ok(());
    }
    let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
    let mut refusal = Status::forbidden(&target.kind.resource(), name, why);
    if let Some(details) = &mut refusal.details {
        details["causes"] = json!([{
            "reason": "NamespaceTerminating",
            "message": format!("namespace {namespace} is being terminated"),
            "field": "metadata.namespace",
        }]);
    }
    Err(refusal)
}

/// Makes the body's namespace that of the path, or refuses when it names another.
pub fn agree_on_namespace(target: &Target, body: &mut Value) -> Answer<()> {
    let (given, wanted) = (object::namespace(body), target.namespace());
    if !given.is_empty() && given != wanted {
        let message = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Status::bad_request(message));
    }
    let meta = object::meta_mut(body);
    if wanted.is_empty() {
        meta.shift_remove("namespace");
    } else {
        meta.insert("namespace".to_owned(), json!(wanted));
    }
    Ok(())
}

/// Refuses a body whose name is not that of the path.
pub fn agree_on_name(target: &Target, body: &Value) -> Answer<()> {
    let (given, wanted) = (object::name(body), target.name());
    if given.is_empty() {
        let message =
            format!("the name of the object ({wanted} based on URL) was undeterminable: name must be provided");
        return Err(Status::bad_request(message));
    }
    if given != wanted {
        let message = format!("the name of the object ({given}) does not match the name on the URL ({wanted})");
        return Err(Status::bad_request(message));
    }
    Ok(())
}

/// Takes a field from another object, or removes it if that has none.
pub fn take_field(object: &mut Value, from: Option<&Value>, field: &str) {
    let Some(map) = object.as_object_mut() else { return };
    match from.and_then(|from| from.get(field)) {
        Some(value) => {
            map.insert(field.to_owned(), value.clone());
        }
        None => {
            map.shift_remove(field);
        }
    }
}

/// Writes down whose the fields of `new` are, when they were not applied.
pub fn track(site: &Site<'_, '_>, target: &Target, old: Option<&Value>, new: &mut Value, options: &WriteOptions) {
    let time = site.now();
    let api_version = target.kind.api_version();
    let manager = Manager {
        name: &options.field_manager,
        operation: Operation::Update,
        subresource: target.subresource(),
        api_version: &api_version,
        time: &time,
    };
    managed::track_update(old, new, &manager, &target.kind.schema);
}

/// Whether two objects tell the same, whenever it was written.
pub fn is_same(old: &Value, new: &Value) -> bool {
    let timeless = |object: &Value| {
        let mut object = object.clone();
        let meta = object::meta_mut(&mut object);
        meta.shift_remove("resourceVersion");
        let entries = meta.get_mut("managedFields").and_then(Value::as_array_mut);
        for entry in entries.into_iter().flatten().filter_map(Value::as_object_mut) {
            entry.shift_remove("time");
        }
        object
    };
    timeless(old) == timeless(new)
}

/// Whether everything besides metadata and status is the same; without a status subresource the status counts too.
pub fn is_same_wish(kind: &Kind, old: &Value, new: &Value) -> bool {
    let wish = |object: &Value| {
        let mut object = object.clone();
        take_field(&mut object, None, "metadata");
        if kind.has_status {
            take_field(&mut object, None, "status");
        }
        object
    };
    wish(old) == wish(new)
}

/// Looks up an object of a namespace by the name of its kind.
pub fn look_up(site: &Site<'_, '_>, namespace: &str, kind: &str, name: &str) -> Option<Value> {
    let resource = site.kinds.iter().find(|known| known.kind == kind)?.resource().qualified();
    site.value(&Key::new(&resource, namespace, name))
}

/// Takes back what an act did that was only tried; the object then has the version `before`, or none.
pub fn finish(site: &mut Site<'_, '_>, dry_run: DryRun, object: &mut Value, before: Option<&Value>) {
    if dry_run == DryRun::No {
        return;
    }
    site.tx.undo();
    let version = before.map(|before| object::meta(before, "resourceVersion").to_owned());
    let meta = object::meta_mut(object);
    match version {
        Some(version) => meta.insert("resourceVersion".to_owned(), json!(version)),
        None => meta.shift_remove("resourceVersion"),
    };
}
