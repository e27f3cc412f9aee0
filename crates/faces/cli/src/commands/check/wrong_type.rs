//! What is said of a value of the wrong type: the value, what is expected, and how it is written.
//!
//! Values of fields with the names of secrets are not shown, nor what is inside of objects.

use kobel_model::nearest;
use kobel_model::settings::is_secret;
use serde_json::Value;

use super::steps::Step;

/// The longest rendering of a value, in characters; what is longer is cut.
const SHOWN_MAX: usize = 60;
/// How many fields of an object are named.
const FIELDS_MAX: usize = 4;
/// The fields that nearly every manifest sets; they are named before others.
const USUAL_FIELDS: [&str; 8] =
    ["jarURI", "parallelism", "upgradeMode", "state", "resource", "replicas", "memory", "cpu"];

/// Tells what stands where `steps` lead, and what the schema of the place expects.
pub(super) fn told(steps: &[Step], schema: &Value, found: &Value) -> String {
    let is_hidden = steps.iter().any(|step| matches!(step, Step::Field(name) if is_secret(name)));
    let shown = if is_hidden { "the value".to_owned() } else { format!("`{}`", shown(found)) };
    let (wanted, example) = wanted(schema, if is_hidden { &Value::Null } else { found });
    let example = match steps.last() {
        Some(Step::Field(name)) => format!("{name}: {example}"),
        Some(Step::Entry(_)) => format!("- {example}"),
        None => example,
    };
    format!("{shown} is {}, and {wanted} is expected; write it like `{example}`", type_of(found))
}

/// The words for what a schema expects, and a value of that kind, close to the one that was found.
fn wanted(schema: &Value, found: &Value) -> (String, String) {
    let choices: Vec<&str> =
        schema.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    if let Some(last) = choices.last() {
        let meant = meant(&plain(found), &choices).unwrap_or(last);
        return (format!("one of `{}`", choices.join("`, `")), meant.to_owned());
    }
    let own = |words: &str, example: String| (words.to_owned(), example);
    match schema.get("type").and_then(Value::as_str) {
        Some("integer") => own("a whole number", number(found).map_or("2".to_owned(), |it| format!("{it:.0}"))),
        Some("number") => own("a number", number(found).map_or("1".to_owned(), |it| it.to_string())),
        Some("boolean") => own("`true` or `false`", truth(found).to_string()),
        Some("string") => match found {
            Value::Bool(_) | Value::Number(_) => own("a text", format!("\"{found}\"")),
            _ => own("a text", "\"some text\"".to_owned()),
        },
        Some("array") => match found {
            Value::Bool(_) | Value::Number(_) => own("a list", format!("[{found}]")),
            Value::String(text) if text.chars().count() <= SHOWN_MAX => own("a list", format!("[{found}]")),
            _ => own("a list", "[first, second]".to_owned()),
        },
        Some("object") => object(schema),
        _ => own("a number or a text", "1".to_owned()),
    }
}

fn object(schema: &Value) -> (String, String) {
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let mut names: Vec<&str> = properties.map(|(name, _)| name.as_str()).collect();
    // The sort keeps the order of those that are not usual.
    let rank = |name: &str| USUAL_FIELDS.iter().position(|usual| *usual == name).unwrap_or(USUAL_FIELDS.len());
    names.sort_by_key(|name| rank(name));
    names.truncate(FIELDS_MAX);
    match names.first() {
        Some(first) => (format!("an object with fields such as `{}`", names.join("`, `")), format!("{{{first}: …}}")),
        None => ("an object".to_owned(), "{key: value}".to_owned()),
    }
}

/// The choice that a value stands for: `2.3` for `v2_3`, or one that is spelled nearly so.
fn meant<'a>(found: &str, choices: &[&'a str]) -> Option<&'a str> {
    let squeezed = |text: &str| text.chars().filter(|letter| letter.is_alphanumeric()).collect::<String>();
    let bare = squeezed(found);
    let same = choices.iter().copied().find(|choice| {
        let choice = squeezed(choice);
        !bare.is_empty() && (choice == bare || choice.strip_prefix('v') == Some(bare.as_str()))
    });
    same.or_else(|| nearest(found, choices.iter().copied()))
}

/// The number that a value was meant to be.
fn number(found: &Value) -> Option<f64> {
    match found {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        Value::Array(entries) => match &entries[..] {
            [Value::Number(number)] => number.as_f64(),
            _ => None,
        },
        Value::Null | Value::Bool(_) | Value::Object(_) => None,
    }
}

/// Whether a value was meant as true; what cannot be told is.
fn truth(found: &Value) -> bool {
    !["false", "no", "off", "0"].contains(&plain(found).to_lowercase().as_str())
}

fn plain(found: &Value) -> String {
    found.as_str().map_or_else(|| found.to_string(), str::to_owned)
}

/// The type of a value in words.
fn type_of(found: &Value) -> &'static str {
    match found {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A value on one line, cut when it is long.
fn shown(found: &Value) -> String {
    let text = match found {
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let names: Vec<&str> = members.keys().map(String::as_str).collect();
            format!("{{{}: …}}", names.join(": …, "))
        }
        Value::Array(entries) if entries.iter().any(|entry| entry.is_object() || entry.is_array()) => "[…]".to_owned(),
        plain => plain.to_string(),
    };
    if text.chars().count() <= SHOWN_MAX {
        return text;
    }
    let mut cut: String = text.chars().take(SHOWN_MAX).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_wrong_type_is_told_with_its_value_and_an_example() {
        let version = json!({"type": "string", "enum": ["v1_20", "v2_3"]});
        for (name, schema, found, expected) in [
            (
                "parallelism",
                json!({"type": "integer"}),
                json!("two"),
                "`\"two\"` is a text, and a whole number is expected; write it like `parallelism: 2`",
            ),
            (
                "parallelism",
                json!({"type": "integer", "format": "int32"}),
                json!("4"),
                "`\"4\"` is a text, and a whole number is expected; write it like `parallelism: 4`",
            ),
            (
                "parallelism",
                json!({"type": "integer"}),
                json!(1.4),
                "`1.4` is a number with a fraction, and a whole number is expected; write it like `parallelism: 1`",
            ),
            (
                "cpu",
                json!({"type": "number"}),
                json!([0.5]),
                "`[0.5]` is a list, and a number is expected; write it like `cpu: 0.5`",
            ),
            (
                "on",
                json!({"type": "boolean"}),
                json!("no"),
                "`\"no\"` is a text, and `true` or `false` is expected; write it like `on: false`",
            ),
            (
                "image",
                json!({"type": "string"}),
                json!(3),
                "`3` is a number, and a text is expected; write it like `image: \"3\"`",
            ),
            (
                "args",
                json!({"type": "array"}),
                json!("--x"),
                "`\"--x\"` is a text, and a list is expected; write it like `args: [\"--x\"]`",
            ),
            (
                "flinkVersion",
                version,
                json!(2.3),
                "`2.3` is a number with a fraction, and one of `v1_20`, `v2_3` is expected; write it like \
                 `flinkVersion: v2_3`",
            ),
            (
                "memory",
                json!({"x-kubernetes-int-or-string": true}),
                json!({"size": "x"}),
                "`{size: …}` is an object, and a number or a text is expected; write it like `memory: 1`",
            ),
        ] {
            assert_eq!(told(&[Step::Field(name.to_owned())], &schema, &found), expected);
        }
    }

    #[test]
    fn what_belongs_into_an_object_is_told_by_its_foremost_fields() {
        for (name, schema, found, expected) in [
            (
                "job",
                json!({"type": "object", "properties": {"args": {}}}),
                json!("a.jar"),
                "`\"a.jar\"` is a text, and an object with fields such as `args` is expected; write it like \
                 `job: {args: …}`",
            ),
            (
                "job",
                json!({
                    "type": "object",
                    "properties": {"args": {}, "parallelism": {}, "entryClass": {}, "jarURI": {}, "zone": {}},
                }),
                json!("orders"),
                "`\"orders\"` is a text, and an object with fields such as `jarURI`, `parallelism`, `args`, \
                 `entryClass` is expected; write it like `job: {jarURI: …}`",
            ),
        ] {
            assert_eq!(told(&[Step::Field(name.to_owned())], &schema, &found), expected);
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let steps = [Step::Field("apiToken".to_owned())];
        for (schema, found) in [
            (json!({"type": "array"}), json!("hunter2")),
            (json!({"type": "string"}), json!({"hidden": "hunter2"})),
            (json!({"type": "integer"}), json!(["hunter2"])),
        ] {
            let said = told(&steps, &schema, &found);
            assert!(!said.contains("hunter2") && said.starts_with("the value is "), "{said}");
        }
        let nested = told(&[Step::Field("a".to_owned())], &json!({"type": "string"}), &json!([{"b": "hunter2"}]));
        assert!(!nested.contains("hunter2"), "{nested}");
    }
}
