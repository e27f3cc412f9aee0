//! Patch: an object changes by what is told of it, or is applied as its managers want it.

use kobel_resources::Problem;
use serde_json::Value;

use super::create::{self, Tracking, with_warnings};
use super::request::{Outcome, Target, WriteOptions};
use super::site::Site;
use super::store_rules;
use super::update::{Replacement, existing, replace};
use crate::admission::decoding::{self, Origin};
use crate::managed::{self, Manager, Operation};
use crate::object;
use crate::patch::{self, PatchKind};
use crate::status::{Answer, Status};

/// Patches an object, or its status.
pub fn change(
    site: &mut Site<'_, '_>,
    target: &Target,
    patch_kind: PatchKind,
    body: Value,
    options: &WriteOptions,
) -> Answer<Outcome> {
    if matches!(patch_kind, PatchKind::Apply) {
        return apply(site, target, body, options);
    }
    if matches!(patch_kind, PatchKind::Strategic) && target.kind.is_custom {
        return Err(PatchKind::refuse_for_custom());
    }
    let old = existing(site, target)?;
    let mut new = patch::apply(patch_kind, &old, &body)?;
    decoding::check_type(&target.kind, &mut new, Origin::Patched)?;
    let warnings = decoding::decode(&target.kind, &mut new, options, Origin::Patched)?;
    store_rules::agree_on_namespace(target, &mut new)?;
    store_rules::agree_on_name(target, &new)?;
    let made = replace(site, target, Replacement { old, new, verb: "patch", tracking: Tracking::Due }, options)?;
    Ok(with_warnings(made, warnings))
}

/// Server-side apply; it creates what is not there.
fn apply(site: &mut Site<'_, '_>, target: &Target, mut body: Value, options: &WriteOptions) -> Answer<Outcome> {
    let kind = &target.kind;
    if options.field_manager.is_empty() {
        let problem = Problem::required("fieldManager", "is required for apply patch");
        return Err(Status::invalid("PatchOptions", "meta.k8s.io", "", &[problem]));
    }
    let live = site.value(&target.key(target.name()));
    if live.is_none() && target.subresource.is_some() {
        return Err(Status::not_found(&kind.resource(), target.name()));
    }
    decoding::check_type(kind, &mut body, Origin::Sent)?;
    if body.get("metadata").and_then(|meta| meta.get("managedFields")).is_some_and(|listed| !listed.is_null()) {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    decoding::check_shape(kind, &body)?;
    store_rules::agree_on_namespace(target, &mut body)?;
    if live.is_none() || !object::name(&body).is_empty() {
        store_rules::agree_on_name(target, &body)?;
    }
    // Defaults come after the merge: they belong to nobody.
    let mut merged = merge(site, target, live.as_ref(), &body, options)?;
    let warnings = decoding::decode(kind, &mut merged, options, Origin::Sent)?;
    let made = match live {
        Some(old) => {
            replace(site, target, Replacement { old, new: merged, verb: "patch", tracking: Tracking::Done }, options)?
        }
        None => {
            let uid = object::uid(&body);
            if !uid.is_empty() {
                let why =
                    format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
                return Err(Status::conflict(&kind.resource(), target.name(), why));
            }
            create::insert(site, target, merged, options, Tracking::Done)?
        }
    };
    Ok(with_warnings(made, warnings))
}

fn merge(
    site: &Site<'_, '_>,
    target: &Target,
    live: Option<&Value>,
    body: &Value,
    options: &WriteOptions,
) -> Answer<Value> {
    let (time, api_version) = (site.now(), target.kind.api_version());
    let manager = Manager {
        name: &options.field_manager,
        operation: Operation::Apply,
        subresource: target.subresource(),
        api_version: &api_version,
        time: &time,
    };
    managed::apply(live, body, &manager, options.force, &target.kind.schema)
}
