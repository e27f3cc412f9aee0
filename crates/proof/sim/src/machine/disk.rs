//! The disk on which snapshots lie. A path holds one snapshot, whole or not; a whole one has its `_metadata`.
//!
//! What is asked of it is answered as the product's own listing does: by names, so that what looks like a snapshot and
//! is none lies in the way.
//!
//! # Invariant
//! A place is written in one way: a local one as an absolute path, another one as the address that was given.

use std::collections::BTreeMap;
use std::sync::Arc;

use kobel_model::deployment::Identity;
use kobel_model::ids::JobId;
use kobel_model::{Error, ErrorKind, Result};

use crate::entry::SnapshotKind;

/// What lies below a folder of this name is scratch: the next launch clears it away.
const SCRATCH: &str = "/tmp/";

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Whose job took it.
    pub lineage: Identity,
    /// The job that took it.
    pub job: String,
    /// The records that were counted.
    pub count: u64,
    /// What it is.
    pub kind: SnapshotKind,
    /// When it was completed by the clock of the disk, in milliseconds since 1970.
    pub at_ms: i64,
    /// Whether it can be started from.
    pub is_whole: bool,
}

/// The disk.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    stored: BTreeMap<String, Arc<Stored>>,
    broken_until_ms: i64,
}

/// The newest one that was found, and when it was completed.
type Found = Option<(String, i64)>;

impl Disk {
    /// Puts a snapshot at a place.
    pub fn put(&mut self, place: &str, stored: Stored) {
        self.stored.insert(place.to_owned(), Arc::new(stored));
    }

    /// Takes what lies at a place away; tells what it was.
    pub fn take(&mut self, place: &str) -> Option<Arc<Stored>> {
        self.stored.remove(place)
    }

    /// What lies at a place.
    pub fn at(&self, place: &str) -> Option<&Stored> {
        self.stored.get(place).map(Arc::as_ref)
    }

    /// What lies at a place, if it can be started from.
    pub fn whole(&self, place: &str) -> Option<&Stored> {
        self.at(place).filter(|stored| stored.is_whole)
    }

    /// What lies below a folder, by path.
    pub fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a Stored)> {
        let from = format!("{folder}/");
        let is_below = move |place: &str| place.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        let listed = self.stored.range(from..).take_while(move |(place, _)| is_below(place));
        listed.map(|(place, stored)| (place.as_str(), stored.as_ref()))
    }

    /// Every snapshot of a lineage that can be started from, the oldest first.
    pub fn of(&self, lineage: &Identity) -> Vec<(&str, &Stored)> {
        let is_its = |stored: &Stored| stored.lineage == *lineage && stored.is_whole;
        let all = self.stored.iter().filter(|(place, stored)| is_its(stored) && !is_scratch(place));
        let mut found: Vec<(&str, &Stored)> = all.map(|(place, stored)| (place.as_str(), stored.as_ref())).collect();
        found.sort_by_key(|(_, stored)| (stored.at_ms, stored.count));
        found
    }

    /// The most records that a snapshot of a lineage has counted.
    pub fn most_of(&self, lineage: &Identity) -> u64 {
        self.of(lineage).into_iter().map(|(_, stored)| stored.count).max().unwrap_or(0)
    }

    /// Takes away what lies below a folder.
    pub fn clear(&mut self, folder: &str) {
        let gone: Vec<String> = self.below(folder).map(|(place, _)| place.to_owned()).collect();
        for place in gone {
            self.stored.remove(&place);
        }
    }

    /// Nothing can be read or written until then.
    pub fn fail_until(&mut self, until_ms: i64) {
        self.broken_until_ms = until_ms;
    }

    /// Whether nothing can be read or written now.
    pub fn is_broken(&self, now_ms: i64) -> bool {
        now_ms < self.broken_until_ms
    }

    /// The newest complete checkpoint of a job below a directory, written as the directory is.
    pub fn newest_checkpoint(&self, directory: &str, job_id: &str) -> Result<Found> {
        let job = format!("{}/{}", local(directory)?, job_id.parse::<JobId>()?);
        let numbered = self.below(&job).filter_map(|(place, stored)| {
            let name = place.strip_prefix(job.as_str())?.strip_prefix('/')?;
            Some((number(name)?, place, stored))
        });
        let newest = numbered.filter(|(_, _, stored)| stored.is_whole).max_by_key(|(number, _, _)| *number);
        Ok(newest.map(|(_, place, stored)| (written_as(directory, place), stored.at_ms)))
    }

    /// The newest complete savepoint of a job in a directory that was completed since, written as the directory is.
    pub fn savepoint_since(&self, directory: &str, job_id: &str, since_ms: i64) -> Result<Found> {
        let folder = local(directory)?;
        let id = job_id.parse::<JobId>()?.to_string();
        let beginning = savepoint_name(&id, "");
        let named = self.below(&folder).filter(|(place, stored)| {
            let name = place.strip_prefix(folder.as_str()).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default();
            stored.is_whole && !name.contains('/') && name.starts_with(&beginning)
        });
        let newest = named.filter(|(_, stored)| stored.at_ms >= since_ms).max_by_key(|(_, stored)| stored.at_ms);
        Ok(newest.map(|(place, stored)| (written_as(directory, place), stored.at_ms)))
    }
}

/// The name of the directory of a savepoint.
pub fn savepoint_name(job_id: &str, suffix: &str) -> String {
    format!("savepoint-{}-{suffix}", job_id.get(..6).unwrap_or(job_id))
}

/// Whether a place is scratch.
pub fn is_scratch(place: &str) -> bool {
    place.contains(SCRATCH)
}

/// The one way in which a place is written, whatever was given: a path, an address, or the `_metadata` below it.
pub fn place(text: &str) -> String {
    let text = text.trim();
    let path = match text.get(..5) {
        Some(scheme) if scheme.eq_ignore_ascii_case("file:") => {
            let rest = text.get(5..).unwrap_or_default();
            let rest = rest.strip_prefix("//").unwrap_or(rest);
            rest.strip_prefix("localhost").unwrap_or(rest)
        }
        _ => text,
    };
    let path = path.strip_suffix("/_metadata").unwrap_or(path);
    path.trim_end_matches('/').to_owned()
}

/// A place as an address.
pub fn address(place: &str) -> String {
    if place.starts_with('/') { format!("file://{place}") } else { place.to_owned() }
}

/// A place on this machine.
///
/// # Errors
/// Unsupported if it lies elsewhere, Invalid if it is none.
pub fn local(text: &str) -> Result<String> {
    let place = place(text);
    match place.split_once("://") {
        Some((scheme, _)) => Err(Error::unsupported(format!("`{scheme}` is not on this machine"))),
        None if place.starts_with('/') => Ok(place),
        None => Err(Error::invalid(format!("`{text}` names no directory"))),
    }
}

/// That the disk does not answer.
pub fn broken(what: &str) -> Error {
    Error::new(ErrorKind::Unavailable, format!("cannot read `{what}`: input/output error"))
}

/// The place as an address if the directory was one.
fn written_as(directory: &str, place: &str) -> String {
    let is_address = directory.trim().get(..5).is_some_and(|start| start.eq_ignore_ascii_case("file:"));
    if is_address { address(place) } else { place.to_owned() }
}

/// The number of a checkpoint.
fn number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("chk-")?;
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &str = "0123456789abcdef0123456789abcdef";

    fn of(name: &str) -> Identity {
        Identity { namespace: "default".to_owned(), name: name.to_owned() }
    }

    fn disk(places: &[(&str, u64, bool)]) -> Disk {
        let mut disk = Disk::default();
        for (place, count, is_whole) in places {
            let at_ms = i64::try_from(*count).unwrap();
            let (job, kind) = (JOB.to_owned(), SnapshotKind::Checkpoint);
            disk.put(place, Stored { lineage: of("a"), job, count: *count, kind, at_ms, is_whole: *is_whole });
        }
        disk
    }

    #[test]
    fn the_newest_checkpoint_is_the_highest_whole_one_of_the_job_alone() {
        let c = |name: &str| format!("/d/c/{JOB}/{name}");
        let other = "/d/c/0123456789abcdef0123456789abcdee/chk-50";
        let places = [c("chk-9"), c("chk-10"), c("chk-11"), c("chk-12x"), c("abandoned-chk-13-after-1"), c("shared")];
        let mut disk = disk(&[(other, 50, true)]);
        for (count, place) in (1..).zip(&places) {
            let is_whole = !place.ends_with("chk-11");
            let (job, kind) = (JOB.to_owned(), SnapshotKind::Checkpoint);
            disk.put(place, Stored { lineage: of("a"), job, count, kind, at_ms: 7, is_whole });
        }
        for (directory, expected) in [
            ("file:///d/c", Some((format!("file://{}", c("chk-10")), 7))),
            ("/d/c/", Some((c("chk-10"), 7))),
            ("/d/other", None),
        ] {
            assert_eq!(disk.newest_checkpoint(directory, JOB).unwrap(), expected, "{directory}");
        }
        assert_eq!(disk.newest_checkpoint("s3://b/c", JOB).unwrap_err().kind(), ErrorKind::Unsupported);
        assert!(disk.newest_checkpoint("/d/c", "no id").is_err());
    }

    #[test]
    fn a_savepoint_is_found_by_six_digits_and_by_its_time() {
        let disk = disk(&[
            ("/d/s/savepoint-012345-a", 10, true),
            ("/d/s/savepoint-012345-b", 20, true),
            ("/d/s/savepoint-012345-c", 30, false),
            ("/d/s/savepoint-012346-d", 40, true),
            ("/d/s/old/savepoint-012345-e", 50, true),
        ]);
        for (since, expected) in [(0, Some(20)), (20, Some(20)), (21, None)] {
            let found = disk.savepoint_since("file:///d/s", JOB, since).unwrap();
            assert_eq!(found.map(|(_, at_ms)| at_ms), expected, "{since}");
        }
    }

    #[test]
    fn a_place_is_written_in_one_way() {
        for (text, expected) in [
            ("file:///a/b", "/a/b"),
            ("file:/a/b/", "/a/b"),
            ("FILE://localhost/a/_metadata", "/a"),
            ("/a/b", "/a/b"),
            ("s3://b/c/", "s3://b/c"),
        ] {
            assert_eq!(place(text), expected);
        }
        assert_eq!((address("/a").as_str(), address("s3://b").as_str()), ("file:///a", "s3://b"));
    }

    #[test]
    fn scratch_is_no_snapshot_of_a_lineage() {
        let mut disk =
            disk(&[("/d/a/tmp/checked-state/savepoint-012345-a", 90, true), ("/d/a/checkpoints/x", 5, true)]);
        assert_eq!((disk.most_of(&of("a")), disk.most_of(&of("b"))), (5, 0));
        disk.clear("/d/a/tmp");
        assert!(
            disk.at("/d/a/tmp/checked-state/savepoint-012345-a").is_none() && disk.at("/d/a/checkpoints/x").is_some()
        );
    }
}
