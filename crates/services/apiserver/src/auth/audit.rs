//! The audit: rows for what was refused, and reading all rows page by page.
//!
//! What was done is recorded by the act that did it. Refusals are recorded without waiting, and not more at once than
//! the store can easily take: who floods the server with refused requests does not fill its disk at the same pace.
//! Those whom nobody knows leave nothing at all.

use std::fmt::Write;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::auth::attributes::Attributes;
use crate::auth::caller::{Caller, UNAUTHENTICATED};
use crate::status::{Answer, Status};
use crate::store::Store;

/// How many refusals wait to be saved at most.
const WAITING_MAX: usize = 64;
/// How many refusals are recorded in a second at most.
const PER_SECOND_MAX: usize = 50;
/// How many bytes of a text that the caller chose are recorded at most: a name is not longer.
const TEXT_MAX: usize = 253;
/// How much of a time, as text, names the second.
const SECOND_LEN: usize = "2000-01-01T00:00:00".len();
/// How many rows a page has when nobody said.
const PAGE_DEFAULT: usize = 500;
/// How many rows a page has at most.
const PAGE_MAX: usize = 5000;

/// A request that was refused.
#[derive(Debug, Clone, Copy)]
pub struct Refused<'a> {
    /// Who called; absent if that is not known.
    pub caller: Option<&'a Caller>,
    /// From where, if known.
    pub peer: Option<IpAddr>,
    /// What was asked.
    pub asked: Attributes<'a>,
    /// The refusal.
    pub status: &'a Status,
}

impl Refused<'_> {
    /// Whether the request would have changed something.
    pub fn is_mutation(&self) -> bool {
        !matches!(self.asked.verb, "get" | "list" | "watch" | "head" | "")
    }

    /// Whether nobody knows who called.
    pub fn is_anonymous(&self) -> bool {
        self.caller.is_none_or(|caller| caller.groups.iter().any(|group| group == UNAUTHENTICATED))
    }

    /// The row, as those of acts that were done.
    fn to_json(self, at: &str) -> Value {
        let (plural, subresource) = self.asked.resource.split_once('/').unwrap_or((self.asked.resource, ""));
        let group = self.asked.group;
        let resource = if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") };
        let caller = self.caller.cloned().unwrap_or_else(Caller::anonymous);
        let mut row = json!({
            "at": at, "user": cut(&caller.user), "groups": caller.groups, "verb": self.asked.verb,
            "resource": cut(&resource), "namespace": cut(self.asked.namespace.unwrap_or_default()),
            "name": cut(self.asked.name.unwrap_or_default()), "subresource": cut(subresource),
            "code": self.status.code, "reason": self.status.reason,
        });
        if let Some(peer) = self.peer {
            row["peer"] = json!(peer.to_string());
        }
        row
    }
}

/// The start of a text.
fn cut(text: &str) -> &str {
    text.split_at(text.floor_char_boundary(TEXT_MAX)).0
}

/// How many refusals were recorded of late.
#[derive(Debug, Default)]
struct Pace {
    second: String,
    count: usize,
    /// Those that were not recorded since the last that was.
    left_out: u64,
}

/// Records refusals. Clones share the bounds.
#[derive(Debug, Clone)]
pub struct Recorder {
    store: Store,
    waiting: Arc<AtomicUsize>,
    pace: Arc<Mutex<Pace>>,
}

impl Recorder {
    /// Makes a recorder that writes to a store.
    pub fn new(store: Store) -> Self {
        Self { store, waiting: Arc::default(), pace: Arc::default() }
    }

    /// Records a refused mutation soon, without waiting; outside of a tokio runtime, and of an anonymous caller, it
    /// does nothing. Those that are too many are counted, and the next row says in `leftOut` how many they were.
    pub fn record(&self, refused: Refused<'_>, at: &str) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if !refused.is_mutation() || refused.is_anonymous() {
            return;
        }
        let Some(left_out) = self.admit(at) else { return };
        let mut row = refused.to_json(at);
        if left_out > 0 {
            row["leftOut"] = json!(left_out);
        }
        let (store, waiting) = (self.store.clone(), Arc::clone(&self.waiting));
        runtime.spawn(async move {
            let saved = store
                .write(move |tx| {
                    tx.audit(row);
                    Ok(())
                })
                .await;
            waiting.fetch_sub(1, Ordering::Relaxed);
            if let Err(status) = saved {
                tracing::warn!(target: "kobel.audit", "a refusal was not recorded: {status}");
            }
        });
    }

    /// Makes room for a row and tells how many were left out before it; nothing if this one is to be left out.
    fn admit(&self, at: &str) -> Option<u64> {
        let second = at.get(..SECOND_LEN).unwrap_or(at);
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        if pace.second != second {
            (pace.second, pace.count) = (second.to_owned(), 0);
        }
        if pace.count >= PER_SECOND_MAX || self.waiting.load(Ordering::Relaxed) >= WAITING_MAX {
            pace.left_out += 1;
            return None;
        }
        pace.count += 1;
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Some(std::mem::take(&mut pace.left_out))
    }
}

/// Which rows to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Rows with a higher id only.
    pub after: u64,
    /// So many at most.
    pub limit: usize,
}

impl Page {
    /// Reads the page from a query: `after=ID&limit=COUNT`, both optional.
    pub fn of(query: &str) -> Answer<Self> {
        let mut page = Self { after: 0, limit: PAGE_DEFAULT };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let not_a_number = || Status::bad_request(format!("invalid value for `{name}`: must be a whole number"));
            match name {
                "after" => page.after = value.parse().map_err(|_| not_a_number())?,
                "limit" => {
                    let limit: usize = value.parse().map_err(|_| not_a_number())?;
                    page.limit = limit.clamp(1, PAGE_MAX);
                }
                _ => {
                    return Err(Status::bad_request(format!(
                        "unknown parameter `{name}`: `after` and `limit` are known"
                    )));
                }
            }
        }
        Ok(page)
    }
}

/// Reads rows as JSON, one a line, each with its `id`; the last id is where the next page begins.
pub async fn read(store: &Store, page: Page) -> Answer<String> {
    let mut text = String::new();
    for (id, row) in store.audit_since(page.after, page.limit).await? {
        let mut line = json!({"id": id});
        if let (Some(line), Value::Object(row)) = (line.as_object_mut(), row) {
            line.extend(row);
        }
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{line}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<'a>(caller: Option<&'a Caller>, name: &'a str, status: &'a Status) -> Refused<'a> {
        let asked = Attributes { verb: "delete", group: "", resource: "pods", namespace: Some("ns"), name: Some(name) };
        Refused { caller, peer: None, asked, status }
    }

    #[tokio::test]
    async fn a_flood_of_refusals_is_cut_short_and_the_next_row_says_by_how_much() {
        let recorder = Recorder::new(Store::in_memory().unwrap());
        let (caller, anonymous, status) = (Caller::admin(), Caller::anonymous(), Status::unauthorized());
        let name = "ü".repeat(5_000);
        for _ in 0..PER_SECOND_MAX + 7 {
            recorder.record(refused(Some(&caller), &name, &status), "2026-01-01T00:00:00.000001Z");
            recorder.record(refused(Some(&anonymous), &name, &status), "2026-01-01T00:00:00.000001Z");
            recorder.record(refused(None, &name, &status), "2026-01-01T00:00:00.000001Z");
        }
        recorder.record(refused(Some(&caller), "app", &status), "2026-01-01T00:00:01.000001Z");
        let mut rows = Vec::new();
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
            rows = recorder.store.audit_since(0, 1_000).await.unwrap();
            if rows.len() > PER_SECOND_MAX {
                break;
            }
        }
        let (_, first) = rows.first().unwrap();
        assert_eq!(first["name"], "ü".repeat(126), "cut between characters");
        assert!(first.get("leftOut").is_none());
        let (_, last) = rows.last().unwrap();
        assert_eq!((&last["name"], &last["leftOut"]), (&json!("app"), &json!(7)));
        assert_eq!(rows.len(), PER_SECOND_MAX + 1);
    }
}
