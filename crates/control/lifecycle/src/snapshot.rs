//! The lifecycle of a snapshot that is declared as a resource: taken, tried again, given up, and its files deleted.
//!
//! Every state leads on without a person, or is final: a snapshot in progress whose job has ended is given up, tries
//! are counted and their pauses capped, and deletion needs no running job and ends even if files cannot be deleted.
//!
//! # Source
//! Apache Flink Kubernetes operator 1.15, `FlinkStateSnapshotReconciler` and `StateSnapshotObserver`, without their
//! defects: FLINK-39356 (deletion before the first look), FLINK-40384 (deletion in progress), pauses that double
//! without end, disposal that needs the job.

mod deletion;
mod round;

use kobel_model::deployment::StateSnapshot;

pub use round::{Files, ReferencedJob, SnapshotDecision, SnapshotFacts, SnapshotRecord};

/// Decides what is to be done next for a snapshot.
pub fn decide(snapshot: &StateSnapshot, record: &SnapshotRecord, facts: &SnapshotFacts) -> SnapshotDecision {
    let round = round::Round { snapshot, record, facts };
    if facts.is_deleting { deletion::next(&round) } else { round.next() }
}

#[cfg(test)]
mod tests;
