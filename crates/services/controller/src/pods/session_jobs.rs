//! What the REST API of a session cluster of pods is asked for when a session job is submitted.

use kobel_lifecycle::decision::Start;
use kobel_manifest::kubernetes::configuration::{declared, declared_over};
use kobel_manifest::launch::JobStart;
use kobel_manifest::session_job::{JarRun, session_job_of_pods};
use kobel_model::deployment::{Deployment, SessionJob};
use kobel_model::{Error, Result};

use super::Pods;
use super::lacking::lacks_for;
use super::programs::Fetched;
use crate::surroundings::apart;

impl Pods {
    /// A session job as its cluster is asked for it, with its program, which is there as long as the second value.
    ///
    /// # Errors
    /// Unsupported if it does not run in pods; as the program cannot be fetched.
    pub(crate) async fn jar_run(
        &self,
        job: &SessionJob,
        cluster: &Deployment,
        start: &Start,
    ) -> Result<(JarRun, Fetched)> {
        if let Some(why) = lacks_for(job) {
            return Err(Error::unsupported(why));
        }
        let Some(artifact) = job.job.artifact.clone() else { return Err(Error::bug("a session job has no program")) };
        let below = declared(cluster, &self.settings.defaults);
        let options = declared_over(below.clone(), &job.flink_configuration);
        let fresh = format!("{:032x}", self.surroundings.fresh());
        let programs = self.programs.clone();
        let work = move || programs.fetch(&artifact, &options, &fresh);
        let (jar, fetched) = apart(&*self.surroundings, "fetching a program", work).await?;
        let start = JobStart { job_id: start.job_id.as_deref().unwrap_or_default(), restore: start.restore.as_deref() };
        Ok((session_job_of_pods(job, (cluster.cluster.flink_version, &below), &start, jar), fetched))
    }
}
