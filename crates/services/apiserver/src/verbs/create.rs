//! Create: an object that was not there.

use serde_json::{Value, json};

use super::request::{Outcome, Target, WriteOptions};
use super::site::{Audited, Site};
use super::store_rules;
use crate::admission::{self, Depth, core_rules, decoding};
use crate::auth::escalation;
use crate::garbage;
use crate::kind::Kind;
use crate::object;
use crate::status::{Answer, Status};

/// How often a generated name is tried.
const NAME_TRIES: usize = 8;
/// The longest beginning of a generated name that is kept.
const NAME_BASE_MAX: usize = 58;

/// Who already wrote down whose the fields are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tracking {
    /// Nobody yet.
    Due,
    /// Server-side apply did.
    Done,
}

/// Creates the object that was sent.
pub fn create(site: &mut Site<'_, '_>, target: &Target, mut body: Value, options: &WriteOptions) -> Answer<Outcome> {
    decoding::check_type(&target.kind, &mut body, decoding::Origin::Sent)?;
    let warnings = decoding::decode(&target.kind, &mut body, options, decoding::Origin::Sent)?;
    let made = insert(site, target, body, options, Tracking::Due)?;
    Ok(with_warnings(made, warnings))
}

/// Puts warnings of decoding before those of the rules.
pub fn with_warnings(mut made: Outcome, mut warnings: Vec<String>) -> Outcome {
    warnings.append(&mut made.warnings);
    made.warnings = warnings;
    made
}

/// Creates a decoded object.
pub fn insert(
    site: &mut Site<'_, '_>,
    target: &Target,
    mut body: Value,
    options: &WriteOptions,
    tracking: Tracking,
) -> Answer<Outcome> {
    let kind = &target.kind;
    store_rules::agree_on_namespace(target, &mut body)?;
    store_rules::check_namespace(site, target, object::name(&body))?;
    let has_version = !object::meta(&body, "resourceVersion").is_empty();
    let generated = generate_name(site, target, &mut body);
    if kind.has_status {
        store_rules::take_field(&mut body, None, "status");
    }
    core_rules::prepare(kind, &mut body, None)?;
    fill_metadata(site, kind, &mut body);
    if tracking == Tracking::Due {
        store_rules::track(site, target, None, &mut body, options);
    }
    let found = {
        let namespace = target.namespace().to_owned();
        let seen: &Site<'_, '_> = site;
        let lookup = |kind: &str, name: &str| store_rules::look_up(seen, &namespace, kind, name);
        admission::check(kind, &body, None, Depth::Whole, &lookup)?
    };
    if has_version {
        return Err(Status::new(500, "InternalError", "resourceVersion should not be set on objects to be created"));
    }
    let key = target.key(object::name(&body));
    if site.tx.get(&key).is_some() {
        if generated == Name::Exhausted {
            let why = "the server was not able to generate a unique name for the object";
            let message = format!("{} \"{}\" already exists, {why}", kind.resource().qualified(), key.name);
            return Err(Status::new(409, "AlreadyExists", message));
        }
        return Err(Status::already_exists(&kind.resource(), &key.name));
    }
    escalation::check(site.tx, site.caller, &body, None)?;
    let mut made = site.tx.put(&key, body)?.value();
    let (subresource, manager) = (target.subresource(), options.field_manager.as_str());
    let verb = if tracking == Tracking::Due { "create" } else { "patch" };
    site.audit(&Audited { verb, key: &key, subresource, manager, code: 201, old: None, new: Some(&made) });
    garbage::after_write(site, &key, &made)?;
    store_rules::finish(site, options.dry_run, &mut made, None);
    Ok(Outcome::new(201, made, found))
}

/// Where the name comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Given,
    Generated,
    Exhausted,
}

/// Makes a name from `generateName` if the object has none.
fn generate_name(site: &Site<'_, '_>, target: &Target, body: &mut Value) -> Name {
    let base: String = object::meta(body, "generateName").chars().take(NAME_BASE_MAX).collect();
    if !object::name(body).is_empty() || base.is_empty() {
        return Name::Given;
    }
    let mut made = Name::Exhausted;
    for _ in 0..NAME_TRIES {
        let name = format!("{base}{}", site.surroundings.name_suffix());
        let is_free = site.tx.get(&target.key(&name)).is_none();
        object::meta_mut(body).insert("name".to_owned(), json!(name));
        if is_free {
            made = Name::Generated;
            break;
        }
    }
    made
}

/// Sets what only the server sets.
fn fill_metadata(site: &Site<'_, '_>, kind: &Kind, body: &mut Value) {
    let (uid, now) = (site.surroundings.new_uid(), site.now());
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
