//! Nobody gives a role that allows more than they may do themselves, and no role is given that is not there.

use serde_json::Value;

use crate::auth::caller::Caller;
use crate::auth::grants::{CLUSTER_ROLE_BINDINGS, Grants, ROLE_BINDINGS};
use crate::auth::roles::{self, CLUSTER_ROLES, RBAC};
use crate::auth::rules::{PolicyRule, missing, quoted};
use crate::object;
use crate::status::{Answer, Resource, Status};
use crate::store::Transaction;

/// Checks an object that is about to be stored within an act; `previous` is what it replaces. Objects that are no
/// bindings pass.
pub fn check(tx: &Transaction<'_>, caller: &Caller, binding: &Value, previous: Option<&Value>) -> Answer<()> {
    let in_group = text(binding, "apiVersion").split('/').next() == Some(RBAC);
    let plural = match text(binding, "kind") {
        "RoleBinding" if in_group => "rolebindings",
        "ClusterRoleBinding" if in_group => "clusterrolebindings",
        _ => return Ok(()),
    };
    let same = |field: &str| previous.is_some_and(|previous| previous.get(field) == binding.get(field));
    if same("roleRef") && same("subjects") {
        return Ok(());
    }
    let reference = binding.get("roleRef").unwrap_or(&Value::Null);
    let (kind, name) = (text(reference, "kind"), text(reference, "name"));
    let Some(role) = roles::find(kind, name) else {
        let plural = if kind == "Role" { "roles" } else { "clusterroles" };
        return Err(Status::not_found(&Resource { group: RBAC, plural }, name));
    };
    if caller.is_master() {
        return Ok(());
    }
    let mut bindings = tx.list(CLUSTER_ROLE_BINDINGS, None);
    let namespace = Some(object::namespace(binding)).filter(|namespace| !namespace.is_empty());
    if namespace.is_some() {
        bindings.extend(tx.list(ROLE_BINDINGS, namespace));
    }
    let held = Grants::read(&bindings).rules(caller, namespace);
    let wanted: Vec<&PolicyRule> = role.rules().collect();
    let lines = missing(&held, &wanted);
    if lines.is_empty() {
        return Ok(());
    }
    let why = format!(
        "user {:?} (groups={}) is attempting to grant RBAC permissions not currently held:\n{}",
        caller.user,
        quoted(&caller.groups),
        lines.join("\n")
    );
    Err(Status::forbidden(&Resource { group: RBAC, plural }, object::name(binding), why))
}

/// Whether a resource holds the roles, which nobody changes.
pub fn is_built_in(group: &str, resource: &str) -> bool {
    Resource { group, plural: resource }.qualified() == CLUSTER_ROLES
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}
