//! Who manages which fields of an object, as the API server keeps it.
//!
//! # Source
//! `csaupgrade.UpgradeManagedFields` of client-go.

use serde_json::{Value, json};

/// Who the fields belong to that are applied or created here.
pub(super) const MANAGER: &str = "kobel-operator";

/// What is changed of an object that was applied so that what was once created here counts as applied too; nothing if
/// nothing was.
pub(super) fn adopted(object: &Value) -> Option<Value> {
    let managers = object.pointer("/metadata/managedFields")?.as_array()?;
    let created = managers.iter().find(|entry| is_ours(entry, "Update"))?.get("fieldsV1")?;
    let kept = managers.iter().filter(|entry| !is_ours(entry, "Update")).map(|entry| {
        let mut entry = entry.clone();
        if is_ours(&entry, "Apply")
            && let Some(fields) = entry.get_mut("fieldsV1")
        {
            unite(fields, created);
        }
        entry
    });
    let kept: Vec<Value> = kept.collect();
    let version = object.pointer("/metadata/resourceVersion");
    Some(json!({ "metadata": { "resourceVersion": version, "managedFields": kept } }))
}

/// Whether an entry tells what we manage, by this operation.
fn is_ours(entry: &Value, operation: &str) -> bool {
    let is = |key: &str, text: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default() == text;
    is("manager", MANAGER) && is("operation", operation) && is("subresource", "")
}

/// Adds fields to others. A field is a key, and what is below it is its value.
fn unite(fields: &mut Value, others: &Value) {
    let (Some(fields), Some(others)) = (fields.as_object_mut(), others.as_object()) else { return };
    for (key, below) in others {
        match fields.get_mut(key) {
            Some(known) => unite(known, below),
            None => drop(fields.insert(key.clone(), below.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1",
            "fieldsV1": fields})
    }

    #[test]
    fn what_was_created_counts_as_applied_from_then_on() {
        let applied = json!({"f:data": {"f:a": {}}});
        let created = json!({"f:data": {"f:a": {}, "f:old": {}}, "f:metadata": {"f:labels": {".": {}}}});
        let theirs = entry("kubectl", "Update", &json!({"f:data": {"f:theirs": {}}}));
        let mut status = entry(MANAGER, "Update", &json!({"f:status": {}}));
        status["subresource"] = json!("status");
        let object = |managers: Value| json!({"metadata": {"resourceVersion": "7", "managedFields": managers}});
        let both =
            [theirs.clone(), entry(MANAGER, "Update", &created), entry(MANAGER, "Apply", &applied), status.clone()];
        let expected = json!({"metadata": {"resourceVersion": "7", "managedFields": [
            theirs, entry(MANAGER, "Apply", &created), status]}});
        assert_eq!(adopted(&object(json!(both))), Some(expected.clone()));
        assert_eq!(adopted(&expected), None, "it is done once");
        assert_eq!(adopted(&object(json!([]))), None);
        assert_eq!(adopted(&json!({})), None);
    }
}
