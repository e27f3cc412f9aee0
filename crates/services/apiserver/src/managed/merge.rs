//! Merging: an object with what somebody applies to it, and without what they no longer apply.
//!
//! # Source
//! `structured-merge-diff`, `typed/merge.go` (the order of list items) and `merge/update.go` (pruning).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::set::{Set, Step};
use super::shape::Shape;
use super::walk::{fields_of, remove, with_declared};

/// Lays what is applied over what is there; nothing is removed.
pub(crate) fn merge(live: Option<&Value>, applied: &Value, shape: Shape<'_>) -> Value {
    let Some(live) = live else { return applied.clone() };
    match (live, applied) {
        (Value::Object(old), Value::Object(new)) if !shape.is_whole_map() => merge_maps(old, new, shape),
        (Value::Array(old), Value::Array(new)) if !shape.is_whole_list() => Value::Array(merge_lists(old, new, shape)),
        // A null says nothing of what a map or list has inside.
        (Value::Object(old), Value::Null) if !shape.is_whole_map() && !old.is_empty() => live.clone(),
        (Value::Array(old), Value::Null) if !shape.is_whole_list() && !old.is_empty() => live.clone(),
        _ => applied.clone(),
    }
}

fn merge_maps(old: &Map<String, Value>, new: &Map<String, Value>, shape: Shape<'_>) -> Value {
    let mut out = old.clone();
    for (name, value) in new {
        out.insert(name.clone(), merge(old.get(name), value, shape.field(name).shape));
    }
    Value::Object(out)
}

/// The order of the applied items wins; items that only the live list has stay where they stood among the others.
fn merge_lists(old: &[Value], new: &[Value], shape: Shape<'_>) -> Vec<Value> {
    let left: Vec<(Step, &Value)> = named(old, shape);
    let right: Vec<(Step, &Value)> = named(new, shape);
    let in_left = unique(&left);
    let in_right: BTreeSet<&Step> = right.iter().map(|(step, _)| step).collect();
    let mut shared = right.iter().map(|(step, _)| step).filter(|step| in_left.contains_key(step));
    let mut next = shared.next();
    let mut done: BTreeSet<&Step> = BTreeSet::new();
    let mut out = Vec::new();
    let pair = |step: &Step, item: &Value| merge(in_left.get(step).copied().flatten(), item, shape.item());
    let (mut l, mut r) = (0, 0);
    while l < left.len() || r < right.len() {
        if let (Some((step, _)), Some((other, item))) = (left.get(l), right.get(r)) {
            if step == other {
                done.insert(step);
                out.push(pair(step, item));
                l += 1;
                r += 1;
                next = shared.next();
                continue;
            }
            if in_right.contains(step) && next.is_some_and(|next| next != step) {
                l += 1;
                continue;
            }
        }
        if let Some((step, item)) = left.get(l) {
            if !in_right.contains(step) {
                out.push((*item).clone());
                l += 1;
                continue;
            }
            if done.contains(step) {
                l += 1;
            }
        }
        if let Some((step, item)) = right.get(r) {
            done.insert(step);
            out.push(pair(step, item));
            r += 1;
            if next == Some(step) {
                next = shared.next();
            }
        }
    }
    out
}

fn named<'v>(items: &'v [Value], shape: Shape<'_>) -> Vec<(Step, &'v Value)> {
    items.iter().enumerate().map(|(place, item)| (shape.step_of(item, place), item)).collect()
}

/// The item of each name; nothing where several have the name.
fn unique<'s, 'v>(items: &'s [(Step, &'v Value)]) -> BTreeMap<&'s Step, Option<&'v Value>> {
    let mut found = BTreeMap::new();
    for (step, item) in items {
        found.entry(step).and_modify(|seen| *seen = None).or_insert(Some(*item));
    }
    found
}

/// Takes out what a manager applied last time (`last`) and nobody owns now (`owned` is what all managers own).
pub(crate) fn prune(merged: &Value, last: &Set, owned: &Set, shape: Shape<'_>) -> Value {
    let last = with_declared(last, shape);
    let owned = with_declared(owned, shape);
    let all = with_declared(&fields_of(merged, shape), shape);
    let declared = |value: &Value| with_declared(&fields_of(value, shape), shape);
    // What others own comes back, and what nobody owned before was not this manager's to remove.
    let bare = remove(merged, &last, shape);
    let kept = remove(merged, &all.difference(&declared(&bare).union(&owned)), shape);
    remove(merged, &all.difference(&declared(&kept)).intersection(&last), shape)
}
