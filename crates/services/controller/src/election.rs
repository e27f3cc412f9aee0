//! Who of several operators acts: the one that holds a Lease, by the rules of client-go's leader election.
//!
//! A candidate takes a Lease that nobody holds, and renews it for as long as it acts. One that somebody else holds
//! counts as held until its duration has passed since *this* candidate saw it change, by its own clock: those of two
//! machines are never compared. Every write names the version that it changes, so of two that write at once one is
//! refused, and looks again.
//!
//! # Invariants
//! The work is done only from a write that has taken the Lease until the renew deadline after the *beginning* of the
//! last write that was answered. That is sooner than anybody else may take it. A leader that sees another one's name in
//! the Lease ends at once. What is left open is what no Lease can close: a request that is under way when its sender
//! ends may still be carried out.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fmt, fs};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kobel_model::{Error, ErrorKind, Result, chain};
use kube::Client;
use kube::api::{Api, ObjectMeta, PostParams};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::metrics::Metrics;
use crate::surroundings::Surroundings;

/// Who the fields belong to that are written here.
const MANAGER: &str = "kobel-operator";
/// For how long a Lease is held after it was renewed, in seconds.
const LEASE_SECONDS: u32 = 15;
/// For how long a leader goes on without having renewed its Lease.
const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// The pause between two attempts to take or to renew a Lease.
const RETRY_PERIOD: Duration = Duration::from_secs(2);
/// By how much the pause of a candidate is longer at most, so that not all of them try at once; in milliseconds.
const JITTER_MILLIS: u128 = 2_400;
/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// For how long a Lease is held that was given back, in seconds: there is no shorter time.
const RELEASED_SECONDS: i32 = 1;

/// Which Lease says who acts, and who wants to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Election {
    /// The Lease.
    pub lease: LeaseName,
    /// What this candidate is called, and nobody else; if nothing is said, it is called after its host and by chance.
    pub identity: Option<String>,
}

/// The place of a Lease; as a text it is `NAMESPACE/NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl FromStr for LeaseName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once('/') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
                Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
            }
            _ => Err(Error::invalid("expected NAMESPACE/NAME, such as `kobel-system/kobel`")),
        }
    }
}

impl fmt::Display for LeaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// A Lease as it was last seen.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    /// What it is called, and in which version.
    metadata: ObjectMeta,
    /// What it says.
    record: LeaseSpec,
    /// Since when it says so, as far as is known here.
    since: Instant,
}

impl Seen {
    /// A Lease that is seen now, after it was seen before. Only that it says something else shows that somebody is
    /// there.
    fn now(before: Option<&Self>, lease: Lease, now: Instant) -> Self {
        let record = lease.spec.unwrap_or_default();
        let since = before.filter(|before| before.record == record).map_or(now, |before| before.since);
        Self { metadata: lease.metadata, record, since }
    }

    fn holder(&self) -> &str {
        self.record.holder_identity.as_deref().unwrap_or_default()
    }

    /// Whether the time of its holder has not passed.
    fn is_running(&self, now: Instant) -> bool {
        let seconds = self.record.lease_duration_seconds.and_then(|seconds| u32::try_from(seconds).ok());
        let seconds = seconds.filter(|seconds| *seconds > 0).unwrap_or(LEASE_SECONDS);
        now < self.since + Duration::from_secs(u64::from(seconds))
    }
}

/// What a candidate writes into a Lease that it has seen to be so, or not to be there; none while somebody else holds
/// it.
fn claim(seen: Option<&Seen>, identity: &str, now: Instant, time: Timestamp) -> Option<LeaseSpec> {
    let taken = LeaseSpec {
        holder_identity: Some(identity.to_owned()),
        lease_duration_seconds: i32::try_from(LEASE_SECONDS).ok(),
        acquire_time: Some(MicroTime(time)),
        renew_time: Some(MicroTime(time)),
        lease_transitions: Some(0),
        ..LeaseSpec::default()
    };
    let Some(seen) = seen else { return Some(taken) };
    let transitions = seen.record.lease_transitions.unwrap_or_default();
    if seen.holder() == identity {
        let acquire_time = seen.record.acquire_time.clone();
        return Some(LeaseSpec { acquire_time, lease_transitions: Some(transitions), ..taken });
    }
    let is_held = !seen.holder().is_empty() && seen.is_running(now);
    (!is_held).then(|| LeaseSpec { lease_transitions: Some(transitions.saturating_add(1)), ..taken })
}

/// What the holder of a Lease writes into it to give it back.
fn given_back(record: &LeaseSpec, time: Timestamp) -> LeaseSpec {
    LeaseSpec {
        holder_identity: Some(String::new()),
        lease_duration_seconds: Some(RELEASED_SECONDS),
        acquire_time: Some(MicroTime(time)),
        renew_time: Some(MicroTime(time)),
        lease_transitions: record.lease_transitions,
        ..LeaseSpec::default()
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    /// The Lease is held; the write that says so was begun then.
    Held(Instant),
    /// Somebody else holds it.
    Refused,
}

/// One that stands for election.
pub(crate) struct Candidate {
    leases: Api<Lease>,
    lease: LeaseName,
    identity: String,
    surroundings: Arc<dyn Surroundings>,
    seen: Option<Seen>,
    /// What was last in the way; it is said once.
    trouble: String,
}

impl Candidate {
    /// A candidate at the API that a client speaks to. Nothing is sent yet.
    pub(crate) fn of(election: Election, client: Client, surroundings: Arc<dyn Surroundings>) -> Self {
        let Election { lease, identity } = election;
        let identity = identity.unwrap_or_else(|| identity_by_chance(&*surroundings));
        let leases = Api::namespaced(client, &lease.namespace);
        Self { leases, lease, identity, surroundings, seen: None, trouble: String::new() }
    }

    /// Waits until the Lease is held, and does the work from then on. Once it is stopped the work ends, and then the
    /// Lease is given back, so that a successor need not wait.
    ///
    /// # Errors
    /// Unavailable if the Lease could not be renewed in time, Conflict if somebody else holds it: whoever gets this
    /// must end. Bug if the work ends by itself.
    pub(crate) async fn lead(
        mut self,
        metrics: &Metrics,
        work: impl Future<Output = ()>,
        stopped: impl Future<Output = ()>,
    ) -> Result<()> {
        metrics.stands_by();
        let Self { lease, identity, .. } = &self;
        tracing::info!(target: "kobel.controller", %lease, identity, "stands for election");
        let ended = tokio::select! {
            biased;
            () = stopped => Ok(()),
            error = self.serve(metrics, work) => Err(error),
        };
        metrics.stands_by();
        if ended.is_ok() {
            self.give_back().await;
        }
        ended
    }

    /// Does the work while the Lease is held; tells why it does not any more.
    async fn serve(&mut self, metrics: &Metrics, work: impl Future<Output = ()>) -> Error {
        let since = self.acquire().await;
        metrics.leads();
        tracing::info!(target: "kobel.controller", lease = %self.lease, "leads");
        tokio::select! {
            // Whether it may go on is asked first.
            biased;
            error = self.keep(since) => error,
            () = work => Error::bug("the control loop ended by itself"),
        }
    }

    /// Tries to take the Lease until that succeeds.
    async fn acquire(&mut self) -> Instant {
        loop {
            match self.attempt().await {
                Ok(Attempt::Held(since)) => return since,
                Ok(Attempt::Refused) => self.stand_by(),
                Err(error) => self.complain(&error),
            }
            let jitter = u64::try_from(self.surroundings.fresh() % JITTER_MILLIS).unwrap_or_default();
            sleep(RETRY_PERIOD + Duration::from_millis(jitter)).await;
        }
    }

    /// Renews the Lease, which is held since then, until that cannot be done any more; tells why.
    async fn keep(&mut self, mut since: Instant) -> Error {
        loop {
            match timeout_at(since + RENEW_DEADLINE, self.renew()).await {
                Ok(Attempt::Held(renewed)) => since = renewed,
                Ok(Attempt::Refused) => {
                    let message = format!("Lease `{}` is held by `{}` now", self.lease, self.holder());
                    return Error::new(ErrorKind::Conflict, message).with_hint("start again, to stand by");
                }
                Err(_) => {
                    let seconds = RENEW_DEADLINE.as_secs();
                    let message = format!("Lease `{}` could not be renewed within {seconds} s", self.lease);
                    let hint = "another may lead now; start again, to stand by";
                    let error = Error::new(ErrorKind::Unavailable, message).with_hint(hint);
                    return if self.trouble.is_empty() { error } else { error.with_source(self.trouble.clone()) };
                }
            }
        }
    }

    /// Renews the Lease once, or finds it held by somebody else.
    async fn renew(&mut self) -> Attempt {
        loop {
            sleep(RETRY_PERIOD).await;
            match self.attempt().await {
                Ok(came) => return came,
                Err(error) => self.complain(&error),
            }
        }
    }

    /// Takes or renews the Lease unless somebody else holds it.
    async fn attempt(&mut self) -> Result<Attempt> {
        let now = Instant::now();
        let is_ours = self.seen.as_ref().is_some_and(|seen| seen.holder() == self.identity && seen.is_running(now));
        if is_ours {
            // It is most likely still as it was seen; if not, it is looked at.
            match self.write().await {
                Ok(came) => return Ok(came),
                Err(error) => self.complain(&error),
            }
        }
        self.look().await?;
        self.write().await
    }

    async fn look(&mut self) -> Result<()> {
        let found = self.answer("read", self.leases.get_opt(&self.lease.name)).await?;
        let now = Instant::now();
        self.seen = found.map(|lease| Seen::now(self.seen.as_ref(), lease, now));
        Ok(())
    }

    async fn write(&mut self) -> Result<Attempt> {
        // What was begun is answered later, and others may count from the beginning.
        let begun = Instant::now();
        let Some(record) = claim(self.seen.as_ref(), &self.identity, begun, self.surroundings.now()) else {
            return Ok(Attempt::Refused);
        };
        let lease = self.put(record).await?;
        self.seen = Some(Seen::now(None, lease, begun));
        self.trouble.clear();
        Ok(Attempt::Held(begun))
    }

    /// Writes the Lease if it is as it was seen.
    async fn put(&self, record: LeaseSpec) -> Result<Lease> {
        let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
        let LeaseName { namespace, name } = &self.lease;
        let metadata = match &self.seen {
            Some(seen) => seen.metadata.clone(),
            None => {
                ObjectMeta { namespace: Some(namespace.clone()), name: Some(name.clone()), ..ObjectMeta::default() }
            }
        };
        let lease = Lease { metadata, spec: Some(record) };
        match &self.seen {
            Some(_) => self.answer("write", self.leases.replace(name, &params, &lease)).await,
            None => self.answer("create", self.leases.create(&params, &lease)).await,
        }
    }

    /// Gives the Lease back if it is held. Whoever stops may have been about to write, so it is looked at before.
    async fn give_back(&mut self) {
        let given = timeout(ANSWER_TIMEOUT, async {
            self.look().await?;
            match self.seen.as_ref().filter(|seen| seen.holder() == self.identity) {
                Some(seen) => self.put(given_back(&seen.record, self.surroundings.now())).await.map(drop),
                None => Ok(()),
            }
        });
        let late = |_| Err(Error::new(ErrorKind::Unavailable, "it took too long"));
        if let Err(error) = given.await.unwrap_or_else(late) {
            let cause = chain(&error);
            tracing::warn!(target: "kobel.controller", lease = %self.lease, %cause, "the Lease is not given back");
        }
    }

    /// Waits for an answer, but not for ever.
    async fn answer<T>(&self, act: &str, call: impl Future<Output = kube::Result<T>>) -> Result<T> {
        let failed = |cause: String| {
            Error::new(ErrorKind::Unavailable, format!("cannot {act} Lease `{}`", self.lease)).with_source(cause)
        };
        let late = || failed(format!("no answer within {} s", ANSWER_TIMEOUT.as_secs()));
        timeout(ANSWER_TIMEOUT, call).await.map_err(|_| late())?.map_err(|error| failed(error.to_string()))
    }

    fn holder(&self) -> &str {
        self.seen.as_ref().map(Seen::holder).unwrap_or_default()
    }

    fn stand_by(&mut self) {
        let leader = self.holder().to_owned();
        if self.trouble != leader {
            tracing::info!(target: "kobel.controller", lease = %self.lease, %leader, "stands by");
            self.trouble = leader;
        }
    }

    fn complain(&mut self, error: &Error) {
        let cause = chain(error);
        if self.trouble != cause {
            tracing::warn!(target: "kobel.controller", lease = %self.lease, %cause, "the Lease is not held for certain");
            self.trouble = cause;
        }
    }
}

/// What a candidate is called that was given no name. It is never the name of one before it, which may still be at
/// work.
fn identity_by_chance(surroundings: &dyn Surroundings) -> String {
    let host = env::var("HOSTNAME").ok().or_else(|| fs::read_to_string("/proc/sys/kernel/hostname").ok());
    let host = host.as_deref().map(str::trim).filter(|host| !host.is_empty()).unwrap_or("kobel");
    format!("{host}_{:08x}", surroundings.fresh() & u128::from(u32::MAX))
}

#[cfg(test)]
mod tests;
