//! Strategic merge patch: a part of an object in which directives say what to do, and some lists merge by key.
//!
//! The lists that merge are those of the kinds that are served here: finalizers, owner references, the secrets of a
//! service account, and conditions. All other lists are replaced.
//!
//! # Source
//! `apimachinery`, `pkg/util/strategicpatch/patch.go`.

use serde_json::{Map, Value};

use super::body::mismatch;
use crate::status::{Answer, Status};

/// Says what to do with the map or item it stands in: `replace` or `delete`.
const DIRECTIVE: &str = "$patch";
/// Lists the only fields that stay.
const RETAIN: &str = "$retainKeys";
/// Before the name of a list of scalars: what to take out.
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";
/// Before the name of a list: its order.
const ORDER: &str = "$setElementOrder/";

/// How a list is patched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strategy {
    Replace,
    MergeScalars,
    MergeBy(&'static str),
}

impl Strategy {
    fn of(list: &str) -> Self {
        match list {
            "finalizers" => Self::MergeScalars,
            "ownerReferences" => Self::MergeBy("uid"),
            "secrets" | "imagePullSecrets" => Self::MergeBy("name"),
            "conditions" => Self::MergeBy("type"),
            _ => Self::Replace,
        }
    }

    /// What tells an item from the others.
    fn name_of(self, item: &Value) -> Option<&Value> {
        match self {
            Self::MergeBy(key) => item.get(key),
            Self::Replace | Self::MergeScalars => Some(item),
        }
    }
}

/// Patches an object.
pub(super) fn patched(current: &Value, body: &Value) -> Answer<Value> {
    let (Value::Object(current), Value::Object(patch)) = (current, body) else {
        return Err(Status::bad_request(mismatch(body, "map[string]interface {}")));
    };
    merge_map(current.clone(), patch).map(Value::Object)
}

fn merge_map(mut original: Map<String, Value>, patch: &Map<String, Value>) -> Answer<Map<String, Value>> {
    if let Some(directive) = patch.get(DIRECTIVE) {
        return follow(directive, patch);
    }
    retain(&mut original, patch)?;
    for (key, given) in patch {
        if let Some(list) = key.strip_prefix(ORDER) {
            reorder(&mut original, list, given, patch)?;
        } else if let Some(list) = key.strip_prefix(DELETE_FROM) {
            delete_scalars(&mut original, list, given);
        } else if key != RETAIN {
            let merged = match (original.get(key), given) {
                (_, Value::Null) => None,
                (Some(Value::Object(old)), Value::Object(new)) => Some(Value::Object(merge_map(old.clone(), new)?)),
                (Some(Value::Array(old)), Value::Array(new)) => {
                    let order = patch.get(&format!("{ORDER}{key}")).and_then(Value::as_array);
                    let merged = merge_list(Strategy::of(key), old, new, order.map(Vec::as_slice))?;
                    Some(Value::Array(merged))
                }
                _ => cleaned(given),
            };
            match merged {
                Some(value) => {
                    original.insert(key.clone(), value);
                }
                None => {
                    original.shift_remove(key);
                }
            }
        }
    }
    Ok(original)
}

fn follow(directive: &Value, patch: &Map<String, Value>) -> Answer<Map<String, Value>> {
    match directive.as_str() {
        Some("replace") => {
            let mut replaced = patch.clone();
            replaced.shift_remove(DIRECTIVE);
            Ok(replaced)
        }
        Some("delete") => Ok(Map::new()),
        _ => Err(unknown_directive(directive, patch)),
    }
}

fn unknown_directive(directive: &Value, map: &Map<String, Value>) -> Box<Status> {
    let message = format!("unknown patch type: {} in map: {}", shown(directive), shown(&Value::Object(map.clone())));
    Status::new(500, "", message)
}

fn no_key(item: &Value, key: &str) -> Box<Status> {
    Status::new(500, "", format!("map: {} does not contain declared merge key: {key}", shown(item)))
}

/// Prints a value as Go prints maps and slices.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(map) => {
            let mut fields: Vec<String> = map.iter().map(|(name, value)| format!("{name}:{}", shown(value))).collect();
            fields.sort();
            format!("map[{}]", fields.join(" "))
        }
        scalar => scalar.to_string(),
    }
}

/// A value of a patch as it is stored where nothing was: without nulls and without what a directive stands in.
fn cleaned(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(map) if map.contains_key(DIRECTIVE) => None,
        Value::Object(map) => {
            let left: Map<String, Value> =
                map.iter().filter_map(|(name, value)| Some((name.clone(), cleaned(value)?))).collect();
            Some(Value::Object(left))
        }
        Value::Array(items) => Some(Value::Array(items.iter().filter_map(cleaned).collect())),
        scalar => Some(scalar.clone()),
    }
}

fn retain(original: &mut Map<String, Value>, patch: &Map<String, Value>) -> Answer<()> {
    let Some(kept) = patch.get(RETAIN) else { return Ok(()) };
    let malformed = || Status::bad_request("invalid patch format of retainKeys");
    let kept: Vec<&str> = kept.as_array().ok_or_else(malformed)?.iter().filter_map(Value::as_str).collect();
    for (key, value) in patch {
        let is_directive = key == RETAIN || key.starts_with(DELETE_FROM) || key.starts_with(ORDER);
        if !is_directive && !value.is_null() && !kept.contains(&key.as_str()) {
            return Err(malformed());
        }
    }
    original.retain(|key, _| kept.contains(&key.as_str()));
    Ok(())
}

fn delete_scalars(original: &mut Map<String, Value>, list: &str, gone: &Value) {
    if let (Some(Value::Array(items)), Some(gone)) = (original.get_mut(list), gone.as_array()) {
        items.retain(|item| !gone.contains(item));
    }
}

/// Orders a list that the patch does not change otherwise; one that it changes is ordered when it is merged.
fn reorder(original: &mut Map<String, Value>, list: &str, order: &Value, patch: &Map<String, Value>) -> Answer<()> {
    let strategy = Strategy::of(list);
    let Some(order) = order.as_array() else {
        return Err(Status::bad_request("invalid patch format of setElementOrder list"));
    };
    if patch.contains_key(list) || strategy == Strategy::Replace {
        return Ok(());
    }
    if let Some(Value::Array(items)) = original.get_mut(list) {
        *items = arranged(strategy, items.clone(), items, order);
    }
    Ok(())
}

fn merge_list(strategy: Strategy, original: &[Value], patch: &[Value], order: Option<&[Value]>) -> Answer<Vec<Value>> {
    if strategy != Strategy::Replace
        && let Some(order) = order
    {
        check_order(strategy, patch, order)?;
    }
    let order = order.unwrap_or(patch);
    match strategy {
        Strategy::Replace => Ok(patch.to_vec()),
        Strategy::MergeScalars => {
            let mut merged: Vec<Value> = Vec::new();
            for item in original.iter().chain(patch) {
                if !merged.contains(item) {
                    merged.push(item.clone());
                }
            }
            Ok(arranged(strategy, merged, original, order))
        }
        Strategy::MergeBy(key) => {
            let merged = merge_items(key, original, patch)?;
            Ok(arranged(strategy, merged, original, order))
        }
    }
}

fn merge_items(key: &str, original: &[Value], patch: &[Value]) -> Answer<Vec<Value>> {
    let mut merged = original.to_vec();
    let mut added = Vec::new();
    let mut replaces = false;
    for item in patch {
        let Value::Object(map) = item else { return Err(no_key(item, key)) };
        let name = map.get(key);
        match map.get(DIRECTIVE) {
            None => added.push(map),
            Some(directive) => match (directive.as_str(), name) {
                (Some("replace"), _) => replaces = true,
                (Some("delete"), Some(name)) => merged.retain(|old| old.get(key) != Some(name)),
                (Some("delete"), None) => return Err(no_key(item, key)),
                (Some("merge"), _) => {
                    return Err(Status::new(500, "", "merging lists cannot yet be specified in the patch"));
                }
                _ => return Err(unknown_directive(directive, map)),
            },
        }
    }
    if replaces {
        return Ok(added.into_iter().cloned().map(Value::Object).collect());
    }
    for map in added {
        let name = map.get(key).ok_or_else(|| no_key(&Value::Object(map.clone()), key))?;
        match merged.iter_mut().find(|old| old.get(key) == Some(name)) {
            Some(Value::Object(old)) => *old = merge_map(old.clone(), map)?,
            _ => merged.push(Value::Object(map.clone())),
        }
    }
    Ok(merged)
}

/// The items of a patch must be among those of the order it gives, and in that order.
fn check_order(strategy: Strategy, patch: &[Value], order: &[Value]) -> Answer<()> {
    let mut rest = order.iter();
    for item in patch.iter().filter(|item| item.get(DIRECTIVE).is_none()) {
        let name = strategy.name_of(item);
        if !order.is_empty() && !rest.any(|ordered| strategy.name_of(ordered) == name) {
            let (patch, order) = (shown(&Value::from(patch.to_vec())), shown(&Value::from(order.to_vec())));
            let message =
                format!("The order in patch list:\n{patch}\n doesn't match $setElementOrder list:\n{order}\n");
            return Err(Status::new(500, "", message));
        }
    }
    Ok(())
}

/// Orders items: those that `order` names as it names them, the others where they stood in `before` among these.
fn arranged(strategy: Strategy, items: Vec<Value>, before: &[Value], order: &[Value]) -> Vec<Value> {
    let place = |list: &[Value], item: &Value| {
        let name = strategy.name_of(item);
        list.iter().position(|other| strategy.name_of(other) == name)
    };
    let (mut named, mut others): (Vec<Value>, Vec<Value>) =
        items.into_iter().partition(|item| place(order, item).is_some());
    named.sort_by_key(|item| place(order, item));
    others.sort_by_key(|item| place(before, item));
    let mut out = Vec::with_capacity(named.len() + others.len());
    let mut others = others.into_iter().peekable();
    for item in named {
        let here = place(before, &item);
        while let Some(other) =
            others.next_if(|other| place(before, other).is_some_and(|place| here.is_some_and(|here| place < here)))
        {
            out.push(other);
        }
        out.push(item);
    }
    out.extend(others);
    out
}
