//! `kobel apply`: all documents are read, all are checked by the API, and only then is anything written.
//!
//! ```text
//! documents -> fields, kinds and namespaces -> server-side dry run of each -> server-side apply of each
//! ```
//! `--dry-run` ends before the last, with what the control loop would do about each.
//!
//! A document whose dry run fails only because something is missing that an earlier document makes is no refusal.

use kobel_kubernetes::failure::{Failure, Refusal};
use kobel_kubernetes::objects::{Conflicts, Keep};
use kobel_model::{Error, Result};
use serde_json::Value;

use super::changed_program;
use super::check::twice::twice;
use super::check::{check, warning};
use super::client::{Document, Session, all_or_nothing, at, complete, documents, print};
use super::missing_program;
use super::plan::planned;
use super::shell_word::quoted;
use crate::args::resources::ApplyArguments;
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// Fields that name another object of the same namespace.
const REFERENCES: [&str; 2] = ["spec.deploymentName", "spec.jobReference.name"];

/// What is said of an object that was as it is declared.
const UNCHANGED: &str = "unchanged";

/// Applies manifests and reports what goes wrong.
pub(crate) fn run(arguments: &ApplyArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    complete(&terminal, apply(arguments, &terminal))
}

async fn apply(arguments: &ApplyArguments, terminal: &Terminal) -> Result<Exit> {
    let session = Session::open(&arguments.api).await?;
    let documents = documents(&session, &arguments.files, arguments.api.namespace.as_deref(), check, terminal)?;
    let documents = all_or_nothing((), twice(&documents), terminal).map(|()| documents)?;
    // Whoever reads along may go; what was begun is done to its end.
    terminal.drop_unread_rows();
    let checked = check_all(&session, &documents, arguments, terminal).await?;
    for (count, (document, checked)) in documents.iter().zip(&checked).enumerate() {
        let (word, plan, object) = if arguments.dry_run {
            let word = checked.after.as_ref().map_or("created", |after| outcome(checked.before.as_ref(), after));
            let plan = match &checked.after {
                Some(after) => planned(&session, document, checked.before.as_ref(), after).await,
                None => String::new(),
            };
            (word, plan, checked.after.clone())
        } else {
            let answer = session
                .cluster
                .apply(&document.served, &document.manifest.value, Keep::Written, conflicts(arguments))
                .await;
            let applied = answer.map_err(|failure| {
                let done = format!("{count} of {} objects are applied", documents.len());
                refused(document, failure, arguments).context(done)
            })?;
            if checked.after.is_none() {
                applied.warnings.iter().for_each(|words| terminal.warn(&warning(&document.manifest, words)));
            }
            (outcome(checked.before.as_ref(), &applied.object), String::new(), Some(applied.object))
        };
        let how = if arguments.dry_run { " (server dry run)" } else { "" };
        print(terminal, &format!("{} {word}{how}\n{plan}", document.shown()))?;
        if let Some(object) = &object {
            tell_of_program(&session, document, word, object, terminal);
        }
    }
    Ok(Exit::Done)
}

/// Tells of a program that is not there, or that has changed where nothing else has.
fn tell_of_program(session: &Session, document: &Document, word: &str, object: &Value, terminal: &Terminal) {
    if word == UNCHANGED
        && let Some(hint) = changed_program::hint(session, &document.served, object)
    {
        terminal.note(&hint);
    }
    if let Some(warning) = missing_program::warning(session, &document.served, object) {
        terminal.warn(&warning);
    }
}

fn conflicts(arguments: &ApplyArguments) -> Conflicts {
    if arguments.force_conflicts { Conflicts::Force } else { Conflicts::Refuse }
}

/// The error of a document that is refused; where fields are somebody else's, with the command that takes them over.
fn refused(document: &Document, failure: Failure, arguments: &ApplyArguments) -> Error {
    let is_owned = match &failure {
        Failure::Refused(refusal) => refusal.causes.iter().any(|cause| cause.reason == "FieldManagerConflict"),
        Failure::Other(_) => false,
    };
    let error = at(document, failure);
    if !is_owned {
        return error;
    }
    error.with_hint(format!("another manager owns these fields; take them over with `{}`", taking_over(arguments)))
}

/// The command that applies the same and takes over fields of others.
fn taking_over(arguments: &ApplyArguments) -> String {
    let api = &arguments.api;
    let mut words = "kobel apply".to_owned();
    let mut option = |name: &str, value: &str| words.push_str(&format!(" {name} {}", quoted(value)));
    arguments.files.iter().for_each(|file| option("-f", &file.to_string_lossy()));
    api.kubeconfig.iter().for_each(|file| option("--kubeconfig", &file.to_string_lossy()));
    api.context.iter().for_each(|context| option("--context", context));
    api.namespace.iter().for_each(|namespace| option("-n", namespace));
    words + " --force-conflicts"
}

/// What the API says to a document before anything is written.
struct Checked {
    before: Option<Value>,
    /// Absent if the document can be checked only once an earlier one is written.
    after: Option<Value>,
}

async fn check_all(
    session: &Session,
    documents: &[Document],
    arguments: &ApplyArguments,
    terminal: &Terminal,
) -> Result<Vec<Checked>> {
    let (mut checked, mut problems) = (Vec::new(), Vec::new());
    for (index, document) in documents.iter().enumerate() {
        let (served, manifest) = (&document.served, &document.manifest);
        let before = session.cluster.find(served, document.namespace(), &manifest.name).await?;
        let earlier = documents.get(..index).unwrap_or_default();
        match session.cluster.apply(served, &manifest.value, Keep::DryRun, conflicts(arguments)).await {
            Ok(applied) => {
                let warnings = applied.warnings.iter().filter(|words| !is_premature(words, document, earlier));
                warnings.for_each(|words| terminal.warn(&warning(manifest, words)));
                checked.push(Checked { before, after: Some(applied.object) });
            }
            Err(Failure::Refused(refusal)) if waits_for_earlier(&refusal, document, earlier) => {
                checked.push(Checked { before, after: None });
            }
            Err(Failure::Refused(refusal)) => {
                problems.push(refused(document, Failure::Refused(refusal), arguments));
            }
            Err(failure) => return Err(failure.into()),
        }
    }
    all_or_nothing(checked, problems, terminal)
}

/// Whether a refusal is only about something that an earlier document makes.
fn waits_for_earlier(refusal: &Refusal, document: &Document, earlier: &[Document]) -> bool {
    if refusal.is_missing() {
        return document.namespace().is_some_and(|namespace| {
            refusal.message.contains(&format!("namespaces \"{namespace}\" not found"))
                && earlier.iter().any(|one| one.manifest.kind == "Namespace" && one.manifest.name == namespace)
        });
    }
    refusal.code == 422
        && !refusal.causes.is_empty()
        && refusal.causes.iter().all(|cause| is_made(&cause.field, &cause.message, document, earlier))
}

/// Whether a warning is only about something that an earlier document makes.
fn is_premature(warning: &str, document: &Document, earlier: &[Document]) -> bool {
    warning.split_once(": ").is_some_and(|(field, message)| is_made(field, message, document, earlier))
}

/// Whether a message about a reference names an object that an earlier document makes.
fn is_made(field: &str, message: &str, document: &Document, earlier: &[Document]) -> bool {
    let names = |name: &str| message.contains(&format!("\"{name}\"")) || message.contains(&format!("`{name}`"));
    REFERENCES.contains(&field)
        && earlier.iter().any(|one| one.namespace() == document.namespace() && names(&one.manifest.name))
}

/// What an apply did to an object.
fn outcome(before: Option<&Value>, after: &Value) -> &'static str {
    match before {
        None => "created",
        Some(before) if declared(before) == declared(after) => UNCHANGED,
        Some(_) => "configured",
    }
}

/// An object without what changes by itself.
fn declared(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in ["resourceVersion", "generation", "managedFields"] {
            metadata.remove(field);
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use kobel_apiserver::embedded::STORE_FILE;
    use kobel_kubernetes::failure::Cause;
    use kobel_kubernetes::kinds::Served;
    use kobel_kubernetes::manifests::{parse, read};
    use serde_json::json;

    use super::*;
    use crate::args::resources::ApiArguments;

    fn document(text: &str) -> Document {
        let manifest = parse("a.yaml", text).0.remove(0);
        let served = Served {
            group: String::new(),
            version: "v1".to_owned(),
            plural: "things".to_owned(),
            singular: "thing".to_owned(),
            kind: manifest.kind.clone(),
            short_names: Vec::new(),
            is_namespaced: true,
            verbs: Vec::new(),
        };
        Document { manifest, served }
    }

    fn refusal(code: u16, message: &str, field: Option<&str>) -> Refusal {
        let cause = |field: &str| Cause {
            reason: "FieldValueInvalid".to_owned(),
            field: field.to_owned(),
            message: message.to_owned(),
        };
        let causes = field.map(cause).into_iter().collect();
        Refusal { code, reason: String::new(), message: message.to_owned(), causes }
    }

    #[test]
    fn what_an_earlier_document_makes_is_not_missing() {
        let earlier = [
            document("{apiVersion: v1, kind: Namespace, metadata: {name: team}}"),
            document("{apiVersion: v1, kind: FlinkDeployment, metadata: {name: session, namespace: team}}"),
        ];
        let job = document("{apiVersion: v1, kind: FlinkSessionJob, metadata: {name: job, namespace: team}}");
        for (refusal, waits) in [
            (refusal(404, "namespaces \"team\" not found", None), true),
            (refusal(404, "namespaces \"other\" not found", None), false),
            (refusal(422, "Invalid value: \"session\": no such deployment", Some("spec.deploymentName")), true),
            (refusal(422, "Invalid value: \"other\": no such deployment", Some("spec.deploymentName")), false),
            (refusal(422, "Invalid value: \"session\": no", Some("spec.job.jarURI")), false),
            (refusal(403, "namespaces \"team\" not found", None), false),
        ] {
            assert_eq!(waits_for_earlier(&refusal, &job, &earlier), waits, "{refusal:?}");
            assert!(!waits_for_earlier(&refusal, &job, &[]), "{refusal:?}");
        }
    }

    #[test]
    fn a_warning_about_what_an_earlier_document_makes_is_left_out() {
        let earlier = [document("{apiVersion: v1, kind: FlinkDeployment, metadata: {name: session, namespace: team}}")];
        let job = document("{apiVersion: v1, kind: FlinkSessionJob, metadata: {name: job, namespace: team}}");
        for (warning, is_left_out) in [
            ("spec.deploymentName: there is no FlinkDeployment `session` in this namespace yet", true),
            ("spec.deploymentName: there is no FlinkDeployment `other` in this namespace yet", false),
            ("spec.job: `session`", false),
        ] {
            assert_eq!(is_premature(warning, &job, &earlier), is_left_out, "{warning}");
        }
    }

    #[test]
    fn an_outcome_looks_at_what_is_declared() {
        let before = json!({"metadata": {"resourceVersion": "1"}, "spec": {"a": 1}, "status": {"b": 1}});
        let same = json!({"metadata": {"resourceVersion": "2"}, "spec": {"a": 1}, "status": {"b": 2}});
        let other = json!({"metadata": {"resourceVersion": "2"}, "spec": {"a": 2}});
        assert_eq!(outcome(None, &same), "created");
        assert_eq!(outcome(Some(&before), &same), "unchanged");
        assert_eq!(outcome(Some(&before), &other), "configured");
    }

    #[test]
    fn a_conflict_is_told_with_the_whole_command() {
        let api = ApiArguments { namespace: Some("team".to_owned()), ..ApiArguments::default() };
        let files = vec![PathBuf::from("o4.yaml"), PathBuf::from("my orders.yaml")];
        let arguments = ApplyArguments { files, dry_run: true, force_conflicts: false, api };
        let document = document("{apiVersion: v1, kind: Thing, metadata: {name: a}}");
        let told = |reason: &str| {
            let mut refusal = refusal(409, "Apply failed with 1 conflict: no", Some(".data.a"));
            refusal.causes.iter_mut().for_each(|cause| cause.reason = reason.to_owned());
            refused(&document, Failure::Refused(Box::new(refusal)), &arguments).hint().map(str::to_owned)
        };
        let command = "`kobel apply -f o4.yaml -f 'my orders.yaml' -n team --force-conflicts`";
        assert!(told("FieldManagerConflict").is_some_and(|hint| hint.ends_with(command)));
        assert_eq!(told("FieldValueInvalid"), None);
    }

    #[test]
    fn a_data_directory_below_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        std::fs::create_dir(&data).unwrap();
        std::fs::write(directory.path().join("a.yaml"), "{apiVersion: v1, kind: A, metadata: {name: a}}").unwrap();
        std::fs::write(data.join("launch.json"), "{}").unwrap();
        let problems = || read(&[directory.path().to_owned()]).1.len();
        assert_eq!(problems(), 1);
        std::fs::write(data.join(STORE_FILE), "").unwrap();
        assert_eq!(problems(), 0);
    }
}
