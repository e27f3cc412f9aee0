//! What a cluster tells of the checkpoints of a job, read by the few keys on which a restore depends.
//!
//! Invariant: that there is no snapshot is said only if the counts say so; everything that does not fit is "cannot
//! tell". Ids of one job grow, over restarts too, so the highest id is the newest.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::failure::Failure;

/// What begins the place of a checkpoint that only its own job manager can read:
/// `<checkpoint-not-externally-addressable>`.
const NO_PLACE: char = '<';

/// The word of a checkpoint that ended well.
const COMPLETED: &str = "COMPLETED";

/// The checkpoints of a job.
#[derive(Debug, Deserialize)]
pub(crate) struct Statistics {
    counts: Counts,
    latest: Latest,
    #[serde(default)]
    history: Vec<Checkpoint>,
}

/// How many there were since the job manager of the job began.
#[derive(Debug, Deserialize)]
struct Counts {
    completed: i64,
    #[serde(default)]
    restored: i64,
}

#[derive(Debug, Deserialize)]
struct Latest {
    completed: Option<Checkpoint>,
    savepoint: Option<Checkpoint>,
    restored: Option<Checkpoint>,
}

#[derive(Debug, Deserialize)]
struct Checkpoint {
    id: i64,
    #[serde(default)]
    status: String,
    #[serde(default)]
    trigger_timestamp: i64,
    #[serde(default)]
    latest_ack_timestamp: i64,
    #[serde(default)]
    restore_timestamp: i64,
    external_path: Option<String>,
    #[serde(default)]
    discarded: bool,
}

/// Where a checkpoint lies that is known to be complete.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// There.
    At(String),
    /// Nowhere that another job could read.
    Nowhere,
    /// The statistics are older than the checkpoint.
    NotTold,
}

impl Statistics {
    /// Returns place and time of the newest complete snapshot that another job can start from. What lies in the directory
    /// `aside` does not count.
    pub(crate) fn newest(&self, aside: Option<&str>) -> Result<Option<(String, i64)>, Failure> {
        let is_aside = |found: &&Checkpoint| match (found.place(), aside) {
            (Some(place), Some(aside)) => {
                plain(place).strip_prefix(plain(aside)).is_some_and(|rest| rest.starts_with('/'))
            }
            _ => false,
        };
        let others: BTreeSet<i64> = self.complete().filter(is_aside).map(|found| found.id).collect();
        let own = || self.complete().filter(|found| !others.contains(&found.id));
        let completed = self.counts.completed.saturating_sub(i64::try_from(others.len()).unwrap_or(i64::MAX));
        let newest = own().filter_map(|found| Some((found, found.place()?))).max_by_key(|(found, _)| found.id);
        match newest {
            // An older one is not taken in its stead: what was done since would be undone.
            Some((found, _)) if found.discarded => Err(Failure::Discarded(found.id)),
            Some((found, place)) => Ok(Some((place.to_owned(), found.at_ms()))),
            None if own().next().is_some() || completed > 0 || self.counts.restored > 0 => Err(Failure::NotAddressable),
            None => Ok(None),
        }
    }

    /// Returns where a checkpoint lies.
    pub(crate) fn place(&self, id: i64) -> Place {
        let mut found = self.complete().filter(|found| found.id == id).peekable();
        if found.peek().is_some() {
            let place = found.filter(|found| !found.discarded).find_map(Checkpoint::place);
            return place.map_or(Place::Nowhere, |place| Place::At(place.to_owned()));
        }
        if self.complete().any(|found| found.id > id) { Place::Nowhere } else { Place::NotTold }
    }

    /// Every complete snapshot that is told. After a job manager was replaced, the newest one is told only as that
    /// which was restored from; of the same one, what was told when it was taken comes last.
    fn complete(&self) -> impl Iterator<Item = &Checkpoint> {
        let Latest { completed, savepoint, restored } = &self.latest;
        let history = self.history.iter().filter(|found| found.status == COMPLETED);
        restored.iter().chain(history).chain(savepoint).chain(completed)
    }
}

/// A place as it lies on the disk, however it is written.
fn plain(place: &str) -> &str {
    place.strip_prefix("file://").or_else(|| place.strip_prefix("file:")).unwrap_or(place)
}

impl Checkpoint {
    fn place(&self) -> Option<&str> {
        self.external_path.as_deref().filter(|place| !place.is_empty() && !place.starts_with(NO_PLACE))
    }

    fn at_ms(&self) -> i64 {
        let times = [self.latest_ack_timestamp, self.trigger_timestamp, self.restore_timestamp];
        times.into_iter().find(|time| *time > 0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, Statistics};
    use crate::failure::Failure;

    const HIDDEN: &str = "<checkpoint-not-externally-addressable>";

    /// A checkpoint that ended well; its times follow from its id.
    fn taken(id: i64, path: &str, discarded: bool) -> String {
        format!(
            r#"{{"className":"completed","id":{id},"status":"COMPLETED","trigger_timestamp":{id}00,
            "latest_ack_timestamp":{id}01,"external_path":"{path}","discarded":{discarded},"a-new-key":[]}}"#
        )
    }

    fn restored(id: i64, path: &str) -> String {
        format!(r#"{{"id":{id},"restore_timestamp":{id}02,"is_savepoint":false,"external_path":"{path}"}}"#)
    }

    /// Statistics with these counts and these latest ones; nothing stands for `null`.
    fn told(counts: (i64, i64), [completed, savepoint, restored]: [Option<String>; 3]) -> Statistics {
        let [completed, savepoint, restored] =
            [completed, savepoint, restored].map(|latest| latest.unwrap_or_else(|| "null".to_owned()));
        let json = format!(
            r#"{{"counts":{{"completed":{},"restored":{},"failed":3}},"latest":{{"completed":{completed},
            "savepoint":{savepoint},"failed":{},"restored":{restored}}},
            "history":[{{"id":99,"status":"FAILED","external_path":"file:/f"}},{{"id":98,"status":"IN_PROGRESS"}}]}}"#,
            counts.0,
            counts.1,
            taken(97, "file:/failed", false)
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn what_lies_aside_is_no_snapshot_of_the_job() {
        let aside = Some("file:///a/tmp/checked-state");
        let scratch = || Some(taken(7, "file:/a/tmp/checked-state/savepoint-1", false));
        let own = Some(taken(6, "file:/a/checkpoints/chk-6", false));
        let newest = told((2, 0), [own, scratch(), None]).newest(aside);
        assert_eq!(newest, Ok(Some(("file:/a/checkpoints/chk-6".to_owned(), 601))));
        assert_eq!(told((1, 0), [None, scratch(), None]).newest(aside), Ok(None));
        let untold = told((2, 0), [None, scratch(), None]).newest(aside);
        assert_eq!(untold, Err(Failure::NotAddressable), "there was another one");
        assert!(told((1, 0), [None, scratch(), None]).newest(None).is_ok_and(|newest| newest.is_some()));
    }

    #[test]
    fn the_newest_is_the_one_with_the_highest_id_that_can_be_read() {
        let some = |path: &str, at_ms| Ok(Some((path.to_owned(), at_ms)));
        let cases = [
            ((1, 0), [Some(taken(8, "file:/c/chk-8", false)), None, None], some("file:/c/chk-8", 801)),
            (
                (2, 0),
                [Some(taken(7, "file:/c/chk-7", true)), Some(taken(8, "file:/s", false)), None],
                some("file:/s", 801),
            ),
            (
                (2, 0),
                [Some(taken(9, "file:/c/chk-9", false)), Some(taken(8, "file:/s", false)), None],
                some("file:/c/chk-9", 901),
            ),
            ((2, 0), [Some(taken(9, HIDDEN, false)), Some(taken(8, "file:/s", false)), None], some("file:/s", 801)),
            // The job manager was replaced, and the job has taken none since.
            ((0, 1), [None, None, Some(restored(8, "file:/c/chk-8"))], some("file:/c/chk-8", 802)),
            (
                (1, 1),
                [Some(taken(8, "file:/c/chk-8", false)), None, Some(restored(8, "file:/c/chk-8"))],
                some("file:/c/chk-8", 801),
            ),
            (
                (1, 1),
                [Some(taken(8, "file:/c/chk-8", false)), None, Some(restored(6, "file:/s"))],
                some("file:/c/chk-8", 801),
            ),
        ];
        for (counts, latest, newest) in cases {
            assert_eq!(told(counts, latest.clone()).newest(None), newest, "{latest:?}");
        }
    }

    #[test]
    fn that_there_is_none_is_not_the_same_as_not_to_know() {
        let cases = [
            ((0, 0), [None, None, None], Ok(None)),
            ((1, 0), [None, None, None], Err(Failure::NotAddressable)),
            ((0, 1), [None, None, None], Err(Failure::NotAddressable)),
            ((1, 0), [Some(taken(8, HIDDEN, false)), None, None], Err(Failure::NotAddressable)),
            ((1, 0), [Some(taken(8, "", false)), None, None], Err(Failure::NotAddressable)),
            ((1, 0), [Some(taken(8, "file:/c/chk-8", true)), None, None], Err(Failure::Discarded(8))),
            (
                (2, 0),
                [Some(taken(8, "file:/c/chk-8", true)), Some(taken(5, "file:/s", false)), None],
                Err(Failure::Discarded(8)),
            ),
        ];
        for (counts, latest, newest) in cases {
            assert_eq!(told(counts, latest.clone()).newest(None), newest, "{counts:?} {latest:?}");
        }
    }

    #[test]
    fn an_answer_without_counts_says_nothing() {
        for json in ["{}", r#"{"counts":{},"latest":{}}"#, r#"{"counts":{"completed":0}}"#] {
            assert!(serde_json::from_str::<Statistics>(json).is_err(), "{json}");
        }
        let bare: Statistics = serde_json::from_str(r#"{"counts":{"completed":0},"latest":{}}"#).unwrap();
        assert_eq!(bare.newest(None), Ok(None));
    }

    #[test]
    fn a_checkpoint_is_found_by_its_id() {
        let statistics = told((2, 0), [Some(taken(9, "file:/c/chk-9", false)), Some(taken(7, HIDDEN, false)), None]);
        let cases = [
            (9, Place::At("file:/c/chk-9".to_owned())),
            (8, Place::Nowhere),
            (7, Place::Nowhere),
            (10, Place::NotTold),
        ];
        for (id, place) in cases {
            assert_eq!(statistics.place(id), place, "{id}");
        }
    }
}
