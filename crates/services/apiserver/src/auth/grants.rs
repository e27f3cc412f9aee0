//! What the bindings give to whom: read once, and again when a binding changed, never at each request.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::auth::attributes::Attributes;
use crate::auth::caller::{AUTHENTICATED, Caller, service_account_user};
use crate::auth::roles::{self, BASIC, MASTER, PUBLIC, Role};
use crate::auth::rules::PolicyRule;
use crate::object;
use crate::store::{Store, Stored, Subscription};

/// The resource of bindings in a namespace.
pub const ROLE_BINDINGS: &str = "rolebindings.rbac.authorization.k8s.io";
/// The resource of bindings everywhere.
pub const CLUSTER_ROLE_BINDINGS: &str = "clusterrolebindings.rbac.authorization.k8s.io";

/// A role that somebody has.
#[derive(Debug, Clone)]
struct Grant {
    /// Where; everywhere if absent.
    namespace: Option<String>,
    role: &'static Role,
    /// Which binding gave it, in the words of Kubernetes' RBAC.
    source: String,
}

/// The roles that users and groups have.
#[derive(Debug, Default)]
pub struct Grants {
    users: HashMap<String, Vec<Grant>>,
    groups: HashMap<String, Vec<Grant>>,
}

impl Grants {
    /// Reads bindings of both kinds.
    pub fn read<'a>(bindings: impl IntoIterator<Item = &'a Arc<Stored>>) -> Self {
        let mut grants = Self::default();
        for binding in bindings {
            grants.add(&binding.value());
        }
        grants
    }

    fn add(&mut self, binding: &Value) {
        let reference = binding.get("roleRef").unwrap_or(&Value::Null);
        let Some(role) = roles::find(text(reference, "kind"), text(reference, "name")) else { return };
        let (kind, name, namespace) = (text(binding, "kind"), object::name(binding), object::namespace(binding));
        let is_local = kind == "RoleBinding";
        for subject in binding.get("subjects").and_then(Value::as_array).into_iter().flatten() {
            let (subject_kind, subject_name) = (text(subject, "kind"), text(subject, "name"));
            let given = text(subject, "namespace");
            let home = if given.is_empty() { namespace } else { given };
            let shown = if subject_kind == "ServiceAccount" {
                format!("{subject_name}/{home}")
            } else {
                subject_name.to_owned()
            };
            let place = if is_local { format!("{name}/{namespace}") } else { name.to_owned() };
            let source =
                format!("RBAC: allowed by {kind} {place:?} of ClusterRole {:?} to {subject_kind} {shown:?}", role.name);
            let grant = Grant { namespace: is_local.then(|| namespace.to_owned()), role, source };
            match subject_kind {
                "User" => self.users.entry(subject_name.to_owned()).or_default().push(grant),
                "ServiceAccount" => {
                    self.users.entry(service_account_user(home, subject_name)).or_default().push(grant);
                }
                "Group" => self.groups.entry(subject_name.to_owned()).or_default().push(grant),
                _ => {}
            }
        }
    }

    /// The roles of a caller that count in a namespace, or at the cluster scope.
    fn of<'a>(&'a self, caller: &'a Caller, namespace: Option<&'a str>) -> impl Iterator<Item = &'a Grant> {
        let own = self.users.get(&caller.user).into_iter().flatten();
        let of_groups = caller.groups.iter().filter_map(move |group| self.groups.get(group)).flatten();
        own.chain(of_groups).filter(move |grant| {
            grant.namespace.is_none() || (namespace.is_some() && grant.namespace.as_deref() == namespace)
        })
    }

    /// Why the caller may do this; absent if they may not. The reason may be empty.
    pub fn decide(&self, caller: &Caller, asked: &Attributes<'_>) -> Option<String> {
        let asked = asked.scoped();
        if implicit(caller).any(|rule| rule.allows(&asked)) {
            return Some(String::new());
        }
        let mut grants = self.of(caller, asked.namespace);
        grants.find(|grant| grant.role.rules().any(|rule| rule.allows(&asked))).map(|grant| grant.source.clone())
    }

    /// Why the caller may do this with a path that is no resource; absent if they may not.
    pub fn decide_path(&self, caller: &Caller, verb: &str, path: &str) -> Option<String> {
        if implicit(caller).any(|rule| rule.allows_path(verb, path)) {
            return Some(String::new());
        }
        let mut grants = self.of(caller, None);
        let found = grants.find(|grant| grant.role.rules().any(|rule| rule.allows_path(verb, path)));
        found.map(|grant| grant.source.clone())
    }

    /// Every rule that allows the caller something in a namespace, each once.
    pub fn rules(&self, caller: &Caller, namespace: Option<&str>) -> Vec<&'static PolicyRule> {
        let mut rules: Vec<&'static PolicyRule> = Vec::new();
        for rule in implicit(caller).chain(self.of(caller, namespace).flat_map(|grant| grant.role.rules())) {
            if !rules.contains(&rule) {
                rules.push(rule);
            }
        }
        rules
    }
}

/// The rules that no binding gives.
fn implicit(caller: &Caller) -> impl Iterator<Item = &'static PolicyRule> + use<> {
    let is_known = caller.groups.iter().any(|group| group == AUTHENTICATED);
    let basic = if is_known { BASIC } else { &[] };
    let master = caller.is_master().then(|| MASTER.rules());
    PUBLIC.iter().chain(basic).chain(master.into_iter().flatten())
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The grants of a store, kept until a binding changes.
pub struct Keeper {
    store: Store,
    kept: Mutex<Kept>,
}

struct Kept {
    grants: Arc<Grants>,
    /// What happened since they were read; absent before the first reading.
    changes: Option<Subscription>,
}

impl Keeper {
    /// Keeps the grants of a store.
    pub fn new(store: Store) -> Self {
        let kept = Mutex::new(Kept { grants: Arc::default(), changes: None });
        Self { store, kept }
    }

    /// The grants as of now.
    pub fn grants(&self) -> Arc<Grants> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.is_current() {
            // The changes are followed from before the bindings are read, so none is missed.
            kept.changes = self.store.subscribe(self.store.revision()).ok();
            let (_, mut bindings) = self.store.list(CLUSTER_ROLE_BINDINGS, None);
            bindings.extend(self.store.list(ROLE_BINDINGS, None).1);
            kept.grants = Arc::new(Grants::read(&bindings));
        }
        Arc::clone(&kept.grants)
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").finish_non_exhaustive()
    }
}

impl Kept {
    /// Whether no binding changed since the grants were read.
    fn is_current(&mut self) -> bool {
        let Some(changes) = &mut self.changes else { return false };
        loop {
            match changes.try_next() {
                Ok(Some(change)) if is_binding(&change.object.key.resource) => return false,
                Ok(Some(_)) => {}
                Ok(None) => return true,
                // Changes were forgotten: one of them may have been of a binding.
                Err(_) => return false,
            }
        }
    }
}

fn is_binding(resource: &str) -> bool {
    [ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS].contains(&resource)
}
