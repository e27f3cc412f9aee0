//! Each option: its key, its default, and values that cannot be read.

use super::*;

fn read(pairs: &[(&str, &str)]) -> Options {
    let values = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Options::read(&FlinkConfiguration::new(values))
}

fn of_operator(key: &str, value: &str) -> Options {
    let key = format!("{PREFIX}{key}");
    read(&[(key.as_str(), value)])
}

#[test]
fn defaults_are_those_of_the_reference() {
    let expected = Options {
        reconcile_interval: Duration::from_secs(15),
        savepoint_format: SavepointFormat::Canonical,
        drain_on_stop: false,
        savepoint_on_deletion: false,
        restart_failed: false,
        health_check: None,
        recover_job_manager: true,
        is_rollback_on: false,
        readiness_timeout: Duration::from_secs(300),
        last_state_fallback: true,
        checkpoint_age_max: None,
        shutdown_ttl: Duration::from_secs(86_400),
        ignore_pending_savepoint: false,
        block_on_session_jobs: true,
        block_on_unmanaged_jobs: true,
        periodic_savepoint: None,
        periodic_checkpoint: None,
        savepoint_history_max_count: 10,
        savepoint_history_max_age: Duration::from_secs(86_400),
        is_cleanup_on: true,
        trigger_grace: Duration::from_secs(60),
        checkpointing_timeout: Duration::from_secs(600),
        snapshot_resources: false,
        dispose_on_delete: false,
    };
    assert_eq!(Options::default(), expected);
}

#[test]
fn each_switch_has_its_key() {
    type Get = fn(&Options) -> bool;
    let switches: [(&str, Get); 12] = [
        ("job.drain-on-savepoint-deletion", |options| options.drain_on_stop),
        ("job.savepoint-on-deletion", |options| options.savepoint_on_deletion),
        ("job.restart.failed", |options| options.restart_failed),
        ("jm-deployment-recovery.enabled", |options| options.recover_job_manager),
        ("deployment.rollback.enabled", |options| options.is_rollback_on),
        ("job.upgrade.last-state-fallback.enabled", |options| options.last_state_fallback),
        ("job.upgrade.ignore-pending-savepoint", |options| options.ignore_pending_savepoint),
        ("session.deletion.block-on-session-jobs", |options| options.block_on_session_jobs),
        ("session.deletion.block-on-unmanaged-jobs", |options| options.block_on_unmanaged_jobs),
        ("savepoint.cleanup.enabled", |options| options.is_cleanup_on),
        ("snapshot.resource.enabled", |options| options.snapshot_resources),
        ("savepoint.dispose-on-delete", |options| options.dispose_on_delete),
    ];
    for (key, get) in switches {
        assert!(get(&of_operator(key, "TRUE")), "for `{key}`");
        assert!(!get(&of_operator(key, " false ")), "for `{key}`");
        for unreadable in ["", "yes"] {
            assert_eq!(get(&of_operator(key, unreadable)), get(&Options::default()), "for `{key}`");
        }
    }
}

#[test]
fn each_duration_has_its_key() {
    type Get = fn(&Options) -> Option<Duration>;
    let durations: [(&str, Get); 7] = [
        ("reconcile.interval", |options| Some(options.reconcile_interval)),
        ("reconciler.reschedule.interval", |options| Some(options.reconcile_interval)),
        ("deployment.readiness.timeout", |options| Some(options.readiness_timeout)),
        ("job.upgrade.last-state.max.allowed.checkpoint.age", |options| options.checkpoint_age_max),
        ("jm-deployment.shutdown-ttl", |options| Some(options.shutdown_ttl)),
        ("savepoint.history.max.age", |options| Some(options.savepoint_history_max_age)),
        ("savepoint.trigger.grace-period", |options| Some(options.trigger_grace)),
    ];
    for (key, get) in durations {
        assert_eq!(get(&of_operator(key, "7 s")), Some(Duration::from_secs(7)), "for `{key}`");
        assert_eq!(get(&of_operator(key, "soon")), get(&Options::default()), "for `{key}`");
    }
}

#[test]
fn the_health_check_is_off_unless_it_is_asked_for_and_each_part_has_its_key() {
    const CHECK: &str = "kubernetes.operator.cluster.health-check.";
    let of = |pairs: &[(&str, &str)]| {
        let keys: Vec<_> = pairs.iter().map(|(key, value)| (format!("{CHECK}{key}"), *value)).collect();
        let mut all: Vec<_> = keys.iter().map(|(key, value)| (key.as_str(), *value)).collect();
        let on = format!("{CHECK}enabled");
        all.push((on.as_str(), "true"));
        read(&all).health_check.unwrap()
    };
    let default =
        HealthCheck { restarts_window: Duration::from_secs(120), restarts_threshold: 64, checkpoint_window: None };
    assert_eq!(Options::default().health_check, None);
    assert_eq!(of(&[]), default);
    assert_eq!(of(&[("restarts.window", "7 s")]).restarts_window, Duration::from_secs(7));
    for (value, expected) in [("3", 3), ("-1", 64), ("many", 64)] {
        assert_eq!(of(&[("restarts.threshold", value)]).restarts_threshold, expected, "for `{value}`");
    }
}

#[test]
fn a_checkpoint_must_be_completed_in_the_time_that_those_that_may_fail_can_take() {
    const ON: (&str, &str) = ("kubernetes.operator.cluster.health-check.enabled", "true");
    const WINDOW: &str = "kubernetes.operator.cluster.health-check.checkpoint-progress.window";
    const PROGRESS: &str = "kubernetes.operator.cluster.health-check.checkpoint-progress.enabled";
    const INTERVAL: &str = "execution.checkpointing.interval";
    const TIMEOUT: &str = "execution.checkpointing.timeout";
    const TOLERABLE: &str = "execution.checkpointing.tolerable-failed-checkpoints";
    // What is set besides that jobs are judged, and the window in seconds.
    type Case = (&'static [(&'static str, &'static str)], Option<u64>);
    let cases: [Case; 10] = [
        (&[], None),
        (&[(INTERVAL, "10 s")], Some(1_200)),
        (&[(INTERVAL, "10 s"), (TIMEOUT, "5 s")], Some(20)),
        (&[(INTERVAL, "10 s"), (TIMEOUT, "30 s"), (TOLERABLE, "3")], Some(150)),
        (&[(INTERVAL, "10 s"), (TIMEOUT, "5 s"), (WINDOW, "1 min")], Some(60)),
        (&[(INTERVAL, "10 s"), (TIMEOUT, "5 s"), (WINDOW, "19 s")], Some(20)),
        (&[(WINDOW, "1 min")], Some(1_200)),
        // No checkpoint is late that is not due yet.
        (&[(INTERVAL, "10 s"), ("execution.checkpointing.min-pause", "1 h")], Some(7_200)),
        (&[(INTERVAL, "10 s"), ("execution.checkpointing.interval-during-backlog", "0")], None),
        (&[(INTERVAL, "10 s"), (WINDOW, "1 min"), (PROGRESS, "false")], None),
    ];
    for (pairs, seconds) in cases {
        let all: Vec<_> = pairs.iter().copied().chain([ON]).collect();
        let check = read(&all).health_check.unwrap();
        assert_eq!(check.checkpoint_window, seconds.map(Duration::from_secs), "for {pairs:?}");
    }
}

#[test]
fn a_resource_is_never_looked_at_without_pause() {
    assert_eq!(of_operator("reconcile.interval", "0").reconcile_interval, RECONCILE_INTERVAL_MIN);
}

#[test]
fn the_timeout_of_checkpoints_is_that_of_flink() {
    let key = "execution.checkpointing.timeout";
    for (value, expected) in [("90 s", 90), ("1 ms", 600), ("never", 600)] {
        assert_eq!(read(&[(key, value)]).checkpointing_timeout, Duration::from_secs(expected), "for `{value}`");
    }
}

#[test]
fn formats_and_counts_are_read_in_every_spelling() {
    for (value, expected) in [
        ("native", SavepointFormat::Native),
        ("CANONICAL", SavepointFormat::Canonical),
        ("other", SavepointFormat::Canonical),
    ] {
        assert_eq!(of_operator("savepoint.format.type", value).savepoint_format, expected, "for `{value}`");
    }
    for (value, expected) in [("3", 3), ("0", 10), ("-1", 10), ("many", 10)] {
        let count = of_operator("savepoint.history.max.count", value).savepoint_history_max_count;
        assert_eq!(count, expected, "for `{value}`");
    }
}

#[test]
fn each_schedule_has_its_key_and_can_be_off() {
    type Get = fn(&Options) -> Option<&Schedule>;
    let schedules: [(&str, Get); 2] = [
        ("periodic.savepoint.interval", |options| options.periodic_savepoint.as_ref()),
        ("periodic.checkpoint.interval", |options| options.periodic_checkpoint.as_ref()),
    ];
    for (key, get) in schedules {
        assert_eq!(get(&of_operator(key, "1 h")), Some(&Schedule::Every(Duration::from_secs(3600))), "for `{key}`");
        let daily = of_operator(key, "0 0 3 * * ?");
        assert_eq!(get(&daily).and_then(|schedule| schedule.next_after(0)), Some(3 * 3_600_000), "for `{key}`");
        for off in ["0", "0 s", "", "a b c d e f"] {
            assert_eq!(get(&of_operator(key, off)), None, "for `{key}: {off}`");
        }
    }
}
