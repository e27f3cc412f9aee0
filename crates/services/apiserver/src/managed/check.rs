//! What an applied object may not be: fields that the schema does not know, list items that cannot be told apart.
//!
//! # Source
//! `structured-merge-diff`, `typed/validate.go` and `typed/helpers.go`: the texts.

use std::collections::BTreeSet;

use serde_json::Value;

use super::set::Step;
use super::shape::{Known, Relation, Shape};

/// Finds everything that keeps an object from being applied: `path: text`, in the order of the object.
pub(crate) fn check(applied: &Value, shape: Shape<'_>) -> Vec<String> {
    let mut found = Vec::new();
    visit(applied, shape, "", &mut found);
    found
}

/// All findings as one text.
pub(crate) fn one_text(found: &[String]) -> String {
    match found {
        [one] => one.clone(),
        many => many.iter().fold("errors:".to_owned(), |text, line| format!("{text}\n  {line}")),
    }
}

fn visit(value: &Value, shape: Shape<'_>, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (name, below) in map {
                let field = shape.field(name);
                let path = format!("{path}.{name}");
                if field.known == Known::No {
                    found.push(format!("{path}: field not declared in schema"));
                } else {
                    visit(below, field.shape, &path, found);
                }
            }
        }
        Value::Array(items) => visit_items(items, shape, path, found),
        _ => {}
    }
}

fn visit_items(items: &[Value], shape: Shape<'_>, path: &str, found: &mut Vec<String>) {
    let mut seen: BTreeSet<Step> = BTreeSet::new();
    for (place, item) in items.iter().enumerate() {
        let step = shape.step_of(item, place);
        if !shape.is_whole_list() && matches!(step, Step::Index(_)) {
            found.push(format!("{path}: element {place}: {}", why_nameless(item, shape)));
            return;
        }
        visit(item, shape.item(), &format!("{path}{step}"), found);
        if seen.contains(&step) {
            found.push(format!("{path}: duplicate entries for key {step}"));
        }
        seen.insert(step);
    }
}

fn why_nameless(item: &Value, shape: Shape<'_>) -> String {
    match (shape.relation(), item) {
        (Relation::Map(_), Value::Null) => "associative list with keys may not have a null element".to_owned(),
        (Relation::Map(keys), Value::Object(_)) => {
            let listed: Vec<String> = keys.iter().map(|key| format!("\"{key}\"")).collect();
            format!(
                "associative list with keys has an element that omits all key fields [{}] (and doesn't have default \
                 values for any key fields)",
                listed.join(" ")
            )
        }
        (Relation::Map(_), _) => "associative list with keys may not have non-map elements".to_owned(),
        (_, Value::Object(_)) => "associative list without keys has an element that's a map type".to_owned(),
        (_, Value::Array(_)) => "not supported: associative list with lists as elements".to_owned(),
        _ => "associative list without keys has an element that's an explicit null".to_owned(),
    }
}
