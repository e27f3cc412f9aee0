//! A watch: changes as they come, line by line, over as many connections as it takes.
//!
//! An API ends a watch after a while; the next one goes on from the last version that was seen, so nothing is missed.
//! An API that has forgotten that version is asked for everything that is there, and what differs from what was told is
//! told as if it had just happened:
//!
//! ```text
//! stream -> changes -> 410 -> list, compared with what was told -> changes -> stream from the version of the list
//! ```

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use http_body_util::BodyExt as _;
use kobel_model::{Error, ErrorKind};
use kube::client::Body;
use serde_json::{Value, json};

use crate::cluster::{Call, Cluster, JSON};
use crate::failure::{Answer, Failure, Refusal};
use crate::kinds::Served;
use crate::objects::{Selection, TABLE, metadata};
use crate::tables::Rows;

/// In which shape changes come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Objects.
    Objects,
    /// Rows of tables.
    Tables(Rows),
}

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// `ADDED`, `MODIFIED` or `DELETED`.
    pub kind: String,
    /// The object, or a table with its row.
    pub object: Value,
}

/// After how many seconds the server ends a watch, so that a connection which nobody answers any more is noticed.
const WATCH_SECONDS: &str = "240";
/// How long a connection may be silent.
const QUIET_MAX: Duration = Duration::from_secs(300);
/// How long a watch waits for a server that is away.
const PATIENCE: Duration = Duration::from_secs(30);
/// The first pause between two tries.
const PAUSE_MIN: Duration = Duration::from_millis(100);
/// The longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Changes of a collection after a version.
pub struct Watch {
    cluster: Cluster,
    path: String,
    selection: Selection,
    shape: Shape,
    version: String,
    body: Option<Body>,
    pending: Vec<u8>,
    /// What was told of each object last, by its unique id.
    known: BTreeMap<String, Value>,
    /// What a list told and nobody has taken yet.
    told: VecDeque<Change>,
    /// How long to wait before the next list.
    pause: Duration,
}

impl Watch {
    /// Watches what changes after `version`.
    pub fn after(cluster: &Cluster, served: &Served, selection: Selection, shape: Shape, version: &str) -> Self {
        Self {
            cluster: cluster.clone(),
            path: served.path(selection.namespace.as_deref()),
            selection,
            shape,
            version: version.to_owned(),
            body: None,
            pending: Vec::new(),
            known: BTreeMap::new(),
            told: VecDeque::new(),
            pause: PAUSE_MIN,
        }
    }

    /// Notes an object that the caller knows of, so that its end is told even if it comes while nobody watches.
    pub fn knows(&mut self, object: &Value) {
        if let Some(id) = id_of(object) {
            self.known.insert(id.to_owned(), object.clone());
        }
    }

    /// Waits for the next change.
    ///
    /// # Cancellation
    /// Nothing is lost if the future is dropped.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn next(&mut self) -> Answer<Change> {
        loop {
            if let Some(change) = self.told.pop_front() {
                return Ok(change);
            }
            if let Some(line) = self.line() {
                match self.change(&line) {
                    Ok(Some(change)) => return Ok(change),
                    Ok(None) => {}
                    Err(failure) if is_forgotten(&failure) => self.list_again().await?,
                    Err(failure) => return Err(failure),
                }
                continue;
            }
            let Some(body) = &mut self.body else {
                match patiently(|| self.open()).await {
                    Ok(body) => self.body = Some(body),
                    Err(failure) if is_forgotten(&failure) => self.list_again().await?,
                    Err(failure) => return Err(failure),
                }
                continue;
            };
            match tokio::time::timeout(QUIET_MAX, body.frame()).await {
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        self.pending.extend_from_slice(&data);
                    }
                }
                _ => {
                    // A line that broke off comes again with the next connection.
                    self.body = None;
                    self.pending.clear();
                    tokio::time::sleep(PAUSE_MIN).await;
                }
            }
        }
    }

    async fn open(&self) -> Answer<Body> {
        let call = Call::get(self.path.clone())
            .with("watch", "true")
            .with("allowWatchBookmarks", "true")
            .with("timeoutSeconds", WATCH_SECONDS)
            .with("resourceVersion", self.version.clone());
        self.cluster.open(self.shaped(call)).await
    }

    /// Lists what is there, in place of the changes that the server has forgotten.
    async fn list_again(&mut self) -> Answer<()> {
        self.body = None;
        self.pending.clear();
        // A server that forgets what it has just told is not asked without a pause.
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        let list = patiently(|| self.list()).await?;
        let version = metadata(&list, "resourceVersion").to_owned();
        let entries = entries(list);
        self.told.extend(differences(&self.known, &self.version, &entries));
        self.known = entries.into_iter().filter_map(|entry| Some((id_of(&entry)?.to_owned(), entry))).collect();
        self.version = version;
        Ok(())
    }

    async fn list(&self) -> Answer<Value> {
        Ok(self.cluster.call(self.shaped(Call::get(self.path.clone()))).await?.value)
    }

    /// Adds to a call what is selected and in which shape it is to come.
    fn shaped(&self, call: Call) -> Call {
        let call = self.selection.narrow(call);
        match self.shape {
            Shape::Objects => call.accepting(JSON),
            Shape::Tables(rows) => rows.asked(call.accepting(TABLE)),
        }
    }

    fn line(&mut self) -> Option<Vec<u8>> {
        let end = self.pending.iter().position(|byte| *byte == b'\n')?;
        let rest = self.pending.split_off(end + 1);
        Some(std::mem::replace(&mut self.pending, rest))
    }

    /// What a line tells; bookmarks and blank lines tell nothing to the caller.
    fn change(&mut self, line: &[u8]) -> Answer<Option<Change>> {
        if line.trim_ascii().is_empty() {
            return Ok(None);
        }
        let mut event: Value = serde_json::from_slice(line)
            .map_err(|error| Error::bug("a change of a watch is not JSON").with_source(error))?;
        let kind = event.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let object = event.get_mut("object").map(Value::take).unwrap_or_default();
        if kind == "ERROR" {
            return Err(Refusal::of(500, &object).into());
        }
        self.pause = PAUSE_MIN;
        if let Some(version) = version_of(&object) {
            version.clone_into(&mut self.version);
        }
        match kind.as_str() {
            "BOOKMARK" => return Ok(None),
            "DELETED" => drop(id_of(&object).and_then(|id| self.known.remove(id))),
            _ => self.knows(&object),
        }
        Ok(Some(Change { kind, object }))
    }
}

/// Asks again for a while if the server is away for a moment.
async fn patiently<T, F: Future<Output = Answer<T>>>(ask: impl Fn() -> F) -> Answer<T> {
    let (begin, mut pause) = (Instant::now(), PAUSE_MIN);
    loop {
        match ask().await {
            Err(failure) if is_passing(&failure) && begin.elapsed() < PATIENCE => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
            answer => return answer,
        }
    }
}

/// What has happened since `version`, as a list of everything that is there shows it.
fn differences(known: &BTreeMap<String, Value>, version: &str, entries: &[Value]) -> Vec<Change> {
    let change = |kind: &str, object: &Value| Change { kind: kind.to_owned(), object: object.clone() };
    let mut changes = Vec::new();
    let mut present = BTreeSet::new();
    for entry in entries {
        let Some(id) = id_of(entry) else { continue };
        present.insert(id);
        match known.get(id) {
            Some(before) if version_of(before) == version_of(entry) => {}
            Some(_) => changes.push(change("MODIFIED", entry)),
            // What is not newer was in the list that the watch goes on from.
            None if !is_later(version_of(entry), version) => {}
            None => changes.push(change("ADDED", entry)),
        }
    }
    let gone = known.iter().filter(|(id, _)| !present.contains(id.as_str()));
    changes.extend(gone.map(|(_, object)| change("DELETED", object)));
    changes
}

/// Whether a version comes after another; versions that are no numbers cannot be compared and count as later.
fn is_later(version: Option<&str>, than: &str) -> bool {
    match (version.and_then(|version| version.parse::<u64>().ok()), than.parse::<u64>()) {
        (Some(version), Ok(than)) => version > than,
        _ => true,
    }
}

/// What a list holds, each as a watch would tell it: an object that names its kind, or a table of one row.
fn entries(mut list: Value) -> Vec<Value> {
    let text = |field: &str| list.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (kind, api_version) = (text("kind"), text("apiVersion"));
    let mut taken = |field: &str| match list.get_mut(field).map(Value::take) {
        Some(Value::Array(values)) => values,
        _ => Vec::new(),
    };
    if kind == "Table" {
        let table = |row: Value| json!({"kind": "Table", "apiVersion": &api_version, "metadata": {}, "rows": [row]});
        return taken("rows").into_iter().map(table).collect();
    }
    let kind = kind.trim_end_matches("List");
    let mut items = taken("items");
    for item in items.iter_mut().filter(|item| item.get("kind").is_none()) {
        let named = json!({"apiVersion": &api_version, "kind": kind});
        if let (Value::Object(mut whole), Some(fields)) = (named, item.as_object_mut()) {
            whole.append(fields);
            *fields = whole;
        }
    }
    items
}

/// Whether the server has forgotten the version that was asked for.
fn is_forgotten(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(refusal) if refusal.code == 410)
}

/// Whether a failure may be over in a moment: nobody listens, or the server cannot now.
fn is_passing(failure: &Failure) -> bool {
    match failure {
        Failure::Refused(refusal) => matches!(refusal.code, 429 | 503),
        Failure::Other(error) => error.kind() == ErrorKind::Unavailable,
    }
}

/// The version of an object, or that of the last row of a table.
fn version_of(object: &Value) -> Option<&str> {
    text_of(object, "resourceVersion")
}

/// The unique id of an object, or that of the last row of a table.
fn id_of(object: &Value) -> Option<&str> {
    text_of(object, "uid")
}

fn text_of<'a>(object: &'a Value, field: &str) -> Option<&'a str> {
    let object = match object.get("rows") {
        Some(rows) => rows.as_array()?.last()?.get("object")?,
        None => object,
    };
    Some(metadata(object, field)).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_version_is_that_of_the_object_or_of_the_last_row() {
        let object = json!({"metadata": {"resourceVersion": "5"}});
        let table = json!({"metadata": {}, "rows": [{"object": {"metadata": {"resourceVersion": "7"}}}]});
        for (value, expected) in [(object, Some("5")), (table, Some("7")), (json!({"rows": []}), None)] {
            assert_eq!(version_of(&value), expected);
        }
    }
    fn object(uid: &str, version: &str) -> Value {
        json!({"metadata": {"uid": uid, "resourceVersion": version}})
    }

    #[test]
    fn what_was_missed_is_told_by_comparing_a_list_with_what_was_told() {
        let known: BTreeMap<String, Value> = [("same", "5"), ("changed", "6"), ("gone", "7")]
            .map(|(id, version)| (id.to_owned(), object(id, version)))
            .into();
        let list = [object("same", "5"), object("changed", "12"), object("new", "11"), object("old", "9")];
        let told: Vec<(String, String)> = differences(&known, "10", &list)
            .into_iter()
            .map(|change| (change.kind, id_of(&change.object).unwrap_or_default().to_owned()))
            .collect();
        let expected = [("MODIFIED", "changed"), ("ADDED", "new"), ("DELETED", "gone")];
        assert_eq!(told, expected.map(|(kind, id)| (kind.to_owned(), id.to_owned())));
    }

    #[test]
    fn versions_that_are_no_numbers_count_as_later() {
        for (version, than, expected) in [
            (Some("10"), "9", true),
            (Some("9"), "10", false),
            (Some("9"), "9", false),
            (Some("x"), "9", true),
            (None, "9", true),
        ] {
            assert_eq!(is_later(version, than), expected, "{version:?} {than}");
        }
    }

    #[test]
    fn a_list_falls_into_what_a_watch_would_tell() {
        let row = json!({"cells": ["a"], "object": {"metadata": {"uid": "1", "resourceVersion": "3"}}});
        let table = json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "rows": [row.clone(), row]});
        let rows = entries(table);
        assert_eq!(rows.len(), 2);
        assert_eq!((id_of(&rows[0]), version_of(&rows[0])), (Some("1"), Some("3")));
        let items = entries(json!({"kind": "EventList", "apiVersion": "v1", "items": [{"metadata": {"uid": "1"}}]}));
        assert_eq!(items[0].to_string(), r#"{"apiVersion":"v1","kind":"Event","metadata":{"uid":"1"}}"#);
    }

    #[test]
    fn only_a_forgotten_version_is_listed_again() {
        for (code, expected) in [(410, true), (409, false), (500, false)] {
            assert_eq!(is_forgotten(&Refusal::read(code, b"no").into()), expected, "{code}");
        }
    }
}
