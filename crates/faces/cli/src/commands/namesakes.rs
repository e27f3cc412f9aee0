//! What was probably meant by a name that no object has: the same of another kind or in another namespace, or a name
//! spelled nearly so.
//!
//! What may not be listed is not suggested, and it is no error: the suggestion comes with an error of its own.

use kobel_kubernetes::failure::Failure;
use kobel_kubernetes::kinds::Served;
use kobel_kubernetes::objects::Selection;
use kobel_kubernetes::tables::{Rows, Table};
use kobel_model::{Error, nearest};
use kobel_resources::API_VERSION;

use super::client::{Session, named};

/// The column of names in tables.
const NAME: &str = "NAME";

/// An object that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    namespace: String,
    name: String,
}

/// Who says which namespace is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chooser {
    /// The command line, where another may be named.
    CommandLine,
    /// A manifest, next to which the flag of another namespace is refused.
    Manifest,
}

/// The question whether another object is meant than the one that is not in `namespace`; absent if there is none with
/// such a name.
pub(crate) async fn question(session: &Session, kinds: &[&Served], namespace: &str, name: &str) -> Option<String> {
    let mut known = Vec::new();
    for served in kinds {
        known.extend(listed(session, served, namespace).await);
    }
    let is_namespaced = kinds.iter().any(|served| served.is_namespaced);
    let chooser = if namespace == session.namespace { Chooser::CommandLine } else { Chooser::Manifest };
    suggestion(&known, if is_namespaced { namespace } else { "" }, name, chooser)
}

/// The error of a request about one object by its name, in the namespace of the command line, with the question whether
/// another is meant.
pub(crate) async fn missing(session: &Session, failure: Failure, served: &Served, name: &str) -> Error {
    missing_in(session, failure, served, &session.namespace, name).await
}

/// The same in a namespace that a manifest may have named.
pub(crate) async fn missing_in(
    session: &Session,
    failure: Failure,
    served: &Served,
    namespace: &str,
    name: &str,
) -> Error {
    if !failure.is_missing() {
        return named(failure, served);
    }
    let is_own = session.kinds.own().any(|own| own == served);
    let others = if is_own { kinds_of(session, namespace, name).await } else { Vec::new() };
    let question = match of_other_kinds(&others, name, &flag(namespace, session.cluster.namespace())) {
        Some(told) => Some(told),
        None => question(session, &[served], namespace, name).await,
    };
    asking(named(failure, served), question)
}

/// The kinds that Kobel looks after of which there is an object with this name in `namespace`.
pub(crate) async fn kinds_of<'a>(session: &'a Session, namespace: &str, name: &str) -> Vec<&'a Served> {
    let mut found = Vec::new();
    // An object is there in every version that is served, and is one object.
    for served in session.kinds.own().filter(|served| served.api_version() == API_VERSION) {
        // Whoever may not read them is not told of them.
        if let Ok(Some(_)) = session.cluster.find(served, served.is_namespaced.then_some(namespace), name).await {
            found.push(served);
        }
    }
    found
}

/// What a command ends with to mean a namespace: ` -n team`, or nothing if it is that of the context.
fn flag(namespace: &str, of_context: &str) -> String {
    if namespace == of_context { String::new() } else { format!(" -n {namespace}") }
}

/// That objects of other kinds have the name.
fn of_other_kinds(kinds: &[&Served], name: &str, flag: &str) -> Option<String> {
    let words: Vec<String> = kinds.iter().map(|served| format!("`{}/{name}{flag}`", served.short())).collect();
    (!words.is_empty()).then(|| format!("it is the name of {};", words.join(" and ")))
}

/// An error with a question before what it advises.
pub(crate) fn asking(error: Error, question: Option<String>) -> Error {
    let Some(question) = question else {
        return error;
    };
    let hint = error.hint().map_or_else(|| question.clone(), |hint| format!("{question} {hint}"));
    error.with_hint(hint)
}

/// The objects of a kind in all namespaces, or in the one that may be read.
async fn listed(session: &Session, served: &Served, namespace: &str) -> Vec<Known> {
    // Nobody is told what secrets there are.
    if served.kind == "Secret" {
        return Vec::new();
    }
    let everywhere = Selection::default();
    if let Ok(table) = session.cluster.table(served, &everywhere, Rows::Metadata).await {
        return names(&table);
    }
    let namespace = served.is_namespaced.then(|| namespace.to_owned());
    let here = Selection { namespace, ..Selection::default() };
    session.cluster.table(served, &here, Rows::Metadata).await.map(|table| names(&table)).unwrap_or_default()
}

fn names(table: &Table) -> Vec<Known> {
    let Some(column) = table.columns.iter().position(|column| column.name == NAME) else {
        return Vec::new();
    };
    let known = table
        .rows
        .iter()
        .filter_map(|row| Some(Known { namespace: row.namespace.clone(), name: row.cells.get(column)?.clone() }));
    known.collect()
}

/// What is asked: the same name elsewhere first, then a near one here, then a near one elsewhere.
fn suggestion(known: &[Known], namespace: &str, name: &str, chooser: Chooser) -> Option<String> {
    let (here, elsewhere): (Vec<&Known>, Vec<&Known>) = known.iter().partition(|one| one.namespace == namespace);
    let mut same: Vec<&str> =
        elsewhere.iter().filter(|one| one.name == name).map(|one| one.namespace.as_str()).collect();
    same.sort_unstable();
    same.dedup();
    if let Some(first) = same.first() {
        let advice = match chooser {
            Chooser::CommandLine => format!(": add `-n {first}`"),
            Chooser::Manifest => String::new(),
        };
        return Some(format!("there is one in the namespace `{}`{advice};", same.join("`, `")));
    }
    if let Some(near) = nearest(name, here.iter().map(|one| one.name.as_str())) {
        return Some(format!("did you mean `{near}`?"));
    }
    let near = nearest(name, elsewhere.iter().map(|one| one.name.as_str()))?;
    let one = elsewhere.iter().find(|one| one.name == near)?;
    let advice = match chooser {
        Chooser::CommandLine => format!(" (`-n {}`)", one.namespace),
        Chooser::Manifest => String::new(),
    };
    Some(format!("did you mean `{near}` in the namespace `{}`{advice}?", one.namespace))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_namespace_is_named_unless_it_is_that_of_the_context() {
        for (namespace, expected) in [("default", ""), ("team", " -n team")] {
            assert_eq!(flag(namespace, "default"), expected);
        }
    }

    #[test]
    fn a_name_is_looked_for_here_and_elsewhere() {
        let known = [("default", "orders"), ("default", "payments"), ("team", "flights"), ("lab", "flights")]
            .map(|(namespace, name)| Known { namespace: namespace.to_owned(), name: name.to_owned() });
        for (namespace, name, expected) in [
            ("default", "ordes", Some("did you mean `orders`?")),
            ("team", "orders", Some("there is one in the namespace `default`: add `-n default`;")),
            ("default", "flights", Some("there is one in the namespace `lab`, `team`: add `-n lab`;")),
            ("lab", "ordes", Some("did you mean `orders` in the namespace `default` (`-n default`)?")),
            ("default", "unlike", None),
        ] {
            let told = suggestion(&known, namespace, name, Chooser::CommandLine);
            assert_eq!(told.as_deref(), expected, "{namespace} {name}");
        }
        for (namespace, name, expected) in [
            ("team", "orders", "there is one in the namespace `default`;"),
            ("lab", "ordes", "did you mean `orders` in the namespace `default`?"),
        ] {
            assert_eq!(suggestion(&known, namespace, name, Chooser::Manifest).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_name_of_another_kind_is_told() {
        let served = |short: &str| Served {
            group: "flink.apache.org".to_owned(),
            version: "v1beta1".to_owned(),
            plural: format!("{short}s"),
            singular: short.to_owned(),
            kind: short.to_owned(),
            short_names: vec![short.to_owned()],
            is_namespaced: true,
            verbs: Vec::new(),
        };
        let (pair, job) = (served("flinkbgdep"), served("sessionjob"));
        for (kinds, flag, expected) in [
            (&[] as &[&Served], " -n a", None),
            (&[&pair], " -n a", Some("it is the name of `flinkbgdep/orders -n a`;")),
            (&[&pair, &job], "", Some("it is the name of `flinkbgdep/orders` and `sessionjob/orders`;")),
        ] {
            assert_eq!(of_other_kinds(kinds, "orders", flag).as_deref(), expected);
        }
    }

    #[test]
    fn names_are_those_of_their_column() {
        let table = |columns: Value| {
            let rows = json!([{"cells": ["1s", "orders"], "object": {"metadata": {"namespace": "team"}}}]);
            names(&Table::read(&json!({"kind": "Table", "columnDefinitions": columns, "rows": rows})))
        };
        let expected = [Known { namespace: "team".to_owned(), name: "orders".to_owned() }];
        assert_eq!(table(json!([{"name": "Age"}, {"name": "Name"}])), expected);
        assert!(table(json!([{"name": "Last Seen"}, {"name": "Object"}])).is_empty());
    }

    #[test]
    fn a_question_comes_before_the_advice() {
        let error = || Error::invalid("there is no `a`");
        assert_eq!(asking(error(), Some("b?".to_owned())).hint(), Some("b?"));
        assert_eq!(asking(error().with_hint("look"), Some("b?".to_owned())).hint(), Some("b? look"));
        assert_eq!(asking(error().with_hint("look"), None).hint(), Some("look"));
    }
}
