//! Creates, updates and patches, with the checks of the API server in its order.

use std::sync::Arc;

use kobel_apiserver::admission::{core_rules, decoding, metadata};
use kobel_apiserver::garbage::NAMESPACES;
use kobel_apiserver::kind::Kind;
use kobel_apiserver::managed::{self, Manager, Operation};
use kobel_apiserver::object;
use kobel_apiserver::patch::{self, PatchKind};
use kobel_apiserver::status::{Answer, Resource, Status};
use kobel_apiserver::surroundings::show_seconds;
use kobel_apiserver::verbs::create::Tracking;
use kobel_apiserver::verbs::update::{check_version, keep_own_fields};
use kobel_apiserver::verbs::{DryRun, Subresource, Target, store_rules};
use kobel_resources::Problem;
use serde_json::{Map, Value, json};

use super::act::{Act, Made};
use super::commit;
use super::deletion::key_of;
use super::store::{Stored, encode};
use crate::entry::{ObjectKey, Verb};
use crate::world::World;

/// The alphabet of generated names: no vowels, no characters that look alike.
const SUFFIX_ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// What takes the place of what.
pub(crate) struct Replacement {
    /// The stored object.
    pub(crate) old: Arc<Stored>,
    /// The decoded object that shall take its place.
    pub(crate) new: Value,
    /// Who already wrote down whose the fields are.
    pub(crate) tracking: Tracking,
}

/// Creates the object that was sent.
pub(crate) fn create(world: &mut World, target: &Target, mut body: Value, act: &Act) -> Answer<Made> {
    decoding::check_type(&target.kind, &mut body, decoding::Origin::Sent)?;
    decoding::decode(&target.kind, &mut body, &act.options, decoding::Origin::Sent)?;
    insert(world, target, body, act, Tracking::Due)
}

/// Replaces an object, or its status, by what was sent.
pub(crate) fn update(world: &mut World, target: &Target, mut body: Value, act: &Act) -> Answer<Made> {
    let kind = &target.kind;
    decoding::check_type(kind, &mut body, decoding::Origin::Sent)?;
    decoding::decode(kind, &mut body, &act.options, decoding::Origin::Sent)?;
    store_rules::agree_on_namespace(target, &mut body)?;
    store_rules::agree_on_name(target, &body)?;
    let old = existing(world, target)?;
    let (given, uid) = (object::uid(&body), object::uid(&old.value));
    if !given.is_empty() && given != uid {
        let why = format!("Precondition failed: UID in precondition: {given}, UID in object meta: {uid}");
        return Err(Status::conflict(&kind.resource(), target.name(), why));
    }
    replace(world, target, Replacement { old, new: body, tracking: Tracking::Due }, act)
}

/// Patches an object, or its status; an applied object is created if it is not there.
pub(crate) fn patch(world: &mut World, target: &Target, patch: (PatchKind, Value), act: &Act) -> Answer<Made> {
    let (patch_kind, body) = patch;
    let kind = &target.kind;
    if patch_kind == PatchKind::Apply {
        return apply(world, target, body, act);
    }
    if patch_kind == PatchKind::Strategic && kind.is_custom {
        return Err(PatchKind::refuse_for_custom());
    }
    let old = existing(world, target)?;
    let mut new = patch::apply(patch_kind, &old.value, &body)?;
    decoding::check_type(kind, &mut new, decoding::Origin::Patched)?;
    decoding::decode(kind, &mut new, &act.options, decoding::Origin::Patched)?;
    store_rules::agree_on_namespace(target, &mut new)?;
    store_rules::agree_on_name(target, &new)?;
    replace(world, target, Replacement { old, new, tracking: Tracking::Due }, act)
}

/// The stored object of a path.
pub(crate) fn existing(world: &World, target: &Target) -> Answer<Arc<Stored>> {
    let found = world.api.stored(&key_of(target, target.name()));
    found.ok_or_else(|| Status::not_found(&target.kind.resource(), target.name()))
}

/// Replaces a stored object by a decoded one.
pub(crate) fn replace(world: &mut World, target: &Target, replacement: Replacement, act: &Act) -> Answer<Made> {
    let Replacement { old, mut new, tracking } = replacement;
    check_version(target, &old.value, &new)?;
    keep_own_fields(target, &old.value, &mut new);
    core_rules::prepare(&target.kind, &mut new, Some(&old.value))?;
    if target.kind.is_custom && !is_same_wish(&target.kind, &old.value, &new) {
        object::meta_mut(&mut new).insert("generation".to_owned(), json!(object::generation(&old.value) + 1));
    }
    check(&target.kind, Some(&old.value), &new)?;
    if tracking == Tracking::Due {
        track(world, target, Some(&old.value), &mut new, act);
    }
    if is_same(world, &old.value, &new) {
        return Ok(Made::stored(200, &old));
    }
    if act.options.dry_run == DryRun::All {
        return Ok(tried(200, new, Some(old.revision)));
    }
    let is_last = object::is_deleting(&new) && object::finalizers(&new).is_empty() && old.key.resource != NAMESPACES;
    let made = if is_last {
        commit::remove(world, &old, new, act.by)
    } else {
        let is_status = target.subresource == Some(Subresource::Status);
        let verb = if is_status { Verb::UpdateStatus } else { Verb::Update };
        commit::put(world, &old.key, new, (verb, act.by))
    };
    Ok(Made::stored(200, &made))
}

/// Server-side apply; it creates what is not there.
fn apply(world: &mut World, target: &Target, mut body: Value, act: &Act) -> Answer<Made> {
    let kind = &target.kind;
    let live = world.api.stored(&key_of(target, target.name()));
    if live.is_none() && target.subresource.is_some() {
        return Err(Status::not_found(&kind.resource(), target.name()));
    }
    decoding::check_type(kind, &mut body, decoding::Origin::Sent)?;
    if body.get("metadata").and_then(|meta| meta.get("managedFields")).is_some_and(|listed| !listed.is_null()) {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    decoding::check_shape(kind, &body)?;
    store_rules::agree_on_namespace(target, &mut body)?;
    if live.is_none() || !object::name(&body).is_empty() {
        store_rules::agree_on_name(target, &body)?;
    }
    let (time, api_version) = (show_seconds(world.timestamp()), kind.api_version());
    let manager = Manager {
        name: &act.options.field_manager,
        operation: Operation::Apply,
        subresource: target.subresource(),
        api_version: &api_version,
        time: &time,
    };
    let before = live.as_ref().map(|live| &*live.value);
    let mut merged = managed::apply(before, &body, &manager, act.options.force, &kind.schema)?;
    decoding::decode(kind, &mut merged, &act.options, decoding::Origin::Sent)?;
    match live {
        Some(old) => replace(world, target, Replacement { old, new: merged, tracking: Tracking::Done }, act),
        None => insert(world, target, merged, act, Tracking::Done),
    }
}

/// Creates a decoded object.
fn insert(world: &mut World, target: &Target, mut body: Value, act: &Act, tracking: Tracking) -> Answer<Made> {
    let kind = &target.kind;
    store_rules::agree_on_namespace(target, &mut body)?;
    check_namespace(world, target, object::name(&body))?;
    let has_version = !object::meta(&body, "resourceVersion").is_empty();
    generate_name(world, &mut body);
    if kind.has_status {
        store_rules::take_field(&mut body, None, "status");
    }
    core_rules::prepare(kind, &mut body, None)?;
    fill_metadata(world, kind, &mut body);
    if tracking == Tracking::Due {
        track(world, target, None, &mut body, act);
    }
    check(kind, None, &body)?;
    if has_version {
        return Err(Status::new(500, "InternalError", "resourceVersion should not be set on objects to be created"));
    }
    let key = key_of(target, object::name(&body));
    if world.api.stored(&key).is_some() {
        return Err(Status::already_exists(&kind.resource(), &key.name));
    }
    if act.options.dry_run == DryRun::All {
        return Ok(tried(201, body, None));
    }
    Ok(Made::stored(201, &commit::put(world, &key, body, (Verb::Create, act.by))))
}

/// The answer to a write that was only tried, with the version that is there, if one is.
fn tried(code: u16, mut object: Value, revision: Option<u64>) -> Made {
    let meta = object::meta_mut(&mut object);
    match revision {
        Some(revision) => meta.insert("resourceVersion".to_owned(), json!(revision.to_string())),
        None => meta.shift_remove("resourceVersion"),
    };
    Made { code, body: encode(&object), value: Arc::new(object) }
}

/// Refuses new content of a namespace that is not there or is going.
fn check_namespace(world: &World, target: &Target, name: &str) -> Answer<()> {
    let Some(namespace) = target.namespace.as_deref().filter(|_| target.kind.is_namespaced()) else { return Ok(()) };
    let (resource, none) = (NAMESPACES.to_owned(), String::new());
    let found = world.api.stored(&ObjectKey { resource, namespace: none, name: namespace.to_owned() });
    let found = found.ok_or_else(|| Status::not_found(&Resource { group: "", plural: NAMESPACES }, namespace))?;
    if object::is_deleting(&found.value) {
        let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
        return Err(Status::forbidden(&target.kind.resource(), name, why));
    }
    Ok(())
}

/// Makes a name from `generateName` if the object has none.
fn generate_name(world: &mut World, body: &mut Value) {
    let base = object::meta(body, "generateName").to_owned();
    if !object::name(body).is_empty() || base.is_empty() {
        return;
    }
    let mut name = base;
    for _ in 0..5 {
        name.push(world.chance.pick(SUFFIX_ALPHABET).copied().map_or('x', char::from));
    }
    object::meta_mut(body).insert("name".to_owned(), json!(name));
}

/// Sets what only the server sets.
fn fill_metadata(world: &mut World, kind: &Kind, body: &mut Value) {
    let (uid, now) = (new_uid(world), show_seconds(world.timestamp()));
    let meta = object::meta_mut(body);
    for field in ["resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"] {
        meta.shift_remove(field);
    }
    meta.insert("uid".to_owned(), json!(uid));
    meta.insert("creationTimestamp".to_owned(), json!(now));
    if kind.is_custom {
        meta.insert("generation".to_owned(), json!(1));
    }
}

/// A version-4 UUID.
fn new_uid(world: &mut World) -> String {
    let (high, low) = (world.chance.draw(), world.chance.draw());
    let (a, b, c) = (high >> 32, (high >> 16) & 0xffff, high & 0x0fff);
    let (d, e) = (((low >> 48) & 0x3fff) | 0x8000, low & 0xffff_ffff_ffff);
    format!("{a:08x}-{b:04x}-4{c:03x}-{d:04x}-{e:012x}")
}

/// Holds an object to the rules of its metadata, of core kinds, and of its schema. What only a reviewer refuses passes.
fn check(kind: &Kind, old: Option<&Value>, new: &Value) -> Answer<()> {
    let mut problems: Vec<Problem> = match old {
        Some(old) => metadata::check_update(old, new),
        None => metadata::check_new(kind, new),
    };
    problems.extend(core_rules::check(kind, new, old));
    problems.extend(kind.schema.validate(new));
    if problems.is_empty() {
        return Ok(());
    }
    Err(Status::invalid(&kind.kind, &kind.group, object::name(new), &problems))
}

/// Writes down whose the fields of `new` are, if the world wants to know; else they are as they were.
fn track(world: &World, target: &Target, old: Option<&Value>, new: &mut Value, act: &Act) {
    if !world.knobs.tracks_managers {
        let before = old.and_then(|old| old.get("metadata")?.get("managedFields")).cloned();
        let meta = object::meta_mut(new);
        match before {
            Some(before) => meta.insert("managedFields".to_owned(), before),
            None => meta.shift_remove("managedFields"),
        };
        return;
    }
    let (time, api_version) = (show_seconds(world.timestamp()), target.kind.api_version());
    let manager = Manager {
        name: &act.options.field_manager,
        operation: Operation::Update,
        subresource: target.subresource(),
        api_version: &api_version,
        time: &time,
    };
    managed::track_update(old, new, &manager, &target.kind.schema);
}

/// Whether two objects tell the same, whenever it was written.
fn is_same(world: &World, old: &Value, new: &Value) -> bool {
    if world.knobs.tracks_managers {
        return store_rules::is_same(old, new);
    }
    let (before, after) = (old.get("metadata"), new.get("metadata"));
    let (before, after) = (before.and_then(Value::as_object), after.and_then(Value::as_object));
    agree(old.as_object(), new.as_object(), &["metadata"]) && agree(before, after, &["resourceVersion"])
}

/// Whether everything besides metadata and status is the same; without a status subresource the status counts too.
fn is_same_wish(kind: &Kind, old: &Value, new: &Value) -> bool {
    let aside: &[&str] = if kind.has_status { &["metadata", "status"] } else { &["metadata"] };
    agree(old.as_object(), new.as_object(), aside)
}

/// Whether two maps are the same, some fields aside.
fn agree(old: Option<&Map<String, Value>>, new: Option<&Map<String, Value>>, aside: &[&str]) -> bool {
    let (Some(old), Some(new)) = (old, new) else { return old == new };
    let counts = |map: &Map<String, Value>| map.keys().filter(|key| !aside.contains(&key.as_str())).count();
    let mut fields = old.iter().filter(|(key, _)| !aside.contains(&key.as_str()));
    counts(old) == counts(new) && fields.all(|(key, value)| new.get(key) == Some(value))
}
