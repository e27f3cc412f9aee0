//! One job of a script from its plan to its end: lowered, started or restored, watched, told about.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kobel_dataflow::graph::Graph;
use kobel_model::ids::JobId;
use kobel_model::keygroup::MaxParallelism;
use kobel_model::settings::{Settings, options};
use kobel_model::snapshot::{Manifest, SnapshotKind};
use kobel_model::{Error, Result, chain};
use kobel_runtime::job::{Clock, Control, Job, JobEnd, JobOptions, Progress, RestoreFrom};
use kobel_sql::catalog::{Connectors, OptionValue};
use kobel_sql::lower::job::{LowerOptions, lower_job};
use kobel_sql::lower::{EvaluationClock, ExprContext};
use kobel_sql::optimizer::optimize;
use kobel_sql::plan::{JobPlan, Target};
use kobel_storage::location::local_path;
use kobel_storage::{recovery, snapshots};

use super::lineage::Lineage;
use super::resume::goes_on;
use super::service::Service;
use super::settings::{data_directory, restart_strategy, shown, time_zone};
use crate::clock::SystemClock;
use crate::collect::ResultTable;
use crate::interrupts::Interrupts;
use crate::terminal::Terminal;
use crate::terminal::progress::ProgressMeter;

/// What every job of a script is run with.
pub(crate) struct JobRunner {
    /// Where rows and words go.
    pub(crate) terminal: Arc<Terminal>,
    /// Who listens for Ctrl-C.
    pub(crate) interrupts: Arc<Interrupts>,
    /// How tables are reached.
    pub(crate) connectors: Arc<dyn Connectors>,
    /// What checkpoints are filed under.
    pub(crate) stem: String,
}

/// How a job ended, and what came in between.
#[derive(Debug)]
pub(crate) struct Ended {
    /// How.
    pub(crate) end: JobEnd,
    /// The person wanted to stop while it ran.
    pub(crate) was_interrupted: bool,
}

/// What a job is started with.
pub(crate) struct Start<'a> {
    /// What was set by then.
    pub(crate) settings: &'a Settings,
    /// The snapshot to go on from.
    pub(crate) restore: Option<RestoreFrom>,
    /// Who shows the job to the outside.
    pub(crate) service: Option<&'a Service>,
}

/// A plan with what runs it.
struct Lowered {
    graph: Graph,
    /// Where rows go that are printed as a table.
    table: Option<ResultTable>,
    clock: Arc<SystemClock>,
}

/// What a job leaves behind for a recovery.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoints {
    /// Their directory.
    directory: PathBuf,
    /// Whose they are.
    job: JobId,
}

impl Checkpoints {
    /// Whether there is one to go on from.
    pub(crate) fn has_whole(&self) -> bool {
        snapshots::newest(&self.directory, |manifest| manifest.job_id == self.job)
            .is_ok_and(|newest| newest.whole.is_some())
    }
}

impl JobRunner {
    /// Runs a job to its end. What it leaves behind if it fails is put into `checkpoints` as soon as it is known.
    ///
    /// # Errors
    /// Those of starting the job, and its first failure.
    pub(crate) fn run(
        &self,
        plan: JobPlan,
        start: Start<'_>,
        lineage: &mut Lineage,
        checkpoints: &mut Option<Checkpoints>,
    ) -> Result<Ended> {
        let plan = optimize(plan);
        let not_started = |error: Error| error.context(format!("cannot start job `{}`", plan.name));
        let Lowered { graph, table, clock } = self.lower(&plan, start.settings)?;
        let mut options = self.options(&plan, start.settings, start.restore, clock)?;
        let directory = options.checkpoint_dir.clone();
        if let (None, Some(job)) = (&options.restore, lineage.job_of(&directory, plan.statement)) {
            (options.job_id, options.lineage) = (job, job);
        }
        let job_id = options.job_id;
        let savepoint = options.restore.as_ref().filter(|from| from.manifest.kind == SnapshotKind::Savepoint);
        let savepoint = savepoint.map(|from| from.directory.clone());
        let job = Job::new(graph, options).map_err(|error| with_table(not_started(error), &plan))?;
        lineage.add_job(&directory, job_id, plan.statement)?;
        if let Some(savepoint) = &savepoint {
            // Until the first checkpoint, this is what `--recover` must go on from.
            lineage.add_savepoint(&directory, savepoint)?;
        }
        *checkpoints = Some(Checkpoints { directory: directory.clone(), job: job_id });
        let ended = self.watch(job, table.as_ref(), &plan, start.service);
        // One that is only to make room goes on elsewhere.
        let goes_on_elsewhere = |ended: &Ended| ended.was_interrupted && matches!(ended.end, JobEnd::Canceled);
        if goes_on(start.settings) && !ended.as_ref().is_ok_and(goes_on_elsewhere) {
            recovery::note_end(&directory, job_id)?;
        }
        let ended = ended?;
        if let JobEnd::Stopped { savepoint } = &ended.end {
            // The savepoint is there all the same, and the person must learn its place.
            if let Err(error) = lineage.add_savepoint(&directory, savepoint) {
                self.terminal.warn(&format!("`--recover` will not find the savepoint: {}", chain(&error)));
            }
        }
        Ok(ended)
    }

    /// Makes sure that a job can be made and go on from where it is to start; nothing is opened or changed.
    ///
    /// # Errors
    /// Those of the plan, Invalid if the snapshot does not fit.
    pub(crate) fn check(&self, plan: JobPlan, start: Start<'_>) -> Result<()> {
        let plan = optimize(plan);
        let Lowered { graph, clock, .. } = self.lower(&plan, start.settings)?;
        let options = self.options(&plan, start.settings, start.restore, clock)?;
        Job::check(&graph, &options).map_err(|error| error.context(format!("cannot start job `{}`", plan.name)))
    }

    fn lower(&self, plan: &JobPlan, settings: &Settings) -> Result<Lowered> {
        let zone = time_zone(settings)?;
        let clock = EvaluationClock::default();
        let collected = plan.sinks.iter().find(|sink| sink.target == Target::Collect);
        let table = collected.map(|sink| ResultTable::new(Arc::clone(&self.terminal), &sink.input, zone.clone()));
        let options = LowerOptions {
            expressions: ExprContext { time_zone: zone, clock: clock.clone() },
            watermark_interval_ms: millis(settings.get(&options::AUTO_WATERMARK_INTERVAL)),
            idle_timeout_ms: millis(settings.get(&options::SOURCE_IDLE_TIMEOUT)),
        };
        let sink = table.as_ref().map(ResultTable::sink);
        let graph = lower_job(plan, self.connectors.as_ref(), sink, &options)
            .map_err(|error| error.context(format!("cannot start job `{}`", plan.name)))?;
        Ok(Lowered { graph, table, clock: Arc::new(SystemClock::new(clock)) })
    }

    /// Runs a job that is ready and tells about it.
    fn watch(&self, job: Job, table: Option<&ResultTable>, plan: &JobPlan, service: Option<&Service>) -> Result<Ended> {
        self.interrupts.attach(job.controller())?;
        if let Some(table) = table {
            table.begin()?;
        }
        if let Some(service) = service {
            service.add(job.view());
        }
        let mut meter = ProgressMeter::new(Arc::clone(&self.terminal));
        let controller = job.controller();
        let end = job.run(&mut |progress: &Progress<'_>| {
            if progress.restart.is_some() && self.terminal.is_stdout_closed() {
                // Whoever read the rows has seen enough; another attempt would fail as this one did.
                controller.send(Control::Cancel);
            } else {
                meter.show(progress);
            }
        });
        let was_interrupted = self.interrupts.detach();
        self.terminal.clear_status();
        let end = end.map_err(|error| error.context(format!("job `{}` failed", plan.name)))?;
        if let Some(table) = table {
            table.end()?;
        }
        let how = match &end {
            JobEnd::Finished => "finished in",
            JobEnd::Stopped { .. } => "stopped after",
            JobEnd::Canceled => "canceled after",
        };
        self.terminal.inform(&format!("{} {how} {}", plan.name, meter.summary()));
        if end == JobEnd::Finished {
            written_paths(plan).for_each(|path| self.terminal.inform(&format!("wrote {path}")));
        }
        Ok(Ended { end, was_interrupted })
    }

    fn options(
        &self,
        plan: &JobPlan,
        settings: &Settings,
        restore: Option<RestoreFrom>,
        clock: Arc<dyn Clock>,
    ) -> Result<JobOptions> {
        let chosen = settings.get(&options::JOB_ID).map(|text| job_id(&text)).transpose()?;
        let fresh = || JobId::from_bytes(rand::random());
        let manifest = restore.as_ref().map(|from| &from.manifest);
        let job_id = chosen.or_else(|| manifest.map(|manifest| manifest.job_id)).unwrap_or_else(fresh);
        Ok(JobOptions {
            name: plan.name.clone(),
            statement: plan.statement,
            job_id,
            lineage: manifest.map_or(job_id, Manifest::lineage),
            parallelism: usize::try_from(settings.get(&options::PARALLELISM)).unwrap_or(usize::MAX),
            vertex_parallelism: None,
            max_parallelism: MaxParallelism::new(settings.get(&options::MAX_PARALLELISM))?,
            batch_rows: settings.get(&options::BATCH_SIZE),
            checkpoint_interval: settings.get(&options::CHECKPOINTING_INTERVAL),
            checkpoint_min_pause: settings.get(&options::CHECKPOINTING_MIN_PAUSE),
            checkpoint_timeout: settings.get(&options::CHECKPOINTING_TIMEOUT),
            checkpoint_failures_tolerated: settings.get(&options::TOLERABLE_FAILED_CHECKPOINTS),
            checkpoint_dir: checkpoint_directory(settings, &self.stem)?,
            checkpoints_retained: settings.get(&options::CHECKPOINTS_RETAINED),
            savepoint_dir: savepoint_directory(settings)?,
            next_checkpoint_id: 1,
            restart: restart_strategy(settings),
            settings: shown(settings),
            restore,
            clock,
        })
    }
}

/// An error about an input, with the table that names it.
fn with_table(error: Error, plan: &JobPlan) -> Error {
    if error.hint().is_some() {
        return error;
    }
    let told = chain(&error);
    let is_named = |option: &OptionValue| told.contains(&format!("input `{}`", option.value));
    let scan = plan.scans().into_iter().find(|scan| scan.options.get("path").is_some_and(is_named));
    match scan {
        Some(scan) => error.with_hint(format!("see option `path` of table `{}`", scan.table.name)),
        None => error,
    }
}

/// Where the checkpoints of a script with this stem go.
///
/// # Errors
/// Unsupported or Invalid if the setting names no local directory.
pub(crate) fn checkpoint_directory(settings: &Settings, stem: &str) -> Result<PathBuf> {
    match settings.get(&options::CHECKPOINTS_DIR) {
        Some(text) => local_path(options::CHECKPOINTS_DIR.key(), &text),
        None => Ok(data_directory(settings)?.join("checkpoints").join(stem)),
    }
}

/// An id that somebody else has chosen.
fn job_id(text: &str) -> Result<JobId> {
    let wrong = || {
        Error::invalid(format!("cannot set `{}` to `{text}`: expected 32 hexadecimal digits", options::JOB_ID.key()))
    };
    text.parse().map_err(|_| wrong())
}

fn savepoint_directory(settings: &Settings) -> Result<PathBuf> {
    match settings.get(&options::SAVEPOINTS_DIR) {
        Some(text) => local_path(options::SAVEPOINTS_DIR.key(), &text),
        None => Ok(data_directory(settings)?.join("savepoints")),
    }
}

/// The paths of the files that a job writes, as the script names them.
fn written_paths(plan: &JobPlan) -> impl Iterator<Item = String> {
    plan.sinks.iter().filter_map(|sink| match &sink.target {
        Target::Table { options, .. } => {
            let value = |key: &str| options.get(key).map(|option| option.value.as_str());
            let path = value("path").filter(|_| value("connector") == Some("filesystem"))?;
            Some(Path::new(path).display().to_string())
        }
        Target::Collect => None,
    })
}

fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
