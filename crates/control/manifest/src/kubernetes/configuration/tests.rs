//! What a start is configured with; and a small builder for the tests of the objects that are made of it.

use std::collections::BTreeMap;

use expect_test::expect;
use kobel_model::deployment::{
    Amounts, Artifact, ArtifactKind, Cluster, Deployment, FlinkConfiguration, FlinkVersion, HighAvailability, Identity,
    Job, JobManager, JobState, Mode, Nonces, Scheme, TaskManager, UpgradeMode,
};

use super::*;
use crate::kubernetes::LAST_STATE;
use crate::kubernetes::configuration::program::Program;

/// The key of the class that a job manager of native mode is.
const ENTRY_POINT: &str = "kubernetes.internal.jobmanager.entrypoint.class";

/// A start that can be changed before it is looked at.
pub(in crate::kubernetes) struct Case {
    pub(in crate::kubernetes) deployment: Deployment,
    pub(in crate::kubernetes) defaults: BTreeMap<String, String>,
    pub(in crate::kubernetes) restore: Option<&'static str>,
}

impl Case {
    /// A job in native mode, on Flink 1.20, without high availability.
    pub(in crate::kubernetes) fn application() -> Self {
        let mut case = Self::session();
        case.deployment.cluster.job = Some(Job {
            artifact: artifact(ArtifactKind::Jar, Scheme::Local, "local:///opt/flink/usrlib/flights.jar"),
            entry_class: None,
            args: Vec::new(),
            parallelism: 3,
            state: JobState::Running,
            upgrade_mode: UpgradeMode::Stateless,
            allow_non_restored_state: false,
            initial_savepoint_path: None,
            nonces: Nonces::default(),
        });
        case
    }

    /// A session cluster in native mode, on Flink 1.20, without high availability.
    pub(in crate::kubernetes) fn session() -> Self {
        let cluster = Cluster {
            flink_version: FlinkVersion::V1_20,
            release_label: None,
            mode: Mode::Native,
            image: Some("flink:1.20".to_owned()),
            image_pull_policy: None,
            service_account: Some("flink".to_owned()),
            execution_role_arn: None,
            ingress: None,
            pod_template: None,
            job_manager: JobManager {
                amounts: amounts(),
                replicas: 1,
                pod_template: None,
                node_selector: BTreeMap::new(),
            },
            task_manager: TaskManager {
                amounts: amounts(),
                replicas: None,
                slots: 2,
                pod_template: None,
                node_selector: BTreeMap::new(),
            },
            log_configuration: BTreeMap::new(),
            job: None,
            restart_nonce: None,
            flink_configuration: FlinkConfiguration::default(),
            high_availability: HighAvailability::Off,
            monitoring: None,
        };
        let identity = Identity { namespace: "team".to_owned(), name: "flights".to_owned() };
        Self { deployment: Deployment { identity, cluster }, defaults: BTreeMap::new(), restore: None }
    }

    /// The same with these values in the resource.
    pub(in crate::kubernetes) fn set(mut self, values: &[(&str, &str)]) -> Self {
        self.deployment.cluster.flink_configuration = FlinkConfiguration::new(texts(values));
        self
    }

    /// The same with these values of the operator.
    pub(in crate::kubernetes) fn by_default(mut self, values: &[(&str, &str)]) -> Self {
        self.defaults = texts(values);
        self
    }

    /// The same after a change of the cluster.
    pub(in crate::kubernetes) fn with(mut self, change: impl FnOnce(&mut Cluster)) -> Self {
        change(&mut self.deployment.cluster);
        self
    }

    /// The same after a change of the job.
    pub(in crate::kubernetes) fn with_job(self, change: impl FnOnce(&mut Job)) -> Self {
        self.with(|cluster| change(cluster.job.as_mut().unwrap()))
    }

    /// The same with high availability, as EMR asks for it.
    pub(in crate::kubernetes) fn available(self) -> Self {
        let storage_dir = Some("s3://bucket/ha/".to_owned());
        self.with(|cluster| cluster.high_availability = HighAvailability::On { storage_dir })
    }

    pub(in crate::kubernetes) fn start(&self) -> Start<'_> {
        let job = JobStart { job_id: "0a0b0c0d0e0f00000000000000000001", restore: self.restore };
        Start {
            deployment: &self.deployment,
            job: self.deployment.cluster.job.is_some().then_some(job),
            generation: 7,
            uid: "u-1",
            defaults: &self.defaults,
            fresh: "00000000000000000000000000000002",
            kobel_image: "kobel:1",
        }
    }

    pub(in crate::kubernetes) fn effective(&self) -> Configuration {
        effective(&self.start())
    }
}

fn artifact(kind: ArtifactKind, scheme: Scheme, uri: &str) -> Option<Artifact> {
    Some(Artifact { kind, scheme, uri: uri.to_owned() })
}

fn amounts() -> Amounts {
    Amounts { memory: 1 << 30, memory_limit: None, cpu_millis: 500, cpu_limit_millis: None, others: Vec::new() }
}

/// Keys or names with values, in order.
pub(in crate::kubernetes) fn texts(values: &[(&str, &str)]) -> BTreeMap<String, String> {
    values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Asserts what stands at some keys; nothing does where the value is empty.
fn assert_values(case: &Case, expected: &[(&str, &str)]) {
    let configuration = case.effective();
    for (key, value) in expected {
        assert_eq!(configuration.get(key).unwrap_or_default(), *value, "at `{key}`");
    }
}

fn lines(case: &Case) -> String {
    case.effective().values().iter().map(|(key, value)| format!("{key}: {value}\n")).collect()
}

#[test]
fn a_plain_job_is_told_what_the_operator_of_apache_tells_it() {
    let case = Case::application().with_job(|job| job.args = vec!["--rate".to_owned(), "10".to_owned()]);
    let is_short = |line: &&str| !line.starts_with(ENTRY_POINT) && !line.starts_with("kubernetes.jobmanager.owner.");
    let shown: String = lines(&case).split_inclusive('\n').filter(is_short).collect();
    expect![[r#"
        $internal.application.program-args: --rate;10
        $internal.flink.version: v1_20
        $internal.pipeline.job-id: 0a0b0c0d0e0f00000000000000000001
        blob.server.port: 6124
        execution.checkpointing.externalized-checkpoint-retention: RETAIN_ON_CANCELLATION
        execution.shutdown-on-application-finish: false
        execution.state-recovery.ignore-unclaimed-state: false
        execution.submit-failed-job-on-application-error: true
        execution.target: kubernetes-application
        internal.cluster.execution-mode: NORMAL
        jobmanager.memory.process.size: 1 gb
        jobmanager.rpc.address: flights.team
        jobmanager.rpc.port: 6123
        kubernetes.cluster-id: flights
        kubernetes.container.image.ref: flink:1.20
        kubernetes.jobmanager.annotations: flinkdeployment.flink.apache.org/generation:7
        kubernetes.jobmanager.cpu.amount: 0.5
        kubernetes.jobmanager.replicas: 1
        kubernetes.namespace: team
        kubernetes.rest-service.exposed.type: ClusterIP
        kubernetes.service-account: flink
        kubernetes.taskmanager.cpu.amount: 0.5
        parallelism.default: 3
        pipeline.jars: local:///opt/flink/usrlib/flights.jar
        pipeline.name: flights
        rest.bind-port: 8081
        rest.port: 8081
        taskmanager.memory.process.size: 1 gb
        taskmanager.numberOfTaskSlots: 2
        taskmanager.rpc.port: 6122
        web.cancel.enable: false
    "#]]
    .assert_eq(&shown);
    let owner = concat!(
        "apiVersion:flink.apache.org/v1beta1,blockOwnerDeletion:true,controller:false,",
        "kind:FlinkDeployment,name:flights,uid:u-1"
    );
    let class = "org.apache.flink.kubernetes.entrypoint.KubernetesApplicationClusterEntrypoint";
    assert_values(&case, &[("kubernetes.jobmanager.owner.reference", owner), (ENTRY_POINT, class)]);
}

#[test]
fn a_session_is_told_of_no_job() {
    let case = Case::session();
    assert_values(
        &case,
        &[
            ("execution.target", "kubernetes-session"),
            (ENTRY_POINT, "org.apache.flink.kubernetes.entrypoint.KubernetesSessionClusterEntrypoint"),
            ("$internal.pipeline.job-id", ""),
            ("parallelism.default", ""),
            ("pipeline.name", ""),
            ("execution.shutdown-on-application-finish", ""),
        ],
    );
    let standalone = case.with(|cluster| cluster.mode = Mode::Standalone);
    assert_values(
        &standalone,
        &[
            ("execution.target", "remote"),
            ("kubernetes.internal.cluster-mode", "SESSION"),
            (TASK_MANAGER_REPLICAS, "1"),
            (ENTRY_POINT, ""),
        ],
    );
}

#[test]
fn the_resource_wins_over_a_default_in_whatever_spelling() {
    let case = Case::application()
        .by_default(&[
            ("execution.checkpointing.dir", "s3://default"),
            ("high-availability.type", "zookeeper"),
            ("kubernetes.operator.default-configuration.namespace.team.taskmanager.memory.network.fraction", "0.2"),
            ("web.cancel.enable", "true"),
        ])
        .set(&[("state.checkpoints.dir", "s3://own"), ("high-availability", "NONE"), ("rest.port", "9000")]);
    assert_values(
        &case,
        &[
            ("execution.checkpointing.dir", "s3://own"),
            ("state.checkpoints.dir", ""),
            ("high-availability.type", "NONE"),
            ("high-availability", ""),
            ("taskmanager.memory.network.fraction", "0.2"),
            ("web.cancel.enable", "true"),
        ],
    );
}

#[test]
fn a_line_is_told_in_the_spellings_that_it_knows() {
    for (line, expected) in [
        (
            FlinkVersion::V1_16,
            [
                ("kubernetes.container.image", "flink:1.20"),
                ("kubernetes.jobmanager.cpu", "0.5"),
                ("kubernetes.taskmanager.cpu", "0.5"),
                ("execution.savepoint.path", "s3://b/savepoint-1"),
                ("execution.savepoint.ignore-unclaimed-state", "true"),
                ("execution.savepoint-restore-mode", "CLAIM"),
                ("high-availability", KUBERNETES_STORE[1]),
            ],
        ),
        (
            FlinkVersion::V2_2,
            [
                ("kubernetes.container.image.ref", "flink:1.20"),
                ("kubernetes.jobmanager.cpu.amount", "0.5"),
                ("kubernetes.taskmanager.cpu.amount", "0.5"),
                ("execution.state-recovery.path", "s3://b/savepoint-1"),
                ("execution.state-recovery.ignore-unclaimed-state", "true"),
                ("execution.state-recovery.claim-mode", "CLAIM"),
                ("high-availability.type", KUBERNETES_STORE[0]),
            ],
        ),
    ] {
        let mut case = Case::application()
            .set(&[("execution.state-recovery.claim-mode", "CLAIM"), ("execution.savepoint.path", "s3://b/older")])
            .with_job(|job| job.allow_non_restored_state = true)
            .available()
            .with(|cluster| cluster.flink_version = line);
        case.restore = Some("s3://b/savepoint-1");
        assert_values(&case, &expected);
        assert!(!lines(&case).contains("older"), "for {line}");
    }
}

#[test]
fn the_path_of_a_start_from_metadata_is_one_that_nothing_lies_at() {
    let mut case = Case::application().available();
    case.restore = Some(LAST_STATE);
    assert_values(&case, &[("execution.state-recovery.path", "KUBERNETES_OPERATOR_LAST_STATE")]);
    let fresh = Case::application().available().set(&[("execution.savepoint.path", "s3://b/users")]);
    assert_values(&fresh, &[("execution.state-recovery.path", ""), ("execution.savepoint.path", "")]);
}

#[test]
fn a_start_with_high_availability_has_results_of_its_own() {
    let case = Case::application().available();
    assert_values(
        &case,
        &[
            ("high-availability.type", "kubernetes"),
            ("high-availability.storageDir", "s3://bucket/ha/"),
            ("high-availability.cluster-id", "flights"),
            ("high-availability.jobmanager.port", "6123"),
            ("job-result-store.delete-on-commit", "false"),
            (
                "job-result-store.storage-path",
                "s3://bucket/ha/job-result-store/flights/00000000000000000000000000000002",
            ),
            ("application-result-store.storage-path", ""),
            ("jobmanager.rpc.address", ""),
        ],
    );
    let newer = case.with(|cluster| cluster.flink_version = FlinkVersion::V2_3);
    let path = "s3://bucket/ha/application-result-store/flights/00000000000000000000000000000002";
    assert_values(&newer, &[("application-result-store.storage-path", path)]);
    let session = Case::session().available().set(&[("job-result-store.storage-path", "s3://own")]);
    assert_values(&session, &[("job-result-store.storage-path", "s3://own"), ("high-availability.type", "kubernetes")]);
    for (own, expected) in
        [("zookeeper", "zookeeper"), ("none", "kubernetes"), ("org.example.Store", "org.example.Store")]
    {
        let case = Case::application().available().set(&[("high-availability.type", own)]);
        assert_values(&case, &[("high-availability.type", expected)]);
    }
    assert_values(&Case::application(), &[("high-availability.type", ""), ("high-availability.cluster-id", "")]);
}

#[test]
fn components_are_sized_as_the_spec_says() {
    let case = Case::application().with(|cluster| {
        let amounts = &mut cluster.job_manager.amounts;
        (amounts.memory_limit, amounts.cpu_millis, amounts.cpu_limit_millis) = (Some(3 << 29), 1000, Some(2500));
        cluster.job_manager.replicas = 2;
        cluster.task_manager.replicas = Some(4);
        cluster.image_pull_policy = Some("Always".to_owned());
    });
    assert_values(
        &case,
        &[
            ("jobmanager.memory.process.size", "1 gb"),
            ("kubernetes.jobmanager.cpu.amount", "1.0"),
            ("kubernetes.jobmanager.cpu.limit-factor", "2.5"),
            ("kubernetes.jobmanager.memory.limit-factor", "1.5"),
            ("kubernetes.jobmanager.replicas", "2"),
            ("kubernetes.taskmanager.memory.limit-factor", ""),
            ("kubernetes.container.image.pull-policy", "Always"),
            (TASK_MANAGER_REPLICAS, "4"),
        ],
    );
    let part = Case::application().set(&[("taskmanager.memory.flink.size", "1g")]);
    assert_values(&part, &[("taskmanager.memory.process.size", ""), ("jobmanager.memory.process.size", "1 gb")]);
}

#[test]
fn task_managers_of_standalone_mode_have_slots_for_the_largest_vertex() {
    let standalone = |overrides: &str, replicas| {
        Case::application().set(&[(OVERRIDES, overrides)]).with(|cluster| {
            cluster.mode = Mode::Standalone;
            cluster.task_manager.replicas = replicas;
        })
    };
    for (overrides, replicas, parallelism, count) in [
        ("", None, "3", "2"),
        ("a:2,b:9", None, "9", "5"),
        ("a:2", None, "2", "1"),
        ("nonsense", None, "3", "2"),
        ("a:2,b:9", Some(7), "3", "7"),
    ] {
        let case = standalone(overrides, replicas);
        assert_values(&case, &[("parallelism.default", parallelism), (TASK_MANAGER_REPLICAS, count)]);
    }
    let native = Case::application().set(&[(OVERRIDES, "a:9")]);
    assert_values(&native, &[("parallelism.default", "3"), (TASK_MANAGER_REPLICAS, "")]);
}

#[test]
fn a_job_that_goes_on_from_its_last_state_has_checkpoints() {
    let case = Case::application().with_job(|job| job.upgrade_mode = UpgradeMode::LastState);
    assert_values(&case, &[("execution.checkpointing.interval", "5 min")]);
    assert_values(
        &case.set(&[("execution.checkpointing.interval", "1 s")]),
        &[("execution.checkpointing.interval", "1 s")],
    );
}

#[test]
fn ports_are_plain_numbers() {
    let case = Case::application().available().set(&[
        ("rest.port", "9000"),
        ("jobmanager.rpc.port", "7000"),
        ("blob.server.port", "0"),
        ("taskmanager.rpc.port", "50100-50200"),
        ("high-availability.jobmanager.port", "0"),
    ]);
    assert_values(
        &case,
        &[
            ("rest.port", "9000"),
            ("rest.bind-port", "9000"),
            ("jobmanager.rpc.port", "7000"),
            ("high-availability.jobmanager.port", "7000"),
            ("blob.server.port", "6124"),
            ("taskmanager.rpc.port", "6122"),
        ],
    );
}

#[test]
fn annotations_of_the_resource_stay_beside_the_generation() {
    let case = Case::application().set(&[
        ("kubernetes.jobmanager.annotations", "a:b"),
        ("kubernetes.jobmanager.annotations.prometheus.io/scrape", "true"),
    ]);
    let expected = "a:b,flinkdeployment.flink.apache.org/generation:7,prometheus.io/scrape:true";
    assert_values(
        &case,
        &[
            ("kubernetes.jobmanager.annotations", expected),
            ("kubernetes.jobmanager.annotations.prometheus.io/scrape", ""),
        ],
    );
}

#[test]
fn labels_of_the_resource_stand_beside_those_of_the_platform() {
    let case = Case::application()
        .by_default(&[("kubernetes.jobmanager.labels", "team:a,tier:1")])
        .set(&[("kubernetes.jobmanager.labels.tier", "2")]);
    assert_values(&case, &[("kubernetes.jobmanager.labels", "team:a,tier:2"), ("kubernetes.taskmanager.labels", "")]);
}

#[test]
fn a_program_is_named_where_it_lies_in_the_pod() {
    const DRIVER: &str = "org.apache.flink.client.python.PythonDriver";
    use ArtifactKind::{Jar, Python, Sql};
    for (kind, scheme, uri, class, args, expected) in [
        (Jar, Scheme::Local, "local:///a b.jar", None, &["x"][..], (Some("local:///a b.jar"), None, &["x"][..])),
        (Jar, Scheme::File, "file:///a.jar", Some("Main"), &[][..], (Some("local:///a.jar"), Some("Main"), &[][..])),
        (Jar, Scheme::S3, "s3://b/a.jar", None, &[][..], (Some("local:///opt/flink/usrlib/a.jar"), None, &[][..])),
        (Python, Scheme::Local, "local:///a.py", None, &["x"][..], (None, Some(DRIVER), &["-py", "/a.py", "x"][..])),
        (
            Python,
            Scheme::S3,
            "s3://b/a.py",
            Some(DRIVER),
            &["-py", "/opt/flink/usrlib/a.py"][..],
            (None, Some(DRIVER), &["-py", "/opt/flink/usrlib/a.py"][..]),
        ),
        (
            Python,
            Scheme::S3,
            "s3://b/a.py",
            None,
            &[][..],
            (None, Some(DRIVER), &["-py", "/opt/flink/usrlib/a.py"][..]),
        ),
        (
            Sql,
            Scheme::Local,
            "local:///a.sql",
            None,
            &[][..],
            (Some("local:///opt/flink/usrlib/sql-runner.jar"), Some("SqlRunner"), &["/a.sql"][..]),
        ),
    ] {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let case = Case::application().with_job(|job| {
            job.artifact = artifact(kind, scheme, uri);
            job.entry_class = class.map(str::to_owned);
            job.args = owned(args);
        });
        let (jar, class, arguments) = expected;
        let expected =
            Program { jar: jar.map(str::to_owned), class: class.map(str::to_owned), arguments: owned(arguments) };
        assert_eq!(program::of(&case.start()), Some(expected), "for `{uri}`");
    }
    assert_eq!(program::of(&Case::session().start()), None);
}

#[test]
fn a_program_of_standalone_mode_lies_on_the_class_path() {
    let case = Case::application().with(|cluster| cluster.mode = Mode::Standalone);
    assert_values(
        &case,
        &[
            ("pipeline.classpaths", "file:///opt/flink/usrlib/flights.jar"),
            ("pipeline.jars", ""),
            ("execution.target", "remote"),
            ("kubernetes.internal.cluster-mode", "APPLICATION"),
            ("jobmanager.rpc.address", "flights.team"),
        ],
    );
    assert_values(&case.available(), &[("jobmanager.rpc.address", "flights.team")]);
}

#[test]
fn what_a_program_is_given_is_not_printed() {
    let case = Case::application().with_job(|job| job.args = vec!["hunter2".to_owned()]);
    let printed = format!("{:?}", program::of(&case.start()));
    assert!(!printed.contains("hunter2"), "{printed}");
}
