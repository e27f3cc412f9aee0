//! Job managers that stand by, and the store in which they elect their leader.

use super::*;

const KUBERNETES: [(&str, &str); 3] = [
    ("kobel.engine", "flink"),
    ("high-availability.type", "kubernetes"),
    ("high-availability.storageDir", "s3://b/ha"),
];

/// A deployment of a script with two job managers and one task manager, with ports for the second one.
fn pair(values: &[(&str, &str)]) -> (Deployment, Place) {
    let mut deployment = deployment(Some(job(ArtifactKind::Sql)), values);
    deployment.cluster.job_manager.replicas = 2;
    deployment.cluster.task_manager.replicas = Some(1);
    deployment.cluster.high_availability = HighAvailability::On { storage_dir: None };
    let mut place = place("/a/flights.sql");
    let standby = Ports { rest: 40011, rpc: 40012, blob: 40013 };
    place.standbys = Standbys { job_managers: vec![standby], zookeeper: 40020 };
    (deployment, place)
}

/// The lines of the configuration about high availability.
fn availability(launch: &Launch) -> Vec<&str> {
    let keys = [
        "high-availability",
        "zookeeper",
        "application-result-store",
        "job-result-store",
        "blob.",
        "rest.",
        "jobmanager.rpc",
    ];
    launch.files[0].text.lines().filter(|line| keys.iter().any(|key| line.starts_with(key))).collect()
}

#[test]
fn a_second_job_manager_stands_by_in_a_zookeeper_of_the_launch() {
    let (deployment, place) = pair(&KUBERNETES);
    let launch = application(&deployment, &RESTORED, &place);
    check(
        &processes(&launch).replace("org.apache.flink.shaded.zookeeper3.org.apache.zookeeper.", ""),
        expect![[r#"
        REST on 40001
        zookeeper: /opt/java/bin/java ["-Xms16m",
            "-Xmx64m",
            "-XX:+UseSerialGC",
            "-Dzookeeper.jmx.log4j.disable=true",
            "-Dlog.file=log/zookeeper.log",
            "-Dlog4j.configurationFile=conf/log4j-console.properties",
            "-cp", "/opt/flink/lib/*", "server.quorum.QuorumPeerMain", "/data/my app/conf/zoo.cfg"]
          in /data/my app, Some(256) MiB, None m
        jobmanager: bash ["/opt/flink/bin/standalone-job.sh", "start-foreground",
            "--fromSavepoint", "file:///s/savepoint-1",
            "--jars", "local:///cache/runner.jar",
            "--job-classname", "SqlRunner",
            "--", "/a/flights.sql"]
          in /data/my app, Some(1600) MiB, Some(2000) m
        jobmanager-2: bash ["/opt/flink/bin/standalone-job.sh", "start-foreground",
            "-D", "blob.server.port=40013",
            "-D", "high-availability.jobmanager.port=40012",
            "-D", "jobmanager.rpc.port=40012",
            "-D", "rest.bind-port=40011",
            "-D", "rest.port=40011",
            "--fromSavepoint", "file:///s/savepoint-1",
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
    assert_eq!(
        availability(&launch),
        [
            "application-result-store.delete-on-commit: 'false'",
            "application-result-store.storage-path: 'file:///data/my app/tmp/application-results'",
            "blob.server.port: '40003'",
            "high-availability.cluster-id: 'team-flights-0a0b0c0d0e0f00000000000000000001'",
            "high-availability.jobmanager.port: '40002'",
            "high-availability.storageDir: 'file:///data/my app/tmp/ha'",
            "high-availability.type: 'zookeeper'",
            "high-availability.zookeeper.client.session-timeout: '10000'",
            "high-availability.zookeeper.client.tolerate-suspended-connections: 'true'",
            "high-availability.zookeeper.quorum: '127.0.0.1:40020'",
            "job-result-store.delete-on-commit: 'false'",
            "job-result-store.storage-path: 'file:///data/my app/tmp/job-results'",
            "jobmanager.rpc.address: '127.0.0.1'",
            "jobmanager.rpc.port: '40002'",
            "rest.address: '127.0.0.1'",
            "rest.bind-address: '127.0.0.1'",
            "rest.bind-port: '40001'",
            "rest.port: '40001'",
            "zookeeper.sasl.disable: 'true'",
        ]
    );
}

#[test]
fn the_zookeeper_keeps_what_it_holds_among_the_scratch_files() {
    let (deployment, place) = pair(&KUBERNETES);
    let launch = application(&deployment, &FRESH, &place);
    let file = launch.files.iter().find(|file| file.path.ends_with("zoo.cfg")).expect("its configuration");
    for line in ["dataDir=./tmp/zookeeper", "clientPort=40020", "clientPortAddress=127.0.0.1"] {
        assert!(file.text.lines().any(|found| found == line), "{line}: {}", file.text);
    }
}

#[test]
fn every_process_tells_its_own_port_and_the_launch_all_of_them() {
    let (deployment, place) = pair(&KUBERNETES);
    let launch = application(&deployment, &FRESH, &place);
    let told: Vec<(&str, Option<u16>)> =
        launch.processes.iter().map(|process| (process.role.as_str(), process.rest_port)).collect();
    assert_eq!(
        told,
        [("zookeeper", None), ("jobmanager", Some(40001)), ("jobmanager-2", Some(40011)), ("taskmanager-1", None)]
    );
    assert_eq!(launch.ports, [40001, 40002, 40003, 40011, 40012, 40013, 40020]);
}

#[test]
fn a_store_that_the_configuration_names_is_used_as_it_is() {
    let values = [
        ("kobel.engine", "flink"),
        ("high-availability.type", "zookeeper"),
        ("high-availability.zookeeper.quorum", "zk.example.com:2181"),
        ("high-availability.storageDir", "s3://b/ha"),
    ];
    let (deployment, place) = pair(&values);
    let launch = application(&deployment, &FRESH, &place);
    let roles: Vec<&str> = launch.processes.iter().map(|process| process.role.as_str()).collect();
    assert_eq!(roles, ["jobmanager", "jobmanager-2", "taskmanager-1"]);
    let told = availability(&launch);
    for line in [
        "high-availability.storageDir: 's3://b/ha'",
        "high-availability.zookeeper.quorum: 'zk.example.com:2181'",
        "high-availability.jobmanager.port: '40002'",
    ] {
        assert!(told.contains(&line), "{line}: {told:?}");
    }
    assert!(!launch.files.iter().any(|file| file.path.ends_with("zoo.cfg")));
}

#[test]
fn a_session_cluster_has_standbys_too() {
    let (mut deployment, place) = pair(&KUBERNETES);
    deployment.cluster.job = None;
    let launch = session(&deployment, &place);
    let standby = &launch.processes[2];
    assert_eq!((standby.role.as_str(), standby.rest_port), ("jobmanager-2", Some(40011)));
    assert_eq!(standby.arguments[1..4], ["start-foreground", "-D", "blob.server.port=40013"]);
}

#[test]
fn as_many_stand_by_as_are_asked_for_on_apache_flink_and_none_on_our_own_engine() {
    for (engine, replicas, expected) in [("flink", 1, 0), ("flink", 3, 2), ("native", 3, 0)] {
        let mut deployment = deployment(Some(job(ArtifactKind::Sql)), &[("kobel.engine", engine)]);
        deployment.cluster.job_manager.replicas = replicas;
        assert_eq!(standbys(&deployment.cluster), expected, "{replicas} on {engine}");
    }
}
