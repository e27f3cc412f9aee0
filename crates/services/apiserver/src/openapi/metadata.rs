//! The schemas that every kind shares: metadata of objects and of lists, and scales.

use serde_json::{Map, Value, json};

/// Where shared schemas stand.
const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";
/// The name of the schema of objects' metadata.
pub const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
/// The name of the schema of lists' metadata.
pub const LIST_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta";
/// The name of the schema of scales.
pub const SCALE: &str = "io.k8s.api.autoscaling.v1.Scale";

/// The shared schemas by name; references begin with `prefix`.
pub fn schemas(prefix: &str) -> Map<String, Value> {
    let reference = |name: &str| json!({"$ref": format!("{prefix}{META}.{name}")});
    let meta = |name: &str, schema: Value| (format!("{META}.{name}"), schema);
    Map::from_iter([
        (OBJECT_META.to_owned(), object_meta(&reference)),
        meta("OwnerReference", owner_reference()),
        meta("ManagedFieldsEntry", managed_fields(&reference)),
        meta("FieldsV1", described("object", "A set of fields in a trie.")),
        meta("Time", json!({"type": "string", "format": "date-time", "description": "A time in RFC 3339 form."})),
        (LIST_META.to_owned(), list_meta()),
        (SCALE.to_owned(), scale(prefix)),
    ])
}

fn described(kind: &str, description: &str) -> Value {
    json!({"type": kind, "description": description})
}

fn text_map(description: &str) -> Value {
    json!({"type": "object", "description": description, "additionalProperties": {"type": "string", "default": ""}})
}

fn referring(reference: Value, description: &str) -> Value {
    json!({"description": description, "allOf": [reference]})
}

fn object_meta(reference: &dyn Fn(&str) -> Value) -> Value {
    let list = |items: Value, description: &str| json!({"type": "array", "description": description, "items": items});
    let mut finalizers = list(json!({"type": "string", "default": ""}), "Who must agree before the object goes.");
    finalizers["x-kubernetes-list-type"] = json!("set");
    finalizers["x-kubernetes-patch-strategy"] = json!("merge");
    let mut owners = list(referring(reference("OwnerReference"), ""), "The objects that this object depends on.");
    owners["x-kubernetes-list-map-keys"] = json!(["uid"]);
    owners["x-kubernetes-list-type"] = json!("map");
    owners["x-kubernetes-patch-merge-key"] = json!("uid");
    owners["x-kubernetes-patch-strategy"] = json!("merge");
    let mut managed = list(
        referring(reference("ManagedFieldsEntry"), ""),
        "Which fields belong to which manager; kept by the server.",
    );
    managed["x-kubernetes-list-type"] = json!("atomic");
    let number = |description: &str| json!({"type": "integer", "format": "int64", "description": description});
    let properties = json!({
        "annotations": text_map("Texts that tools keep with the object; they cannot be selected by."),
        "creationTimestamp": referring(reference("Time"), "When the object was created. Read-only."),
        "deletionGracePeriodSeconds": number("Seconds that the object may take to end. Read-only."),
        "deletionTimestamp": referring(reference("Time"), "When the object is to go. Read-only."),
        "finalizers": finalizers,
        "generateName": described("string", "The beginning of a name that the server completes, if none is given."),
        "generation": number("Counts the changes of what is wanted. Read-only."),
        "labels": text_map("Texts by which objects are selected."),
        "managedFields": managed,
        "name": described("string", "The object's name, unique within its kind and namespace. It cannot be changed."),
        "namespace": described("string", "The namespace in which the name is unique. It cannot be changed."),
        "ownerReferences": owners,
        "resourceVersion": described("string", "The version of this state; an update of another version is refused."),
        "selfLink": described("string", "Not used."),
        "uid": described("string", "Unique in time and space. Read-only."),
    });
    json!({
        "type": "object",
        "description": "The metadata that every object has.",
        "properties": properties,
    })
}

fn owner_reference() -> Value {
    json!({
        "type": "object",
        "description": "Names an owner of an object, in the same namespace or without one.",
        "required": ["apiVersion", "kind", "name", "uid"],
        "properties": {
            "apiVersion": described("string", "Group and version of the owner."),
            "blockOwnerDeletion": described("boolean", "Whether a foreground delete of the owner waits."),
            "controller": described("boolean", "Whether the owner is the one that manages the object."),
            "kind": described("string", "Kind of the owner."),
            "name": described("string", "Name of the owner."),
            "uid": described("string", "Unique id of the owner."),
        },
        "x-kubernetes-map-type": "atomic",
    })
}

fn managed_fields(reference: &dyn Fn(&str) -> Value) -> Value {
    json!({
        "type": "object",
        "description": "The fields that belong to a manager.",
        "properties": {
            "apiVersion": described("string", "The version in which the fields are named."),
            "fieldsType": described("string", "The form of the fields: `FieldsV1`."),
            "fieldsV1": referring(reference("FieldsV1"), "The fields."),
            "manager": described("string", "The manager."),
            "operation": described("string", "`Apply` or `Update`."),
            "subresource": described("string", "The part of the object through which they were written."),
            "time": referring(reference("Time"), "When they were written last."),
        },
    })
}

fn list_meta() -> Value {
    json!({
        "type": "object",
        "description": "The metadata that every list has.",
        "properties": {
            "continue": described("string", "Where the next page begins, if there is one."),
            "remainingItemCount": {
                "type": "integer", "format": "int64", "description": "How many objects the next pages have.",
            },
            "resourceVersion": described("string", "The version of the list; a watch goes on from there."),
            "selfLink": described("string", "Not used."),
        },
    })
}

fn scale(prefix: &str) -> Value {
    let replicas = |description: &str| json!({"type": "integer", "format": "int32", "description": description});
    json!({
        "type": "object",
        "description": "How many replicas of something there are and should be.",
        "properties": {
            "apiVersion": described("string", "The group and version of this object."),
            "kind": described("string", "The kind of this object."),
            "metadata": referring(json!({"$ref": format!("{prefix}{OBJECT_META}")}), "The object's metadata."),
            "spec": {"type": "object", "properties": {"replicas": replicas("How many are wanted.")}},
            "status": {
                "type": "object",
                "properties": {
                    "replicas": replicas("How many there are."),
                    "selector": described("string", "The labels of what is counted."),
                },
            },
        },
        "x-kubernetes-group-version-kind": [{"group": "autoscaling", "kind": "Scale", "version": "v1"}],
    })
}
