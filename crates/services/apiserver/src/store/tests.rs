//! What the store promises, on real files.

mod bounds;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use kobel_model::ErrorKind;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::{Change, ChangeKind, Key, Store, Transaction};
use crate::status::{Answer, Status};

const MAPS: &str = "configmaps";

fn key(name: &str) -> Key {
    Key::new(MAPS, "default", name)
}

fn map(name: &str, data: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default", "uid": format!("uid-{name}")},
        "data": {"value": data},
    })
}

fn put(transaction: &mut Transaction<'_>, name: &str, data: &str) -> Answer<u64> {
    transaction.put(&key(name), map(name, data)).map(|stored| stored.revision)
}

async fn write(store: &Store, name: &str, data: &str) -> u64 {
    let (name, data) = (name.to_owned(), data.to_owned());
    store.write(move |transaction| put(transaction, &name, &data)).await.unwrap()
}

async fn delete(store: &Store, name: &str) -> u64 {
    let name = name.to_owned();
    let act = move |transaction: &mut Transaction<'_>| {
        let last = transaction.get(&key(&name)).map(|stored| stored.value()).unwrap_or_default();
        transaction.delete(&key(&name), last).map(|stored| stored.revision)
    };
    store.write(act).await.unwrap()
}

fn data(store: &Store, name: &str) -> Option<String> {
    store.get(&key(name)).map(|stored| stored.value()["data"]["value"].as_str().unwrap().to_owned())
}

fn names(store: &Store) -> Vec<String> {
    store.list(MAPS, None).1.iter().map(|stored| stored.key.name.to_string()).collect()
}

fn event(change: &Change) -> (ChangeKind, u64, String) {
    (change.kind, change.revision, change.object.key.name.to_string())
}

/// Runs acts in one batch: the writer is held until all of them wait behind it.
async fn in_one_batch<A, B>(
    store: &Store,
    first: impl FnOnce(&mut Transaction<'_>) -> Answer<A> + Send + 'static,
    second: impl FnOnce(&mut Transaction<'_>) -> Answer<B> + Send + 'static,
) -> (Answer<A>, Answer<B>)
where
    A: Send + 'static,
    B: Send + 'static,
{
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let hold = store.write(move |_| {
        wait.recv().unwrap();
        Ok(())
    });
    let (held, first, second, ()) =
        tokio::join!(hold, store.write(first), store.write(second), async move { go.send(()).unwrap() });
    // It shares the batch, and so its fate.
    drop(held);
    (first, second)
}

#[tokio::test]
async fn a_written_object_is_read_back_with_its_revision() {
    let store = Store::in_memory().unwrap();
    assert_eq!(store.revision(), 1, "0 would mean `any` to clients");
    let mut object = map("a", "1");
    object["metadata"]["labels"] = json!({"app": "x"});
    object["metadata"]["ownerReferences"] = json!([{"kind": "Job", "name": "o", "uid": "uid-o"}]);
    let stored = store.write(move |transaction| transaction.put(&key("a"), object)).await.unwrap();
    assert_eq!(stored.revision, 2);
    let read = store.get(&key("a")).unwrap();
    assert_eq!(read, stored);
    assert_eq!(read.value()["metadata"]["resourceVersion"], "2");
    assert_eq!(read.uid, "uid-a");
    assert_eq!(read.labels.get("app").map(String::as_str), Some("x"));
    assert_eq!(read.owners, ["uid-o"]);
    assert_eq!(store.by_uid("uid-a"), Some(read));
}

#[tokio::test]
async fn what_is_loaded_equals_what_was_stored() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let objects = [
        json!({"metadata": {"uid": "u1", "labels": {"a": "b"}, "ownerReferences": [{"uid": "o1"}, {"uid": "o2"}]}}),
        json!({"metadata": {"labels": null, "ownerReferences": null, "uid": "u2"}}),
        json!({"metadata": {"labels": {"a": 1, "b": "c"}, "uid": "u3"}, "spec": {"deep": [[[{"x": "ü\n"}]]]}}),
        json!({"data": {}}),
    ];
    let store = Store::open(&path).unwrap();
    let count = objects.len();
    store
        .write(move |transaction| {
            for (place, object) in objects.into_iter().enumerate() {
                transaction.put(&key(&place.to_string()), object)?;
            }
            Ok(())
        })
        .await
        .unwrap();
    let before = store.list(MAPS, None);
    assert_eq!(before.1.len(), count);
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.list(MAPS, None), before);
    let dependents = store.write(|transaction| Ok(transaction.dependents("o2"))).await.unwrap();
    assert_eq!(dependents, [key("0")]);
}

#[tokio::test]
async fn lists_are_of_one_resource_in_key_order() {
    let store = Store::in_memory().unwrap();
    store
        .write(|transaction| {
            for (resource, namespace, name) in
                [("pods", "b", "z"), ("pods", "b", "a"), ("pods", "a", "m"), ("podsx", "a", "m"), ("nodes", "", "n")]
            {
                transaction.put(&Key::new(resource, namespace, name), json!({}))?;
            }
            Ok(())
        })
        .await
        .unwrap();
    let shown = |resource: &str, namespace: Option<&str>| -> Vec<String> {
        store.list(resource, namespace).1.iter().map(|stored| stored.key.to_string()).collect()
    };
    assert_eq!(shown("pods", None), ["pods/a/m", "pods/b/a", "pods/b/z"]);
    assert_eq!(shown("pods", Some("b")), ["pods/b/a", "pods/b/z"]);
    assert_eq!(shown("pods", Some("c")), [""; 0]);
    assert_eq!(shown("nodes", None), ["nodes/n"]);
}

#[tokio::test]
async fn an_act_sees_what_earlier_acts_of_its_batch_did() {
    let store = Store::in_memory().unwrap();
    write(&store, "old", "1").await;
    let reader = store.clone();
    let (first, second) = in_one_batch(
        &store,
        |transaction| {
            put(transaction, "new", "1")?;
            put(transaction, "old", "2")?;
            let last = transaction.get(&key("old")).unwrap().value();
            transaction.delete(&key("old"), last)?;
            transaction.put_record("tokens", "t", "digest");
            Ok(())
        },
        move |transaction| {
            let saved = names(&reader);
            let listed: Vec<Key> = transaction.list(MAPS, None).iter().map(|stored| stored.key.clone()).collect();
            let found = (transaction.get(&key("old")), transaction.by_uid("uid-old"));
            Ok((saved, listed, found, transaction.in_namespace("default"), transaction.record("tokens", "t")))
        },
    )
    .await;
    first.unwrap();
    let (saved, listed, found, in_namespace, record) = second.unwrap();
    assert_eq!(saved, ["old"], "both acts must have run before anything was saved");
    assert_eq!(listed, [key("new")]);
    assert_eq!(found, (None, None));
    assert_eq!(in_namespace, [key("new")]);
    assert_eq!(record.as_deref(), Some("digest"));
    assert_eq!(names(&store), ["new"]);
}

#[tokio::test]
async fn an_act_that_fails_or_panics_or_undoes_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let store = Store::open(&path).unwrap();
    write(&store, "kept", "1").await;
    let spoil = |transaction: &mut Transaction<'_>| -> Answer<()> {
        put(transaction, "kept", "2")?;
        put(transaction, "kept", "3")?;
        put(transaction, "other", "1")?;
        let last = transaction.get(&key("kept")).unwrap().value();
        transaction.delete(&key("kept"), last)?;
        transaction.put_record("tokens", "t", "digest");
        transaction.audit(json!({"verb": "spoil"}));
        Ok(())
    };
    let (failed, after) = in_one_batch(
        &store,
        move |transaction| {
            spoil(transaction)?;
            Err::<(), _>(Status::bad_request("no"))
        },
        |transaction| put(transaction, "after", "1"),
    )
    .await;
    assert_eq!(failed.unwrap_err().code, 400);
    assert_eq!(after.unwrap(), 3, "the failed act's revisions were given to nobody");
    let panicked = store
        .write(move |transaction| -> Answer<()> {
            spoil(transaction)?;
            panic!("on purpose")
        })
        .await;
    assert_eq!(panicked.unwrap_err().code, 500);
    let dry = store
        .write(move |transaction| {
            spoil(transaction)?;
            transaction.undo();
            Ok(transaction.get(&key("kept")).map(|stored| stored.revision))
        })
        .await;
    assert_eq!(dry.unwrap(), Some(2));
    untouched(&store).await;
    drop(store);
    untouched(&Store::open(&path).unwrap()).await;
}

async fn untouched(store: &Store) {
    assert_eq!(names(store), ["after", "kept"]);
    assert_eq!(data(store, "kept").as_deref(), Some("1"));
    assert_eq!(store.revision(), 3);
    assert!(store.records("tokens").is_empty());
    assert!(store.audit_since(0, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn when_saving_fails_the_whole_batch_is_refused_and_unseen() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let store = Store::open(&path).unwrap();
    let trigger = "CREATE TRIGGER full BEFORE INSERT ON objects WHEN NEW.name = 'bad'
                   BEGIN SELECT RAISE(FAIL, 'disk full'); END";
    Connection::open(&path).unwrap().execute_batch(trigger).unwrap();
    let mut changes = store.subscribe(1).unwrap();
    let (good, bad) =
        in_one_batch(&store, |transaction| put(transaction, "good", "1"), |transaction| put(transaction, "bad", "1"))
            .await;
    assert_eq!((good.unwrap_err().code, bad.unwrap_err().code), (503, 503));
    assert!(store.health().unwrap_err().contains("disk full"));
    store.write(|_| Ok(())).await.unwrap();
    assert!(store.health().is_err(), "an act that saves nothing shows nothing");
    assert!(names(&store).is_empty());
    assert_eq!(store.revision(), 1);
    assert!(changes.try_next().unwrap().is_none());
    assert_eq!(write(&store, "good", "2").await, 2);
    assert_eq!(store.health(), Ok(()));
    drop(store);
    assert_eq!(names(&Store::open(&path).unwrap()), ["good"]);
}

#[tokio::test]
async fn revisions_grow_by_one_over_restarts_even_after_deletes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let store = Store::open(&path).unwrap();
    assert_eq!(write(&store, "a", "1").await, 2);
    assert_eq!(write(&store, "b", "1").await, 3);
    assert_eq!(delete(&store, "b").await, 4);
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.revision(), 4);
    assert_eq!(delete(&store, "a").await, 5);
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!((store.revision(), names(&store).len()), (5, 0));
    assert_eq!(write(&store, "a", "2").await, 6);
}

#[tokio::test]
async fn deleting_what_is_not_there_is_not_found() {
    let store = Store::in_memory().unwrap();
    let gone = Key::new("flinkdeployments.flink.apache.org", "default", "x");
    let answer = store.write(move |transaction| transaction.delete(&gone, json!({})).map(|_| ())).await;
    let status = answer.unwrap_err();
    assert_eq!((status.code, status.message.as_str()), (404, "flinkdeployments.flink.apache.org \"x\" not found"));
}

#[tokio::test]
async fn readers_see_all_of_an_act_or_none() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store.db")).unwrap();
    let is_done = Arc::new(AtomicBool::new(false));
    let (reader, stop) = (store.clone(), Arc::clone(&is_done));
    let watcher = thread::spawn(move || {
        let mut looks = 0_u64;
        while !stop.load(Ordering::Relaxed) {
            let (revision, listed) = reader.list(MAPS, None);
            let values: Vec<Value> = listed.iter().map(|stored| stored.value()["data"]["value"].clone()).collect();
            assert!(values.is_empty() || (values.len() == 2 && values[0] == values[1]), "{values:?}");
            assert_eq!(listed.iter().map(|stored| stored.revision).max().unwrap_or(1), revision);
            looks += 1;
        }
        looks
    });
    for round in 0..200 {
        let act = move |transaction: &mut Transaction<'_>| {
            put(transaction, "a", &round.to_string())?;
            put(transaction, "b", &round.to_string())
        };
        store.write(act).await.unwrap();
    }
    is_done.store(true, Ordering::Relaxed);
    assert!(watcher.join().unwrap() > 0, "the reader never looked");
}

#[tokio::test]
async fn a_subscription_gives_every_change_in_order_and_waits_for_more() {
    let store = Store::in_memory().unwrap();
    write(&store, "a", "1").await;
    let mut early = store.subscribe(1).unwrap();
    let mut late = store.subscribe(store.revision()).unwrap();
    let reader = tokio::spawn(async move {
        let mut seen = Vec::new();
        for _ in 0..3 {
            seen.push(event(&late.next().await.unwrap()));
        }
        assert_eq!(late.position(), 5);
        seen
    });
    tokio::task::yield_now().await;
    write(&store, "a", "2").await;
    write(&store, "b", "1").await;
    delete(&store, "a").await;
    let later = [
        (ChangeKind::Modified, 3, "a".to_owned()),
        (ChangeKind::Added, 4, "b".to_owned()),
        (ChangeKind::Deleted, 5, "a".to_owned()),
    ];
    assert_eq!(reader.await.unwrap(), later);
    let first = early.try_next().unwrap().unwrap();
    assert_eq!(event(&first), (ChangeKind::Added, 2, "a".to_owned()));
    assert!(first.previous.is_none());
    for expected in later {
        assert_eq!(event(&early.try_next().unwrap().unwrap()), expected);
    }
    assert!(early.try_next().unwrap().is_none());
    drop(store);
    assert_eq!(early.next().await.unwrap_err().code, 503, "a closed store must not let its watchers wait for ever");
}

#[tokio::test]
async fn a_deleted_object_is_shown_with_the_revision_of_its_deletion() {
    let store = Store::in_memory().unwrap();
    write(&store, "a", "1").await;
    delete(&store, "a").await;
    let mut changes = store.subscribe(2).unwrap();
    let change = changes.next().await.unwrap();
    assert_eq!(change.object.value()["metadata"]["resourceVersion"], "3");
    assert_eq!(change.previous.as_ref().map(|previous| previous.revision), Some(2));
    let line = change.line();
    assert!(line.ends_with(b"}\n"));
    let event: Value = serde_json::from_slice(&line).unwrap();
    assert_eq!(event["type"], "DELETED");
    assert_eq!(event["object"], change.object.value());
}

#[tokio::test]
async fn a_subscription_that_falls_behind_is_expired() {
    let store = Store::in_memory().unwrap();
    let mut slow = store.subscribe(1).unwrap();
    write(&store, "a", "first").await;
    store
        .write(|transaction| {
            for round in 0..20_100 {
                put(transaction, "a", &round.to_string())?;
            }
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(store.revision(), 20_102);
    let status = slow.next().await.unwrap_err();
    assert_eq!((status.code, status.reason), (410, "Expired"));
    assert_eq!(status.message, "too old resource version: 1 (102)");
    assert_eq!(store.subscribe(101).unwrap_err().code, 410);
    assert_eq!(store.subscribe(102).unwrap().try_next().unwrap().unwrap().revision, 103);
}

#[tokio::test]
async fn after_a_restart_only_the_present_can_be_followed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let store = Store::open(&path).unwrap();
    write(&store, "a", "1").await;
    write(&store, "a", "2").await;
    drop(store);
    let store = Store::open(&path).unwrap();
    let expired = store.subscribe(2).unwrap_err();
    assert_eq!((expired.code, expired.message.as_str()), (410, "too old resource version: 2 (3)"));
    let early = store.subscribe(4).unwrap_err();
    assert_eq!((early.code, early.reason), (504, "Timeout"));
    assert_eq!(early.message, "Timeout: Too large resource version: 4, current: 3");
    let details = early.details.unwrap();
    assert_eq!(details["causes"][0]["reason"], "ResourceVersionTooLarge");
    assert_eq!(details["retryAfterSeconds"], 1);
    let mut present = store.subscribe(3).unwrap();
    write(&store, "a", "3").await;
    assert_eq!(present.next().await.unwrap().revision, 4);
}

#[tokio::test]
async fn records_and_audit_rows_outlive_a_restart_and_make_no_revision() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let store = Store::open(&path).unwrap();
    let act = |transaction: &mut Transaction<'_>| {
        for name in ["b", "a", "gone"] {
            transaction.put_record("tokens", name, "1");
            transaction.audit(json!({"verb": "create", "name": name}));
        }
        transaction.put_record("tokens", "a", "2");
        transaction.delete_record("tokens", "gone");
        Ok((transaction.record("tokens", "a"), transaction.record("tokens", "gone")))
    };
    assert_eq!(store.write(act).await.unwrap(), (Some("2".to_owned()), None));
    let expected = [("a".to_owned(), "2".to_owned()), ("b".to_owned(), "1".to_owned())];
    assert_eq!(store.records("tokens"), expected);
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.records("tokens"), expected);
    assert_eq!(store.record("tokens", "b").as_deref(), Some("1"));
    assert_eq!(store.record("other", "b"), None);
    let audit = store.audit_since(1, 1).await.unwrap();
    assert_eq!(audit, [(2, json!({"verb": "create", "name": "a"}))]);
    assert_eq!(store.audit_since(0, 100).await.unwrap().len(), 3);
    assert_eq!(store.revision(), 1);
}

#[tokio::test]
async fn a_second_opener_is_refused_until_the_first_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let store = Store::open(&path).unwrap();
    let clone = store.clone();
    drop(store);
    let error = Store::open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("store.db.lock"), "{error}");
    write(&clone, "a", "1").await;
    drop(clone);
    assert_eq!(data(&Store::open(&path).unwrap(), "a").as_deref(), Some("1"));
    assert!(!directory.path().join("store.db-wal").exists(), "a clean end leaves no write-ahead log");
}

#[test]
fn files_that_are_not_ours_are_refused_and_left_alone() {
    let sql = |text: &'static str| move |path: &Path| Connection::open(path).unwrap().execute_batch(text).unwrap();
    let foreign = sql("CREATE TABLE t (x); PRAGMA user_version = 1");
    let newer = sql("PRAGMA application_id = 0x4b6f6252; PRAGMA user_version = 99; CREATE TABLE t (x)");
    let text = |path: &Path| fs::write(path, "apiVersion: v1\n".repeat(400)).unwrap();
    type Make<'a> = &'a dyn Fn(&Path);
    let cases: [(Make<'_>, ErrorKind, &str); 3] = [
        (&foreign, ErrorKind::Invalid, "is an SQLite file of another program"),
        (&newer, ErrorKind::Unsupported, "was written by a newer version: its format is 99"),
        (&text, ErrorKind::Corrupt, "is damaged or not an SQLite file"),
    ];
    for (make, kind, message) in cases {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.db");
        make(&path);
        let before = fs::read(&path).unwrap();
        let error = Store::open(&path).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(message), "{error}");
        assert!(error.to_string().contains("store.db"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), before, "{message}");
    }
}

#[tokio::test]
async fn a_damaged_file_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let store = Store::open(&path).unwrap();
    for name in 0..40 {
        write(&store, &name.to_string(), &"x".repeat(2_000)).await;
    }
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096..].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let error = Store::open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
    assert!(error.to_string().contains("store.db"), "{error}");
}

#[test]
fn a_missing_directory_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let error = Store::open(&directory.path().join("missing/store.db")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Missing, "{error}");
}

#[tokio::test]
async fn what_fifty_writers_were_told_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let store = Store::open(&path).unwrap();
    let writers: Vec<_> = (0..50)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut told = Vec::new();
                for round in 0..40 {
                    let name = format!("{writer:02}-{round:02}");
                    told.push((name.clone(), write(&store, &name, &name).await));
                }
                told
            })
        })
        .collect();
    let mut told = Vec::new();
    for writer in writers {
        told.extend(writer.await.unwrap());
    }
    drop(store);
    let store = Store::open(&path).unwrap();
    let listed = store.list(MAPS, Some("default")).1;
    let kept: Vec<(String, u64)> = listed.iter().map(|stored| (stored.key.name.to_string(), stored.revision)).collect();
    told.sort();
    assert_eq!(kept, told);
    let mut revisions: Vec<u64> = told.iter().map(|(_, revision)| *revision).collect();
    revisions.sort_unstable();
    assert_eq!(revisions, (2..=2_001).collect::<Vec<u64>>(), "each write has a revision of its own");
}
