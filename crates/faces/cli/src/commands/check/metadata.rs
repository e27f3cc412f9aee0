//! What is wrong with the metadata of an object of any kind: fields that nobody knows, labels that are no texts.

use kobel_model::nearest;
use serde_json::{Value, json};

use super::finding::Finding;
use super::steps::Step;
use super::wrong_type;

/// The fields of `metadata`, as Kubernetes has them.
const FIELDS: [&str; 15] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Tells everything that is wrong with the metadata of an object.
pub(super) fn findings(object: &Value) -> Vec<Finding> {
    let Some(metadata) = object.get("metadata").and_then(Value::as_object) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for name in metadata.keys().filter(|name| !FIELDS.contains(&name.as_str())) {
        let near = nearest(name, FIELDS);
        let advice = near.map_or_else(
            || "what is yours belongs in `metadata.labels` or `metadata.annotations`".to_owned(),
            |near| format!("did you mean `metadata.{near}`?"),
        );
        findings.push(Finding::new(format!("metadata.{name}"), format!("unknown field; {advice}")));
    }
    for field in ["labels", "annotations"] {
        let path = format!("metadata.{field}");
        match metadata.get(field) {
            None | Some(Value::Null) => {}
            Some(Value::Object(texts)) => {
                for (name, value) in texts.iter().filter(|(_, value)| !value.is_string() && !value.is_null()) {
                    let said = wrong_type::told(&[Step::Field(name.clone())], &json!({"type": "string"}), value);
                    findings.push(Finding::new(format!("{path}.{name}"), said));
                }
            }
            Some(other) => {
                let said = wrong_type::told(&[Step::Field(field.to_owned())], &json!({"type": "object"}), other);
                findings.push(Finding::new(path, said));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_known_and_its_labels_are_texts() {
        let findings = findings(&json!({"metadata": {
            "name": "a", "labels": {"tier": 1, "kobel.dev/x": "y"}, "lables": {}, "owner": "me", "annotations": "a: b",
        }}));
        let told: Vec<String> = findings.iter().map(|one| format!("{}: {}", one.path, one.message)).collect();
        assert_eq!(
            told,
            [
                "metadata.lables: unknown field; did you mean `metadata.labels`?",
                "metadata.owner: unknown field; what is yours belongs in `metadata.labels` or `metadata.annotations`",
                "metadata.labels.tier: `1` is a number, and a text is expected; write it like `tier: \"1\"`",
                "metadata.annotations: `\"a: b\"` is a text, and an object is expected; write it like \
                 `annotations: {key: value}`",
            ]
        );
    }
}
