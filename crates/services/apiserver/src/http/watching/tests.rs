//! Watches over a store in memory.

use kobel_model::Result;

use super::*;
use crate::kinds::Kinds;
use crate::selector::{FieldSelector, LabelSelector, Selection};
use crate::store::Key;
use crate::surroundings::Machine;

use super::super::query::Query;

fn key(name: &str) -> Key {
    Key::new("configmaps", "default", name)
}

async fn put(store: &Store, name: &str, labels: Value) {
    let meta = json!({"name": name, "namespace": "default", "labels": labels});
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta});
    let key = key(name);
    store.write(move |tx| tx.put(&key, object)).await.unwrap();
}

async fn remove(store: &Store, name: &str) {
    let key = key(name);
    let last = store.get(&key).unwrap().value();
    store.write(move |tx| tx.delete(&key, last)).await.unwrap();
}

fn open(store: &Store, labels: &str, query: &str) -> WatchStream {
    let kind = Kinds::all().by_resource("configmaps").unwrap();
    let mut view = View::new(Arc::clone(&kind), Some("default".to_owned()));
    let fields = FieldSelector::default();
    view.selection = Selection { labels: LabelSelector::parse(labels).unwrap(), fields };
    let options = ListOptions::parse(&Query::parse(query)).unwrap();
    let (store_of_ground, surroundings) = (store.clone(), Arc::new(Machine));
    let still_allowed = Box::new(|| true);
    let ground = Ground { store: store_of_ground, surroundings, room: None, place: None, still_allowed };
    WatchStream::open(view, ground, &options, || store.list("configmaps", Some("default"))).unwrap()
}

/// The type of the next event and the name of its object.
async fn next(stream: &mut WatchStream) -> Option<(String, String)> {
    let line = stream.next().await?;
    let event: Value = serde_json::from_slice(&line).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Some((text(&event["type"]), text(&event["object"]["metadata"]["name"])))
}

fn event(kind: &str, name: &str) -> Option<(String, String)> {
    Some((kind.to_owned(), name.to_owned()))
}

#[tokio::test]
async fn what_is_there_comes_first_and_then_what_changes() -> Result<()> {
    let store = Store::in_memory()?;
    put(&store, "a", json!({})).await;
    let mut stream = open(&store, "", "watch=1");
    assert_eq!(next(&mut stream).await, event("ADDED", "a"));
    put(&store, "b", json!({})).await;
    put(&store, "a", json!({"x": "y"})).await;
    remove(&store, "b").await;
    assert_eq!(next(&mut stream).await, event("ADDED", "b"));
    assert_eq!(next(&mut stream).await, event("MODIFIED", "a"));
    assert_eq!(next(&mut stream).await, event("DELETED", "b"));
    Ok(())
}

#[tokio::test]
async fn an_object_that_begins_or_ceases_to_be_selected_comes_and_goes() -> Result<()> {
    let store = Store::in_memory()?;
    put(&store, "a", json!({"app": "other"})).await;
    let mut stream = open(&store, "app=web", "watch=1");
    put(&store, "b", json!({"app": "other"})).await;
    put(&store, "a", json!({"app": "web"})).await;
    put(&store, "a", json!({"app": "web", "more": "yes"})).await;
    put(&store, "a", json!({"app": "other"})).await;
    put(&store, "a", json!({"app": "web"})).await;
    remove(&store, "a").await;
    for expected in ["ADDED", "MODIFIED", "DELETED", "ADDED", "DELETED"] {
        assert_eq!(next(&mut stream).await, event(expected, "a"));
    }
    Ok(())
}

#[tokio::test]
async fn one_that_ceases_to_be_selected_is_told_as_it_was_with_the_new_version() -> Result<()> {
    let store = Store::in_memory()?;
    put(&store, "a", json!({"app": "web"})).await;
    let mut stream = open(&store, "app=web", "watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan");
    put(&store, "a", json!({"app": "other"})).await;
    let line = stream.next().await.unwrap();
    let event: Value = serde_json::from_slice(&line).unwrap();
    assert_eq!(event["type"], "DELETED");
    assert_eq!(event["object"]["metadata"]["labels"]["app"], "web");
    assert_eq!(event["object"]["metadata"]["resourceVersion"], store.revision().to_string());
    Ok(())
}

#[tokio::test]
async fn the_end_of_what_is_there_is_marked_for_those_who_ask() -> Result<()> {
    let store = Store::in_memory()?;
    put(&store, "a", json!({})).await;
    let query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut stream = open(&store, "", query);
    assert_eq!(next(&mut stream).await, event("ADDED", "a"));
    let line = stream.next().await.unwrap();
    let mark: Value = serde_json::from_slice(&line).unwrap();
    assert_eq!(mark["type"], "BOOKMARK");
    assert_eq!(mark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    Ok(())
}

#[tokio::test]
async fn a_watch_ends_in_time_and_tells_how_far_it_was() -> Result<()> {
    let store = Store::in_memory()?;
    let mut stream = open(&store, "", "watch=1&timeoutSeconds=1&allowWatchBookmarks=true");
    assert_eq!(next(&mut stream).await, event("BOOKMARK", ""));
    assert_eq!(next(&mut stream).await, None);
    Ok(())
}

#[tokio::test]
async fn a_watch_ends_when_its_caller_may_no_longer_have_it() -> Result<()> {
    let store = Store::in_memory()?;
    put(&store, "a", json!({})).await;
    put(&store, "b", json!({})).await;
    let mut stream = open(&store, "", "watch=1");
    stream.check = Instant::now();
    assert_eq!(next(&mut stream).await, event("ADDED", "a"), "asked, and still allowed");
    assert!(stream.check > Instant::now());
    stream.ground.still_allowed = Box::new(|| false);
    stream.check = Instant::now();
    assert_eq!(next(&mut stream).await, None);
    assert_eq!(next(&mut stream).await, None);
    Ok(())
}

#[tokio::test]
async fn a_table_tells_its_columns_once() -> Result<()> {
    let store = Store::in_memory()?;
    put(&store, "a", json!({})).await;
    put(&store, "b", json!({})).await;
    let mut stream = open(&store, "", "watch=1");
    stream.view.form = Form::Table;
    for (has_columns, name) in [(true, "a"), (false, "b")] {
        let event: Value = serde_json::from_slice(&stream.next().await.unwrap()).unwrap();
        assert_eq!(event["object"]["columnDefinitions"].is_array(), has_columns, "{name}");
        assert_eq!(event["object"]["rows"][0]["cells"][0], name);
    }
    Ok(())
}
