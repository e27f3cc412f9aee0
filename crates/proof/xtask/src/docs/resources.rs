//! `docs/reference/resources.md`: every field of every kind, from the schemas that the API checks manifests with.

use serde_json::{Map, Value};

/// Where the page lies.
pub(super) const PAGE: &str = "docs/reference/resources.md";

const PREFACE: &str = "<!-- Made by `cargo xtask docs` from crates/contracts/resources: edit the doc comments there. -->\n\
    # Resources\n\
    \n\
    The fields of `flink.apache.org/v1beta1`, as `kubectl explain` shows them too. Lists end in `[]`, and `*` stands for a\n\
    name of your own. Rules that span several fields are told by the API when a manifest breaks them; see\n\
    [the resource API](../concepts/resource-api.md).\n";

/// The kind whose spec also stands in the templates of others.
const WHOLE: &str = "FlinkDeployment";

/// The page of all kinds, each with its spec and its status.
pub(super) fn page() -> String {
    let mut page = String::from(PREFACE);
    for definition in kobel_resources::crds() {
        let names = definition.spec.names;
        let schema = kobel_resources::crd::openapi(&names.kind);
        page.push_str(&format!("\n## {}\n\n{}\n\n", names.kind, text(schema, "description")));
        let mut words = vec![names.plural];
        words.extend(names.singular);
        words.extend(names.short_names.unwrap_or_default());
        page.push_str(&format!("In commands: `{}`.\n", words.join("`, `")));
        for part in ["spec", "status"] {
            let Some(fields) = schema.get("properties").and_then(|properties| properties.get(part)) else {
                continue;
            };
            page.push_str(&format!("\n### {} {part}\n\n| field | type | meaning |\n|---|---|---|\n", names.kind));
            describe_fields(&mut page, part, fields);
        }
    }
    page
}

/// A row for every field below `path`.
fn describe_fields(page: &mut String, path: &str, schema: &Value) {
    let none = Map::new();
    let fields = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    for (name, field) in fields {
        let at = format!("{path}.{name}");
        let mut meaning = text(field, "description").replace('|', "\\|");
        let is_whole = is_spec_of_a_deployment(field);
        if is_whole {
            meaning.push_str(&format!(" Its fields are those of `spec` of {WHOLE}."));
        }
        let required = if is_required(schema, name) { ", required" } else { "" };
        page.push_str(&format!("| `{at}` | {}{required} | {} |\n", kind_of(field), meaning.trim()));
        if !is_whole {
            describe_parts(page, &at, field);
        }
    }
}

/// The rows of what a field holds: its own fields, those of its elements, those of its values.
fn describe_parts(page: &mut String, at: &str, field: &Value) {
    describe_fields(page, at, field);
    if let Some(items) = field.get("items") {
        describe_parts(page, &format!("{at}[]"), items);
    }
    if let Some(values) = field.get("additionalProperties").filter(|values| values.is_object()) {
        describe_parts(page, &format!("{at}.*"), values);
    }
}

fn is_required(schema: &Value, name: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.is_some_and(|names| names.iter().any(|required| required == name))
}

fn is_spec_of_a_deployment(field: &Value) -> bool {
    let spec = kobel_resources::crd::openapi(WHOLE).pointer("/properties/spec/properties");
    spec.is_some() && field.get("properties") == spec
}

/// The type of a field in words, with the values that it allows.
fn kind_of(field: &Value) -> String {
    if let Some(values) = field.get("enum").and_then(Value::as_array) {
        let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        return format!("one of `{}`", values.join("`, `"));
    }
    if field.get("x-kubernetes-int-or-string").is_some() {
        return "number or text".to_owned();
    }
    let own = match text(field, "type") {
        "string" if text(field, "format") == "date-time" => "time",
        "string" => "text",
        "integer" => "whole number",
        "number" => "number",
        "boolean" => "`true` or `false`",
        "array" => return format!("list of {}", field.get("items").map_or("anything".to_owned(), kind_of)),
        "object" => return kind_of_object(field),
        _ => "anything",
    };
    own.to_owned()
}

fn kind_of_object(field: &Value) -> String {
    if field.get("properties").is_some() {
        return "object".to_owned();
    }
    match field.get("additionalProperties").filter(|values| values.is_object()) {
        Some(values) => format!("map of names to {}", kind_of(values)),
        None => "object, kept as it is".to_owned(),
    }
}

/// A text of a schema; empty if there is none.
fn text<'a>(schema: &'a Value, name: &str) -> &'a str {
    schema.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_resources_page_is_up_to_date() {
        let root = crate::workspace_root().unwrap();
        let found = std::fs::read_to_string(root.join(PAGE)).unwrap();
        assert!(found == page(), "{PAGE} is out of date; run `cargo xtask docs`");
    }

    #[test]
    fn every_field_has_a_row_with_its_type() {
        let schema = json!({"type": "object", "required": ["mode"], "properties": {
            "mode": {"type": "string", "enum": ["a", "b"], "description": "One | two."},
            "list": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
            "map": {"type": "object", "additionalProperties": {"x-kubernetes-int-or-string": true}},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        }});
        let mut page = String::new();
        describe_fields(&mut page, "spec", &schema);
        let expected = "\
            | `spec.mode` | one of `a`, `b`, required | One \\| two. |\n\
            | `spec.list` | list of object |  |\n\
            | `spec.list[].n` | whole number |  |\n\
            | `spec.map` | map of names to number or text |  |\n\
            | `spec.free` | object, kept as it is |  |\n";
        assert_eq!(page, expected);
    }

    #[test]
    fn the_template_of_a_pair_refers_to_the_deployment() {
        let page = page();
        assert!(page.contains("Its fields are those of `spec` of FlinkDeployment."), "no reference");
        assert!(!page.contains("spec.template.spec.job"), "the fields stand twice");
    }
}
