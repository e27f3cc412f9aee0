//! A start on Apache Flink: a job manager, those that stand by, and task managers, by the scripts of a distribution.
//!
//! Everything listens on this machine alone, on ports that were chosen for the start. The job manager stays when its
//! job has ended, so that what became of the job can be asked. A task manager that is started again has the name that
//! it had before. Without standbys whoever watches the processes starts the application again. The metadata of high
//! availability is kept only for standbys, or where a store other than Kubernetes is configured for it, below a name
//! that belongs to this one job.
//!
//! # Source
//! Apache Flink 1.20 and 2.3, `standalone-job.sh`, `jobmanager.sh`, `taskmanager.sh`, `flink-console.sh`; Apache Flink
//! Kubernetes operator 1.15, `FlinkConfigBuilder` and the arguments of standalone mode.

mod availability;
pub(crate) mod memory;
pub(crate) mod options;

use std::iter;
use std::path::{Path, PathBuf};

use kobel_model::deployment::{Amounts, Deployment, FlinkVersion};

use crate::configuration::{CLAIM_MODE, Configuration, RETAINED, RETENTION};
use crate::launch::{JobStart, Launch, Process};
use crate::logging;
use crate::place::{FlinkHome, Place, local_uri};
use crate::program::{self, Program};
use crate::sizes;
use crate::yaml;

/// The oldest line whose application mode is told of a jar by an argument.
const JARS_SINCE: FlinkVersion = FlinkVersion::V1_19;
/// The oldest line that has `--claimMode`, which was `--restoreMode` before.
const CLAIM_MODE_SINCE: FlinkVersion = FlinkVersion::V1_20;
/// What tells one start of a session cluster from another: nothing, for its jobs outlive it.
const SESSION: &str = "session";

/// Lays out a deployment with a job. The caller sees to it that `place` has a distribution.
pub fn application(deployment: &Deployment, start: &JobStart<'_>, place: &Place) -> Launch {
    let Some(job) = &deployment.cluster.job else {
        return session(deployment, place);
    };
    let line = deployment.cluster.flink_version;
    let home = place.flink.clone().unwrap_or_default();
    let program = program::of(job, place, &home);
    let mut configuration = options::of_cluster(deployment, place, start.job_id);
    configuration.directories(&place.folder, line);
    configuration.job(job, &deployment.identity, start, line);
    configuration.checkpoints(job.upgrade_mode);
    configuration.default_to(RETENTION, RETAINED);
    options::of_application(&mut configuration, &home);
    let arguments = job_arguments(&program, &configuration, start, line);
    // A line that takes no jar as an argument looks for it on the class path.
    let class_path = program.jar.as_deref().filter(|_| line < JARS_SINCE);
    let plan = Plan { deployment, place, home: &home, class_path };
    plan.launch(configuration, "standalone-job.sh", arguments)
}

/// Lays out a session cluster. The caller sees to it that `place` has a distribution.
pub fn session(deployment: &Deployment, place: &Place) -> Launch {
    let home = place.flink.clone().unwrap_or_default();
    let mut configuration = options::of_cluster(deployment, place, SESSION);
    configuration.directories(&place.folder, deployment.cluster.flink_version);
    options::python(&mut configuration, &home);
    let plan = Plan { deployment, place, home: &home, class_path: None };
    plan.launch(configuration, "jobmanager.sh", Vec::new())
}

/// What a job manager of one job is given. From where the job starts must be said here: what the configuration says of
/// it is overwritten by what is not said here.
fn job_arguments(
    program: &Program,
    configuration: &Configuration,
    start: &JobStart<'_>,
    line: FlinkVersion,
) -> Vec<String> {
    let mut arguments: Vec<String> = Vec::new();
    if let Some(path) = start.restore {
        arguments.extend(["--fromSavepoint".to_owned(), path.to_owned()]);
        if let Some(mode) = configuration.find(&CLAIM_MODE) {
            let name = if line < CLAIM_MODE_SINCE { "--restoreMode" } else { "--claimMode" };
            arguments.extend([name.to_owned(), mode.to_owned()]);
        }
        if configuration.skips_unclaimed_state() {
            arguments.push("--allowNonRestoredState".to_owned());
        }
    }
    if let Some(jar) = program.jar.as_deref().filter(|_| line >= JARS_SINCE) {
        arguments.extend(["--jars".to_owned(), local_uri(jar)]);
    }
    if let Some(class) = &program.class {
        arguments.extend(["--job-classname".to_owned(), class.clone()]);
    }
    // After this nothing is taken for an option of Flink, whatever the program is given.
    arguments.push("--".to_owned());
    arguments.extend(program.arguments.iter().cloned());
    arguments
}

/// A cluster that is about to be laid out.
struct Plan<'a> {
    deployment: &'a Deployment,
    place: &'a Place,
    home: &'a FlinkHome,
    class_path: Option<&'a Path>,
}

impl Plan<'_> {
    fn launch(&self, mut configuration: Configuration, script: &str, arguments: Vec<String>) -> Launch {
        let cluster = &self.deployment.cluster;
        let (manager, tasks) = (&cluster.job_manager.amounts, &cluster.task_manager.amounts);
        let manager_memory = memory::size(&mut configuration, &memory::JOB_MANAGER, manager);
        let task_memory = memory::size(&mut configuration, &memory::TASK_MANAGER, tasks);
        let mut processes: Vec<Process> = self.zookeeper().into_iter().collect();
        let job_managers = self.job_managers(script, &arguments).into_iter();
        processes.extend(job_managers.map(|process| Process { memory: manager_memory, ..process }));
        for number in 1..=sizes::task_managers(cluster) {
            let role = format!("taskmanager-{number}");
            let mut options = vec![format!("taskmanager.resource-id={role}")];
            if logging::is_ours(cluster) {
                // The REST API shows what a process prints as `log/<role>.out`, which is where it goes.
                options.push(format!("taskmanager.log.path={}", log_file(&role)));
            }
            let arguments = options.into_iter().flat_map(|option| ["-D".to_owned(), option]).collect();
            let mut process = self.process(role, "taskmanager.sh", arguments, tasks);
            if logging::is_ours(cluster) {
                process.environment.push((logging::LOG_FILE_VARIABLE.to_owned(), log_file(&process.role)));
            }
            processes.push(Process { memory: task_memory, ..process });
        }
        let line = cluster.flink_version;
        let mut files = vec![yaml::file(configuration.values(), line)];
        files.extend(logging::files(cluster, yaml::directory(line)));
        if self.has_zookeeper() {
            files.push(availability::zookeeper_file(self.place.standbys.zookeeper, yaml::directory(line)));
        }
        let ports = self.place.ports.all().into_iter().chain(self.place.standbys.all()).collect();
        Launch { files, processes, rest_port: self.place.ports.rest, ports }
    }

    /// The job manager, and those that stand by.
    fn job_managers(&self, script: &str, arguments: &[String]) -> Vec<Process> {
        let amounts = &self.deployment.cluster.job_manager.amounts;
        let first = self.process("jobmanager".to_owned(), script, arguments.to_vec(), amounts);
        let standbys = self.place.standbys.job_managers.iter().zip(2..).map(|(ports, number)| {
            let own = availability::standby_arguments(ports).into_iter().chain(arguments.iter().cloned()).collect();
            let standby = self.process(format!("jobmanager-{number}"), script, own, amounts);
            Process { rest_port: Some(ports.rest), ..standby }
        });
        let first = Process { rest_port: Some(self.place.ports.rest), ..first };
        iter::once(first).chain(standbys).collect()
    }

    fn has_zookeeper(&self) -> bool {
        availability::store(&self.deployment.cluster) == availability::Store::Ours
    }

    /// The store in which job managers elect their leader, if it is one of this launch.
    fn zookeeper(&self) -> Option<Process> {
        let role = availability::ZOOKEEPER;
        let directory = yaml::directory(self.deployment.cluster.flink_version);
        self.has_zookeeper().then(|| Process {
            role: role.to_owned(),
            program: availability::zookeeper_program(self.home),
            arguments: availability::zookeeper_arguments(self.home, &self.place.folder, directory),
            environment: self.environment(role),
            directory: self.place.folder.clone(),
            memory: Some(availability::ZOOKEEPER_MEMORY),
            cpu_millis: None,
            rest_port: None,
        })
    }

    fn process(&self, role: String, script: &str, arguments: Vec<String>, amounts: &Amounts) -> Process {
        let script = self.home.home.join("bin").join(script);
        let first = [script.to_string_lossy().into_owned(), "start-foreground".to_owned()];
        Process {
            program: PathBuf::from("bash"),
            arguments: first.into_iter().chain(arguments).collect(),
            environment: self.environment(&role),
            directory: self.place.folder.clone(),
            memory: None,
            cpu_millis: Some(sizes::cpu_millis(amounts)),
            rest_port: None,
            role,
        }
    }

    /// Where things lie. All of it is said, so that nothing of another Flink comes in from around.
    fn environment(&self, role: &str) -> Vec<(String, String)> {
        let (folder, home) = (&self.place.folder, &self.home.home);
        let paths = [
            ("FLINK_CONF_DIR", folder.join(yaml::directory(self.deployment.cluster.flink_version))),
            ("FLINK_HOME", home.clone()),
            ("FLINK_LIB_DIR", home.join("lib")),
            ("FLINK_LOG_DIR", folder.join("log")),
            ("FLINK_OPT_DIR", home.join("opt")),
            ("FLINK_PID_DIR", folder.join("pid").join(role)),
            ("FLINK_PLUGINS_DIR", home.join("plugins")),
            ("JAVA_HOME", self.home.java_home.clone()),
        ];
        let paths = paths.into_iter().chain(self.class_path.map(|jar| ("HADOOP_CLASSPATH", jar.to_owned())));
        let mut environment: Vec<(String, String)> =
            paths.map(|(name, path)| (name.to_owned(), path.to_string_lossy().into_owned())).collect();
        let level = self.deployment.cluster.flink_configuration.get("env.log.level").map(str::trim);
        // These two make the names of the logs the same on every machine.
        let words = [("FLINK_IDENT_STRING", Some(role)), ("HOSTNAME", Some("local")), ("ROOT_LOG_LEVEL", level)];
        let words = words.into_iter().filter_map(|(name, word)| Some((name.to_owned(), word?.to_owned())));
        environment.extend(words);
        environment
    }
}

/// Where a process logs, relative to the folder that it is started in: a path with blanks does not pass the scripts.
fn log_file(role: &str) -> String {
    format!("log/{role}.log")
}
