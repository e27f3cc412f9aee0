//! Reads: one object, or a list, whole or in pieces of one moment. Texts are put together, never made anew.

use std::sync::Arc;

use bytes::Bytes;
use kobel_apiserver::http::query::{Freshness, ListOptions, check_freshness};
use kobel_apiserver::kind::Kind;
use kobel_apiserver::selector::Selection;
use kobel_apiserver::status::{Answer, Status};
use kobel_apiserver::verbs::scale::scale_of;
use kobel_apiserver::verbs::{Subresource, Target};
use serde_json::{Value, json};

use super::deletion::key_of;
use super::store::{Objects, Stored, encode, of_resource};
use crate::world::World;

/// What is said of a piece of a list that is no longer known.
const EXPIRED: &str = "The provided continue parameter is too old to display a consistent list result. You can start a \
    new list without the continue parameter.";

/// Which objects a list or a watch is about.
pub(crate) struct Scope<'a> {
    /// Their kind.
    pub(crate) kind: &'a Kind,
    /// Their namespace; empty for all.
    pub(crate) namespace: &'a str,
    /// Which of them.
    pub(crate) selection: &'a Selection,
}

impl Scope<'_> {
    /// The objects of a moment that are meant.
    pub(crate) fn of<'o>(&'o self, objects: &'o Objects) -> impl Iterator<Item = &'o Arc<Stored>> + 'o {
        of_resource(objects, &self.kind.plural, self.namespace).filter(move |object| self.selects(object))
    }

    /// Whether an object of the kind and the namespace is selected.
    pub(crate) fn selects(&self, object: &Stored) -> bool {
        self.selection.is_everything() || self.selection.matches(&object.plain())
    }
}

/// Reads an object, or its scale.
pub(crate) fn get(world: &World, target: &Target) -> Answer<Bytes> {
    let store = &world.api;
    let shown = store.shown(world.now_ms);
    let key = key_of(target, target.name());
    let found = if shown == store.revision() { store.stored(&key) } else { store.at(shown).get(&key).cloned() };
    let found = found.ok_or_else(|| Status::not_found(&target.kind.resource(), target.name()))?;
    if target.subresource == Some(Subresource::Scale) {
        return Ok(encode(&scale_of(&target.kind, &found.value)?));
    }
    Ok(found.body.clone())
}

/// Reads a list, or a piece of it.
pub(crate) fn list(world: &World, scope: &Scope<'_>, options: &ListOptions) -> Answer<Bytes> {
    let store = &world.api;
    let shown = store.shown(world.now_ms);
    let (revision, begin) = if options.proceed.is_empty() {
        (moment(options.freshness, shown, store.floor())?, None)
    } else {
        let (revision, after) = read_token(&options.proceed)
            .ok_or_else(|| Status::bad_request("invalid continue token: it was not made by this server"))?;
        if revision < store.floor() {
            return Err(Status::expired(EXPIRED));
        }
        (revision, Some(after))
    };
    let objects = store.at(revision);
    let is_behind = |object: &Stored| {
        begin.is_none_or(|(namespace, name)| {
            (object.key.namespace.as_str(), object.key.name.as_str()) > (namespace, name)
        })
    };
    let items: Vec<_> = scope.of(&objects).filter(|object| is_behind(object)).collect();
    let mut meta = json!({"resourceVersion": revision.to_string()});
    let mut end = items.len();
    if options.limit > 0 && options.limit < end {
        end = options.limit;
        let last = items.get(end - 1).map(|last| format!("{revision}/{}/{}", last.key.namespace, last.key.name));
        meta["continue"] = json!(last);
        if scope.selection.is_everything() {
            meta["remainingItemCount"] = json!(items.len() - end);
        }
    }
    Ok(text(scope.kind, &meta, items.into_iter().take(end)))
}

/// The revision that a list shows.
fn moment(freshness: Freshness, shown: u64, floor: u64) -> Answer<u64> {
    match freshness {
        Freshness::Exact(wanted) if wanted <= shown && wanted >= floor => Ok(wanted),
        freshness => check_freshness(freshness, shown).map(|()| shown),
    }
}

fn read_token(token: &str) -> Option<(u64, (&str, &str))> {
    let (revision, place) = token.split_once('/')?;
    Some((revision.parse().ok()?, place.split_once('/')?))
}

fn text<'a>(kind: &Kind, meta: &Value, items: impl Iterator<Item = &'a Arc<Stored>>) -> Bytes {
    let (list, version) = (kind.list_kind(), kind.api_version());
    let head = format!("{{\"kind\":\"{list}\",\"apiVersion\":\"{version}\",\"metadata\":{meta},\"items\":[");
    let mut text = head.into_bytes();
    for (index, item) in items.enumerate() {
        if index > 0 {
            text.push(b',');
        }
        text.extend_from_slice(&item.body);
    }
    text.extend_from_slice(b"]}\n");
    Bytes::from(text)
}
