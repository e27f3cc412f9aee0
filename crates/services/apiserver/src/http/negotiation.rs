//! Which form of an answer the caller wants, from the `Accept` header.
//!
//! Forms are taken in the order in which the caller names them, as the API server does; weights do not count.

use crate::status::{Answer, Status};

/// JSON.
pub const JSON: &str = "application/json";
/// YAML.
pub const YAML: &str = "application/yaml";
/// Plain text.
pub const TEXT: &str = "text/plain; charset=utf-8";
/// The text format of Prometheus.
pub const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A form of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// As it is stored.
    #[default]
    Json,
    /// The same as YAML.
    Yaml,
    /// As rows of a table.
    Table,
    /// Its metadata alone.
    Partial,
}

impl Form {
    /// The media type of answers in this form.
    pub fn media_type(self) -> &'static str {
        if self == Self::Yaml { YAML } else { JSON }
    }
}

/// What can be given, as the refusal says.
const KNOWN: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

/// The first form that can be given; 406 if there is none.
pub fn form(accept: &str) -> Answer<Form> {
    if accept.trim().is_empty() {
        return Ok(Form::Json);
    }
    accept.split(',').find_map(one).ok_or_else(|| Status::not_acceptable(KNOWN))
}

/// The form of one member of the header, if it can be given.
fn one(member: &str) -> Option<Form> {
    let media = Media::of(member);
    match (media.name, media.parameter("as")) {
        ("application/json" | "application/*" | "*/*", "") => Some(Form::Json),
        ("application/yaml", "") => Some(Form::Yaml),
        ("application/json", what) if media.parameter("g") == "meta.k8s.io" && media.parameter("v") == "v1" => {
            match what {
                "Table" => Some(Form::Table),
                "PartialObjectMetadata" | "PartialObjectMetadataList" => Some(Form::Partial),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The media type of aggregated discovery, if the caller wants that rather than plain discovery.
pub const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// Whether the caller rather wants aggregated discovery.
pub fn wants_aggregated(accept: &str) -> bool {
    let first = accept.split(',').map(Media::of).find(|media| {
        let is_aggregated = media.parameter("as") == "APIGroupDiscoveryList";
        let is_known = media.parameter("g") == "apidiscovery.k8s.io" && media.parameter("v") == "v2";
        matches!(media.name, "application/json" | "*/*") && (!is_aggregated || is_known)
    });
    first.is_some_and(|media| media.parameter("as") == "APIGroupDiscoveryList")
}

/// Whether the caller takes JSON at all, for documents that exist in JSON only.
pub fn takes_json(accept: &str) -> bool {
    let takes = |member: &str| matches!(Media::of(member).name, "application/json" | "application/*" | "*/*");
    accept.trim().is_empty() || accept.split(',').any(takes)
}

/// A media type with its parameters.
struct Media<'a> {
    name: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

impl<'a> Media<'a> {
    fn of(member: &'a str) -> Self {
        let mut parts = member.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let pair = |part: &'a str| part.split_once('=').map(|(key, value)| (key.trim(), value.trim()));
        Self { name, parameters: parts.filter_map(pair).collect() }
    }

    fn parameter(&self, name: &str) -> &'a str {
        self.parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| *value).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_form_that_can_be_given_is_given() {
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,\
                     application/json";
        let rows = [
            ("", Some(Form::Json)),
            ("*/*", Some(Form::Json)),
            ("application/json", Some(Form::Json)),
            ("application/vnd.kubernetes.protobuf,application/json", Some(Form::Json)),
            ("application/json;stream=watch", Some(Form::Json)),
            ("application/vnd.kubernetes.protobuf;stream=watch, application/json;stream=watch", Some(Form::Json)),
            ("application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json", Some(Form::Json)),
            ("application/yaml", Some(Form::Yaml)),
            (table, Some(Form::Table)),
            ("application/json;as=Table;v=v9;g=meta.k8s.io, application/json", Some(Form::Json)),
            ("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", Some(Form::Partial)),
            ("application/xml", None),
            ("application/vnd.kubernetes.protobuf", None),
        ];
        for (accept, expected) in rows {
            assert_eq!(form(accept).ok(), expected, "{accept}");
        }
    }

    #[test]
    fn aggregated_discovery_is_given_to_those_who_name_it_first() {
        let kubectl = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                       application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
        assert!(wants_aggregated(kubectl));
        assert!(!wants_aggregated("application/json"));
        assert!(!wants_aggregated(""));
        assert!(!wants_aggregated("application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList"));
    }
}
