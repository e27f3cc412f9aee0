//! How the REST API of a deployment is reached from outside.

use std::collections::BTreeMap;

/// A rule that leads from outside to the REST API.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ingress {
    /// The host and path, with `{{name}}` and `{{namespace}}` still in it.
    pub template: String,
    /// Which controller serves it.
    pub class_name: Option<String>,
    /// Annotations of the object.
    pub annotations: BTreeMap<String, String>,
    /// Labels of the object.
    pub labels: BTreeMap<String, String>,
    /// Certificates.
    pub tls: Vec<IngressTls>,
}

/// Hosts and the certificate for them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IngressTls {
    /// The hosts.
    pub hosts: Vec<String>,
    /// The secret with the certificate, in the namespace of the deployment.
    pub secret_name: Option<String>,
}
