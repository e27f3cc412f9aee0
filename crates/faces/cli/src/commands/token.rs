//! `kobel token`: lets somebody into one namespace, as a service account with a role, and prints their kubeconfig.

use kobel_kubernetes::objects::{Conflicts, Keep};
use kobel_model::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use super::client::{Session, complete, print};
use crate::args::resources::{Role, TokenArguments};
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

const RBAC: &str = "rbac.authorization.k8s.io/v1";

/// Makes a token and reports what goes wrong.
pub(crate) fn run(arguments: &TokenArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    complete(&terminal, token(arguments, &terminal))
}

async fn token(arguments: &TokenArguments, terminal: &Terminal) -> Result<Exit> {
    let session = Session::open(&arguments.api).await?;
    let (user, namespace) = (arguments.user.as_str(), session.namespace.as_str());
    let accounts = session.kinds.of_manifest("v1", "ServiceAccount")?;
    let bindings = session.kinds.of_manifest(RBAC, "RoleBinding")?;
    let (account, binding) = (account(user, namespace), binding(user, namespace, arguments.role));
    for (served, object) in [(accounts, &account), (bindings, &binding)] {
        session.cluster.apply(served, object, Keep::Written, Conflicts::Refuse).await?;
    }
    let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
    let answer = session.cluster.create(accounts, Some(namespace), Some((user, "token")), &request).await?;
    let Some(token) = answer.pointer("/status/token").and_then(Value::as_str) else {
        return Err(Error::new(ErrorKind::Unavailable, format!("the API gave no token for `{user}`")));
    };
    print(terminal, &session.context.for_user(user, namespace, token)?)?;
    terminal.note(&format!("the kubeconfig holds the token of `{user}`; keep it where nobody else reads it"));
    Ok(Exit::Done)
}

fn account(user: &str, namespace: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": user, "namespace": namespace}})
}

/// The binding is named after the role too, because the role of a binding cannot be changed.
fn binding(user: &str, namespace: &str, role: Role) -> Value {
    let role = role_name(role);
    json!({
        "apiVersion": RBAC,
        "kind": "RoleBinding",
        "metadata": {"name": format!("{user}-{role}"), "namespace": namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": user, "namespace": namespace}],
    })
}

/// The cluster role for this: names that every Kubernetes knows, the embedded API among them.
fn role_name(role: Role) -> &'static str {
    match role {
        Role::Viewer => "view",
        Role::Operator => "edit",
        Role::Admin => "admin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_gives_one_role_to_one_account() {
        let binding = binding("ann", "team", Role::Viewer);
        assert_eq!(binding.pointer("/roleRef/name"), Some(&json!("view")));
        assert_eq!(binding.pointer("/subjects/0/name"), Some(&json!("ann")));
        assert_eq!(binding.pointer("/metadata/name"), Some(&json!("ann-view")));
    }
}
