//! `kobel fetch`: the program of an application, fetched in its pod before Flink starts.
//!
//! Whom a pod may ask is for the network of the cluster to say, so that every host is asked here. Nothing is kept besides
//! the file.

use std::env::temp_dir;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kobel_logs::{Format, Level, Scrubber};
use kobel_model::Result;
use kobel_storage::artifacts::{Artifacts, Limits};
use kobel_storage::patience::Patience;

use crate::args::pod::FetchArguments;
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// What one try may cost.
const LIMITS: Limits = Limits { bytes_max: 8 << 30, time_max: Duration::from_secs(30 * 60), allow_private: true };

/// Fetches and reports what goes wrong.
pub(crate) fn run(arguments: &FetchArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    terminal.conclude(fetch(arguments, &terminal).map(|()| Exit::Done))
}

fn fetch(arguments: &FetchArguments, terminal: &Terminal) -> Result<()> {
    let begun = Instant::now();
    kobel_logs::start_on_stderr(Level::Info, Format::Text, Arc::new(Scrubber::new()))?;
    // The cache is not used for what goes to a path.
    let artifacts = Artifacts::new(&temp_dir(), LIMITS);
    let bytes = Patience::default().attempt(|| artifacts.fetch_to(&arguments.uri, &arguments.path))?;
    let (path, took) = (arguments.path.display(), begun.elapsed().as_millis());
    terminal.inform(&format!("fetched {bytes} bytes to `{path}` in {took} ms"));
    Ok(())
}
