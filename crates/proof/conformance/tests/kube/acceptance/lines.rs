//! Objects as lines, each a path and a value, so that one cluster can be held against another line by line.
//!
//! An element of a list is named by what tells it apart from the others, and not by its place: what one more volume
//! changes is the line with the names of all, and the lines of that volume. What an object holds as a text stands under
//! the name of the file that it becomes.

use serde_json::Value;

/// The fields that may tell the elements of a list apart; of a mount, its name does not.
const KEYS: [&str; 2] = ["mountPath", "name"];
/// The fields that stand in the title of an object.
const TITLE: [&str; 2] = ["kind", "metadata.name"];

/// Every value of every object.
pub(crate) fn of(objects: &[Value]) -> Vec<String> {
    let mut lines = Vec::new();
    for object in objects {
        let text = |place: &str| object.pointer(place).and_then(Value::as_str).unwrap_or_default();
        let title = format!("{} {}", text("/kind"), text("/metadata/name"));
        append(&title, "", object, &mut lines);
    }
    lines
}

fn append(title: &str, path: &str, value: &Value, lines: &mut Vec<String>) {
    match value {
        _ if TITLE.contains(&path) => {}
        Value::Object(fields) if !fields.is_empty() => {
            for (name, field) in fields {
                let at = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                append(title, &at, field, lines);
            }
        }
        Value::Array(elements) if elements.iter().any(Value::is_object) => list(title, path, elements, lines),
        Value::String(text) if text.contains('\n') => file(title, path, text, lines),
        _ => lines.push(format!("{title}: {path} = {value}")),
    }
}

fn list(title: &str, path: &str, elements: &[Value], lines: &mut Vec<String>) {
    let Some((key, names)) = KEYS.iter().find_map(|key| Some((*key, names(elements, key)?))) else {
        for (place, element) in elements.iter().enumerate() {
            append(title, &format!("{path}[{place}]"), element, lines);
        }
        return;
    };
    lines.push(format!("{title}: {path} = [{}]", names.join(", ")));
    for (name, element) in names.iter().zip(elements) {
        for (field, value) in element.as_object().into_iter().flatten().filter(|(field, _)| *field != key) {
            append(title, &format!("{path}[{name}].{field}"), value, lines);
        }
    }
}

/// What each element has under a key, if that tells them apart.
fn names<'a>(elements: &'a [Value], key: &str) -> Option<Vec<&'a str>> {
    let names: Vec<&str> = elements.iter().map(|element| element.get(key)?.as_str()).collect::<Option<_>>()?;
    let mut told_apart = names.clone();
    told_apart.sort_unstable();
    told_apart.dedup();
    (told_apart.len() == names.len()).then_some(names)
}

/// A text of several lines: JSON as its values, anything else line by line.
fn file(title: &str, path: &str, text: &str, lines: &mut Vec<String>) {
    let name = path.strip_prefix("data.").unwrap_or(path);
    lines.push(format!("{title}: {path} = as follows"));
    match serde_json::from_str::<Value>(text) {
        Ok(value) => append(name, "", &value, lines),
        Err(_) => lines.extend(text.lines().map(|line| format!("{name} | {line}"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn elements_are_called_by_what_tells_them_apart() {
        let object = json!({
            "kind": "Pod",
            "metadata": {"name": "a", "labels": {}},
            "spec": {
                "containers": [
                    {"name": "c", "args": ["x", "y"], "volumeMounts": [{"name": "v", "mountPath": "/m"}]},
                    {"name": "b", "ports": [{"name": "rest"}]},
                ],
                "tolerations": [{"key": "k"}, {"key": "l"}],
            },
            "data": {"one.yaml": "b: 1\na: 2\n", "two.yaml": "{\n\"kind\": \"Pod\", \"x\": {\"y\": true}}"},
        });
        let expected = [
            "Pod a: metadata.labels = {}",
            "Pod a: spec.containers = [c, b]",
            "Pod a: spec.containers[c].args = [\"x\",\"y\"]",
            "Pod a: spec.containers[c].volumeMounts = [/m]",
            "Pod a: spec.containers[c].volumeMounts[/m].name = \"v\"",
            "Pod a: spec.containers[b].ports = [rest]",
            "Pod a: spec.tolerations[0].key = \"k\"",
            "Pod a: spec.tolerations[1].key = \"l\"",
            "Pod a: data.one.yaml = as follows",
            "one.yaml | b: 1",
            "one.yaml | a: 2",
            "Pod a: data.two.yaml = as follows",
            "two.yaml: x.y = true",
        ];
        assert_eq!(of(&[object]), expected);
    }
}
