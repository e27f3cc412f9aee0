//! What Amazon EMR on EKS adds to Apache Flink: its images, its marks, its credentials, its zone; and local recovery on
//! a volume of its own, which a resource without anything else of EMR may use as well.
//!
//! # Local recovery on a volume
//! With `task.local-recovery.ebs.enable` each task manager has a generic ephemeral volume, which Kubernetes makes with
//! the pod and removes with it. Flink's working directory lies on it, and so do the local copies of the state. Where
//! the resource says where that directory is, the volume is mounted there. A template that mounts something there, or
//! has a volume named [`VOLUME`], keeps what is its own: so another StorageClass is chosen, or a disk of the node.
//!
//! # What is not done here
//! * `aws.glue.enabled` and `hudi.enabled` stay in the configuration, where EMR's Flink finds them. The variables by
//!   which the entry point of EMR's images is told the same are not public, and none is invented.
//! * High availability is that of every resource (`configuration`).
//!
//! # Source
//! Amazon EMR on EKS 7.13 Development Guide; configurations that EMR 7.8 and 7.9 wrote. Apache Flink 1.20,
//! `ClusterOptions.TASK_MANAGER_PROCESS_WORKING_DIR_BASE`, `StateRecoveryOptions.LOCAL_RECOVERY`,
//! `CheckpointingOptions.LOCAL_BACKUP_ENABLED`, `HadoopConfigLoader`.

use kobel_model::deployment::{FlinkVersion, ReleaseLabel};
use kobel_model::resource_quantity::parse_memory_amount;
use serde_json::{Value, json};

use super::configuration::structured;
use super::container::{Component, offer};
use super::start::Start;
use super::template::{set_absent, slot};
use crate::configuration::Configuration;

/// The volume with the local copies of the state.
pub const VOLUME: &str = "local-recovery";
/// Where EMR publishes its images of Flink.
const IMAGES: &str = "public.ecr.aws/emr-on-eks/flink";
/// The key of the image, and what it was called before.
const IMAGE: [&str; 2] = ["kubernetes.container.image.ref", "kubernetes.container.image"];
/// The key of the class that S3A takes credentials from.
const CREDENTIALS: &str = "fs.s3a.aws.credentials.provider";
/// The class that takes them from the account of the pod, in the older and in the newer library of AWS.
const WEB_IDENTITY: [&str; 2] = [
    "com.amazonaws.auth.WebIdentityTokenCredentialsProvider",
    "software.amazon.awssdk.auth.credentials.WebIdentityTokenFileCredentialsProvider",
];
/// The oldest release that was seen to bring the newer library.
const NEWER_LIBRARY_SINCE: (u32, u32, u32) = (7, 8, 0);
/// What the options of S3A begin with: Flink reads each of them under all three.
const S3A: [&str; 3] = ["fs.s3a.", "s3a.", "s3."];
/// What these begin with is followed by in an option that says where credentials come from.
const SAYS_CREDENTIALS: [&str; 3] = ["aws.credentials.provider", "access-key", "access.key"];

/// The switch of local recovery on a volume.
const SWITCH: &str = "task.local-recovery.ebs.enable";
/// The key of the size of the volume.
const SIZE: &str = "kubernetes.taskmanager.local-recovery.persistentVolumeClaim.sizeLimit";
/// Its size unless it is set, in bytes: that of EMR's example.
const DEFAULT_SIZE: u64 = 10 << 30;
/// The StorageClass that EMR's guide has people make.
const STORAGE_CLASS: &str = "ebs-sc";
/// Where a task manager keeps what outlives its process; what is not set is read from the second.
const WORKING_DIRECTORY: [&str; 2] = ["process.taskmanager.working-dir", "process.working-dir"];
/// Where that is unless it is set.
const DIRECTORY: &str = "/opt/flink/local-recovery";
/// A group that may write to the volume: every process of the pod is in it, whoever the image runs as.
const GROUP: u32 = 9999;
/// The oldest line that has an option each for making local copies and for reading them.
const TWO_OPTIONS_SINCE: FlinkVersion = FlinkVersion::V1_20;
/// The options that switch local copies on: the one of all lines, and the two.
const LOCAL_RECOVERY: [&str; 3] = [
    "state.backend.local-recovery",
    "execution.checkpointing.local-backup.enabled",
    "execution.state-recovery.from-local",
];

/// The labels of EMR's pods; the first says what component it is.
const MARKS: [&str; 2] = ["emr-containers.amazonaws.com/component", "emr-containers.amazonaws.com/resource.type"];

/// Whether the resource asks for a release of EMR or to act as a role of AWS.
pub fn is_emr(start: &Start<'_>) -> bool {
    let cluster = &start.deployment.cluster;
    cluster.release_label.is_some() || cluster.execution_role_arn.is_some()
}

/// The image of the release of EMR that the resource names: `emr-7.12.0-flink-latest` is
/// `…/emr-7.12.0-flink:latest`. An image that the resource names itself goes before it.
pub fn image(start: &Start<'_>) -> Option<String> {
    let label = start.deployment.cluster.release_label.as_ref()?;
    let (release, tag) = label.as_str().rsplit_once("-flink-")?;
    Some(format!("{IMAGES}/{release}-flink:{tag}"))
}

/// Says what EMR says where a resource is silent. `configuration` holds what the operator says by itself; what the
/// resource says comes over it afterwards.
pub fn configure(configuration: &mut Configuration, start: &Start<'_>) {
    if let Some(image) = image(start) {
        let [key, older] = IMAGE;
        configuration.remove(older);
        configuration.force(key, image);
    }
    if is_emr(start) {
        for component in [Component::JobManager, Component::TaskManager] {
            let key = format!("kubernetes.{}.labels", component.as_str());
            let mut labels = structured::map(configuration, &key);
            labels.extend(marks(component));
            configuration.force(&key, structured::print_map(&labels));
        }
        credentials(configuration, start);
    }
    if has_volume(start) {
        local_recovery(configuration, start);
    }
}

/// Marks a pod as one of EMR's and steers it to the zone of its cluster; mounts the volume for local recovery.
///
/// Zones are only preferred, so a full zone or an autoscaler of nodes cannot leave a pod without a node.
pub fn adorn(pod: &mut Value, start: &Start<'_>, component: Component) {
    if is_emr(start) {
        for (label, value) in marks(component) {
            set_absent(pod, &["metadata", "labels", &label], Value::from(value));
        }
        if start.deployment.cluster.high_availability.is_on() {
            same_zone(pod, start);
        }
    }
    if component == Component::TaskManager && has_volume(start) {
        offer(pod, volume(start), working_directory(start).unwrap_or(DIRECTORY));
        set_absent(pod, &["spec", "securityContext", "fsGroup"], json!(GROUP));
    }
}

/// The labels that tell what a pod is.
fn marks(component: Component) -> [(String, String); 2] {
    let [of_component, of_resource] = MARKS.map(str::to_owned);
    [(of_component, format!("flink.{}", component.as_str())), (of_resource, "flink.operator".to_owned())]
}

/// Has S3A take its credentials from the account of the pod, unless anyone says where they come from.
fn credentials(configuration: &mut Configuration, start: &Start<'_>) {
    let says = |key: &str| {
        let mut options = S3A.iter().filter_map(|prefix| key.strip_prefix(prefix));
        options.any(|option| SAYS_CREDENTIALS.contains(&option))
    };
    let own = &start.deployment.cluster.flink_configuration;
    if own.values().keys().chain(configuration.values().keys()).any(|key| says(key)) {
        return;
    }
    let release = start.deployment.cluster.release_label.as_ref().map(ReleaseLabel::version);
    let [older, newer] = WEB_IDENTITY;
    let is_newer = release.is_some_and(|release| release >= NEWER_LIBRARY_SINCE);
    configuration.force(CREDENTIALS, if is_newer { newer } else { older });
}

/// Keeps the pods of one cluster together as far as there is room.
fn same_zone(pod: &mut Value, start: &Start<'_>) {
    let term = json!({
        "weight": 100,
        "podAffinityTerm": {
            "labelSelector": { "matchLabels": start.labels() },
            "topologyKey": "topology.kubernetes.io/zone",
        },
    });
    let affinity = slot(pod, &["spec", "affinity"]);
    set_absent(affinity, &["podAffinity"], json!({ "preferredDuringSchedulingIgnoredDuringExecution": [term] }));
}

/// What the resource, or else the operator, says.
fn said<'a>(start: &Start<'a>, key: &str) -> Option<&'a str> {
    let own = start.deployment.cluster.flink_configuration.get(key);
    own.or_else(|| start.defaults.get(key).map(String::as_str)).map(str::trim)
}

/// Whether each task manager has a volume for local recovery.
pub fn has_volume(start: &Start<'_>) -> bool {
    said(start, SWITCH).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// Switches on what needs the volume, unless anyone says otherwise.
fn local_recovery(configuration: &mut Configuration, start: &Start<'_>) {
    if working_directory(start).is_none() {
        let [key, _] = WORKING_DIRECTORY;
        configuration.default_to(key, DIRECTORY);
    }
    if LOCAL_RECOVERY.iter().any(|key| said(start, key).is_some()) {
        return;
    }
    let [one, two @ ..] = LOCAL_RECOVERY;
    let is_newer = start.deployment.cluster.flink_version >= TWO_OPTIONS_SINCE;
    for key in if is_newer { two.to_vec() } else { vec![one] } {
        configuration.default_to(key, "true");
    }
}

/// Where a task manager keeps what outlives its process, if anyone says so.
fn working_directory<'a>(start: &Start<'a>) -> Option<&'a str> {
    WORKING_DIRECTORY.iter().find_map(|key| said(start, key)).filter(|path| path.starts_with('/'))
}

/// The volume for local recovery.
fn volume(start: &Start<'_>) -> Value {
    let size = said(start, SIZE).and_then(|text| parse_memory_amount(text).ok());
    let mebibytes = size.unwrap_or(DEFAULT_SIZE).div_ceil(1 << 20);
    let claim = json!({
        "metadata": { "labels": start.component(Component::TaskManager.as_str()) },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": STORAGE_CLASS,
            "resources": { "requests": { "storage": format!("{mebibytes}Mi") } },
        },
    });
    json!({ "name": VOLUME, "ephemeral": { "volumeClaimTemplate": claim } })
}

#[cfg(test)]
mod tests {
    use super::super::tests::Case;
    use super::*;

    const ON: (&str, &str) = (SWITCH, "true");

    fn session(options: &[(&str, &str)]) -> Case {
        Case::session().configured(options)
    }

    fn of_release(label: &str, options: &[(&str, &str)]) -> Case {
        session(options).with(|cluster| cluster.release_label = ReleaseLabel::parse(label))
    }

    fn configured(case: &Case) -> Configuration {
        let mut configuration = Configuration::default();
        configure(&mut configuration, &case.start());
        configuration
    }

    fn adorned(case: &Case, component: Component, template: &Value) -> Value {
        let mut pod = template.clone();
        adorn(&mut pod, &case.start(), component);
        pod
    }

    #[test]
    fn a_release_brings_its_image_its_marks_and_the_credentials_of_its_library() {
        for (label, expected, provider) in [
            ("emr-7.12.0-flink-latest", "emr-7.12.0-flink:latest", WEB_IDENTITY[1]),
            ("emr-7.8.0-flink-20250228", "emr-7.8.0-flink:20250228", WEB_IDENTITY[1]),
            ("emr-6.15.0-flink-latest", "emr-6.15.0-flink:latest", WEB_IDENTITY[0]),
        ] {
            let configuration = configured(&of_release(label, &[]));
            let expected = format!("public.ecr.aws/emr-on-eks/flink/{expected}");
            assert_eq!(configuration.get(IMAGE[0]), Some(expected.as_str()), "{label}");
            assert_eq!(configuration.get(CREDENTIALS), Some(provider), "{label}");
            let marks = configuration.get("kubernetes.taskmanager.labels").unwrap();
            assert!(marks.contains("emr-containers.amazonaws.com/component:flink.taskmanager"), "{marks}");
            assert!(marks.contains("emr-containers.amazonaws.com/resource.type:flink.operator"), "{marks}");
        }
        assert!(configured(&session(&[])).values().is_empty(), "nothing of EMR unless it is asked for");
    }

    #[test]
    fn a_role_alone_brings_no_image_and_the_class_that_apache_flink_has() {
        let role = "arn:aws:iam::111122223333:role/job".to_owned();
        let configuration = configured(&session(&[]).with(|cluster| cluster.execution_role_arn = Some(role)));
        assert_eq!(configuration.get(IMAGE[0]), None);
        assert_eq!(configuration.get(CREDENTIALS), Some(WEB_IDENTITY[0]));
    }

    #[test]
    fn whoever_says_where_credentials_come_from_is_left_alone() {
        for key in ["fs.s3a.aws.credentials.provider", "s3.access-key", "s3.access.key", "s3a.access.key"] {
            let case = of_release("emr-7.12.0-flink-latest", &[(key, "mine")]);
            assert_eq!(configured(&case).get(CREDENTIALS), None, "{key}");
        }
        let case = of_release("emr-7.12.0-flink-latest", &[("s3.endpoint", "http://store")]);
        assert_eq!(configured(&case).get(CREDENTIALS), Some(WEB_IDENTITY[1]));
    }

    #[test]
    fn pods_of_emr_are_marked_and_kept_in_one_zone_unless_their_template_says_otherwise() {
        let case = of_release("emr-7.12.0-flink-latest", &[]);
        let pod = adorned(&case, Component::JobManager, &json!({}));
        assert_eq!(pod["metadata"]["labels"]["emr-containers.amazonaws.com/component"], "flink.jobmanager");
        assert_eq!(pod.pointer("/spec/affinity"), None, "without high availability");
        let case = case.highly_available();
        let pod = adorned(&case, Component::TaskManager, &json!({}));
        let preferred = &pod["spec"]["affinity"]["podAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"];
        assert_eq!(preferred[0]["podAffinityTerm"]["topologyKey"], "topology.kubernetes.io/zone");
        let together = json!({ "app": "flights", "type": "flink-native-kubernetes" });
        assert_eq!(preferred[0]["podAffinityTerm"]["labelSelector"]["matchLabels"], together);
        let own = json!({ "spec": { "affinity": { "nodeAffinity": { "a": 1 }, "podAffinity": { "b": 2 } } } });
        let pod = adorned(&case, Component::TaskManager, &own);
        assert_eq!(pod["spec"]["affinity"], own["spec"]["affinity"]);
        assert_eq!(adorned(&session(&[]), Component::TaskManager, &json!({})), json!({}), "nothing without EMR");
    }

    #[test]
    fn local_recovery_has_a_volume_of_its_own_below_the_working_directory_of_each_task_manager() {
        for (options, path, storage) in [
            (vec![ON], DIRECTORY, "10240Mi"),
            (vec![ON, (SIZE, "100Gi")], DIRECTORY, "102400Mi"),
            (vec![ON, (SIZE, "20 gb")], DIRECTORY, "20480Mi"),
            (vec![ON, (SIZE, "0")], DIRECTORY, "10240Mi"),
            (vec![ON, ("process.working-dir", "/data")], "/data", "10240Mi"),
        ] {
            let case = session(&options);
            let pod = adorned(&case, Component::TaskManager, &json!({}));
            let spec = pod.pointer("/spec/volumes/0/ephemeral/volumeClaimTemplate/spec").unwrap();
            assert_eq!(spec["storageClassName"], "ebs-sc");
            assert_eq!(spec["resources"]["requests"]["storage"], storage, "{options:?}");
            assert_eq!(pod["spec"]["containers"][0]["volumeMounts"][0]["mountPath"], path, "{options:?}");
            assert_eq!(pod["spec"]["securityContext"]["fsGroup"], GROUP);
            let told = configured(&case);
            let told = told.get(WORKING_DIRECTORY[0]);
            assert_eq!(told, (path == DIRECTORY).then_some(DIRECTORY), "{options:?}");
            assert_eq!(adorned(&case, Component::JobManager, &json!({})), json!({}), "task managers only");
        }
    }

    #[test]
    fn a_volume_of_the_template_takes_the_place_of_ours() {
        let disk = json!({ "name": VOLUME, "hostPath": { "path": "/mnt/nvme" } });
        let template = json!({ "spec": { "volumes": [disk], "securityContext": { "fsGroup": 7 } } });
        let pod = adorned(&session(&[ON]), Component::TaskManager, &template);
        assert_eq!(pod["spec"]["volumes"], json!([disk]));
        assert_eq!(pod["spec"]["containers"][0]["volumeMounts"][0]["name"], VOLUME);
        assert_eq!(pod["spec"]["securityContext"]["fsGroup"], 7);
        let mounts = json!([{ "name": "mine", "mountPath": DIRECTORY }]);
        let main = json!([{ "name": "flink-main-container", "volumeMounts": mounts }]);
        let pod = adorned(&session(&[ON]), Component::TaskManager, &json!({ "spec": { "containers": main } }));
        assert_eq!(pod["spec"]["containers"], main);
    }

    #[test]
    fn a_volume_switches_local_recovery_on_in_the_spelling_of_the_line_unless_anyone_says_otherwise() {
        let [one, making, reading] = LOCAL_RECOVERY;
        for (line, own, expected) in [
            (FlinkVersion::V1_19, None, vec![one]),
            (FlinkVersion::V1_20, None, vec![making, reading]),
            (FlinkVersion::V2_3, None, vec![making, reading]),
            (FlinkVersion::V1_20, Some((one, "false")), vec![]),
            (FlinkVersion::V1_20, Some((reading, "true")), vec![]),
        ] {
            let options: Vec<_> = [ON].into_iter().chain(own).collect();
            let configuration = configured(&session(&options).with(|cluster| cluster.flink_version = line));
            let set: Vec<_> = LOCAL_RECOVERY.into_iter().filter(|key| configuration.get(key).is_some()).collect();
            assert_eq!(set, expected, "{line} {own:?}");
        }
        assert!(!has_volume(&session(&[(SWITCH, "false")]).start()));
    }
}
