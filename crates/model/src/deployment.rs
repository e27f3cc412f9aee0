//! A deployment known to be valid: what shall run, as typed values.
//!
//! These are plain values. Only the door in front of them checks, so whoever holds one need not check again: names fit,
//! numbers are in their bounds, and what one field needs of another is there.

pub mod address;
pub mod artifact;
pub mod components;
pub mod configuration;
pub mod engine;
pub mod ingress;
pub mod job;
pub mod monitoring;
pub mod resources;
pub mod version;

pub use artifact::{Artifact, ArtifactKind, Scheme};
pub use components::{Amounts, HighAvailability, JobManager, OtherResource, TaskManager};
pub use configuration::FlinkConfiguration;
pub use ingress::{Ingress, IngressTls};
pub use job::{Job, JobState, Nonces, UpgradeMode};
pub use monitoring::{CloudWatchSink, LogRotation, Monitoring, S3Sink, SideCarLimits};
pub use resources::{
    BlueGreen, Cluster, Deployment, Identity, JobReference, ReferencedKind, SavepointFormat, SessionJob, SnapshotKind,
    StateSnapshot, Substrate,
};
pub use version::{FlinkVersion, Mode, ReleaseLabel};
