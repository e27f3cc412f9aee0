//! Apache Flink itself: a session cluster as child processes, jobs from SQL, and its command line.
//!
//! Everything a cluster writes lies in a folder that is removed with it; only its own files are read from
//! `FLINK_HOME`, so that several may run from one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{Connection, Request, ask, get_json};
use crate::packages::debian_binary;
use crate::process::{Running, free_port, run};

/// How long a cluster may take to start; on a busy machine it takes minutes.
const START_PATIENCE: Duration = Duration::from_secs(600);

/// How long Flink may take to plan and submit a job.
const SUBMIT_PATIENCE: Duration = Duration::from_secs(300);

/// What separates the parts of an upload; it must not stand in the jar.
const BOUNDARY: &str = "5b1f0c9d7e3a-end-of-part-5b1f0c9d7e3a";

/// The class that runs a script on the cluster.
const RUNNER: &str = "SqlRunner";

/// Where its source lies: it is the one that comes with distributions, as users run it.
const RUNNER_SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../adapters/distributions/java/SqlRunner.java");

/// A session cluster with one job manager and one task manager; both end when this is dropped.
#[derive(Debug)]
pub struct FlinkCluster {
    // The processes come first: they must have ended before their folder is removed.
    job_manager: Running,
    task_manager: Running,
    folder: TempDir,
    home: PathBuf,
    port: u16,
    runner: Option<String>,
}

impl FlinkCluster {
    /// Starts a cluster from a `FLINK_HOME` with settings over the defaults, and waits until it has a free slot.
    pub fn start(home: &Path, config: &[(&str, &str)]) -> Result<Self, String> {
        debian_binary("java")?;
        let folder = TempDir::new().map_err(|error| format!("no folder for a cluster: {error}"))?;
        let port = free_port()?;
        configure(home, folder.path(), port, config)?;
        let start = |name: &str, script: &str| {
            let mut command = flink_script(home, folder.path(), name, script)?;
            Running::start(command.arg("start-foreground"), folder.path(), name)
        };
        let job_manager = start("jobmanager", "jobmanager.sh")?;
        let task_manager = start("taskmanager", "taskmanager.sh")?;
        let mut cluster = Self { job_manager, task_manager, folder, home: home.to_owned(), port, runner: None };
        cluster.wait_for_slot()?;
        Ok(cluster)
    }

    /// Returns the port of the REST server.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the folder with everything that this cluster writes: `checkpoints`, `savepoints`, `conf`, `log`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Submits a SQL script with one job in it; returns the id of the job.
    pub fn submit_sql(&mut self, script: &str) -> Result<String, String> {
        self.submit(script, None)
    }

    /// Submits a SQL script with one job in it, which gets an id of 32 hexadecimal digits.
    pub fn submit_sql_as(&mut self, script: &str, job: &str) -> Result<(), String> {
        self.submit(script, Some(job)).map(drop)
    }

    fn submit(&mut self, script: &str, job: Option<&str>) -> Result<String, String> {
        let runner = match &self.runner {
            Some(runner) => runner.clone(),
            None => self.upload_runner()?,
        };
        let file = tempfile::Builder::new().prefix("script-").suffix(".sql").tempfile_in(self.folder.path());
        let (_, path) = file
            .and_then(|file| file.keep().map_err(|error| error.error))
            .map_err(|error| format!("no file for a script: {error}"))?;
        fs::write(&path, script).map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
        let mut body = json!({"entryClass": RUNNER, "programArgsList": [path.to_string_lossy()]});
        if let Some(job) = job {
            body["jobId"] = json!(job);
        }
        let request = Request::post(&format!("/jars/{runner}/run"), &body);
        let answer = Connection::open_within(self.port, SUBMIT_PATIENCE)?.ask(&request)?.expect_json(200)?;
        answer["jobid"].as_str().map(str::to_owned).ok_or_else(|| format!("no `jobid` in `{answer}`"))
    }

    /// Waits until a job is in a state and has no task that is still coming up.
    pub fn wait_for_job(&self, job: &str, state: &str, within: Duration) -> Result<Value, String> {
        let begin = Instant::now();
        loop {
            let found = get_json(self.port, &format!("/jobs/{job}"))?;
            let vertices = found["vertices"].as_array();
            let has_state = |vertex: &Value| vertex["status"] == state;
            if found["state"] == state && vertices.is_some_and(|all| all.iter().all(has_state)) {
                return Ok(found);
            }
            if begin.elapsed() > within {
                return Err(format!("job `{job}` is `{}` after {within:?}, not `{state}`", found["state"]));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn wait_for_slot(&mut self) -> Result<(), String> {
        let port = self.port;
        self.job_manager.wait_for_port(port, START_PATIENCE).map_err(|error| self.explain(&error))?;
        let has_slot = || {
            let overview = get_json(port, "/overview").ok()?;
            overview["slots-available"].as_u64().filter(|slots| *slots > 0)
        };
        let waited = self.task_manager.wait_until("a free slot", START_PATIENCE, has_slot);
        waited.map(|_slots| ()).map_err(|error| self.explain(&error))
    }

    /// An error with what the processes have said; their output lies with their logs.
    fn explain(&self, error: &str) -> String {
        let mut text = error.to_owned();
        for file in ["jobmanager", "taskmanager"].map(|name| self.folder.path().join("log").join(name)) {
            let Ok(entries) = fs::read_dir(&file) else { continue };
            let errors = entries.flatten().map(|entry| entry.path());
            for path in errors.filter(|path| path.extension().is_some_and(|extension| extension == "err")) {
                text += "\n";
                text += fs::read_to_string(path).unwrap_or_default().trim();
            }
        }
        text
    }

    /// Compiles the runner, uploads it and returns the id under which it can be run.
    fn upload_runner(&mut self) -> Result<String, String> {
        let jar = runner_jar(&self.home, self.folder.path())?;
        let bytes = fs::read(&jar).map_err(|error| format!("cannot read `{}`: {error}", jar.display()))?;
        let mut body = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"jarfile\"; filename=\"runner.jar\"\r\n\
             Content-Type: application/x-java-archive\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(&bytes);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let request = Request::new("POST", "/jars/upload").header("Content-Type", &kind).body(body);
        let answer = ask(self.port, &request)?.expect_json(200)?;
        let path = answer["filename"].as_str().ok_or_else(|| format!("no `filename` in `{answer}`"))?;
        let id = path.rsplit('/').next().unwrap_or(path).to_owned();
        self.runner = Some(id.clone());
        Ok(id)
    }
}

/// How a command of Flink ended and what it said.
#[derive(Debug, Clone)]
pub struct CommandOutput {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Runs `bin/flink` with arguments; it writes its log to a folder that is removed afterwards.
pub fn flink_cli(home: &Path, arguments: &[&str]) -> Result<CommandOutput, String> {
    debian_binary("java")?;
    let folder = TempDir::new().map_err(|error| format!("no folder for a log: {error}"))?;
    let mut command = Command::new("bash");
    command.arg(home.join("bin/flink")).args(arguments);
    // The settings of the distribution are those of a user who has installed it and changed nothing.
    command.env_remove("FLINK_CONF_DIR").env("FLINK_LOG_DIR", folder.path());
    let mut child = Running::start(&mut command, folder.path(), "flink")?;
    let status = child.wait(SUBMIT_PATIENCE)?;
    Ok(CommandOutput { code: status.code(), stdout: child.stdout(), stderr: child.stderr() })
}

/// A script of the distribution with a cluster's folders as its surroundings.
fn flink_script(home: &Path, folder: &Path, name: &str, script: &str) -> Result<Command, String> {
    let logs = folder.join("log").join(name);
    fs::create_dir_all(&logs).map_err(|error| format!("cannot create `{}`: {error}", logs.display()))?;
    let mut command = Command::new("bash");
    command.arg(home.join("bin").join(script));
    command.env("FLINK_CONF_DIR", folder.join("conf"));
    command.env("FLINK_LOG_DIR", logs);
    command.env("FLINK_PID_DIR", folder.join("pid"));
    // These make the names of the logs the same on every machine, and give standard output a file that REST can show.
    command.env("FLINK_IDENT_STRING", "test").env("HOSTNAME", "local").env("STD_REDIRECT_TO_FILE", "true");
    Ok(command)
}

/// Writes the settings of a cluster.
fn configure(home: &Path, folder: &Path, port: u16, config: &[(&str, &str)]) -> Result<(), String> {
    for name in ["conf", "pid", "tmp", "checkpoints", "savepoints"] {
        fs::create_dir_all(folder.join(name)).map_err(|error| format!("cannot create `{name}`: {error}"))?;
    }
    let cannot_copy = |error: std::io::Error| format!("cannot copy the settings of logging: {error}");
    for entry in fs::read_dir(home.join("conf")).map_err(cannot_copy)? {
        let path = entry.map_err(cannot_copy)?.path();
        let name = path.file_name().unwrap_or_default();
        if name.to_string_lossy().starts_with("log4j") {
            fs::copy(&path, folder.join("conf").join(name)).map_err(cannot_copy)?;
        }
    }
    let mut settings = default_settings(home, folder, port)?;
    for (key, value) in config {
        settings.retain(|(known, _)| known != key);
        settings.push(((*key).to_owned(), (*value).to_owned()));
    }
    let lines: Vec<String> =
        settings.iter().map(|(key, value)| format!("{key}: '{}'\n", value.replace('\'', "''"))).collect();
    fs::write(folder.join("conf/config.yaml"), lines.concat())
        .map_err(|error| format!("cannot write the settings of a cluster: {error}"))
}

/// Settings of a small cluster on this machine alone, whose REST server shows what is, not what was.
fn default_settings(home: &Path, folder: &Path, port: u16) -> Result<Vec<(String, String)>, String> {
    let rpc_port = free_port()?.to_string();
    let rest_port = port.to_string();
    let address = |name: &str| format!("file://{}", folder.join(name).display());
    let (temporary, checkpoints, savepoints) =
        (folder.join("tmp").display().to_string(), address("checkpoints"), address("savepoints"));
    // The SQL planner unpacks itself there, and what is killed leaves it behind.
    let options = format!("{} -Djava.io.tmpdir={temporary}", java_options(home)?);
    let settings = [
        ("env.java.opts.all", options.as_str()),
        ("jobmanager.rpc.address", "127.0.0.1"),
        ("jobmanager.rpc.port", rpc_port.as_str()),
        ("jobmanager.bind-host", "127.0.0.1"),
        ("taskmanager.bind-host", "127.0.0.1"),
        ("taskmanager.host", "127.0.0.1"),
        ("rest.address", "127.0.0.1"),
        ("rest.bind-address", "127.0.0.1"),
        ("rest.port", rest_port.as_str()),
        ("rest.bind-port", rest_port.as_str()),
        ("rest.flamegraph.enabled", "true"),
        ("jobmanager.scheduler", "adaptive"),
        ("jobmanager.memory.process.size", "1000m"),
        ("jobmanager.memory.jvm-overhead.min", "64m"),
        ("taskmanager.memory.process.size", "1200m"),
        ("taskmanager.memory.managed.size", "128m"),
        ("taskmanager.numberOfTaskSlots", "4"),
        ("io.tmp.dirs", temporary.as_str()),
        ("execution.checkpointing.dir", checkpoints.as_str()),
        ("execution.checkpointing.savepoint-dir", savepoints.as_str()),
        ("web.refresh-interval", "1000"),
        ("metrics.fetcher.update-interval", "1000"),
    ];
    Ok(settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
}

/// What the distribution tells Java so that Flink may look into it; without it newer versions run no job.
fn java_options(home: &Path) -> Result<String, String> {
    let path = home.join("conf/config.yaml");
    let text = fs::read_to_string(&path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    let options = text.lines().find_map(|line| line.trim().strip_prefix("all: "));
    options.map(str::to_owned).ok_or_else(|| format!("no options of Java in `{}`", path.display()))
}

/// Compiles the class that runs SQL scripts; returns a jar with it.
pub fn runner_jar(home: &Path, folder: &Path) -> Result<PathBuf, String> {
    let jar = folder.join("runner.jar");
    jar_of(home, Path::new(RUNNER_SOURCE), &jar).map(|()| jar)
}

/// Compiles a class against a `FLINK_HOME` and packs it into a jar.
pub fn jar_of(home: &Path, source: &Path, jar: &Path) -> Result<(), String> {
    let (compiler, packer) = (debian_binary("javac")?, debian_binary("jar")?);
    let classes = TempDir::new().map_err(|error| format!("no folder for classes: {error}"))?;
    let mut compile = Command::new(compiler);
    compile.args(["--release", "11", "-cp"]).arg(home.join("lib/*")).arg("-d").arg(classes.path()).arg(source);
    run(&mut compile)?;
    run(Command::new(packer).arg("cf").arg(jar).arg("-C").arg(classes.path()).arg(".")).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_a_caller_replace_the_defaults() {
        let (home, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        fs::create_dir(home.path().join("conf")).unwrap();
        fs::write(home.path().join("conf/config.yaml"), "env:\n  java:\n    opts:\n      all: --add-opens=a\n")
            .unwrap();
        fs::write(home.path().join("conf/log4j-console.properties"), "x").unwrap();
        let config = [("taskmanager.numberOfTaskSlots", "1"), ("pipeline.name", "it's")];
        configure(home.path(), folder.path(), 8081, &config).unwrap();
        let written = fs::read_to_string(folder.path().join("conf/config.yaml")).unwrap();
        let of = |key: &str| written.lines().filter(|line| line.starts_with(key)).collect::<Vec<_>>().join("|");
        assert_eq!(of("taskmanager.numberOfTaskSlots"), "taskmanager.numberOfTaskSlots: '1'");
        assert_eq!(of("pipeline.name"), "pipeline.name: 'it''s'");
        assert_eq!(of("rest.port"), "rest.port: '8081'");
        assert_eq!(
            of("env.java.opts.all"),
            format!("env.java.opts.all: '--add-opens=a -Djava.io.tmpdir={}/tmp'", folder.path().display())
        );
        assert!(folder.path().join("conf/log4j-console.properties").is_file());
    }
}
