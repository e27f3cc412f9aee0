//! Answers with objects: one or a page of them, in the form that was asked for.
//!
//! The text of a list is put together from the texts of its objects, which are not read for that.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::negotiation::Form;
use super::read::Page;
use super::reply::Reply;
use super::view::View;
use crate::store::Stored;
use crate::table;

/// Answers with one object.
pub fn one(view: &View, object: &Stored, now: Timestamp) -> Reply {
    match view.form {
        Form::Json => Reply::full(200, view.form.media_type(), view.json(object)),
        Form::Yaml => yaml(200, &view.shown(object)),
        Form::Partial => Reply::json(200, &table::partial(&view.shown(object))),
        Form::Table => {
            let meta = json!({"resourceVersion": object.revision.to_string()});
            let definitions = Value::Array(table::definitions(&view.kind));
            Reply::json(200, &table::table(meta, definitions, vec![view.row(object, now)]))
        }
    }
}

/// Answers in YAML.
pub fn yaml(code: u16, object: &Value) -> Reply {
    // A JSON value is always YAML too: should the writer ever refuse one, JSON is the answer.
    let text = serde_saphyr::to_string(object).unwrap_or_else(|_| object.to_string());
    Reply::full(code, Form::Yaml.media_type(), text)
}

/// Answers with a page.
pub fn list(view: &View, page: &Page, now: Timestamp) -> Reply {
    match view.form {
        Form::Json => Reply::full(200, view.form.media_type(), text(view, page)),
        Form::Yaml => {
            let items = page.items.iter().map(|item| view.shown(item)).collect();
            let mut list = Map::new();
            list.insert("apiVersion".to_owned(), json!(view.kind.api_version()));
            list.insert("items".to_owned(), Value::Array(items));
            list.insert("kind".to_owned(), json!(view.kind.list_kind()));
            list.insert("metadata".to_owned(), page.meta.clone());
            yaml(200, &Value::Object(list))
        }
        Form::Partial => {
            let items: Vec<Value> = page.items.iter().map(|item| table::partial(&view.shown(item))).collect();
            let (kind, version) = ("PartialObjectMetadataList", "meta.k8s.io/v1");
            let list = json!({"kind": kind, "apiVersion": version, "metadata": page.meta, "items": items});
            Reply::json(200, &list)
        }
        Form::Table => {
            let rows = page.items.iter().map(|item| view.row(item, now)).collect();
            let definitions = Value::Array(table::definitions(&view.kind));
            Reply::json(200, &table::table(page.meta.clone(), definitions, rows))
        }
    }
}

fn text(view: &View, page: &Page) -> Vec<u8> {
    let size: usize = page.items.iter().map(|item| item.body.len() + 1).sum();
    let (kind, version) = (view.kind.list_kind(), view.kind.api_version());
    let head = format!("{{\"kind\":\"{kind}\",\"apiVersion\":\"{version}\",\"metadata\":{},\"items\":[", page.meta);
    let mut text = Vec::with_capacity(head.len() + size + 3);
    text.extend_from_slice(head.as_bytes());
    for (index, item) in page.items.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        text.extend_from_slice(&view.json(item));
    }
    text.extend_from_slice(b"]}\n");
    text
}
