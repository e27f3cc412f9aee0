//! `kill -9` at any moment: what was acknowledged is there afterwards.
//!
//! Writers create objects and count upwards in an object of their own with optimistic locking, until the process is
//! killed. After each restart everything that was acknowledged must be found; of the write that was under way either
//! outcome is right.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, ListParams, ObjectMeta, PostParams};

use crate::client::{connect, runtime};
use crate::server::up;

/// How often the process is killed.
const KILLS: u64 = 100;
/// Who writes at the same time.
const WRITERS: usize = 4;

/// What was acknowledged: names of created objects, and the last count of each writer.
#[derive(Debug, Default)]
struct Acknowledged {
    created: Vec<String>,
    counts: BTreeMap<usize, u64>,
}

#[test]
fn what_was_acknowledged_survives_every_kill() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let data = folder.path().join("data");
    let acknowledged = Arc::new(Mutex::new(Acknowledged::default()));
    for round in 0..KILLS {
        let mut process = up(&data, folder.path());
        process.wait_for_line("ready in ", Duration::from_secs(60)).expect("`kobel up` is ready");
        runtime().block_on(async {
            verify(&data, &acknowledged).await;
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| tokio::spawn(write_until_killed(data.clone(), writer, round, acknowledged.clone())))
                .collect();
            // Times that have no common measure with anything of ours, from hardly started to well under way.
            tokio::time::sleep(Duration::from_millis(3 + round * 7919 % 61)).await;
            process.signal("KILL").expect("the process is killed");
            for writer in writers {
                writer.await.expect("a writer ends when the process is gone");
            }
        });
    }
    let mut process = up(&data, folder.path());
    process.wait_for_line("ready in ", Duration::from_secs(60)).expect("`kobel up` is ready");
    runtime().block_on(verify(&data, &acknowledged));
    let acknowledged = acknowledged.lock().expect("no writer panicked");
    println!("{KILLS} kills, {} creates and {:?} updates survived", acknowledged.created.len(), acknowledged.counts);
    assert!(acknowledged.created.len() as u64 > KILLS, "hardly anything was written: {acknowledged:?}");
}

async fn configmaps(data: &Path) -> Api<ConfigMap> {
    Api::namespaced(connect(&data.join("kubeconfig")).await, "default")
}

async fn write_until_killed(
    data: std::path::PathBuf,
    writer: usize,
    round: u64,
    acknowledged: Arc<Mutex<Acknowledged>>,
) {
    let api = configmaps(&data).await;
    let counter = format!("counter-{writer}");
    for turn in 0.. {
        let name = format!("object-{round}-{writer}-{turn}");
        if api.create(&PostParams::default(), &object(&name, 0)).await.is_err() {
            return;
        }
        acknowledged.lock().expect("no writer panicked").created.push(name);
        let Ok(found) = api.get_opt(&counter).await else { return };
        let counted = match found {
            None => api.create(&PostParams::default(), &object(&counter, 1)).await.map(|_| 1),
            Some(mut found) => {
                let next = count(&found) + 1;
                found.data = object(&counter, next).data;
                api.replace(&counter, &PostParams::default(), &found).await.map(|_| next)
            }
        };
        let Ok(counted) = counted else { return };
        acknowledged.lock().expect("no writer panicked").counts.insert(writer, counted);
    }
}

async fn verify(data: &Path, acknowledged: &Mutex<Acknowledged>) {
    let listed = configmaps(data).await.list(&ListParams::default()).await.expect("the objects are listed");
    let found: BTreeMap<String, u64> =
        listed.items.iter().map(|object| (object.metadata.name.clone().unwrap_or_default(), count(object))).collect();
    let mut acknowledged = acknowledged.lock().expect("no writer panicked");
    for name in &acknowledged.created {
        assert!(found.contains_key(name), "`{name}` was acknowledged and is lost");
    }
    for writer in 0..WRITERS {
        let stored = found.get(&format!("counter-{writer}")).copied().unwrap_or_default();
        let told = acknowledged.counts.insert(writer, stored).unwrap_or_default();
        assert!([told, told + 1].contains(&stored), "writer {writer} was told {told}, {stored} is stored");
    }
}

fn object(name: &str, count: u64) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        data: Some(BTreeMap::from([("count".to_owned(), count.to_string())])),
        ..ConfigMap::default()
    }
}

fn count(object: &ConfigMap) -> u64 {
    let text = object.data.as_ref().and_then(|data| data.get("count"));
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}
