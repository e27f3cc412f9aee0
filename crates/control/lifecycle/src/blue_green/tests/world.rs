//! A world in which deployments and snapshots come to be what is declared of them, one second after another.

use std::time::Duration;

use kobel_model::deployment::{SavepointFormat, UpgradeMode};
use serde_json::{Value, json};

use crate::blue_green::{Act, Child, Colour, Decision, Desired, Facts, Options, Record, Savepoint, State, decide};
use crate::state::{JobState, LifecycleState};

/// The name of the pair.
pub const NAME: &str = "orders";
/// Where savepoints lie.
pub const SAVEPOINT: &str = "s3://savepoints/1";
/// A snapshot that is named.
pub const NAMED: &str = "s3://named/1";
/// When everything begins.
pub const START: i64 = 1_000_000_000;
/// The grace period of a new version.
pub const GRACE: i64 = 20_000;
/// The time a savepoint may take.
pub const TIMEOUT: i64 = 30_000;
/// The most looks until nothing is left to do.
const LOOKS_MAX: usize = 400;

/// The spec of a pair whose template is `job`.
pub fn pair(job: &Value) -> Value {
    json!({"template": {"spec": {"flinkVersion": "v2_3", "job": job.clone()}}})
}

/// A job that hands its state over.
pub fn job(parallelism: u32) -> Value {
    json!({"parallelism": parallelism, "upgradeMode": "savepoint"})
}

/// The spec of a deployment in `spec`, a spec of a pair.
pub fn template(spec: &Value) -> Value {
    spec["template"]["spec"].clone()
}

/// A deployment that runs what it declares.
pub fn running(spec: Value) -> Child {
    Child {
        spec,
        generation: 1,
        observed_generation: Some(1),
        lifecycle: LifecycleState::Stable,
        job: Some(JobState::Running),
        error: None,
        is_deleting: false,
        is_ours: true,
    }
}

/// A deployment whose job restarts without end.
pub fn failing(spec: Value) -> Child {
    Child {
        lifecycle: LifecycleState::Deployed,
        job: Some(JobState::Restarting),
        error: Some("no such topic".to_owned()),
        ..running(spec)
    }
}

/// What an act does, in words.
pub fn told(act: &Act) -> String {
    let began = |spec: &Value| spec["job"]["initialSavepointPath"].as_str().unwrap_or("nothing").to_owned();
    match act {
        Act::CreateChild { colour, spec } => format!("create {} from {}", colour.as_str(), began(spec)),
        Act::PatchChild { colour, spec } if spec["job"]["state"] == "suspended" => {
            format!("suspend {}", colour.as_str())
        }
        Act::PatchChild { colour, .. } => format!("patch {}", colour.as_str()),
        Act::DeleteChild(colour) => format!("delete {}", colour.as_str()),
        Act::TakeSavepoint { colour, .. } => format!("savepoint of {}", colour.as_str()),
        Act::ForgetSavepoint(_) => "forget the savepoint".to_owned(),
    }
}

/// What is declared, written down and there.
#[derive(Debug, Clone)]
pub struct World {
    pub now: i64,
    pub spec: Value,
    pub delay: Duration,
    pub record: Record,
    pub blue: Option<Child>,
    pub green: Option<Child>,
    pub snapshot: Option<(String, Savepoint)>,
    /// The largest parallelism with which a job comes to run.
    pub parallelism_max: i64,
    /// Whether savepoints are ever completed.
    pub has_storage: bool,
    /// What was done.
    pub done: Vec<String>,
    ids: u32,
}

impl World {
    /// Nothing is there.
    pub fn new(spec: Value) -> Self {
        Self {
            now: START,
            spec,
            delay: Duration::ZERO,
            record: Record::default(),
            blue: None,
            green: None,
            snapshot: None,
            parallelism_max: 8,
            has_storage: true,
            done: Vec::new(),
            ids: 0,
        }
    }

    /// Blue serves.
    pub fn served(spec: Value) -> Self {
        let mut world = Self::new(spec);
        world.settle();
        assert_eq!(world.record.state, State::Active(Colour::Blue));
        world.done.clear();
        world
    }

    /// One of the deployments.
    pub fn child(&mut self, colour: Colour) -> &mut Option<Child> {
        match colour {
            Colour::Blue => &mut self.blue,
            Colour::Green => &mut self.green,
        }
    }

    /// What is decided about the world as it is.
    pub fn decide(&self) -> Decision {
        let mode = match self.spec["template"]["spec"]["job"]["upgradeMode"].as_str() {
            Some("savepoint") => UpgradeMode::Savepoint,
            Some("last-state") => UpgradeMode::LastState,
            _ => UpgradeMode::Stateless,
        };
        let options = Options {
            abort_grace: Duration::from_millis(GRACE.unsigned_abs()),
            deletion_delay: self.delay,
            interval: Duration::from_secs(15),
            savepoint_timeout: Duration::from_millis(TIMEOUT.unsigned_abs()),
            savepoint_format: SavepointFormat::Canonical,
        };
        let desired = Desired { name: NAME, spec: &self.spec, upgrade_mode: mode, options, is_deleting: false };
        let recorded = self.snapshot.as_ref().filter(|(name, _)| self.record.savepoint.as_ref() == Some(name));
        let facts = Facts {
            now_ms: self.now,
            fresh_id: format!("{:08x}ffffffff", self.ids),
            blue: self.blue.clone(),
            green: self.green.clone(),
            savepoint: recorded.map_or(Savepoint::Absent, |(_, savepoint)| savepoint.clone()),
        };
        decide(&desired, &self.record, &facts)
    }

    /// Decides, writes it down, and dies before the act.
    pub fn look_and_die(&mut self) -> Decision {
        let decision = self.decide();
        self.ids += 1;
        self.obeys(&decision);
        self.record = decision.record.clone();
        decision
    }

    /// Decides, writes it down and acts; then a second goes by.
    pub fn look(&mut self) -> Decision {
        let decision = self.look_and_die();
        if let Some(act) = &decision.act {
            self.done.push(told(act));
            self.act(act.clone());
        }
        self.pass();
        decision
    }

    /// Looks until nothing is left to do.
    pub fn settle(&mut self) -> Decision {
        for _ in 0..LOOKS_MAX {
            let before = self.clone();
            let decision = self.look();
            let is_over = decision.act.is_none() && decision.wait.again.is_zero();
            if is_over && before.record == self.record && before.blue == self.blue && before.green == self.green {
                return decision;
            }
        }
        panic!("there is no end: {:?}, done: {:?}", self.record, self.done);
    }

    /// A second goes by.
    pub fn pass(&mut self) {
        self.now += 1_000;
        let parallelism_max = self.parallelism_max;
        for colour in Colour::ALL {
            let child = self.child(colour);
            if child.as_ref().is_some_and(|child| child.is_deleting) {
                *child = None;
            }
            if let Some(child) = child {
                become_declared(child, parallelism_max);
            }
        }
        match &mut self.snapshot {
            Some((_, Savepoint::Leaving)) => self.snapshot = None,
            Some((_, savepoint @ Savepoint::InProgress(_))) if self.has_storage => {
                *savepoint = Savepoint::Completed(SAVEPOINT.to_owned());
            }
            _ => {}
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::CreateChild { colour, spec } => {
                let new =
                    Child { observed_generation: None, lifecycle: LifecycleState::Created, job: None, ..running(spec) };
                self.child(colour).get_or_insert(new);
            }
            Act::PatchChild { colour, spec } => {
                let child = self.child(colour).as_mut().expect("it is there");
                child.generation += i64::from(child.spec != spec);
                child.spec = spec;
            }
            Act::DeleteChild(colour) => self.child(colour).as_mut().expect("it is there").is_deleting = true,
            Act::TakeSavepoint { name, .. } => {
                let snapshot = (name, Savepoint::InProgress(None));
                self.snapshot.get_or_insert(snapshot);
            }
            Act::ForgetSavepoint(_) => self.snapshot.as_mut().expect("it is there").1 = Savepoint::Leaving,
        }
    }

    /// What holds of every decision.
    fn obeys(&self, decision: &Decision) {
        let record = &decision.record;
        let is_failing = record.job == Some(JobState::Failing);
        assert!(!is_failing || record.error.is_some(), "it does not say why it fails: {record:?}");
        let serves = match record.state {
            State::Initializing => None,
            State::Active(colour) | State::Savepointing(colour) => Some(colour),
            State::Transitioning(colour) => Some(colour.other()),
        };
        if let Some(Act::DeleteChild(colour)) = &decision.act {
            assert_ne!(Some(*colour), serves, "what serves is deleted: {record:?}");
        }
        if let Some(Act::CreateChild { colour, spec }) = &decision.act {
            let is_free = self.record.last.is_none()
                || spec["job"]["upgradeMode"] == "stateless"
                || spec["job"]["initialSavepointPath"].as_str().is_some();
            let is_first = self.record.savepoint.is_none() && *colour == Colour::Blue && self.green.is_none();
            assert!(is_free || is_first, "state is left behind: {spec}");
        }
    }
}

fn become_declared(child: &mut Child, parallelism_max: i64) {
    child.observed_generation = Some(child.generation);
    let is_asleep = child.spec["job"]["state"] == "suspended";
    let is_possible = (1..=parallelism_max).any(|count| child.spec["job"]["parallelism"] == count);
    let (lifecycle, job, error) = match (is_asleep, is_possible) {
        (true, _) => (LifecycleState::Suspended, JobState::Finished, None),
        (false, true) => (LifecycleState::Stable, JobState::Running, None),
        (false, false) => (LifecycleState::Deployed, JobState::Restarting, Some("no such topic".to_owned())),
    };
    (child.lifecycle, child.job, child.error) = (lifecycle, Some(job), error);
}
