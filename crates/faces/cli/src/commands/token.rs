//! `kobel token`: lets somebody into one namespace, as a service account with a role, and prints their kubeconfig.

use clap::ValueEnum as _;
use kobel_apiserver::auth::secret_file;
use kobel_kubernetes::kinds::Served;
use kobel_kubernetes::objects::{Conflicts, Keep, Propagation};
use kobel_model::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use super::client::{Session, complete, explained, print};
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
        session.cluster.apply(served, object, Keep::Written, Conflicts::Refuse).await.map_err(explained)?;
    }
    take_away_others(&session, bindings, arguments, terminal).await?;
    let request = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": arguments.duration.as_secs()},
    });
    let answer = session.cluster.create(accounts, Some(namespace), Some((user, "token")), &request).await?;
    let text = |path: &str| answer.pointer(path).and_then(Value::as_str);
    let Some(token) = text("/status/token") else {
        return Err(Error::new(ErrorKind::Unavailable, format!("the API gave no token for `{user}`")));
    };
    let kubeconfig = session.context.for_user(user, namespace, token)?;
    match &arguments.output {
        Some(path) => secret_file::write(path, &kubeconfig)?,
        None => print(terminal, &kubeconfig)?,
    }
    terminal.note(&format!("the kubeconfig holds the token of `{user}`; keep it where nobody else reads it"));
    if let Some(end) = text("/status/expirationTimestamp") {
        terminal.note(&format!("the token is good until {end}"));
    }
    Ok(Exit::Done)
}

/// Deletes the bindings that earlier calls made for the user, so that the role that was asked for is the only one.
async fn take_away_others(
    session: &Session,
    bindings: &Served,
    arguments: &TokenArguments,
    terminal: &Terminal,
) -> Result<()> {
    let (user, namespace) = (arguments.user.as_str(), session.namespace.as_str());
    for role in Role::value_variants().iter().filter(|role| **role != arguments.role) {
        let ours = binding(user, namespace, *role);
        let name = binding_name(user, *role);
        let Some(found) = session.cluster.find(bindings, Some(namespace), &name).await? else { continue };
        // Somebody else may have made a binding of this name.
        if ["roleRef", "subjects"].iter().any(|field| found.get(*field) != ours.get(*field)) {
            continue;
        }
        match session.cluster.delete(bindings, Some(namespace), &name, Propagation::Background).await {
            Err(failure) if !failure.is_missing() => return Err(failure.into()),
            _ => {
                let word = role.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
                terminal.note(&format!("took the role `{word}` in the namespace `{namespace}` away from `{user}`"));
            }
        }
    }
    Ok(())
}

fn account(user: &str, namespace: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": user, "namespace": namespace}})
}

/// The binding is named after the role too, because the role of a binding cannot be changed.
fn binding(user: &str, namespace: &str, role: Role) -> Value {
    let name = binding_name(user, role);
    let role = role_name(role);
    json!({
        "apiVersion": RBAC,
        "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": user, "namespace": namespace}],
    })
}

fn binding_name(user: &str, role: Role) -> String {
    format!("{user}-{}", role_name(role))
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
