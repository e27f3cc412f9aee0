//! One round of one FlinkBlueGreenDeployment: gather, decide, write the intent, act.
//!
//! All that is done is done to other objects: two deployments, and a snapshot that hands the state over. Their own
//! rounds make them come true. They belong to the pair and go with it, so no finalizer holds it.

use std::time::Duration;

use jiff::Timestamp;
use kobel_lifecycle::blue_green::{
    Act, Child, Colour, Decision, Desired, Facts, Options, Record, Savepoint, State, decide,
};
use kobel_lifecycle::decision::{Event, EventKind};
use kobel_lifecycle::state::{JobState, SnapshotState};
use kobel_model::deployment::{BlueGreen, SavepointFormat, UpgradeMode};
use kobel_model::{Error, Result, chain};
use kobel_resources::API_VERSION;
use kobel_resources::read::Declared;
use serde_json::{Map, Value, json};

use crate::act::PAUSE;
use crate::declared::listed;
use crate::key::{Key, Kind};
use crate::objects::Written;
use crate::round::Next;
use crate::status;
use crate::world::World;

/// How soon an object is looked at again that nothing can be done about.
const LONG: Duration = Duration::from_secs(60);
/// The label that tells which deployment of a pair it is; the Apache operator has the same.
const COLOUR_LABEL: &str = "flink/blue-green-deployment-type";
/// How often a savepoint is tried again before the change is given up.
const SAVEPOINT_TRIES: u32 = 2;

/// A pair and what belongs to it, as they were read.
struct Scene<'a> {
    key: &'a Key,
    object: &'a Value,
    pair: &'a BlueGreen,
    blue: Option<Value>,
    green: Option<Value>,
    snapshot: Option<Value>,
}

/// Looks at a pair as it stands now, and does the next thing.
///
/// # Errors
/// What could not be asked, written or done; the next round finds what is left.
pub(crate) async fn round(world: &World, key: &Key) -> Result<Next> {
    let Some(object) = world.objects.get(key).await? else { return Ok(Next::Missing) };
    let pair = match world.declarations.rules().read(&object).map(|reading| reading.declared) {
        Ok(Declared::BlueGreen(pair)) => pair,
        Ok(_) => return Ok(Next::Again(LONG)),
        Err(problems) => return unreadable(world, key, &object, listed(&problems)).await,
    };
    let record = record(&object);
    let scene = gather(world, key, &object, &pair, &record).await?;
    let spec = object.get("spec").cloned().unwrap_or_default();
    let desired = Desired {
        name: &key.name,
        spec: &spec,
        upgrade_mode: pair.cluster.job.as_ref().map_or(UpgradeMode::Stateless, |job| job.upgrade_mode),
        options: Options::read(&pair),
        is_deleting: is_deleting(&object),
    };
    let decision = decide(&desired, &record, &scene.facts(world));
    world.metrics.is(key, decision.record.state.as_str());
    carry_out(world, &scene, decision).await
}

/// The pair that a deployment or a snapshot may belong to, by its name; looking tells whether it does.
pub(crate) fn pair_of(key: &Key) -> Option<Key> {
    let name = match key.kind {
        Kind::Deployment => key.name.as_str(),
        // The last word tells one snapshot from another.
        Kind::Snapshot => key.name.rsplit_once('-')?.0,
        Kind::SessionJob | Kind::BlueGreen => return None,
    };
    let strip = |colour: Colour| name.strip_suffix(colour.as_str())?.strip_suffix('-');
    let pair = Colour::ALL.into_iter().find_map(strip).filter(|pair| !pair.is_empty())?;
    Some(key.beside(Kind::BlueGreen, pair))
}

async fn gather<'a>(
    world: &World,
    key: &'a Key,
    object: &'a Value,
    pair: &'a BlueGreen,
    record: &Record,
) -> Result<Scene<'a>> {
    let snapshot = match &record.savepoint {
        Some(name) => world.objects.get(&key.beside(Kind::Snapshot, name)).await?,
        None => None,
    };
    let blue = world.objects.get(&child_key(key, Colour::Blue)).await?;
    let green = world.objects.get(&child_key(key, Colour::Green)).await?;
    Ok(Scene { key, object, pair, blue, green, snapshot })
}

/// Writes what was decided, tells it, and does it.
async fn carry_out(world: &World, scene: &Scene<'_>, decision: Decision) -> Result<Next> {
    let (key, object) = (scene.key, scene.object);
    let mut current = object.clone();
    let written = status(&decision.record);
    if object.get("status") != Some(&written) {
        match world.objects.put_status(key, object, &written).await? {
            Written::Done(object) => current = *object,
            // Somebody was faster: what was decided may be wrong by now.
            stale @ Written::Stale => return Ok(Next::written(&stale)),
        }
        let (state, waits) = (decision.record.state.as_str(), &decision.wait.message);
        tracing::info!(target: "kobel.controller", object = %key, state, %waits, "decided");
    }
    for event in &decision.events {
        world.objects.tell(key, &current, event).await;
    }
    let Some(act) = decision.act else { return Ok(Next::after(&decision.wait)) };
    match scene.act(world, act).await {
        Ok(()) => Ok(Next::Again(PAUSE)),
        Err(error) => {
            report(world, key, &current, &error).await;
            Err(error)
        }
    }
}

/// Says in the status that an act failed, unless something else is said there already.
async fn report(world: &World, key: &Key, object: &Value, error: &Error) {
    let mut record = record(object);
    if record.error.is_some() {
        return;
    }
    let message = chain(error);
    record.error = Some(message.clone());
    let event = Event { kind: EventKind::Warning, reason: "Error", message };
    world.objects.tell(key, object, &event).await;
    // If it cannot be written now, the next failure says it again.
    if let Err(error) = world.objects.put_status(key, object, &status(&record)).await {
        tracing::warn!(target: "kobel.controller", object = %key, %error, "an error is not reported");
    }
}

/// A pair that breaks a rule: said, once; its deployments go on.
async fn unreadable(world: &World, key: &Key, object: &Value, problems: String) -> Result<Next> {
    let mut record = record(object);
    if is_deleting(object) || record.error.as_ref() == Some(&problems) {
        return Ok(Next::Again(LONG));
    }
    record.error = Some(problems.clone());
    let told = world.objects.put_status(key, object, &status(&record)).await?;
    if told == Written::Stale {
        return Ok(Next::written(&told));
    }
    let event = Event { kind: EventKind::Warning, reason: "ValidationError", message: problems };
    world.objects.tell(key, object, &event).await;
    Ok(Next::Again(LONG))
}

impl Scene<'_> {
    fn facts(&self, world: &World) -> Facts {
        let uid = self.object.pointer("/metadata/uid");
        let seen = |object: &Option<Value>| object.as_ref().map(|object| child(object, uid));
        Facts {
            now_ms: world.now().as_millisecond(),
            fresh_id: world.fresh_id(),
            blue: seen(&self.blue),
            green: seen(&self.green),
            savepoint: savepoint(self.snapshot.as_ref()),
        }
    }

    fn child(&self, colour: Colour) -> Option<&Value> {
        match colour {
            Colour::Blue => self.blue.as_ref(),
            Colour::Green => self.green.as_ref(),
        }
    }

    /// Does what was decided. An object that has changed since it was read is left for the next round.
    async fn act(&self, world: &World, act: Act) -> Result<()> {
        let objects = &world.objects;
        match act {
            Act::CreateChild { colour, spec } => {
                let key = child_key(self.key, colour);
                objects.create(&key, self.declared(&key, colour, &spec)).await
            }
            Act::PatchChild { colour, spec } => match self.child(colour) {
                Some(object) => objects.put_spec(&child_key(self.key, colour), object, &spec).await.map(drop),
                None => Ok(()),
            },
            Act::DeleteChild(colour) => match self.child(colour) {
                Some(object) => objects.delete(&child_key(self.key, colour), object).await,
                None => Ok(()),
            },
            Act::TakeSavepoint { colour, name } => {
                let key = self.key.beside(Kind::Snapshot, &name);
                objects.create(&key, self.declared(&key, colour, &self.handover(colour))).await
            }
            Act::ForgetSavepoint(name) => match &self.snapshot {
                Some(object) => objects.delete(&self.key.beside(Kind::Snapshot, &name), object).await,
                None => Ok(()),
            },
        }
    }

    /// An object of the pair that declares `spec`.
    fn declared(&self, key: &Key, colour: Colour, spec: &Value) -> Value {
        let mut labels: Map<String, Value> = Map::new();
        let mut metadata = json!({
            "name": key.name,
            "namespace": key.namespace,
            "ownerReferences": [{
                "apiVersion": API_VERSION,
                "kind": Kind::BlueGreen.name(),
                "name": self.key.name,
                "uid": self.object.pointer("/metadata/uid"),
                "controller": true,
                "blockOwnerDeletion": false,
            }],
        });
        if key.kind == Kind::Deployment {
            labels.extend(self.pair.labels.iter().map(|(name, value)| (name.clone(), json!(value))));
            metadata["annotations"] = json!(self.pair.annotations);
        }
        labels.insert(COLOUR_LABEL.to_owned(), json!(colour.label()));
        metadata["labels"] = Value::Object(labels);
        json!({"apiVersion": API_VERSION, "kind": key.kind.name(), "metadata": metadata, "spec": spec})
    }

    /// The spec of a snapshot of a deployment; its files outlive it.
    fn handover(&self, colour: Colour) -> Value {
        let format = match Options::read(self.pair).savepoint_format {
            SavepointFormat::Native => "NATIVE",
            SavepointFormat::Canonical | SavepointFormat::Unknown => "CANONICAL",
        };
        json!({
            "jobReference": {"kind": Kind::Deployment.name(), "name": colour.name_in(&self.key.name)},
            "savepoint": {"formatType": format, "disposeOnDelete": false},
            "backoffLimit": SAVEPOINT_TRIES,
        })
    }
}

fn child_key(key: &Key, colour: Colour) -> Key {
    key.beside(Kind::Deployment, &colour.name_in(&key.name))
}

fn is_deleting(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null())
}

/// What is seen of a deployment by a pair with this uid.
fn child(object: &Value, uid: Option<&Value>) -> Child {
    let record = status::record(&status::of(object));
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let is_ours = owners.into_iter().flatten().any(|owner| uid.is_some() && owner.get("uid") == uid);
    Child {
        spec: object.get("spec").cloned().unwrap_or_default(),
        generation: object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or_default(),
        observed_generation: record.observed_generation,
        lifecycle: record.lifecycle,
        job: record.job.state,
        error: record.error,
        is_deleting: is_deleting(object),
        is_ours,
    }
}

/// What is seen of the snapshot that the state is handed over with.
fn savepoint(object: Option<&Value>) -> Savepoint {
    let Some(object) = object else { return Savepoint::Absent };
    if is_deleting(object) {
        return Savepoint::Leaving;
    }
    let text = |place: &str| object.pointer(place).and_then(Value::as_str).map(str::to_owned);
    let error = text("/status/error");
    match text("/status/state").as_deref().and_then(SnapshotState::parse) {
        Some(SnapshotState::Completed) => match text("/status/path") {
            Some(path) => Savepoint::Completed(path),
            None => Savepoint::Failed("its location was not told".to_owned()),
        },
        Some(SnapshotState::Failed | SnapshotState::Abandoned) => {
            Savepoint::Failed(error.unwrap_or_else(|| "no reason was told".to_owned()))
        }
        Some(SnapshotState::TriggerPending | SnapshotState::InProgress) | None => Savepoint::InProgress(error),
    }
}

/// What was written down. A time of 0 is how the Apache operator writes that there is none.
fn record(object: &Value) -> Record {
    let text = |place: &str| object.pointer(place).and_then(Value::as_str).filter(|text| !text.is_empty());
    let time = |place: &str| {
        let parsed = text(place)?.parse::<Timestamp>().ok()?;
        Some(parsed.as_millisecond()).filter(|ms| *ms > 0)
    };
    let last = text("/status/lastReconciledSpec").and_then(|text| serde_json::from_str::<Value>(text).ok());
    Record {
        state: text("/status/blueGreenState").and_then(State::parse).unwrap_or(State::Initializing),
        job: text("/status/jobStatus/state").and_then(JobState::parse),
        last: last.and_then(|mut last| last.get_mut("spec").map(Value::take)),
        reconciled_ms: time("/status/lastReconciledTimestamp"),
        abort_ms: time("/status/abortTimestamp"),
        ready_ms: time("/status/deploymentReadyTimestamp"),
        savepoint: text("/status/savepointTriggerId").map(str::to_owned),
        error: text("/status/error").map(str::to_owned),
    }
}

fn status(record: &Record) -> Value {
    let time = |ms: Option<i64>| Timestamp::from_millisecond(ms?).ok().map(|time| json!(time.to_string()));
    let fields = [
        ("blueGreenState", Some(json!(record.state.as_str()))),
        ("jobStatus", record.job.map(|state| json!({"state": state.as_str()}))),
        ("lastReconciledSpec", record.last.as_ref().map(|spec| json!(json!({"spec": spec}).to_string()))),
        ("lastReconciledTimestamp", time(record.reconciled_ms)),
        ("abortTimestamp", time(record.abort_ms)),
        ("deploymentReadyTimestamp", time(record.ready_ms)),
        ("savepointTriggerId", record.savepoint.as_ref().map(|name| json!(name))),
        ("error", record.error.as_ref().map(|error| json!(error))),
    ];
    Value::Object(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

#[cfg(test)]
mod tests {
    use kobel_lifecycle::state::LifecycleState;

    use super::*;

    fn key(kind: Kind, name: &str) -> Key {
        Key { kind, namespace: "team".to_owned(), name: name.to_owned() }
    }

    #[test]
    fn what_is_written_down_is_read_again() {
        for state in State::ALL {
            let written = Record {
                state,
                job: Some(JobState::Failing),
                last: Some(json!({"template": {"spec": {"job": {"parallelism": 2}}}})),
                reconciled_ms: Some(1_700_000_000_123),
                abort_ms: Some(1_700_000_600_123),
                ready_ms: None,
                savepoint: Some("orders-blue-0a0a0a0a".to_owned()),
                error: Some("why".to_owned()),
            };
            assert_eq!(record(&json!({"status": status(&written)})), written);
        }
        assert_eq!(record(&json!({"metadata": {}})), Record::default());
        assert_eq!(status(&Record::default()), json!({"blueGreenState": "INITIALIZING_BLUE"}));
    }

    #[test]
    fn the_status_of_the_apache_operator_is_understood() {
        let object = json!({"status": {
            "blueGreenState": "ACTIVE_GREEN", "jobStatus": {"state": "RUNNING"},
            "lastReconciledSpec": "{\"spec\":{\"template\":{}}}", "error": "",
            "abortTimestamp": "1970-01-01T00:00:00Z", "deploymentReadyTimestamp": "2026-01-01T00:00:00Z",
        }});
        let record = record(&object);
        assert_eq!((record.state, record.job), (State::Active(Colour::Green), Some(JobState::Running)));
        assert_eq!((record.abort_ms, record.error), (None, None));
        assert_eq!((record.last, record.ready_ms), (Some(json!({"template": {}})), Some(1_767_225_600_000)));
    }

    #[test]
    fn a_change_of_what_belongs_to_a_pair_concerns_the_pair() {
        for (kind, name, expected) in [
            (Kind::Deployment, "orders-blue", Some("orders")),
            (Kind::Deployment, "orders-green", Some("orders")),
            (Kind::Deployment, "orders", None),
            (Kind::Deployment, "-blue", None),
            (Kind::Deployment, "ordersblue", None),
            (Kind::Snapshot, "orders-green-0a0a0a0a", Some("orders")),
            (Kind::Snapshot, "by-hand", None),
            (Kind::SessionJob, "orders-blue", None),
        ] {
            let expected = expected.map(|name| key(Kind::BlueGreen, name));
            assert_eq!(pair_of(&key(kind, name)), expected, "{} `{name}`", kind.name());
        }
    }

    #[test]
    fn a_deployment_belongs_to_the_pair_whose_uid_it_names() {
        let object = |owners: Value| {
            json!({
                "metadata": {"generation": 3, "ownerReferences": owners}, "spec": {"job": {}},
                "status": {"observedGeneration": 2, "lifecycleState": "STABLE", "jobStatus": {"state": "RUNNING"}},
            })
        };
        let uid = json!("u-1");
        for (owners, expected) in
            [(json!([{"uid": "u-0"}, {"uid": "u-1"}]), true), (json!([{"uid": "u-0"}]), false), (json!(null), false)]
        {
            let seen = child(&object(owners.clone()), Some(&uid));
            assert_eq!(seen.is_ours, expected, "{owners}");
            assert_eq!((seen.generation, seen.observed_generation), (3, Some(2)));
            assert_eq!((seen.lifecycle, seen.job), (LifecycleState::Stable, Some(JobState::Running)));
        }
        assert!(!child(&object(json!([{}])), None).is_ours);
    }

    #[test]
    fn each_state_of_the_snapshot_is_told() {
        for (status, expected) in [
            (json!(null), Savepoint::InProgress(None)),
            (json!({"state": "IN_PROGRESS", "error": "slow"}), Savepoint::InProgress(Some("slow".to_owned()))),
            (json!({"state": "COMPLETED", "path": "s3://a"}), Savepoint::Completed("s3://a".to_owned())),
            (json!({"state": "COMPLETED"}), Savepoint::Failed("its location was not told".to_owned())),
            (json!({"state": "ABANDONED", "error": "gone"}), Savepoint::Failed("gone".to_owned())),
        ] {
            assert_eq!(savepoint(Some(&json!({"status": status.clone()}))), expected, "{status}");
        }
        assert_eq!(savepoint(None), Savepoint::Absent);
        let leaving = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
        assert_eq!(savepoint(Some(&leaving)), Savepoint::Leaving);
    }
}
