//! The way to Amazon S3: what is new is packed into spools, and spools are put as objects.
//!
//! The object of a stream that grows is put again and again, whole: objects cannot be appended to. A large one is put
//! less often, so that what is sent stays in proportion to what is new.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kobel_model::Result;

use crate::destination::{Destination, Phase, Progress};
use crate::follow::Follower;
use crate::names::current;
use crate::positions::{Positions, Spooled, Store};
use crate::settings::{Rotation, S3};
use crate::spool::Spool;

/// The most bytes that one turn reads.
const TURN_MAX: u64 = 16 << 20;
/// Of a file that grows, at least this part is new when it is put again …
const PART: u64 = 10;
/// … unless it was put this many intervals ago.
const INTERVALS: u32 = 10;
/// How long one object may take …
const PUT_MAX: Duration = Duration::from_secs(10);
/// … and for each of so many bytes a second more.
const BYTES_PER_SECOND: u64 = 4 << 20;

/// The way to S3.
#[derive(Debug)]
pub(crate) struct ToS3 {
    to: S3,
    pod: String,
    rotation: Rotation,
    folder: PathBuf,
    follower: Follower,
    store: Store,
    spools: BTreeMap<String, Spool>,
    /// What was put last of each stream.
    put: BTreeMap<String, Put>,
}

/// What was put last of a file that grows.
#[derive(Debug, Clone, Copy)]
struct Put {
    index: u64,
    packed: u64,
    at: Instant,
}

impl ToS3 {
    /// Goes on from what is kept in `state`, a folder of the agent's own.
    ///
    /// # Errors
    /// Denied or Unavailable if the folder cannot be read and written.
    pub(crate) fn open(to: S3, pod: &str, directory: &Path, state: &Path, rotation: Rotation) -> Result<Self> {
        let (store, Positions { files, spools: kept }) = Store::open(&state.join("s3.json"))?;
        let folder = state.to_owned();
        let mut spools = BTreeMap::new();
        for (stream, spooled) in kept {
            let spool = Spool::open(&folder, &stream, spooled)?;
            spools.insert(stream, spool);
        }
        let follower = Follower::new(directory, files, rotation.files);
        let (pod, put) = (pod.to_owned(), BTreeMap::new());
        Ok(Self { to, pod, rotation, folder, follower, store, spools, put })
    }

    /// Packs what is new.
    fn pack(&mut self, phase: Phase) -> Result<Progress> {
        self.follower.look()?;
        let day = Timestamp::now().strftime("%Y%m%d").to_string();
        let (spools, folder, rotation) = (&mut self.spools, &self.folder, self.rotation);
        let read = self.follower.read(phase, TURN_MAX, &mut |chunk| {
            if !spools.contains_key(chunk.stream) {
                let spool = Spool::open(folder, chunk.stream, Spooled::default())?;
                spools.insert(chunk.stream.to_owned(), spool);
            }
            match spools.get_mut(chunk.stream) {
                Some(spool) => spool.append(chunk.bytes, rotation, &day),
                None => Ok(0),
            }
        });
        let files = self.follower.positions()?;
        let spools = self.spools.iter().map(|(stream, spool)| (stream.clone(), spool.state().clone())).collect();
        self.store.save(Positions { files, spools })?;
        read
    }

    /// Puts what is closed, and what has grown enough.
    fn put(&mut self, phase: Phase) -> Result<()> {
        for (stream, spool) in &mut self.spools {
            while let Some((name, file)) = spool.oldest()? {
                let length = file.metadata().map_or(0, |metadata| metadata.len());
                self.to.folder.put(&format!("{}/{name}", self.pod), &file, time_max(length))?;
                spool.drop_oldest();
            }
            let Spooled { packed, index, .. } = *spool.state();
            let last = self.put.get(stream).copied();
            let now = Instant::now();
            if is_due([packed, index], last, self.to.every, now)
                || (phase == Phase::Last && has_grown([packed, index], last))
            {
                self.to.folder.put(&format!("{}/{}", self.pod, current(stream)), spool.growing(), time_max(packed))?;
                self.put.insert(stream.clone(), Put { index, packed, at: now });
            }
        }
        Ok(())
    }
}

impl Destination for ToS3 {
    fn turn(&mut self, phase: Phase) -> Result<Progress> {
        let progress = self.pack(phase)?;
        // While the pod ends, what is here goes out once: at the last.
        if phase != Phase::Ending && progress != Progress::More {
            self.put(phase)?;
        }
        Ok(progress)
    }
}

fn time_max(length: u64) -> Duration {
    PUT_MAX + Duration::from_secs(length / BYTES_PER_SECOND)
}

/// Whether a file of this length and index holds what was not put.
fn has_grown([packed, index]: [u64; 2], last: Option<Put>) -> bool {
    last.map_or(packed > 0, |last| (index, packed) > (last.index, last.packed) && packed > 0)
}

fn is_due([packed, index]: [u64; 2], last: Option<Put>, every: Duration, now: Instant) -> bool {
    let Some(last) = last.filter(|_| has_grown([packed, index], last)) else {
        return packed > 0 && last.is_none();
    };
    let age = now.saturating_duration_since(last.at);
    let new = if index == last.index { packed - last.packed } else { packed };
    age >= every && (new >= packed / PART || age >= every.saturating_mul(INTERVALS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_file_is_put_less_often_than_a_small_one() {
        let (at, every) = (Instant::now(), Duration::from_secs(60));
        let put = |index, packed| Some(Put { index, packed, at });
        for (packed, index, last, age, expected) in [
            (0, 0, None, 0, false),
            (10, 0, None, 0, true),
            (10, 0, put(0, 10), 9999, false),
            (11, 0, put(0, 10), 59, false),
            (11, 0, put(0, 10), 60, true),
            (1009, 0, put(0, 1000), 60, false),
            (1009, 0, put(0, 1000), 600, true),
            (1200, 0, put(0, 1000), 60, true),
            (5, 1, put(0, 1000), 60, true),
            (0, 1, put(0, 1000), 9999, false),
        ] {
            let now = at + Duration::from_secs(age);
            assert_eq!(is_due([packed, index], last, every, now), expected, "{packed} {index} {last:?} {age}");
        }
        assert!(has_grown([11, 0], put(0, 10)) && !has_grown([10, 0], put(0, 10)) && !has_grown([0, 1], put(0, 10)));
    }
}
