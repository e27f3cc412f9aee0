//! The loop: every destination in turn, until the pod ends, and then until all is out.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use kobel_model::{Error, ErrorKind, Result};
use kobel_storage::file;

use crate::cloudwatch::ToCloudWatch;
use crate::destination::{Destination, Phase, Progress};
use crate::pace::Pace;
use crate::s3::ToS3;
use crate::settings::Settings;

/// The folder of the agent, below the directory of the logs: what it keeps lives as long as they do.
const STATE: &str = ".kobel-logship";
/// How often the loop looks what is due.
const TICK: Duration = Duration::from_millis(500);
/// How often lines go to CloudWatch.
const CLOUDWATCH_EVERY: Duration = Duration::from_secs(1);
/// How often lines are packed for S3, at the longest.
const PACK_EVERY: Duration = Duration::from_secs(10);
/// How long nothing may be written before Flink counts as ended.
const QUIET: Duration = Duration::from_secs(2);
/// How long Flink is waited for: pods have 30 seconds to end in.
const ENDING_MAX: Duration = Duration::from_secs(15);
/// When the last try begins at the latest.
const LAST_MAX: Duration = Duration::from_secs(24);

/// One destination and when it is due.
struct Way {
    destination: Box<dyn Destination>,
    name: &'static str,
    pace: Pace,
}

/// Ships logs until `ended` says that the pod ends, and then what is still here.
///
/// # Errors
/// Invalid, Denied or Unavailable if nothing can be kept beside the logs; Unavailable if something was not shipped at the
/// end.
pub fn run(settings: Settings, ended: &Receiver<()>) -> Result<()> {
    let mut ways = ways(settings)?;
    loop {
        let now = Instant::now();
        let mut has_more = false;
        for way in ways.iter_mut().filter(|way| way.pace.is_due(now)) {
            has_more |= way.turn();
        }
        // Nobody can say any more that the pod ends once the sender is gone, so it counts as said.
        match ended.recv_timeout(if has_more { Duration::ZERO } else { TICK }) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    finish(&mut ways)
}

fn ways(settings: Settings) -> Result<Vec<Way>> {
    let Settings { directory, pod, s3, cloudwatch, rotation } = settings;
    let state = directory.join(STATE);
    file::create_writable_directory(&state)?;
    let now = Instant::now();
    let mut ways = Vec::new();
    if let Some(to) = s3 {
        tracing::info!("shipping `{}` to `{}{pod}/`", directory.display(), to.folder);
        let pace = Pace::new(PACK_EVERY.min(to.every), now);
        let destination = Box::new(ToS3::open(to, &pod, &directory, &state, rotation)?);
        ways.push(Way { destination, name: "Amazon S3", pace });
    }
    if let Some(to) = cloudwatch {
        tracing::info!("shipping `{}` to {:?}", directory.display(), to.group);
        let pace = Pace::new(CLOUDWATCH_EVERY, now);
        let destination = Box::new(ToCloudWatch::open(to, &pod, &directory, &state, rotation)?);
        ways.push(Way { destination, name: "CloudWatch", pace });
    }
    Ok(ways)
}

impl Way {
    /// One turn while Flink runs; whether there is more to read.
    fn turn(&mut self) -> bool {
        let turned = self.destination.turn(Phase::Running);
        let now = Instant::now();
        match turned {
            Ok(Progress::More) => return true,
            Ok(Progress::Nothing | Progress::Some) => self.pace.succeeded(now),
            Err(error) => {
                let pause = self.pace.failed(now);
                tracing::warn!(pause = ?pause, "logs do not reach {}: {error:?}; they are kept", self.name);
            }
        }
        false
    }
}

/// Waits until Flink writes no more, and ships what is here.
fn finish(ways: &mut [Way]) -> Result<()> {
    let begun = Instant::now();
    let mut quiet = begun;
    while quiet.elapsed() < QUIET && begun.elapsed() < ENDING_MAX {
        for way in &mut *ways {
            if !matches!(way.destination.turn(Phase::Ending), Ok(Progress::Nothing) | Err(_)) {
                quiet = Instant::now();
            }
        }
        thread::sleep(TICK / 2);
    }
    let mut failed: Option<Error> = None;
    for way in ways {
        let missing = loop {
            match way.destination.turn(Phase::Last) {
                Ok(Progress::More) => {}
                Ok(Progress::Nothing | Progress::Some) => break None,
                Err(error) if begun.elapsed() < LAST_MAX && error.kind() == ErrorKind::Unavailable => {
                    thread::sleep(TICK);
                }
                Err(error) => break Some(error.context(format!("the last lines did not reach {}", way.name))),
            }
        };
        failed = failed.or(missing);
    }
    failed.map_or(Ok(()), Err)
}
