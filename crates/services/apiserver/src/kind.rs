//! What a kind is: its names, its scope, its schema, its columns, its subresources, and who reviews its objects.
//!
//! Everything that discovery, OpenAPI, tables and admission know of a kind stands here once.

use kobel_resources::schema::Schema;
use kobel_resources::{Lookup, Review};
use serde_json::Value;

use crate::status::Resource;

/// Whether objects live in namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Each object is in a namespace.
    Namespaced,
    /// Objects have no namespace.
    Cluster,
}

/// One printed column besides the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Title.
    pub name: String,
    /// `string`, `integer`, `number`, `boolean`, `date`.
    pub kind: String,
    /// OpenAPI format, or empty.
    pub format: String,
    /// What it tells.
    pub description: String,
    /// 0 is always shown, 1 with `-o wide`.
    pub priority: i32,
    /// Where the value stands, as in a CRD: `.status.jobStatus.state`. Empty for columns computed by the kind.
    pub json_path: String,
}

/// Where the scale subresource reads and writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScalePaths {
    /// JSON path of the wanted replicas: `.spec.taskManager.replicas`.
    pub spec_replicas: String,
    /// JSON path of the observed replicas.
    pub status_replicas: String,
    /// JSON path of the label selector, if there is one.
    pub label_selector: Option<String>,
}

/// Reviews an object that already fits its schema: the object, the one that is stored now, and a lookup.
pub type Reviewer = fn(&Value, Option<&Value>, Lookup<'_>) -> Review;

/// A kind that the API serves.
#[derive(Debug)]
pub struct Kind {
    /// API group, empty for the core group.
    pub group: String,
    /// Version within the group.
    pub version: String,
    /// CamelCase name of one object.
    pub kind: String,
    /// Plural in paths.
    pub plural: String,
    /// Singular for `kubectl`.
    pub singular: String,
    /// Short names for `kubectl`.
    pub short_names: Vec<String>,
    /// Categories, such as `all`.
    pub categories: Vec<String>,
    /// Whether objects live in namespaces.
    pub scope: Scope,
    /// Columns of server-side tables, after `Name`; custom resources get `Age` at the end by themselves.
    pub columns: Vec<Column>,
    /// The schema of the whole object; `metadata` is an opaque object in it.
    pub schema: Schema,
    /// The OpenAPI v3 schema of the whole object that clients are told.
    pub openapi: Value,
    /// Whether status is written by a subresource of its own.
    pub has_status: bool,
    /// The scale subresource.
    pub scale: Option<ScalePaths>,
    /// Whether the kind is defined by a CustomResourceDefinition.
    pub is_custom: bool,
    /// Who looks at objects after their schema did.
    pub reviewer: Option<Reviewer>,
}

impl Kind {
    /// `group/version`, or the version alone in the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// The kind of a list of such objects.
    pub fn list_kind(&self) -> String {
        format!("{}List", self.kind)
    }

    /// How refusals name the resource.
    pub fn resource(&self) -> Resource<'_> {
        Resource { group: &self.group, plural: &self.plural }
    }

    /// Whether objects live in namespaces.
    pub fn is_namespaced(&self) -> bool {
        self.scope == Scope::Namespaced
    }
}
