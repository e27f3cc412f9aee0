//! A few fields of an object are changed, and the others are left to those who wrote them.

use hyper::Method;
use serde_json::Value;

use crate::cluster::{Call, Cluster, step};
use crate::failure::Answer;
use crate::kinds::Served;
use crate::objects::{Applied, FIELD_MANAGER};

const MERGE: &str = "application/merge-patch+json";

impl Cluster {
    /// Merges `patch` into an object that is there; what it does not name stays as it is.
    ///
    /// # Errors
    /// A refusal with code 404 if there is no such object, those of the request otherwise.
    pub async fn merge(&self, served: &Served, namespace: Option<&str>, name: &str, patch: &Value) -> Answer<Applied> {
        let path = format!("{}/{}", served.path(namespace), step(name));
        let call = Call::new(Method::PATCH, path)
            .with("fieldManager", FIELD_MANAGER)
            .with("fieldValidation", "Strict")
            .sending(MERGE, patch.clone());
        let reply = self.call(call).await?;
        Ok(Applied { object: reply.value, is_new: false, warnings: reply.warnings })
    }
}
