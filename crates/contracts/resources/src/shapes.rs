//! Schemas of fields whose values are kept as they are written.
//!
//! Pod templates and configuration are other people's languages: they are kept whole and read at the door, and the
//! custom resource definitions stay small enough for `kubectl apply`.

use schemars::{Schema, SchemaGenerator, json_schema};

/// An object of which everything is kept.
pub(crate) fn free_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}

/// A number or a text.
pub(crate) fn int_or_string(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "x-kubernetes-int-or-string": true })
}

/// An object whose values are Kubernetes quantities.
pub(crate) fn quantities(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "additionalProperties": { "x-kubernetes-int-or-string": true } })
}
