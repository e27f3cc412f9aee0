//! Reads the commands that create objects, into the objects.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::command::Command;
use super::manifest::{Declared, Engine, Snapshot, Taken};
use super::words::{self, Fault, Word, Words};

/// What every key of a pair begins with.
const PAIR: &str = "kubernetes.operator.bluegreen.";
/// What the keys of the operator begin with, which a script leaves out after `op`.
const OPERATOR: &str = "kubernetes.operator.";

/// What stands behind the name of an object that is created.
#[derive(Debug)]
struct Creation {
    declared: Declared,
    is_session: bool,
    pair: Map<String, Value>,
}

/// Reads what is created.
pub(super) fn parse(verb: &str, words: &mut Words<'_>) -> Result<Command, Fault> {
    let name = words.need("the name of an object")?.text;
    if verb == "snapshot" {
        return snapshot(name, words);
    }
    let mut creation = Creation { declared: Declared::new(name), is_session: false, pair: Map::new() };
    let cluster = if verb == "session-job" {
        creation.declared.engine = Engine::Flink;
        let word = words.need("`in`")?;
        if word.text != "in" {
            return Err(word.fault(format!("expected `in`, not `{}`", word.text)));
        }
        words.need("the name of a session cluster")?.text
    } else {
        ""
    };
    let mut is_available = false;
    while let Some(word) = words.next() {
        is_available |= word.text == "ha";
        option(&mut creation, word, words)?;
    }
    if is_available {
        creation.declared.make_available();
    }
    let object = match verb {
        "session-job" => creation.declared.session_job(cluster),
        "pair" => creation.declared.pair(&creation.pair),
        _ if creation.is_session => creation.declared.session_cluster(),
        _ => creation.declared.deployment(),
    };
    Ok(Command::Create(Arc::new(object)))
}

fn option(creation: &mut Creation, word: Word<'_>, words: &mut Words<'_>) -> Result<(), Fault> {
    let declared = &mut creation.declared;
    match word.text {
        "ha" => return Ok(()),
        "session" => {
            creation.is_session = true;
            declared.engine = Engine::Flink;
            return Ok(());
        }
        "secret" => {
            declared.hold_a_secret();
            return Ok(());
        }
        "conf" | "op" => {
            let prefix = if word.text == "op" { OPERATOR } else { "" };
            let pair = words.need("`KEY=VALUE`")?;
            let (key, value) = setting(pair)?;
            declared.configure(&format!("{prefix}{}", words::unquote(key)), words::unquote(value));
            return Ok(());
        }
        _ => {}
    }
    let (key, value) = setting(word)?;
    let value_word = Word { column: word.column, text: value };
    match key {
        "mode" => {
            let modes = [("stateless", "stateless"), ("savepoint", "savepoint"), ("last-state", "last-state")];
            declared.mode = words::one_of(value_word, &modes)?.to_owned();
        }
        "state" => {
            let states = [("running", "running"), ("suspended", "suspended")];
            declared.state = words::one_of(value_word, &states)?.to_owned();
        }
        "engine" => {
            declared.engine = words::one_of(value_word, &[("native", Engine::Native), ("flink", Engine::Flink)])?;
        }
        "parallelism" => declared.parallelism = words::number(value_word)?,
        "checkpoints" if value == "none" => drop(declared.configuration.remove("execution.checkpointing.interval")),
        "checkpoints" => {
            words::span(value_word)?;
            declared.configure("execution.checkpointing.interval", value);
        }
        "abort" | "delay" => {
            let key = if key == "abort" { "abort.grace-period" } else { "deployment-deletion.delay" };
            creation.pair.insert(format!("{PAIR}{key}"), json!(format!("{} ms", words::span(value_word)?)));
        }
        other => return Err(word.fault(format!("`{other}` is no option of what is created"))),
    }
    Ok(())
}

fn setting<'a>(word: Word<'a>) -> Result<(&'a str, &'a str), Fault> {
    let found = words::split_outside_quotes(word.text, '=');
    found.ok_or_else(|| word.fault(format!("`{}` is no option; expected `KEY=VALUE`", word.text)))
}

/// `NAME of NAME [session-job] [checkpoint|keep] [backoff=N]`.
fn snapshot(name: &str, words: &mut Words<'_>) -> Result<Command, Fault> {
    let word = words.need("`of`")?;
    if word.text != "of" {
        return Err(word.fault(format!("expected `of`, not `{}`", word.text)));
    }
    let of = words.need("the name of what declares the job")?.text.to_owned();
    let mut kind = "FlinkDeployment";
    let (mut what, mut backoff) = (Taken::Savepoint, None);
    while let Some(word) = words.next() {
        match (word.text, word.text.strip_prefix("backoff=")) {
            (_, Some(limit)) => backoff = Some(words::number(Word { column: word.column, text: limit })?),
            ("session-job", _) => kind = "FlinkSessionJob",
            ("checkpoint", _) => what = Taken::Checkpoint,
            ("keep", _) => what = Taken::KeptSavepoint,
            (other, _) => return Err(word.fault(format!("`{other}` is no option of a snapshot"))),
        }
    }
    let snapshot = Snapshot { name: name.to_owned(), of: (kind.to_owned(), of), what, backoff };
    Ok(Command::Create(Arc::new(snapshot.object())))
}

/// A merge patch that gives one field a value.
pub(super) fn patch(path: &[String], value: Value) -> Value {
    path.iter().rev().fold(value, |inner, part| {
        let mut object = Map::new();
        object.insert(part.clone(), inner);
        Value::Object(object)
    })
}

/// A value in JSON; what is no JSON is text.
pub(super) fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn created(verb: &str, text: &str) -> Value {
        let mut words = Words::of(text, 1);
        match parse(verb, &mut words).unwrap() {
            Command::Create(object) => (*object).clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn options_go_where_they_belong() {
        let object = created("deploy", "orders ha mode=savepoint engine=flink op savepoint.history.max.count=2");
        assert_eq!(object["spec"]["job"]["upgradeMode"], "savepoint");
        assert_eq!(object["spec"]["jobManager"]["replicas"], 2);
        assert_eq!(object["spec"]["job"]["jarURI"], "local:///opt/orders.jar");
        assert_eq!(object["spec"]["flinkConfiguration"]["kubernetes.operator.savepoint.history.max.count"], "2");
        let pair = created("pair", "orders abort=1m");
        assert_eq!(pair["spec"]["configuration"]["kubernetes.operator.bluegreen.abort.grace-period"], "60000 ms");
        let snapshot = created("snapshot", "s of a session-job keep backoff=2");
        assert_eq!(snapshot["spec"]["jobReference"], json!({"kind": "FlinkSessionJob", "name": "a"}));
        assert_eq!(snapshot["spec"]["savepoint"], json!({"disposeOnDelete": false}));
        assert!(created("deploy", "shared session")["spec"].get("job").is_none());
    }

    #[test]
    fn a_patch_is_as_deep_as_its_path() {
        let path = words::path("spec.\"a.b\"");
        assert_eq!(patch(&path, value("2")), json!({"spec": {"a.b": 2}}));
        assert_eq!([value("null"), value("running"), value("\"2\"")], [Value::Null, json!("running"), json!("2")]);
    }
}
