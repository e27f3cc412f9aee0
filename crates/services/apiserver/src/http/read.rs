//! Lists: whole, or page by page, each page of the moment of the first.

use std::sync::Arc;

use serde_json::{Value, json};

use super::pages::{Pages, Snapshot, token};
use super::query::{ListOptions, check_freshness};
use super::view::View;
use crate::status::Answer;
use crate::store::Stored;

/// One page: its objects and the metadata of the list.
#[derive(Debug)]
pub struct Page {
    /// Its objects.
    pub items: Vec<Arc<Stored>>,
    /// The metadata of the list.
    pub meta: Value,
}

/// Takes the page that a user asked for; `newest` is the list as it is now.
pub fn page(
    pages: &Pages,
    user: &str,
    view: &View,
    options: &ListOptions,
    newest: impl FnOnce() -> (u64, Vec<Arc<Stored>>),
) -> Answer<Page> {
    let namespace = view.namespace.as_deref().unwrap_or_default();
    let scope = format!("{}\n{namespace}\n{}\n{}", view.resource, options.labels, options.fields);
    let (known, snapshot, start) = if options.proceed.is_empty() {
        let (revision, mut items) = newest();
        check_freshness(options.freshness, revision)?;
        if !view.selection.is_everything() {
            items.retain(|item| view.selection.matches(item));
        }
        if options.limit == 0 || items.len() <= options.limit {
            return Ok(Page { items, meta: json!({"resourceVersion": revision.to_string()}) });
        }
        (None, Snapshot { revision, items: Arc::from(items) }, 0)
    } else {
        let (id, snapshot, start) = pages.find(&scope, &options.proceed)?;
        (Some(id), snapshot, start)
    };
    let total = snapshot.items.len();
    let end = if options.limit == 0 { total } else { total.min(start.saturating_add(options.limit)) };
    let items = snapshot.items.get(start..end).unwrap_or_default().to_vec();
    let mut meta = json!({"resourceVersion": snapshot.revision.to_string()});
    if end < total {
        let id = known.unwrap_or_else(|| pages.keep(user, &scope, snapshot));
        meta["continue"] = json!(token(id, end));
        if view.selection.is_everything() {
            meta["remainingItemCount"] = json!(total - end);
        }
    }
    Ok(Page { items, meta })
}
