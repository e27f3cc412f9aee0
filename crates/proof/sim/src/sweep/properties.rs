//! The sweep of properties: every field of a spec is changed, emptied, made invalid, and put back.
//!
//! What the schema forbids the API refuses. What only the controller can refuse must not touch the job. And once a
//! field is put back, everything is as it was.

use std::sync::Arc;

use kobel_resources::crd::openapi;
use serde_json::{Map, Value, json};

use super::outcome::{Case, Compared, Since, Sweep};
use super::spread::spread;
use crate::api::{self, Write};
use crate::broken::Broken;
use crate::entry::{Entry, ObjectKey, Who};
use crate::life::Record;
use crate::script::{self, Script};
use crate::world::World;

/// The namespace of every script.
const NAMESPACE: &str = "default";
/// The name of the object whose fields are changed.
const NAME: &str = "base";

/// Of which kind an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A deployment with a job.
    Deployment,
    /// A job of a session cluster.
    SessionJob,
    /// A pair of deployments.
    Pair,
    /// A snapshot.
    Snapshot,
}

impl Kind {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Deployment, Self::SessionJob, Self::Pair, Self::Snapshot];

    /// Its name, and the plural of that.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Deployment => ("FlinkDeployment", "flinkdeployments"),
            Self::SessionJob => ("FlinkSessionJob", "flinksessionjobs"),
            Self::Pair => ("FlinkBlueGreenDeployment", "flinkbluegreendeployments"),
            Self::Snapshot => ("FlinkStateSnapshot", "flinkstatesnapshots"),
        }
    }

    /// What comes before the change.
    fn base(self) -> &'static str {
        match self {
            Self::Deployment => {
                "> deploy base mode=last-state parallelism=2\n> await base Settled within 10m\n> run 12s\n"
            }
            Self::SessionJob => {
                "> deploy shared session engine=flink\n> session-job base in shared mode=last-state\n\
                 > await base Settled within 10m\n> run 12s\n"
            }
            Self::Pair => "> pair base mode=savepoint\n> await base ACTIVE_BLUE within 10m\n> run 12s\n",
            Self::Snapshot => {
                "> deploy orders\n> await orders Settled within 10m\n> snapshot base of orders\n\
                 > await base COMPLETED within 10m\n"
            }
        }
    }

    fn key(self) -> ObjectKey {
        let (resource, namespace, name) = (self.names().1.to_owned(), NAMESPACE.to_owned(), NAME.to_owned());
        ObjectKey { resource, namespace, name }
    }
}

/// A change of one field.
#[derive(Debug, Clone, PartialEq)]
struct Change {
    path: Vec<String>,
    value: Value,
    is_forbidden: bool,
}

impl Change {
    /// As a merge patch.
    fn patch(&self) -> Value {
        self.path.iter().rev().fold(self.value.clone(), |inner, part| json!({(part.as_str()): inner}))
    }

    fn name(&self) -> String {
        format!("{}={}", self.path.join("."), self.value)
    }
}

/// Changes every field of a kind, one at a time, and puts it back.
pub fn properties(kind: Kind) -> Sweep {
    let mut sweep = Sweep::default();
    let Ok(base) = script::parse(&format!("properties of {}", kind.names().0), kind.base()) else { return sweep };
    let case = Case { compared: Compared::Alone, ..Case::of(&base) };
    let world = case.play(Record::Nothing).world;
    sweep.count(&world, Since::default());
    let object = world.api.get(&kind.key());
    let (None, Some(object)) = (&world.broken, object) else {
        let none = || broken("property_base", &world, "the object is not there".to_owned());
        let broken = world.broken.clone().unwrap_or_else(none);
        sweep.fail(case, broken, &world);
        return sweep;
    };
    let changes = changes(kind, &object);
    let tried = spread(changes.len(), |index| {
        changes.get(index).map(|change| attempt(kind, &case, &world, &object, change)).unwrap_or_default()
    });
    tried.into_iter().for_each(|tried| sweep.add(tried));
    sweep
}

/// Makes a change, and puts it back if the API takes it.
fn attempt(kind: Kind, case: &Case, world: &World, object: &Arc<Value>, change: &Change) -> Sweep {
    let mut sweep = Sweep::default();
    let written = api::write(&mut world.clone(), Who::User, Write::Merge(kind.key(), change.patch()));
    let written = match written {
        // Whatever the API refuses changes nothing.
        Err(_) => return sweep,
        Ok(_) if change.is_forbidden => {
            let broken = broken("the_schema_refuses", world, format!("the API takes {}", change.name()));
            sweep.fail(case.clone(), broken, world);
            return sweep;
        }
        Ok(written) => written,
    };
    let Some(undo) = undo(object.get("spec"), written.get("spec")) else { return sweep };
    let undo = json!({"spec": undo});
    let text =
        format!("{}> edit {NAME} {}\n> run 10s\n> edit {NAME} {undo}\n> run 5s\n", case.script.text(), change.patch());
    let name = format!("{}: {}", case.script.name, change.name());
    let case = Case { script: script::parse(&name, &text).unwrap_or_else(|_| Script::default()), ..case.clone() };
    let ended = case.play(Record::Nothing).world;
    sweep.count(&ended, Since::default());
    if let Some(broken) = judge(kind, world, &ended, change) {
        sweep.fail(case, broken, &ended);
    }
    sweep
}

/// What is not as it was before the change.
fn judge(kind: Kind, before: &World, after: &World, change: &Change) -> Option<Broken> {
    if after.broken.is_some() {
        return after.broken.clone();
    }
    let shown = |world: &World| world.api.get(&kind.key()).map(|object| shown(kind, &object));
    let (was, is) = (shown(before), shown(after));
    if was != is {
        let told = |shown: Option<Value>| shown.map_or_else(|| "gone".to_owned(), |shown| shown.to_string());
        let why = format!("after {} was put back it is {}, and was {}", change.name(), told(is), told(was));
        return Some(broken("what_is_put_back_is_as_before", after, why));
    }
    if is_refused(after, kind) && starts(after) > starts(before) {
        let why = format!("{} was refused, and a job was started all the same", change.name());
        return Some(broken("what_is_refused_touches_nothing", after, why));
    }
    None
}

fn broken(invariant: &'static str, world: &World, why: String) -> Broken {
    Broken { invariant, why, entry: world.history.len().saturating_sub(1), at_ms: world.now_ms }
}

/// What is said of an object, without what any change leaves its traces in.
fn shown(kind: Kind, object: &Value) -> Value {
    let said = |place: &str| object.pointer(place).cloned().unwrap_or_default();
    let settled = conditions(object).find(|condition| condition["type"] == "Settled");
    let lifecycle = match kind {
        // It may be in what is not put back that a pair changes colours.
        Kind::Pair => Value::Null,
        _ => said("/status/lifecycleState"),
    };
    json!({
        "spec": said("/spec"),
        "state": said("/status/state"),
        "job": said("/status/jobStatus/state"),
        "lifecycle": lifecycle,
        "error": said("/status/error"),
        "settled": settled.map(|condition| condition["reason"].clone()),
    })
}

fn conditions(object: &Value) -> impl Iterator<Item = &Value> {
    object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten()
}

/// Whether the status of the object ever said that a change is refused.
fn is_refused(world: &World, kind: Kind) -> bool {
    let key = kind.key();
    world.history.iter().any(|happened| match &happened.entry {
        Entry::Wrote { key: of, after: Some(after), .. } if *of == key => {
            conditions(after).any(|condition| condition["reason"] == "ChangeRefused")
        }
        _ => false,
    })
}

fn starts(world: &World) -> usize {
    world.history.iter().filter(|happened| matches!(happened.entry, Entry::JobStarted { .. })).count()
}

/// The changes of every field that the schema of a kind knows.
fn changes(kind: Kind, object: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    let none = Value::Null;
    let schema = openapi(kind.names().0).pointer("/properties/spec").unwrap_or(&none);
    descend(schema, object.get("spec"), &mut vec!["spec".to_owned()], &mut found);
    found
}

fn descend(schema: &Value, now: Option<&Value>, path: &mut Vec<String>, found: &mut Vec<Change>) {
    let fields = schema.get("properties").and_then(Value::as_object).filter(|fields| !fields.is_empty());
    let (taken, forbidden) = match fields {
        Some(_) => (Vec::new(), vec![json!("text")]),
        None => values(schema, now),
    };
    let emptied = now.map(|_| Value::Null).filter(|_| path.len() > 1);
    let taken = taken.into_iter().chain(emptied).filter(|value| now != Some(value));
    found.extend(taken.map(|value| Change { path: path.clone(), value, is_forbidden: false }));
    found.extend(forbidden.into_iter().map(|value| Change { path: path.clone(), value, is_forbidden: true }));
    for (name, schema) in fields.into_iter().flatten() {
        path.push(name.clone());
        descend(schema, now.and_then(|now| now.get(name)), path, found);
        path.pop();
    }
}

/// Values that the schema of a field allows, and values that it forbids.
fn values(schema: &Value, now: Option<&Value>) -> (Vec<Value>, Vec<Value>) {
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return (words.iter().filter(|word| !word.is_null()).cloned().collect(), vec![json!("NoSuchWord")]);
    }
    if schema.get("x-kubernetes-int-or-string").and_then(Value::as_bool) == Some(true) {
        return (vec![json!(7), json!("changed")], vec![json!([])]);
    }
    let number = now.and_then(Value::as_i64).unwrap_or_default();
    match schema.get("type").and_then(Value::as_str) {
        Some("boolean") => (vec![json!(true), json!(false)], vec![json!("perhaps")]),
        Some("integer") => (vec![json!(number + 1), json!(0), json!(-1)], vec![json!("many")]),
        Some("number") => (vec![json!(number + 1), json!(0.5)], vec![json!("many")]),
        Some("string") => (vec![json!("changed"), json!("")], vec![json!(7)]),
        Some("array") => (vec![json!([]), json!(["changed"])], vec![json!("text")]),
        Some("object") => (vec![json!({}), json!({"changed": "changed"})], vec![json!("text")]),
        _ => (vec![json!("changed")], Vec::new()),
    }
}

/// The merge patch that turns `after` into `before`; absent if they are the same.
fn undo(before: Option<&Value>, after: Option<&Value>) -> Option<Value> {
    if before == after {
        return None;
    }
    let (Some(Value::Object(was)), Some(Value::Object(is))) = (before, after) else {
        return Some(before.cloned().unwrap_or_default());
    };
    let names = was.keys().chain(is.keys().filter(|name| !was.contains_key(*name)));
    let undone = names.filter_map(|name| Some((name.clone(), undo(was.get(name), is.get(name))?)));
    Some(Value::Object(undone.collect::<Map<String, Value>>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_changed() {
        let object = json!({"spec": {"job": {"parallelism": 2, "state": "running"}}});
        let found = changes(Kind::Deployment, &object);
        let has = |name: &str| found.iter().any(|change| change.name() == name);
        for expected in [
            "spec.job.parallelism=3",
            "spec.job.parallelism=null",
            "spec.job.parallelism=\"many\"",
            "spec.job.state=\"suspended\"",
            "spec.job=null",
            "spec.serviceAccount=\"changed\"",
            "spec.flinkConfiguration=\"text\"",
        ] {
            assert!(has(expected), "{expected}");
        }
        assert!(!has("spec.job.state=\"running\"") && !has("spec.image=null"), "nothing is changed into itself");
        assert!(Kind::ALL.into_iter().all(|kind| !changes(kind, &json!({"spec": {}})).is_empty()));
    }

    #[test]
    fn a_change_is_put_back_by_a_patch() {
        let (was, is) = (json!({"a": {"b": 1, "c": 2}, "d": []}), json!({"a": {"b": 1, "c": 3, "e": 4}, "f": 5}));
        let expected = json!({"a": {"c": 2, "e": null}, "d": [], "f": null});
        assert_eq!(undo(Some(&was), Some(&is)), Some(expected));
        assert_eq!(undo(Some(&was), Some(&was)), None);
        let change = Change { path: vec!["spec".to_owned(), "job".to_owned()], value: json!(1), is_forbidden: false };
        assert_eq!(change.patch(), json!({"spec": {"job": 1}}));
    }
}
