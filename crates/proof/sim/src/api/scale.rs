//! The scale of an object: its replicas, set as `autoscaling/v1`.

use kobel_apiserver::object;
use kobel_apiserver::patch::{self, PatchKind};
use kobel_apiserver::status::{Answer, Status};
use kobel_apiserver::verbs::Target;
use kobel_apiserver::verbs::create::Tracking;
use kobel_apiserver::verbs::scale::{scale_of, write_at};
use kobel_resources::Problem;
use serde_json::{Value, json};

use super::act::{Act, Made};
use super::store::encode;
use super::writes::{Replacement, existing, replace};
use crate::world::World;

/// Sets the replicas of an object to those of its patched scale.
pub(crate) fn patch(world: &mut World, target: &Target, patch: (PatchKind, Value), act: &Act) -> Answer<Made> {
    let old = existing(world, target)?;
    let (patch_kind, body) = patch;
    // An applied scale names every field that it sets, so merging it gives the same.
    let patch_kind = if patch_kind == PatchKind::Apply { PatchKind::Merge } else { patch_kind };
    let patched = patch::apply(patch_kind, &scale_of(&target.kind, &old.value)?, &body)?;
    set(world, target, &patched, act)
}

/// Sets the replicas of an object to those of a scale.
pub(crate) fn set(world: &mut World, target: &Target, scale: &Value, act: &Act) -> Answer<Made> {
    let kind = &target.kind;
    let old = existing(world, target)?;
    let paths = kind.scale.as_ref().ok_or_else(Status::no_such_path)?;
    let wanted = object::at(scale, "spec.replicas").and_then(Value::as_i64).unwrap_or_default();
    if wanted < 0 {
        let problem = Problem::invalid(paths.spec_replicas.clone(), wanted, "should be a non-negative integer");
        return Err(Status::invalid(&kind.kind, &kind.group, target.name(), &[problem]));
    }
    let mut new = Value::clone(&old.value);
    write_at(&mut new, &paths.spec_replicas, json!(wanted));
    let given = object::meta(scale, "resourceVersion");
    if !given.is_empty() {
        object::meta_mut(&mut new).insert("resourceVersion".to_owned(), json!(given));
    }
    let mut made = replace(world, target, Replacement { old, new, tracking: Tracking::Due }, act)?;
    made.body = encode(&scale_of(kind, &made.value)?);
    Ok(made)
}
