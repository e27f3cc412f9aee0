//! Kubernetes' own kinds that are served here, with schemas written down in files beside this one.
//!
//! Their columns are computed where tables are made, so none stand here.

use kobel_resources::schema::Schema;
use serde_json::Value;

use crate::kind::{Kind, Reviewer, Scope};
use crate::reviewers;

/// The API group of roles and their bindings.
const RBAC: &str = "rbac.authorization.k8s.io";

/// What is written down of a core kind.
struct Entry {
    group: &'static str,
    kind: &'static str,
    plural: &'static str,
    singular: &'static str,
    short_name: Option<&'static str>,
    scope: Scope,
    status: Status,
    schema: &'static str,
    reviewer: Option<Reviewer>,
}

/// Whether the status has a path of its own.
#[derive(PartialEq, Eq)]
enum Status {
    Own,
    None,
}

/// Makes an entry of a namespaced kind without a status.
const fn entry(
    group: &'static str,
    kind: &'static str,
    plural: &'static str,
    singular: &'static str,
    schema: &'static str,
) -> Entry {
    let (scope, status) = (Scope::Namespaced, Status::None);
    Entry { group, kind, plural, singular, short_name: None, scope, status, schema, reviewer: None }
}

/// Every core kind, in the order in which discovery lists them.
const ENTRIES: [Entry; 10] = [
    Entry {
        short_name: Some("cm"),
        ..entry("", "ConfigMap", "configmaps", "configmap", include_str!("configmaps.json"))
    },
    Entry { short_name: Some("ev"), ..entry("", "Event", "events", "event", include_str!("events.json")) },
    Entry {
        short_name: Some("ns"),
        scope: Scope::Cluster,
        status: Status::Own,
        ..entry("", "Namespace", "namespaces", "namespace", include_str!("namespaces.json"))
    },
    entry("", "Secret", "secrets", "secret", include_str!("secrets.json")),
    Entry {
        short_name: Some("sa"),
        ..entry("", "ServiceAccount", "serviceaccounts", "serviceaccount", include_str!("serviceaccounts.json"))
    },
    entry("coordination.k8s.io", "Lease", "leases", "lease", include_str!("leases.json")),
    Entry {
        short_name: Some("ev"),
        ..entry("events.k8s.io", "Event", "events", "event", include_str!("events.events.k8s.io.json"))
    },
    Entry {
        scope: Scope::Cluster,
        reviewer: Some(reviewers::bindings::cluster_role_binding),
        ..entry(
            RBAC,
            "ClusterRoleBinding",
            "clusterrolebindings",
            "clusterrolebinding",
            include_str!("clusterrolebindings.json"),
        )
    },
    Entry {
        scope: Scope::Cluster,
        ..entry(RBAC, "ClusterRole", "clusterroles", "clusterrole", include_str!("clusterroles.json"))
    },
    Entry {
        reviewer: Some(reviewers::bindings::role_binding),
        ..entry(RBAC, "RoleBinding", "rolebindings", "rolebinding", include_str!("rolebindings.json"))
    },
];

/// The core kinds.
pub fn kinds() -> Vec<Kind> {
    ENTRIES.iter().map(kind).collect()
}

/// Makes a kind of what is written down. That every schema is JSON and compiles is tested; none depends on input.
fn kind(entry: &Entry) -> Kind {
    let openapi: Value = serde_json::from_str(entry.schema).unwrap_or_default();
    Kind {
        group: entry.group.to_owned(),
        version: "v1".to_owned(),
        kind: entry.kind.to_owned(),
        plural: entry.plural.to_owned(),
        singular: entry.singular.to_owned(),
        short_names: entry.short_name.map(str::to_owned).into_iter().collect(),
        categories: Vec::new(),
        scope: entry.scope,
        columns: Vec::new(),
        schema: Schema::compile(&openapi).unwrap_or_default(),
        openapi,
        has_status: entry.status == Status::Own,
        scale: None,
        is_custom: false,
        reviewer: entry.reviewer,
    }
}
