//! Histories that are made by hand.

use std::sync::Arc;

use kobel_model::deployment::Identity;
use serde_json::{Value, json};

use crate::call::{Call, Numbered, Port};
use crate::entry::{Entry, Happened, ObjectKey, SnapshotKind, Verb, Who};
use crate::invariants::{Seen, judge};

pub(super) const HELD: &str = "flinkdeployments.flink.apache.org/finalizer";

/// A history under way.
#[derive(Default)]
pub(super) struct Told {
    pub(super) seen: Seen,
    now_ms: i64,
    pub(super) broken: Vec<&'static str>,
}

impl Told {
    pub(super) fn tell(&mut self, entry: Entry) -> &mut Self {
        let happened = Happened { at_ms: self.now_ms, entry };
        self.broken.extend(judge(&self.seen, &happened).map(|(name, _)| name));
        self.seen.note(&happened);
        self
    }

    pub(super) fn pass(&mut self, ms: i64) -> &mut Self {
        self.now_ms += ms;
        self
    }

    pub(super) fn wrote(&mut self, by: Who, verb: Verb, resource: &str, name: &str, after: Option<Value>) -> &mut Self {
        let key = ObjectKey { resource: resource.to_owned(), namespace: "default".to_owned(), name: name.to_owned() };
        let before = self.seen.objects.get(&key).cloned();
        self.tell(Entry::Wrote { rev: 1, verb, key, before, after: after.map(Arc::new), by })
    }

    pub(super) fn call(&mut self, port: Port, name: &str, about: &str) -> &mut Self {
        let call = Call::of(port, name, about).unwrap();
        let at_ms = self.now_ms;
        self.tell(Entry::Called(Numbered { n: 1, life: 1, at_ms, call }))
    }

    pub(super) fn state(&mut self, job: &str, state: &'static str) -> &mut Self {
        self.tell(Entry::JobState { job: job.to_owned(), state, count: 0 })
    }

    pub(super) fn start_asked(&mut self, job: &str, generation: i64) -> &mut Self {
        let job = Some(job.to_owned());
        self.tell(Entry::StartAsked { of: orders(), generation, job, beside_living: false })
    }

    pub(super) fn job_started(&mut self, job: &str, from: Option<&str>, count: u64) -> &mut Self {
        let from = from.map(str::to_owned);
        let newest = 1_000_000;
        self.tell(Entry::JobStarted { cluster: orders(), lineage: orders(), job: job.to_owned(), from, count, newest })
    }

    pub(super) fn snapshot(
        &mut self,
        path: &str,
        job: &str,
        count: u64,
        how: (SnapshotKind, Option<&str>, bool),
    ) -> &mut Self {
        let (path, job, (kind, trigger, stops)) = (path.to_owned(), job.to_owned(), how);
        let trigger = trigger.map(str::to_owned);
        self.tell(Entry::Snapshot { path, job, lineage: orders(), count, kind, trigger, stops })
    }

    /// The object `orders` in its status `status`, as the controller writes it.
    pub(super) fn status(&mut self, generation: i64, status: Value) -> &mut Self {
        let object = with_status(deployment(generation, "last-state"), status);
        self.wrote(Who::Controller, Verb::UpdateStatus, "flinkdeployments", "orders", Some(object))
    }

    pub(super) fn declare(&mut self, generation: i64, mode: &str) -> &mut Self {
        let verb = if generation == 1 { Verb::Create } else { Verb::Update };
        let status = self.seen.objects.values().next().and_then(|object| object.get("status")).cloned();
        let object = with_status(deployment(generation, mode), status.unwrap_or(Value::Null));
        self.wrote(Who::User, verb, "flinkdeployments", "orders", Some(object))
    }

    /// `orders` is declared, its job `job-1` runs, and all is settled.
    pub(super) fn running() -> Self {
        let mut told = Self::default();
        told.declare(1, "last-state").status(1, starting("job-1", 1)).start_asked("job-1", 1);
        told.tell(spawned("application")).job_started("job-1", None, 0).state("job-1", "RUNNING");
        told.status(1, settled("job-1", 1));
        assert_eq!(told.broken, Vec::<&str>::new());
        told
    }

    /// `orders` was changed, its first job has ended, and the next is to start.
    pub(super) fn changed(mode: &str) -> Self {
        let mut told = Self::running();
        told.snapshot("/c/chk-1", "job-1", 1_000, (SnapshotKind::Checkpoint, None, false)).declare(2, mode);
        told.status(2, starting("job-2", 2)).state("job-1", "CANCELED");
        told.tell(exited("application", Who::Controller)).start_asked("job-2", 2).tell(spawned("application"));
        assert_eq!(told.broken, Vec::<&str>::new());
        told
    }
}

pub(super) fn orders() -> Identity {
    Identity { namespace: "default".to_owned(), name: "orders".to_owned() }
}

pub(super) fn deployment(generation: i64, mode: &str) -> Value {
    json!({
        "metadata": {"name": "orders", "generation": generation, "finalizers": [HELD, "other/one"]},
        "spec": {"job": {"state": "running", "upgradeMode": mode}},
    })
}

pub(super) fn with_status(mut object: Value, status: Value) -> Value {
    if !status.is_null() {
        object["status"] = status;
    }
    object
}

pub(super) fn starting(job: &str, generation: i64) -> Value {
    let settled = json!({
        "type": "Settled", "status": "False", "reason": "Starting", "message": "starts",
        "observedGeneration": generation,
    });
    json!({
        "observedGeneration": generation,
        "jobStatus": {"jobId": job, "state": "RECONCILING"},
        "conditions": [settled],
    })
}

pub(super) fn settled(job: &str, generation: i64) -> Value {
    let settled = json!({
        "type": "Settled", "status": "True", "reason": "Settled", "message": "it runs",
        "observedGeneration": generation,
    });
    json!({"observedGeneration": generation, "jobStatus": {"jobId": job, "state": "RUNNING"}, "conditions": [settled]})
}

pub(super) fn with(mut status: Value, pointer: &str, value: Value) -> Value {
    match status.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => status["jobStatus"]["savepointInfo"] = value,
    }
    status
}

pub(super) fn pending(trigger: &str, kind: &str) -> Value {
    with(settled("job-1", 1), "/none", json!({"triggerId": trigger, "triggerType": kind}))
}

pub(super) fn spawned(role: &str) -> Entry {
    Entry::Spawned { of: orders(), role: role.to_owned() }
}

pub(super) fn exited(role: &str, by: Who) -> Entry {
    Entry::Exited { of: orders(), role: role.to_owned(), how: "exit code 143".to_owned(), by }
}

/// The names of the invariants that a history breaks.
pub(super) fn broken(history: impl FnOnce(&mut Told) -> &mut Told) -> Vec<&'static str> {
    let mut told = Told::running();
    history(&mut told);
    told.broken
}

/// A minute goes by in which nobody interferes.
pub(super) fn late(told: &mut Told) -> &mut Told {
    told.pass(61_000).call(Port::Host, "all", "")
}
