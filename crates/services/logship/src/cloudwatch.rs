//! The way to the log streams of CloudWatch: each line is an event, at the time at which it was read.

use std::path::Path;

use jiff::Timestamp;
use kobel_model::Result;
use kobel_storage::aws::cloudwatch::LogEvent;

use crate::batch::{CLOUDWATCH, first};
use crate::destination::{Destination, Phase, Progress};
use crate::follow::{Chunk, Follower};
use crate::names::log_stream;
use crate::positions::{Positions, Store};
use crate::settings::{CloudWatch, Rotation};

/// The most bytes that one turn reads, which are also the most that a crash doubles.
const TURN_MAX: u64 = 1 << 20;

/// The way to CloudWatch.
#[derive(Debug)]
pub(crate) struct ToCloudWatch {
    to: CloudWatch,
    pod: String,
    follower: Follower,
    store: Store,
}

impl ToCloudWatch {
    /// Goes on from what is kept in `state`, a folder of the agent's own.
    ///
    /// # Errors
    /// Denied or Unavailable if the folder cannot be read.
    pub(crate) fn open(to: CloudWatch, pod: &str, directory: &Path, state: &Path, rotation: Rotation) -> Result<Self> {
        let (store, positions) = Store::open(&state.join("cloudwatch.json"))?;
        let follower = Follower::new(directory, positions.files, rotation.files);
        Ok(Self { to, pod: pod.to_owned(), follower, store })
    }
}

impl Destination for ToCloudWatch {
    fn turn(&mut self, phase: Phase) -> Result<Progress> {
        self.follower.look()?;
        let (to, pod) = (&self.to, &self.pod);
        let read = self.follower.read(phase, TURN_MAX, &mut |chunk| ship(to, pod, &chunk));
        let files = self.follower.positions()?;
        self.store.save(Positions { files, ..Positions::default() })?;
        read
    }
}

/// Ships the first lines of a chunk; gives how many bytes they are.
fn ship(to: &CloudWatch, pod: &str, chunk: &Chunk<'_>) -> Result<usize> {
    let batch = first(chunk.bytes, chunk.end, CLOUDWATCH);
    if batch.messages.is_empty() {
        return Ok(batch.length);
    }
    let time_ms = Timestamp::now().as_millisecond();
    let events: Vec<LogEvent> = batch.messages.into_iter().map(|message| LogEvent { time_ms, message }).collect();
    let stream = log_stream(&to.prefix, pod, chunk.stream);
    let refused = to.group.append(&stream, &events)?;
    if refused > 0 {
        tracing::warn!(stream, refused, "CloudWatch does not take some lines; they are given up");
    }
    Ok(batch.length)
}
