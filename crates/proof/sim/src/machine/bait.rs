//! What lies on a disk beside the snapshots of a job, and must not be taken for one: what is half, what was set aside,
//! and what somebody else has taken.

use kobel_model::deployment::Identity;

use super::disk::{Disk, Stored, savepoint_name};
use super::launch::Settings;
use crate::entry::SnapshotKind;

/// Whose snapshots they are.
const STRANGER: &str = "somebody-else";
/// The records in them: more than any job counts.
const COUNT: u64 = 9_000_000;

/// Lays it beside the places of a job.
pub fn lay(disk: &mut Disk, settings: &Settings, job_id: &str, at_ms: i64) {
    let stranger = Identity { namespace: STRANGER.to_owned(), name: STRANGER.to_owned() };
    let other = other_id(job_id);
    let mut put = |place: String, (job, kind, is_whole): (&str, SnapshotKind, bool)| {
        if disk.at(&place).is_none() {
            let (lineage, job) = (stranger.clone(), job.to_owned());
            disk.put(&place, Stored { lineage, job, count: COUNT, kind, at_ms, is_whole });
        }
    };
    if let Some(checkpoints) = settings.checkpoints.as_deref().filter(|place| place.starts_with('/')) {
        let kind = SnapshotKind::Checkpoint;
        put(format!("{checkpoints}/{job_id}/chk-1000000"), (job_id, kind, false));
        put(format!("{checkpoints}/{job_id}/abandoned-chk-1000001-after-1"), (job_id, kind, true));
        put(format!("{checkpoints}/{other}/chk-1000002"), (other.as_str(), kind, true));
    }
    if let Some(savepoints) = settings.savepoints.as_deref().filter(|place| place.starts_with('/')) {
        let kind = SnapshotKind::Savepoint;
        put(format!("{savepoints}/{}", savepoint_name(job_id, "half")), (job_id, kind, false));
        put(format!("{savepoints}/{}", savepoint_name(&other, "other")), (other.as_str(), kind, true));
        let old =
            Stored { lineage: stranger.clone(), job: other.clone(), count: COUNT, kind, at_ms: 0, is_whole: true };
        disk.put(&format!("{savepoints}/{}", savepoint_name(job_id, "old")), old);
    }
}

/// The id of another job whose first five digits are the same.
fn other_id(job_id: &str) -> String {
    let digit = if job_id.as_bytes().get(5) == Some(&b'0') { "1" } else { "0" };
    let (front, back) = (job_id.get(..5).unwrap_or_default(), job_id.get(6..).unwrap_or_default());
    format!("{front}{digit}{back}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_job_shares_five_digits_and_not_six() {
        for (id, other) in [("0123456789", "0123406789"), ("0123406789", "0123416789")] {
            assert_eq!(other_id(id), other);
        }
    }
}
