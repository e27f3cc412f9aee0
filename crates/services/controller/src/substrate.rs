//! Where deployments run, as the rounds see it: the processes of this machine, or the pods of a cluster.
//!
//! Both say the same of what they are asked: a sight of what runs, a start that may be asked for twice, an end that goes on
//! until nothing is left. What only one of them has is absent in the other.

use std::path::PathBuf;

use futures::stream::{self, BoxStream, StreamExt as _};
use kobel_lifecycle::decision::Start;
use kobel_manifest::session_job::JarRun;
use kobel_model::Result;
use kobel_model::deployment::{Deployment, Identity, SessionJob};

use crate::launching::Launching;
use crate::local::Local;
use crate::pods::{self, Fetched, Pods};
use crate::sight::{Found, Search, Sight};
use crate::turns::{ROUNDS_MAX, ROUNDS_OF_CLUSTER};

/// Where deployments run.
#[derive(Clone)]
pub(crate) enum Substrate {
    /// This machine.
    Local(Local),
    /// A cluster of Kubernetes.
    Pods(Pods),
}

impl Substrate {
    /// How many rounds are made at once.
    pub(crate) const fn rounds(&self) -> usize {
        match self {
            Self::Local(_) => ROUNDS_MAX,
            Self::Pods(_) => ROUNDS_OF_CLUSTER,
        }
    }

    /// Whether it is told among the stirs that a job manager has come up, so that nobody need ask it all the time.
    pub(crate) const fn tells_of_readiness(&self) -> bool {
        matches!(self, Self::Pods(_))
    }

    /// Every deployment of which something runs, or ran when last looked.
    ///
    /// # Errors
    /// Unavailable if it cannot be listed.
    pub(crate) async fn all(&self) -> Result<Vec<Identity>> {
        match self {
            Self::Local(local) => local.all().await,
            Self::Pods(pods) => pods.all().await,
        }
    }

    /// The deployments to which something happens where they run. Asked for once.
    pub(crate) fn stirs(&self) -> BoxStream<'static, Identity> {
        match self {
            Self::Local(local) => {
                let mut ends = local.ends();
                stream::poll_fn(move |context| ends.poll_recv(context)).boxed()
            }
            Self::Pods(pods) => pods.changes(),
        }
    }

    /// Looks at what runs of a deployment, and changes nothing.
    pub(crate) async fn look(&self, of: &Identity) -> Sight {
        match self {
            Self::Local(local) => local.look(of).await,
            Self::Pods(pods) => pods.look(of).await,
        }
    }

    /// Looks at what runs of a deployment, and looks after it. Only the rounds of the deployment do this.
    pub(crate) async fn tend(&self, of: &Identity) -> Sight {
        match self {
            Self::Local(local) => local.tend(of).await,
            Self::Pods(pods) => pods.look(of).await,
        }
    }

    /// Takes note of a job that was never started, before it is recorded to be in place of the one before it, if there
    /// is one: so it is known later that it was not. The uid is that of the resource.
    ///
    /// # Errors
    /// Unavailable if it cannot be written down.
    pub(crate) async fn plan(&self, of: &Identity, uid: &str, jobs: (Option<&str>, &str)) -> Result<()> {
        match self {
            // What a job has written is looked for on the disk.
            Self::Local(_) => Ok(()),
            Self::Pods(pods) => pods.plan(of, uid, jobs).await,
        }
    }

    /// Starts a deployment: its job too, if it has one.
    ///
    /// # Errors
    /// What is lacking.
    pub(crate) async fn start(&self, deployment: &Deployment, launching: Launching) -> Result<()> {
        match self {
            Self::Local(local) => local.start(deployment, launching.label, launching.restore).await,
            Self::Pods(pods) => pods.start(deployment, &launching).await,
        }
    }

    /// A session job as its cluster is asked for it, with what must be there until its program was handed over.
    ///
    /// # Errors
    /// What is lacking.
    pub(crate) async fn jar_run(
        &self,
        job: &SessionJob,
        cluster: &Deployment,
        start: &Start,
    ) -> Result<(JarRun, Option<Fetched>)> {
        match self {
            // Its program stays where it is, or in a cache.
            Self::Local(local) => Ok((local.jar_run(job, cluster, start).await?, None)),
            Self::Pods(pods) => pods.jar_run(job, cluster, start).await.map(|(run, fetched)| (run, Some(fetched))),
        }
    }

    /// Why a session job cannot be submitted, whatever its cluster does; none if it can, or if that only shows then.
    pub(crate) fn lacks_for(&self, job: &SessionJob) -> Option<String> {
        match self {
            Self::Local(_) => None,
            Self::Pods(_) => pods::lacks_for(job).map(str::to_owned),
        }
    }

    /// What is lacking to start a deployment on Apache Flink; none if it has everything, or if that only shows then.
    pub(crate) async fn lacks(&self, deployment: &Deployment) -> Option<String> {
        match self {
            Self::Local(local) => local.lacks(deployment).await,
            Self::Pods(pods) => pods.lacks(deployment),
        }
    }

    /// Why a native application cannot be started, from a snapshot if one is named; none if it can. Nothing is changed.
    ///
    /// # Errors
    /// Unavailable if it cannot be asked.
    pub(crate) async fn refusal(&self, deployment: &Deployment, snapshot: Option<&str>) -> Result<Option<String>> {
        match self {
            Self::Local(local) => local.refusal(deployment, snapshot).await,
            Self::Pods(pods) => Ok(pods.lacks(deployment)),
        }
    }

    /// Ends what runs of a deployment; says whether nothing of it is left.
    ///
    /// # Errors
    /// Unavailable if it cannot be asked.
    pub(crate) async fn end(&self, of: &Identity) -> Result<bool> {
        match self {
            Self::Local(local) => local.end(of).await,
            Self::Pods(pods) => pods.end(of).await,
        }
    }

    /// Removes what is left of a deployment, but for its checkpoints and savepoints.
    ///
    /// # Errors
    /// Conflict while it runs, Denied or Unavailable if something cannot be removed.
    pub(crate) async fn forget(&self, of: &Identity) -> Result<()> {
        match self {
            Self::Local(local) => local.forget(of).await,
            Self::Pods(pods) => pods.forget(of).await,
        }
    }

    /// The newest complete snapshot of a job, where it can be seen without asking the job.
    ///
    /// # Errors
    /// Unsupported if it would lie elsewhere, Unavailable if it cannot be looked for.
    pub(crate) async fn newest(&self, of: &Identity, sight: &Sight, search: Search) -> Result<Found> {
        match self {
            Self::Local(local) => local.newest(search).await,
            Self::Pods(pods) => pods.newest(of, sight, &search.job_id).await,
        }
    }

    /// Whether the files of a savepoint are there.
    ///
    /// # Errors
    /// Unsupported if it lies elsewhere.
    pub(crate) async fn has_snapshot(&self, path: String) -> Result<bool> {
        match self {
            Self::Local(local) => local.has_snapshot(path).await,
            Self::Pods(_) => Err(Pods::out_of_sight(&path)),
        }
    }

    /// Deletes the files of a savepoint.
    ///
    /// # Errors
    /// Unsupported if it lies elsewhere, Invalid if it is none.
    pub(crate) async fn dispose(&self, path: String) -> Result<()> {
        match self {
            Self::Local(local) => local.dispose(path).await,
            Self::Pods(_) => Err(Pods::out_of_sight(&path)),
        }
    }

    /// The folder of a deployment, below which its job writes where nothing was said; pods have none that lasts.
    pub(crate) fn folder(&self, of: &Identity) -> Option<PathBuf> {
        match self {
            Self::Local(local) => Some(local.folder(of)),
            Self::Pods(_) => None,
        }
    }

    /// The folder of a session job, below that of its cluster.
    pub(crate) fn job_folder(&self, cluster: &Identity, job: &str) -> Option<PathBuf> {
        match self {
            Self::Local(local) => Some(local.job_folder(cluster, job)),
            Self::Pods(_) => None,
        }
    }

    /// Where the state of a deployment is written that a change is only checked with. Nothing goes on from there.
    pub(crate) fn checked_state(&self, of: &Identity) -> Option<String> {
        match self {
            Self::Local(local) => Some(local.checked_state(of)),
            Self::Pods(_) => None,
        }
    }

    /// Where the logs of a deployment are, if they are files here.
    pub(crate) fn logs(&self, of: &Identity) -> Option<PathBuf> {
        match self {
            Self::Local(local) => Some(local.logs(of)),
            Self::Pods(_) => None,
        }
    }
}
