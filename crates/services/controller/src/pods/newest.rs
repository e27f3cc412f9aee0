//! What is known of the snapshots of a job whose job manager is silent, and what is done so that it is known.

use kobel_lifecycle::record::LAST_STATE_DUMMY;
use kobel_model::deployment::Identity;
use kobel_model::{Error, ErrorKind, Result};
use serde_json::Value;

use super::book::{self, Stage};
use super::calls::DEPLOYMENT;
use super::manager::{self, Past};
use super::{Manager, Pods, availability};
use crate::sight::{Found, Sight};

impl Pods {
    /// Takes note of a job that was never started, before it is recorded to be in place of another. What is known of that
    /// one stays, as the record may come not to be written.
    ///
    /// # Errors
    /// Unavailable if it cannot be written down.
    pub(crate) async fn plan(&self, of: &Identity, uid: &str, jobs: (Option<&str>, &str)) -> Result<()> {
        let (recorded, job_id) = jobs;
        let mut noted = vec![(job_id, Stage::Planned)];
        if let Some(recorded) = recorded
            && let Some(stage) = book::read(&self.calls, of, recorded).await?
        {
            noted.push((recorded, stage));
        }
        book::write(&self.calls, of, &book::owner(of, uid), &noted).await
    }

    /// Writes down that the job of a job manager that is to be removed has not run, if so: nothing may be left then that
    /// tells. It is kept from running first; says whether that is over, if it must be waited for.
    ///
    /// # Errors
    /// Unavailable if it cannot be asked, or not be written down.
    pub(super) async fn remember(&self, of: &Identity, manager: &Value) -> Result<bool> {
        if manager::is_leaving(manager) {
            return Ok(true);
        }
        let (owner, launched) = (book::owner_of(of, manager), self.launched(of, manager).await?);
        let (Some(owner), Some(job_id)) = (owner, launched.job_id) else { return Ok(true) };
        match manager::past(manager, &self.pods(of).await?, &job_id) {
            Past::MayHaveRun => Ok(true),
            Past::NotYet => {
                let place = (of.namespace.as_str(), of.name.as_str());
                self.calls.merge(DEPLOYMENT, place, &manager::stilled(manager, &job_id)).await?;
                Ok(false)
            }
            Past::Going => Ok(false),
            Past::Never => match book::write(&self.calls, of, &owner, &[(job_id.as_str(), Stage::NeverRan)]).await {
                // Without the note it is only not known later.
                Err(error) if matches!(error.kind(), ErrorKind::Denied | ErrorKind::Invalid) => Ok(true),
                written => written.map(|()| true),
            },
        }
    }

    /// Removes a job manager that was not made to the end. Its job is one that was never made then, unless somebody has
    /// let it go on, or it had been made before.
    ///
    /// # Errors
    /// Unavailable if it cannot be removed, or not be written down.
    pub(super) async fn undo(&self, of: &Identity, unfinished: &Value) -> Result<()> {
        let pods = self.pods(of).await?;
        // What was seen is what is removed: it is not finished meanwhile.
        let is_removed = manager::is_leaving(unfinished) || self.calls.delete_as_seen(DEPLOYMENT, unfinished).await?;
        let (owner, job_id) = (book::owner_of(of, unfinished), manager::unmade_job(unfinished));
        match owner.zip(job_id) {
            Some((owner, job_id)) if is_removed && !manager::has_gone_on(unfinished, &pods) => {
                book::write(&self.calls, of, &owner, &[(job_id, Stage::Planned)]).await
            }
            _ => Ok(()),
        }
    }

    /// The newest snapshot of a job whose job manager is silent: whether the metadata of high availability tells of one.
    /// A job that never ran has taken none.
    ///
    /// # Errors
    /// Unsupported if there is somebody to ask, or if nothing is known: only the object storage would tell then.
    pub(crate) async fn newest(&self, of: &Identity, sight: &Sight, job_id: &str) -> Result<Found> {
        if sight.endpoint.is_some() {
            return Err(Error::unsupported("its job manager tells the newest snapshot of a job that runs in pods"));
        }
        let kept = availability::of(&self.calls, of).await?;
        if let Some(at_ms) = availability::newest(&kept, job_id) {
            return Ok(Found::Checkpoint(LAST_STATE_DUMMY.to_owned(), at_ms));
        }
        if !availability::has_begun(&kept, job_id) && self.has_never_run(of, job_id).await? {
            return Ok(Found::Nothing);
        }
        let message = format!("no metadata of high availability tells of checkpoints of job `{job_id}`");
        Err(Error::unsupported(message))
    }

    /// Whether a job has never run for certain: its job manager never has, or was never made, or was removed before it
    /// had.
    async fn has_never_run(&self, of: &Identity, job_id: &str) -> Result<bool> {
        if let Manager::Ours(manager) = self.manager(of).await?
            && !manager::is_leaving(&manager)
        {
            if manager::is_unfinished(&manager) {
                let is_its = manager::unmade_job(&manager) == Some(job_id);
                return Ok(is_its && !manager::has_gone_on(&manager, &self.pods(of).await?));
            }
            if self.launched(of, &manager).await?.job_id.as_deref() == Some(job_id) {
                return Ok(manager::past(&manager, &self.pods(of).await?, job_id) != Past::MayHaveRun);
            }
        }
        self.is_unmade(of, job_id).await
    }

    /// Whether it is written down that a job was not made, or did not run before it was removed.
    ///
    /// # Errors
    /// Unavailable if that cannot be read.
    pub(super) async fn is_unmade(&self, of: &Identity, job_id: &str) -> Result<bool> {
        let stage = book::read(&self.calls, of, job_id).await?;
        Ok(matches!(stage, Some(Stage::Planned | Stage::NeverRan)))
    }
}
