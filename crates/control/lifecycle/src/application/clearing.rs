//! Makes sure that nothing is left of a cluster, or of a session job, before anything starts or is let go.

use std::time::Duration;

use super::round::{Home, Round};
use crate::decision::Act;
use crate::facts::Cluster;
use crate::state::JobState;
use crate::wording::{SOON, UNSEEN, Verdict, moment};

/// How long a job that was stopped with a savepoint may take to end by itself.
const ENDING: Duration = Duration::from_secs(30);

/// Removes what is there, or waits for it to be gone; absent if nothing is there.
pub fn clear(round: &Round<'_>) -> Option<Verdict> {
    match &round.cluster {
        Cluster::Absent => None,
        Cluster::Ending => {
            let message = "waits until every process of the cluster has ended".to_owned();
            Some(Verdict::wait("ClusterEnding", message, SOON))
        }
        Cluster::Unknown(_) => unseen(round),
        Cluster::Starting(_) | Cluster::Ready(_) | Cluster::Failed(..) | Cluster::Completed(_) => Some(end(round)),
    }
}

/// Waits if the cluster cannot be seen; absent if it can.
pub fn unseen(round: &Round<'_>) -> Option<Verdict> {
    let Cluster::Unknown(why) = &round.cluster else { return None };
    let (reason, what) = match round.home {
        Home::Own => ("ClusterUnknown", "the cluster cannot be seen"),
        Home::Session => ("SessionNotReady", "the job waits"),
    };
    let until = if round.home == Home::Own { "; nothing is done until it can" } else { "" };
    let message = format!("{what}: {why}{until}");
    Some(Verdict::wait(reason, message, UNSEEN))
}

fn end(round: &Round<'_>) -> Verdict {
    let since = round.record.job.update_ms;
    let has_ended = round.record.job.state == Some(JobState::Finished);
    let live = round.reachable();
    if live.is_some() && has_ended && round.is_within(since, ENDING) {
        let name = round.job_name();
        let message = format!("waits until {name} has ended after its savepoint, since {}", moment(since));
        return Verdict::wait("JobEnding", message, SOON);
    }
    match (round.home, live) {
        (Home::Session, Some(job)) => {
            let message = format!("cancels job `{}`, which should have ended", job.id);
            Verdict::act(Act::Cancel { job_id: job.id.clone() }, "JobCancelling", message)
        }
        _ => Verdict::act(Act::Remove, "ClusterEnding", "removes what is left of the cluster".to_owned()),
    }
}
