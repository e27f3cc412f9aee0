//! Which object a document is about, or what of it says too little, with the field that was meant for it.

use kobel_model::nearest;
use serde_json::Value;

/// What an object is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// `group/version`.
    pub(super) api_version: String,
    /// Kind.
    pub(super) kind: String,
    /// `metadata.name`.
    pub(super) name: String,
    /// `metadata.namespace`, if it is written.
    pub(super) namespace: Option<String>,
}

/// A field that an object must have to be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gap {
    /// The names that lead to the place in the document.
    pub(super) place: Vec<String>,
    /// What is said of it.
    pub(super) said: String,
}

/// Reads which object a document is about; else everything that is missing.
pub(super) fn identity(value: &Value) -> Result<Identity, Vec<Gap>> {
    let mut gaps = Vec::new();
    let mut text = |path: &[&str]| {
        let found = path.iter().try_fold(value, |inner, name| inner.get(name));
        match found {
            Some(Value::String(text)) if !text.is_empty() => text.clone(),
            other => {
                gaps.push(gap(value, path, other));
                String::new()
            }
        }
    };
    let (api_version, kind, name) = (text(&["apiVersion"]), text(&["kind"]), text(&["metadata", "name"]));
    let namespace = match value.pointer("/metadata/namespace") {
        None | Some(Value::Null) => None,
        Some(_) => Some(text(&["metadata", "namespace"])),
    };
    if gaps.is_empty() { Ok(Identity { api_version, kind, name, namespace }) } else { Err(gaps) }
}

/// The line of a document, from 1, on which the place begins: the field if it has a line of its own, else the one that
/// it belongs to.
pub(super) fn line_of(document: &str, place: &[String]) -> Option<usize> {
    let (first, rest) = place.split_first()?;
    let lines: Vec<&str> = document.lines().collect();
    let top = lines.iter().position(|line| is_field(line, first))?;
    let inner = rest.first().and_then(|name| {
        let mut below = lines.iter().skip(top + 1).take_while(|line| line.is_empty() || line.starts_with([' ', '#']));
        below.position(|line| is_field(line.trim_start(), name))
    });
    Some(inner.map_or(top, |inner| top + 1 + inner) + 1)
}

fn is_field(line: &str, name: &str) -> bool {
    line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with(':'))
}

/// What is said of a field that is no text; `found` is what stands there.
fn gap(value: &Value, path: &[&str], found: Option<&Value>) -> Gap {
    let field = path.join(".");
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    match found {
        None | Some(Value::Null) => {}
        Some(Value::String(_)) => return Gap { place: owned(path), said: format!("`{field}` is empty") },
        Some(_) => return Gap { place: owned(path), said: format!("`{field}` is not a text") },
    }
    let (mut inside, mut known) = (value, Vec::new());
    for name in path {
        if let Some(next) = inside.get(name) {
            known.push(*name);
            inside = next;
            continue;
        }
        let members = inside.as_object().into_iter().flatten();
        let slip = members.map(|(key, _)| key.as_str()).find(|key| nearest(key, [*name]).is_some());
        let Some(slip) = slip else { break };
        let place = owned(&[known.as_slice(), &[slip]].concat());
        let meant = [known.as_slice(), &[*name]].concat().join(".");
        return Gap { said: format!("`{field}` is missing; did you mean `{meant}` by `{}`?", place.join(".")), place };
    }
    Gap { place: owned(path), said: format!("`{field}` is missing") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_missing_is_told_with_what_was_meant_for_it() {
        for (value, said, place) in [
            (
                json!({"apiVersion": "v1", "kind": "A", "metadata": {"nmae": "a"}}),
                "`metadata.name` is missing; did you mean `metadata.name` by `metadata.nmae`?",
                "metadata.nmae",
            ),
            (
                json!({"apiVersion": "v1", "kind": "A", "metdata": {"name": "a"}}),
                "`metadata.name` is missing; did you mean `metadata` by `metdata`?",
                "metdata",
            ),
            (
                json!({"apiversion": "v1", "kind": "A", "metadata": {"name": "a"}}),
                "`apiVersion` is missing; did you mean `apiVersion` by `apiversion`?",
                "apiversion",
            ),
            (
                json!({"apiVersion": "v1", "kind": "A", "metadata": {"namespace": "n", "labels": {}}}),
                "`metadata.name` is missing",
                "metadata.name",
            ),
            (json!({"apiVersion": "v1", "kind": "A"}), "`metadata.name` is missing", "metadata.name"),
            (
                json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": ""}}),
                "`metadata.name` is empty",
                "metadata.name",
            ),
            (
                json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "a", "namespace": 3}}),
                "`metadata.namespace` is not a text",
                "metadata.namespace",
            ),
        ] {
            let gaps = identity(&value).unwrap_err();
            let told: Vec<(&str, String)> = gaps.iter().map(|gap| (gap.said.as_str(), gap.place.join("."))).collect();
            assert_eq!(told, [(said, place.to_owned())], "{value}");
        }
    }

    #[test]
    fn a_place_has_the_line_of_its_field_or_of_what_it_belongs_to() {
        let document = "apiVersion: v1\nmetadata:\n  # The name.\n  nmae: a\nspec:\n  name: b\n";
        for (place, expected) in [
            (&["metadata", "nmae"][..], Some(4)),
            (&["metadata", "name"], Some(2)),
            (&["metadata"], Some(2)),
            (&["kind"], None),
            (&["name"], None),
        ] {
            let place: Vec<String> = place.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(line_of(document, &place), expected, "{place:?}");
        }
    }
}
