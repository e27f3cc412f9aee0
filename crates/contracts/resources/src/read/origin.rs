//! For which operator a manifest was written, and so what it may leave out.
//!
//! The Apache operator asks for a service account, a parallelism and a memory size. The documented manifests of EMR
//! name a role instead of the account, or a release whose operator has one, and some leave the parallelism out. A
//! manifest for the engine of Kobel, which is a `.sql` or sets `kobel.engine`, may leave all three out.

use super::flink_configuration::Configuration;
use super::part::Part;

/// For which operator a manifest was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Apache Flink's.
    Apache,
    /// That of EMR on EKS: it names a release or a role.
    Emr,
    /// Kobel.
    Kobel,
}

impl Origin {
    /// Tells from the spec of a deployment.
    pub(super) fn of(spec: &Part<'_>, configuration: &Configuration) -> Self {
        let job = spec.field_or_nothing("job");
        if spec.has("emrReleaseLabel") || spec.has("executionRoleArn") {
            Self::Emr
        } else {
            Self::of_job(&job, configuration)
        }
    }

    /// Tells from the job of a session.
    pub(super) fn of_job(job: &Part<'_>, configuration: &Configuration) -> Self {
        let is_sql = job.text("jarURI").is_some_and(|uri| uri.to_ascii_lowercase().ends_with(".sql"));
        if is_sql || configuration.own("kobel.engine").is_some() { Self::Kobel } else { Self::Apache }
    }
}
