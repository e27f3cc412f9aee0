//! Golden launches, and what no launch may show.

mod known_losses;
mod standbys;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use expect_test::{Expect, expect};
use kobel_model::deployment::{
    Amounts, Artifact, ArtifactKind, Cluster, FlinkConfiguration, FlinkVersion, HighAvailability, Identity, Job,
    JobManager, JobState, LogRotation, Mode, Monitoring, Nonces, Scheme, SessionJob, SideCarLimits, TaskManager,
    UpgradeMode,
};

use super::*;
use crate::place::{FlinkHome, Ports, Standbys};
use crate::session_job::{session_job, session_job_of_pods};

const JOB_ID: &str = "0a0b0c0d0e0f00000000000000000001";
const FRESH: JobStart<'_> = JobStart { job_id: JOB_ID, restore: None };
const RESTORED: JobStart<'_> = JobStart { job_id: JOB_ID, restore: Some("file:///s/savepoint-1") };

fn place(artifact: &str) -> Place {
    Place {
        folder: PathBuf::from("/data/my app"),
        ports: Ports { rest: 40001, rpc: 40002, blob: 40003 },
        standbys: Standbys::default(),
        kobel: PathBuf::from("/usr/bin/kobel"),
        artifact: (!artifact.is_empty()).then(|| PathBuf::from(artifact)),
        flink: Some(FlinkHome {
            home: PathBuf::from("/opt/flink"),
            java_home: PathBuf::from("/opt/java"),
            sql_runner: Some(PathBuf::from("/cache/runner.jar")),
            python: Some(PathBuf::from("/venv/bin/python")),
            python_jar: Some(PathBuf::from("/opt/flink/opt/flink-python-2.3.0.jar")),
        }),
    }
}

fn job(kind: ArtifactKind) -> Job {
    Job {
        artifact: Some(Artifact { kind, scheme: Scheme::Local, uri: "local:///opt/program".to_owned() }),
        entry_class: None,
        args: Vec::new(),
        parallelism: 3,
        state: JobState::Running,
        upgrade_mode: UpgradeMode::Stateless,
        allow_non_restored_state: false,
        initial_savepoint_path: None,
        nonces: Nonces::default(),
    }
}

fn amounts(mebibytes: u64) -> Amounts {
    Amounts {
        memory: mebibytes << 20,
        memory_limit: None,
        cpu_millis: 1000,
        cpu_limit_millis: Some(2000),
        others: Vec::new(),
    }
}

fn configuration(values: &[(&str, &str)]) -> FlinkConfiguration {
    let values = values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    FlinkConfiguration::new(values.collect())
}

fn deployment(job: Option<Job>, values: &[(&str, &str)]) -> Deployment {
    let cluster = Cluster {
        flink_version: FlinkVersion::V2_3,
        release_label: None,
        mode: Mode::Native,
        image: None,
        image_pull_policy: None,
        service_account: None,
        execution_role_arn: None,
        ingress: None,
        pod_template: None,
        job_manager: JobManager {
            amounts: amounts(1600),
            replicas: 1,
            pod_template: None,
            node_selector: BTreeMap::new(),
        },
        task_manager: TaskManager {
            amounts: amounts(1728),
            replicas: None,
            slots: 2,
            pod_template: None,
            node_selector: BTreeMap::new(),
        },
        log_configuration: BTreeMap::new(),
        job,
        restart_nonce: None,
        flink_configuration: configuration(values),
        high_availability: HighAvailability::Off,
        monitoring: None,
    };
    let identity = Identity { namespace: "team".to_owned(), name: "flights".to_owned() };
    Deployment { identity, cluster }
}

/// The processes of a launch as text.
fn processes(launch: &Launch) -> String {
    let mut text = format!("REST on {}\n", launch.rest_port);
    for process in &launch.processes {
        let arguments = format!("{:?}", process.arguments).replace(", \"-", ",\n    \"-");
        writeln!(text, "{}: {} {arguments}", process.role, process.program.display()).unwrap();
        let (memory, cpu) = (process.memory.map(|bytes| bytes >> 20), process.cpu_millis);
        writeln!(text, "  in {}, {memory:?} MiB, {cpu:?} m", process.directory.display()).unwrap();
    }
    text
}

/// A launch as text. Java's long options and the files of the log are only named.
fn everything(launch: &Launch) -> String {
    let mut text = processes(launch);
    for file in &launch.files {
        writeln!(text, "file {}", file.path.display()).unwrap();
        let is_log = file.path.to_string_lossy().contains("log");
        for line in file.text.lines().filter(|_| !is_log) {
            let line = if line.starts_with("env.java.opts") { "env.java.opts…" } else { line };
            writeln!(text, "  {}", line.replace("\",\"", "\",\n   \"")).unwrap();
        }
    }
    text
}

fn check(shown: &str, expected: Expect) {
    expected.assert_eq(shown);
}

#[test]
fn a_script_of_sql_runs_in_one_process_of_ours() {
    let values = [("state.checkpoints.dir", "s3://b/c"), ("kubernetes.operator.job.restart.failed", "true")];
    let mut job = job(ArtifactKind::Sql);
    job.upgrade_mode = UpgradeMode::LastState;
    let launch = application(&deployment(Some(job), &values), &RESTORED, &place("/a/flights.sql"));
    check(
        &everything(&launch),
        expect![[r#"
        REST on 40001
        application: /usr/bin/kobel ["runtime",
            "--script", "/a/flights.sql",
            "--configuration", "/data/my app/config.json"]
          in /data/my app, Some(5056) MiB, Some(6000) m
        file config.json
          {"$internal.pipeline.job-id":"0a0b0c0d0e0f00000000000000000001",
           "env.log.dir":"/data/my app/log",
           "execution.checkpointing.dir":"s3://b/c",
           "execution.checkpointing.interval":"5 min",
           "execution.checkpointing.savepoint-dir":"file:///data/my app/savepoints",
           "execution.shutdown-on-application-finish":"false",
           "execution.state-recovery.ignore-unclaimed-state":"false",
           "execution.state-recovery.path":"file:///s/savepoint-1",
           "kobel.data-dir":"/data/my app",
           "kobel.engine":"native",
           "parallelism.default":"3",
           "pipeline.name":"flights",
           "rest.address":"127.0.0.1",
           "rest.bind-address":"127.0.0.1",
           "rest.bind-port":"40001",
           "rest.port":"40001",
           "restart-strategy.type":"exponential-delay",
           "taskmanager.numberOfTaskSlots":"2"}
    "#]],
    );
}

#[test]
fn a_jar_runs_in_application_mode() {
    let values = [("high-availability.type", "kubernetes"), ("high-availability.storageDir", "s3://b/ha")];
    let mut job = job(ArtifactKind::Jar);
    job.entry_class = Some("com.example.Main".to_owned());
    job.args = vec!["--host".to_owned(), "two words".to_owned()];
    job.upgrade_mode = UpgradeMode::Savepoint;
    job.allow_non_restored_state = true;
    let launch = application(&deployment(Some(job), &values), &RESTORED, &place("/a/my program.jar"));
    check(
        &everything(&launch),
        expect![[r#"
        REST on 40001
        jobmanager: bash ["/opt/flink/bin/standalone-job.sh", "start-foreground",
            "--fromSavepoint", "file:///s/savepoint-1",
            "--allowNonRestoredState",
            "--jars", "local:///a/my%20program.jar",
            "--job-classname", "com.example.Main",
            "--",
            "--host", "two words"]
          in /data/my app, Some(1600) MiB, Some(2000) m
        taskmanager-1: bash ["/opt/flink/bin/taskmanager.sh", "start-foreground",
            "-D", "taskmanager.resource-id=taskmanager-1",
            "-D", "taskmanager.log.path=log/taskmanager-1.log"]
          in /data/my app, Some(1728) MiB, Some(2000) m
        taskmanager-2: bash ["/opt/flink/bin/taskmanager.sh", "start-foreground",
            "-D", "taskmanager.resource-id=taskmanager-2",
            "-D", "taskmanager.log.path=log/taskmanager-2.log"]
          in /data/my app, Some(1728) MiB, Some(2000) m
        file conf/config.yaml
          '$internal.pipeline.job-id': '0a0b0c0d0e0f00000000000000000001'
          blob.server.port: '40003'
          env.java.opts…
          execution.checkpointing.dir: 'file:///data/my app/checkpoints'
          execution.checkpointing.externalized-checkpoint-retention: 'RETAIN_ON_CANCELLATION'
          execution.checkpointing.savepoint-dir: 'file:///data/my app/savepoints'
          execution.shutdown-on-application-finish: 'false'
          execution.state-recovery.ignore-unclaimed-state: 'true'
          execution.state-recovery.path: 'file:///s/savepoint-1'
          execution.submit-failed-job-on-application-error: 'true'
          heartbeat.interval: '2 s'
          io.tmp.dirs: '/data/my app/tmp'
          jobmanager.bind-host: '127.0.0.1'
          jobmanager.memory.process.size: '1600 mb'
          jobmanager.rpc.address: '127.0.0.1'
          jobmanager.rpc.port: '40002'
          parallelism.default: '3'
          pipeline.name: 'flights'
          python.client.executable: '/venv/bin/python'
          python.executable: '/venv/bin/python'
          rest.address: '127.0.0.1'
          rest.bind-address: '127.0.0.1'
          rest.bind-port: '40001'
          rest.port: '40001'
          taskmanager.bind-host: '127.0.0.1'
          taskmanager.host: '127.0.0.1'
          taskmanager.memory.process.size: '1728 mb'
          taskmanager.numberOfTaskSlots: '2'
          web.cancel.enable: 'false'
          web.refresh-interval: '1000'
          web.tmpdir: '/data/my app/tmp'
        file conf/log4j-console.properties
    "#]],
    );
}

#[test]
fn a_script_of_python_runs_by_the_driver_of_pyflink() {
    let mut job = job(ArtifactKind::Python);
    job.args = vec!["--input".to_owned(), "x".to_owned()];
    let launch = application(&deployment(Some(job), &[]), &FRESH, &place("/a/flights.py"));
    check(
        &processes(&launch),
        expect![[r#"
        REST on 40001
        jobmanager: bash ["/opt/flink/bin/standalone-job.sh", "start-foreground",
            "--job-classname", "org.apache.flink.client.python.PythonDriver",
            "--",
            "-py", "/a/flights.py",
            "--input", "x"]
          in /data/my app, Some(1600) MiB, Some(2000) m
        taskmanager-1: bash ["/opt/flink/bin/taskmanager.sh", "start-foreground",
            "-D", "taskmanager.resource-id=taskmanager-1",
            "-D", "taskmanager.log.path=log/taskmanager-1.log"]
          in /data/my app, Some(1728) MiB, Some(2000) m
        taskmanager-2: bash ["/opt/flink/bin/taskmanager.sh", "start-foreground",
            "-D", "taskmanager.resource-id=taskmanager-2",
            "-D", "taskmanager.log.path=log/taskmanager-2.log"]
          in /data/my app, Some(1728) MiB, Some(2000) m
    "#]],
    );
}

#[test]
fn a_script_of_sql_runs_on_flink_if_it_shall() {
    let values = [("kobel.engine", "flink")];
    let mut deployment = deployment(Some(job(ArtifactKind::Sql)), &values);
    deployment.cluster.task_manager.replicas = Some(1);
    let launch = application(&deployment, &FRESH, &place("/a/flights.sql"));
    check(
        &processes(&launch),
        expect![[r#"
        REST on 40001
        jobmanager: bash ["/opt/flink/bin/standalone-job.sh", "start-foreground",
            "--jars", "local:///cache/runner.jar",
            "--job-classname", "SqlRunner",
            "--", "/a/flights.sql"]
          in /data/my app, Some(1600) MiB, Some(2000) m
        taskmanager-1: bash ["/opt/flink/bin/taskmanager.sh", "start-foreground",
            "-D", "taskmanager.resource-id=taskmanager-1",
            "-D", "taskmanager.log.path=log/taskmanager-1.log"]
          in /data/my app, Some(1728) MiB, Some(2000) m
    "#]],
    );
}

#[test]
fn a_session_cluster_waits_for_jobs() {
    check(
        &everything(&session(&deployment(None, &[]), &place(""))),
        expect![[r#"
        REST on 40001
        jobmanager: bash ["/opt/flink/bin/jobmanager.sh", "start-foreground"]
          in /data/my app, Some(1600) MiB, Some(2000) m
        taskmanager-1: bash ["/opt/flink/bin/taskmanager.sh", "start-foreground",
            "-D", "taskmanager.resource-id=taskmanager-1",
            "-D", "taskmanager.log.path=log/taskmanager-1.log"]
          in /data/my app, Some(1728) MiB, Some(2000) m
        file conf/config.yaml
          blob.server.port: '40003'
          env.java.opts…
          execution.checkpointing.dir: 'file:///data/my app/checkpoints'
          execution.checkpointing.savepoint-dir: 'file:///data/my app/savepoints'
          heartbeat.interval: '2 s'
          io.tmp.dirs: '/data/my app/tmp'
          jobmanager.bind-host: '127.0.0.1'
          jobmanager.memory.process.size: '1600 mb'
          jobmanager.rpc.address: '127.0.0.1'
          jobmanager.rpc.port: '40002'
          python.client.executable: '/venv/bin/python'
          python.executable: '/venv/bin/python'
          rest.address: '127.0.0.1'
          rest.bind-address: '127.0.0.1'
          rest.bind-port: '40001'
          rest.port: '40001'
          taskmanager.bind-host: '127.0.0.1'
          taskmanager.host: '127.0.0.1'
          taskmanager.memory.process.size: '1728 mb'
          taskmanager.numberOfTaskSlots: '2'
          web.cancel.enable: 'false'
          web.refresh-interval: '1000'
          web.tmpdir: '/data/my app/tmp'
        file conf/log4j-console.properties
    "#]],
    );
}

#[test]
fn a_session_job_is_a_run_of_a_jar() {
    let session_cluster = deployment(None, &[("state.savepoints.dir", "s3://b/s")]).cluster;
    let mut declared = SessionJob {
        identity: Identity { namespace: "team".to_owned(), name: "report".to_owned() },
        deployment_name: "flights".to_owned(),
        job: job(ArtifactKind::Jar),
        restart_nonce: None,
        flink_configuration: configuration(&[
            ("s3.secret-key", "hunter2"),
            ("rest.port", "1"),
            ("execution.savepoint-restore-mode", "CLAIM"),
        ]),
    };
    declared.job.upgrade_mode = UpgradeMode::Savepoint;
    let run = session_job(&declared, &session_cluster, &RESTORED, &place("/a/report.jar"));
    expect![[r#"
        JarRun {
            jar: Some(
                "/a/report.jar",
            ),
            entry_class: None,
            arguments: 0,
            parallelism: 3,
            job_id: "0a0b0c0d0e0f00000000000000000001",
            allow_non_restored_state: false,
            savepoint_path: Some(
                "file:///s/savepoint-1",
            ),
            claim_mode: Some(
                "CLAIM",
            ),
            configuration: {
                "execution.checkpointing.dir": "file:///data/my app/checkpoints",
                "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
                "execution.checkpointing.savepoint-dir": "s3://b/s",
                "execution.state-recovery.claim-mode": "CLAIM",
                "execution.state-recovery.ignore-unclaimed-state": "false",
                "parallelism.default": "3",
                "pipeline.name": "report",
                "s3.secret-key": "******",
            },
        }
    "#]]
    .assert_debug_eq(&run);
    assert_eq!(run.configuration.get("s3.secret-key").map(String::as_str), Some("hunter2"));

    declared.job.artifact = job(ArtifactKind::Python).artifact;
    let run = session_job(&declared, &session_cluster, &FRESH, &place("/a/report.py"));
    assert_eq!(run.jar, Some(PathBuf::from("/opt/flink/opt/flink-python-2.3.0.jar")));
    assert_eq!((run.arguments, run.claim_mode), (vec!["-py".to_owned(), "/a/report.py".to_owned()], None));
}

#[test]
fn a_session_job_of_pods_writes_where_it_or_its_cluster_says_and_nowhere_else() {
    let cluster = deployment(None, &[("state.savepoints.dir", "s3://b/s")]);
    let mut declared = SessionJob {
        identity: Identity { namespace: "team".to_owned(), name: "report".to_owned() },
        deployment_name: "flights".to_owned(),
        job: job(ArtifactKind::Jar),
        restart_nonce: None,
        flink_configuration: configuration(&[]),
    };
    declared.job.entry_class = Some("com.example.Report".to_owned());
    declared.job.args = vec!["--all".to_owned()];
    let defaults = [
        ("execution.checkpointing.savepoint-dir", "s3://default/s"),
        ("execution.checkpointing.externalized-checkpoint-retention", "DELETE_ON_CANCELLATION"),
    ];
    let defaults = defaults.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let below = kubernetes::configuration::declared(&cluster, &defaults);
    let line = cluster.cluster.flink_version;
    let run = session_job_of_pods(&declared, (line, &below), &RESTORED, PathBuf::from("/tmp/a.jar"));
    assert_eq!((run.jar, run.entry_class.as_deref()), (Some(PathBuf::from("/tmp/a.jar")), Some("com.example.Report")));
    assert_eq!((run.arguments, run.savepoint_path.as_deref()), (vec!["--all".to_owned()], RESTORED.restore));
    let expected = [
        ("execution.checkpointing.savepoint-dir", "s3://b/s"),
        ("execution.state-recovery.ignore-unclaimed-state", "false"),
        ("parallelism.default", "3"),
        ("pipeline.name", "report"),
    ];
    let found: Vec<(&str, &str)> =
        run.configuration.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn everything_of_a_distribution_is_named_in_the_environment() {
    let launch = application(
        &deployment(Some(job(ArtifactKind::Jar)), &[("env.log.level", "DEBUG")]),
        &FRESH,
        &place("/a/b.jar"),
    );
    let shown: Vec<String> =
        launch.processes[1].environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        shown,
        [
            "FLINK_CONF_DIR=/data/my app/conf",
            "FLINK_HOME=/opt/flink",
            "FLINK_LIB_DIR=/opt/flink/lib",
            "FLINK_LOG_DIR=/data/my app/log",
            "FLINK_OPT_DIR=/opt/flink/opt",
            "FLINK_PID_DIR=/data/my app/pid/taskmanager-1",
            "FLINK_PLUGINS_DIR=/opt/flink/plugins",
            "JAVA_HOME=/opt/java",
            "FLINK_IDENT_STRING=taskmanager-1",
            "HOSTNAME=local",
            "ROOT_LOG_LEVEL=DEBUG",
            "KOBEL_LOG_FILE=log/taskmanager-1.log",
        ]
    );
}

#[test]
fn secrets_stand_in_files_alone() {
    let values = [
        ("s3.secret-key", "hunter2"),
        ("containerized.master.env.TOKEN", "hunter2"),
        ("security.ssl.internal.key-password", "hunter2"),
        ("execution.checkpointing.interval", "1 min"),
    ];
    let kinds = [Some(ArtifactKind::Sql), Some(ArtifactKind::Jar), Some(ArtifactKind::Python), None];
    for kind in kinds {
        let deployment = deployment(kind.map(job), &values);
        let launch = match kind {
            Some(_) => application(&deployment, &RESTORED, &place("/a/b")),
            None => session(&deployment, &place("")),
        };
        assert!(launch.files.iter().any(|file| file.text.contains("hunter2")), "for {kind:?}");
        let printed = format!("{launch:?}");
        assert!(!printed.contains("hunter2"), "for {kind:?}: {printed}");
    }
}

#[test]
fn the_engine_follows_the_program_and_the_key() {
    for (kind, key, expected) in [
        (Some(ArtifactKind::Sql), None, Engine::Native),
        (Some(ArtifactKind::Sql), Some("flink"), Engine::Flink),
        (Some(ArtifactKind::Sql), Some(" FLINK "), Engine::Flink),
        (Some(ArtifactKind::Sql), Some("native"), Engine::Native),
        (Some(ArtifactKind::Jar), Some("native"), Engine::Flink),
        (Some(ArtifactKind::Python), None, Engine::Flink),
        (None, Some("native"), Engine::Flink),
    ] {
        let values: Vec<(&str, &str)> = key.map(|value| ("kobel.engine", value)).into_iter().collect();
        assert_eq!(engine(&deployment(kind.map(job), &values).cluster), expected, "for {kind:?}, {key:?}");
    }
}

#[test]
fn an_old_line_finds_the_jar_on_the_class_path_and_its_options_in_old_spellings() {
    let mut deployment =
        deployment(Some(job(ArtifactKind::Sql)), &[("kobel.engine", "flink"), ("env.java.opts", "-Da=b")]);
    deployment.cluster.flink_version = FlinkVersion::V1_16;
    let launch = application(&deployment, &RESTORED, &place("/a/b.sql"));
    let manager = &launch.processes[0];
    assert!(!manager.arguments.contains(&"--jars".to_owned()), "{:?}", manager.arguments);
    for process in &launch.processes {
        assert!(process.environment.contains(&("HADOOP_CLASSPATH".to_owned(), "/cache/runner.jar".to_owned())));
    }
    let file = &launch.files[0];
    assert_eq!(file.path, PathBuf::from("conf-flat/flink-conf.yaml"));
    assert!(file.text.contains("execution.savepoint.path: file:///s/savepoint-1\n"), "{}", file.text);
    assert!(file.text.lines().any(|line| line.starts_with("env.java.opts: --add") && line.ends_with(" -Da=b")));
}

#[test]
fn high_availability_stays_where_its_store_can_be_reached() {
    let kept = "high-availability.cluster-id: 'team-flights-0a0b0c0d0e0f00000000000000000001'";
    for (key, kind, is_kept) in [
        ("high-availability.type", "kubernetes", false),
        ("high-availability", "org.apache.flink.kubernetes.highavailability.KubernetesHaServicesFactory", false),
        ("high-availability.type", "ZooKeeper", true),
        ("high-availability", "com.example.Factory", true),
    ] {
        let deployment =
            deployment(Some(job(ArtifactKind::Jar)), &[(key, kind), ("high-availability.storageDir", "/s")]);
        let launch = application(&deployment, &FRESH, &place("/a/b.jar"));
        let text = &launch.files[0].text;
        assert_eq!(text.contains(kept), is_kept, "for {kind}: {text}");
        assert_eq!(text.contains("high-availability"), is_kept, "for {kind}: {text}");
    }
}

#[test]
fn the_log_configuration_of_the_spec_stands_in_place_of_ours() {
    let mut deployment = deployment(Some(job(ArtifactKind::Jar)), &[("env.log.max", "3")]);
    let log4j = |deployment: &Deployment| {
        let launch = application(deployment, &FRESH, &place("/a/b.jar"));
        let file = launch.files.iter().find(|file| file.path.ends_with("log4j-console.properties")).cloned();
        let has_file = launch.processes[1].environment.iter().any(|(name, _)| name == "KOBEL_LOG_FILE");
        (file.unwrap().text, has_file)
    };
    let (text, has_file) = log4j(&deployment);
    assert!(has_file && text.contains("strategy.max = 3\n") && text.contains("size.size = 104857600\n"), "{text}");
    deployment.cluster.monitoring = Some(Monitoring {
        image: None,
        s3: None,
        cloud_watch: None,
        side_car: SideCarLimits::default(),
        rotation: LogRotation { size: 4096, files: 7 },
    });
    let (text, _) = log4j(&deployment);
    assert!(text.contains("strategy.max = 7\n") && text.contains("size.size = 4096\n"), "{text}");
    let own = [("log4j-console.properties".to_owned(), "rootLogger.level = OFF".to_owned())];
    deployment.cluster.log_configuration = own.into();
    assert_eq!(log4j(&deployment), ("rootLogger.level = OFF".to_owned(), false));
}
