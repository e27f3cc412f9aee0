//! Where the logs of a deployment go, and how they are rotated.

/// Logs in Amazon S3.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct S3Sink {
    /// The bucket and prefix, with or without a scheme.
    pub log_uri: String,
    /// The key with which objects are encrypted.
    pub encryption_key_arn: Option<String>,
}

/// Logs in Amazon CloudWatch.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CloudWatchSink {
    /// The group.
    pub log_group_name: String,
    /// What each stream's name begins with; may be empty.
    pub log_stream_name_prefix: String,
}

/// How logs are rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LogRotation {
    /// The size in bytes at which a file is closed, from 2 KB to 2 GB.
    pub size: u64,
    /// How many files are kept, from 1 to 50.
    pub files: u32,
}

impl LogRotation {
    /// The smallest size: 2 KB.
    pub const SIZE_MIN: u64 = 2 << 10;
    /// The largest size, which is also the default: 2 GB.
    pub const SIZE_MAX: u64 = 2 << 30;
    /// The most files that are kept.
    pub const FILES_MAX: u32 = 50;
}

impl Default for LogRotation {
    fn default() -> Self {
        Self { size: Self::SIZE_MAX, files: 10 }
    }
}

/// What the log agent beside each process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SideCarLimits {
    /// Thousandths of a CPU.
    pub cpu_millis: Option<u32>,
    /// Bytes of memory.
    pub memory: u64,
}

impl Default for SideCarLimits {
    fn default() -> Self {
        Self { cpu_millis: None, memory: 512 << 20 }
    }
}

/// Where logs go.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Monitoring {
    /// The image of the log agent.
    pub image: Option<String>,
    /// Amazon S3, if logs go there.
    pub s3: Option<S3Sink>,
    /// Amazon CloudWatch, if logs go there.
    pub cloud_watch: Option<CloudWatchSink>,
    /// What the agent may use.
    pub side_car: SideCarLimits,
    /// How files are rotated.
    pub rotation: LogRotation,
}
