//! What the operator says where a resource is silent: for all of them, for those of a namespace, for those of a line.
//!
//! # Source
//! Apache Flink Kubernetes operator 1.15, `FlinkConfigManager.getDefaultConfig`, `FlinkVersion` suffixes of
//! `kubernetes.operator.default-configuration`.

use std::collections::BTreeMap;

use kobel_model::deployment::FlinkVersion;

/// What keys begin with that are a default of some resources only.
const PREFIX: &str = "kubernetes.operator.default-configuration.";

/// The defaults of a resource of `namespace` and `line`. What is said of a line wins over what is said of a namespace,
/// and what is said of a line alone wins over what is said of it and all later ones.
pub(super) fn of(defaults: &BTreeMap<String, String>, namespace: &str, line: FlinkVersion) -> BTreeMap<String, String> {
    let plain = defaults.iter().filter(|(key, _)| !key.starts_with(PREFIX));
    let mut values: BTreeMap<String, String> = plain.map(|(key, value)| (key.clone(), value.clone())).collect();
    let some: Vec<(&str, &str)> =
        defaults.iter().filter_map(|(key, value)| Some((key.strip_prefix(PREFIX)?, value.as_str()))).collect();
    let namespace = format!("namespace.{namespace}.");
    for (key, value) in &some {
        if let Some(key) = key.strip_prefix(&namespace) {
            values.insert(key.to_owned(), (*value).to_owned());
        }
    }
    let mut of_lines: Vec<(Since, &str, &str)> = some.iter().filter_map(|(key, value)| of_line(key, value)).collect();
    of_lines.retain(|(since, _, _)| since.applies(line));
    of_lines.sort_by_key(|(since, _, _)| *since);
    values.extend(of_lines.into_iter().map(|(_, key, value)| (key.to_owned(), value.to_owned())));
    values
}

/// To which lines a default applies, in the order in which defaults are laid over each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Since {
    /// To it and all later ones.
    Later(FlinkVersion),
    /// To it alone.
    Alone(FlinkVersion),
}

impl Since {
    fn applies(self, line: FlinkVersion) -> bool {
        match self {
            Self::Later(first) => line >= first,
            Self::Alone(only) => line == only,
        }
    }
}

/// Reads `flink-version.v1_18+.key`.
fn of_line<'a>(key: &'a str, value: &'a str) -> Option<(Since, &'a str, &'a str)> {
    let (line, key) = key.strip_prefix("flink-version.")?.split_once('.')?;
    let since = match line.strip_suffix('+') {
        Some(first) => Since::Later(FlinkVersion::parse(first)?),
        None => Since::Alone(FlinkVersion::parse(line)?),
    };
    Some((since, key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_default_wins() {
        let defaults = [
            ("a", "all"),
            ("b", "all"),
            ("kubernetes.operator.default-configuration.namespace.team.b", "namespace"),
            ("kubernetes.operator.default-configuration.namespace.team.c.d", "namespace"),
            ("kubernetes.operator.default-configuration.namespace.other.a", "other"),
            ("kubernetes.operator.default-configuration.flink-version.v1_18+.c.d", "1.18 on"),
            ("kubernetes.operator.default-configuration.flink-version.v1_19+.e", "1.19 on"),
            ("kubernetes.operator.default-configuration.flink-version.v1_18+.e", "1.18 on"),
            ("kubernetes.operator.default-configuration.flink-version.v1_20.f", "1.20"),
            ("kubernetes.operator.default-configuration.flink-version.v1_20+.f", "1.20 on"),
            ("kubernetes.operator.default-configuration.flink-version.v2_0+.a", "2.0 on"),
            ("kubernetes.operator.default-configuration.flink-version.v9.a", "unknown"),
        ];
        let defaults = defaults.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let expected = [("a", "all"), ("b", "namespace"), ("c.d", "1.18 on"), ("e", "1.19 on"), ("f", "1.20")];
        let expected: BTreeMap<String, String> = expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        assert_eq!(of(&defaults, "team", FlinkVersion::V1_20), expected);
    }
}
