//! Names of schemas, and where references to them begin.

use crate::kind::Kind;

/// Where references of OpenAPI v3 begin.
pub const PREFIX_V3: &str = "#/components/schemas/";
/// Where references of OpenAPI v2 begin.
pub const PREFIX_V2: &str = "#/definitions/";

/// The name of a kind's schema: that of Kubernetes for its own kinds, the group backwards for others.
pub fn schema_name(kind: &Kind) -> String {
    let (version, name) = (&kind.version, &kind.kind);
    if kind.group.is_empty() {
        return format!("io.k8s.api.core.{version}.{name}");
    }
    if !kind.is_custom {
        let first = kind.group.split('.').next().unwrap_or_default();
        return format!("io.k8s.api.{first}.{version}.{name}");
    }
    let backwards: Vec<&str> = kind.group.rsplit('.').collect();
    format!("{}.{version}.{name}", backwards.join("."))
}
