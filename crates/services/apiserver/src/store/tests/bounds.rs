//! What bounds the store: its memory, its objects, its audit, and who may open its files.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use kobel_model::ErrorKind;
use serde_json::json;

use crate::status::Answer;
use crate::store::database::AuditBounds;
use crate::store::{Key, Store, Transaction};

fn key(name: &str) -> Key {
    Key::new("configmaps", "default", name)
}

fn put(transaction: &mut Transaction<'_>, name: &str, data: &str) -> Answer<u64> {
    let object = json!({"metadata": {"name": name}, "data": {"value": data}});
    transaction.put(&key(name), object).map(|stored| stored.revision)
}

async fn write(store: &Store, name: &str, data: &str) -> u64 {
    let (name, data) = (name.to_owned(), data.to_owned());
    store.write(move |transaction| put(transaction, &name, &data)).await.unwrap()
}

fn audits(count: usize) -> impl FnOnce(&mut Transaction<'_>) -> Answer<()> + Send + 'static {
    move |transaction| {
        (0..count).for_each(|row| transaction.audit(json!({"row": row})));
        Ok(())
    }
}

async fn ids(store: &Store) -> Vec<u64> {
    store.audit_since(0, 100_000).await.unwrap().into_iter().map(|(id, _)| id).collect()
}

#[tokio::test]
async fn large_changes_are_forgotten_sooner_but_the_last_few_stay() {
    // A change weighs its body and its line; 16 MiB hold some 415 small ones; 8 large ones fit, 16 stay.
    for (bytes, count, at_least, at_most) in [(20_000, 1_200, 380, 430), (1_000_000, 40, 16, 16)] {
        let store = Store::in_memory().unwrap();
        store
            .write(move |transaction| {
                let large = "x".repeat(bytes);
                (0..count).try_for_each(|_| put(transaction, "a", &large).map(|_| ()))
            })
            .await
            .unwrap();
        let newest = store.revision();
        assert_eq!(newest, count + 1);
        assert_eq!(store.subscribe(newest - at_most - 1).unwrap_err().code, 410, "{bytes}");
        let kept = newest - at_least;
        assert_eq!(store.subscribe(kept).unwrap().try_next().unwrap().unwrap().revision, kept + 1, "{bytes}");
    }
}

#[tokio::test]
async fn states_before_that_only_the_history_holds_count_too() {
    let store = Store::in_memory().unwrap();
    let large = "x".repeat(1_000_000);
    let writes = move |transaction: &mut Transaction<'_>| {
        (0..20).try_for_each(|name| put(transaction, &name.to_string(), &large).map(|_| ()))
    };
    store.write(writes).await.unwrap();
    // Each small change keeps a large state from before it.
    for round in 0..40 {
        write(&store, &(round % 20).to_string(), "small").await;
    }
    let newest = store.revision();
    assert_eq!(store.subscribe(newest - 37).unwrap_err().code, 410, "16 large states fit, and 20 small ones");
    assert!(store.subscribe(newest - 36).is_ok());
}

#[tokio::test]
async fn objects_that_cannot_be_read_back_are_refused() {
    let nested = |levels: usize| (0..levels).fold(json!(1), |value, _| json!([value]));
    let store = Store::in_memory().unwrap();
    let cases = [
        (json!({"metadata": {}, "spec": nested(109)}), None),
        (
            json!({"metadata": {}, "spec": nested(110)}),
            Some((422, "the object nests 111 levels deep, at most 110 are")),
        ),
        (json!({"metadata": {}, "spec": "x".repeat(3 << 20)}), Some((413, "Request entity too large"))),
    ];
    for (object, refusal) in cases {
        let answer = store.write(move |transaction| transaction.put(&key("a"), object)).await;
        match refusal {
            None => assert!(answer.unwrap().value()["spec"].is_array()),
            Some((code, message)) => {
                let status = answer.unwrap_err();
                assert_eq!(status.code, code);
                assert!(status.message.starts_with(message), "{}", status.message);
            }
        }
    }
    assert_eq!(store.revision(), 2, "what was refused took no revision");
}

#[tokio::test]
async fn old_rows_of_the_audit_are_forgotten_and_ids_go_on() {
    let store = Store::in_memory().unwrap();
    store.write(audits(12_000)).await.unwrap();
    store.trim_audit(Timestamp::now()).await.unwrap();
    assert_eq!(ids(&store).await.len(), 12_000, "neither old nor many");
    store.trim_audit_to(AuditBounds { rows: 100, oldest: Timestamp::MIN }).await.unwrap();
    assert_eq!(ids(&store).await, (11_901..=12_000).collect::<Vec<u64>>());
    let later = Timestamp::now() + SignedDuration::from_hours(91 * 24);
    store.trim_audit(later).await.unwrap();
    store.write(audits(1)).await.unwrap();
    assert_eq!(ids(&store).await, [12_000, 12_001]);
}

#[tokio::test]
async fn only_the_owner_can_read_the_files_even_if_others_could() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    drop(Store::open(&path).unwrap());
    let set = |path: &Path, mode: u32| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    set(&path, 0o644);
    set(&directory.path().join("store.db.lock"), 0o664);
    set(directory.path(), 0o775);
    let store = Store::open(&path).unwrap();
    write(&store, "a", "1").await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for name in ["store.db", "store.db.lock", "store.db-wal", "store.db-shm"] {
        assert_eq!(mode(&directory.path().join(name)), 0o600, "{name}");
    }
    assert_eq!(mode(directory.path()), 0o755);
}

#[test]
fn links_and_directories_that_everybody_shares_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (path, real) = (directory.path().join("store.db"), directory.path().join("real.db"));
    drop(Store::open(&real).unwrap());
    symlink(&real, &path).unwrap();
    let error = Store::open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.to_string().contains("store.db` is a symbolic link"), "{error}");
    fs::set_permissions(directory.path(), Permissions::from_mode(0o1777)).unwrap();
    let error = Store::open(&real).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.to_string().contains("others may write to the directory"), "{error}");
}
