//! Shows what happened, for people: a line for each write, each act and each thing on the machine. What was only asked
//! is not shown.

use std::fmt::Write;
use std::sync::Arc;

use serde_json::Value;

use crate::call::Port;
use crate::entry::{Entry, Happened, ObjectKey, SnapshotKind, Verb, Who};
use crate::world::World;

use super::names::Names;
use super::{faults, seen};

/// How many of the fields that a write changed are told.
const FIELDS_MAX: usize = 4;
/// How long the value of a field may be to be told.
const VALUE_MAX: usize = 60;
/// What changes in every write and tells nothing.
const DULL: [&str; 4] = ["resourceVersion", "managedFields", "lastTransitionTime", "generation"];

/// The whole text of a script that was played, with what happened below each command.
pub fn transcript(world: &World) -> String {
    let mut names = Names::of(&world.history);
    let mut text = String::new();
    let began = &world.cursor.began;
    for (index, step) in world.script.steps.iter().enumerate() {
        let _ = writeln!(text, "{}> {}", step.before, step.text);
        let Some(from) = began.get(index) else { continue };
        for (_, shown) in world.cursor.shown.iter().filter(|(step, _)| *step == index) {
            for line in shown.lines() {
                let _ = writeln!(text, "  {}", names.told(line));
            }
        }
        let to = began.get(index + 1).copied().unwrap_or(world.history.len());
        let happened = world.history.get(*from..to).unwrap_or_default();
        for happened in happened {
            if let Some(line) = line(world, happened) {
                let _ = writeln!(text, "  {}", names.told(&line));
            }
        }
    }
    if let Some(broken) = &world.broken {
        let why = names.told(&broken.why).replace('\n', "\n  ");
        let _ = writeln!(text, "  {}  BROKEN {}: {why}", time(broken.at_ms), broken.invariant);
    }
    text
}

/// Seconds with milliseconds.
fn time(at_ms: i64) -> String {
    format!("{:>4}.{:03}", at_ms / 1_000, at_ms % 1_000)
}

/// What happened, on one line; absent for what is not shown.
pub fn line(world: &World, happened: &Happened) -> Option<String> {
    let (port, told) = match &happened.entry {
        Entry::Called(made) if made.call.port == Port::Rest && made.call.changes() => {
            ("rest", format!("{} {}", made.call.name, made.call.about))
        }
        Entry::Called(made) if made.call.port == Port::Host && made.call.changes() && made.call.name != "program" => {
            ("host", format!("{} {}", made.call.name, made.call.about))
        }
        Entry::Called(_) | Entry::User(_) | Entry::StartAsked { beside_living: false, .. } => return None,
        Entry::StartAsked { of, .. } => ("host", format!("start {} beside one that lives", of.name)),
        Entry::Fault { n, fault } => ("FAULT", format!("{}{}", faults::told(fault), at_call(world, *n))),
        Entry::Wrote { verb, key, before, after, by, .. } => {
            ("api", written(*verb, key, (before.as_deref(), after.as_deref()), *by))
        }
        Entry::Spawned { of, role } => ("proc", format!("{} {role} begins", of.name)),
        Entry::Exited { of, role, how, by, .. } => ("proc", format!("{} {role} ends: {how}{}", of.name, by_whom(*by))),
        Entry::JobStarted { lineage, job, from, count, newest, .. } => {
            let from = from.as_ref().map_or_else(|| "nothing".to_owned(), |from| format!("{from}, count {count}"));
            let left = if newest > count { format!(" of {newest}") } else { String::new() };
            ("job", format!("{} {job} starts from {from}{left}", lineage.name))
        }
        Entry::JobState { job, state, count } => ("job", format!("{job} {state}, count {count}")),
        Entry::Snapshot { path, job, count, kind, stops, .. } => {
            let what = match (kind, stops) {
                (SnapshotKind::Checkpoint, _) => "checkpoint",
                (SnapshotKind::Savepoint, false) => "savepoint",
                (SnapshotKind::Savepoint, true) => "last savepoint",
            };
            ("disk", format!("{what} {path} of {job}, count {count}"))
        }
        Entry::Disposed { path, by } => ("disk", format!("{path} is gone{}", by_whom(*by))),
        Entry::Life { number, began } => ("life", format!("{number} {}", if *began { "begins" } else { "ends" })),
    };
    Some(format!("{}  {port:<5} {}", time(happened.at_ms), told.trim_end()))
}

fn by_whom(by: Who) -> &'static str {
    match by {
        Who::Controller => "",
        Who::User => " (by the script)",
        Who::Cluster => " (by itself)",
    }
}

/// The call that a fault hit.
fn at_call(world: &World, n: u32) -> String {
    let made = world.history.iter().rev().find_map(|happened| match &happened.entry {
        Entry::Called(made) if made.n == n => Some(format!(" at {}", made.call)),
        _ => None,
    });
    made.unwrap_or_default()
}

/// A write: what was done to which object, and what is different.
fn written(verb: Verb, key: &ObjectKey, (before, after): (Option<&Value>, Option<&Value>), by: Who) -> String {
    if key.resource == "events" {
        return after.map_or_else(|| format!("{} is gone", key.name), event);
    }
    let verb = match verb {
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::UpdateStatus => "status",
        Verb::MarkDeleted => "mark deleted",
        Verb::Delete => "delete",
    };
    let kind = key.resource.strip_prefix("flink").unwrap_or(&key.resource);
    let what = match (verb, after) {
        ("status", Some(after)) => format!(": {}", status(before, after)),
        ("update", Some(after)) => format!(": {}", changes(before, Some(after))),
        _ => String::new(),
    };
    format!("{verb} {kind} {}{}{what}", key.name, by_whom(by))
}

fn event(event: &Value) -> String {
    let text = |place: &str| event.pointer(place).and_then(Value::as_str).unwrap_or_default();
    let sign = if text("/type") == "Warning" { "warning" } else { "event" };
    format!("{sign} {}: {}: {}", text("/involvedObject/name"), text("/reason"), text("/message"))
}

/// What a status says, and, if all of that was said before, which fields are different.
fn status(before: Option<&Value>, after: &Value) -> String {
    let (was, is) = (before.map(words).unwrap_or_default(), words(after));
    if was == is { changes(before, Some(after)) } else { is }
}

/// The words of a status.
fn words(object: &Value) -> String {
    let text = |place: &str| object.pointer(place).and_then(Value::as_str);
    let states = ["/status/lifecycleState", "/status/blueGreenState", "/status/state"];
    let mut words: Vec<String> = states.iter().filter_map(|place| text(place)).map(str::to_owned).collect();
    words.extend(text("/status/jobManagerDeploymentStatus").map(|state| format!("manager {state}")));
    words.extend(text("/status/jobStatus/state").map(|state| format!("job {state}")));
    let settled = seen::settled(object);
    words.extend(settled.and_then(|settled| settled.get("reason")?.as_str()).map(str::to_owned));
    words.extend(seen::error(object).map(|error| format!("error: {}", message(error))));
    words.join(", ")
}

/// The message in an error, which is JSON or plain.
fn message(error: &str) -> String {
    let value: Option<Value> = serde_json::from_str(error).ok();
    value.as_ref().and_then(|value| value.get("message")?.as_str()).unwrap_or(error).to_owned()
}

/// The fields that are different.
fn changes(before: Option<&Value>, after: Option<&Value>) -> String {
    let mut found = Vec::new();
    differ("", before.unwrap_or(&Value::Null), after.unwrap_or(&Value::Null), &mut found);
    let more = found.len().saturating_sub(FIELDS_MAX);
    found.truncate(FIELDS_MAX);
    let rest = if more > 0 { format!(", and {more} more") } else { String::new() };
    if found.is_empty() { "nothing that counts".to_owned() } else { format!("{}{rest}", found.join(", ")) }
}

fn differ(path: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    if before == after {
        return;
    }
    if let (Value::Object(was), Value::Object(is)) = (before, after) {
        let gone = was.keys().filter(|key| !is.contains_key(*key));
        for key in is.keys().chain(gone).filter(|key| !DULL.contains(&key.as_str())) {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let side = |object: &serde_json::Map<String, Value>| object.get(key).cloned().unwrap_or_default();
            differ(&path, &side(was), &side(is), found);
        }
        return;
    }
    let short = |value: &Value| value.to_string().chars().count() <= VALUE_MAX;
    found.push(if short(before) && short(after) { format!("{path} {before} -> {after}") } else { path.to_owned() });
}

/// What is said of an object, on a few lines.
pub fn object(world: &World, name: &str) -> String {
    let Some((key, object)) = seen::find(world, name) else { return format!("`{name}` is gone") };
    let mut text = format!("{key}: {}\n", words(&object));
    let message = seen::settled(&object).and_then(|settled| settled.get("message")?.as_str());
    if let Some(message) = message {
        let _ = writeln!(text, "{message}");
    }
    let places = [
        ("restore path", "/status/jobStatus/upgradeSavepointPath"),
        ("savepoints", "/status/jobStatus/savepointInfo/savepointHistory"),
        ("pending", "/status/jobStatus/savepointInfo/triggerId"),
        ("path", "/status/path"),
        ("failures", "/status/failures"),
        ("observed generation", "/status/observedGeneration"),
    ];
    for (label, place) in places {
        match object.pointer(place) {
            None | Some(Value::Null) => {}
            Some(Value::Array(items)) => {
                let locations = items.iter().filter_map(|item| item.get("location").and_then(Value::as_str));
                let _ = writeln!(text, "{label}: {}", locations.collect::<Vec<_>>().join(", "));
            }
            Some(value) => {
                let _ = writeln!(text, "{label}: {value}");
            }
        }
    }
    text
}

/// The last lines of a history, for somebody who looks into a failure.
pub fn tail(world: &World, count: usize) -> String {
    let mut names = Names::of(&world.history);
    let lines: Vec<String> =
        world.history.iter().filter_map(|happened: &Arc<Happened>| line(world, happened)).collect();
    let from = lines.len().saturating_sub(count);
    let last = lines.get(from..).unwrap_or_default();
    last.iter().map(|line| format!("  {}\n", names.told(line))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_write_tells_what_is_different() {
        let was = json!({"metadata": {"resourceVersion": "1"}, "spec": {"job": {"parallelism": 2}}});
        let is = json!({"metadata": {"resourceVersion": "2"}, "spec": {"job": {"parallelism": 4}}});
        assert_eq!(changes(Some(&was), Some(&is)), "spec.job.parallelism 2 -> 4");
        assert_eq!(changes(Some(&was), Some(&was)), "nothing that counts");
        let key = seen::key("flinkdeployments", "orders");
        let told = written(Verb::Update, &key, (Some(&was), Some(&is)), Who::User);
        assert_eq!(told, "update deployments orders (by the script): spec.job.parallelism 2 -> 4");
    }

    #[test]
    fn a_status_is_told_in_its_words() {
        let object = json!({"status": {
            "lifecycleState": "FAILED", "jobManagerDeploymentStatus": "READY", "jobStatus": {"state": "FAILED"},
            "conditions": [{"type": "Settled", "reason": "JobFailed"}],
            "error": "{\"message\": \"out of memory\"}",
        }});
        assert_eq!(words(&object), "FAILED, manager READY, job FAILED, JobFailed, error: out of memory");
        assert_eq!(time(12_350), "  12.350");
    }
}
