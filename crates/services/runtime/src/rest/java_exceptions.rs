//! The exceptions that Flink would throw, by the full names of their classes: clients look for them in texts.
//!
//! Invariant: every class is one that Flink or Java has.

use std::fmt::Display;

/// A checkpoint or savepoint failed.
pub(crate) const CHECKPOINT: &str = "org.apache.flink.runtime.checkpoint.CheckpointException";
/// Something failed later than the request for it was taken.
pub(crate) const COMPLETION: &str = "java.util.concurrent.CompletionException";
/// Something failed.
pub(crate) const FLINK: &str = "org.apache.flink.util.FlinkException";
/// A value is none that is allowed.
pub(crate) const ILLEGAL_ARGUMENT: &str = "java.lang.IllegalArgumentException";
/// Something cannot be done now.
pub(crate) const ILLEGAL_STATE: &str = "java.lang.IllegalStateException";
/// There is no such application.
pub(crate) const NO_APPLICATION: &str = "org.apache.flink.runtime.messages.FlinkApplicationNotFoundException";
/// There is no such job.
const NO_JOB: &str = "org.apache.flink.runtime.messages.FlinkJobNotFoundException";
/// There is no such TaskManager.
pub(crate) const NO_TASK_MANAGER: &str =
    "org.apache.flink.runtime.resourcemanager.exceptions.UnknownTaskExecutorException";
/// A handler found nothing.
pub(crate) const NOT_FOUND: &str = "org.apache.flink.runtime.rest.NotFoundException";
/// A handler refused.
pub(crate) const REST_HANDLER: &str = "org.apache.flink.runtime.rest.handler.RestHandlerException";
/// Something can never be done.
pub(crate) const UNSUPPORTED: &str = "java.lang.UnsupportedOperationException";

/// Class and message of the exception that says that there is no such job.
pub(crate) fn no_job(id: impl Display) -> String {
    format!("{NO_JOB}: Could not find Flink job ({id})")
}
