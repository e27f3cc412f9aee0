//! What would be done about a declaration: the acts of all the decisions that lead to it, in words, before anything is
//! written.
//!
//! # Invariant
//! Nothing here decides. The decisions themselves are asked, one after the other, in a world that is imagined as the
//! record tells of it and in which every act succeeds. So a plan is what will be done, as long as the record is true
//! and nothing fails on the way; the notes tell what is done otherwise.

mod imagined;
mod step;

use std::time::Duration;

use kobel_model::deployment::{JobState as Asked, StateSnapshot, UpgradeMode};

use self::imagined::Imagined;
pub use self::step::{Kind, Launch, Origin, Step};
use crate::change::{self, Change};
use crate::decision::Decision;
use crate::desired::Desired;
use crate::facts::Facts;
use crate::options::Options;
use crate::record::{LAST_STATE_DUMMY, Record, Trigger};
use crate::snapshot::{self, Files, ReferencedJob, SnapshotFacts, SnapshotRecord};
use crate::state::{JobManagerState, ReconciliationState};
use crate::wording::span_of;
use crate::{application, session};

/// The most decisions that are asked for.
const ROUNDS_MAX: u32 = 64;
/// After so many decisions to wait, what is awaited does not come without help from outside.
const WAITS_MAX: u32 = 12;
/// After so many decisions to wait, longer ones are imagined.
const WAITS_SHORT: u32 = 4;
/// How long a longer one is at least.
const LONGER: Duration = Duration::from_secs(10);
/// What says that everything is as it was asked for.
const SETTLED: &str = "Settled";
/// Stands for the directory that snapshots go to if nobody names one.
const DEFAULT_DIRECTORY: &str = "(the default directory)";

/// What would be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// All of it in a few words.
    pub summary: String,
    /// What would be done, in this order.
    pub steps: Vec<Step>,
    /// What would be awaited then, if it is not certain to come.
    pub waits: Option<String>,
    /// What would be done if something is not as it was recorded, or fails.
    pub notes: Vec<String>,
}

/// Plans what would be done about a deployment or a session job.
pub fn plan(kind: Kind, desired: &Desired<'_>, record: &Record, now_ms: i64) -> Plan {
    let options = undisturbed(desired.options);
    let quiet = Desired { options: &options, is_deleting: false, ..*desired };
    let world = Imagined::new(kind, desired.generation, record, now_ms);
    let mut course = follow(kind, &quiet, record, world.clone());
    if let Some(step) = awaited(&quiet, record)
        && !course.steps.is_empty()
    {
        course.steps.insert(0, step);
    }
    let subject = Subject { kind, desired: &quiet, record };
    let summary = subject.summary(&course);
    let mut notes = Vec::new();
    if world.has_running_job() {
        let mut other = world;
        other.stumble();
        notes.extend(subject.if_it_does_not_run(&course, &follow(kind, &quiet, record, other)));
    }
    notes.extend(subject.if_the_savepoint_fails(&course));
    notes.extend(subject.if_there_is_no_snapshot(&course));
    notes.extend(subject.if_the_snapshot_is_old(&course));
    notes.extend(subject.if_it_does_not_come_up(&course));
    notes.extend(subject.if_it_becomes_stateless(&course));
    if subject.ended_before_it_ran() {
        course.steps.retain(|step| *step != Step::Remove);
    }
    Plan { summary, steps: course.steps, waits: course.waits, notes }
}

/// Plans what would be done about a snapshot that is declared for the first time.
pub fn plan_of_snapshot(declared: &StateSnapshot, now_ms: i64) -> Plan {
    let name = declared.job.as_ref().map(|job| job.name.clone()).unwrap_or_default();
    let facts = SnapshotFacts {
        now_ms,
        fresh_id: "0".repeat(32),
        is_deleting: false,
        job: ReferencedJob::Running { job_id: name.clone() },
        operation: None,
        files: Files::Absent,
        default_directory: Some(DEFAULT_DIRECTORY.to_owned()),
    };
    let decision = snapshot::decide(declared, &SnapshotRecord::default(), &facts);
    let step =
        decision.act.as_ref().and_then(|act| Step::of(Kind::Application, act, Some(&name))).map(|step| match step {
            Step::TakeSavepoint { job_id, directory } => {
                Step::TakeSavepoint { job_id, directory: directory.filter(|directory| directory != DEFAULT_DIRECTORY) }
            }
            step => step,
        });
    let (summary, notes) = match &step {
        Some(_) => {
            let tries = match declared.backoff_limit {
                Some(0) => "if it fails it is not tried again".to_owned(),
                Some(limit) => format!("if it fails it is tried again, {limit} times at most"),
                None => "if it fails it is tried again".to_owned(),
            };
            ("a snapshot is taken once", vec!["if the job does not run, it is given up".to_owned(), tries])
        }
        None => ("nothing is taken, as the snapshot is there already", Vec::new()),
    };
    Plan { summary: summary.to_owned(), steps: step.into_iter().collect(), waits: None, notes }
}

/// What is done in a world.
struct Course {
    steps: Vec<Step>,
    waits: Option<String>,
}

/// Decides, writes it down and does it, until everything is as it was asked for or nothing goes on.
fn follow(kind: Kind, desired: &Desired<'_>, record: &Record, mut world: Imagined) -> Course {
    let known = record.job.id.clone();
    let mut record = record.clone();
    let mut course = Course { steps: Vec::new(), waits: None };
    let mut waits = 0;
    for _ in 0..ROUNDS_MAX {
        let decision = decide(kind, desired, &record, &world.facts(&record));
        let mut time = decision.wait.again;
        course.waits = (decision.wait.reason != SETTLED).then_some(decision.wait.message);
        match &decision.act {
            Some(act) => {
                waits = 0;
                world.apply(act);
                course.steps.extend(Step::of(kind, act, known.as_deref()));
            }
            None if course.waits.is_none() || waits == WAITS_MAX => return course,
            None => {
                waits += 1;
                if waits > WAITS_SHORT {
                    time = time.max(LONGER);
                }
            }
        }
        record = decision.record;
        world.pass(time);
    }
    course
}

fn decide(kind: Kind, desired: &Desired<'_>, record: &Record, facts: &Facts) -> Decision {
    match kind {
        Kind::Application => application::decide(desired, record, facts),
        Kind::SessionJob => application::decide_session_job(desired, record, facts),
        Kind::SessionCluster => session::decide(desired, record, facts),
    }
}

/// Options without what happens by itself, whatever is declared.
fn undisturbed(options: &Options) -> Options {
    Options {
        periodic_savepoint: None,
        periodic_checkpoint: None,
        is_cleanup_on: false,
        health_check: None,
        shutdown_ttl: Duration::MAX,
        ..options.clone()
    }
}

/// The savepoint in progress that everything else waits for.
fn awaited(desired: &Desired<'_>, record: &Record) -> Option<Step> {
    let pending = record.job.savepoints.pending.as_ref()?;
    let is_awaited = pending.trigger == Trigger::Upgrade || !desired.options.ignore_pending_savepoint;
    is_awaited.then(|| Step::AwaitSavepoint { trigger_id: pending.trigger_id.clone() })
}

/// What is planned for, and what was recorded of it.
struct Subject<'a> {
    kind: Kind,
    desired: &'a Desired<'a>,
    record: &'a Record,
}

impl Subject<'_> {
    fn change(&self) -> Change {
        change::deployed(self.record).map_or(Change::None, |last| change::diff(last, self.desired.spec).change)
    }

    fn shall_run(&self) -> bool {
        self.desired.job.is_none_or(|job| job.state == Asked::Running)
    }

    /// Whether it was stopped as asked.
    fn is_suspended(&self) -> bool {
        let state = self.record.last.as_ref().and_then(|last| last.pointer("/job/state"));
        self.record.reconciliation == ReconciliationState::Deployed && state.is_some_and(|state| state == "suspended")
    }

    fn summary(&self, course: &Course) -> String {
        let is_new = self.record.last.is_none();
        let Some(start) = start(course) else { return self.without_start(course).to_owned() };
        if self.kind == Kind::SessionCluster {
            let what = if is_new { "first start" } else { "restart" };
            return format!("{what} of the session cluster");
        }
        let what = if is_new {
            "first start"
        } else if self.is_suspended() {
            "resume"
        } else {
            match self.change() {
                Change::None | Change::Ignore => "start again",
                Change::Redeploy => "redeploy",
                Change::Scale | Change::Upgrade => "upgrade",
            }
        };
        match &start.origin {
            Origin::Savepoint => format!("{what} by savepoint; the job keeps its state"),
            Origin::Newest => format!("{what} from the newest snapshot of the job; it keeps its state"),
            origin => format!("{what} {origin}"),
        }
    }

    fn without_start(&self, course: &Course) -> &'static str {
        let is_new = self.record.last.is_none();
        if !self.shall_run() {
            return match course.steps.last() {
                None if is_new => "nothing starts, as `job.state: suspended` asks",
                None => "nothing is done now; what is declared counts when the job is resumed",
                Some(_) if self.saves(course) => "suspend by savepoint; the job can go on from it",
                Some(_) if self.asks_for_no_state() => "suspend; the state of the job is given up",
                Some(_) => "suspend; the job can go on from its newest snapshot",
            };
        }
        let takes = |step: &Step| matches!(step, Step::TakeSavepoint { .. } | Step::TakeCheckpoint { .. });
        match self.change() {
            Change::Scale | Change::Upgrade | Change::Redeploy if course.waits.is_some() => {
                "the change is held back for now"
            }
            _ if course.steps.iter().any(takes) => "a snapshot is taken, and the job runs on",
            Change::None => "nothing is done; nothing differs from what was carried out last",
            _ => "nothing is done now; what changes counts when it is next needed",
        }
    }

    fn asks_for_no_state(&self) -> bool {
        self.desired.job.is_some_and(|job| job.upgrade_mode == UpgradeMode::Stateless)
    }

    /// Whether the job is stopped with a savepoint, which may be on its way already.
    fn saves(&self, course: &Course) -> bool {
        let pending = self.record.job.savepoints.pending.as_ref();
        pending.is_some_and(|pending| pending.trigger == Trigger::Upgrade) || stops_with_savepoint(course)
    }

    /// Whether what was started ended before its job ever ran, so that nothing is left to end.
    fn ended_before_it_ran(&self) -> bool {
        self.kind == Kind::Application
            && self.record.stable.is_none()
            && self.record.job_manager == JobManagerState::Error
    }

    /// That a job which kept its state loses it, as asked.
    fn if_it_becomes_stateless(&self, course: &Course) -> Option<String> {
        let before = self.record.last.as_ref().and_then(|last| last.pointer("/job/upgradeMode")?.as_str());
        let kept = before.is_some_and(|mode| mode != UpgradeMode::Stateless.as_str()) && self.record.stable.is_some();
        let is_dropped = start(course).is_some_and(|start| start.origin == Origin::Nothing);
        (kept && is_dropped && self.asks_for_no_state())
            .then(|| "the state of the job is dropped, as `job.upgradeMode: stateless` asks".to_owned())
    }

    /// What is done instead if the job, which was recorded to run, does not.
    fn if_it_does_not_run(&self, course: &Course, other: &Course) -> Option<String> {
        if !stops_with_savepoint(course) {
            return None;
        }
        let message = match start(other).map(|start| &start.origin) {
            Some(Origin::Newest) => "if the job does not run then, the next starts from its newest snapshot instead",
            _ if other.steps.is_empty() => "if the job does not run then, the change waits until it does",
            None => "if the job does not run then, it is stopped without one, and can go on from its newest snapshot",
            Some(_) => return None,
        };
        Some(message.to_owned())
    }

    fn if_the_savepoint_fails(&self, course: &Course) -> Option<String> {
        let grace = span_of(self.desired.options.trigger_grace);
        self.saves(course)
            .then(|| format!("if the savepoint fails, the job runs on, and the next attempt is made after {grace}"))
    }

    fn if_there_is_no_snapshot(&self, course: &Course) -> Option<String> {
        let start = start(course).filter(|start| start.origin == Origin::Newest)?;
        let what = if start.kind == Kind::SessionJob { "submitted" } else { "started" };
        match self.record.job.restore_path.as_deref() {
            Some(LAST_STATE_DUMMY) => None,
            Some(path) => Some(format!("if no snapshot of the job is found, it is {what} from `{path}`")),
            None => Some(format!("if the job has never taken a snapshot, it is {what} without state")),
        }
    }

    fn if_the_snapshot_is_old(&self, course: &Course) -> Option<String> {
        let age_max = self.desired.options.checkpoint_age_max?;
        let cancels = course.steps.iter().any(|step| matches!(step, Step::Cancel { .. }));
        let is_newest = start(course).is_some_and(|start| start.origin == Origin::Newest);
        (cancels && is_newest).then(|| {
            let age_max = span_of(age_max);
            format!("if the newest snapshot is older than {age_max}, the job is stopped with a savepoint instead")
        })
    }

    fn if_it_does_not_come_up(&self, course: &Course) -> Option<String> {
        let options = self.desired.options;
        let is_undone = options.is_rollback_on && self.kind != Kind::SessionCluster && self.record.stable.is_some();
        start(course).filter(|_| is_undone)?;
        let limit = span_of(options.readiness_timeout);
        Some(format!("if it does not run within {limit}, the last version that ran comes back"))
    }
}

/// The last start.
fn start(course: &Course) -> Option<&Launch> {
    course.steps.iter().rev().find_map(|step| match step {
        Step::Start(launch) => Some(launch),
        _ => None,
    })
}

fn stops_with_savepoint(course: &Course) -> bool {
    course.steps.iter().any(|step| matches!(step, Step::StopWithSavepoint { .. }))
}

#[cfg(test)]
mod tests;
