//! Makes sure that nothing is left of a cluster, or of a session job, before anything starts or is let go.

use std::time::Duration;

use kobel_model::deployment::UpgradeMode;

use super::restore;
use super::round::{Home, Round};
use crate::decision::Act;
use crate::facts::{Cluster, Newest};
use crate::state::JobState;
use crate::wording::{SOON, UNSEEN, Verdict, moment, span_of};

/// How long a job that was stopped with a savepoint may take to end by itself.
const ENDING: Duration = Duration::from_secs(30);

/// How long a job manager is kept that may still tell the newest snapshot of its job. It may tell it only some time after
/// the job has ended (`web.refresh-interval`).
const TELLING: Duration = Duration::from_secs(300);

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

/// Whether the job manager of a job that has ended may still tell what nobody knows.
fn may_tell(round: &Round<'_>) -> bool {
    !round.desired.is_deleting
        && matches!(round.cluster, Cluster::Ready(_))
        && matches!(round.facts.newest, Newest::Unknown(_))
        && restore::recorded_mode(&round.record) == UpgradeMode::LastState
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
    if may_tell(round) && round.is_within(since, TELLING) {
        let message = format!(
            "waits to hear what the newest snapshot of {} is before its cluster is removed, since {}, at most {}",
            round.job_name(),
            moment(since),
            span_of(TELLING)
        );
        return Verdict::wait("RestorePointUnknown", message, SOON);
    }
    match (round.home, live) {
        (Home::Session, Some(job)) => {
            let message = format!("cancels job `{}`, which should have ended", job.id);
            Verdict::act(Act::Cancel { job_id: job.id.clone() }, "JobCancelling", message)
        }
        _ => Verdict::act(Act::Remove, "ClusterEnding", "removes what is left of the cluster".to_owned()),
    }
}
