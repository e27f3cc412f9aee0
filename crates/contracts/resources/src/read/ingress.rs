//! The way to the REST API from outside.

use kobel_model::deployment::{Ingress, IngressTls};

use super::findings::Findings;
use super::part::Part;
use crate::problem::Problem;

/// What may stand in a template, and what stands in for it while it is checked.
const PLACEHOLDERS: [(&str, &str); 2] = [("{{name}}", "name"), ("{{namespace}}", "namespace")];

/// Reads the ingress of `spec`.
pub(super) fn read(spec: &Part<'_>, findings: &mut Findings) -> Option<Ingress> {
    let part = spec.field("ingress")?;
    let template = part.text("template").unwrap_or_default();
    if template.trim().is_empty() {
        let detail = "a host with an optional path, such as `{{name}}.example.com` or `example.com/{{namespace}}`";
        findings.add(Problem::required(part.at("template"), detail));
    } else if !is_template(template) {
        let detail = "must be a host with an optional path, in which `{{name}}` and `{{namespace}}` may stand, such as \
                      `{{name}}.{{namespace}}.example.com`";
        findings.add(Problem::invalid(part.at("template"), template, detail));
    }
    let tls = part.items("tls").iter().map(tls).collect();
    Some(Ingress {
        template: template.to_owned(),
        class_name: part.text("className").map(str::to_owned),
        annotations: part.field_or_nothing("annotations").texts(),
        labels: part.field_or_nothing("labels").texts(),
        tls,
    })
}

fn tls(part: &Part<'_>) -> IngressTls {
    let hosts = part.items("hosts").iter().filter_map(Part::scalar).collect();
    IngressTls { hosts, secret_name: part.text("secretName").map(str::to_owned) }
}

/// Whether `template` becomes a URL once its placeholders are filled in.
fn is_template(template: &str) -> bool {
    let mut filled = template.to_ascii_lowercase();
    for (placeholder, example) in PLACEHOLDERS {
        filled = filled.replace(placeholder, example);
    }
    let rest = filled.strip_prefix("http://").or_else(|| filled.strip_prefix("https://")).unwrap_or(&filled);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = authority.split_once(':').unwrap_or((authority, "80"));
    let is_label = |label: &str| {
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.len() <= 63 && label.bytes().all(is_inner) && !label.starts_with('-')
    };
    // Paths of an ingress may be regular expressions, as in `/{{namespace}}/{{name}}(/|$)(.*)`.
    let is_path = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | '`' | '{' | '}' | '\\' | ';');
    ((host.is_empty() && !path.is_empty()) || host.split('.').all(is_label))
        && port.parse::<u16>().is_ok_and(|port| port > 0)
        && path.chars().all(is_path)
}
