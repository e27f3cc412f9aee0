//! The definitions of the custom kinds as objects that can be read, so that clients find what they look for.
//!
//! They are made when the API starts and never change: a definition comes with the program.

use std::sync::Arc;

use kobel_resources::crd::crds;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::kind::{Kind, Scope};
use crate::object;
use crate::store::{Key, Stored};
use crate::surroundings::{Surroundings, show_seconds};

/// The definitions and their kind.
#[derive(Debug)]
pub struct Definitions {
    /// The kind of definitions.
    pub kind: Arc<Kind>,
    objects: Vec<Arc<Stored>>,
}

impl Definitions {
    /// Makes the definitions; they are as old as the API.
    pub fn new(surroundings: &dyn Surroundings) -> Self {
        let kind = Arc::new(kind());
        let resource = kind.resource().qualified();
        let created = show_seconds(surroundings.now());
        let mut objects: Vec<Arc<Stored>> = crds()
            .iter()
            .filter_map(|definition| serde_json::to_value(definition).ok())
            .map(|definition| {
                let object = established(definition, &created);
                Arc::new(Stored::of(Key::new(&resource, "", object::name(&object)), 1, object))
            })
            .collect();
        objects.sort_by(|one, other| one.key.cmp(&other.key));
        Self { kind, objects }
    }

    /// Every definition, by name.
    pub fn list(&self) -> Vec<Arc<Stored>> {
        self.objects.clone()
    }

    /// The definition of this name.
    pub fn get(&self, name: &str) -> Option<Arc<Stored>> {
        self.objects.iter().find(|object| *object.key.name == *name).cloned()
    }
}

fn kind() -> Kind {
    let text = |description: &str| json!({"type": "string", "description": description});
    let opaque = |description: &str| {
        let mut schema = json!({"type": "object", "description": description});
        schema["x-kubernetes-preserve-unknown-fields"] = json!(true);
        schema
    };
    Kind {
        group: "apiextensions.k8s.io".to_owned(),
        version: "v1".to_owned(),
        kind: "CustomResourceDefinition".to_owned(),
        plural: "customresourcedefinitions".to_owned(),
        singular: "customresourcedefinition".to_owned(),
        short_names: vec!["crd".to_owned(), "crds".to_owned()],
        categories: vec!["api-extensions".to_owned()],
        scope: Scope::Cluster,
        columns: Vec::new(),
        schema: Default::default(),
        openapi: json!({
            "type": "object",
            "description": "Defines a kind of resources. Definitions come with the program and cannot be changed.",
            "properties": {
                "apiVersion": text("The group and version of this object."),
                "kind": text("The kind of this object."),
                "metadata": {"type": "object"},
                "spec": opaque("The names and the schema of the kind."),
                "status": opaque("Whether the kind is served."),
            },
        }),
        has_status: false,
        scale: None,
        is_custom: false,
        reviewer: None,
    }
}

/// The definition as it stands once it is served.
fn established(mut definition: Value, created: &str) -> Value {
    let name = object::name(&definition).to_owned();
    let spec = definition.get("spec").cloned().unwrap_or_default();
    let names = spec.get("names").cloned().unwrap_or_default();
    let versions = spec.get("versions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let versions: Vec<&Value> = versions.iter().filter_map(|version| version.get("name")).collect();
    let condition = |kind: &str, reason: &str, message: &str| {
        json!({
            "lastTransitionTime": created, "message": message, "reason": reason, "status": "True", "type": kind,
        })
    };
    let conditions = json!([
        condition("NamesAccepted", "NoConflicts", "no conflicts found"),
        condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    ]);
    let status = json!({"acceptedNames": names, "conditions": conditions, "storedVersions": versions});
    let meta = object::meta_mut(&mut definition);
    meta.insert("uid".to_owned(), json!(uid_of(&name)));
    meta.insert("generation".to_owned(), json!(1));
    meta.insert("creationTimestamp".to_owned(), json!(created));
    definition["status"] = status;
    definition
}

/// A unique id that is the same each time the program starts.
fn uid_of(name: &str) -> String {
    let hex: String = Sha256::digest(name.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surroundings::Machine;

    #[test]
    fn every_custom_kind_has_an_established_definition() {
        let definitions = Definitions::new(&Machine);
        let found = definitions.get("flinkdeployments.flink.apache.org").unwrap().value();
        assert_eq!(found["kind"], "CustomResourceDefinition");
        assert_eq!(found["status"]["conditions"][1]["type"], "Established");
        assert_eq!(found["metadata"]["resourceVersion"], "1");
        assert_eq!(object::uid(&found).len(), 36);
        assert!(definitions.get("nobody.example").is_none());
        assert_eq!(definitions.list().len(), crds().len());
    }
}
