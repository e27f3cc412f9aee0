//! Which engine runs an application.

use super::artifact::ArtifactKind;
use super::resources::Cluster;

/// The key that chooses.
pub const KEY: &str = "kobel.engine";

/// An engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// Kobel's own.
    Native,
    /// Apache Flink.
    Flink,
}

/// The engine that `cluster` runs on: what `kobel.engine` says; else Kobel's own for a script of SQL, and Apache Flink
/// for everything else. A session cluster and a program that is no script of SQL always run on Apache Flink.
pub fn engine(cluster: &Cluster) -> Engine {
    let artifact = cluster.job.as_ref().and_then(|job| job.artifact.as_ref());
    if artifact.is_none_or(|artifact| artifact.kind != ArtifactKind::Sql) {
        return Engine::Flink;
    }
    match cluster.flink_configuration.get(KEY).map(str::trim) {
        Some(name) if name.eq_ignore_ascii_case("flink") => Engine::Flink,
        _ => Engine::Native,
    }
}
