//! Update: an object takes the place of another of the same name.

use serde_json::{Value, json};

use super::create::{Tracking, with_warnings};
use super::request::{Outcome, Subresource, Target, WriteOptions};
use super::site::{Audited, Site};
use super::store_rules;
use crate::admission::{self, Depth, core_rules, decoding};
use crate::auth::escalation;
use crate::garbage::{self, NAMESPACES};
use crate::object;
use crate::status::{Answer, Status};
use kobel_resources::Problem;

/// What replaces what.
pub struct Replacement {
    /// The stored object.
    pub old: Value,
    /// The decoded object that shall take its place.
    pub new: Value,
    /// `update` or `patch`.
    pub verb: &'static str,
    /// Who already wrote down whose the fields are.
    pub tracking: Tracking,
}

/// Replaces an object, or its status, by what was sent.
pub fn update(site: &mut Site<'_, '_>, target: &Target, mut body: Value, options: &WriteOptions) -> Answer<Outcome> {
    let kind = &target.kind;
    decoding::check_type(kind, &mut body, decoding::Origin::Sent)?;
    let warnings = decoding::decode(kind, &mut body, options, decoding::Origin::Sent)?;
    store_rules::agree_on_namespace(target, &mut body)?;
    store_rules::agree_on_name(target, &body)?;
    let old = existing(site, target)?;
    let (given, uid) = (object::uid(&body), object::uid(&old));
    if !given.is_empty() && given != uid {
        let why = format!("Precondition failed: UID in precondition: {given}, UID in object meta: {uid}");
        return Err(Status::conflict(&kind.resource(), target.name(), why));
    }
    let made = replace(site, target, Replacement { old, new: body, verb: "update", tracking: Tracking::Due }, options)?;
    Ok(with_warnings(made, warnings))
}

/// The stored object of the path.
pub fn existing(site: &Site<'_, '_>, target: &Target) -> Answer<Value> {
    let found = site.value(&target.key(target.name()));
    found.ok_or_else(|| Status::not_found(&target.kind.resource(), target.name()))
}

/// Replaces a stored object by a decoded one.
pub fn replace(
    site: &mut Site<'_, '_>,
    target: &Target,
    replacement: Replacement,
    options: &WriteOptions,
) -> Answer<Outcome> {
    let Replacement { old, mut new, verb, tracking } = replacement;
    check_version(target, &old, &new)?;
    keep_own_fields(target, &old, &mut new);
    core_rules::prepare(&target.kind, &mut new, Some(&old))?;
    if target.kind.is_custom && !store_rules::is_same_wish(&target.kind, &old, &new) {
        object::meta_mut(&mut new).insert("generation".to_owned(), json!(object::generation(&old) + 1));
    }
    let depth = depth_of_review(target, &old, &new);
    let warnings = {
        let namespace = target.namespace().to_owned();
        let seen: &Site<'_, '_> = site;
        let lookup = |kind: &str, name: &str| store_rules::look_up(seen, &namespace, kind, name);
        admission::check(&target.kind, &new, Some(&old), depth, &lookup)?
    };
    if tracking == Tracking::Due {
        store_rules::track(site, target, Some(&old), &mut new, options);
    }
    if store_rules::is_same(&old, &new) {
        return Ok(Outcome::new(200, old, warnings));
    }
    let key = target.key(target.name());
    escalation::check(site.tx, site.caller, &new, Some(&old))?;
    let is_last = object::is_deleting(&new) && object::finalizers(&new).is_empty() && &*key.resource != NAMESPACES;
    let mut made = if is_last { garbage::remove(site, &key, new)? } else { site.tx.put(&key, new)?.value() };
    let (subresource, manager) = (target.subresource(), options.field_manager.as_str());
    site.audit(&Audited { verb, key: &key, subresource, manager, code: 200, old: Some(&old), new: Some(&made) });
    if !is_last {
        garbage::after_write(site, &key, &made)?;
    }
    store_rules::finish(site, options.dry_run, &mut made, Some(&old));
    Ok(Outcome::new(200, made, warnings))
}

/// Refuses an update that was made from another state than the stored one.
pub fn check_version(target: &Target, old: &Value, new: &Value) -> Answer<()> {
    let (given, stored) = (object::meta(new, "resourceVersion"), object::meta(old, "resourceVersion"));
    let kind = &target.kind;
    if given.is_empty() && kind.is_custom {
        let problem = Problem::invalid("metadata.resourceVersion", 0, "must be specified for an update");
        return Err(Status::invalid(&kind.plural, &kind.group, target.name(), &[problem]));
    }
    if !given.is_empty() && given != stored {
        return Err(Status::stale(&kind.resource(), target.name()));
    }
    Ok(())
}

/// Restores what the path does not write.
pub fn keep_own_fields(target: &Target, old: &Value, new: &mut Value) {
    if target.subresource == Some(Subresource::Status) {
        let status = new.get("status").cloned();
        let managed = new.get("metadata").and_then(|meta| meta.get("managedFields")).cloned();
        *new = old.clone();
        store_rules::take_field(new, Some(&json!({"status": status})).filter(|_| status.is_some()), "status");
        if let Some(managed) = managed {
            object::meta_mut(new).insert("managedFields".to_owned(), managed);
        }
        return;
    }
    if target.kind.has_status {
        store_rules::take_field(new, Some(old), "status");
    }
    let before = old.get("metadata").cloned().unwrap_or_default();
    let meta = object::meta_mut(new);
    if meta.get("uid").is_none() {
        meta.insert("uid".to_owned(), before.get("uid").cloned().unwrap_or_default());
    }
    let kept =
        ["resourceVersion", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"];
    for field in kept {
        match before.get(field) {
            Some(value) => {
                meta.insert(field.to_owned(), value.clone());
            }
            None => {
                meta.shift_remove(field);
            }
        }
    }
}

/// What a person did not change is not reviewed again: a finalizer must be removable and a status writable even when
/// the rules became stricter since.
fn depth_of_review(target: &Target, old: &Value, new: &Value) -> Depth {
    let same = |field: &str| {
        let of = |object: &Value| object.get("metadata").and_then(|meta| meta.get(field)).cloned();
        of(old) == of(new)
    };
    let is_same_wish = store_rules::is_same_wish(&target.kind, old, new);
    let is_untouched = is_same_wish && same("labels") && same("annotations");
    let is_status = target.subresource == Some(Subresource::Status);
    if is_status || is_untouched || object::is_deleting(old) { Depth::Schema } else { Depth::Whole }
}
