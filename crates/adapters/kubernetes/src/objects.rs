//! Objects of an API: read, listed, applied, created, deleted, and the events that tell of them.

use std::time::Duration;

use hyper::Method;
use kobel_model::{Error, ErrorKind};
use serde_json::{Value, json};

use crate::cluster::{Call, Cluster, JSON, step};
use crate::failure::{Answer, Failure, Refusal};
use crate::kinds::Served;
use crate::tables::{Rows, Table};

/// Who writes, as the API records it with every field.
pub const FIELD_MANAGER: &str = "kobel";

/// How the API is asked for a table.
pub(crate) const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

const APPLY: &str = "application/apply-patch+yaml";
/// How often it is asked whether an object is gone.
const GONE_INTERVAL: Duration = Duration::from_millis(250);

/// Which objects of a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// One namespace, or all of them.
    pub namespace: Option<String>,
    /// Label selector.
    pub labels: Option<String>,
    /// Field selector.
    pub fields: Option<String>,
}

impl Selection {
    /// Adds the selectors to a call.
    pub(crate) fn narrow(&self, mut call: Call) -> Call {
        if let Some(labels) = &self.labels {
            call = call.with("labelSelector", labels.as_str());
        }
        if let Some(fields) = &self.fields {
            call = call.with("fieldSelector", fields.as_str());
        }
        call
    }
}

/// Whether a write is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// It is written.
    Written,
    /// The API checks it and writes nothing.
    DryRun,
}

/// What to do about fields that another manager owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflicts {
    /// Refuse the write.
    Refuse,
    /// Take them over.
    Force,
}

/// What happens to what an object owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// It is deleted afterwards.
    Background,
    /// It is deleted first.
    Foreground,
    /// It stays.
    Orphan,
}

impl Propagation {
    fn word(self) -> &'static str {
        match self {
            Self::Background => "Background",
            Self::Foreground => "Foreground",
            Self::Orphan => "Orphan",
        }
    }
}

/// The answer to an apply.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// The object as it is now, or would be.
    pub object: Value,
    /// Whether it did not exist before.
    pub is_new: bool,
    /// What the API says besides.
    pub warnings: Vec<String>,
}

impl Cluster {
    /// Reads one object.
    ///
    /// # Errors
    /// A refusal with code 404 if there is none.
    pub async fn get(&self, served: &Served, namespace: Option<&str>, name: &str) -> Answer<Value> {
        Ok(self.call(Call::get(path_of(served, namespace, name))).await?.value)
    }

    /// Reads one object that may not exist.
    ///
    /// # Errors
    /// Every refusal but 404.
    pub async fn find(&self, served: &Served, namespace: Option<&str>, name: &str) -> Answer<Option<Value>> {
        match self.get(served, namespace, name).await {
            Ok(object) => Ok(Some(object)),
            Err(failure) if failure.is_missing() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Reads one object as a table.
    ///
    /// # Errors
    /// A refusal with code 404 if there is none.
    pub async fn table_of(&self, served: &Served, namespace: Option<&str>, name: &str, rows: Rows) -> Answer<Table> {
        let call = Call::get(path_of(served, namespace, name)).accepting(TABLE);
        Ok(Table::read(&self.call(rows.asked(call)).await?.value))
    }

    /// Lists objects; each of them names its kind.
    ///
    /// # Errors
    /// Those of the request.
    pub async fn list(&self, served: &Served, selection: &Selection) -> Answer<Value> {
        let call = selection.narrow(Call::get(served.path(selection.namespace.as_deref())));
        let mut list = self.call(call).await?.value;
        if let Some(items) = list.get_mut("items").and_then(Value::as_array_mut) {
            items.iter_mut().for_each(|item| name_kind(item, served));
        }
        Ok(list)
    }

    /// Lists objects as a table.
    ///
    /// # Errors
    /// Those of the request.
    pub async fn table(&self, served: &Served, selection: &Selection, rows: Rows) -> Answer<Table> {
        let call = selection.narrow(Call::get(served.path(selection.namespace.as_deref()))).accepting(TABLE);
        Ok(Table::read(&self.call(rows.asked(call)).await?.value))
    }

    /// Applies a manifest on the server, which merges it with what other managers wrote. Fields that only our own changes
    /// of an object own ([`Cluster::merge`]) are taken back without a word.
    ///
    /// # Errors
    /// Those of the request; a refusal with code 409 if another manager owns a field.
    pub async fn apply(&self, served: &Served, manifest: &Value, keep: Keep, conflicts: Conflicts) -> Answer<Applied> {
        match self.apply_once(served, manifest, keep, conflicts).await {
            Err(Failure::Refused(refusal)) if is_with_ourselves(&refusal) => {
                self.apply_once(served, manifest, keep, Conflicts::Force).await
            }
            answer => answer,
        }
    }

    async fn apply_once(&self, served: &Served, manifest: &Value, keep: Keep, conflicts: Conflicts) -> Answer<Applied> {
        let namespace = Some(metadata(manifest, "namespace")).filter(|namespace| !namespace.is_empty());
        let path = path_of(served, namespace, metadata(manifest, "name"));
        let mut call = Call::new(Method::PATCH, path)
            .with("fieldManager", FIELD_MANAGER)
            .with("fieldValidation", "Strict")
            .sending(APPLY, manifest.clone());
        if keep == Keep::DryRun {
            call = call.with("dryRun", "All");
        }
        if conflicts == Conflicts::Force {
            call = call.with("force", "true");
        }
        let reply = self.call(call).await?;
        Ok(Applied { object: reply.value, is_new: reply.code == 201, warnings: reply.warnings })
    }

    /// Creates an object, or posts one to a subresource of `owner` (`name/subresource`).
    ///
    /// # Errors
    /// Those of the request.
    pub async fn create(
        &self,
        served: &Served,
        namespace: Option<&str>,
        owner: Option<(&str, &str)>,
        object: &Value,
    ) -> Answer<Value> {
        let mut path = served.path(namespace);
        if let Some((name, subresource)) = owner {
            path = format!("{path}/{}/{}", step(name), step(subresource));
        }
        let call = Call::new(Method::POST, path).with("fieldManager", FIELD_MANAGER).sending(JSON, object.clone());
        Ok(self.call(call).await?.value)
    }

    /// Asks for an object to be deleted; finalizers may keep it for a while.
    ///
    /// # Errors
    /// A refusal with code 404 if there is none.
    pub async fn delete(
        &self,
        served: &Served,
        namespace: Option<&str>,
        name: &str,
        propagation: Propagation,
    ) -> Answer<()> {
        let options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation.word()});
        let call = Call::new(Method::DELETE, path_of(served, namespace, name)).sending(JSON, options);
        self.call(call).await.map(drop)
    }

    /// Waits until the object with this unique id is gone.
    ///
    /// # Errors
    /// Unavailable if it is still there after `limit`.
    pub async fn wait_until_gone(&self, served: &Served, object: &Value, limit: Duration) -> Answer<()> {
        let (namespace, name) = (metadata(object, "namespace"), metadata(object, "name"));
        let namespace = (!namespace.is_empty()).then_some(namespace);
        let rounds = limit.as_millis() / GONE_INTERVAL.as_millis();
        for _ in 0..=rounds {
            match self.find(served, namespace, name).await? {
                Some(now) if metadata(&now, "uid") == metadata(object, "uid") => {}
                _ => return Ok(()),
            }
            tokio::time::sleep(GONE_INTERVAL).await;
        }
        let message = format!("`{name}` is still there after {} s", limit.as_secs());
        let finalizers = "it is marked for deletion; its finalizers keep it until whoever set them has finished";
        Err(Error::new(ErrorKind::Unavailable, message).with_hint(finalizers).into())
    }

    /// The events that tell of an object, the oldest first.
    ///
    /// # Errors
    /// Those of the request.
    pub async fn events(&self, object: &Value) -> Answer<Vec<Value>> {
        let (name, uid, namespace) = (metadata(object, "name"), metadata(object, "uid"), metadata(object, "namespace"));
        // Events of objects without a namespace stand in `default`.
        let namespace = if namespace.is_empty() { "default" } else { namespace };
        let path = format!("/api/v1/namespaces/{}/events", step(namespace));
        let fields = format!("involvedObject.name={name},involvedObject.uid={uid}");
        let mut list = self.call(Call::get(path).with("fieldSelector", fields)).await?.value;
        let mut events = match list.get_mut("items").map(Value::take) {
            Some(Value::Array(events)) => events,
            _ => Vec::new(),
        };
        events.sort_by(|a, b| seen(a).cmp(seen(b)));
        Ok(events)
    }
}

/// When an event was last seen, as its text, which sorts as the time does.
pub fn seen(event: &Value) -> &str {
    let at = |field: &str| event.get(field).and_then(Value::as_str).filter(|time| !time.is_empty());
    let known = at("lastTimestamp").or_else(|| at("eventTime")).or_else(|| at("firstTimestamp"));
    known.unwrap_or_else(|| metadata(event, "creationTimestamp"))
}

/// A text of an object's metadata, empty if it is absent.
pub fn metadata<'a>(object: &'a Value, field: &str) -> &'a str {
    object.get("metadata").and_then(|metadata| metadata.get(field)).and_then(Value::as_str).unwrap_or_default()
}

fn path_of(served: &Served, namespace: Option<&str>, name: &str) -> String {
    format!("{}/{}", served.path(namespace), step(name))
}

/// Items of a list of Kubernetes' own kinds do not name their kind.
fn name_kind(item: &mut Value, served: &Served) {
    if item.get("kind").is_some() {
        return;
    }
    let named = json!({"apiVersion": served.api_version(), "kind": served.kind});
    if let (Value::Object(mut whole), Some(fields)) = (named, item.as_object_mut()) {
        whole.append(fields);
        *fields = whole;
    }
}

/// Whether a conflict is with nobody but ourselves.
fn is_with_ourselves(refusal: &Refusal) -> bool {
    let ours = format!("conflict with \"{FIELD_MANAGER}\"");
    refusal.code == 409
        && !refusal.causes.is_empty()
        && refusal.causes.iter().all(|cause| cause.message.starts_with(&ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_name_their_kind_first() {
        let served = Served {
            group: String::new(),
            version: "v1".to_owned(),
            plural: "secrets".to_owned(),
            singular: "secret".to_owned(),
            kind: "Secret".to_owned(),
            short_names: Vec::new(),
            is_namespaced: true,
            verbs: Vec::new(),
        };
        let mut item = json!({"metadata": {"name": "a"}});
        name_kind(&mut item, &served);
        assert_eq!(item.to_string(), r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"}}"#);
    }

    #[test]
    fn an_event_is_as_old_as_it_was_last_seen() {
        let event = json!({"lastTimestamp": null, "eventTime": "2026-01-02T00:00:00Z", "metadata": {}});
        assert_eq!(seen(&event), "2026-01-02T00:00:00Z");
    }
}
