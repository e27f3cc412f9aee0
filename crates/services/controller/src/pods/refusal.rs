//! What the API says against an object, without the values that it quotes: they may be secret.

use kube::core::Status;

/// What stands before a value that is quoted.
const QUOTING: [&str; 6] =
    ["Invalid value: ", "Unsupported value: ", "Duplicate value: ", "Not found: ", "Too long: \"", ", got "];
/// What stands for a value.
const HIDDEN: &str = "…";

/// Why an object was refused: the fields and what is wrong with each of them, or else what the API says as a whole.
pub(super) fn of(status: &Status) -> String {
    let causes = status.details.as_ref().map(|details| details.causes.as_slice()).unwrap_or_default();
    let told = causes.iter().map(|cause| {
        let why = if cause.message.is_empty() { cause.reason.clone() } else { without_values(&cause.message) };
        if cause.field.is_empty() { why } else { format!("{}: {why}", cause.field) }
    });
    let told: Vec<String> = told.collect();
    let told = if told.is_empty() { without_values(&status.message) } else { told.join("; ") };
    if status.reason.is_empty() { told } else { format!("{told} ({})", status.reason) }
}

/// A text in which each value that is quoted is hidden.
fn without_values(text: &str) -> String {
    let (mut told, mut rest) = (String::new(), text);
    loop {
        let places =
            QUOTING.iter().filter_map(|before| rest.find(before).map(|place| (place, before.trim_end_matches('"'))));
        let Some((place, before)) = places.min_by_key(|(place, _)| *place) else { break };
        let (kept, value) = rest.split_at(place.saturating_add(before.len()));
        told.push_str(kept);
        told.push_str(HIDDEN);
        rest = value.get(length(value)..).unwrap_or_default();
    }
    told + rest
}

/// How long a value is that a text begins with: up to what ends it outside of its quotes and brackets. One that does not end
/// takes the whole text.
fn length(text: &str) -> usize {
    let (mut depth, mut is_quoted, mut is_escaped) = (0_usize, false, false);
    for (place, letter) in text.char_indices() {
        let rest = text.get(place..).unwrap_or_default();
        let is_over = depth == 0 && (rest.starts_with(": ") || rest.starts_with(", ") || rest.starts_with(']'));
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            _ if is_over => return place,
            '{' | '[' | '(' => depth = depth.saturating_add(1),
            '}' | ']' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(value: serde_json::Value) -> Status {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_is_wrong_is_told_by_field_and_without_the_value() {
        let refused = status(json!({
            "code": 422,
            "reason": "Invalid",
            "message": "Deployment.apps \"orders\" is invalid: metadata.labels: Invalid value: \"hunter2 x\": no",
            "details": {"causes": [
                {"reason": "FieldValueInvalid", "field": "metadata.labels",
                    "message": "Invalid value: \"hunter2 \\\": x\": a valid label must be short"},
                {"reason": "FieldValueRequired", "field": "spec.selector", "message": "Required value"},
                {"reason": "FieldValueNotSupported"},
            ]},
        }));
        let expected = "metadata.labels: Invalid value: …: a valid label must be short; spec.selector: Required value; \
                        FieldValueNotSupported (Invalid)";
        assert_eq!(of(&refused), expected);
    }

    #[test]
    fn values_of_every_kind_are_hidden() {
        for (text, expected) in [
            (r#"a: Invalid value: "x": no, b: Required value"#, "a: Invalid value: …: no, b: Required value"),
            (
                r#"[a: Invalid value: "x, y": no, b: Duplicate value: "z"]"#,
                "[a: Invalid value: …: no, b: Duplicate value: …]",
            ),
            (
                r#"a: Invalid value: v1.Selector{Labels:map[string]string{"k: ":"x"}}: field is immutable"#,
                "a: Invalid value: …: field is immutable",
            ),
            (r#"a: Invalid value: {"k": "x: y"}: no"#, "a: Invalid value: …: no"),
            ("a: Invalid value: 12345: must be less", "a: Invalid value: …: must be less"),
            (r#"a: Invalid value: "never ended"#, "a: Invalid value: …"),
            (
                r#"a: Unsupported value: "x": supported values: "Always""#,
                r#"a: Unsupported value: …: supported values: "Always""#,
            ),
            (r#"a: Too long: "x": at most 3"#, "a: Too long: …: at most 3"),
            ("a: Too long: may not be more than 3 bytes", "a: Too long: may not be more than 3 bytes"),
            (".a: expected string, got &value.valueUnstructured{Value:12345}", ".a: expected string, got …"),
            ("nothing is quoted", "nothing is quoted"),
        ] {
            assert_eq!(without_values(text), expected);
        }
    }
}
