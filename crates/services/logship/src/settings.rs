//! What the agent is told.

use std::path::PathBuf;
use std::time::Duration;

use kobel_storage::aws::cloudwatch::LogGroup;
use kobel_storage::objects::ObjectFolder;

/// Where logs are and where they go.
#[derive(Debug)]
pub struct Settings {
    /// The directory that Flink logs to.
    pub directory: PathBuf,
    /// The pod, whose name stands in every path.
    pub pod: String,
    /// What is sent to S3.
    pub s3: Option<S3>,
    /// What is sent to CloudWatch.
    pub cloudwatch: Option<CloudWatch>,
    /// When files are closed, and how many wait.
    pub rotation: Rotation,
}

/// The way to S3.
#[derive(Debug)]
pub struct S3 {
    /// Below which address.
    pub folder: ObjectFolder,
    /// How often a file that grows is sent again.
    pub every: Duration,
}

/// The way to CloudWatch.
#[derive(Debug)]
pub struct CloudWatch {
    /// The group.
    pub group: LogGroup,
    /// What the name of each stream begins with; may be empty.
    pub prefix: String,
}

/// When files are closed, and how many wait.
#[derive(Debug, Clone, Copy)]
pub struct Rotation {
    /// The size in bytes, unpacked, at which a file is closed.
    pub size: u64,
    /// The most files that wait for a destination: closed ones of a stream, and deleted ones of Flink.
    pub files: usize,
}
