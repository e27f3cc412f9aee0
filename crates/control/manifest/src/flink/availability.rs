//! What lets another job manager take over: in which store a leader is elected, and where the rest is kept.
//!
//! Job managers that stand by elect their leader in a ZooKeeper that the distribution brings along. It is one process
//! of the launch, on loopback like the others. What it holds, and what it points to, lies among the scratch files of
//! the launch: within a launch a job manager goes on from the newest checkpoint that the store knows, and the next
//! launch goes on from the snapshot that it is given and from nothing else. A store that the configuration names is
//! used as it is; there the name of the cluster keeps one launch from what another has left.
//!
//! # Source
//! Apache Flink 1.20 and 2.3, `HighAvailabilityOptions`, `ClusterEntrypoint.getRPCPortRange`; Apache ZooKeeper 3.7 as
//! it is shaded there, `QuorumPeerConfig`, `DatadirCleanupManager`.

use std::path::{Path, PathBuf};

use kobel_model::deployment::Cluster;

use crate::configuration::Configuration;
use crate::launch::File;
use crate::place::{FlinkHome, Place, Ports, file_path};

/// The role of the process that keeps the store.
pub(super) const ZOOKEEPER: &str = "zookeeper";
/// The bytes of memory that it may use; it needs a third of them.
pub(super) const ZOOKEEPER_MEMORY: u64 = 256 << 20;

/// The key of the kind of store.
const TYPE: &str = "high-availability.type";
/// The older spelling of it.
const OLDER_TYPE: &str = "high-availability";
/// The key of the addresses of a ZooKeeper.
const QUORUM: &str = "high-availability.zookeeper.quorum";
/// The key of the port that a job manager is called on once a leader is elected.
const PORT: &str = "high-availability.jobmanager.port";
/// The class that runs a ZooKeeper, and purges what it does not need any more.
const MAIN: &str = "org.apache.flink.shaded.zookeeper3.org.apache.zookeeper.server.quorum.QuorumPeerMain";
/// The file with its configuration.
const FILE: &str = "zoo.cfg";

/// In which store a leader is elected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Store {
    /// There is no election: the one job manager leads.
    None,
    /// One that the configuration names.
    Theirs,
    /// A ZooKeeper of this launch.
    Ours,
}

/// The store of `cluster`. That of Kubernetes cannot be reached from here.
pub(super) fn store(cluster: &Cluster) -> Store {
    let configuration = &cluster.flink_configuration;
    let kind = configuration.get(TYPE).or_else(|| configuration.get(OLDER_TYPE));
    let kind = kind.map(str::trim).unwrap_or_default().to_ascii_lowercase();
    let is_class = kind.contains('.') && !kind.contains("kubernetes");
    let has_standbys = cluster.job_manager.replicas > 1;
    let is_named = kind == ZOOKEEPER && (configuration.get(QUORUM).is_some() || !has_standbys);
    match (is_class || is_named, has_standbys) {
        (true, _) => Store::Theirs,
        (false, true) => Store::Ours,
        (false, false) => Store::None,
    }
}

/// Says where the store is, and which cluster of it this is.
pub(super) fn configure(configuration: &mut Configuration, cluster: &Cluster, place: &Place, id: &str) {
    match store(cluster) {
        Store::None => {
            for prefix in ["high-availability", "job-result-store.", "application-result-store."] {
                configuration.remove_below(prefix);
            }
            return;
        }
        Store::Theirs => {}
        Store::Ours => {
            configuration.remove(OLDER_TYPE);
            configuration.force(TYPE, ZOOKEEPER);
            configuration.force(QUORUM, format!("127.0.0.1:{}", place.standbys.zookeeper));
            configuration.force("high-availability.storageDir", file_path(&place.folder.join("tmp").join("ha")));
            configuration.force("zookeeper.sasl.disable", "true");
            for (key, value) in [
                // For so long a job manager that was killed still leads; a pause of the machine must be shorter.
                ("high-availability.zookeeper.client.session-timeout", "10000"),
                // Nothing can come between processes of one machine, so a store that is started again has lost nothing.
                ("high-availability.zookeeper.client.tolerate-suspended-connections", "true"),
            ] {
                configuration.default_to(key, value);
            }
        }
    }
    configuration.force("high-availability.cluster-id", id);
    configuration.force(PORT, place.ports.rpc.to_string());
}

/// What a job manager that stands by is told in place of what stands in the configuration of all.
pub(super) fn standby_arguments(ports: &Ports) -> Vec<String> {
    let own = [
        ("blob.server.port", ports.blob),
        (PORT, ports.rpc),
        ("jobmanager.rpc.port", ports.rpc),
        ("rest.bind-port", ports.rest),
        ("rest.port", ports.rest),
    ];
    own.into_iter().flat_map(|(key, port)| ["-D".to_owned(), format!("{key}={port}")]).collect()
}

/// The program of the ZooKeeper.
pub(super) fn zookeeper_program(home: &FlinkHome) -> PathBuf {
    home.java_home.join("bin").join("java")
}

/// What the ZooKeeper is given; its configuration lies in `directory`, below `folder`, in which it is started.
pub(super) fn zookeeper_arguments(home: &FlinkHome, folder: &Path, directory: &str) -> Vec<String> {
    let text = |path: PathBuf| path.to_string_lossy().into_owned();
    vec![
        "-Xms16m".to_owned(),
        "-Xmx64m".to_owned(),
        "-XX:+UseSerialGC".to_owned(),
        "-Dzookeeper.jmx.log4j.disable=true".to_owned(),
        format!("-Dlog.file=log/{ZOOKEEPER}.log"),
        format!("-Dlog4j.configurationFile={directory}/log4j-console.properties"),
        "-cp".to_owned(),
        text(home.home.join("lib").join("*")),
        MAIN.to_owned(),
        text(folder.join(directory).join(FILE)),
    ]
}

/// The configuration of the ZooKeeper. Its directory is relative, since the format knows few characters.
pub(super) fn zookeeper_file(port: u16, directory: &str) -> File {
    let text = format!(
        "admin.enableServer=false\n\
         autopurge.purgeInterval=1\n\
         autopurge.snapRetainCount=3\n\
         clientPort={port}\n\
         clientPortAddress=127.0.0.1\n\
         dataDir=./tmp/{ZOOKEEPER}\n\
         maxClientCnxns=0\n\
         snapCount=10000\n\
         tickTime=2000\n"
    );
    File { path: Path::new(directory).join(FILE), text }
}
