//! The custom resource definitions, and the compiled schema of each kind.
//!
//! The schemas hold no defaults: what is absent stays absent, so that a manifest comes back as it was written; the
//! door fills in what is needed. A null is dropped, as with the Apache operator's definitions.

mod rules;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;
use serde_json::Value;

use crate::blue_green::FlinkBlueGreenDeployment;
use crate::flink_deployment::FlinkDeployment;
use crate::schema::Schema;
use crate::session_job::FlinkSessionJob;
use crate::state_snapshot::FlinkStateSnapshot;

/// The API group of every kind.
pub const GROUP: &str = "flink.apache.org";

/// The version of every kind.
pub const VERSION: &str = "v1beta1";

/// Group and version as they stand in a manifest.
pub const API_VERSION: &str = "flink.apache.org/v1beta1";

/// The definitions of all kinds, as the embedded API has them.
pub fn crds() -> Vec<CustomResourceDefinition> {
    let mut definitions = vec![
        FlinkDeployment::crd(),
        FlinkSessionJob::crd(),
        FlinkStateSnapshot::crd(),
        FlinkBlueGreenDeployment::crd(),
    ];
    for definition in &mut definitions {
        for version in &mut definition.spec.versions {
            if let Some(schema) = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut()) {
                tidy(schema);
                // A canary is told by its label and may have no spec; the door asks the others for theirs.
                schema.required = None;
            }
        }
    }
    definitions
}

/// The definitions of all kinds for a cluster, whose API server checks some rules by itself.
pub fn clusters() -> Vec<CustomResourceDefinition> {
    let mut definitions = crds();
    definitions.iter_mut().for_each(rules::add);
    definitions
}

/// The definitions of all kinds for a cluster as YAML documents, ready for `kubectl apply`.
pub fn yaml() -> String {
    let documents: Vec<String> = documents().into_iter().map(|(_, text)| text).collect();
    documents.join("---\n")
}

/// The definition of each kind for a cluster as a YAML document, with its name: `flinkdeployments.flink.apache.org`.
pub fn documents() -> Vec<(String, String)> {
    let name = |definition: &CustomResourceDefinition| definition.metadata.name.clone().unwrap_or_default();
    clusters().iter().map(|definition| (name(definition), document(definition))).collect()
}

/// The OpenAPI schema of a kind; null for a kind that is none of ours.
pub fn openapi(kind: &str) -> &'static Value {
    known().get(kind).map_or(&Value::Null, |known| &known.openapi)
}

/// The compiled schema of a kind; one that knows no field for a kind that is none of ours.
pub fn root_schema(kind: &str) -> &'static Schema {
    static UNKNOWN: OnceLock<Schema> = OnceLock::new();
    match known().get(kind) {
        Some(known) => &known.schema,
        None => UNKNOWN.get_or_init(Default::default),
    }
}

/// What is kept of a kind.
struct Known {
    openapi: Value,
    schema: Schema,
}

/// All kinds by name, made once.
fn known() -> &'static BTreeMap<String, Known> {
    static KNOWN: OnceLock<BTreeMap<String, Known>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        crds().into_iter().map(|definition| (definition.spec.names.kind.clone(), keep(definition))).collect()
    })
}

/// Compiles the schema of one kind. That every one compiles is tested; none depends on input.
fn keep(definition: CustomResourceDefinition) -> Known {
    let mut versions = definition.spec.versions.into_iter();
    let schema = versions.next().and_then(|version| version.schema?.open_api_v3_schema);
    let openapi = serde_json::to_value(schema).unwrap_or_default();
    let schema = Schema::compile(&openapi).unwrap_or_default();
    Known { openapi, schema }
}

/// One definition as a YAML document.
fn document(definition: &CustomResourceDefinition) -> String {
    let value = serde_json::to_value(definition).unwrap_or_default();
    // JSON is YAML too, so there is always a document.
    let mut text = serde_saphyr::to_string(&value).unwrap_or_else(|_| value.to_string());
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Removes what the generator adds for Rust's `Option`, and line breaks inside descriptions.
fn tidy(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    schema.default = None;
    if let Some(words) = &mut schema.enum_ {
        words.retain(|word| !word.0.is_null());
    }
    if let Some(description) = &mut schema.description {
        *description = description.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    for property in schema.properties.iter_mut().flat_map(BTreeMap::values_mut) {
        tidy(property);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        tidy(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(additional)) = &mut schema.additional_properties {
        tidy(additional);
    }
}
