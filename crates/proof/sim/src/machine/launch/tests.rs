//! What the product lays out is read back as it was meant.

use kobel_manifest::launch::JobStart;
use kobel_manifest::session_job::session_job;
use kobel_model::deployment::FlinkVersion;
use kobel_resources::read::Declared;
use serde_json::json;

use super::*;
use crate::machine::tests::fixture::{JOB, declared, deployment, flink, manifest, native, place, session};

const SAVEPOINT: &str = "file:///s/savepoint-0a0b0c-1";
const FOLDER: &str = "/kobel/applications/default/orders";

#[test]
fn a_native_launch_is_read_back() {
    let started = read(&native(JOB, Some(SAVEPOINT)));
    let job = Starting { id: JOB.to_owned(), name: "orders".to_owned(), restore: Some(SAVEPOINT.to_owned()) };
    assert_eq!((started.line, started.job, started.takeover_ms), (FlinkVersion::V2_3, Some(job), None));
    let expected = Settings {
        engine: Engine::Native,
        checkpoints: Some(format!("{FOLDER}/checkpoints")),
        savepoints: Some(format!("{FOLDER}/savepoints")),
        interval_ms: Some(10_000),
        retention: Retention::Always,
        kept: 1,
        restarts: true,
        tasks: 1,
    };
    assert_eq!(*started.settings, expected);
}

#[test]
fn a_launch_of_flink_is_read_back() {
    for job_managers in [1, 2] {
        let started = read(&flink(JOB, Some(SAVEPOINT), job_managers));
        let job = started.job.expect("a job");
        assert_eq!((job.id.as_str(), job.restore.as_deref()), (JOB, Some(SAVEPOINT)));
        assert_eq!(started.line, FlinkVersion::V1_20);
        assert_eq!(started.takeover_ms, (job_managers > 1).then_some(10_000), "{job_managers}");
        let settings = &started.settings;
        assert_eq!(settings.checkpoints, Some(format!("{FOLDER}/checkpoints")));
        assert_eq!((settings.interval_ms, settings.retention), (Some(10_000), Retention::OnCancellation));
        assert!(settings.restarts && settings.tasks == 1 && settings.engine == Engine::Flink);
    }
    assert_eq!(read(&flink(JOB, None, 1)).job.expect("a job").restore, None);
    assert_eq!(read(&session()).job, None);
}

#[test]
fn every_line_is_told_where_its_snapshots_go() {
    for line in [FlinkVersion::V1_17, FlinkVersion::V1_18, FlinkVersion::V1_19, FlinkVersion::V1_20, FlinkVersion::V2_3]
    {
        let mut object = manifest(Some("local:///opt/orders.jar"), &[("state.savepoints.dir", "s3://b/s")], 1);
        object["spec"]["flinkVersion"] = json!(line.as_str());
        let start = JobStart { job_id: JOB, restore: Some(SAVEPOINT) };
        let launch = kobel_manifest::application(&deployment(&object), &start, &place(1, line.as_str()));
        let started = read(&launch);
        assert_eq!(started.line, line);
        assert_eq!(started.settings.checkpoints, Some(format!("{FOLDER}/checkpoints")), "{line}");
        assert_eq!(started.settings.savepoints.as_deref(), Some("s3://b/s"), "{line}");
        let job = started.job.expect("a job");
        assert_eq!((job.id.as_str(), job.restore.as_deref()), (JOB, Some(SAVEPOINT)), "{line}");
    }
}

#[test]
fn what_stands_under_another_key_is_not_understood() {
    let mut launch = native(JOB, Some(SAVEPOINT));
    for file in &mut launch.files {
        file.text = file.text.replace("execution.state-recovery.path", "execution.savepoint.path");
    }
    assert_eq!(read(&launch).job.expect("a job").restore, None);
    let mut launch = flink(JOB, Some(SAVEPOINT), 1);
    for process in &mut launch.processes {
        process.arguments.retain(|argument| argument != "--fromSavepoint");
    }
    assert_eq!(read(&launch).job.expect("a job").restore, None, "the configuration alone is overwritten");
}

#[test]
fn a_session_job_is_told_the_rest_by_its_cluster() {
    let object = json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkSessionJob",
        "metadata": {"name": "report", "namespace": "default"},
        "spec": {
            "deploymentName": "orders",
            "job": {
                "jarURI": "local:///opt/report.jar", "parallelism": 3, "upgradeMode": "savepoint", "entryClass": "R",
            },
        },
    });
    let Declared::SessionJob(job) = declared(&object) else { panic!("it declares no session job") };
    let cluster = deployment(&manifest(None, &[], 1));
    let mut place = place(1, "v1_20");
    place.folder = place.folder.join("jobs").join("report");
    let run = session_job(&job, &cluster.cluster, &JobStart { job_id: JOB, restore: None }, &place);
    assert_eq!(name_of_submitted(&run.configuration).as_deref(), Some("report"));
    let below = read(&session());
    let settings = below.settings.below(&run.configuration, below.line);
    assert_eq!(settings.checkpoints, Some(format!("{FOLDER}/jobs/report/checkpoints")));
    assert_eq!((settings.interval_ms, settings.retention), (Some(10_000), Retention::OnCancellation));
    assert!(settings.restarts && settings.tasks == 3);
}

#[test]
fn quoted_lines_are_read_as_yaml_reads_them() {
    for (line, expected) in [
        ("'$internal.pipeline.job-id': '0a'", Some(("$internal.pipeline.job-id", "0a"))),
        ("a.b: 'it''s # no comment: [x]'", Some(("a.b", "it's # no comment: [x]"))),
        (r#"c: "two\nlines""#, Some(("c", "two\nlines"))),
        ("'with: blank': ''", Some(("with: blank", ""))),
        ("", None),
    ] {
        let read = yaml_line(line);
        let found = read.as_ref().map(|(key, value)| (key.as_str(), value.as_str()));
        assert_eq!(found, expected, "{line}");
    }
}
