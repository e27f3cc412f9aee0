//! Candidates and an API that has one Lease, on a clock that tests advance.

use std::convert::Infallible;
use std::future::pending;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use hyper::{Method, Request, Response};
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tower_service::Service;

use super::*;
use crate::surroundings::{Apart, Real};

const SECOND: Duration = Duration::from_secs(1);

/// An API that has one Lease at most.
#[derive(Clone, Default)]
struct Leases {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    lease: Option<Value>,
    version: u64,
    /// It answers nobody.
    is_silent: bool,
    /// So many writes are done and not answered.
    lost: usize,
}

impl Leases {
    /// Does what is asked for; none if that is not answered.
    fn answer(&self, method: &Method, sent: &[u8]) -> Option<(u16, Value)> {
        let mut state = self.state.lock().unwrap();
        if state.is_silent {
            return None;
        }
        let refused = |code: u16, reason: &str| {
            let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
                "reason": reason, "message": reason, "metadata": {}});
            Some((code, status))
        };
        if method == Method::GET {
            return state.lease.clone().map_or_else(|| refused(404, "NotFound"), |lease| Some((200, lease)));
        }
        let mut lease: Value = serde_json::from_slice(sent).unwrap();
        match &state.lease {
            Some(_) if method == Method::POST => return refused(409, "AlreadyExists"),
            Some(there) if there["metadata"]["resourceVersion"] != lease["metadata"]["resourceVersion"] => {
                return refused(409, "Conflict");
            }
            _ => {}
        }
        state.version += 1;
        lease["metadata"]["resourceVersion"] = json!(state.version.to_string());
        state.lease = Some(lease.clone());
        if state.lost > 0 {
            state.lost -= 1;
            return None;
        }
        Some((200, lease))
    }

    fn record(&self) -> Value {
        self.state.lock().unwrap().lease.as_ref().map(|lease| lease["spec"].clone()).unwrap_or_default()
    }
}

impl Service<Request<Body>> for Leases {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let leases = self.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let sent = body.collect_bytes().await.unwrap();
            match leases.answer(&head.method, &sent) {
                Some((code, value)) => {
                    let body = Body::from(value.to_string().into_bytes());
                    Ok(Response::builder().status(code).body(body).unwrap())
                }
                None => pending().await,
            }
        })
    }
}

/// The time of the tests; chance that always comes out the same.
struct Steady {
    begun: Instant,
}

impl Surroundings for Steady {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + self.begun.elapsed()
    }

    fn fresh(&self) -> u128 {
        1_200
    }

    fn apart(&self, work: Box<dyn FnOnce() + Send>) -> Apart {
        Real.apart(work)
    }
}

/// Who began to work, with a `+`, and who ended.
type Log = Arc<Mutex<Vec<String>>>;

/// Work that is under way.
struct Shift {
    name: String,
    log: Log,
}

impl Shift {
    fn begin(name: String, log: Log) -> Self {
        log.lock().unwrap().push(format!("+{name}"));
        Self { name, log }
    }
}

impl Drop for Shift {
    fn drop(&mut self) {
        self.log.lock().unwrap().push(format!("-{}", self.name));
    }
}

/// A candidate that runs.
struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<()>>,
    metrics: Metrics,
}

/// An API, those who ask it, and what they did.
#[derive(Default)]
struct Ballot {
    leases: Leases,
    log: Log,
}

impl Ballot {
    fn run(&self, name: &str) -> Running {
        let lease = "kobel-system/kobel".parse().unwrap();
        let election = Election { lease, identity: Some(name.to_owned()) };
        let surroundings = Arc::new(Steady { begun: Instant::now() });
        let candidate = Candidate::of(election, Client::new(self.leases.clone(), "default"), surroundings);
        let (stop, stopped) = oneshot::channel::<()>();
        let metrics = Metrics::default();
        let (own, log, name) = (metrics.clone(), Arc::clone(&self.log), name.to_owned());
        let task = tokio::spawn(async move {
            let work = async move {
                let _shift = Shift::begin(name, log);
                pending().await
            };
            let stopped = async move {
                let _ = stopped.await;
            };
            candidate.lead(&own, work, stopped).await
        });
        Running { stop, task, metrics }
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Waits until something stands in the log; tells how long that took.
    async fn until(&self, entry: &str) -> Duration {
        let begun = Instant::now();
        while !self.log().iter().any(|found| found == entry) {
            assert!(begun.elapsed() < 600 * SECOND, "no {entry} in {:?}", self.log());
            sleep(Duration::from_millis(50)).await;
        }
        begun.elapsed()
    }
}

fn is_leader(metrics: &Metrics) -> bool {
    metrics.text().contains("\nkobel_leader 1\n")
}

fn seen(holder: &str, seconds: Option<i32>, since: Instant) -> Seen {
    let record = LeaseSpec {
        holder_identity: Some(holder.to_owned()),
        lease_duration_seconds: seconds,
        acquire_time: Some(MicroTime(Timestamp::UNIX_EPOCH)),
        lease_transitions: Some(7),
        ..LeaseSpec::default()
    };
    Seen { metadata: ObjectMeta::default(), record, since }
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_taken_if_nobody_holds_it_and_renewed_by_who_does() {
    let (since, time) = (Instant::now(), Timestamp::UNIX_EPOCH + 1_000 * SECOND);
    let almost = Duration::from_millis(14_999);
    // What is expected is how often the Lease has changed hands, and whether it has now.
    for (holder, seconds, after, expected) in [
        ("me", Some(15), SECOND, Some((7, false))),
        ("me", Some(15), 60 * SECOND, Some((7, false))),
        ("another", Some(15), Duration::ZERO, None),
        ("another", Some(15), almost, None),
        ("another", Some(15), 15 * SECOND, Some((8, true))),
        ("another", Some(40), 39 * SECOND, None),
        ("another", Some(40), 40 * SECOND, Some((8, true))),
        ("another", None, almost, None),
        ("another", Some(-1), 15 * SECOND, Some((8, true))),
        ("", Some(1), Duration::ZERO, Some((8, true))),
    ] {
        let written = claim(Some(&seen(holder, seconds, since)), "me", since + after, time);
        let found = written.as_ref().map(|record| {
            let is_new = record.acquire_time == Some(MicroTime(time));
            (record.lease_transitions.unwrap(), is_new)
        });
        assert_eq!(found, expected, "{holder} {seconds:?} {after:?}");
        let Some(record) = written else { continue };
        assert_eq!(record.holder_identity.as_deref(), Some("me"));
        assert_eq!((record.lease_duration_seconds, record.renew_time), (Some(15), Some(MicroTime(time))));
    }
    let first = claim(None, "me", since, time).unwrap();
    assert_eq!((first.lease_transitions, first.acquire_time), (Some(0), Some(MicroTime(time))));
    let nothing = Seen { record: LeaseSpec::default(), ..seen("", None, since) };
    assert_eq!(claim(Some(&nothing), "me", since, time).unwrap().lease_transitions, Some(1));
}

#[tokio::test(start_paused = true)]
async fn only_a_lease_that_says_something_else_shows_that_its_holder_is_there() {
    let since = Instant::now();
    let before = seen("another", Some(15), since);
    let again = |record: &LeaseSpec| {
        let metadata = ObjectMeta { resource_version: Some("9".to_owned()), ..ObjectMeta::default() };
        Seen::now(Some(&before), Lease { metadata, spec: Some(record.clone()) }, since + 5 * SECOND)
    };
    assert_eq!(again(&before.record).since, since);
    assert_eq!(again(&before.record).metadata.resource_version.as_deref(), Some("9"), "it is written as it is now");
    let renewed = LeaseSpec { renew_time: Some(MicroTime(Timestamp::UNIX_EPOCH)), ..before.record.clone() };
    assert_eq!(again(&renewed).since, since + 5 * SECOND, "whatever time it names");
}

#[tokio::test(start_paused = true)]
async fn of_two_one_works_and_the_other_does_when_that_one_is_killed() {
    let ballot = Ballot::default();
    let first = ballot.run("first");
    ballot.until("+first").await;
    let second = ballot.run("second");
    sleep(120 * SECOND).await;
    assert_eq!(ballot.log(), ["+first"], "it renews its Lease");
    assert_eq!((is_leader(&first.metrics), is_leader(&second.metrics)), (true, false));
    first.task.abort();
    assert!(first.task.await.unwrap_err().is_cancelled());
    let took = ballot.until("+second").await;
    assert!((13 * SECOND..22 * SECOND).contains(&took), "{took:?}");
    assert_eq!(ballot.log(), ["+first", "-first", "+second"]);
    let record = ballot.leases.record();
    assert_eq!((&record["holderIdentity"], &record["leaseTransitions"]), (&json!("second"), &json!(1)));
    assert!(is_leader(&second.metrics));
}

#[tokio::test(start_paused = true)]
async fn who_is_stopped_gives_its_lease_back_after_its_work() {
    let ballot = Ballot::default();
    let first = ballot.run("first");
    ballot.until("+first").await;
    let second = ballot.run("second");
    sleep(30 * SECOND).await;
    first.stop.send(()).unwrap();
    let took = ballot.until("+second").await;
    first.task.await.unwrap().unwrap();
    assert!(took < 5 * SECOND, "{took:?}");
    assert_eq!(ballot.log(), ["+first", "-first", "+second"]);
    assert!(!is_leader(&first.metrics));
    // Dropping the sender stops it, too.
    drop(second.stop);
    second.task.await.unwrap().unwrap();
    let record = ballot.leases.record();
    assert_eq!((&record["holderIdentity"], &record["leaseDurationSeconds"]), (&json!(""), &json!(1)));
    assert_eq!(record["leaseTransitions"], 1);
}

#[tokio::test(start_paused = true)]
async fn who_stands_by_and_is_stopped_changes_nothing() {
    let ballot = Ballot::default();
    let _first = ballot.run("first");
    ballot.until("+first").await;
    let second = ballot.run("second");
    sleep(10 * SECOND).await;
    second.stop.send(()).unwrap();
    second.task.await.unwrap().unwrap();
    sleep(60 * SECOND).await;
    assert_eq!(ballot.log(), ["+first"]);
    assert_eq!(ballot.leases.record()["holderIdentity"], "first");
}

#[tokio::test(start_paused = true)]
async fn who_cannot_renew_its_lease_ends_before_another_may_take_it() {
    let ballot = Ballot::default();
    let first = ballot.run("first");
    ballot.until("+first").await;
    sleep(30 * SECOND).await;
    ballot.leases.state.lock().unwrap().is_silent = true;
    let silent = Instant::now();
    let error = first.task.await.unwrap().unwrap_err();
    assert!(silent.elapsed() < RENEW_DEADLINE + SECOND, "{:?}", silent.elapsed());
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let told = chain(&error);
    assert!(told.starts_with("Lease `kobel-system/kobel` could not be renewed within 10 s: "), "{told}");
    assert!(told.ends_with("no answer within 5 s"), "{told}");
    assert_eq!(ballot.log(), ["+first", "-first"]);
    assert!(!is_leader(&first.metrics));
}

#[tokio::test(start_paused = true)]
async fn who_finds_another_in_its_lease_ends() {
    let ballot = Ballot::default();
    let first = ballot.run("first");
    ballot.until("+first").await;
    {
        let mut state = ballot.leases.state.lock().unwrap();
        let lease = state.lease.as_mut().unwrap();
        lease["spec"]["holderIdentity"] = json!("another");
        lease["metadata"]["resourceVersion"] = json!("another");
    }
    let error = timeout(3 * SECOND, first.task).await.unwrap().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.to_string(), "Lease `kobel-system/kobel` is held by `another` now");
    assert_eq!(ballot.leases.record()["holderIdentity"], "another", "it is let alone");
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_not_lost_with_an_answer() {
    let ballot = Ballot::default();
    let first = ballot.run("first");
    ballot.until("+first").await;
    for _ in 0..3 {
        ballot.leases.state.lock().unwrap().lost = 1;
        sleep(30 * SECOND).await;
    }
    assert_eq!(ballot.log(), ["+first"]);
    assert_eq!(ballot.leases.record()["leaseTransitions"], 0);
    assert!(!first.task.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_candidate_waits_for_an_api_that_is_away() {
    let ballot = Ballot::default();
    ballot.leases.state.lock().unwrap().is_silent = true;
    let _first = ballot.run("first");
    sleep(600 * SECOND).await;
    assert!(ballot.log().is_empty());
    ballot.leases.state.lock().unwrap().is_silent = false;
    assert!(ballot.until("+first").await < 10 * SECOND);
}

#[test]
fn a_lease_is_named_with_its_namespace() {
    let lease: LeaseName = "kobel-system/kobel".parse().unwrap();
    assert_eq!((lease.namespace.as_str(), lease.name.as_str()), ("kobel-system", "kobel"));
    assert_eq!(lease.to_string(), "kobel-system/kobel");
    for text in ["", "kobel", "/kobel", "kobel-system/", "a/b/c"] {
        assert!(text.parse::<LeaseName>().is_err(), "{text}");
    }
}

#[test]
fn nobody_is_called_as_another_by_chance() {
    let names = [identity_by_chance(&Real), identity_by_chance(&Real)];
    assert_ne!(names[0], names[1]);
    let (host, chance) = names[0].rsplit_once('_').unwrap();
    assert!(!host.is_empty() && chance.len() == 8, "{names:?}");
}
