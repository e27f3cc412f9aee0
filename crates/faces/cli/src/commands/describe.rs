//! `kobel describe`: one object as a person reads it, with its conditions and what happened to it.

use jiff::Timestamp;
use kobel_kubernetes::objects::seen;
use kobel_model::{Error, Result};
use serde_json::Value;

use super::age::age;
use super::chronology;
use super::client::{Session, complete, print, reference};
use super::columns::{Columns, indented};
use super::hide::hide_options;
use super::meant_kind::kind_meant;
use super::namesakes::missing;
use crate::args::resources::DescribeArguments;
use crate::exit::Exit;
use crate::terminal::escape::push_escaped;
use crate::terminal::{Terminal, Verbosity};

/// The command.
const VERB: &str = "describe";

/// Describes an object and reports what goes wrong.
pub(crate) fn run(arguments: &DescribeArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    complete(&terminal, describe(arguments, &terminal))
}

async fn describe(arguments: &DescribeArguments, terminal: &Terminal) -> Result<Exit> {
    let (kind, name) = reference(VERB, &arguments.kind, arguments.name.as_deref())?;
    let session = Session::open(&arguments.api).await?;
    let served = kind_meant(&session, VERB, kind, name).await?;
    let Some(name) = name else {
        return Err(Error::invalid(format!("which `{kind}` is to be described"))
            .with_hint(format!("name it, as in `kobel {VERB} {kind}/NAME`; `kobel get {kind}` lists them")));
    };
    let object = match session.cluster.get(served, session.namespace_of(served), name).await {
        Ok(object) => object,
        Err(failure) => return Err(missing(&session, failure, served, name).await),
    };
    let mut events = session.cluster.events(&object).await?;
    chronology::sort(&mut events);
    print(terminal, &text(object, &events, Timestamp::now()))?;
    Ok(Exit::Done)
}

/// The whole description.
fn text(mut object: Value, events: &[Value], now: Timestamp) -> String {
    hide_secrets(&mut object);
    hide_options(&mut object);
    if let Some(status) = object.get_mut("status") {
        spell_out(status);
    }
    let conditions =
        object.get_mut("status").and_then(Value::as_object_mut).and_then(|status| status.shift_remove("conditions"));
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.shift_remove("managedFields");
    }
    let mut text = String::new();
    push_fields(&mut text, &object, 0);
    if let Some(Value::Array(conditions)) = conditions
        && !conditions.is_empty()
    {
        text.push_str("conditions:\n");
        let mut rows = vec![row(["TYPE", "STATUS", "REASON", "AGE", "MESSAGE"])];
        rows.extend(conditions.iter().map(|condition| {
            let age = age(field(condition, "lastTransitionTime"), now);
            let [kind, status] = ["type", "status"].map(|name| field(condition, name));
            row([kind, status, field(condition, "reason"), &age, field(condition, "message")])
        }));
        text.push_str(&indented(&Columns::default().whole_lines(&rows)));
    }
    if events.is_empty() {
        text.push_str("events: <none>\n");
    } else {
        text.push_str("events:\n");
        let mut rows = vec![row(["TYPE", "REASON", "AGE", "FROM", "MESSAGE"])];
        rows.extend(events.iter().map(|event| {
            let source = event.get("source").map(|source| field(source, "component")).unwrap_or_default();
            let from = if source.is_empty() { field(event, "reportingComponent") } else { source };
            row([field(event, "type"), field(event, "reason"), &age(seen(event), now), from, field(event, "message")])
        }));
        text.push_str(&indented(&Columns::default().whole_lines(&rows)));
    }
    text
}

fn row(cells: [&str; 5]) -> Vec<String> {
    cells.map(str::to_owned).into()
}

fn field<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Of the data of a Secret only the size is shown.
fn hide_secrets(object: &mut Value) {
    if field(object, "kind") != "Secret" || field(object, "apiVersion") != "v1" {
        return;
    }
    if let Some(data) = object.get_mut("data").and_then(Value::as_object_mut) {
        for value in data.values_mut() {
            let encoded = value.as_str().unwrap_or_default();
            let padding = encoded.bytes().rev().take_while(|byte| *byte == b'=').count().min(2);
            let bytes = (encoded.len() / 4 * 3).saturating_sub(padding);
            *value = format!("{bytes} bytes").into();
        }
    }
}

/// Makes objects of the JSON texts in a status, and times of its milliseconds; inside of such a text nothing changes.
fn spell_out(status: &mut Value) {
    match status {
        Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| match (record(value), time(name, value)) {
            (Some(read), _) | (None, Some(read)) => *value = read,
            (None, None) => spell_out(value),
        }),
        Value::Array(items) => items.iter_mut().for_each(spell_out),
        _ => {}
    }
}

/// The object that a text is, as the last spec and the last error are.
fn record(value: &Value) -> Option<Value> {
    let text = value.as_str().filter(|text| text.starts_with('{'))?;
    serde_json::from_str::<Value>(text).ok().filter(Value::is_object)
}

/// The time that a number or a text of milliseconds is in a field whose name says so.
fn time(name: &str, value: &Value) -> Option<Value> {
    if !name.ends_with("Time") && !name.ends_with("Timestamp") {
        return None;
    }
    let millis = value.as_i64().or_else(|| value.as_str()?.parse().ok()).filter(|millis| *millis > 0)?;
    Timestamp::from_millisecond(millis).ok().map(|time| time.to_string().into())
}

fn push_fields(text: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                push_field(text, name, value, depth);
            }
        }
        Value::Array(items) => {
            for item in items {
                push_field(text, "-", item, depth);
            }
        }
        other => push_line(text, &scalar(other), depth),
    }
}

fn push_field(text: &mut String, name: &str, value: &Value, depth: usize) {
    let label = if name == "-" { "-".to_owned() } else { format!("{name}:") };
    match value {
        Value::Object(fields) if fields.is_empty() => push_line(text, &format!("{label} {{}}"), depth),
        Value::Array(items) if items.is_empty() => push_line(text, &format!("{label} []"), depth),
        Value::Object(_) | Value::Array(_) => {
            push_line(text, &label, depth);
            push_fields(text, value, depth + 1);
        }
        Value::String(words) if words.contains('\n') => {
            push_line(text, &label, depth);
            words.lines().for_each(|line| push_line(text, line, depth + 1));
        }
        other => push_line(text, &format!("{label} {}", scalar(other)), depth),
    }
}

fn push_line(text: &mut String, line: &str, depth: usize) {
    text.extend(std::iter::repeat_n("  ", depth));
    push_escaped(text, line);
    text.push('\n');
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(words) if looks_like_another(words) => format!("\"{words}\""),
        Value::String(words) => words.clone(),
        Value::Null => "<none>".to_owned(),
        other => other.to_string(),
    }
}

/// Whether a text would be read as a number or a truth value.
fn looks_like_another(words: &str) -> bool {
    let is_number =
        words.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) && words.parse::<f64>().is_ok();
    is_number || ["true", "false", "null"].contains(&words)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::commands::hide::LAST_APPLIED;

    fn now() -> Timestamp {
        "2026-01-02T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_description_has_fields_conditions_and_events() {
        let object = json!({
            "kind": "FlinkDeployment", "metadata": {"name": "basic", "managedFields": [{"manager": "x"}]},
            "spec": {"args": ["a", "b"], "podTemplate": {}},
            "status": {"conditions": [{"type": "Running", "status": "True", "reason": "Ready", "message": "all is well",
                                       "lastTransitionTime": "2026-01-01T23:59:50Z"}]},
        });
        let events = [json!({"type": "Normal", "reason": "Submit", "message": "started",
                             "source": {"component": "kobel"}, "lastTimestamp": "2026-01-01T23:59:55Z"})];
        let expected = "\
kind: FlinkDeployment
metadata:
  name: basic
spec:
  args:
    - a
    - b
  podTemplate: {}
status: {}
conditions:
  TYPE      STATUS   REASON   AGE   MESSAGE
  Running   True     Ready    10s   all is well
events:
  TYPE     REASON   AGE   FROM    MESSAGE
  Normal   Submit   5s    kobel   started
";
        assert_eq!(text(object, &events, now()), expected);
    }

    #[test]
    fn a_status_is_spelled_out() {
        let error = json!({"type": "Failed", "message": "it said:\nno table `a`"}).to_string();
        let spec = json!({"spec": {"job": {"parallelism": 2}}}).to_string();
        let object = json!({"spec": {"note": "{\"a\": 1}", "startTime": 5}, "status": {
            "error": error, "jobStatus": {"startTime": "1767225600000", "state": "RUNNING"},
            "reconciliationStatus": {"lastReconciledSpec": spec, "reconciliationTimestamp": 1_767_225_600_123_i64},
            "broken": "{", "updateTime": "soon",
        }});
        let expected = "\
spec:
  note: {\"a\": 1}
  startTime: 5
status:
  error:
    type: Failed
    message:
      it said:
      no table `a`
  jobStatus:
    startTime: 2026-01-01T00:00:00Z
    state: RUNNING
  reconciliationStatus:
    lastReconciledSpec:
      spec:
        job:
          parallelism: 2
    reconciliationTimestamp: 2026-01-01T00:00:00.123Z
  broken: {
  updateTime: soon
events: <none>
";
        assert_eq!(text(object, &[], now()), expected);
    }

    #[test]
    fn a_reason_of_several_lines_is_told_whole() {
        let events = [json!({"type": "Warning", "reason": "Error", "message": "it said:\n  no table `a`",
                             "source": {"component": "kobel"}, "lastTimestamp": "2026-01-01T23:59:55Z"})];
        let object = json!({"status": {"conditions": [{"type": "Settled", "message": "tried again:\nno table `b`"}]}});
        let text = text(object, &events, now());
        assert!(text.contains("tried again:\n      no table `b`\n"), "{text}");
        assert!(text.ends_with("it said:\n        no table `a`\n"), "{text}");
    }

    #[test]
    fn of_a_secret_only_the_size_is_shown() {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "data": {"password": "c2VjcmV0cw==", "empty": ""}});
        let text = text(secret, &[], now());
        assert!(text.contains("password: 7 bytes\n") && text.contains("empty: 0 bytes\n"), "{text}");
    }

    #[test]
    fn no_copy_of_a_secret_option_is_shown() {
        let configuration =
            json!({"s3": {"secret-key": "hunter2", "endpoint": "here"}, "my.password": "hunter2", "n": "8"});
        let record = json!({"spec": {"flinkConfiguration": configuration}}).to_string();
        let object = json!({
            "kind": "FlinkDeployment",
            "metadata": {"annotations": {LAST_APPLIED: record}},
            "spec": {"template": {"spec": {"flinkConfiguration": configuration}}},
            "status": {"reconciliationStatus": {"lastReconciledSpec": record, "lastStableSpec": "{hunter2"}},
        });
        let text = text(object, &[], now());
        assert!(!text.contains("hunter2"), "{text}");
        for shown in
            ["secret-key: ******\n", "endpoint: here\n", "n: \"8\"\n", "last-applied-configuration: <hidden>\n"]
        {
            assert!(text.contains(shown), "{shown} in {text}");
        }
    }
}
