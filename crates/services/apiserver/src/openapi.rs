//! OpenAPI: the schemas of all kinds and the calls on them, as `kubectl explain`, `apply` and `diff` read them.
//!
//! Documents are made at the first question and kept; each is named by its hash, so that clients may keep it too.

mod metadata;
mod names;
mod paths;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use self::names::{PREFIX_V2, PREFIX_V3, schema_name};
use crate::discovery::Catalog;
use crate::kind::Kind;

/// The documents of a catalog.
#[derive(Debug, Default)]
pub struct OpenApi {
    v3: OnceLock<BTreeMap<String, (Bytes, String)>>,
    v2: OnceLock<Bytes>,
}

impl OpenApi {
    /// `/openapi/v3`: where the documents are.
    pub fn index(&self, catalog: &Catalog) -> Value {
        let paths = self.documents(catalog).iter().map(|(path, (_, hash))| {
            (path.clone(), json!({"serverRelativeURL": format!("/openapi/v3/{path}?hash={hash}")}))
        });
        json!({"paths": Map::from_iter(paths)})
    }

    /// `/openapi/v3/PATH`: the document of a group and version.
    pub fn document(&self, catalog: &Catalog, path: &str) -> Option<Bytes> {
        self.documents(catalog).get(path).map(|(document, _)| document.clone())
    }

    /// `/openapi/v2`: everything in one document.
    pub fn whole(&self, catalog: &Catalog) -> Bytes {
        let make = || {
            let mut definitions = metadata::schemas(PREFIX_V2);
            let mut calls = Map::new();
            for kind in catalog.kinds() {
                definitions.extend(schemas(kind, PREFIX_V2));
                calls.extend(paths::of_kind(kind, paths::Edition::V2));
            }
            let document = json!({"swagger": "2.0", "info": info(), "paths": calls, "definitions": definitions});
            Bytes::from(document.to_string())
        };
        self.v2.get_or_init(make).clone()
    }

    fn documents(&self, catalog: &Catalog) -> &BTreeMap<String, (Bytes, String)> {
        self.v3.get_or_init(|| {
            let of = |(group, version): (String, String)| {
                let kinds: Vec<&Arc<Kind>> =
                    catalog.kinds().iter().filter(|kind| kind.group == group && kind.version == version).collect();
                let path = if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") };
                let text = document(&kinds);
                let hash: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02X}")).collect();
                (path, (Bytes::from(text), hash))
            };
            catalog.versions().into_iter().map(of).collect()
        })
    }
}

fn info() -> Value {
    json!({"title": "Kubernetes", "version": env!("CARGO_PKG_VERSION")})
}

fn document(kinds: &[&Arc<Kind>]) -> String {
    let mut components = metadata::schemas(PREFIX_V3);
    let mut calls = Map::new();
    for kind in kinds {
        components.extend(schemas(kind, PREFIX_V3));
        calls.extend(paths::of_kind(kind, paths::Edition::V3));
    }
    json!({"openapi": "3.0.0", "info": info(), "paths": calls, "components": {"schemas": components}}).to_string()
}

/// The schemas of a kind and of its list.
fn schemas(kind: &Kind, prefix: &str) -> Vec<(String, Value)> {
    let name = schema_name(kind);
    let of = |name: &str| json!([{"group": kind.group, "kind": name, "version": kind.version}]);
    let mut schema = kind.openapi.clone();
    if let Some(root) = schema.as_object_mut() {
        let reference = json!({"$ref": format!("{prefix}{}", metadata::OBJECT_META)});
        let meta = json!({"description": "The object's metadata.", "allOf": [reference]});
        if let Some(properties) = root.get_mut("properties").and_then(Value::as_object_mut) {
            properties.insert("metadata".to_owned(), meta);
        }
        root.insert("x-kubernetes-group-version-kind".to_owned(), of(&kind.kind));
    }
    let text = |description: &str| json!({"type": "string", "description": description});
    let list = json!({
        "type": "object",
        "description": format!("A list of {}.", kind.kind),
        "required": ["items"],
        "properties": {
            "apiVersion": text("The group and version of this list."),
            "items": {
                "type": "array", "description": "The objects.",
                "items": {"allOf": [{"$ref": format!("{prefix}{name}")}]},
            },
            "kind": text("The kind of this list."),
            "metadata": {
                "description": "The list's metadata.",
                "allOf": [{"$ref": format!("{prefix}{}", metadata::LIST_META)}],
            },
        },
        "x-kubernetes-group-version-kind": of(&kind.list_kind()),
    });
    vec![(name.clone(), schema), (format!("{name}List"), list)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::Kinds;

    fn document_of(path: &str) -> Value {
        let catalog = Catalog::new(Kinds::all().iter().cloned().collect());
        serde_json::from_slice(&OpenApi::default().document(&catalog, path).unwrap()).unwrap()
    }

    #[test]
    fn patches_tell_their_parameters_and_their_kind() {
        let document = document_of("apis/flink.apache.org/v1beta1");
        let path = "/apis/flink.apache.org/v1beta1/namespaces/{namespace}/flinkdeployments/{name}";
        let patch = &document["paths"][path]["patch"];
        assert_eq!(patch["x-kubernetes-group-version-kind"]["kind"], "FlinkDeployment");
        let names: Vec<&str> =
            patch["parameters"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
        for name in ["dryRun", "fieldValidation", "fieldManager", "force"] {
            assert!(names.contains(&name), "{name} in {names:?}");
        }
        let content = patch["requestBody"]["content"].as_object().unwrap();
        assert!(!content.contains_key("application/strategic-merge-patch+json"), "custom kinds have no such patch");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let catalog = Catalog::new(Kinds::all().iter().cloned().collect());
        for path in OpenApi::default().index(&catalog)["paths"].as_object().unwrap().keys() {
            let document = document_of(path);
            let text = document.to_string();
            for reference in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
                let name = reference.split('"').next().unwrap();
                assert!(document["components"]["schemas"].get(name).is_some(), "{name} in {path}");
            }
        }
    }

    #[test]
    fn the_older_document_refers_within_itself() {
        let catalog = Catalog::new(Kinds::all().iter().cloned().collect());
        let document: Value = serde_json::from_slice(&OpenApi::default().whole(&catalog)).unwrap();
        assert_eq!(document["swagger"], "2.0");
        assert!(!document.to_string().contains("#/components"));
        assert!(document["definitions"].get("io.k8s.api.core.v1.ConfigMap").is_some());
    }
}
