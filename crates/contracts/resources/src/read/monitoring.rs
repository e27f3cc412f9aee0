//! Where logs go: the block that EMR adds.

use kobel_model::deployment::{CloudWatchSink, LogRotation, Monitoring, S3Sink, SideCarLimits};
use kobel_model::quantity::parse_memory;
use kobel_model::resource_quantity::{CPU_FORMS, MEMORY_AMOUNT_FORMS, parse_cpu, parse_memory_amount};

use super::availability::is_s3;
use super::findings::Findings;
use super::job::words;
use super::part::Part;
use super::version::is_arn;
use crate::problem::Problem;

/// The longest name of a log group of CloudWatch.
const GROUP_LENGTH_MAX: usize = 512;

/// Reads the block.
pub(super) fn read(spec: &Part<'_>, findings: &mut Findings) -> Option<Monitoring> {
    let part = spec.field("monitoringConfiguration")?;
    Some(Monitoring {
        image: words(&part, "image", findings),
        s3: part.field("s3MonitoringConfiguration").map(|block| s3(&block, findings)),
        cloud_watch: part.field("cloudWatchMonitoringConfiguration").map(|block| cloud_watch(&block, findings)),
        side_car: side_car(&part, findings),
        rotation: part
            .field("containerLogRotationConfiguration")
            .map_or_else(LogRotation::default, |block| rotation(&block, findings)),
    })
}

/// Reads the sink in S3; a bucket may stand without its scheme, as documented manifests have it.
fn s3(block: &Part<'_>, findings: &mut Findings) -> S3Sink {
    let log_uri = block.text("logUri").unwrap_or_default();
    let allowed = "a bucket with an optional prefix, such as `s3://bucket/logs` or `bucket/logs`";
    let address = if log_uri.contains("://") { log_uri.to_owned() } else { format!("s3://{log_uri}") };
    if log_uri.is_empty() {
        findings.add(Problem::required(block.at("logUri"), allowed));
    } else if !is_s3(&address) {
        findings.add(Problem::invalid(block.at("logUri"), log_uri, format!("must be {allowed}")));
    }
    let key = block.text("encryptionKeyArn");
    if let Some(key) = key.filter(|key| !is_arn(key, "kms", &["key/", "alias/"])) {
        let allowed = "must be the ARN of a key, such as `arn:aws:kms:eu-west-1:111122223333:key/0a1b`";
        findings.add(Problem::invalid(block.at("encryptionKeyArn"), key, allowed));
    }
    S3Sink { log_uri: log_uri.to_owned(), encryption_key_arn: key.map(str::to_owned) }
}

/// Reads the sink in CloudWatch.
fn cloud_watch(block: &Part<'_>, findings: &mut Findings) -> CloudWatchSink {
    let group = block.text("logGroupName").unwrap_or_default();
    let allowed = format!("a log group of at most {GROUP_LENGTH_MAX} letters, digits and `.-_/#`");
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/#".contains(&byte);
    if group.is_empty() {
        findings.add(Problem::required(block.at("logGroupName"), allowed));
    } else if group.len() > GROUP_LENGTH_MAX || !group.bytes().all(is_allowed) {
        findings.add(Problem::invalid(block.at("logGroupName"), group, format!("must be {allowed}")));
    }
    let prefix = block.text("logStreamNamePrefix").unwrap_or_default();
    if prefix.contains([':', '*']) || prefix.len() > GROUP_LENGTH_MAX {
        let detail = format!("must be at most {GROUP_LENGTH_MAX} characters without `:` and `*`");
        findings.add(Problem::invalid(block.at("logStreamNamePrefix"), prefix, detail));
    }
    CloudWatchSink { log_group_name: group.to_owned(), log_stream_name_prefix: prefix.to_owned() }
}

/// Reads what the agent may use.
fn side_car(part: &Part<'_>, findings: &mut Findings) -> SideCarLimits {
    let limits = part.field_or_nothing("sideCarResources").field_or_nothing("limits");
    let mut read = SideCarLimits::default();
    if let Some(field) = limits.field("cpuLimit") {
        read.cpu_millis = field.scalar().and_then(|text| parse_cpu(&text).ok());
        if read.cpu_millis.is_none() {
            let detail = format!("must be {CPU_FORMS}");
            findings.add(Problem::invalid(field.path(), field.value().clone(), detail));
        }
    }
    if let Some(field) = limits.field("memoryLimit") {
        match field.scalar().and_then(|text| parse_memory_amount(&text).ok()) {
            Some(memory) => read.memory = memory,
            None => {
                let detail = format!("must be {MEMORY_AMOUNT_FORMS}");
                findings.add(Problem::invalid(field.path(), field.value().clone(), detail));
            }
        }
    }
    read
}

/// Reads how files are rotated.
fn rotation(block: &Part<'_>, findings: &mut Findings) -> LogRotation {
    let mut read = LogRotation::default();
    let size_allowed = "a whole number with `KB`, `MB` or `GB`, from `2KB` to `2GB`";
    match block.text("rotationSize") {
        None => findings.add(Problem::required(block.at("rotationSize"), size_allowed)),
        Some(text) => match rotation_size(text) {
            Some(size) => read.size = size,
            None => {
                let detail = format!("must be {size_allowed}");
                findings.add(Problem::invalid(block.at("rotationSize"), text, detail));
            }
        },
    }
    let files_allowed = format!("a whole number from 1 to {}", LogRotation::FILES_MAX);
    let Some(field) = block.field("maxFilesToKeep") else {
        findings.add(Problem::required(block.at("maxFilesToKeep"), files_allowed));
        return read;
    };
    let number = block.integer("maxFilesToKeep").map(|number| number.to_string()).or_else(|| field.scalar());
    let files =
        number.and_then(|text| text.parse::<u32>().ok()).filter(|files| (1..=LogRotation::FILES_MAX).contains(files));
    match files {
        Some(files) => read.files = files,
        None => {
            let detail = format!("must be {files_allowed}");
            findings.add(Problem::invalid(field.path(), field.value().clone(), detail));
        }
    }
    read
}

/// Reads a size that is written with its unit.
fn rotation_size(text: &str) -> Option<u64> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit()).trim();
    let is_unit = ["kb", "mb", "gb"].iter().any(|known| known.eq_ignore_ascii_case(unit));
    let size = parse_memory(text).ok().filter(|_| is_unit)?;
    (LogRotation::SIZE_MIN..=LogRotation::SIZE_MAX).contains(&size).then_some(size)
}
