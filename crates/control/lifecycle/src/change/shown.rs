//! How a value of a spec is told: on one line, short, and without what may be a secret.

use kobel_model::settings::redact;
use serde_json::Value;

/// The most characters of a value that are told.
const CHARACTERS_MAX: usize = 80;

/// A value at `path` as it may be told. Of lists, which may be arguments with secrets, only the length is.
pub(super) fn value(path: &str, value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Object(_) => "{…}".to_owned(),
        Value::Array(entries) if entries.len() == 1 => "[1 entry]".to_owned(),
        Value::Array(entries) => format!("[{} entries]", entries.len()),
        Value::String(text) => redact(path, &of_text(text)).to_owned(),
        Value::Bool(_) | Value::Number(_) => redact(path, &value.to_string()).to_owned(),
    }
}

/// A text, unless it speaks of a secret; of an address neither the user nor the query is told.
fn of_text(text: &str) -> String {
    let text = redact(text, text);
    let public = text.split_once("://").map_or_else(|| text.to_owned(), |(scheme, rest)| of_address(scheme, rest));
    let line = public.lines().next().unwrap_or_default();
    let start: String = line.chars().take(CHARACTERS_MAX).collect();
    if start.len() < public.len() { format!("{start}…") } else { start }
}

/// An address without its user and its query.
fn of_address(scheme: &str, rest: &str) -> String {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match tail.find(['?', '#']) {
        Some(query) => format!("{scheme}://{host}{}?…", tail.split_at(query).0),
        None => format!("{scheme}://{host}{tail}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_told_short_and_without_secrets() {
        let long = "x".repeat(100);
        for (path, given, expected) in [
            ("image", json!("flink:2.3"), "flink:2.3"),
            ("image", json!(null), "null"),
            ("job.parallelism", json!(4), "4"),
            ("job.args", json!(["--password", "hunter2"]), "[2 entries]"),
            ("job.args", json!(["hunter2"]), "[1 entry]"),
            ("podTemplate", json!({"a": "hunter2"}), "{…}"),
            ("flinkConfiguration.s3.secret-key", json!("hunter2"), "******"),
            ("flinkConfiguration.s3.secret-key", json!(42), "******"),
            ("flinkConfiguration.env.java.opts.all", json!("-DtrustStorePassword=hunter2"), "******"),
            ("job.jarURI", json!("https://me:hunter2@h.example:8/a.jar"), "https://h.example:8/a.jar"),
            ("job.jarURI", json!("https://h.example/a.jar?sig=hunter2"), "https://h.example/a.jar?…"),
            ("job.jarURI", json!("https://h.example?sig=hunter2"), "https://h.example?…"),
            ("job.jarURI", json!("local:///opt/a@b.jar"), "local:///opt/a@b.jar"),
            ("job.entryClass", json!("two\nlines"), "two…"),
        ] {
            assert_eq!(value(path, &given), expected, "for `{path}`: {given}");
        }
        assert_eq!(value("image", &json!(long)), format!("{}…", "x".repeat(80)));
    }
}
