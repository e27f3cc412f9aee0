//! The audit: rows for what was refused, and reading all rows page by page.
//!
//! What was done is recorded by the act that did it. Refusals are recorded without waiting, and not more at once than
//! the store can easily take: who floods the server with refused requests does not fill its disk at the same pace.

use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::auth::attributes::Attributes;
use crate::auth::caller::Caller;
use crate::status::{Answer, Status};
use crate::store::Store;

/// How many refusals wait to be saved at most.
const WAITING_MAX: usize = 64;
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

    /// The row, as those of acts that were done.
    fn to_json(self, at: &str) -> Value {
        let (plural, subresource) = self.asked.resource.split_once('/').unwrap_or((self.asked.resource, ""));
        let group = self.asked.group;
        let resource = if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") };
        let caller = self.caller.cloned().unwrap_or_else(Caller::anonymous);
        let mut row = json!({
            "at": at, "user": caller.user, "groups": caller.groups, "verb": self.asked.verb,
            "resource": resource, "namespace": self.asked.namespace.unwrap_or_default(),
            "name": self.asked.name.unwrap_or_default(), "subresource": subresource,
            "code": self.status.code, "reason": self.status.reason,
        });
        if let Some(peer) = self.peer {
            row["peer"] = json!(peer.to_string());
        }
        row
    }
}

/// Records refusals. Clones share the bound.
#[derive(Debug, Clone)]
pub struct Recorder {
    store: Store,
    waiting: Arc<AtomicUsize>,
}

impl Recorder {
    /// Makes a recorder that writes to a store.
    pub fn new(store: Store) -> Self {
        Self { store, waiting: Arc::default() }
    }

    /// Records a refused mutation soon, without waiting; outside of a tokio runtime, and while too many wait, it does
    /// nothing.
    pub fn record(&self, refused: Refused<'_>, at: &str) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if !refused.is_mutation() {
            return;
        }
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING_MAX {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let row = refused.to_json(at);
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
