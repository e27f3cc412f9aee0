//! A job that runs and does not do well is started again from its newest state; one that has ended never is.

use std::time::Duration;

use kobel_model::deployment::UpgradeMode;

use super::case::{CHECKPOINT, Case, NOW, act, start, tells};
use crate::facts::{self, Cluster, Newest, Samples};
use crate::options::HealthCheck;
use crate::record::Health;
use crate::state::JobState;

const WINDOW: i64 = 120_000;

/// A job that is judged, was last seen healthy a minute ago, and tells these numbers now.
fn judged(restarts: i64, completed_checkpoints: i64) -> Case {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.options.health_check = Some(HealthCheck {
        restarts_window: Duration::from_millis(WINDOW.unsigned_abs()),
        restarts_threshold: 64,
        checkpoint_window: Some(Duration::from_secs(1_200)),
    });
    case.record.health = Some(Health {
        at_ms: NOW - 60_000,
        restarts: 10,
        restarts_since_ms: NOW - 60_000,
        completed_checkpoints: 5,
        completed_since_ms: NOW - 60_000,
        unhealthy: None,
    });
    case.tell(restarts, completed_checkpoints);
    case
}

impl Case {
    fn tell(&mut self, restarts: i64, completed_checkpoints: i64) {
        let completed_checkpoints = Some(completed_checkpoints);
        self.facts.health = Some(Samples { restarts: Some(restarts), completed_checkpoints });
    }

    fn health(&mut self) -> &mut Health {
        self.record.health.as_mut().unwrap()
    }
}

#[test]
fn the_first_look_is_where_everything_is_counted_from() {
    let mut case = judged(1_000, 0);
    case.record.health = None;
    let decision = case.decide();
    assert_eq!((&decision.act, decision.wait.reason), (&None, "Settled"));
    let expected = Health {
        at_ms: NOW,
        restarts: 1_000,
        restarts_since_ms: NOW,
        completed_checkpoints: 0,
        completed_since_ms: NOW,
        unhealthy: None,
    };
    assert_eq!(decision.record.health, Some(expected));
    case.facts.health = Some(Samples { restarts: None, completed_checkpoints: Some(3) });
    assert_eq!(case.decide().record.health, None, "a job that does not tell of its restarts is not judged");
}

#[test]
fn a_job_that_reads_its_state_for_long_is_not_late_with_its_checkpoints() {
    let mut case = judged(1_000, 0);
    case.record.health = None;
    case.see(JobState::Created);
    let mut case = case.after(&case.decide());
    case.facts.now_ms += 10_000_000;
    assert_eq!(case.decide().act, None);
    case.see(JobState::Running);
    let mut case = case.after(&case.decide());
    case.facts.now_ms += 1_200_000;
    assert_eq!(case.decide().act, None, "its time begins when it runs");
    case.facts.now_ms += 1;
    assert_eq!(act(&case.decide()), "remove");
}

#[test]
fn restarts_are_counted_within_their_window() {
    // Restarts, milliseconds since they are counted, whether that is too many, and from where is counted on.
    let cases = [
        (74, 60_000, false, 10),
        (75, 60_000, true, 10),
        (75, WINDOW, true, 10),
        (75, 2 * WINDOW, false, 75),
        (139, 2 * WINDOW, false, 139),
        (140, 2 * WINDOW, true, 10),
        (9, 1_000, false, 9),
        (10, WINDOW + 1, false, 10),
    ];
    for (restarts, elapsed, is_bad, baseline) in cases {
        let mut case = judged(restarts, 6);
        case.health().restarts_since_ms = NOW - elapsed;
        let decision = case.decide();
        let health = decision.record.health.as_ref().unwrap();
        assert_eq!(health.unhealthy.is_some(), is_bad, "{restarts} in {elapsed} ms");
        assert_eq!(health.restarts, baseline, "{restarts} in {elapsed} ms");
        let is_moved = restarts < 10 || (elapsed > WINDOW && !is_bad);
        assert_eq!(health.restarts_since_ms == NOW, is_moved, "{restarts} in {elapsed} ms");
        assert_eq!(act(&decision), if is_bad { "remove" } else { "-" }, "{restarts} in {elapsed} ms");
    }
}

#[test]
fn a_job_that_completes_no_checkpoint_any_more_is_not_healthy() {
    for (completed, since, is_bad) in
        [(5, 1_200_000, false), (5, 1_200_001, true), (6, 9_000_000, false), (4, 9_000_000, false)]
    {
        let mut case = judged(10, completed);
        case.health().completed_since_ms = NOW - since;
        let decision = case.decide();
        let health = decision.record.health.clone().unwrap();
        assert_eq!(health.unhealthy.is_some(), is_bad, "{completed} after {since} ms");
        assert_eq!(health.completed_checkpoints, completed);
        case.options.health_check.as_mut().unwrap().checkpoint_window = None;
        assert_eq!(case.decide().act, None, "nobody asks for checkpoints");
    }
}

#[test]
fn what_is_not_told_says_nothing_about_the_health() {
    let mut case = judged(10, 5);
    case.health().completed_since_ms = NOW - 9_000_000;
    case.facts.health = Some(Samples::default());
    let decision = case.decide();
    assert_eq!((&decision.act, decision.wait.reason), (&None, "Settled"));
    // However long that goes on, and when it tells again it has time from then on.
    let mut case = case.after(&decision);
    case.facts.now_ms += 9_000_000;
    assert_eq!(case.decide().record.health, decision.record.health);
    case.tell(10, 5);
    let told = case.decide();
    assert_eq!(told.act, None);
    assert_eq!(told.record.health.unwrap().completed_since_ms, case.facts.now_ms);
}

#[test]
fn a_look_that_tells_nothing_new_writes_nothing() {
    let case = judged(10, 5);
    assert_eq!(case.decide().record.health, case.record.health);
}

#[test]
fn an_unhealthy_job_is_removed_and_started_again_from_its_newest_checkpoint() {
    let case = judged(100, 6);
    let removed = case.decide();
    assert_eq!((act(&removed).as_str(), removed.wait.reason), ("remove", "RestartUnhealthyJob"));
    assert!(removed.wait.message.contains("restarted 90 times within 2 min"), "{}", removed.wait.message);
    let mut case = case.after(&removed);
    assert_eq!(case.decide().act, removed.act, "after a crash before the removal");
    case.facts.health = None;
    case.facts.job = facts::Job::NotAsked;
    case.facts.cluster = Cluster::Ending;
    let ending = case.decide();
    assert_eq!(ending.act, None);
    let mut case = case.after(&ending);
    case.lose();
    // It was ended from here: that it is gone is neither news nor what the recovery of lost ones is asked about.
    case.options.recover_job_manager = false;
    let again = case.decide();
    assert_eq!(start(&again).restore.as_deref(), Some(CHECKPOINT));
    assert!(tells(&again, "RestartUnhealthyJob") && !tells(&again, "Missing"), "{:?}", again.events);
    assert!(again.record.error.as_ref().is_some_and(|error| error.contains("90 times")), "{:?}", again.record.error);
    assert_eq!(again.record.health, None, "what is started anew is judged anew");
}

#[test]
fn an_unhealthy_job_that_recovers_before_it_can_be_replaced_is_left_alone() {
    let mut case = judged(100, 6);
    case.facts.newest = Newest::Unknown("the disk is gone".to_owned());
    let held = case.decide();
    assert_eq!((&held.act, held.wait.reason), (&None, "RestorePointUnknown"));
    assert!(held.wait.message.contains("the disk is gone"), "{}", held.wait.message);
    assert!(tells(&held, "RestartUnhealthyJob"));
    let mut case = case.after(&held);
    case.facts.now_ms += 5_000;
    case.tell(101, 6);
    let again = case.decide();
    assert_eq!((&again.act, again.events.len()), (&None, 0), "it is told once");
    let mut case = case.after(&again);
    case.facts.now_ms += 9 * WINDOW;
    let recovered = case.decide();
    assert_eq!((&recovered.act, recovered.wait.reason), (&None, "Settled"));
    assert_eq!((recovered.record.error, recovered.record.health.unwrap().unhealthy), (None, None));
}

#[test]
fn a_stateless_job_is_started_again_whatever_is_known_of_its_state() {
    let mut case = judged(100, 6);
    case.set_mode(UpgradeMode::Stateless);
    case.record.last = Some(case.spec.clone());
    case.record.stable = Some(case.spec.clone());
    case.facts.newest = Newest::Unknown("the disk is gone".to_owned());
    assert_eq!(act(&case.decide()), "remove");
}

#[test]
fn flink_39507_the_health_of_a_job_that_has_ended_is_not_judged() {
    for state in [JobState::Finished, JobState::Canceled, JobState::Failed] {
        let mut case = judged(1_000, 5);
        case.health().unhealthy = Some("it restarted too often".to_owned());
        case.see(state);
        let decision = case.decide();
        assert_eq!((&decision.act, &decision.record.health), (&None, &None), "for {}", state.as_str());
    }
}

#[test]
fn nobody_is_judged_who_did_not_ask_for_it() {
    let mut case = judged(1_000, 5);
    case.options.health_check = None;
    case.health().unhealthy = Some("it restarted too often".to_owned());
    let decision = case.decide();
    assert_eq!((&decision.act, &decision.record.health), (&None, &None));
    let session = judged(1_000, 5).decide_session_job();
    assert_eq!((&session.act, &session.record.health), (&None, &None), "a session is not the job's to restart");
}

#[test]
fn a_change_comes_before_the_health_of_what_it_replaces() {
    let mut case = judged(1_000, 5);
    case.change();
    let decision = case.decide();
    assert_eq!(act(&decision), "cancel");
    assert_eq!(decision.record.health, None);
}
