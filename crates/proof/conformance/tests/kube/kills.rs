//! `kill -9` at any moment: what was acknowledged is there afterwards.
//!
//! Writers create objects and count upwards in an object of their own with optimistic locking, until the process is
//! killed. After each restart everything that was acknowledged must be found; of the write that was under way either
//! outcome is right.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, ListParams, ObjectMeta, PostParams};

use crate::client::{connect, runtime};
use crate::server::up;

/// How often the process is killed.
const KILLS: u64 = 100;
/// Who writes at the same time.
const WRITERS: usize = 4;
/// How long anything may take; a busy machine needs a part of it.
const PATIENCE: Duration = Duration::from_secs(600);

/// What was acknowledged: names of created objects, and the last count of each writer.
#[derive(Debug, Default)]
struct Acknowledged {
    created: Vec<String>,
    counts: BTreeMap<usize, u64>,
}

/// Where writers note what was acknowledged: in all, and how many writes of this round.
struct Told {
    all: Arc<Mutex<Acknowledged>>,
    writes: Arc<AtomicU64>,
}

impl Told {
    fn note(&self, what: impl FnOnce(&mut Acknowledged)) {
        what(&mut self.all.lock().expect("no writer panicked"));
        self.writes.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn what_was_acknowledged_survives_every_kill() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let data = folder.path().join("data");
    let acknowledged = Arc::new(Mutex::new(Acknowledged::default()));
    for round in 0..KILLS {
        let mut process = up(&data, folder.path());
        process.wait_for_line("ready in ", PATIENCE).expect("`kobel up` is ready");
        runtime().block_on(async {
            verify(&data, &acknowledged).await;
            let writes = Arc::new(AtomicU64::new(0));
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let told = Told { all: acknowledged.clone(), writes: writes.clone() };
                    tokio::spawn(write_until_killed(data.clone(), writer, round, told))
                })
                .collect();
            wait_for_moment(round, &writes).await;
            process.signal("KILL").expect("the process is killed");
            for writer in writers {
                writer.await.expect("a writer ends when the process is gone");
            }
        });
    }
    let mut process = up(&data, folder.path());
    process.wait_for_line("ready in ", PATIENCE).expect("`kobel up` is ready");
    runtime().block_on(verify(&data, &acknowledged));
    let acknowledged = acknowledged.lock().expect("no writer panicked");
    println!("{KILLS} kills, {} creates and {:?} updates survived", acknowledged.created.len(), acknowledged.counts);
    assert!(acknowledged.created.len() as u64 > KILLS, "hardly anything was written: {acknowledged:?}");
}

/// Waits until the process is to be killed: at once, or when some writes were acknowledged, however long they take; and
/// then for a time that has no common measure with anything of ours.
async fn wait_for_moment(round: u64, writes: &AtomicU64) {
    let begun = Instant::now();
    while writes.load(Ordering::Relaxed) < round % 5 {
        assert!(begun.elapsed() < PATIENCE, "nothing was acknowledged in {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(Duration::from_millis(round * 7919 % 23)).await;
}

async fn configmaps(data: &Path) -> Api<ConfigMap> {
    Api::namespaced(connect(&data.join("kubeconfig")).await, "default")
}

async fn write_until_killed(data: PathBuf, writer: usize, round: u64, told: Told) {
    let api = configmaps(&data).await;
    let counter = format!("counter-{writer}");
    for turn in 0.. {
        let name = format!("object-{round}-{writer}-{turn}");
        if api.create(&PostParams::default(), &object(&name, 0)).await.is_err() {
            return;
        }
        told.note(|all| all.created.push(name));
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
        told.note(|all| all.counts.extend([(writer, counted)]));
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
