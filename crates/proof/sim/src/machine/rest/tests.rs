//! The client of the product against the machine: each of its methods.

use std::path::PathBuf;
use std::time::Duration;

use kobel_flink_client::{Canceled, Endpoint, FlinkClient, JobHealth, OperationSeen, RunJar, SavepointRequest};
use kobel_model::ErrorKind;
use kobel_model::deployment::SavepointFormat;
use tokio::time::sleep;

use super::*;
use crate::gate::Shared;
use crate::machine::tests::fixture::{JOB, NEXT_JOB, flink as on_flink, label, of, session, start, world};
use crate::machine::{Then, fail_job, host, kill, lose};

/// The port of the first JobManager.
const PORT: u16 = 30_000;

struct Side {
    shared: Shared,
    client: FlinkClient,
    gate: Gate,
    at: Endpoint,
}

impl Side {
    /// A cluster that was just started.
    fn new(mut world: World, launch: &kobel_manifest::launch::Launch, job: &str) -> Self {
        world.knobs.latency_ms = (0, 0);
        start(&mut world, &label(1, job), launch);
        let life = world.begin_life();
        let shared = Shared::new(world);
        let gate = Gate::new(&shared, life);
        Self { client: flink(&gate), gate, shared, at: Endpoint::local(PORT) }
    }

    async fn state(&self, id: &str) -> Option<(String, bool)> {
        let job = self.client.job(&self.at, id).await.expect("an answer");
        job.map(|job| (job.state, job.all_running))
    }

    fn request<'a>(trigger: &'a str, directory: Option<&'a str>) -> SavepointRequest<'a> {
        let format = SavepointFormat::Canonical;
        SavepointRequest { job_id: JOB, trigger_id: trigger, directory, format, drain: false }
    }
}

async fn wait(ms: u64) {
    sleep(Duration::from_millis(ms)).await;
}

/// An id of an operation.
fn trigger(digit: char) -> String {
    std::iter::repeat_n(digit, 32).collect()
}

#[tokio::test(start_paused = true)]
async fn a_cluster_comes_to_answer_and_its_job_to_run() {
    let side = Side::new(world(), &on_flink(JOB, None, 1), JOB);
    let error = side.client.config(&side.at).await.unwrap_err();
    assert_eq!(Failure::of(&error), Some(&Failure::Refused));
    let mut states = Vec::new();
    wait(500).await;
    assert_eq!(side.client.config(&side.at).await.unwrap().version, "1.20.0");
    for _ in 0..60 {
        states.extend(side.state(JOB).await);
        wait(10).await;
    }
    states.dedup();
    let expected = [("INITIALIZING", false), ("CREATED", false), ("RUNNING", false), ("RUNNING", true)];
    assert_eq!(states, expected.map(|(state, runs)| (state.to_owned(), runs)));
    assert_eq!(side.state(NEXT_JOB).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_savepoint_and_a_checkpoint_are_taken_under_the_ids_that_were_chosen() {
    let side = Side::new(world(), &on_flink(JOB, None, 1), JOB);
    wait(3_000).await;
    let (one, two) = (trigger('a'), trigger('b'));
    assert_eq!(side.client.savepoint_status(&side.at, JOB, &one).await.unwrap(), OperationSeen::Unheard);
    for _ in 0..2 {
        side.client.take_savepoint(&side.at, Side::request(&one, Some("file:///kobel/s"))).await.unwrap();
    }
    side.client.take_checkpoint(&side.at, JOB, &two).await.unwrap();
    assert_eq!(side.client.savepoint_status(&side.at, JOB, &one).await.unwrap(), OperationSeen::InProgress);
    wait(900).await;
    let seen = side.client.savepoint_status(&side.at, JOB, &one).await.unwrap();
    assert!(
        matches!(&seen, OperationSeen::Completed(Some(path)) if path.starts_with("file:/kobel/s/savepoint-0a0b0c-"))
    );
    let seen = side.client.checkpoint_status(&side.at, JOB, &two).await.unwrap();
    let path = format!("file:///kobel/applications/default/orders/checkpoints/{JOB}/chk-2");
    assert_eq!(seen, OperationSeen::Completed(Some(path.clone())));
    assert_eq!(side.client.newest_snapshot(&side.at, JOB, None).await.unwrap().map(|(path, _)| path), Some(path));
    let health = side.client.health(&side.at, JOB).await.unwrap();
    assert_eq!(health, JobHealth { restarts: Some(0), completed_checkpoints: Some(2) });
    assert_eq!(side.shared.with(|world| world.machine.snapshots(&of("orders")).len()), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_job_and_is_told_afterwards() {
    let side = Side::new(world(), &on_flink(JOB, None, 1), JOB);
    let one = trigger('a');
    wait(600).await;
    side.client.stop_with_savepoint(&side.at, Side::request(&one, None)).await.unwrap();
    let early = side.client.savepoint_status(&side.at, JOB, &one).await.unwrap();
    assert!(matches!(early, OperationSeen::Failed(_)), "its tasks do not run: {early:?}");
    wait(3_000).await;
    let two = trigger('b');
    side.client.stop_with_savepoint(&side.at, Side::request(&two, None)).await.unwrap();
    wait(860).await;
    assert_eq!(side.state(JOB).await, Some(("FINISHED".to_owned(), true)));
    assert_eq!(side.client.savepoint_status(&side.at, JOB, &two).await.unwrap(), OperationSeen::InProgress);
    wait(50).await;
    let seen = side.client.savepoint_status(&side.at, JOB, &two).await.unwrap();
    assert!(matches!(seen, OperationSeen::Completed(Some(_))), "{seen:?}");
    let canceled = side.client.cancel(&side.at, JOB).await.unwrap();
    assert_eq!(canceled, Canceled::AlreadyEnded("FINISHED".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_job_is_cancelled_and_one_that_is_not_known_is_gone() {
    let side = Side::new(world(), &on_flink(JOB, None, 1), JOB);
    wait(2_000).await;
    for _ in 0..2 {
        assert_eq!(side.client.cancel(&side.at, JOB).await.unwrap(), Canceled::Asked);
        assert_eq!(side.state(JOB).await, Some(("CANCELLING".to_owned(), false)));
    }
    wait(300).await;
    assert_eq!(side.state(JOB).await, Some(("CANCELED".to_owned(), false)));
    assert_eq!(side.client.cancel(&side.at, NEXT_JOB).await.unwrap(), Canceled::Gone);
    assert_eq!(side.client.failure(&side.at, NEXT_JOB).await.unwrap(), None);
    let error = side.client.newest_snapshot(&side.at, NEXT_JOB, None).await.unwrap_err();
    assert_eq!(Failure::of(&error), Some(&Failure::NoJob));
}

#[tokio::test(start_paused = true)]
async fn a_job_tells_why_it_failed_and_why_it_could_not_be_made() {
    let side = Side::new(world(), &on_flink(JOB, None, 1), JOB);
    wait(2_000).await;
    assert_eq!(side.client.failure(&side.at, JOB).await.unwrap(), None);
    side.shared.with(|world| fail_job(world, &of("orders"), "it broke", Then::Restarts));
    let error = side.client.newest_snapshot(&side.at, JOB, None).await.unwrap_err();
    assert_eq!(Failure::of(&error), Some(&Failure::NoStatistics), "it has no tasks");
    let why = side.client.failure(&side.at, JOB).await.unwrap().expect("a reason");
    assert!(why.contains("it broke"), "{why}");

    let side = Side::new(world(), &on_flink(JOB, Some("file:///no/savepoint-0a0b0c-1"), 1), JOB);
    wait(2_000).await;
    assert_eq!(side.state(JOB).await, Some(("FAILED".to_owned(), false)));
    let why = side.client.failure(&side.at, JOB).await.unwrap().expect("a reason");
    assert!(why.contains("Cannot find checkpoint or savepoint"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn statistics_may_be_old_and_do_not_hide_that_files_are_gone() {
    let mut old = world();
    old.knobs.statistics_behind_ms = 3_000;
    let side = Side::new(old, &on_flink(JOB, None, 1), JOB);
    wait(11_100).await;
    assert_eq!(side.client.newest_snapshot(&side.at, JOB, None).await.unwrap(), None);
    wait(1_000).await;
    assert_eq!(side.client.newest_snapshot(&side.at, JOB, None).await.unwrap(), None, "it is two seconds old");
    wait(3_000).await;
    let (path, _) = side.client.newest_snapshot(&side.at, JOB, None).await.unwrap().expect("a checkpoint");
    side.shared.with(|world| lose(world, &path));
    wait(3_000).await;
    let error = side.client.newest_snapshot(&side.at, JOB, None).await.unwrap_err();
    assert_eq!(Failure::of(&error), Some(&Failure::Discarded(1)));
}

#[tokio::test(start_paused = true)]
async fn while_nobody_leads_every_request_is_refused_and_then_nothing_is_remembered() {
    let side = Side::new(world(), &on_flink(JOB, None, 2), JOB);
    wait(12_000).await;
    let one = trigger('a');
    side.client.take_savepoint(&side.at, Side::request(&one, None)).await.unwrap();
    wait(2_000).await;
    side.shared.with(|world| kill(world, &of("orders"), "jobmanager")).unwrap();
    let error = side.client.config(&side.at).await.unwrap_err();
    assert_eq!(Failure::of(&error), Some(&Failure::Refused));
    let standby = Endpoint::local(PORT + 10);
    let error = side.client.config(&standby).await.unwrap_err();
    assert!(matches!(Failure::of(&error), Some(Failure::Answered { status: 503, .. })), "{error:?}");
    wait(12_000).await;
    assert_eq!(side.client.job(&standby, JOB).await.unwrap().map(|job| job.state).as_deref(), Some("RUNNING"));
    assert_eq!(side.client.savepoint_status(&standby, JOB, &one).await.unwrap(), OperationSeen::Unheard);
    let (path, _) = side.client.newest_snapshot(&standby, JOB, None).await.unwrap().expect("what was restored");
    assert!(path.ends_with("/chk-1"), "{path}");
}

#[tokio::test(start_paused = true)]
async fn a_program_is_taken_in_run_once_and_removed() {
    let side = Side::new(world(), &session(), "");
    wait(600).await;
    assert!(side.client.jobs(&side.at).await.unwrap().is_empty());
    let program = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/data/program.jar"));
    let jar = side.client.upload_jar(&side.at, &program).await.unwrap();
    let name = ("pipeline.name".to_owned(), "report".to_owned());
    let run = RunJar { job_id: Some(JOB.to_owned()), configuration: [name].into(), ..RunJar::default() };
    for _ in 0..2 {
        assert_eq!(side.client.run_jar(&side.at, &jar, &run).await.unwrap(), JOB);
    }
    wait(600).await;
    assert_eq!(side.state(JOB).await, Some(("RUNNING".to_owned(), true)));
    assert_eq!(side.shared.with(|world| world.machine.starts(&of("report"))), 1);
    for _ in 0..2 {
        side.client.delete_jar(&side.at, &jar).await.unwrap();
    }
    let error = side.client.run_jar(&side.at, &jar, &RunJar::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Missing);
}

#[tokio::test(start_paused = true)]
async fn who_listens_hears_of_ends_and_the_host_sees_them() {
    let side = Side::new(world(), &on_flink(JOB, None, 1), JOB);
    let host = host(&side.gate);
    let mut ends = host.ends();
    assert_eq!(host.all().unwrap(), [of("orders")]);
    side.shared.with(|world| kill(world, &of("orders"), "jobmanager")).unwrap();
    assert_eq!(ends.recv().await, Some(of("orders")));
    let seen = host.observe(&of("orders")).unwrap().expect("it is seen");
    assert_eq!((seen.processes.len(), seen.rest_port, seen.is_ending), (2, PORT, false));
    assert_eq!(host.observe(&of("other")).unwrap(), None);
    let ports = host.free_ports().unwrap();
    assert_ne!(ports, host.free_ports().unwrap());
    assert!(host.has_snapshot("s3://b/c").is_err());
    side.shared.with(|world| world.end_life());
    assert_eq!(host.all().unwrap_err().kind(), ErrorKind::Unavailable, "whoever asks is dead");
}
