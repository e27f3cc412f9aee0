//! What a launch tells the programs that it starts, read back as they would read it.
//!
//! What is written wrongly is not understood here either: a restore under a key that the engine does not know is a
//! start without state.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use kobel_manifest::engine::Engine;
use kobel_manifest::launch::{Launch, Process};
use kobel_model::deployment::FlinkVersion;
use kobel_model::quantity::parse_duration;

use super::disk;

/// The line whose options the native engine knows.
const NATIVE: FlinkVersion = FlinkVersion::V2_3;
/// The oldest line that knows the options by their newer spellings.
const RESPELLED_SINCE: FlinkVersion = FlinkVersion::V1_20;
/// How long a JobManager that is gone still leads, unless it is said.
const SESSION_TIMEOUT_MS: i64 = 60_000;
/// What the folder of a session job lies below.
const JOBS: &str = "/jobs/";

/// What becomes of checkpoints when their job ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// They are removed.
    Never,
    /// They stay if the job failed.
    OnFailure,
    /// They stay unless the job finished.
    OnCancellation,
    /// They stay.
    Always,
}

/// What a job is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Which engine runs it.
    pub engine: Engine,
    /// Where its checkpoints go.
    pub checkpoints: Option<String>,
    /// Where its savepoints go.
    pub savepoints: Option<String>,
    /// How often a checkpoint is taken.
    pub interval_ms: Option<i64>,
    /// What becomes of them.
    pub retention: Retention,
    /// How many of them are kept.
    pub kept: usize,
    /// Whether the job starts again when it has failed.
    pub restarts: bool,
    /// How many tasks it has.
    pub tasks: i64,
}

/// The job of a launch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Starting {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it starts from.
    pub restore: Option<String>,
}

/// A launch as its programs understand it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Which Flink it says it is.
    pub line: FlinkVersion,
    /// Its job; absent for a session cluster.
    pub job: Option<Starting>,
    /// What jobs are told that are told nothing else.
    pub settings: Arc<Settings>,
    /// How long a JobManager that is gone still leads; absent if no other one takes over.
    pub takeover_ms: Option<i64>,
}

/// Reads a launch.
pub fn read(launch: &Launch) -> Started {
    if let Some(file) = launch.files.iter().find(|file| file.path == Path::new("config.json")) {
        let values: BTreeMap<String, String> = serde_json::from_str(&file.text).unwrap_or_default();
        let restore = values.get("execution.state-recovery.path").cloned();
        let job = starting(&values, restore);
        let settings = Arc::new(Settings::read(&values, Engine::Native, NATIVE));
        return Started { line: NATIVE, job, settings, takeover_ms: None };
    }
    let values = configuration(launch);
    let manager = launch.processes.iter().find(|process| process.role == "jobmanager");
    let line = manager.and_then(line).unwrap_or(NATIVE);
    let of_job = manager.filter(|manager| manager.arguments.first().is_some_and(|script| script.ends_with("job.sh")));
    let job = of_job.and_then(|manager| starting(&values, from_savepoint(&manager.arguments)));
    let settings = Arc::new(Settings::read(&values, Engine::Flink, line));
    Started { line, job, settings, takeover_ms: takeover_ms(&values) }
}

/// Whose job it is that was submitted to a session cluster: the name of the folder that it was given, or else its own.
pub fn name_of_submitted(values: &BTreeMap<String, String>) -> Option<String> {
    let folder = |value: &String| {
        let (_, rest) = value.split_once(JOBS)?;
        Some(rest.split('/').next().unwrap_or(rest).to_owned())
    };
    values.values().find_map(folder).or_else(|| values.get("pipeline.name").cloned())
}

impl Settings {
    /// Reads what is configured, as a line of an engine understands it.
    pub fn read(values: &BTreeMap<String, String>, engine: Engine, line: FlinkVersion) -> Self {
        let value = |newer: &str, older: &str| {
            let newer = values.get(newer).filter(|_| line >= RESPELLED_SINCE);
            newer.or_else(|| values.get(older).filter(|_| engine == Engine::Flink)).map(|text| text.trim().to_owned())
        };
        let place = |newer: &str, older: &str| value(newer, older).map(|text| disk::place(&text));
        let text = |key: &str| values.get(key).map(|text| text.trim().to_ascii_uppercase()).unwrap_or_default();
        let interval = values.get("execution.checkpointing.interval").and_then(|text| parse_duration(text).ok());
        let interval_ms = interval.and_then(|time| i64::try_from(time.as_millis()).ok()).filter(|time| *time > 0);
        let retention = match text("execution.checkpointing.externalized-checkpoint-retention").as_str() {
            _ if engine == Engine::Native => Retention::Always,
            "RETAIN_ON_CANCELLATION" => Retention::OnCancellation,
            "DELETE_ON_CANCELLATION" => Retention::OnFailure,
            _ => Retention::Never,
        };
        let strategy = match text("restart-strategy.type") {
            strategy if strategy.is_empty() => text("restart-strategy"),
            strategy => strategy,
        };
        let restarts = match strategy.as_str() {
            "" => interval_ms.is_some(),
            "NONE" | "OFF" | "DISABLE" => false,
            _ => true,
        };
        let number = |key: &str| values.get(key).and_then(|text| text.trim().parse::<i64>().ok()).unwrap_or(1).max(1);
        Self {
            engine,
            checkpoints: place("execution.checkpointing.dir", "state.checkpoints.dir"),
            savepoints: place("execution.checkpointing.savepoint-dir", "state.savepoints.dir"),
            interval_ms,
            retention,
            kept: usize::try_from(number("execution.checkpointing.num-retained")).unwrap_or(1),
            restarts,
            tasks: number("parallelism.default"),
        }
    }

    /// What a submitted job is told: its own words, and those of its cluster where it says nothing.
    pub fn below(&self, values: &BTreeMap<String, String>, line: FlinkVersion) -> Self {
        let own = Self::read(values, self.engine, line);
        let says = |key: &str| values.keys().any(|known| known.starts_with(key));
        let says_how_to_restart = says("restart-strategy") || own.interval_ms.is_some();
        Self {
            checkpoints: own.checkpoints.or_else(|| self.checkpoints.clone()),
            savepoints: own.savepoints.or_else(|| self.savepoints.clone()),
            interval_ms: own.interval_ms.or(self.interval_ms),
            retention: if says("execution.checkpointing.externalized") { own.retention } else { self.retention },
            kept: if says("execution.checkpointing.num-retained") { own.kept } else { self.kept },
            restarts: if says_how_to_restart { own.restarts } else { self.restarts },
            engine: self.engine,
            tasks: own.tasks,
        }
    }
}

fn starting(values: &BTreeMap<String, String>, restore: Option<String>) -> Option<Starting> {
    let id = values.get("$internal.pipeline.job-id")?.clone();
    let name = values.get("pipeline.name").cloned().unwrap_or_else(|| id.clone());
    Some(Starting { id, name, restore })
}

/// What a JobManager of one job is told to start from; what is configured of it is overwritten.
fn from_savepoint(arguments: &[String]) -> Option<String> {
    let own = arguments.iter().take_while(|argument| *argument != "--");
    own.skip_while(|argument| *argument != "--fromSavepoint").nth(1).cloned()
}

/// How long a JobManager that is gone still leads, if another one can take over.
fn takeover_ms(values: &BTreeMap<String, String>) -> Option<i64> {
    let kind = values.get("high-availability.type").or_else(|| values.get("high-availability"))?;
    if kind.eq_ignore_ascii_case("none") {
        return None;
    }
    let timeout = values.get("high-availability.zookeeper.client.session-timeout");
    Some(timeout.and_then(|text| text.trim().parse().ok()).unwrap_or(SESSION_TIMEOUT_MS))
}

/// The line of the distribution that a process is started from.
fn line(process: &Process) -> Option<FlinkVersion> {
    let (_, home) = process.environment.iter().find(|(name, _)| name == "FLINK_HOME")?;
    let name = Path::new(home).file_name()?.to_str()?;
    FlinkVersion::ALL.iter().copied().find(|line| line.as_str() == name)
}

/// What the file says that Flink reads.
fn configuration(launch: &Launch) -> BTreeMap<String, String> {
    let named = |name: &str| launch.files.iter().find(|file| file.path.ends_with(name));
    if let Some(file) = named("config.yaml") {
        return file.text.lines().filter_map(yaml_line).collect();
    }
    let flat = named("flink-conf.yaml").map(|file| file.text.as_str()).unwrap_or_default();
    let line = |line: &str| line.split_once(": ").map(|(key, value)| (key.to_owned(), value.to_owned()));
    flat.lines().filter_map(line).collect()
}

fn yaml_line(line: &str) -> Option<(String, String)> {
    let between = match line.chars().next()? {
        '\'' => "': ",
        '"' => "\": ",
        _ => ": ",
    };
    let at = line.find(between)? + between.len();
    let key = line.get(..at)?.trim_end().strip_suffix(':')?;
    Some((unquoted(key), unquoted(line.get(at..)?)))
}

fn unquoted(text: &str) -> String {
    let inner = |quote: char| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    match (inner('\''), inner('"')) {
        (Some(text), _) => text.replace("''", "'"),
        (None, Some(_)) => serde_json::from_str(text).unwrap_or_default(),
        (None, None) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
