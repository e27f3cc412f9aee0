//! The version of Flink, the release of EMR, the role and the account.

use kobel_model::deployment::{FlinkVersion, Mode, ReleaseLabel};

use super::findings::Findings;
use super::origin::Origin;
use super::part::Part;
use crate::problem::Problem;

/// Reads the version of Flink.
pub(super) fn flink(spec: &Part<'_>, findings: &mut Findings) -> FlinkVersion {
    let at = spec.at("flinkVersion");
    let oldest = FlinkVersion::OLDEST_SUPPORTED;
    let Some(text) = spec.text("flinkVersion") else {
        findings.add(Problem::required(at, format!("a version from `{}`, such as `v1_20`", oldest.as_str())));
        return oldest;
    };
    let Some(version) = FlinkVersion::parse(text) else {
        let known: Vec<&str> = FlinkVersion::ALL.iter().map(|version| version.as_str()).collect();
        findings.add(Problem::not_supported(at, text, &known));
        return oldest;
    };
    if version < oldest {
        findings.add(Problem::invalid(at, text, format!("must be `{}` or later", oldest.as_str())));
    } else if version <= FlinkVersion::NEWEST_DEPRECATED {
        findings.warn(format!("{at}: Flink {version} is deprecated; use `v1_19` or later"));
    }
    version
}

/// Reads the release of EMR, whose line of Flink should be `version`.
///
/// A label and a version that do not belong together are a warning and no problem: EMR accepts them, and documented
/// manifests hold such pairs (`v1_18` with releases 7.10.0 and 7.12.0).
pub(super) fn release(spec: &Part<'_>, version: FlinkVersion, findings: &mut Findings) -> Option<ReleaseLabel> {
    let text = spec.text("emrReleaseLabel")?;
    let at = spec.at("emrReleaseLabel");
    let Some(label) = ReleaseLabel::parse(text) else {
        let allowed = "must be `emr-X.Y.Z-flink-latest` or `emr-X.Y.Z-flink-YYYYMMDD`";
        findings.add(Problem::invalid(at, text, allowed));
        return None;
    };
    if let Some(line) = label.flink_line().filter(|line| *line != version && spec.has("flinkVersion")) {
        let other = spec.at("flinkVersion");
        findings.warn(format!(
            "{at}: `{text}` brings Flink {line}, and {other} is `{}`; set {other} to `{}`",
            version.as_str(),
            line.as_str()
        ));
    }
    Some(label)
}

/// Reads the mode.
pub(super) fn mode(spec: &Part<'_>) -> Mode {
    if spec.text("mode") == Some(Mode::Standalone.as_str()) { Mode::Standalone } else { Mode::Native }
}

/// Reads the role in AWS.
pub(super) fn execution_role(spec: &Part<'_>, findings: &mut Findings) -> Option<String> {
    let arn = spec.text("executionRoleArn")?;
    if !is_arn(arn, "iam", &["role/"]) {
        let allowed = "must be the ARN of a role, such as `arn:aws:iam::111122223333:role/job`";
        findings.add(Problem::invalid(spec.at("executionRoleArn"), arn, allowed));
    }
    Some(arn.to_owned())
}

/// Reads the account in Kubernetes; only a manifest for the Apache operator must name one.
pub(super) fn service_account(spec: &Part<'_>, origin: Origin, findings: &mut Findings) -> Option<String> {
    let name = spec.text("serviceAccount").filter(|name| !name.is_empty());
    if name.is_none() && origin == Origin::Apache {
        let other = spec.at("executionRoleArn");
        let detail = format!("the name of a service account, unless {other} or the `kobel.engine` option is set");
        findings.add(Problem::required(spec.at("serviceAccount"), detail));
    }
    if let Some(name) = name.filter(|name| !is_object_name(name)) {
        let allowed = "must be the name of a service account in the same namespace: at most 253 lower-case letters, \
                       digits, `-` and `.`";
        findings.add(Problem::invalid(spec.at("serviceAccount"), name, allowed));
    }
    name.map(str::to_owned)
}

/// Whether `text` is the ARN of something of `service`, with an account of twelve digits.
pub(super) fn is_arn(text: &str, service: &str, resources: &[&str]) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [scheme, partition, of, region, account, resource] = parts.as_slice() else {
        return false;
    };
    let is_region = region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let is_partition = partition.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let is_plain = |name: &str| !name.is_empty() && !name.contains(char::is_whitespace);
    *scheme == "arn"
        && (*partition == "aws" || partition.starts_with("aws-"))
        && is_partition
        && *of == service
        && is_region
        && region.is_empty() == (service == "iam")
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && resources.iter().any(|prefix| resource.strip_prefix(prefix).is_some_and(is_plain))
}

/// Whether `text` is a DNS subdomain, as the names of most objects are.
fn is_object_name(text: &str) -> bool {
    let is_edge = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_label = |label: &str| {
        label.bytes().all(|byte| is_edge(byte) || byte == b'-')
            && label.bytes().next().is_some_and(is_edge)
            && label.bytes().next_back().is_some_and(is_edge)
    };
    text.len() <= 253 && text.split('.').all(is_label)
}
