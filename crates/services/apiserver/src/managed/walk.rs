//! Walks over objects by their shape: which fields an object mentions, what changed between two, what is left without
//! some fields.
//!
//! # Source
//! `structured-merge-diff`, package `typed`: `tofieldset.go`, `compare.go`, `remove.go`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::set::{Node, Set, Step};
use super::shape::{Known, Shape};

/// The two sides of a map that are walked together.
type MapPair<'a> = (Option<&'a Map<String, Value>>, Option<&'a Map<String, Value>>);

/// Collects every leaf and every item that an object mentions.
pub(crate) fn fields_of(value: &Value, shape: Shape<'_>) -> Set {
    let mut set = Set::default();
    mention(value, shape, &mut Vec::new(), &mut set);
    set
}

fn mention(value: &Value, shape: Shape<'_>, path: &mut Vec<Step>, set: &mut Set) {
    match value {
        Value::Object(map) if !shape.is_whole_map() => {
            for (name, below) in map {
                let field = shape.field(name);
                path.push(Step::Field(name.clone()));
                mention(below, field.shape, path, set);
                let is_empty = below.is_null() || below.as_object().is_some_and(Map::is_empty);
                if is_empty || field.known != Known::Declared {
                    set.insert(path);
                }
                path.pop();
            }
        }
        Value::Array(items) if !shape.is_whole_list() => {
            for (step, (item, count)) in by_step(items, shape) {
                path.push(step);
                if count == 1 {
                    mention(item, shape.item(), path, set);
                }
                set.insert(path);
                path.pop();
            }
        }
        _ => set.insert(path),
    }
}

/// The first item of each name, and how many have that name.
fn by_step<'v>(items: &'v [Value], shape: Shape<'_>) -> BTreeMap<Step, (&'v Value, usize)> {
    let mut found: BTreeMap<Step, (&Value, usize)> = BTreeMap::new();
    for (place, item) in items.iter().enumerate() {
        found.entry(shape.step_of(item, place)).or_insert((item, 0)).1 += 1;
    }
    found
}

/// What changed between two objects; no path is in two of the sets, unless a value changed its type.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// What only the new one has.
    pub(crate) added: Set,
    /// What both have, with different values.
    pub(crate) modified: Set,
    /// What only the old one has.
    pub(crate) removed: Set,
}

impl Comparison {
    /// What the new object brought: added or modified.
    pub(crate) fn changed(&self) -> Set {
        self.added.union(&self.modified)
    }

    /// The comparison without some trees of fields.
    pub(crate) fn without_trees(self, ignored: &Set) -> Self {
        Self {
            added: self.added.without_trees(ignored),
            modified: self.modified.without_trees(ignored),
            removed: self.removed.without_trees(ignored),
        }
    }
}

/// Compares two objects of one shape.
pub(crate) fn compare(old: &Value, new: &Value, shape: Shape<'_>) -> Comparison {
    let mut walk = Walk { path: Vec::new(), found: Comparison::default() };
    walk.visit((Some(old), Some(new)), shape);
    walk.found
}

/// Two values at one place, at least one of which is there.
type Pair<'v> = (Option<&'v Value>, Option<&'v Value>);

/// What a value is to the walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Map,
    List,
    Scalar,
}

/// A null takes the form of what it is compared with.
fn form(value: Option<&Value>) -> Option<Form> {
    match value? {
        Value::Null => None,
        Value::Object(_) => Some(Form::Map),
        Value::Array(_) => Some(Form::List),
        _ => Some(Form::Scalar),
    }
}

struct Walk {
    path: Vec<Step>,
    found: Comparison,
}

impl Walk {
    fn visit(&mut self, pair: Pair<'_>, shape: Shape<'_>) {
        match (form(pair.0), form(pair.1)) {
            (Some(old), Some(new)) if old != new => {
                self.visit_as(old, pair, shape);
                self.visit_as(new, pair, shape);
            }
            (old, new) => self.visit_as(old.or(new).unwrap_or(Form::Scalar), pair, shape),
        }
    }

    fn visit_as(&mut self, form: Form, pair: Pair<'_>, shape: Shape<'_>) {
        match form {
            Form::Map => {
                let maps = (pair.0.and_then(Value::as_object), pair.1.and_then(Value::as_object));
                let is_empty = maps.0.is_none_or(Map::is_empty) && maps.1.is_none_or(Map::is_empty);
                if shape.is_whole_map() || is_empty {
                    return self.leaf(pair);
                }
                self.visit_maps(maps, shape);
            }
            Form::List => {
                let lists = (pair.0.and_then(Value::as_array), pair.1.and_then(Value::as_array));
                let is_empty = lists.0.is_none_or(Vec::is_empty) && lists.1.is_none_or(Vec::is_empty);
                if shape.is_whole_list() || is_empty {
                    return self.leaf(pair);
                }
                let old = lists.0.map(Vec::as_slice).unwrap_or_default();
                self.visit_lists(old, lists.1.map(Vec::as_slice).unwrap_or_default(), shape);
            }
            Form::Scalar => return self.leaf(pair),
        }
        match pair {
            (None, _) => self.found.added.insert(&self.path),
            (_, None) => self.found.removed.insert(&self.path),
            _ => {}
        }
    }

    fn leaf(&mut self, pair: Pair<'_>) {
        match pair {
            (None, _) => self.found.added.insert(&self.path),
            (_, None) => self.found.removed.insert(&self.path),
            (Some(old), Some(new)) if old != new => self.found.modified.insert(&self.path),
            _ => {}
        }
    }

    fn visit_maps(&mut self, (old, new): MapPair<'_>, shape: Shape<'_>) {
        for (name, value) in old.into_iter().flatten() {
            self.visit_below(
                Step::Field(name.clone()),
                (Some(value), new.and_then(|new| new.get(name))),
                shape.field(name).shape,
            );
        }
        for (name, value) in new.into_iter().flatten() {
            if old.is_none_or(|old| !old.contains_key(name)) {
                self.visit_below(Step::Field(name.clone()), (None, Some(value)), shape.field(name).shape);
            }
        }
    }

    fn visit_below(&mut self, step: Step, pair: Pair<'_>, shape: Shape<'_>) {
        self.path.push(step);
        self.visit(pair, shape);
        self.path.pop();
    }

    fn visit_lists(&mut self, old: &[Value], new: &[Value], shape: Shape<'_>) {
        let mut items: BTreeMap<Step, (Vec<&Value>, Vec<&Value>)> = BTreeMap::new();
        for (place, item) in old.iter().enumerate() {
            items.entry(shape.step_of(item, place)).or_default().0.push(item);
        }
        for (place, item) in new.iter().enumerate() {
            items.entry(shape.step_of(item, place)).or_default().1.push(item);
        }
        for (step, (old, new)) in items {
            self.visit_named(step, (old.as_slice(), new.as_slice()), shape.item());
        }
    }

    /// Items that have the same name twice are one leaf together.
    fn visit_named(&mut self, step: Step, pair: (&[&Value], &[&Value]), shape: Shape<'_>) {
        match pair {
            ([] | [_], [] | [_]) => {
                self.visit_below(step, (pair.0.first().copied(), pair.1.first().copied()), shape);
            }
            ([_, _, ..], [_, _, ..]) => {
                if pair.0 != pair.1 {
                    self.path.push(step);
                    self.found.modified.insert(&self.path);
                    self.path.pop();
                }
            }
            ([_, _, ..], rest) => {
                if let Some(item) = rest.first() {
                    self.visit_below(step.clone(), (None, Some(*item)), shape);
                }
                self.path.push(step);
                self.found.removed.insert(&self.path);
                self.path.pop();
            }
            (rest, _) => {
                if let Some(item) = rest.first() {
                    self.visit_below(step.clone(), (Some(*item), None), shape);
                }
                self.path.push(step);
                self.found.added.insert(&self.path);
                self.path.pop();
            }
        }
    }
}

/// Takes fields and items out of a value. A map or list that loses its last entry stays, empty.
pub(crate) fn remove(value: &Value, gone: &Set, shape: Shape<'_>) -> Value {
    match value {
        Value::Object(map) if !shape.is_whole_map() => {
            let mut left = Map::new();
            for (name, below) in map {
                match gone.get(&Step::Field(name.clone())) {
                    Some(node) if node.member => {}
                    Some(node) => {
                        left.insert(name.clone(), remove(below, &node.below, shape.field(name).shape));
                    }
                    None => {
                        left.insert(name.clone(), below.clone());
                    }
                }
            }
            Value::Object(left)
        }
        Value::Array(items) if !shape.is_whole_list() => {
            let mut left = Vec::new();
            for (place, item) in items.iter().enumerate() {
                match gone.get(&shape.step_of(item, place)) {
                    Some(node) if node.member => {}
                    Some(node) => left.push(remove(item, &node.below, shape.item())),
                    None => left.push(item.clone()),
                }
            }
            Value::Array(left)
        }
        _ => value.clone(),
    }
}

/// Adds to a set every declared field that has a path of the set below it: owning something in it keeps it there.
pub(crate) fn with_declared(set: &Set, shape: Shape<'_>) -> Set {
    let mut out = Set::default();
    for (step, node) in set.nodes() {
        let is_declared =
            matches!(step, Step::Field(name) if !node.below.is_empty() && shape.field(name).known == Known::Declared);
        let below = with_declared(&node.below, shape.after(step));
        out.put(step.clone(), Node { member: node.member || is_declared, below });
    }
    out
}
