//! What is written down of the newest launches of a deployment, so that it can be told whether its job can have run when
//! nothing of it is there any more.
//!
//! A job is written down before it is recorded to be started, when nobody has made it for certain; again before its
//! job manager is made; and once more if that is removed without having run. So a job that the book has as not made, or
//! as one that never ran, has taken no snapshot. What the book does not name is not known: it may be lost, or belong to
//! others.

use std::collections::BTreeMap;

use kobel_model::Result;
use kobel_model::deployment::Identity;
use serde_json::{Value, json};

use super::calls::{CONFIG_MAP, Calls};
use super::{is_of, text};

/// How far the launch of a job has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It is to be made, and is not.
    Planned,
    /// It is being made, or was.
    Made,
    /// It was made, is removed, and did not run between.
    NeverRan,
}

impl Stage {
    const ALL: [Self; 3] = [Self::Planned, Self::Made, Self::NeverRan];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Made => "made",
            Self::NeverRan => "never-ran",
        }
    }
}

/// Writes down how far the launches of jobs have come, by id, in place of all others. `owner` is the resource, with which
/// the book goes.
///
/// # Errors
/// Unavailable if it cannot be written.
pub(super) async fn write(calls: &Calls, of: &Identity, owner: &Value, jobs: &[(&str, Stage)]) -> Result<()> {
    calls.apply(&object(of, owner, jobs)).await.map(drop)
}

/// How far the launch of a job has come; absent if that is not known.
///
/// # Errors
/// Unavailable if it cannot be read.
pub(super) async fn read(calls: &Calls, of: &Identity, job_id: &str) -> Result<Option<Stage>> {
    let book = calls.get(CONFIG_MAP, &of.namespace, &name(of)).await?;
    Ok(book.filter(|book| is_of(book, &of.name)).and_then(|book| stage(&book, job_id)))
}

/// A resource as the owner of its book.
pub(super) fn owner(of: &Identity, uid: &str) -> Value {
    json!({ "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment", "name": of.name, "uid": uid })
}

/// The resource that owns a job manager, as the owner of its book.
pub(super) fn owner_of(of: &Identity, manager: &Value) -> Option<Value> {
    let owners = manager.pointer("/metadata/ownerReferences")?.as_array()?;
    let mut owners = owners.iter().filter(|owner| text(owner, "/kind") == "FlinkDeployment");
    let uid = owners.find(|owner| text(owner, "/name") == of.name).map(|owner| text(owner, "/uid"))?;
    Some(self::owner(of, uid))
}

fn name(of: &Identity) -> String {
    format!("kobel-launch-{}", of.name)
}

/// It has none of the labels by which Flink and other operators find, and remove, what belongs to a cluster.
fn object(of: &Identity, owner: &Value, jobs: &[(&str, Stage)]) -> Value {
    let stages: BTreeMap<&str, &str> = jobs.iter().map(|(job_id, stage)| (*job_id, stage.as_str())).collect();
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name(of),
            "namespace": of.namespace,
            "labels": { "app.kubernetes.io/managed-by": "kobel" },
            "ownerReferences": [owner],
        },
        "data": stages,
    })
}

fn stage(book: &Value, job_id: &str) -> Option<Stage> {
    let stage = book.get("data")?.get(job_id)?.as_str()?;
    Stage::ALL.into_iter().find(|known| known.as_str() == stage)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders() -> Identity {
        Identity { namespace: "team".to_owned(), name: "orders".to_owned() }
    }

    #[test]
    fn a_book_tells_of_its_job_and_of_no_other() {
        for known in Stage::ALL {
            let book = object(&orders(), &owner(&orders(), "u-1"), &[("0b", Stage::Planned), ("0a", known)]);
            assert_eq!((stage(&book, "0a"), stage(&book, "0b")), (Some(known), Some(Stage::Planned)));
            assert_eq!(stage(&book, "0c"), None);
            assert!(is_of(&book, "orders"));
        }
        assert_eq!(stage(&json!({"data": {"0a": "?"}}), "0a"), None);
        assert_eq!(stage(&json!({}), "0a"), None);
    }

    #[test]
    fn a_book_goes_with_the_resource_that_owns_the_job_manager() {
        let manager = json!({"metadata": {"ownerReferences": [
            {"apiVersion": "v1", "kind": "Pod", "name": "orders", "uid": "u-0"},
            {"apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment", "name": "orders", "uid": "u-1",
             "blockOwnerDeletion": true}]}});
        assert_eq!(owner_of(&orders(), &manager), Some(owner(&orders(), "u-1")));
        assert_eq!(owner_of(&orders(), &json!({"metadata": {}})), None);
    }

    #[test]
    fn a_book_is_not_found_by_what_looks_for_the_objects_of_a_cluster() {
        let book = object(&orders(), &owner(&orders(), "u-1"), &[("0a", Stage::Made)]);
        assert!(book.pointer("/metadata/labels/app").is_none() && book.pointer("/metadata/labels/type").is_none());
    }
}
