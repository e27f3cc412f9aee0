//! What has been seen of a run so far: everything that an invariant has to know of the entries before the one that it
//! judges.
//!
//! It is brought forward entry by entry, and the greater part of it is shared between clones of a world: a clone of it
//! is cheap, and calls that only ask do not touch it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::Arc;

use kobel_model::deployment::Identity;
use serde_json::Value;

use super::calls::Calls;
use super::read::{self, DEPLOYMENTS, PAIRS, SESSION_JOBS, SNAPSHOTS};
use crate::entry::{Entry, Happened, ObjectKey, SnapshotKind, Verb, Who};
use crate::fault::Fault;

/// How many snapshots of one job are remembered as what the next can start from.
const DURABLE_MAX: usize = 8;

/// The kinds of which objects are remembered.
const KINDS: [&str; 4] = [DEPLOYMENTS, SESSION_JOBS, SNAPSHOTS, PAIRS];

/// What has been seen so far.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    known: Arc<Known>,
    /// Who was called how often.
    pub calls: Calls,
    /// When the controller, or what runs, changed last.
    pub changed_ms: i64,
    /// Since when the world is to come to rest; absent if nobody waits for that yet.
    pub settling_ms: Option<i64>,
}

/// What is known of the world.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The objects as they are.
    pub objects: BTreeMap<ObjectKey, Arc<Value>>,
    /// What deployments and session jobs have declared.
    pub declared: BTreeMap<ObjectKey, Declared>,
    /// The jobs, by their ids.
    pub jobs: BTreeMap<String, Job>,
    /// What each deployment or session job has of state.
    pub lineages: BTreeMap<Identity, Lineage>,
    /// The snapshots that lie on the disk, by their paths.
    pub snapshots: BTreeMap<String, Snapshot>,
    /// How many processes live, by role.
    pub living: BTreeMap<Identity, BTreeMap<String, u32>>,
    /// Whose launches were begun and not forgotten.
    pub launched: BTreeSet<Identity>,
    /// The ids of snapshots that stood in a status, with the object.
    pub triggers: BTreeMap<String, ObjectKey>,
    /// Under which ids snapshots were completed.
    pub answered: BTreeSet<String>,
    /// Since when processes live that no object declares.
    pub orphans: BTreeMap<Identity, i64>,
    /// Since when an object claims that a job runs which does not.
    pub lies: BTreeMap<ObjectKey, i64>,
    /// Savepoints that were asked for, are completed, and stand in no status yet.
    pub untold: BTreeMap<String, Untold>,
    /// The savepoints that jobs are to be stopped with and that are not told to have failed, by the jobs.
    pub stops: BTreeMap<String, Stop>,
    /// Until when reads are stale, as far as they ever were.
    pub stale_until_ms: i64,
    /// When somebody last interfered: a fault, a person, a process that ended by itself.
    pub quiet_since_ms: i64,
}

/// What a deployment or session job has declared.
#[derive(Debug, Clone, Default)]
pub struct Declared {
    /// When it was created.
    pub created_ms: i64,
    /// Whether there was another of its name before.
    pub is_reborn: bool,
    /// Whether its status has said that its job runs.
    pub has_run: bool,
    /// What each generation says of state.
    pub terms: BTreeMap<i64, Terms>,
    /// What stood in its status to be started.
    pub intents: BTreeSet<Intent>,
    /// What stood in the status of those of its name before it to be started.
    pub bygone: BTreeSet<Intent>,
}

/// What a status says is to be started: the id of the job, if there is one, and the generation.
pub type Intent = (Option<String>, i64);

/// What a declaration says of state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// Whether a change throws the state away.
    pub is_stateless: bool,
    /// The number that asks for a start from the initial savepoint.
    pub redeploy: Option<i64>,
}

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Whose it is.
    pub lineage: Identity,
    /// Where it runs.
    pub cluster: Identity,
    /// As Flink spells it.
    pub state: &'static str,
    /// Whether it has run.
    pub has_run: bool,
    /// Whether everybody is gone who managed it.
    pub is_lost: bool,
    /// Whether the controller has asked for its end, or for that of its cluster.
    pub is_ended_here: bool,
}

impl Job {
    /// Whether it may still do something.
    pub fn is_alive(&self) -> bool {
        !self.is_lost && !read::is_terminal(self.state)
    }

    /// Whether it runs.
    pub fn runs(&self) -> bool {
        !self.is_lost && self.state == "RUNNING"
    }
}

/// What a deployment or session job has of state.
#[derive(Debug, Clone, Default)]
pub struct Lineage {
    /// Its present job.
    pub job: Option<String>,
    /// The job whose start was asked for since the last start was seen.
    pub asked: Option<String>,
    /// All its jobs.
    pub jobs: BTreeSet<String>,
    /// The generation that was started last.
    pub generation: i64,
    /// The snapshot that the present job began from, with the records counted in it.
    pub base: (Option<String>, u64),
    /// The snapshots of the present job that the next can start from, in the order of their completion.
    pub durable: Vec<(String, u64)>,
    /// The paths that its declaration, or a person in its status, has named.
    pub named: BTreeSet<String>,
}

impl Lineage {
    /// The records that the next job must not start below, and where they lie.
    pub fn required(&self) -> (u64, Option<&str>) {
        let newest = self.durable.iter().max_by_key(|(_, count)| *count);
        match newest {
            Some((path, count)) if *count >= self.base.1 => (*count, Some(path)),
            _ => (self.base.1, self.base.0.as_deref()),
        }
    }
}

/// A snapshot that lies on the disk.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Whose state it is.
    pub lineage: Identity,
    /// Which job took it.
    pub job: String,
}

/// A savepoint that stands in no status yet.
#[derive(Debug, Clone)]
pub struct Untold {
    /// Whose status it is to stand in.
    pub key: ObjectKey,
    /// The job that took it.
    pub job: String,
    /// Since when.
    pub since_ms: i64,
}

/// A savepoint that a job is to be stopped with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// Its id.
    pub trigger: String,
    /// The generation of the declaration when that was written down.
    pub generation: Option<i64>,
}

impl Deref for Seen {
    type Target = Known;

    fn deref(&self) -> &Known {
        &self.known
    }
}

impl Seen {
    /// Takes an entry in.
    pub fn note(&mut self, happened: &Happened) {
        let at_ms = happened.at_ms;
        match &happened.entry {
            Entry::Called(numbered) => {
                self.calls.note(&numbered.call, at_ms);
                let call = &numbered.call;
                // Looking for a program fetches it only if it is not there.
                if call.changes() && call.name != "program" {
                    self.changed_ms = at_ms;
                }
                if call.name == "forget"
                    && let Some(of) = identity(&call.about)
                {
                    Arc::make_mut(&mut self.known).launched.remove(&of);
                } else if call.name == "end"
                    && let Some(of) = identity(&call.about)
                {
                    Arc::make_mut(&mut self.known).end_asked(|_, job| job.cluster == of);
                } else if call.name == "PATCH /jobs/:id" {
                    Arc::make_mut(&mut self.known).end_asked(|id, _| *id == call.about);
                }
            }
            Entry::Wrote { .. } | Entry::Spawned { .. } | Entry::Exited { .. } | Entry::JobState { .. } => {
                if let Entry::Wrote { key, .. } = &happened.entry {
                    self.calls.changed(key);
                }
                self.changed_ms = at_ms;
                Arc::make_mut(&mut self.known).note(happened);
            }
            _ => Arc::make_mut(&mut self.known).note(happened),
        }
    }
}

/// Whom a call is about.
pub fn identity(about: &str) -> Option<Identity> {
    let (namespace, name) = about.split_once('/')?;
    Some(Identity { namespace: namespace.to_owned(), name: name.to_owned() })
}

fn key(resource: &str, of: &Identity) -> ObjectKey {
    ObjectKey { resource: resource.to_owned(), namespace: of.namespace.clone(), name: of.name.clone() }
}

fn owner(key: &ObjectKey) -> Identity {
    Identity { namespace: key.namespace.clone(), name: key.name.clone() }
}

impl Known {
    /// The deployment of this identity.
    pub fn deployment(&self, of: &Identity) -> Option<(ObjectKey, &Arc<Value>)> {
        let key = key(DEPLOYMENTS, of);
        let object = self.objects.get(&key)?;
        Some((key, object))
    }

    /// The deployment or session job whose job runs in `cluster`.
    pub fn declaring(&self, lineage: &Identity, cluster: &Identity) -> Option<(ObjectKey, &Arc<Value>)> {
        let resource = if lineage == cluster { DEPLOYMENTS } else { SESSION_JOBS };
        let key = key(resource, lineage);
        let object = self.objects.get(&key)?;
        Some((key, object))
    }

    /// Whether a process of this identity lives.
    pub fn lives(&self, of: &Identity) -> bool {
        self.living.contains_key(of)
    }

    fn note(&mut self, happened: &Happened) {
        let at_ms = happened.at_ms;
        match &happened.entry {
            Entry::Called(_) => {}
            Entry::Fault { fault, .. } => {
                self.quiet_since_ms = at_ms;
                if let Fault::Stale { for_ms, .. } = fault {
                    self.stale_until_ms = self.stale_until_ms.max(at_ms.saturating_add(*for_ms));
                }
            }
            Entry::Life { .. } | Entry::User(_) => self.quiet_since_ms = at_ms,
            Entry::Wrote { verb, key, after, by, .. } => match after {
                Some(after) => self.written(at_ms, (key, after), *verb, *by),
                None => self.removed(at_ms, key),
            },
            Entry::StartAsked { of, job, .. } => {
                self.launched.insert(of.clone());
                self.lineages.entry(of.clone()).or_default().asked.clone_from(job);
            }
            Entry::Spawned { of, role } => {
                *self.living.entry(of.clone()).or_default().entry(role.clone()).or_default() += 1;
                if self.deployment(of).is_none() {
                    self.orphans.entry(of.clone()).or_insert(at_ms);
                }
            }
            Entry::Exited { of, role, by, .. } => self.exited(at_ms, (of, role), *by),
            Entry::JobStarted { .. } => self.started(happened),
            Entry::JobState { job, state, .. } => {
                let Some(known) = self.jobs.get_mut(job) else { return };
                known.state = *state;
                known.has_run |= *state == "RUNNING";
                let (lineage, cluster) = (known.lineage.clone(), known.cluster.clone());
                self.reconsider(at_ms, &lineage, &cluster);
            }
            Entry::Snapshot { .. } => self.completed(happened),
            Entry::Disposed { path, .. } => {
                let path = read::plain(path);
                self.snapshots.remove(path);
                self.untold.remove(path);
                for lineage in self.lineages.values_mut() {
                    lineage.durable.retain(|(durable, _)| durable != path);
                    if lineage.base.0.as_deref() == Some(path) {
                        lineage.base = (None, 0);
                    }
                }
            }
        }
    }

    fn written(&mut self, at_ms: i64, (key, object): (&ObjectKey, &Arc<Value>), verb: Verb, by: Who) {
        // Events and the like are judged when they are written, and never asked for again.
        if !KINDS.contains(&key.resource.as_str()) {
            return;
        }
        self.objects.insert(key.clone(), Arc::clone(object));
        for trigger in read::triggers(object) {
            if !self.triggers.contains_key(trigger) {
                self.triggers.insert(trigger.to_owned(), key.clone());
            }
        }
        if !self.untold.is_empty() {
            for path in read::named_paths(object) {
                self.untold.remove(path);
            }
        }
        if key.resource != DEPLOYMENTS && key.resource != SESSION_JOBS {
            return;
        }
        let of = owner(key);
        self.note_stop(object, by);
        let declared = self.declared.entry(key.clone()).or_default();
        if verb == Verb::Create {
            let (is_reborn, bygone) = (declared.is_reborn, std::mem::take(&mut declared.bygone));
            *declared = Declared { created_ms: at_ms, is_reborn, bygone, ..Declared::default() };
            if key.resource == DEPLOYMENTS {
                self.orphans.remove(&of);
            }
        }
        if let Some(observed) = read::observed(object) {
            declared.intents.insert((read::job_id(object).map(str::to_owned), observed));
        }
        declared.has_run |= read::job_state(object) == Some("RUNNING");
        let generation = read::generation(object).unwrap_or_default();
        if verb != Verb::UpdateStatus && !declared.terms.contains_key(&generation) {
            declared.terms.insert(generation, terms(object));
            if let Some(path) = read::text(object, "/spec/job/initialSavepointPath") {
                self.lineages.entry(of.clone()).or_default().named.insert(read::plain(path).to_owned());
            }
        }
        if by == Who::User && matches!(verb, Verb::Create | Verb::UpdateStatus) {
            let lineage = self.lineages.entry(of).or_default();
            lineage.named.extend(read::named_paths(object).map(str::to_owned));
            lineage.jobs.extend(read::job_id(object).map(str::to_owned));
        }
        self.reconsider_object(at_ms, key);
    }

    fn removed(&mut self, at_ms: i64, key: &ObjectKey) {
        self.objects.remove(key);
        self.lies.remove(key);
        self.untold.retain(|_, untold| untold.key != *key);
        if key.resource != DEPLOYMENTS && key.resource != SESSION_JOBS {
            return;
        }
        let of = owner(key);
        if key.resource == DEPLOYMENTS && self.lives(&of) {
            self.orphans.insert(of.clone(), at_ms);
        }
        self.lineages.remove(&of);
        let Declared { intents, mut bygone, .. } = self.declared.remove(key).unwrap_or_default();
        bygone.extend(intents);
        self.declared.insert(key.clone(), Declared { is_reborn: true, bygone, ..Declared::default() });
    }

    /// Takes in which savepoint a job is to be stopped with, and whether the last one was told to have failed.
    fn note_stop(&mut self, object: &Value, by: Who) {
        let Some(job) = read::job_id(object) else { return };
        let pending = read::stop_trigger(object);
        let is_same = self.stops.get(job).map(|stop| pending == Some(stop.trigger.as_str()));
        if is_same == Some(false) && (by == Who::User || read::stop_has_failed(object)) {
            self.stops.remove(job);
        }
        if let Some(trigger) = pending.filter(|_| is_same != Some(true)) {
            let stop = Stop { trigger: trigger.to_owned(), generation: read::generation(object) };
            self.stops.insert(job.to_owned(), stop);
        }
    }

    /// The controller asks for the end of those jobs.
    fn end_asked(&mut self, is_meant: impl Fn(&String, &Job) -> bool) {
        self.jobs.iter_mut().filter(|(id, job)| is_meant(id, job)).for_each(|(_, job)| job.is_ended_here = true);
    }

    fn exited(&mut self, at_ms: i64, (of, role): (&Identity, &String), by: Who) {
        if by != Who::Controller {
            self.quiet_since_ms = at_ms;
        }
        if let Some(roles) = self.living.get_mut(of) {
            if let Some(count) = roles.get_mut(role) {
                *count = count.saturating_sub(1);
            }
            roles.retain(|_, count| *count > 0);
            if roles.is_empty() {
                self.living.remove(of);
                self.orphans.remove(of);
            }
        }
        let is_managed = self.living.get(of).is_some_and(|roles| roles.keys().any(|role| read::is_manager(role)));
        if is_managed || !read::is_manager(role) {
            return;
        }
        let lost: Vec<String> =
            self.jobs.iter().filter(|(_, job)| job.cluster == *of).map(|(id, _)| id.clone()).collect();
        for id in lost {
            let Some(job) = self.jobs.get_mut(&id) else { continue };
            job.is_lost = true;
            let lineage = job.lineage.clone();
            // Whoever could tell what became of it is gone.
            self.untold.retain(|_, untold| untold.job != id);
            self.reconsider(at_ms, &lineage, of);
        }
    }

    fn started(&mut self, happened: &Happened) {
        let Entry::JobStarted { cluster, lineage: of, job, from, count, .. } = &happened.entry else { return };
        let from = from.as_deref().map(read::plain);
        let observed = self.declaring(of, cluster).and_then(|(_, object)| read::observed(object));
        let is_missing = from.is_some_and(|from| *count == 0 && !self.snapshots.contains_key(from));
        let is_asked = self.is_asked_start(of, job);
        let lineage = self.lineages.entry(of.clone()).or_default();
        // Flink's own return to its newest checkpoint says nothing of what a start is to begin from, and a start from
        // what is not there comes to nothing.
        if is_asked && !is_missing {
            lineage.base = (from.map(str::to_owned), *count);
            lineage.durable.clear();
            lineage.generation = observed.unwrap_or(lineage.generation);
        }
        lineage.asked = None;
        lineage.jobs.insert(job.clone());
        lineage.job = Some(job.clone());
        let has_run = self.jobs.get(job).is_some_and(|known| known.has_run);
        let started = Job {
            lineage: of.clone(),
            cluster: cluster.clone(),
            state: "INITIALIZING",
            has_run,
            is_lost: false,
            is_ended_here: false,
        };
        self.jobs.insert(job.clone(), started);
        self.reconsider(happened.at_ms, of, cluster);
    }

    /// Whether the start of a job was asked for, and is not Flink's own return to it.
    pub fn is_asked_start(&self, lineage: &Identity, job: &str) -> bool {
        let Some(lineage) = self.lineages.get(lineage) else { return true };
        lineage.job.as_deref() != Some(job) || lineage.asked.as_deref() == Some(job)
    }

    fn completed(&mut self, happened: &Happened) {
        let Entry::Snapshot { path, job, lineage: of, count, kind, trigger, stops } = &happened.entry else { return };
        let path = read::plain(path);
        if let Some(trigger) = trigger {
            self.answered.insert(trigger.clone());
        }
        self.snapshots.insert(path.to_owned(), Snapshot { lineage: of.clone(), job: job.clone() });
        if read::is_scratch(path) {
            return;
        }
        // A savepoint that was taken while the job goes on is nobody's restore point unless it is named.
        let is_durable = *kind == SnapshotKind::Checkpoint || *stops;
        if let Some(lineage) = self.lineages.get_mut(of).filter(|lineage| lineage.job.as_ref() == Some(job))
            && is_durable
        {
            lineage.durable.push((path.to_owned(), *count));
            if lineage.durable.len() > DURABLE_MAX {
                lineage.durable.remove(0);
            }
        }
        let Some(key) = trigger.as_ref().and_then(|trigger| self.awaiting(trigger)) else { return };
        if *kind == SnapshotKind::Savepoint && !*stops {
            let untold = Untold { key, job: job.clone(), since_ms: happened.at_ms };
            self.untold.insert(path.to_owned(), untold);
        }
    }

    /// The object whose status awaits the snapshot with this id.
    fn awaiting(&self, trigger: &str) -> Option<ObjectKey> {
        let key = self.triggers.get(trigger)?;
        let object = self.objects.get(key)?;
        read::triggers(object).any(|awaited| awaited == trigger).then(|| key.clone())
    }

    fn reconsider(&mut self, at_ms: i64, lineage: &Identity, cluster: &Identity) {
        let key = self.declaring(lineage, cluster).map(|(key, _)| key);
        if let Some(key) = key {
            self.reconsider_object(at_ms, &key);
        }
    }

    /// Looks whether an object claims that a job runs which does not.
    fn reconsider_object(&mut self, at_ms: i64, key: &ObjectKey) {
        let Some(object) = self.objects.get(key) else { return };
        let claims =
            read::is_settled(object) && read::job_state(object) == Some("RUNNING") && !read::is_deleting(object);
        let runs = read::job_id(object).and_then(|id| self.jobs.get(id)).is_some_and(Job::runs);
        if claims && !runs {
            self.lies.entry(key.clone()).or_insert(at_ms);
        } else {
            self.lies.remove(key);
        }
    }
}

fn terms(object: &Value) -> Terms {
    Terms {
        is_stateless: !matches!(read::text(object, "/spec/job/upgradeMode"), Some("savepoint" | "last-state")),
        redeploy: object.pointer("/spec/job/savepointRedeployNonce").and_then(Value::as_i64),
    }
}
