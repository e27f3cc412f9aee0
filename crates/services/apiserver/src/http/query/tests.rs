//! Options of requests, against what the API server makes of them.

use serde_json::json;

use super::*;

fn list(query: &str) -> Answer<ListOptions> {
    ListOptions::parse(&Query::parse(query))
}

#[test]
fn a_query_is_decoded() {
    let query = Query::parse("labelSelector=a%3Db%2Cc+in+(d)&x&watch=true");
    assert_eq!(query.get("labelSelector"), "a=b,c in (d)");
    assert_eq!(query.get("absent"), "");
    assert!(query.is_set("watch") && query.is_set("x") && !query.is_set("absent"));
}

#[test]
fn list_options_are_read() {
    let options = list("limit=5&continue=abc&timeoutSeconds=30&allowWatchBookmarks=true").unwrap();
    assert_eq!((options.limit, options.proceed.as_str(), options.has_bookmarks), (5, "abc", true));
    assert_eq!(options.timeout, Some(Duration::from_secs(30)));
    let table = [
        ("", Freshness::Newest),
        ("resourceVersion=0", Freshness::Any),
        ("resourceVersion=7", Freshness::NotOlderThan(7)),
        ("resourceVersion=7&resourceVersionMatch=Exact", Freshness::Exact(7)),
        ("resourceVersion=7&resourceVersionMatch=NotOlderThan", Freshness::NotOlderThan(7)),
    ];
    for (query, expected) in table {
        assert_eq!(list(query).unwrap().freshness, expected, "{query}");
    }
    assert_eq!(list("limit=-1").unwrap().limit, 0);
}

#[test]
fn wrong_list_options_are_refused_in_the_api_servers_words() {
    let meta = "ListOptions.meta.k8s.io \"\" is invalid: ";
    let table = [
        ("limit=x", 400, "strconv.ParseInt: parsing \"x\": invalid syntax".to_owned()),
        (
            "resourceVersionMatch=Exact",
            422,
            format!(
                "{meta}resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is \
                 provided"
            ),
        ),
        (
            "resourceVersionMatch=foo&resourceVersion=1",
            422,
            format!(
                "{meta}resourceVersionMatch: Unsupported value: \"foo\": supported values: \"Exact\", \
                 \"NotOlderThan\", \"\""
            ),
        ),
        (
            "watch=1&sendInitialEvents=true",
            422,
            format!(
                "{meta}resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to \
                 NotOlderThan"
            ),
        ),
        (
            "sendInitialEvents=true",
            422,
            format!("{meta}sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"),
        ),
    ];
    for (query, code, message) in table {
        let refusal = list(query).unwrap_err();
        assert_eq!((refusal.code, refusal.message.as_str()), (code, message.as_str()), "{query}");
    }
    assert_eq!(list("resourceVersion=abc").unwrap_err().code, 400);
}

#[test]
fn write_options_are_read_and_checked() {
    let read = |query: &str, what| write_options(&Query::parse(query), what, "kubectl/v1.32 (linux)");
    let options = read("dryRun=All&fieldValidation=Strict&fieldManager=me", WriteKind::Create).unwrap();
    assert_eq!((options.dry_run, options.validation), (DryRun::All, FieldValidation::Strict));
    assert_eq!(options.field_manager, "me");
    assert_eq!(read("", WriteKind::Update).unwrap().field_manager, "kubectl");
    let table = [
        ("dryRun=Foo", WriteKind::Create, "CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value"),
        ("fieldValidation=Foo", WriteKind::Update, "UpdateOptions.meta.k8s.io \"\" is invalid: fieldValidation"),
        ("force=true", WriteKind::Patch(PatchKind::Merge), "may not be specified for non-apply patch"),
        ("", WriteKind::Patch(PatchKind::Apply), "fieldManager: Required value: is required for apply patch"),
    ];
    for (query, what, expected) in table {
        let refusal = read(query, what).unwrap_err();
        assert_eq!(refusal.code, 422, "{query}");
        assert!(refusal.message.contains(expected), "{}", refusal.message);
    }
}

#[test]
fn delete_options_come_from_the_body_or_from_the_query() {
    let read = |query: &str, body: Option<Value>| delete_options(&Query::parse(query), body.as_ref());
    let body = json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Foreground",
        "preconditions": {"uid": "u", "resourceVersion": "3"}, "gracePeriodSeconds": 0});
    let options = read("propagationPolicy=Orphan", Some(body)).unwrap();
    assert_eq!(options.propagation, Propagation::Foreground);
    assert_eq!((options.uid.as_deref(), options.resource_version.as_deref()), (Some("u"), Some("3")));
    assert_eq!(read("propagationPolicy=Orphan", None).unwrap().propagation, Propagation::Orphan);
    assert_eq!(read("", Some(json!({"orphanDependents": true}))).unwrap().propagation, Propagation::Orphan);
    let table = [
        (json!({"propagationPolicy": "Foo"}), 422),
        (json!({"propagationPolicy": "Orphan", "orphanDependents": true}), 422),
        (json!({"dryRun": ["x"]}), 422),
        (json!({"gracePeriodSeconds": "x"}), 400),
        (json!({"kind": "ConfigMap", "apiVersion": "v1"}), 400),
    ];
    for (body, code) in table {
        assert_eq!(read("", Some(body.clone())).unwrap_err().code, code, "{body}");
    }
}
