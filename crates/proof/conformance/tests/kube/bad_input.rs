//! Bad input, one check a row of the list of attacks: manifests, artifacts, names, references and secrets.
//!
//! Rows about running jobs are checked where jobs run. Redirects and names that change their address between two looks
//! belong to whatever fetches artifacts; only addresses that stand in a manifest are refused here.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use kobel_testkit::process::Running;
use kube::api::PostParams;
use kube::{Client, Error};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{connect, runtime};
use crate::machine::PATIENCE;
use crate::server::{kobel, up};

const DEPLOYMENTS: &str = "/apis/flink.apache.org/v1beta1/namespaces/default/flinkdeployments";
const SESSION_JOBS: &str = "/apis/flink.apache.org/v1beta1/namespaces/default/flinksessionjobs";
const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";
/// How long a refusal may take; a busy machine needs a part of it, and what is expanded takes hours.
const SOON: Duration = Duration::from_secs(120);
/// The most memory of the server after the worst input, in kB.
const RESIDENT_KB_MAX: u64 = 400_000;

/// `kobel up` with a client of its administrator.
struct Site {
    // The process comes first: it must have ended before its folder is removed.
    process: Running,
    folder: TempDir,
    client: Client,
}

impl Site {
    async fn start() -> Self {
        let folder = TempDir::new().expect("a folder");
        let data = folder.path().join("data");
        let mut process = up(&data, folder.path());
        process.wait_for_line("ready in ", PATIENCE).expect("`kobel up` is ready");
        let client = connect(&data.join("kubeconfig")).await;
        Self { process, folder, client }
    }

    /// Sends a body and answers the body of the answer, or the code and the message of the refusal.
    async fn send(&self, method: &str, path: &str, media: &str, body: Vec<u8>) -> Result<String, (u16, String)> {
        let request = kube::core::Request::new(DEPLOYMENTS).create(&PostParams::default(), body);
        let mut request = request.expect("a request");
        *request.method_mut() = method.parse().expect("a method");
        *request.uri_mut() = path.parse().expect("a path");
        request.headers_mut().insert("content-type", media.parse().expect("a media type"));
        self.client.request_text(request).await.map_err(|error| match error {
            Error::Api(status) => (status.code, status.message.clone()),
            other => panic!("no answer of the API: {other}"),
        })
    }

    async fn create(&self, path: &str, object: &Value) -> Result<Value, (u16, String)> {
        let made = self.send("POST", path, JSON, object.to_string().into_bytes()).await;
        made.map(|text| serde_json::from_str(&text).expect("an object"))
    }

    /// The refusal of an object, which names each of the fields.
    async fn refusal(&self, path: &str, object: &Value, fields: &[&str]) -> String {
        let Err((code, message)) = self.create(path, object).await else { panic!("accepted: {object}") };
        assert_eq!(code, 422, "{message}");
        for field in fields {
            assert!(message.contains(field), "`{field}` is not named: {message}");
        }
        message
    }

    async fn is_alive(&self) {
        self.send("GET", DEPLOYMENTS, JSON, Vec::new()).await.expect("the API still answers");
    }

    /// Memory of the server, in kB.
    fn resident_kb(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()).and_then(|text| text.parse().ok()).unwrap_or_default()
    }
}

fn deployment(name: &str) -> Value {
    json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment", "metadata": {"name": name},
        "spec": {
            "image": "flink:1.20", "flinkVersion": "v1_20", "serviceAccount": "flink", "flinkConfiguration": {},
            "jobManager": {"resource": {"memory": "1024m", "cpu": 1}},
            "taskManager": {"resource": {"memory": "1024m", "cpu": 1}},
            "job": {"jarURI": "local:///opt/job.jar", "parallelism": 2, "upgradeMode": "stateless"},
        },
    })
}

fn session_job(name: &str) -> Value {
    json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkSessionJob", "metadata": {"name": name},
        "spec": {
            "deploymentName": "cluster",
            "job": {"jarURI": "https://jars.example.com/a.jar", "parallelism": 2, "upgradeMode": "stateless"},
        },
    })
}

/// Puts a value at a place, which is made if it is not there.
fn put(object: &mut Value, pointer: &str, value: Value) {
    let mut place = object;
    for step in pointer.trim_start_matches('/').split('/') {
        place = &mut place[step];
    }
    *place = value;
}

#[test]
fn b4_7_documents_that_are_bombs_are_refused_by_the_command() {
    runtime().block_on(async {
        let site = Site::start().await;
        for (name, text) in bombs() {
            let begin = Instant::now();
            let output = apply(&site, name, &text);
            assert!(!output.status.success(), "{name} is accepted");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(!said.contains("panicked") && output.status.code().is_some(), "{name}: {said}");
            assert!(said.len() < 20_000 && said.contains(name), "{name}: {} bytes are said: {said:.500}", said.len());
            assert!(begin.elapsed() < SOON, "{name} took {:?}", begin.elapsed());
        }
        site.is_alive().await;
    });
}

#[test]
fn b4_7_bodies_that_are_bombs_are_refused_by_the_api() {
    runtime().block_on(async {
        let site = Site::start().await;
        for (name, text) in bombs() {
            for media in [JSON, "application/yaml"] {
                let begin = Instant::now();
                let answer = site.send("POST", DEPLOYMENTS, media, text.clone().into_bytes()).await;
                let Err((code, message)) = answer else { panic!("{name} as {media} is accepted") };
                assert!((400..500).contains(&code), "{name} as {media}: {code} {message:.500}");
                assert!(begin.elapsed() < SOON, "{name} as {media} took {:?}", begin.elapsed());
            }
        }
        site.is_alive().await;
        assert!(site.resident_kb() < RESIDENT_KB_MAX, "{} kB", site.resident_kb());
    });
}

#[test]
fn b4_13_artifact_addresses_that_lead_inside_are_refused() {
    let hosts = [
        "169.254.169.254",
        "[fd00:ec2::254]",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "[::ffff:169.254.169.254]",
        "[::1]",
        "localhost",
        "metadata.google.internal",
        "10.0.0.1",
        "0.0.0.0",
    ];
    let mut addresses = vec!["file:///etc/shadow".to_owned()];
    for host in hosts {
        addresses.extend([format!("http://{host}/a.jar"), format!("https://{host}/a.jar")]);
    }
    runtime().block_on(async {
        let site = Site::start().await;
        for (path, object) in [(DEPLOYMENTS, deployment("a")), (SESSION_JOBS, session_job("a"))] {
            for address in &addresses {
                let mut object = object.clone();
                put(&mut object, "/spec/job/jarURI", json!(address));
                site.refusal(path, &object, &["spec.job.jarURI"]).await;
            }
            // What is refused is the address and nothing else.
            site.create(path, &object).await.expect("the object is right otherwise");
        }
    });
}

#[test]
fn b4_17_pod_templates_that_reach_for_the_node_start_nothing_here() {
    // Documented manifests mount folders of nodes and add containers, so they are kept as they are; what they may do is
    // up to the policies of the cluster that starts pods. The embedded API starts none and knows no pods.
    let container = |fields: Value| {
        let mut container = json!({"name": "flink-main-container"});
        container.as_object_mut().expect("an object").extend(fields.as_object().expect("fields").clone());
        json!({"containers": [container]})
    };
    let templates = [
        json!({"containers": [], "volumes": [{"name": "root", "hostPath": {"path": "/"}}]}),
        container(json!({"securityContext": {"privileged": true}})),
        json!({"containers": [], "hostNetwork": true}),
        json!({"containers": [], "serviceAccountName": "somebody-else"}),
        json!({"containers": [], "initContainers": [{"name": "extra", "image": "busybox"}]}),
        json!({"containers": [], "shareProcessNamespace": true}),
    ];
    runtime().block_on(async {
        let site = Site::start().await;
        for (number, template) in templates.iter().enumerate() {
            let mut object = deployment(&format!("reaches-{number}"));
            put(&mut object, "/spec/podTemplate", json!({"spec": template}));
            match site.create(DEPLOYMENTS, &object).await {
                Ok(made) => assert_eq!(&made["spec"]["podTemplate"]["spec"], template, "it is kept or refused whole"),
                Err((code, message)) => assert!(code == 422 && message.contains("podTemplate"), "{code} {message}"),
            }
        }
        let pods = site.send("GET", "/api/v1/namespaces/default/pods", JSON, Vec::new()).await;
        assert_eq!(pods.expect_err("there are no pods").0, 404);
    });
}

#[test]
fn b4_18_references_cannot_name_another_namespace() {
    runtime().block_on(async {
        let site = Site::start().await;
        let snapshots = SESSION_JOBS.replace("flinksessionjobs", "flinkstatesnapshots");
        let snapshot = json!({
            "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkStateSnapshot", "metadata": {"name": "a"},
            "spec": {"jobReference": {"kind": "FlinkDeployment", "name": "b", "namespace": "other"}, "checkpoint": {}},
        });
        let mut job = session_job("a");
        put(&mut job, "/spec/deploymentNamespace", json!("other"));
        for (path, object, field) in [
            (snapshots.as_str(), snapshot, "spec.jobReference.namespace"),
            (SESSION_JOBS, job, "spec.deploymentNamespace"),
        ] {
            let strict = format!("{path}?fieldValidation=Strict");
            let (code, message) = site.create(&strict, &object).await.expect_err("no such field");
            assert!(code == 400 && message.contains(field), "{code} {message}");
        }
        let mut crossing = session_job("b");
        put(&mut crossing, "/spec/deploymentName", json!("other/cluster"));
        site.refusal(SESSION_JOBS, &crossing, &["spec.deploymentName"]).await;
    });
}

#[test]
fn b4_22_numbers_out_of_bounds_are_refused_with_field_and_limits() {
    let parallelism = ["/spec/job/parallelism", "spec.job.parallelism"];
    let memory = ["/spec/jobManager/resource/memory", "spec.jobManager.resource.memory"];
    let cpu = ["/spec/taskManager/resource/cpu", "spec.taskManager.resource.cpu"];
    let conf = |key: &str| [format!("/spec/flinkConfiguration/{key}"), key.to_owned()];
    let mut rows: Vec<([String; 2], Value)> = Vec::new();
    for value in [json!(-1), json!(0), json!("NaN"), json!(1e300), json!(2_147_483_648_u64)] {
        rows.push((parallelism.map(str::to_owned), value));
    }
    for value in ["9999999999g", "1e3Gi", "-1m", "NaN", ""] {
        rows.push((memory.map(str::to_owned), json!(value)));
    }
    for value in [json!("NaN"), json!(-1), json!(0), json!(1e300)] {
        rows.push((cpu.map(str::to_owned), value));
    }
    rows.extend(["0", "-1 s"].map(|value| (conf("execution.checkpointing.interval"), json!(value))));
    rows.extend(["0", "2147483648"].map(|value| (conf("pipeline.max-parallelism"), json!(value))));
    runtime().block_on(async {
        let site = Site::start().await;
        for (number, ([pointer, field], value)) in rows.into_iter().enumerate() {
            let mut object = deployment(&format!("out-of-bounds-{number}"));
            put(&mut object, &pointer, value.clone());
            let message = site.refusal(DEPLOYMENTS, &object, &[field.as_str()]).await;
            assert!(message.len() < 2_000, "{value}: {message}");
        }
    });
}

#[test]
fn b4_23_large_objects_are_kept_whole_or_refused_with_the_limit() {
    runtime().block_on(async {
        let site = Site::start().await;
        let mut large = deployment("large");
        put(&mut large, "/spec/logConfiguration", json!({"log4j-console.properties": "x".repeat(1_400_000)}));
        let made = site.create(DEPLOYMENTS, &large).await.expect("1.4 MB are below the limit");
        assert_eq!(made["spec"]["logConfiguration"], large["spec"]["logConfiguration"]);
        for (name, bytes) in [("larger", 1_700_000), ("largest", 2_500_000)] {
            put(&mut large, "/metadata/name", json!(name));
            put(&mut large, "/spec/logConfiguration", json!({"log4j-console.properties": "x".repeat(bytes)}));
            let (code, message) = site.create(DEPLOYMENTS, &large).await.expect_err("it is above the limit");
            assert!(code == 413 && message.contains("limit"), "{code} {message:.500}");
        }
        site.create(DEPLOYMENTS, &deployment("bloated")).await.expect("it is made");
        let status = json!({"status": {"error": "exception ".repeat(200_000)}}).to_string();
        let path = format!("{DEPLOYMENTS}/bloated/status");
        let (code, _) =
            site.send("PATCH", &path, MERGE, status.into_bytes()).await.expect_err("the status is too large");
        assert_eq!(code, 413);
        site.is_alive().await;
    });
}

#[test]
fn b4_27_what_a_newer_version_wrote_is_not_wiped() {
    runtime().block_on(async {
        let site = Site::start().await;
        let mut newer = deployment("newer");
        put(&mut newer, "/spec/fieldOfTomorrow", json!(1));
        put(&mut newer, "/spec/flinkConfiguration", json!({"key.of.tomorrow": "kept"}));
        put(&mut newer, "/metadata/annotations", json!({"tomorrow.example.com/note": "kept"}));
        let strict = format!("{DEPLOYMENTS}?fieldValidation=Strict");
        let (code, message) = site.create(&strict, &newer).await.expect_err("an unknown field");
        assert!(code == 400 && message.contains("spec.fieldOfTomorrow"), "{code} {message}");
        let made = site.create(DEPLOYMENTS, &newer).await.expect("it is made without the field");
        assert_eq!(made["spec"].get("fieldOfTomorrow"), None);
        let path = format!("{DEPLOYMENTS}/newer");
        let older = json!({"spec": {"image": "flink:1.20.1"}}).to_string().into_bytes();
        let changed = site.send("PATCH", &path, MERGE, older).await.expect("an older client changes what it knows");
        let changed: Value = serde_json::from_str(&changed).expect("an object");
        assert_eq!(changed["spec"]["flinkConfiguration"]["key.of.tomorrow"], "kept");
        assert_eq!(changed["metadata"]["annotations"]["tomorrow.example.com/note"], "kept");
        let unknown = json!({"status": {"lifecycleState": "OF_TOMORROW"}}).to_string().into_bytes();
        let refused = site.send("PATCH", &format!("{path}/status"), MERGE, unknown).await;
        let (code, message) = refused.expect_err("an unknown word");
        assert!(code == 422 && message.contains("status.lifecycleState"), "{code} {message}");
    });
}

#[test]
fn b4_41_planted_secrets_are_never_said() {
    const SECRETS: [&str; 3] = ["planted-key-4711", "planted-password-0815", "planted-token-2342"];
    let mut refused = deployment("refused");
    put(&mut refused, "/spec/flinkConfiguration", json!({"s3.secret-key": SECRETS[0], "s3.access-key": "id"}));
    put(&mut refused, "/spec/job/jarURI", json!(format!("https://user:{}@127.0.0.1/a.jar", SECRETS[1])));
    put(&mut refused, "/spec/job/parallelism", json!(-1));
    let mut outside = session_job("outside");
    put(&mut outside, "/spec/job/jarURI", json!(format!("https://user:{}@jars.example.com/a.jar", SECRETS[1])));
    let mut nested = deployment("nested");
    put(&mut nested, "/spec/flinkConfiguration", json!({"s3": {"secret-key": [SECRETS[0]], "access-key": "id"}}));
    put(&mut nested, "/spec/tokenOfTomorrow", json!(SECRETS[2]));
    runtime().block_on(async {
        let site = Site::start().await;
        let mut said = String::new();
        for (path, object) in [(DEPLOYMENTS, &refused), (SESSION_JOBS, &outside), (DEPLOYMENTS, &nested)] {
            if let Err((code, message)) = site.create(path, object).await {
                writeln!(said, "{code} {message}").expect("a text takes everything");
            }
            let strict = format!("{path}?fieldValidation=Strict&dryRun=All");
            if let Err((code, message)) = site.create(&strict, object).await {
                writeln!(said, "{code} {message}").expect("a text takes everything");
            }
            let output = apply(&site, "secrets.json", &object.to_string());
            said.push_str(&String::from_utf8_lossy(&output.stderr));
            said.push_str(&String::from_utf8_lossy(&output.stdout));
        }
        assert!(said.contains("spec.job.parallelism"), "nothing was refused: {said}");
        said.push_str(&site.send("GET", "/audit", JSON, Vec::new()).await.expect("the audit"));
        said.push_str(&site.process.stderr());
        said.push_str(&site.process.stdout());
        for secret in SECRETS {
            assert!(!said.contains(secret), "`{secret}` was said: {said}");
        }
    });
}

/// Applies a file without storing anything.
fn apply(site: &Site, name: &str, text: &str) -> std::process::Output {
    run_with(site, &["apply", "--dry-run"], (name, text))
}

/// Runs a command on a file.
fn run_with(site: &Site, arguments: &[&str], (name, text): (&str, &str)) -> std::process::Output {
    let file = site.folder.path().join(name);
    fs::write(&file, text).expect("a file is written");
    let mut command = Command::new(kobel());
    command.args(arguments).arg("-f").arg(&file).env("KUBECONFIG", site.folder.path().join("data/kubeconfig"));
    command.output().expect("the command runs")
}

#[test]
fn a_deletion_asks_about_the_namespace_of_its_manifest() {
    runtime().block_on(async {
        let site = Site::start().await;
        site.create(SESSION_JOBS, &session_job("orders")).await.expect("a session job");
        let mut wrong = deployment("orders");
        for (namespace, is_meant) in [("default", true), ("team", false)] {
            put(&mut wrong, "/metadata/namespace", json!(namespace));
            let output = run_with(&site, &["delete"], ("wrong.json", &wrong.to_string()));
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success() && said.contains("not found"), "{said}");
            assert_eq!(said.contains("it is the name of `sessionjob/orders`"), is_meant, "in `{namespace}`: {said}");
        }
    });
}

/// Documents that grow, are deep, say things twice, or are no text; all of them are refused.
fn bombs() -> Vec<(&'static str, String)> {
    let begin = "apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata: {name: bomb}\n";
    let mut laughs = format!("{begin}a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(laughs, "a{level}: &a{level} [{aliases}]").expect("a text takes everything");
    }
    let json = |rest: &str| {
        let head = r#""apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment""#;
        format!(r#"{{{head}, "metadata": {{"name": "bomb"}}, "spec": {rest}}}"#)
    };
    // A number of 10^9 digits is no different from one that fills the largest request.
    let digits = "9".repeat(2_000_000);
    vec![
        ("laughs.yaml", laughs),
        ("self.yaml", format!("{begin}spec: &a {{b: *a}}\n")),
        ("tag.yaml", format!("{begin}spec: !!python/object/apply:os.system [\"true\"]\n")),
        ("deep.yaml", format!("{begin}spec: {}", "[".repeat(100_000))),
        ("deep.json", json(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)))),
        ("deep-objects.json", json(&format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000)))),
        ("twice.yaml", format!("{begin}metadata: {{name: other}}\n")),
        ("digits.json", json(&format!(r#"{{"job": {{"parallelism": {digits}}}}}"#))),
        ("exponent.json", json(r#"{"job": {"parallelism": 1e999999999}}"#)),
        ("not-a-number.json", json(r#"{"job": {"parallelism": NaN}}"#)),
        ("surrogate.json", json(r#"{"image": "\ud800"}"#)),
        ("nothing.yaml", "- just\n- words\n".to_owned()),
    ]
}
