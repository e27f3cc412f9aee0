//! A watch: changes as they come, line by line, over as many connections as it takes.
//!
//! An API ends a watch after a while; the next one goes on from the last version that was seen, so nothing is missed.

use std::time::{Duration, Instant};

use http_body_util::BodyExt as _;
use kobel_model::{Error, ErrorKind};
use kube::client::Body;
use serde_json::Value;

use crate::cluster::{Call, Cluster, JSON};
use crate::failure::{Answer, Failure, Refusal};
use crate::kinds::Served;
use crate::objects::{Selection, TABLE};

/// In which shape changes come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Objects.
    Objects,
    /// Rows of tables.
    Tables,
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
        }
    }

    /// Waits for the next change.
    ///
    /// # Errors
    /// Conflict if the version is forgotten; those of the connection.
    pub async fn next(&mut self) -> Answer<Change> {
        loop {
            if let Some(line) = self.line() {
                if let Some(change) = self.change(&line)? {
                    return Ok(change);
                }
                continue;
            }
            let Some(body) = &mut self.body else {
                self.body = Some(self.reopen().await?);
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

    /// Opens the stream; a server that is away for a moment is waited for.
    async fn reopen(&self) -> Answer<Body> {
        let (begin, mut pause) = (Instant::now(), PAUSE_MIN);
        loop {
            match self.open().await {
                Err(failure) if is_passing(&failure) && begin.elapsed() < PATIENCE => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
                answer => return answer,
            }
        }
    }

    async fn open(&self) -> Answer<Body> {
        let accept = match self.shape {
            Shape::Objects => JSON,
            Shape::Tables => TABLE,
        };
        let call = Call::get(self.path.clone())
            .with("watch", "true")
            .with("allowWatchBookmarks", "true")
            .with("timeoutSeconds", WATCH_SECONDS)
            .with("resourceVersion", self.version.clone())
            .accepting(accept);
        self.cluster.open(self.selection.narrow(call)).await
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
        if let Some(version) = version_of(&object) {
            version.clone_into(&mut self.version);
        }
        Ok((kind != "BOOKMARK").then_some(Change { kind, object }))
    }
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
    let object = match object.get("rows") {
        Some(rows) => rows.as_array()?.last()?.get("object")?,
        None => object,
    };
    object.get("metadata")?.get("resourceVersion")?.as_str().filter(|version| !version.is_empty())
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
}
