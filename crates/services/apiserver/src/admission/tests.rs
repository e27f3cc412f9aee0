//! Names and metadata: what is refused, in whose words.

use serde_json::{Value, json};

use super::{metadata, names};

#[test]
fn names_are_judged_as_apimachinery_judges_them() {
    type Rule = fn(&str) -> Vec<String>;
    let long = "a".repeat(64);
    let cases: [(Rule, &str, &[&str]); 15] = [
        (names::subdomain, "a.b-c.1", &[]),
        (names::subdomain, "A_b", &["a lowercase RFC 1123 subdomain must"]),
        (names::subdomain, "a..b", &["a lowercase RFC 1123 subdomain must"]),
        (names::label, "a.b", &["must not contain dots"]),
        (names::label, &long, &["must be no more than 63 characters"]),
        (names::qualified, "example.com/My_name", &[]),
        (names::qualified, "-a", &["name part must consist of"]),
        (names::qualified, "/b", &["prefix part must be non-empty"]),
        (names::qualified, "a/", &["name part must be non-empty", "name part must consist of"]),
        (names::qualified, "a/b/c", &["a valid label key must consist of"]),
        (names::qualified, "A_/x", &["prefix part a lowercase RFC 1123 subdomain"]),
        (names::label_value, "", &[]),
        (names::label_value, "b c", &["a valid label must be an empty string"]),
        (names::config_key, "..a", &["must not start with '..'"]),
        (names::config_key, "a b", &["a valid config key must consist of"]),
    ];
    for (rule, text, expected) in cases {
        let found = rule(text);
        let begins = found.iter().zip(expected).all(|(fault, begin)| fault.starts_with(begin));
        assert!(found.len() == expected.len() && begins, "{text}: {found:?}");
    }
}

#[test]
fn a_subdomain_that_is_none_is_refused_in_the_words_of_the_api_server() {
    let text = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and \
                must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
                '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    assert_eq!(names::subdomain("A_b"), [text]);
}

fn update_problems(old: Value, new: Value) -> Vec<String> {
    metadata::check_update(&json!({"metadata": old}), &json!({"metadata": new}))
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn an_object_that_is_being_deleted_takes_no_new_finalizer() {
    let old = json!({"name": "a", "uid": "1", "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["a/f"]});
    let mut new = old.clone();
    new["finalizers"] = json!(["a/f", "a/g"]);
    let rule = "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found \
                new finalizers []string{\"a/g\"}";
    assert_eq!(update_problems(old, new), [rule]);
}

#[test]
fn the_unique_id_cannot_change() {
    let problems = update_problems(json!({"name": "a", "uid": "1"}), json!({"name": "a", "uid": "bb"}));
    assert_eq!(problems, ["metadata.uid: Invalid value: \"bb\": field is immutable"]);
}

#[test]
fn an_object_has_one_controller_and_whole_owners() {
    let owner = |kind: &str| json!({"apiVersion": "v1", "kind": kind, "name": "x", "uid": "1", "controller": true});
    let problems = update_problems(json!({}), json!({"ownerReferences": [owner("Foo"), owner("Bar")]}));
    assert!(problems.len() == 1 && problems[0].ends_with("in references for Foo/x and Bar/x"), "{problems:?}");
    let problems = update_problems(json!({}), json!({"ownerReferences": [{}]}));
    let fields: Vec<&str> = problems.iter().filter_map(|text| text.split(':').next()).collect();
    let path = "metadata.ownerReferences";
    assert_eq!(fields, ["apiVersion", "kind", "name", "uid"].map(|field| format!("{path}.{field}")));
}
