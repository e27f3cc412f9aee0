//! One round of one FlinkStateSnapshot: gather, decide, write the intent, act.

use std::time::Duration;

use jiff::Timestamp;
use kobel_flink_client::{Endpoint, OperationSeen};
use kobel_lifecycle::decision::{Act, Event, EventKind};
use kobel_lifecycle::facts::Operation;
use kobel_lifecycle::snapshot::{Files, ReferencedJob, SnapshotFacts, SnapshotRecord, decide};
use kobel_lifecycle::state::{JobState, SnapshotState};
use kobel_model::deployment::{ReferencedKind, SnapshotKind, StateSnapshot};
use kobel_model::{Error, ErrorKind, Result, chain};
use kobel_resources::read::Declared;
use kobel_resources::state_snapshot::FlinkStateSnapshotStatus;
use serde_json::{Value, json};

use crate::act::{PAUSE, asked, release};
use crate::declared::listed;
use crate::key::{Key, Kind};
use crate::objects::Written;
use crate::round::Next;
use crate::status;
use crate::world::World;

/// How soon an object is looked at again that nothing can be done about.
const LONG: Duration = Duration::from_secs(60);

/// The job of a snapshot, and where it is asked.
struct Referenced {
    job: ReferencedJob,
    /// Its id, whether it runs or not.
    id: Option<String>,
    endpoint: Option<Endpoint>,
    directory: Option<String>,
}

/// Looks at a snapshot as it stands now, and does the next thing.
///
/// # Errors
/// What could not be asked, written or done; the next round finds what is left.
pub(crate) async fn round(world: &World, key: &Key) -> Result<Next> {
    let Some(object) = world.objects.get(key).await? else { return Ok(Next::Missing) };
    let is_deleting = object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null());
    let finalizers = object.pointer("/metadata/finalizers").and_then(Value::as_array).cloned().unwrap_or_default();
    let is_held = finalizers.iter().any(|name| name.as_str() == Some(key.kind.finalizer()));
    let snapshot = match world.declarations.rules().read(&object).map(|reading| reading.declared) {
        Ok(Declared::Snapshot(snapshot)) => snapshot,
        _ if is_deleting && is_held => {
            return Ok(Next::written(&release(world, key, &object).await?));
        }
        Ok(_) => return Ok(Next::Again(LONG)),
        Err(problems) => return unreadable(world, key, &object, &listed(&problems)).await,
    };
    if !is_held {
        if is_deleting {
            return Ok(Next::Again(LONG));
        }
        let held = finalizers.iter().filter_map(Value::as_str).chain([key.kind.finalizer()]);
        let held: Vec<String> = held.map(str::to_owned).collect();
        return Ok(Next::written(&world.objects.put_finalizers(key, &object, &held).await?));
    }
    let record = record(&object);
    let referenced = referenced(world, key, &snapshot).await?;
    let facts = SnapshotFacts {
        now_ms: world.now().as_millisecond(),
        fresh_id: world.fresh_id(),
        operation: operation(world, &snapshot, &record, &referenced).await,
        is_deleting,
        job: referenced.job.clone(),
        files: if is_deleting { files(world, record.path.clone()).await } else { Files::Absent },
        default_directory: referenced.directory.clone(),
    };
    let decision = decide(&snapshot, &record, &facts);
    world.metrics.is(key, decision.record.state.as_str());
    let mut current = object.clone();
    let written = status(&decision.record);
    if object.get("status") != Some(&written) {
        match world.objects.put_status(key, &object, &written).await? {
            Written::Done(object) => current = *object,
            stale @ Written::Stale => return Ok(Next::written(&stale)),
        }
    }
    for event in &decision.events {
        world.objects.tell(key, &current, event).await;
    }
    let Some(act) = decision.act else { return Ok(Next::after(&decision.wait)) };
    carry_out(world, key, &current, &referenced, act).await?;
    Ok(Next::Again(PAUSE))
}

/// A snapshot that breaks a rule: said, once.
async fn unreadable(world: &World, key: &Key, object: &Value, problems: &str) -> Result<Next> {
    let mut record = record(object);
    record.error = Some(problems.to_owned());
    world.metrics.is(key, record.state.as_str());
    let written = status(&record);
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

async fn carry_out(world: &World, key: &Key, object: &Value, referenced: &Referenced, act: Act) -> Result<()> {
    let flink = &world.flink;
    let at = || {
        let away = || Error::new(ErrorKind::Unavailable, format!("the job of {key} does not answer"));
        referenced.endpoint.as_ref().ok_or_else(away)
    };
    match act {
        Act::TakeSavepoint(savepoint) => flink.take_savepoint(at()?, asked(&savepoint, None)).await,
        Act::TakeCheckpoint { job_id, trigger_id } => flink.take_checkpoint(at()?, &job_id, &trigger_id).await,
        Act::Dispose { path } => world.substrate.dispose(path).await,
        Act::Release => release(world, key, object).await.map(drop),
        Act::Start(_) | Act::Remove | Act::StopWithSavepoint(_) | Act::Cancel { .. } => {
            Err(Error::bug("a snapshot starts and stops no job"))
        }
    }
}

/// The job that a snapshot is of, as it is now.
async fn referenced(world: &World, key: &Key, snapshot: &StateSnapshot) -> Result<Referenced> {
    let absent = Referenced { job: ReferencedJob::Absent, id: None, endpoint: None, directory: None };
    let Some(reference) = &snapshot.job else { return Ok(absent) };
    let kind = match reference.kind {
        ReferencedKind::FlinkDeployment => Kind::Deployment,
        ReferencedKind::FlinkSessionJob => Kind::SessionJob,
    };
    let other = key.beside(kind, &reference.name);
    let Some(object) = world.objects.get(&other).await? else { return Ok(absent) };
    let record = status::record(&status::of(&object));
    let cluster = match kind {
        Kind::SessionJob => {
            let name = object.pointer("/spec/deploymentName").and_then(Value::as_str).unwrap_or_default();
            key.beside(Kind::Deployment, name)
        }
        _ => other.clone(),
    };
    let endpoint = world.turn.patiently(world.substrate.look(&cluster.identity())).await.endpoint;
    let state = record.job.state;
    let job = match (&record.job.id, state) {
        (Some(id), Some(JobState::Running)) if endpoint.is_some() => ReferencedJob::Running { job_id: id.clone() },
        (Some(_), Some(JobState::Running)) => ReferencedJob::Unknown("its REST API does not answer".to_owned()),
        _ => ReferencedJob::NotRunning(format!("{other} is {}", state.map_or("not started", JobState::as_str))),
    };
    let declaration = world.declarations.read(&other, &object).ok().flatten();
    let directory = declaration.and_then(|declaration| declaration.what.savepoint_directory().map(str::to_owned));
    // Where nothing was said, the job was given a directory of its own at its start.
    let folder = match kind {
        Kind::SessionJob => world.substrate.job_folder(&cluster.identity(), &other.name),
        _ => world.substrate.folder(&other.identity()),
    };
    let usual = || folder.map(|folder| format!("file://{}", folder.join("savepoints").display()));
    Ok(Referenced { job, id: record.job.id, endpoint, directory: directory.or_else(usual) })
}

/// What is seen of the files of a savepoint.
async fn files(world: &World, path: Option<String>) -> Files {
    let Some(path) = path else { return Files::Absent };
    match world.substrate.has_snapshot(path).await {
        Ok(true) => Files::Present,
        Ok(false) => Files::Absent,
        Err(error) => Files::Unknown(chain(&error)),
    }
}

async fn operation(
    world: &World,
    snapshot: &StateSnapshot,
    record: &SnapshotRecord,
    referenced: &Referenced,
) -> Option<Operation> {
    let (trigger, at, job_id) = (record.trigger_id.as_ref()?, referenced.endpoint.as_ref()?, referenced.id.as_ref()?);
    let answer = match snapshot.kind {
        SnapshotKind::Savepoint { .. } => world.flink.savepoint_status(at, job_id, trigger).await,
        SnapshotKind::Checkpoint => world.flink.checkpoint_status(at, job_id, trigger).await,
    };
    Some(match answer {
        Ok(OperationSeen::InProgress) => Operation::InProgress,
        Ok(OperationSeen::Completed(path)) => Operation::Completed(path),
        Ok(OperationSeen::Failed(why)) => Operation::Failed(why),
        Ok(OperationSeen::Unheard) => Operation::Unheard,
        Err(error) => Operation::Unknown(chain(&error)),
    })
}

fn record(object: &Value) -> SnapshotRecord {
    let status = object.get("status").cloned().unwrap_or_else(|| json!({}));
    let status: FlinkStateSnapshotStatus = serde_json::from_value(status).unwrap_or_default();
    let time = |text: &Option<String>| {
        let parsed = text.as_ref().and_then(|text| text.parse::<Timestamp>().ok());
        parsed.map(Timestamp::as_millisecond)
    };
    let state = object.pointer("/status/state").and_then(Value::as_str).and_then(SnapshotState::parse);
    let state = state.unwrap_or(SnapshotState::TriggerPending);
    SnapshotRecord {
        state,
        trigger_id: status.trigger_id.clone().filter(|id| !id.is_empty()),
        triggered_ms: time(&status.trigger_timestamp),
        result_ms: time(&status.result_timestamp),
        path: status.path,
        // What is completed has no error: one was told while its spec could not be read.
        error: status.error.filter(|_| state != SnapshotState::Completed),
        failures: u32::try_from(status.failures.unwrap_or_default()).unwrap_or_default(),
    }
}

fn status(record: &SnapshotRecord) -> Value {
    let time = |ms: Option<i64>| Timestamp::from_millisecond(ms?).ok().map(|time| time.to_string());
    let fields = [
        ("state", Some(json!(record.state.as_str()))),
        ("triggerId", record.trigger_id.as_ref().map(|id| json!(id))),
        ("triggerTimestamp", time(record.triggered_ms).map(|time| json!(time))),
        ("resultTimestamp", time(record.result_ms).map(|time| json!(time))),
        ("path", record.path.as_ref().map(|path| json!(path))),
        ("error", record.error.as_ref().map(|error| json!(error))),
        ("failures", Some(json!(record.failures))),
    ];
    Value::Object(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}
