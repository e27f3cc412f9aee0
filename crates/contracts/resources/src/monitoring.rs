//! Where the logs of a cluster go: the block that Amazon EMR on EKS adds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::shapes::int_or_string;

/// Logs to Amazon S3.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct S3MonitoringConfiguration {
    /// Bucket and path for the logs, with or without `s3://`. Files are `<path>/<pod>/<stdout|stderr>.gz`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_uri: Option<String>,
    /// ARN of the KMS key that encrypts the files. Default: the encryption of the bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_key_arn: Option<String>,
}

/// Logs to Amazon CloudWatch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CloudWatchMonitoringConfiguration {
    /// Log group; it is created if it does not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_group_name: Option<String>,
    /// Prefix of the log streams, which are `<prefix>/<pod>/<stdout|stderr>`. Default: empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_stream_name_prefix: Option<String>,
}

/// The most that the log agent may use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SideCarLimits {
    /// CPU as a Kubernetes quantity, for example `500m`. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_limit: Option<String>,
    /// Memory as a Kubernetes quantity, for example `250Mi`. Default: `512Mi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_limit: Option<String>,
}

/// What the container of the log agent may use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SideCarResources {
    /// Limits of the container of the log agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<SideCarLimits>,
}

/// When log files are rotated and how many are kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContainerLogRotationConfiguration {
    /// Size at which a file is rotated, from `2KB` to `2GB`, a whole number with its unit. Default: `2GB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation_size: Option<String>,
    /// Number of rotated files to keep, from 1 to 50; a number or a text such as `"10"`. Default: 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "int_or_string")]
    pub max_files_to_keep: Option<Value>,
}

/// Where the logs of job manager and task managers go.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MonitoringConfiguration {
    /// Image of the log agent. Default: the one that belongs to the release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Sends logs to Amazon S3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_monitoring_configuration: Option<S3MonitoringConfiguration>,
    /// Sends logs to Amazon CloudWatch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_watch_monitoring_configuration: Option<CloudWatchMonitoringConfiguration>,
    /// Resources of the log agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side_car_resources: Option<SideCarResources>,
    /// Rotation of the log files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_log_rotation_configuration: Option<ContainerLogRotationConfiguration>,
}
