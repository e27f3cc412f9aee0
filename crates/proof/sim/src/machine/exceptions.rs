//! The exceptions that Flink throws, by the full names of their classes: clients look for them in texts.

/// A snapshot was not completed.
pub const CHECKPOINT: &str = "org.apache.flink.runtime.checkpoint.CheckpointException";
/// Something failed later than the request for it was taken.
pub const COMPLETION: &str = "java.util.concurrent.CompletionException";
/// There is no such job.
pub const NO_JOB: &str = "org.apache.flink.runtime.messages.FlinkJobNotFoundException";
/// A job cannot be made.
pub const NOT_MADE: &str = "org.apache.flink.runtime.client.JobInitializationException";
/// There is a job of this id.
pub const DUPLICATE: &str = "org.apache.flink.runtime.client.DuplicateJobSubmissionException";
/// A handler refused.
pub const REST_HANDLER: &str = "org.apache.flink.runtime.rest.handler.RestHandlerException";
/// A handler found nothing.
pub const NOT_FOUND: &str = "org.apache.flink.runtime.rest.NotFoundException";
