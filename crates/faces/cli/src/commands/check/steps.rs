//! The steps of a path like `spec.job.args[2]` through the object that it is about.
//!
//! Only the object tells what a point means: keys may hold points themselves.

use kobel_resources::problem::after;
use serde_json::Value;

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Into the field of this name.
    Field(String),
    /// Into the entry of a list, from 0.
    Entry(usize),
}

/// The steps of `path` as far as the object has them, and what stands at its end if all of them are there.
pub(super) fn walk<'a>(object: &'a Value, path: &str) -> (Vec<Step>, Option<&'a Value>) {
    let (mut steps, mut value, mut rest) = (Vec::new(), object, path);
    while !rest.is_empty() {
        let next = match value {
            Value::Object(members) => {
                let text = rest.strip_prefix('.').unwrap_or(rest);
                let fitting = members.iter().filter_map(|(key, inner)| Some((key, inner, after(text, key)?)));
                let longest = fitting.max_by_key(|(key, _, _)| key.len());
                longest.map(|(key, inner, rest)| (Step::Field(key.clone()), inner, rest))
            }
            Value::Array(entries) => entry(rest, entries),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        };
        let Some((step, inner, left)) = next else {
            return (steps, None);
        };
        steps.push(step);
        (value, rest) = (inner, left);
    }
    (steps, Some(value))
}

/// The part of a schema that is about what the steps lead to.
pub(super) fn node<'a>(schema: &'a Value, steps: &[Step]) -> Option<&'a Value> {
    steps.iter().try_fold(schema, |node, step| match step {
        Step::Field(name) => {
            let named = node.get("properties").and_then(|properties| properties.get(name));
            named.or_else(|| node.get("additionalProperties"))
        }
        Step::Entry(_) => node.get("items"),
    })
}

fn entry<'a, 'p>(path: &'p str, entries: &'a [Value]) -> Option<(Step, &'a Value, &'p str)> {
    let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
    let index = index.parse().ok()?;
    Some((Step::Entry(index), entries.get(index)?, rest))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_is_followed_as_far_as_it_goes() {
        let object = json!({"a": {"b": 1, "b.c": 2, "d": [1, {"e": 3}]}});
        let field = |name: &str| Step::Field(name.to_owned());
        for (path, steps, expected) in [
            ("", vec![], Some(object.clone())),
            ("a.b", vec![field("a"), field("b")], Some(json!(1))),
            ("a.b.c", vec![field("a"), field("b.c")], Some(json!(2))),
            ("a[b.c]", vec![field("a"), field("b.c")], Some(json!(2))),
            ("a.d[1].e", vec![field("a"), field("d"), Step::Entry(1), field("e")], Some(json!(3))),
            ("a.d[7]", vec![field("a"), field("d")], None),
            ("a.x", vec![field("a")], None),
            ("x", vec![], None),
        ] {
            assert_eq!(walk(&object, path), (steps, expected.as_ref()), "{path}");
        }
    }

    #[test]
    fn a_schema_is_followed_by_the_same_steps() {
        let schema = json!({"properties": {"a": {"items": {"additionalProperties": {"type": "string"}}}}});
        let steps = [Step::Field("a".to_owned()), Step::Entry(3), Step::Field("any".to_owned())];
        assert_eq!(node(&schema, &steps), Some(&json!({"type": "string"})));
        assert_eq!(node(&schema, &[Step::Entry(0)]), None);
    }
}
