//! The scale subresource: the replicas of an object, seen and set as `autoscaling/v1`.

use kobel_resources::Problem;
use serde_json::{Map, Value, json};

use super::create::Tracking;
use super::request::{Outcome, Target, WriteOptions};
use super::site::Site;
use super::store_rules;
use super::update::{Replacement, existing, replace};
use crate::kind::{Kind, ScalePaths};
use crate::object;
use crate::patch::{self, PatchKind};
use crate::status::{Answer, Status};

/// The `Scale` of an object.
pub fn scale_of(kind: &Kind, stored: &Value) -> Answer<Value> {
    let paths = paths_of(kind)?;
    let mut meta = Map::new();
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        let text = object::meta(stored, field);
        if !text.is_empty() {
            meta.insert(field.to_owned(), json!(text));
        }
    }
    let number = |path: &str| object::at(stored, path).and_then(Value::as_i64).unwrap_or_default();
    let spec = match number(&paths.spec_replicas) {
        0 => json!({}),
        wanted => json!({"replicas": wanted}),
    };
    let mut status = json!({"replicas": number(&paths.status_replicas)});
    let selector = paths.label_selector.as_deref().and_then(|path| object::at(stored, path)).and_then(Value::as_str);
    if let Some(selector) = selector.filter(|selector| !selector.is_empty()) {
        status["selector"] = json!(selector);
    }
    Ok(json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": meta, "spec": spec, "status": status}))
}

/// Sets the replicas of an object to those of a `Scale` that was sent.
pub fn update(site: &mut Site<'_, '_>, target: &Target, body: Value, options: &WriteOptions) -> Answer<Outcome> {
    let old = existing(site, target)?;
    set(site, target, old, body, options)
}

/// Sets the replicas of an object to those of its patched `Scale`.
pub fn patch(
    site: &mut Site<'_, '_>,
    target: &Target,
    patch_kind: PatchKind,
    body: Value,
    options: &WriteOptions,
) -> Answer<Outcome> {
    let old = existing(site, target)?;
    let current = scale_of(&target.kind, &old)?;
    // An applied `Scale` names every field it sets, so merging it gives the same.
    let patch_kind = if matches!(patch_kind, PatchKind::Apply) { PatchKind::Merge } else { patch_kind };
    let patched = patch::apply(patch_kind, &current, &body)?;
    set(site, target, old, patched, options)
}

fn set(
    site: &mut Site<'_, '_>,
    target: &Target,
    old: Value,
    mut scale: Value,
    options: &WriteOptions,
) -> Answer<Outcome> {
    let kind = &target.kind;
    let paths = paths_of(kind)?;
    let claimed = |field: &str| scale.get(field).and_then(Value::as_str).unwrap_or_default();
    if !["Scale", ""].contains(&claimed("kind")) || !["autoscaling/v1", ""].contains(&claimed("apiVersion")) {
        let message = "no kind is registered for the type v1.Scale in scheme \"pkg/runtime/scheme.go:111\"";
        return Err(Status::bad_request(message));
    }
    store_rules::agree_on_namespace(target, &mut scale)?;
    store_rules::agree_on_name(target, &scale)?;
    let wanted = match object::at(&scale, "spec.replicas") {
        None | Some(Value::Null) => 0,
        Some(given) => given.as_i64().filter(|given| i32::try_from(*given).is_ok()).ok_or_else(|| {
            let message = "cannot unmarshal into Go struct field ScaleSpec.spec.replicas of type int32";
            Status::bad_request(format!("Scale in version \"v1\" cannot be handled as a Scale: json: {message}"))
        })?,
    };
    if wanted < 0 {
        let problem = Problem::invalid(paths.spec_replicas.clone(), wanted, "should be a non-negative integer");
        return Err(Status::invalid(&kind.kind, &kind.group, target.name(), &[problem]));
    }
    let mut new = old.clone();
    write_at(&mut new, &paths.spec_replicas, json!(wanted));
    let given = object::meta(&scale, "resourceVersion");
    if !given.is_empty() {
        object::meta_mut(&mut new).insert("resourceVersion".to_owned(), json!(given));
    }
    let mut made = replace(site, target, Replacement { old, new, verb: "update", tracking: Tracking::Due }, options)?;
    made.object = scale_of(kind, &made.object)?;
    Ok(made)
}

fn paths_of(kind: &Kind) -> Answer<&ScalePaths> {
    kind.scale.as_ref().ok_or_else(Status::no_such_path)
}

/// Writes a value at a path of plain names; what is missing on the way is made.
pub fn write_at(object: &mut Value, path: &str, value: Value) {
    let mut place = object;
    for step in path.split('.').filter(|step| !step.is_empty()) {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[step];
    }
    *place = value;
}
