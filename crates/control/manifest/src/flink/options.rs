//! What the processes of Flink are told, apart from the job.

use std::path::Path;

use kobel_model::deployment::{Deployment, FlinkVersion};

use super::availability;
use crate::configuration::Configuration;
use crate::place::{FlinkHome, Place, file_path};

/// What Flink and its state backends need to see of Java's own classes; releases of Java that lack one of these only
/// warn. A distribution says the same in its own configuration, which is not read.
const JAVA_OPTIONS: &str = "--add-exports=java.base/sun.net.util=ALL-UNNAMED \
                            --add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED \
                            --add-exports=jdk.compiler/com.sun.tools.javac.api=ALL-UNNAMED \
                            --add-exports=jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED \
                            --add-exports=jdk.compiler/com.sun.tools.javac.parser=ALL-UNNAMED \
                            --add-exports=jdk.compiler/com.sun.tools.javac.tree=ALL-UNNAMED \
                            --add-exports=jdk.compiler/com.sun.tools.javac.util=ALL-UNNAMED \
                            --add-exports=java.security.jgss/sun.security.krb5=ALL-UNNAMED \
                            --add-opens=java.base/java.lang=ALL-UNNAMED \
                            --add-opens=java.base/java.net=ALL-UNNAMED \
                            --add-opens=java.base/java.io=ALL-UNNAMED \
                            --add-opens=java.base/java.nio=ALL-UNNAMED \
                            --add-opens=java.base/sun.nio.ch=ALL-UNNAMED \
                            --add-opens=java.base/java.lang.reflect=ALL-UNNAMED \
                            --add-opens=java.base/java.text=ALL-UNNAMED \
                            --add-opens=java.base/java.time=ALL-UNNAMED \
                            --add-opens=java.base/java.util=ALL-UNNAMED \
                            --add-opens=java.base/java.util.concurrent=ALL-UNNAMED \
                            --add-opens=java.base/java.util.concurrent.atomic=ALL-UNNAMED \
                            --add-opens=java.base/java.util.concurrent.locks=ALL-UNNAMED";

/// Where Java puts its temporary files. The SQL planner unpacks itself there, 45 MB for each process, whatever `io.tmp.dirs`
/// says (`PlannerModule`); a killed process leaves them behind, so they go with the folder of the application.
const TEMPORARY_FOLDER: &str = "-Djava.io.tmpdir=";

/// The key of Java's options since 1.17, and before.
const JAVA_OPTIONS_KEYS: [&str; 2] = ["env.java.opts.all", "env.java.opts"];

/// What the start decides itself: where things lie and listen, and who starts what.
const DECIDED_HERE: [&str; 18] = [
    "env.java.home",
    "env.log.dir",
    "env.pid.dir",
    "env.stdout-err.redirect-to-file",
    "execution.attached",
    "execution.target",
    "jobmanager.rpc.bind-port",
    // What is told of checkpoints is as old as the rest, so that it is known how old it is.
    "rest.cache.checkpoint-statistics.timeout",
    "taskmanager.data.bind-port",
    "taskmanager.data.port",
    "taskmanager.log.path",
    "taskmanager.resource-id",
    "taskmanager.rpc.bind-port",
    "taskmanager.rpc.port",
    "web.log.path",
    "web.port",
    "jobmanager.web.port",
    "jobmanager.web.address",
];

/// What every cluster of `deployment` is told; `instance` tells one start from another.
pub(super) fn of_cluster(deployment: &Deployment, place: &Place, instance: &str) -> Configuration {
    let cluster = &deployment.cluster;
    let mut configuration = Configuration::of(&cluster.flink_configuration);
    let identity = &deployment.identity;
    let id = format!("{}-{}-{instance}", identity.namespace, identity.name);
    availability::configure(&mut configuration, cluster, place, &id);
    results(&mut configuration, deployment, &place.folder);
    configuration.remove_below("kobel.");
    for key in DECIDED_HERE {
        configuration.remove(key);
    }
    let temporary = place.folder.join("tmp");
    java_options(&mut configuration, cluster.flink_version, &temporary.to_string_lossy());
    configuration.default_to("io.tmp.dirs", temporary.to_string_lossy());
    configuration.default_to("web.tmpdir", temporary.to_string_lossy());
    for (key, value) in [
        // A lost process is noticed by calls that fail; more of them notice it sooner. The time-out stays long.
        ("heartbeat.interval", "2 s"),
        // For so long the REST API may show what was.
        ("web.refresh-interval", "1000"),
        ("web.cancel.enable", "false"),
    ] {
        configuration.default_to(key, value);
    }
    for key in [
        "jobmanager.bind-host",
        "jobmanager.rpc.address",
        "rest.address",
        "rest.bind-address",
        "taskmanager.bind-host",
        "taskmanager.host",
    ] {
        configuration.force(key, "127.0.0.1");
    }
    let ports = place.ports;
    for (key, port) in [
        ("blob.server.port", ports.blob),
        ("jobmanager.rpc.port", ports.rpc),
        ("rest.bind-port", ports.rest),
        ("rest.port", ports.rest),
    ] {
        configuration.force(key, port.to_string());
    }
    configuration.force("taskmanager.numberOfTaskSlots", cluster.task_manager.slots.to_string());
    configuration
}

/// What a cluster is told that is there for one job.
pub(super) fn of_application(configuration: &mut Configuration, home: &FlinkHome) {
    configuration.force("execution.shutdown-on-application-finish", "false");
    configuration.default_to("execution.submit-failed-job-on-application-error", "true");
    python(configuration, home);
}

/// Says which interpreter runs Python.
pub(super) fn python(configuration: &mut Configuration, home: &FlinkHome) {
    if let Some(python) = &home.python {
        for key in ["python.client.executable", "python.executable"] {
            configuration.default_to(key, python.to_string_lossy());
        }
    }
}

/// Takes away what only a whole cluster can be told, so that the rest can be told to one job of it.
pub(crate) fn forget_the_cluster(configuration: &mut Configuration) {
    for prefix in ["kobel.", "high-availability", "rest.", "env.", "blob.", "web."] {
        configuration.remove_below(prefix);
    }
    for key in DECIDED_HERE {
        configuration.remove(key);
    }
}

/// Keeps what became of jobs that have ended, so that a job manager that takes over does not run them again, below the
/// folder of the application. What belongs to the one job of an application lies where the next launch clears away; a
/// session cluster removes each by itself.
fn results(configuration: &mut Configuration, deployment: &Deployment, folder: &Path) {
    if configuration.get("high-availability.cluster-id").is_none() {
        return;
    }
    let (folder, is_removed_by_flink) = match &deployment.cluster.job {
        Some(_) => (folder.join("tmp"), "false"),
        None => (folder.to_path_buf(), "true"),
    };
    for (store, directory) in [("job-result-store", "job-results"), ("application-result-store", "application-results")]
    {
        configuration.force(&format!("{store}.storage-path"), file_path(&folder.join(directory)));
        configuration.force(&format!("{store}.delete-on-commit"), is_removed_by_flink);
    }
}

fn java_options(configuration: &mut Configuration, line: FlinkVersion, temporary: &str) {
    let own = JAVA_OPTIONS_KEYS.iter().find_map(|key| configuration.get(key)).unwrap_or_default();
    // The scripts split options at white space.
    let is_settable = !own.contains(TEMPORARY_FOLDER) && !temporary.contains(char::is_whitespace);
    let folder = if is_settable { format!(" {TEMPORARY_FOLDER}{temporary}") } else { String::new() };
    let options = format!("{JAVA_OPTIONS}{folder} {own}").trim_end().to_owned();
    for key in JAVA_OPTIONS_KEYS {
        configuration.remove(key);
    }
    let [key, older] = JAVA_OPTIONS_KEYS;
    configuration.force(if line < FlinkVersion::V1_17 { older } else { key }, options);
}

#[cfg(test)]
mod tests {
    use kobel_model::deployment::FlinkConfiguration;

    use super::*;

    #[test]
    fn java_puts_its_files_where_the_application_is_unless_told_otherwise() {
        for (own, temporary, expected) in [
            ("", "/data/app/tmp", " -Djava.io.tmpdir=/data/app/tmp"),
            ("-Da=b", "/data/app/tmp", " -Djava.io.tmpdir=/data/app/tmp -Da=b"),
            ("-Da=b", "/data/my app/tmp", " -Da=b"),
            ("-Djava.io.tmpdir=/mnt", "/data/app/tmp", " -Djava.io.tmpdir=/mnt"),
        ] {
            let declared = [("env.java.opts.all".to_owned(), own.to_owned())];
            let mut configuration = Configuration::of(&FlinkConfiguration::new(declared.into()));
            java_options(&mut configuration, FlinkVersion::V2_0, temporary);
            let options = configuration.get("env.java.opts.all").unwrap();
            assert_eq!(options.strip_prefix(JAVA_OPTIONS), Some(expected), "{own} {temporary}");
        }
    }
}
