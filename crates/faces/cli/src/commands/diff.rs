//! `kobel diff`: what `kobel apply` would change, asked of the API, as a unified diff.
//!
//! What secrets hold is not shown, only whether it changes.

use kobel_kubernetes::context::yaml;
use kobel_kubernetes::failure::Failure;
use kobel_kubernetes::objects::{Conflicts, Keep};
use kobel_model::Result;
use serde_json::Value;
use similar::TextDiff;

use super::changed_program;
use super::check::check;
use super::check::twice::twice;
use super::client::{Session, all_or_nothing, at, complete, documents, print};
use super::hide::{LAST_APPLIED, hide_options};
use super::missing_program;
use crate::args::resources::DiffArguments;
use crate::exit::Exit;
use crate::terminal::escape::push_escaped_lines;
use crate::terminal::{Terminal, Verbosity};

const CONTEXT_LINES: usize = 3;

/// Prints differences and reports what goes wrong.
pub(crate) fn run(arguments: &DiffArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    complete(&terminal, diff(arguments, &terminal))
}

async fn diff(arguments: &DiffArguments, terminal: &Terminal) -> Result<Exit> {
    let session = Session::open(&arguments.api).await?;
    let documents = documents(&session, &arguments.files, arguments.api.namespace.as_deref(), check, terminal)?;
    let documents = all_or_nothing((), twice(&documents), terminal).map(|()| documents)?;
    let mut problems = Vec::new();
    let mut exit = Exit::Done;
    for document in &documents {
        let (served, manifest) = (&document.served, &document.manifest);
        let before = session.cluster.find(served, document.namespace(), &manifest.name).await?;
        // A diff shows what would be written, whoever owns it now.
        match session.cluster.apply(served, &manifest.value, Keep::DryRun, Conflicts::Force).await {
            Ok(applied) => {
                let hint = changed_program::hint(&session, served, &applied.object);
                let missing = missing_program::warning(&session, served, &applied.object);
                let text = difference(&document.shown(), before, applied.object)?;
                if !text.is_empty() {
                    exit = Exit::Different;
                    print(terminal, &text)?;
                } else if let Some(hint) = hint {
                    terminal.note(&hint);
                }
                if let Some(missing) = missing {
                    terminal.warn(&missing);
                }
            }
            Err(Failure::Refused(refusal)) => problems.push(at(document, Failure::Refused(refusal))),
            Err(failure) => return Err(failure.into()),
        }
    }
    all_or_nothing(exit, problems, terminal)
}

/// The unified diff of an object; empty if nothing differs.
fn difference(name: &str, before: Option<Value>, after: Value) -> Result<String> {
    let (mut before, mut after) = (before.unwrap_or_default(), after);
    hide_secrets(&mut before, &mut after);
    let written = |value: &mut Value| {
        if value.is_null() {
            return Ok(String::new());
        }
        remove_noise(value);
        // The order of fields means nothing.
        value.sort_all_objects();
        yaml(value)
    };
    if written(&mut before)? == written(&mut after)? {
        return Ok(String::new());
    }
    hide_options(&mut before);
    hide_options(&mut after);
    let (before, after) = (written(&mut before)?, written(&mut after)?);
    if before == after {
        return Ok(format!("{name}: only values of options that are secret differ\n"));
    }
    let lines = TextDiff::from_lines(before.as_str(), after.as_str());
    let (old, new) = (format!("live/{name}"), format!("applied/{name}"));
    let text = lines.unified_diff().context_radius(CONTEXT_LINES).header(&old, &new).to_string();
    let mut harmless = String::new();
    push_escaped_lines(&mut harmless, &text);
    Ok(harmless)
}

/// Removes what changes by itself.
fn remove_noise(object: &mut Value) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"] {
            metadata.shift_remove(field);
        }
    }
}

/// Puts the same stars for values that stay, other words for those that change.
fn hide_secrets(before: &mut Value, after: &mut Value) {
    let is_secret = |object: &Value| object.get("kind").and_then(Value::as_str) == Some("Secret");
    if !is_secret(before) && !is_secret(after) {
        return;
    }
    for field in ["data", "stringData"] {
        let known = before.get(field).cloned().unwrap_or_default();
        let wanted = after.get(field).cloned().unwrap_or_default();
        mask(before.get_mut(field), &wanted, "*** (before)");
        mask(after.get_mut(field), &known, "*** (after)");
    }
    for object in [before, after] {
        let annotations = object.get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"));
        if let Some(annotations) = annotations.and_then(Value::as_object_mut) {
            annotations.shift_remove(LAST_APPLIED);
        }
    }
}

fn mask(data: Option<&mut Value>, other: &Value, changed: &str) {
    for (key, value) in data.and_then(Value::as_object_mut).into_iter().flatten() {
        let stays = other.get(key).is_none_or(|other| other == value);
        *value = if stays { "***" } else { changed }.into();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_changes_by_itself_is_no_difference() {
        let before = json!({"kind": "A", "metadata": {"name": "a", "resourceVersion": "1", "managedFields": []}});
        let after = json!({"kind": "A", "metadata": {"name": "a", "resourceVersion": "2"}});
        assert_eq!(difference("a", Some(before), after).unwrap(), "");
    }

    #[test]
    fn a_difference_is_a_unified_diff() {
        let before = json!({"kind": "A", "spec": {"replicas": 1}});
        let after = json!({"kind": "A", "spec": {"replicas": 2}});
        let text = difference("thing/a", Some(before), after.clone()).unwrap();
        for line in ["--- live/thing/a\n", "+++ applied/thing/a\n", "-  replicas: 1\n", "+  replicas: 2\n"] {
            assert!(text.contains(line), "{text}");
        }
        let text = difference("thing/a", None, after).unwrap();
        assert!(text.contains("+kind: A\n"), "{text}");
    }

    #[test]
    fn options_that_are_secret_are_not_shown_and_still_differ() {
        let object = |secret: &str, image: &str| json!({"kind": "FlinkDeployment", "spec": {"image": image, "flinkConfiguration": {"s3.secret-key": secret}}});
        let text = difference("x/a", Some(object("old", "i")), object("new", "j")).unwrap();
        assert!(text.contains("+  image: j") && !text.contains("old") && !text.contains("new"), "{text}");
        let text = difference("x/a", Some(object("old", "i")), object("new", "i")).unwrap();
        assert_eq!(text, "x/a: only values of options that are secret differ\n");
    }

    #[test]
    fn secrets_are_not_shown() {
        let before = json!({"kind": "Secret", "data": {"a": "b2xk", "b": "c2FtZQ==", "c": "Z29uZQ=="}});
        let after = json!({"kind": "Secret", "data": {"a": "bmV3", "b": "c2FtZQ=="}});
        let text = difference("secret/a", Some(before), after).unwrap();
        for hidden in ["b2xk", "bmV3", "c2FtZQ", "Z29uZQ"] {
            assert!(!text.contains(hidden), "{text}");
        }
        assert!(text.contains("(before)") && text.contains("(after)"), "{text}");
    }
}
