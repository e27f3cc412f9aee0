//! What the Apache operator is known to lose or to leave behind because of how it configures Flink; one test for each
//! reference.

use super::*;

const OTHER: JobStart<'_> = JobStart { job_id: "0a0b0c0d0e0f00000000000000000002", restore: None };
const ZOOKEEPER: [(&str, &str); 3] = [
    ("high-availability.type", "zookeeper"),
    ("high-availability.storageDir", "s3://b/ha"),
    ("job-result-store.storage-path", "s3://b/results"),
];

/// A deployment that runs a jar on `line`.
fn of_line(line: FlinkVersion, values: &[(&str, &str)]) -> Deployment {
    let mut job = job(ArtifactKind::Jar);
    job.upgrade_mode = UpgradeMode::LastState;
    let mut deployment = deployment(Some(job), values);
    deployment.cluster.flink_version = line;
    deployment
}

/// The lines of the configuration that say where results go and who removes them.
fn result_stores(launch: &Launch) -> Vec<&str> {
    launch.files[0].text.lines().filter(|line| line.contains("result-store")).collect()
}

#[test]
fn flink_27569_results_of_ended_jobs_lie_where_the_next_launch_clears_away() {
    let deployment = of_line(FlinkVersion::V2_3, &ZOOKEEPER);
    for start in [FRESH, OTHER] {
        let launch = application(&deployment, &start, &place("/a/b.jar"));
        assert_eq!(
            result_stores(&launch),
            [
                "application-result-store.delete-on-commit: 'false'",
                "application-result-store.storage-path: 'file:///data/my app/tmp/application-results'",
                "job-result-store.delete-on-commit: 'false'",
                "job-result-store.storage-path: 'file:///data/my app/tmp/job-results'",
            ]
        );
    }
    let launch = application(&of_line(FlinkVersion::V2_3, &[]), &FRESH, &place("/a/b.jar"));
    assert!(result_stores(&launch).is_empty(), "without high availability they are never written");
}

#[test]
fn flink_27573_a_session_cluster_removes_the_results_of_its_jobs_by_itself() {
    let launch = session(&deployment(None, &ZOOKEEPER), &place(""));
    assert_eq!(
        result_stores(&launch),
        [
            "application-result-store.delete-on-commit: 'true'",
            "application-result-store.storage-path: 'file:///data/my app/application-results'",
            "job-result-store.delete-on-commit: 'true'",
            "job-result-store.storage-path: 'file:///data/my app/job-results'",
        ]
    );
}

#[test]
fn flink_37571_the_last_state_is_found_by_the_id_of_the_job_on_every_line() {
    for (line, key) in [
        (FlinkVersion::V1_19, "state.checkpoints.dir"),
        (FlinkVersion::V1_20, "execution.checkpointing.dir"),
        (FlinkVersion::V2_0, "execution.checkpointing.dir"),
        (FlinkVersion::V2_3, "execution.checkpointing.dir"),
    ] {
        for values in [&[][..], &ZOOKEEPER[..]] {
            let launch = application(&of_line(line, values), &FRESH, &place("/a/b.jar"));
            let text = &launch.files[0].text;
            for expected in [
                format!("'$internal.pipeline.job-id': '{JOB_ID}'\n"),
                format!("{key}: 'file:///data/my app/checkpoints'\n"),
                "execution.checkpointing.externalized-checkpoint-retention: 'RETAIN_ON_CANCELLATION'\n".to_owned(),
            ] {
                assert!(text.contains(&expected), "{expected} is not said to {line}: {text}");
            }
        }
    }
}

#[test]
fn defect_seen_checkpoints_of_a_job_without_state_outlive_it_since_its_mode_may_change() {
    let mut deployment = of_line(FlinkVersion::V1_20, &[]);
    deployment.cluster.job.as_mut().expect("a job").upgrade_mode = UpgradeMode::Stateless;
    let launch = application(&deployment, &FRESH, &place("/a/b.jar"));
    let text = &launch.files[0].text;
    assert!(text.contains("externalized-checkpoint-retention: 'RETAIN_ON_CANCELLATION'"), "{text}");
}

#[test]
fn flink_38795_a_start_says_from_where_with_and_without_high_availability() {
    for line in [FlinkVersion::V1_20, FlinkVersion::V2_0, FlinkVersion::V2_1, FlinkVersion::V2_2, FlinkVersion::V2_3] {
        for values in [&[][..], &ZOOKEEPER[..]] {
            let launch = application(&of_line(line, values), &RESTORED, &place("/a/b.jar"));
            let arguments = &launch.processes[0].arguments;
            let place = arguments.iter().position(|argument| argument == "--fromSavepoint");
            let path = place.and_then(|place| arguments.get(place + 1));
            assert_eq!(path.map(String::as_str), RESTORED.restore, "on {line}: {arguments:?}");
        }
    }
}
