//! The webhook, asked by a real API server at the address that the endpoints of its Service name: what it refuses, what
//! is refused without it, and that the certificates change without the loss of an admission.

use std::collections::BTreeSet;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kobel_conformance::acceptance::manifests;
use kobel_testkit::or_skip;
use kobel_testkit::process::{Running, free_port};
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::Status;
use kube::{Client, Error};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::chart::Release;
use crate::client::{PATIENCE, connect, resource, text};
use crate::fixture::cluster;
use crate::manifests::{application, session, standalone};
use crate::operator::{Operator, kobel};
use crate::stage::{Stage, on_stage};

const FLINK: &str = "flink.apache.org/v1beta1";
/// How a refusal of the webhook begins.
const DENIED: &str = "admission webhook \"validate.flink.apache.org\" denied the request: ";
/// The Secret of its certificates.
const SECRET: &str = "kobel-webhook-tls";
/// The file that the command line is given.
const FILE: &str = "orders.json";
/// How many ask at a time while the certificates change.
const ASKING: usize = 2;
/// How much longer they ask.
const LONGER: Duration = Duration::from_secs(2);
/// How many admissions there are at least meanwhile.
const ADMISSIONS_MIN: usize = 500;

/// A release with a webhook for the namespace of the stage alone, and its operator, which API servers ask.
struct Asked {
    release: Release,
    operator: Operator,
}

impl Asked {
    /// Starts it; what becomes of an object while it does not answer is up to the policy.
    async fn by(stage: &mut Stage, address: Ipv4Addr, policy: &str) -> Self {
        stage.operator.kill();
        // The operator is no pod, but answers for those that the chart makes.
        let annotations = json!({"kube-fixture/address": address.to_string(), "kube-fixture/answers": "true"});
        let port = free_port().expect("a free port");
        let values = json!({
            "watchNamespaces": [stage.namespace()],
            // The account of jobs is there.
            "jobServiceAccount": {"create": false},
            "operatorPod": {"annotations": annotations},
            "webhook": {"create": true, "port": port, "failurePolicy": policy},
        });
        let release = stage.install_besides(values);
        stage.take_as_bare().await;
        let operator = Operator::start_with(&release.account().await, release.arguments().await);
        answers(stage).await;
        Self { release, operator }
    }

    async fn end(mut self) {
        self.operator.end();
        self.release.uninstall().await;
    }
}

/// Waits until the webhook answers.
async fn answers(stage: &Stage) {
    stage
        .until("the API server asks the webhook", async || {
            let answered = create_dry(&stage.deployments(), &wrong()).await;
            answered.is_err_and(|refusal| refusal.message.starts_with(DENIED)).then_some(())
        })
        .await;
}

/// An application that only the webhook refuses.
fn wrong() -> Value {
    let mut wrong = application("orders");
    wrong["spec"]["jobManager"]["replicas"] = json!(2);
    wrong
}

/// What an API says to a new object, which it does not store.
async fn create_dry(api: &Api<DynamicObject>, object: &Value) -> Result<(), Box<Status>> {
    let object: DynamicObject = serde_json::from_value(object.clone()).expect("an object");
    let params = PostParams { dry_run: true, ..PostParams::default() };
    api.create(&params, &object).await.map(drop).map_err(refusal)
}

fn refusal(error: Error) -> Box<Status> {
    match error {
        Error::Api(status) => status,
        other => panic!("no answer of the API: {other}"),
    }
}

#[test]
fn what_is_wrong_is_refused_in_the_words_of_the_embedded_api_and_of_the_command_line() {
    let address = or_skip!(or_skip!(cluster()).address());
    on_stage("words", async |stage: &mut Stage| {
        let asked = Asked::by(stage, address, "Fail").await;
        let embedded = Embedded::start().await;
        let mut by_webhook = 0;
        for object in offenders() {
            let told = create_dry(&stage.api(FLINK, text(&object, "/kind")), &object).await;
            let expected = create_dry(&embedded.api(text(&object, "/kind")), &object).await;
            let told = told.expect_err("the API server refuses it");
            let expected = expected.expect_err("the embedded API refuses it");
            assert_eq!((told.code, expected.code), (422, 422), "{told} {expected}");
            let Some(words) = told.message.strip_prefix(DENIED) else {
                // Who defines a kind is asked first, and whoever is not content asks nobody else.
                let (told, expected) = (causes(&told), causes(&expected));
                assert!(!told.is_empty() && told.is_subset(&expected), "{told:?} {expected:?}");
                continue;
            };
            assert_eq!(words, expected.message);
            let at_command_line = embedded.try_to_apply(&object, (stage.kubeconfig(), stage.namespace()));
            let expected = embedded.try_to_apply(&object, (embedded.kubeconfig.as_path(), "default"));
            assert!(expected.contains(" is invalid:\n"), "{expected}");
            assert_eq!(at_command_line.replace(DENIED, ""), expected);
            by_webhook += 1;
        }
        assert!(by_webhook > 20, "only {by_webhook} are refused by the webhook");
        asked.end().await;
    });
}

/// The problems that a refusal names: the fields, and what is wrong with each.
fn causes(refusal: &Status) -> BTreeSet<(String, String)> {
    let causes = refusal.details.iter().flat_map(|details| &details.causes);
    causes.map(|cause| (cause.field.clone(), cause.message.clone())).collect()
}

#[test]
fn without_the_webhook_definitions_refuse_what_they_can_and_the_rest_is_told() {
    let address = or_skip!(or_skip!(cluster()).address());
    on_stage("without", async |stage: &mut Stage| {
        let mut asked = Asked::by(stage, address, "Ignore").await;
        asked.operator.kill();
        for object in broken_rules() {
            let told = create_dry(&stage.api(FLINK, text(&object, "/kind")), &object).await;
            let told = told.expect_err("it is refused");
            assert!(told.code == 422 && !told.message.contains("webhook"), "{told}");
        }
        for (before, after, word) in broken_changes() {
            stage.apply(&before).await;
            let params = PatchParams::apply("conformance").force();
            let changed = stage.deployments().patch("orders", &params, &Patch::Apply(&after)).await;
            let told = refusal(changed.expect_err("it is refused"));
            assert!(told.code == 422 && told.message.contains(word), "no `{word}` in {told}");
            stage.delete("orders").await;
        }
        stage.apply(&wrong()).await;
        asked.operator.start_again();
        let is_told = |status: &Value| text(status, "/error").contains("spec.jobManager.replicas: Invalid value: 2");
        stage.status("orders", "it is told what is wrong", is_told).await;
        answers(stage).await;
        stage.delete("orders").await;
        stage.cleared("orders").await;
        asked.end().await;
    });
}

#[test]
fn a_certificate_follows_the_one_that_was_taken_away_and_no_admission_is_lost() {
    let address = or_skip!(or_skip!(cluster()).address());
    on_stage("certificates", async |stage: &mut Stage| {
        let mut asked = Asked::by(stage, address, "Fail").await;
        let secrets = asked.release.api("v1", "Secret");
        let first = certificate(&secrets).await.expect("there is a certificate");
        let is_over = Arc::new(AtomicBool::new(false));
        let asking: Vec<_> = (0..ASKING).map(|_| ask(stage.deployments(), Arc::clone(&is_over))).collect();
        secrets.delete(SECRET, &DeleteParams::default()).await.expect("the Secret is deleted");
        stage
            .until("another certificate is served", async || {
                certificate(&secrets).await.filter(|now| *now != first).map(drop)
            })
            .await;
        tokio::time::sleep(LONGER).await;
        is_over.store(true, Ordering::Relaxed);
        let (mut count, mut lost) = (0, Vec::new());
        for one in asking {
            let (admissions, failures) = one.await.expect("who asks ends well");
            count += admissions;
            lost.extend(failures);
        }
        assert!(lost.is_empty(), "{} of {count} are lost: {:?}", lost.len(), lost.first());
        assert!(count > ADMISSIONS_MIN, "only {count} admissions");
        // The connections that stood are gone with it, so it shows the other one now.
        asked.operator.kill();
        asked.operator.start_again();
        answers(stage).await;
        asked.end().await;
    });
}

/// The certificate that is served, if one is kept.
async fn certificate(secrets: &Api<DynamicObject>) -> Option<Value> {
    let secret = secrets.get_opt(SECRET).await.expect("an answer")?;
    secret.data.pointer("/data/tls.crt").cloned()
}

/// Asks for admissions until it is over, in turn of what is right and of what is not; answers how many there were, and
/// what went wrong with others.
fn ask(api: Api<DynamicObject>, is_over: Arc<AtomicBool>) -> JoinHandle<(usize, Vec<String>)> {
    let read = |object: Value| serde_json::from_value::<DynamicObject>(object).expect("an object");
    let (right, wrong) = (read(application("orders")), read(wrong()));
    tokio::spawn(async move {
        let params = PostParams { dry_run: true, ..PostParams::default() };
        let (mut count, mut lost) = (0, Vec::new());
        while !is_over.load(Ordering::Relaxed) {
            match api.create(&params, &right).await {
                Ok(_) => count += 1,
                Err(error) => lost.push(error.to_string()),
            }
            match api.create(&params, &wrong).await {
                Err(Error::Api(status)) if status.message.starts_with(DENIED) => count += 1,
                Err(error) => lost.push(error.to_string()),
                Ok(_) => lost.push("what is wrong was let in".to_owned()),
            }
        }
        (count, lost)
    })
}

/// The embedded API without its control loop.
struct Embedded {
    // The process comes first: it must have ended before its folder is removed.
    _process: Running,
    folder: TempDir,
    kubeconfig: PathBuf,
    client: Client,
}

impl Embedded {
    async fn start() -> Self {
        let folder = TempDir::new().expect("a folder");
        let data = folder.path().join("data");
        let mut up = Command::new(kobel());
        up.args(["up", "--api-only", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&data).env_remove("KUBECONFIG");
        let mut process = Running::start(&mut up, folder.path(), "up").expect("`kobel up` starts");
        process.wait_for_line("ready in ", PATIENCE).expect("`kobel up` is ready");
        let kubeconfig = data.join("kubeconfig");
        let client = connect(&kubeconfig).await;
        Self { _process: process, folder, kubeconfig, client }
    }

    fn api(&self, kind: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), "default", &resource(FLINK, kind))
    }

    /// What a person reads at the command line who asks an API about an object.
    fn try_to_apply(&self, object: &Value, (kubeconfig, namespace): (&Path, &str)) -> String {
        fs::write(self.folder.path().join(FILE), object.to_string()).expect("a file is written");
        let mut apply = Command::new(kobel());
        apply.args(["apply", "--dry-run", "-f", FILE, "-n", namespace, "--kubeconfig"]).arg(kubeconfig);
        let told = apply.current_dir(self.folder.path()).env_remove("KUBECONFIG").output().expect("the command runs");
        assert!(!told.status.success(), "it is accepted: {object}");
        String::from_utf8_lossy(&told.stderr).into_owned()
    }
}

/// Objects that are refused: manifests that EMR documents as such, and what people get wrong or try.
fn offenders() -> Vec<Value> {
    let documented = manifests().expect("the manifests are read");
    let documented = documented.iter().filter(|manifest| manifest.is_refused());
    let mut all: Vec<Value> = documented.flat_map(|manifest| manifest.ours().cloned()).collect();
    let hosts = ["169.254.169.254", "[fd00:ec2::254]", "127.1", "2130706433", "0x7f000001", "[::1]", "localhost"];
    let hosts = hosts.iter().chain(&["metadata.google.internal", "10.0.0.1", "0.0.0.0"]);
    let addresses = hosts.map(|host| format!("https://{host}/a.jar")).chain(["file:///etc/shadow".to_owned()]);
    all.extend(addresses.map(|address| with("/spec/job/jarURI", json!(address))));
    for (place, value) in [
        ("/spec/job/parallelism", json!(-1)),
        ("/spec/job/parallelism", json!(0)),
        ("/spec/jobManager/resource/memory", json!("-1m")),
        ("/spec/jobManager/resource/memory", json!("1e3Gi")),
        ("/spec/jobManager/resource/cpu", json!(0)),
        ("/spec/jobManager/replicas", json!(2)),
        ("/spec/serviceAccount", json!("Not_Valid")),
        ("/spec/flinkConfiguration", json!({"execution.checkpointing.interval": "-1 s"})),
        ("/spec/flinkConfiguration", json!({"pipeline.max-parallelism": "0"})),
    ] {
        all.push(with(place, value));
    }
    let job = json!({"jarURI": "https://jars.example.com/a.jar", "parallelism": 2, "upgradeMode": "stateless"});
    let crossing = json!({"deploymentName": "other/cluster", "job": job});
    all.push(object("FlinkSessionJob", &crossing));
    all.extend(broken_rules());
    all
}

/// An application with a value at a place.
fn with(place: &str, value: Value) -> Value {
    let mut manifest = application("orders");
    let (parent, field) = place.rsplit_once('/').expect("a place");
    manifest.pointer_mut(parent).expect("there is a place")[field] = value;
    manifest
}

fn object(kind: &str, spec: &Value) -> Value {
    json!({"apiVersion": FLINK, "kind": kind, "metadata": {"name": "orders"}, "spec": spec})
}

/// Objects that break a rule each that stands in the definition of their kind.
fn broken_rules() -> Vec<Value> {
    let reference = json!({"kind": "FlinkDeployment", "name": "orders"});
    let both = json!({"savepoint": {"path": "s3://b/s", "alreadyExists": true}, "checkpoint": {}});
    let mut idle = application("orders");
    idle["spec"]["job"] = json!({"state": "running"});
    let mut all = vec![idle];
    for (kind, spec) in [
        ("FlinkSessionJob", json!({"deploymentName": "a", "job": {"state": "running"}})),
        ("FlinkStateSnapshot", both),
        ("FlinkStateSnapshot", json!({"jobReference": reference})),
        ("FlinkStateSnapshot", json!({"savepoint": {"alreadyExists": true}})),
        ("FlinkStateSnapshot", json!({"checkpoint": {}})),
        ("FlinkStateSnapshot", json!({"checkpoint": {}, "jobReference": {"name": "orders"}})),
        ("FlinkStateSnapshot", json!({"checkpoint": {}, "jobReference": {"kind": "FlinkDeployment"}})),
        ("FlinkBlueGreenDeployment", json!({"template": {}})),
        ("FlinkBlueGreenDeployment", json!({"template": {"spec": {"flinkVersion": "v2_0"}}})),
        ("FlinkBlueGreenDeployment", json!({"template": {"spec": {"job": {"state": "running"}}}})),
    ] {
        all.push(object(kind, &spec));
    }
    all
}

/// Changes that break a rule: what was there, what is to be, and words of the refusal.
fn broken_changes() -> [(Value, Value, &'static str); 3] {
    let (job, cluster) = (application("orders"), session("orders"));
    [
        (job.clone(), cluster.clone(), "spec.job: Required value: a job cannot be taken away"),
        (cluster, job.clone(), "spec.job: Forbidden: a session cluster cannot become one with a job"),
        (job, standalone("orders"), "cannot change: must stay `native`"),
    ]
}
