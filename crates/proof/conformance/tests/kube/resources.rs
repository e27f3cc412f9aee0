//! One resource of a test: created, changed, awaited, deleted.

use std::time::{Duration, Instant};

use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::Value;

use crate::machine::PATIENCE;

/// One resource.
#[derive(Debug)]
pub(crate) struct Named<'a> {
    api: &'a Api<DynamicObject>,
    name: String,
}

impl<'a> Named<'a> {
    /// Creates it.
    pub(crate) async fn create(api: &'a Api<DynamicObject>, object: DynamicObject) -> Self {
        let name = object.metadata.name.clone().expect("a name");
        api.create(&PostParams::default(), &object).await.expect("it is created");
        Self { api, name }
    }

    /// One that is there.
    pub(crate) fn there(api: &'a Api<DynamicObject>, name: &str) -> Self {
        Self { api, name: name.to_owned() }
    }

    /// One that is about to be created by another.
    pub(crate) async fn appears(api: &'a Api<DynamicObject>, name: &str) -> Self {
        let begun = Instant::now();
        while api.get_opt(name).await.expect("an answer").is_none() {
            assert!(begun.elapsed() < PATIENCE, "there is no `{name}`");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Self::there(api, name)
    }

    /// It as it is.
    pub(crate) async fn get(&self) -> DynamicObject {
        self.api.get(&self.name).await.expect("it is there")
    }

    /// Changes it.
    pub(crate) async fn patch(&self, patch: Value) {
        let patched = self.api.patch(&self.name, &PatchParams::default(), &Patch::Merge(patch)).await;
        patched.expect("it is patched");
    }

    /// Waits until a generation of it runs.
    pub(crate) async fn runs(&self, generation: i64) -> Value {
        self.until("it runs", |status| is_running(status) && status["observedGeneration"] == generation).await
    }

    /// Waits until the status is as wanted; answers it.
    pub(crate) async fn until(&self, what: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let status = self.get().await.data.get("status").cloned().unwrap_or_default();
            if is_wanted(&status) {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "`{}`, not yet: {what}: {status:#}", self.name);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Deletes it and waits until it is gone.
    pub(crate) async fn delete(&self) {
        self.api.delete(&self.name, &DeleteParams::default()).await.expect("it is deleted");
        let begun = Instant::now();
        while let Some(object) = self.api.get_opt(&self.name).await.expect("an answer") {
            assert!(begun.elapsed() < PATIENCE, "`{}` is still there: {:#}", self.name, object.data["status"]);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Whether a status says that a job runs and nothing is under way.
pub(crate) fn is_running(status: &Value) -> bool {
    status["lifecycleState"] == "STABLE" && status["jobStatus"]["state"] == "RUNNING"
}
