//! What the commands take that run in the pods of Flink, beside it: `kobel fetch` and `kobel logship`.

use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

const FETCH_EXAMPLES: &str = "\
Examples:
  kobel fetch s3://bucket/jobs/flights.jar /opt/flink/usrlib/flights.jar

Exit codes: 0 it is there; 1 correct the address or the permission; 2 wrong
command line; 3 try again later; 70 a bug.";

const LOGSHIP_EXAMPLES: &str = "\
Examples:
  kobel logship --directory=/var/log/flink/user --pod=flights-1 --s3=s3://bucket/logs";

/// What `kobel fetch` takes.
#[derive(Debug, Args)]
#[command(after_help = FETCH_EXAMPLES)]
pub(crate) struct FetchArguments {
    /// Address that begins with `s3`, `s3a`, `s3p`, `https`, `http`, `file` or `local`
    #[arg(value_name = "URI", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) uri: String,

    /// File to write; its folders are made
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
}

/// What `kobel logship` takes.
#[derive(Debug, Args)]
#[command(after_help = LOGSHIP_EXAMPLES)]
pub(crate) struct LogshipArguments {
    /// Directory that Flink logs to
    #[arg(long, value_name = "DIR")]
    pub(crate) directory: PathBuf,

    /// Name of the pod, which stands in every path [default: what `POD_NAME` says]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) pod: Option<String>,

    /// Bytes, unpacked, at which a file in S3 is closed
    #[arg(long, value_name = "BYTES", default_value = "2147483648")]
    pub(crate) rotation_size: NonZeroU64,

    /// Closed files that wait for S3 at most, and deleted files that wait to be read
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rotation_files: u32,

    /// Put logs below this address
    #[arg(long, value_name = "URI", required_unless_present = "cloudwatch_group")]
    pub(crate) s3: Option<String>,

    /// Encrypt objects under this key of KMS [default: as the bucket says]
    #[arg(long, value_name = "ARN", requires = "s3")]
    pub(crate) s3_encryption_key: Option<String>,

    /// Put a file that grows again after so many seconds
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    pub(crate) s3_interval: NonZeroU64,

    /// Write logs to this log group of CloudWatch
    #[arg(long, value_name = "GROUP")]
    pub(crate) cloudwatch_group: Option<String>,

    /// Begin the names of log streams with this
    #[arg(long, value_name = "PREFIX", requires = "cloudwatch_group")]
    pub(crate) cloudwatch_prefix: Option<String>,
}
