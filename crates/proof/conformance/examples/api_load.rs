//! Measures the API that a kubeconfig names: durable creates and updates a second, and how fast changes reach watchers.
//!
//! `cargo run --release -p kobel-conformance --example api_load -- KUBECONFIG [WRITES] [CONCURRENCY] [WATCHERS]`

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::{StreamExt as _, TryStreamExt as _};
use kobel_resources::flink_deployment::FlinkDeployment;
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams,
};
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use kube::{Client, ResourceExt as _};
use serde_json::json;

/// The label of everything that is made here.
const LABEL: &str = "load=yes";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: usize| arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or(default);
    let kubeconfig = arguments.first().ok_or("usage: api_load KUBECONFIG [WRITES] [CONCURRENCY] [WATCHERS]")?;
    let (writes, concurrency, watchers) = (number(1, 10_000), number(2, 64), number(3, 100));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let api = connect(Path::new(kubeconfig)).await?;
        clean(&api).await?;
        writing(&api, writes, concurrency).await?;
        fan_out(&api, watchers).await?;
        clean(&api).await
    })
}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

async fn connect(kubeconfig: &Path) -> Outcome<Api<DynamicObject>> {
    let config =
        Config::from_custom_kubeconfig(Kubeconfig::read_from(kubeconfig)?, &KubeConfigOptions::default()).await?;
    let resource = ApiResource::erase::<FlinkDeployment>(&());
    Ok(Api::default_namespaced_with(Client::try_from(config)?, &resource))
}

async fn clean(api: &Api<DynamicObject>) -> Outcome<()> {
    api.delete_collection(&DeleteParams::default(), &ListParams::default().labels(LABEL)).await?;
    Ok(())
}

fn deployment(number: usize) -> DynamicObject {
    serde_json::from_value(json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment",
        "metadata": {"name": format!("load-{number}"), "labels": {"load": "yes"}},
        "spec": {
            "image": "flink:1.20", "flinkVersion": "v1_20", "serviceAccount": "flink",
            "flinkConfiguration": {"taskmanager.numberOfTaskSlots": "2"},
            "jobManager": {"resource": {"memory": "1024m", "cpu": 1}},
            "taskManager": {"resource": {"memory": "1024m", "cpu": 1}},
            "job": {"jarURI": "local:///opt/job.jar", "parallelism": 2, "upgradeMode": "stateless"},
        },
    }))
    .unwrap_or_else(|error| unreachable!("the manifest is an object: {error}"))
}

/// Creates and then updates `writes` objects, `concurrency` at a time.
async fn writing(api: &Api<DynamicObject>, writes: usize, concurrency: usize) -> Outcome<()> {
    let params = PostParams::default();
    let begin = Instant::now();
    let creates = futures::stream::iter(0..writes).map(|number| {
        let (api, params) = (api.clone(), params.clone());
        async move {
            let begin = Instant::now();
            api.create(&params, &deployment(number)).await.map(|_| begin.elapsed())
        }
    });
    let times: Vec<Duration> = creates.buffer_unordered(concurrency).try_collect().await?;
    report("creates", times, begin.elapsed());
    let begin = Instant::now();
    let updates = futures::stream::iter(0..writes).map(|number| {
        let api = api.clone();
        async move {
            let begin = Instant::now();
            let patch = Patch::Merge(json!({"spec": {"job": {"parallelism": 3}}}));
            api.patch(&format!("load-{number}"), &PatchParams::default(), &patch).await.map(|_| begin.elapsed())
        }
    });
    let times: Vec<Duration> = updates.buffer_unordered(concurrency).try_collect().await?;
    report("updates", times, begin.elapsed());
    Ok(())
}

/// Changes one object 200 times while `watchers` watch, and tells when the last of them saw each change.
async fn fan_out(api: &Api<DynamicObject>, watchers: usize) -> Outcome<()> {
    const CHANGES: usize = 200;
    let seen = Arc::new(AtomicUsize::new(0));
    let version = api.list(&ListParams::default().limit(1)).await?.metadata.resource_version.unwrap_or_default();
    let mut tasks = Vec::new();
    for _ in 0..watchers {
        let mut watch = api.watch(&WatchParams::default(), &version).await?.boxed();
        let seen = seen.clone();
        tasks.push(tokio::spawn(async move {
            while let Some(Ok(event)) = watch.next().await {
                if let WatchEvent::Modified(object) = event
                    && object.name_any() == "load-0"
                {
                    seen.fetch_add(1, Ordering::Relaxed);
                }
            }
        }));
    }
    let begin = Instant::now();
    let mut times = Vec::new();
    for change in 0..CHANGES {
        let sent = Instant::now();
        let patch = Patch::Merge(json!({"spec": {"restartNonce": change + 1}}));
        api.patch("load-0", &PatchParams::default(), &patch).await?;
        while seen.load(Ordering::Relaxed) < (change + 1) * watchers {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        times.push(sent.elapsed());
    }
    report(&format!("changes seen by all {watchers} watchers"), times, begin.elapsed());
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    Ok(())
}

fn report(what: &str, mut times: Vec<Duration>, total: Duration) {
    times.sort();
    let at = |part: f64| times.get((times.len() as f64 * part) as usize).or(times.last()).copied().unwrap_or_default();
    let rate = times.len() as f64 / total.as_secs_f64();
    let (median, high) = (at(0.5).as_secs_f64() * 1e3, at(0.99).as_secs_f64() * 1e3);
    eprintln!("{} {what}: {rate:.0}/s, p50 {median:.1} ms, p99 {high:.1} ms", times.len());
}
