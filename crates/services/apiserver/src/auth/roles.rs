//! The built-in roles, and the objects that show them.
//!
//! An operator may write Secrets and not read them. So it has neither `patch` nor `delete` on them: the answers to both
//! can show what was stored.

use serde_json::{Value, json};

use crate::auth::rules::PolicyRule;
use crate::status::Answer;
use crate::store::{Key, Store};
use crate::surroundings::{Surroundings, show_seconds};

/// The API group of roles and bindings.
pub const RBAC: &str = "rbac.authorization.k8s.io";
/// The resource under which roles are stored.
pub const CLUSTER_ROLES: &str = "clusterroles.rbac.authorization.k8s.io";

const READ: &[&str] = &["get", "list", "watch"];
const WRITE: &[&str] = &["create", "delete", "deletecollection", "patch", "update"];

const SEES: &[PolicyRule] = &[
    PolicyRule::on(&["flink.apache.org"], &["*"], READ),
    PolicyRule::on(&[""], &["configmaps", "events", "namespaces", "namespaces/status", "serviceaccounts"], READ),
    PolicyRule::on(&["events.k8s.io"], &["events"], READ),
    PolicyRule::on(&["coordination.k8s.io"], &["leases"], READ),
    PolicyRule::on(&[RBAC], &["clusterrolebindings", "clusterroles", "rolebindings"], READ),
    // A path is in no namespace, so this counts only for those who have the role everywhere.
    PolicyRule::on_paths(&["/metrics"], &["get"]),
];

const RUNS: &[PolicyRule] = &[
    PolicyRule::on(&["flink.apache.org"], &["*"], WRITE),
    PolicyRule::on(&[""], &["configmaps", "events"], WRITE),
    PolicyRule::on(&[""], &["secrets"], &["create", "update"]),
    PolicyRule::on(&["events.k8s.io"], &["events"], WRITE),
    PolicyRule::on(&["coordination.k8s.io"], &["leases"], WRITE),
];

const ADMINISTERS: &[PolicyRule] = &[
    PolicyRule::on(&[""], &["secrets"], READ),
    PolicyRule::on(&[""], &["secrets", "serviceaccounts"], WRITE),
    PolicyRule::on(&[""], &["serviceaccounts/token"], &["create"]),
    PolicyRule::on(&[RBAC], &["rolebindings"], WRITE),
];

const EVERYTHING: &[PolicyRule] = &[PolicyRule::on(&["*"], &["*"], &["*"]), PolicyRule::on_paths(&["*"], &["*"])];

/// What everybody may do.
pub const PUBLIC: &[PolicyRule] = &[PolicyRule::on_paths(
    &["/healthz", "/livez", "/livez/*", "/readyz", "/readyz/*", "/version", "/version/"],
    &["get"],
)];

/// What everybody may do whose token is known: learn what is served, and what they may do.
pub const BASIC: &[PolicyRule] = &[
    PolicyRule::on(&["authorization.k8s.io"], &["selfsubjectaccessreviews", "selfsubjectrulesreviews"], &["create"]),
    PolicyRule::on(&["authentication.k8s.io"], &["selfsubjectreviews"], &["create"]),
    PolicyRule::on_paths(&["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"], &["get"]),
];

/// A role: a name, and the lists of rules that it is made of.
#[derive(Debug, Clone, Copy)]
pub struct Role {
    /// The name under which it is given.
    pub name: &'static str,
    parts: &'static [&'static [PolicyRule]],
}

impl Role {
    /// The rules of the role.
    pub fn rules(&self) -> impl Iterator<Item = &'static PolicyRule> + use<> {
        self.parts.iter().flat_map(|part| part.iter())
    }

    /// The role as the object that shows it, but for what the server adds.
    fn to_json(self) -> Value {
        let rules: Vec<Value> = self.rules().map(|rule| rule.to_json()).collect();
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": self.name, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
            "rules": rules,
        })
    }
}

const VIEWER: &[&[PolicyRule]] = &[SEES];
const OPERATOR: &[&[PolicyRule]] = &[SEES, RUNS];
const ADMIN: &[&[PolicyRule]] = &[SEES, RUNS, ADMINISTERS];
const CLUSTER_ADMIN: &[&[PolicyRule]] = &[EVERYTHING];

/// The role of those who may do everything.
pub const MASTER: Role = Role { name: "cluster-admin", parts: CLUSTER_ADMIN };

/// Every role; the names that Kubernetes has for such roles give the same rules.
pub const ROLES: &[Role] = &[
    Role { name: "admin", parts: ADMIN },
    MASTER,
    Role { name: "edit", parts: OPERATOR },
    Role { name: "kobel-admin", parts: ADMIN },
    Role { name: "kobel-operator", parts: OPERATOR },
    Role { name: "kobel-viewer", parts: VIEWER },
    Role { name: "view", parts: VIEWER },
];

/// The role that a binding's `roleRef` names.
pub fn find(kind: &str, name: &str) -> Option<&'static Role> {
    if kind != "ClusterRole" {
        return None;
    }
    ROLES.iter().find(|role| role.name == name)
}

/// Stores the objects that show the roles, where they are absent or tell other rules.
pub async fn seed(store: &Store, surroundings: &dyn Surroundings) -> Answer<()> {
    let mut wanted = Vec::new();
    for role in ROLES {
        let key = Key::new(CLUSTER_ROLES, "", role.name);
        let mut object = role.to_json();
        let stored = store.get(&key).map(|stored| stored.value());
        if stored.as_ref().is_some_and(|stored| stored.get("rules") == object.get("rules")) {
            continue;
        }
        let fresh = [json!(surroundings.new_uid()), json!(show_seconds(surroundings.now()))];
        for (field, fresh) in ["uid", "creationTimestamp"].into_iter().zip(fresh) {
            let known = stored.as_ref().and_then(|stored| stored.get("metadata")?.get(field)).cloned();
            object["metadata"][field] = known.unwrap_or(fresh);
        }
        wanted.push((key, object));
    }
    if wanted.is_empty() {
        return Ok(());
    }
    store
        .write(move |tx| {
            for (key, object) in wanted {
                tx.put(&key, object)?;
            }
            Ok(())
        })
        .await
}
