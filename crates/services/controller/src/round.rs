//! One round of one deployment or session job: gather, decide, write the intent, act.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join;
use kobel_lifecycle::decision::{Act, Decision, Event, EventKind, Wait};
use kobel_lifecycle::desired::Desired;
use kobel_lifecycle::record::Record;
use kobel_lifecycle::state::{JobState, ReconciliationState};
use kobel_lifecycle::{application, session};
use kobel_model::deployment::{FlinkVersion, UpgradeMode};
use kobel_model::{Error, Result, chain};
use kobel_resources::flink_deployment::{FlinkDeploymentStatus, TaskManagerInfo};
use serde_json::Value;

use crate::act;
use crate::conditions;
use crate::declared::{Declaration, What, listed, with_spec};
use crate::fit::{Fit, fit};
use crate::gather::{Depth, Gathered, gather};
use crate::key::{Key, Kind};
use crate::objects::Written;
use crate::patience::Silence;
use crate::status;
use crate::world::{STANDS, World};

/// How soon an object is looked at again that nothing can be done about.
const LONG: Duration = Duration::from_secs(60);

/// How soon an object is looked at again that somebody changed meanwhile. It is read again, and what is read may be as old
/// as before: without a pause that is a storm. An event that tells of the change ends the pause.
const AFTER_CONFLICT: Duration = Duration::from_millis(100);

/// How soon it is looked whether something is found out.
const CHECK_AGAIN: Duration = Duration::from_millis(250);

/// The modes of upgrade.
const MODES: [UpgradeMode; 3] = [UpgradeMode::Stateless, UpgradeMode::Savepoint, UpgradeMode::LastState];

/// When an object is looked at next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// After this time at the latest.
    Again(Duration),
    /// It is not there, as far as whoever was asked knows.
    Missing,
    /// It is gone, and nothing is left of it.
    Gone,
}

impl Next {
    /// When is looked again at what awaits this; never stands for a change of the object, which wakes it.
    pub(crate) fn after(wait: &Wait) -> Self {
        Self::Again(if wait.again.is_zero() { LONG } else { wait.again })
    }

    /// When is looked again at what was written, or was not since somebody changed it meanwhile.
    pub(crate) fn written(written: &Written) -> Self {
        Self::Again(match written {
            Written::Done(_) => Duration::ZERO,
            Written::Stale => AFTER_CONFLICT,
        })
    }
}

/// Looks at an object as it stands now, and does the next thing.
///
/// # Errors
/// What could not be asked, written or done; the next round finds what is left.
pub(crate) async fn round(world: &World, key: &Key) -> Result<Next> {
    let Some(mut object) = world.objects.get(key).await? else { return Ok(Next::Missing) };
    let is_deleting = object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null());
    let held = finalizers(&object);
    let is_held = held.iter().any(|finalizer| finalizer == key.kind.finalizer());
    if is_deleting && !is_held {
        // Others hold it; nothing of it is left here.
        return Ok(Next::Again(LONG));
    }
    let mut status = status::of(&object);
    let record = status::record(&status);
    let (declaration, problem) = match declaration(world, key, &object, &record) {
        Found::Declared(declaration, problem) => (declaration, problem),
        Found::Nothing | Found::Unreadable(_) if is_deleting => return leave(world, key, &object).await,
        Found::Nothing => return Ok(Next::Again(LONG)),
        Found::Unreadable(problems) => return unreadable(world, key, &object, &problems).await,
    };
    if !is_held {
        let finalizers: Vec<String> = held.into_iter().chain([key.kind.finalizer().to_owned()]).collect();
        match world.objects.put_finalizers(key, &object, &finalizers).await? {
            // Nothing else of it has changed since it was read.
            Written::Done(held) => object = *held,
            other => return Ok(Next::written(&other)),
        }
    }
    let declared = Arc::clone(&declaration);
    let glance = gather(world, key, &object, &record, (&declared, Depth::Glance)).await?;
    let fit = match problem {
        Some(problem) => Fit::Refused(problem),
        None if is_deleting => Fit::Fits,
        None => fitting(world, key, &object, &record, (&declared, &glance)).await?,
    };
    let (declaration, held) = match fit {
        Fit::Fits => (declaration, None),
        held => (last(world, key, &object, &record).unwrap_or(declaration), Some(held)),
    };
    let (spec, generation) = match (&held, &record.last) {
        // What is carried out is what was carried out last, and nobody is to think otherwise.
        (Some(_), Some(last)) => {
            (runs(last, &record), record.observed_generation.unwrap_or_else(|| generation(&object)))
        }
        _ => (object.get("spec").cloned().unwrap_or_default(), generation(&object)),
    };
    let whole;
    let mut subject =
        Subject { key, object: &object, spec: &spec, generation, declaration: &declaration, gathered: &glance };
    let mut decision = subject.decide(&record, is_deleting);
    if glance.depth == Depth::Glance && !only_waits(&decision) {
        whole = Box::pin(gather(world, key, &object, &record, (&declared, Depth::Whole))).await?;
        subject.gathered = &whole;
        decision = subject.decide(&record, is_deleting);
    }
    world.metrics.is(key, decision.record.lifecycle.as_str());
    match held {
        Some(Fit::Refused(problem)) => refuse(&mut decision, &record, problem),
        Some(Fit::Awaited(what)) => hold(&mut decision, what),
        Some(Fit::Fits) | None => tell_why_not(&mut decision, &record),
    }
    subject.describe(&decision, &mut status, world);
    if world.substrate.tells_of_readiness() {
        decision.wait.again = subject.again(&decision, &status);
    }
    carry_out(world, &subject, &record, decision, status).await
}

/// Whether nothing is done or told but that a job manager is awaited, which does not depend on what its job has left.
fn only_waits(decision: &Decision) -> bool {
    decision.act.is_none() && decision.events.is_empty() && decision.wait.reason == "JobStarting"
}

/// What an object was found to declare.
enum Found {
    /// What is to run; and why it is not what the object says now, if so.
    Declared(Arc<Declaration>, Option<String>),
    /// Nothing.
    Nothing,
    /// What cannot be read and was never carried out.
    Unreadable(String),
}

fn declaration(world: &World, key: &Key, object: &Value, record: &Record) -> Found {
    match world.declarations.read(key, object) {
        Ok(Some(declaration)) => Found::Declared(declaration, None),
        Ok(None) => Found::Nothing,
        Err(problems) => {
            let problems = listed(&problems);
            match last(world, key, object, record) {
                Some(declaration) => Found::Declared(declaration, Some(problems)),
                None => Found::Unreadable(problems),
            }
        }
    }
}

/// What was carried out last. The mode of upgrade in it may be how it was once started, so that of the object counts, where
/// it can be read; at worst the job is to keep its state.
fn last(world: &World, key: &Key, object: &Value, record: &Record) -> Option<Arc<Declaration>> {
    let recorded = runs(record.last.as_ref()?, record);
    let mut spec = recorded.clone();
    if let Some(job) = spec.get_mut("job").and_then(Value::as_object_mut) {
        let said = object.pointer("/spec/job/upgradeMode").and_then(Value::as_str);
        let is_known = said.is_some_and(|said| MODES.iter().any(|mode| mode.as_str() == said));
        let mode = if is_known { said.unwrap_or_default() } else { UpgradeMode::LastState.as_str() };
        job.insert("upgradeMode".to_owned(), Value::from(mode));
    }
    let read = |spec: &Value| world.declarations.read(key, &with_spec(object, spec)).ok().flatten();
    read(&spec).or_else(|| read(&recorded))
}

/// A spec that was written down in the middle of a change, as it was meant.
fn runs(last: &Value, record: &Record) -> Value {
    let mut spec = last.clone();
    let is_under_way =
        matches!(record.reconciliation, ReconciliationState::Upgrading | ReconciliationState::RollingBack);
    if let Some(state) = spec.pointer_mut("/job/state").filter(|_| is_under_way) {
        *state = Value::String("running".to_owned());
    }
    spec
}

/// Whether a change can be carried out, as far as that is found out before anything stops; not being able to find out
/// refuses it too.
///
/// # Errors
/// Unavailable if the round was put off.
async fn fitting(
    world: &World,
    key: &Key,
    object: &Value,
    record: &Record,
    seen: (&Declaration, &Gathered),
) -> Result<Fit> {
    match fit(world, key, object, record, seen).await {
        Err(error) if !world.turn.is_put_off() => {
            Ok(Fit::Refused(format!("the change cannot be carried out, and nothing was stopped: {}", told(&error))))
        }
        outcome => outcome,
    }
}

/// An error with what to do about it.
fn told(error: &Error) -> String {
    match error.hint() {
        Some(hint) => format!("{}; {hint}", chain(error)),
        None => chain(error),
    }
}

/// Says that a change is not carried out.
fn refuse(decision: &mut Decision, before: &Record, problem: String) {
    // The number of the newest checkpoint stands in it, which makes no news.
    let words = |text: &str| {
        let parts = text.split("chk-").map(|part| part.trim_start_matches(|letter: char| letter.is_ascii_digit()));
        parts.collect::<Vec<_>>().concat()
    };
    if before.error.as_deref().map(words) != Some(words(&problem)) {
        let event = Event { kind: EventKind::Warning, reason: "ValidationError", message: problem.clone() };
        decision.events.push(event);
    }
    if decision.wait.reason == conditions::SETTLED {
        decision.wait.reason = "ChangeRefused";
        decision.wait.message.clone_from(&problem);
        // What a program says may change under the same name.
        decision.wait.again = sooner(decision.wait.again, STANDS);
    }
    decision.record.error = Some(problem);
}

/// Says that it is being found out whether a change can be carried out.
fn hold(decision: &mut Decision, what: String) {
    if decision.wait.reason == conditions::SETTLED {
        decision.wait.reason = "CheckingChange";
        decision.wait.message = what;
        decision.wait.again = sooner(decision.wait.again, CHECK_AGAIN);
    }
}

/// The sooner of two times; zero stands for never.
fn sooner(one: Duration, other: Duration) -> Duration {
    if one.is_zero() { other } else { one.min(other) }
}

/// Says why an act is tried again, if it failed before.
fn tell_why_not(decision: &mut Decision, before: &Record) {
    if let (Some(Act::Start(_)), Some(error)) = (&decision.act, &before.error)
        && decision.record.error.as_ref() == Some(error)
        // A first start after a loss tells an event, a repeated one does not.
        && decision.events.is_empty()
    {
        decision.wait.reason = "Retrying";
        decision.wait.message = format!("tried again and again: {error}");
    }
}

fn generation(object: &Value) -> i64 {
    object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or_default()
}

/// Whether nothing runs of an object that nobody looks after any more; what runs is ended.
///
/// # Errors
/// Unavailable if it cannot be asked.
pub(crate) async fn is_ended(world: &World, key: &Key) -> Result<bool> {
    if key.kind == Kind::Deployment { world.substrate.end(&key.identity()).await } else { Ok(true) }
}

/// What cannot be read and is being deleted: it is let go of once nothing of it runs.
async fn leave(world: &World, key: &Key, object: &Value) -> Result<Next> {
    if !is_ended(world, key).await? {
        return Ok(Next::Again(act::PAUSE));
    }
    if key.kind == Kind::Deployment {
        world.substrate.forget(&key.identity()).await?;
    }
    Ok(Next::written(&act::release(world, key, object).await?))
}

/// What was never carried out and cannot be: said.
async fn unreadable(world: &World, key: &Key, object: &Value, problems: &str) -> Result<Next> {
    let mut status = status::of(object);
    let mut record = status::record(&status);
    record.error = Some(problems.to_owned());
    record.lifecycle = record.lifecycle();
    world.metrics.is(key, record.lifecycle.as_str());
    status::write(&record, &mut status);
    let written = shape(key, &status)?;
    if object.get("status") != Some(&written) {
        let told = world.objects.put_status(key, object, &written).await?;
        if told == Written::Stale {
            return Ok(Next::written(&told));
        }
        let event = Event { kind: EventKind::Warning, reason: "ValidationError", message: problems.to_owned() };
        world.objects.tell(key, object, &event).await;
    }
    Ok(Next::Again(LONG))
}

/// Writes what was decided, tells it, and does it.
async fn carry_out(
    world: &World,
    subject: &Subject<'_>,
    before: &Record,
    decision: Decision,
    status: FlinkDeploymentStatus,
) -> Result<Next> {
    let (key, object) = (subject.key, subject.object);
    let written = shape(key, &status)?;
    let mut current = object.clone();
    let is_news = object.get("status") != Some(&written);
    if let Err(error) = plan(world, subject, before, decision.act.as_ref()).await {
        report(world, key, before, object, &error).await;
        return Err(error);
    }
    if is_news {
        match world.objects.put_status(key, object, &written).await? {
            Written::Done(object) => current = *object,
            // Somebody was faster: what was decided may be wrong by now.
            stale @ Written::Stale => return Ok(Next::written(&stale)),
        }
    }
    if is_news || decision.act.is_some() {
        let act = decision.act.as_ref().map_or("nothing", act::name);
        let (lifecycle, waits) = (decision.record.lifecycle.as_str(), &decision.wait.message);
        tracing::info!(target: "kobel.controller", object = %key, lifecycle, act, %waits, "decided");
    }
    let Decision { act, events, wait, .. } = decision;
    let tell = async {
        for event in &events {
            world.objects.tell(key, &current, event).await;
        }
    };
    let Some(next) = act else {
        tell.await;
        return Ok(Next::after(&wait));
    };
    let what = act::name(&next);
    // Nothing depends on what is told, so nothing waits for it.
    let ((), done) = join(tell, Box::pin(act::act(world, subject, &current, next))).await;
    match done {
        Ok(()) => Ok(Next::Again(act::PAUSE)),
        // The intent is written, so another round does it.
        Err(error) if world.turn.is_put_off() => Err(error),
        Err(error) => {
            let error = error.context(format!("cannot {what} {key}"));
            report(world, key, before, &current, &error).await;
            Err(error)
        }
    }
}

/// Has note taken of a job that is to be started for the first time, while it is certain that it never was.
async fn plan(world: &World, subject: &Subject<'_>, before: &Record, act: Option<&Act>) -> Result<()> {
    let (Some(Act::Start(start)), What::Deployment(_)) = (act, &subject.declaration.what) else { return Ok(()) };
    let Some(job_id) = start.job_id.as_ref().filter(|job_id| before.job.id.as_ref() != Some(*job_id)) else {
        return Ok(());
    };
    let uid = subject.object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
    let jobs = (before.job.id.as_deref(), job_id.as_str());
    world.turn.patiently(world.substrate.plan(&subject.key.identity(), uid, jobs)).await
}

/// Says in the status that an act failed, and tells it if that is news.
async fn report(world: &World, key: &Key, before: &Record, object: &Value, error: &Error) {
    let mut status = status::of(object);
    let mut record = status::record(&status);
    let message = told(error);
    if record.error.as_deref() == Some(&message) {
        return;
    }
    let is_news = before.error.as_deref() != Some(&message);
    record.error = Some(message.clone());
    status::write(&record, &mut status);
    if is_news {
        let event = Event { kind: EventKind::Warning, reason: "Error", message };
        world.objects.tell(key, object, &event).await;
    }
    let Ok(written) = shape(key, &status) else { return };
    // If it cannot be written now, the next failure says it again.
    if let Err(error) = world.objects.put_status(key, object, &written).await {
        tracing::warn!(target: "kobel.controller", object = %key, %error, "an error is not reported");
    }
}

/// A status as the kind has it.
fn shape(key: &Key, status: &FlinkDeploymentStatus) -> Result<Value> {
    let value = serde_json::to_value(status);
    let mut value = value.map_err(|error| Error::bug("a status has no form in JSON").with_source(error))?;
    if key.kind == Kind::SessionJob
        && let Some(fields) = value.as_object_mut()
    {
        for foreign in ["jobManagerDeploymentStatus", "clusterInfo", "taskManager"] {
            fields.remove(foreign);
        }
    }
    Ok(value)
}

fn finalizers(object: &Value) -> Vec<String> {
    let listed = object.pointer("/metadata/finalizers").and_then(Value::as_array);
    listed.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The object of a round with what was seen of it.
pub(crate) struct Subject<'a> {
    /// Which one.
    pub(crate) key: &'a Key,
    /// As it was read.
    pub(crate) object: &'a Value,
    /// The spec that is to be carried out.
    pub(crate) spec: &'a Value,
    /// The generation of that spec.
    pub(crate) generation: i64,
    /// What it declares.
    pub(crate) declaration: &'a Declaration,
    /// What was seen.
    pub(crate) gathered: &'a Gathered,
}

impl Subject<'_> {
    fn decide(&self, record: &Record, is_deleting: bool) -> Decision {
        let what = &self.declaration.what;
        let session = self.gathered.session.as_ref();
        let desired = Desired {
            generation: self.generation,
            spec: self.spec,
            job: what.job(),
            flink_version: what
                .flink_version()
                .or_else(|| session.map(|session| session.flink_version))
                .unwrap_or(FlinkVersion::V1_20),
            is_highly_available: what.is_highly_available() || session.is_some_and(|of| of.is_highly_available),
            options: &self.declaration.options,
            savepoint_directory: self.savepoint_directory(),
            is_deleting,
        };
        let facts = &self.gathered.facts;
        match what {
            What::SessionJob(_) => application::decide_session_job(&desired, record, facts),
            What::Deployment(_) if what.job().is_some() => application::decide(&desired, record, facts),
            What::Deployment(_) => session::decide(&desired, record, facts),
        }
    }

    /// Where savepoints of the job go by default, if that was said.
    pub(crate) fn savepoint_directory(&self) -> Option<&str> {
        let of_session = || self.gathered.session.as_ref()?.declaration.what.savepoint_directory();
        self.declaration.what.savepoint_directory().or_else(of_session)
    }

    /// When is looked again, where it is told that a job manager is ready.
    fn again(&self, decision: &Decision, status: &FlinkDeploymentStatus) -> Duration {
        let silence = Silence {
            cluster: &self.gathered.facts.cluster,
            conditions: status.conditions.as_deref().unwrap_or_default(),
            options: &self.declaration.options,
            configuration: self.declaration.what.configuration(),
            now_ms: self.gathered.facts.now_ms,
        };
        silence.again(decision)
    }

    /// Puts what was decided and seen into the status.
    fn describe(&self, decision: &Decision, status: &mut FlinkDeploymentStatus, world: &World) {
        let (record, now) = (&decision.record, world.now());
        status::write(record, status);
        let mut conditions = status.conditions.take().unwrap_or_default();
        let running = match self.declaration.what.job() {
            Some(_) => conditions::job_runs(record),
            None => conditions::session_runs(record),
        };
        let honoured = conditions::honoured(&self.declaration.unhonoured, &conditions, self.generation);
        // It is about what is asked for now, also where that is refused and what runs is older.
        let all = [running, conditions::settled(&decision.wait, generation(self.object))];
        all.into_iter().chain(honoured).for_each(|condition| conditions::lay(&mut conditions, condition, now));
        status.conditions = Some(conditions);
        if let What::Deployment(deployment) = &self.declaration.what {
            let runs = record.job.state == Some(JobState::Running);
            let cluster = &deployment.cluster;
            let needed =
                cluster.job.as_ref().map_or(0, |job| job.parallelism.div_ceil(cluster.task_manager.slots.max(1)));
            let replicas = cluster.task_manager.replicas.unwrap_or(needed);
            status.task_manager = Some(TaskManagerInfo {
                label_selector: Some(match runs {
                    true => format!("component=taskmanager,app={}", self.key.name),
                    false => String::new(),
                }),
                replicas: Some(if runs { i32::try_from(replicas).unwrap_or(i32::MAX) } else { 0 }),
            });
            self.cluster_info(status.cluster_info.get_or_insert_default(), world);
        }
    }

    fn cluster_info(&self, info: &mut BTreeMap<String, String>, world: &World) {
        if let Some(logs) = world.substrate.logs(&self.key.identity()) {
            info.insert("log-directory".to_owned(), logs.display().to_string());
        }
        match &self.gathered.endpoint {
            Some(endpoint) => drop(info.insert("rest-url".to_owned(), endpoint.url.clone())),
            None => drop(info.remove("rest-url")),
        }
        if let Some(version) = &self.gathered.version {
            info.insert("flink-version".to_owned(), version.clone());
        }
    }
}
