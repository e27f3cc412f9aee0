//! Delete: of one object or of a selection.

use serde_json::{Value, json};

use super::request::{DeleteOptions, DryRun, Outcome, Selection, Target};
use super::site::{Audited, Site};
use super::update::existing;
use crate::garbage::{self, Deletion, NAMESPACES};
use crate::object;
use crate::status::{Answer, Resource, Status};

/// The namespaces that are always there.
const LASTING: [&str; 3] = ["default", "kube-system", "kube-public"];

/// Deletes the object of the path.
pub fn delete(site: &mut Site<'_, '_>, target: &Target, options: &DeleteOptions) -> Answer<Outcome> {
    let resource = target.kind.resource();
    if resource.qualified() == NAMESPACES && LASTING.contains(&target.name()) {
        return Err(Status::forbidden(&resource, target.name(), "this namespace may not be deleted"));
    }
    let old = existing(site, target)?;
    check_preconditions(target, &old, options)?;
    let done = remove(site, target, old, options)?;
    if options.dry_run == DryRun::All {
        site.tx.undo();
    }
    let object = match done {
        Deletion::Begun(object) => object,
        Deletion::Done(object) => {
            let mut details = json!({"name": object::name(&object)});
            if !resource.group.is_empty() {
                details["group"] = json!(resource.group);
            }
            details["kind"] = json!(resource.plural);
            details["uid"] = json!(object::uid(&object));
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
        }
    };
    Ok(Outcome::new(200, object, Vec::new()))
}

/// Deletes the selected objects of a collection; answers their list as it was.
pub fn delete_collection(
    site: &mut Site<'_, '_>,
    target: &Target,
    selection: &Selection,
    options: &DeleteOptions,
) -> Answer<Outcome> {
    let revision = site.tx.revision();
    let found = site.tx.list(&target.kind.resource().qualified(), target.namespace.as_deref());
    let mut items = Vec::new();
    for stored in found.iter().filter(|stored| selection.holds(stored)) {
        // What went with its owner a moment ago is not deleted a second time.
        let Some(old) = site.value(&stored.key) else {
            items.push(stored.value());
            continue;
        };
        let one = Target { namespace: some(&stored.key.namespace), name: some(&stored.key.name), ..target.clone() };
        check_preconditions(&one, &old, options)?;
        remove(site, &one, old, options)?;
        items.push(stored.value());
    }
    if options.dry_run == DryRun::All {
        site.tx.undo();
    }
    let list = json!({
        "apiVersion": target.kind.api_version(), "kind": target.kind.list_kind(),
        "metadata": {"resourceVersion": revision.to_string()}, "items": items,
    });
    Ok(Outcome::new(200, list, Vec::new()))
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn remove(site: &mut Site<'_, '_>, target: &Target, old: Value, options: &DeleteOptions) -> Answer<Deletion> {
    let key = target.key(target.name());
    let done = garbage::delete(site, &key, old.clone(), options.propagation)?;
    let new = match &done {
        Deletion::Done(_) => None,
        Deletion::Begun(object) => Some(object),
    };
    site.audit(&Audited { verb: "delete", key: &key, subresource: "", manager: "", code: 200, old: Some(&old), new });
    Ok(done)
}

/// Refuses a deletion that was meant for another object of the name, or for another state of it.
pub fn check_preconditions(target: &Target, old: &Value, options: &DeleteOptions) -> Answer<()> {
    let kind = &target.kind;
    // The API server names custom resources by their kind here.
    let plural = if kind.is_custom { &kind.kind } else { &kind.plural };
    let resource = Resource { group: &kind.group, plural };
    if let Some(wanted) = options.uid.as_deref().filter(|wanted| *wanted != object::uid(old)) {
        let why = format!(
            "the UID in the precondition ({wanted}) does not match the UID in record ({}). The object might have been \
             deleted and then recreated",
            object::uid(old)
        );
        return Err(Status::conflict(&resource, target.name(), why));
    }
    let stored = object::meta(old, "resourceVersion");
    if let Some(wanted) = options.resource_version.as_deref().filter(|wanted| *wanted != stored) {
        let why = format!(
            "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record \
             ({stored}). The object might have been modified"
        );
        return Err(Status::conflict(&resource, target.name(), why));
    }
    Ok(())
}
