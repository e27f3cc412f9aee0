//! What a caller wants to do, as rules and refusals see it.

use crate::auth::caller::Caller;
use crate::status::{Resource, Status};

/// What a caller wants to do with a resource.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attributes<'a> {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete` or `deletecollection`.
    pub verb: &'a str,
    /// API group, empty for the core group.
    pub group: &'a str,
    /// The plural, or the plural and a subresource: `flinkdeployments/scale`.
    pub resource: &'a str,
    /// The namespace of the path; absent for every namespace and for resources without one.
    pub namespace: Option<&'a str>,
    /// The name of the path; absent for collections.
    pub name: Option<&'a str>,
}

impl<'a> Attributes<'a> {
    /// The same with the namespace in which rights are looked up: a namespace itself is in its own scope.
    pub fn scoped(self) -> Self {
        let plural = self.resource.split('/').next().unwrap_or_default();
        let namespace = self.namespace.filter(|namespace| !namespace.is_empty());
        let own = self.name.filter(|_| self.group.is_empty() && plural == "namespaces");
        Self { namespace: namespace.or(own), ..self }
    }

    /// The refusal, in the words of Kubernetes' RBAC.
    pub fn refusal(&self, caller: &Caller) -> Box<Status> {
        let plural = self.resource.split('/').next().unwrap_or_default();
        let place = match self.scoped().namespace {
            Some(namespace) => format!("in the namespace {namespace:?}"),
            None => "at the cluster scope".to_owned(),
        };
        let why = format!(
            "User {:?} cannot {} resource {:?} in API group {:?} {place}",
            caller.user, self.verb, self.resource, self.group
        );
        Status::forbidden(&Resource { group: self.group, plural }, self.name.unwrap_or_default(), why)
    }
}
