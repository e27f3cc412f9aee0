//! Answers of the API server to patches.

use serde_json::{Value, json};

use super::*;

/// Checks the answer to a patch: the object, or the code and the text of the refusal.
fn check(kind: PatchKind, current: &Value, body: &Value, expected: Result<Value, (u16, &str)>) {
    match (apply(kind, current, body), expected) {
        (Ok(object), Ok(expected)) => assert_eq!(object, expected, "{body}"),
        (Err(status), Err((code, message))) => {
            assert_eq!((status.code, status.message.as_str()), (code, message), "{body}");
        }
        (answer, expected) => panic!("{body} gave {answer:?}, not {expected:?}"),
    }
}

#[test]
fn content_types_name_kinds_of_patches() {
    let cases = [
        ("application/json-patch+json", Some(PatchKind::Json)),
        ("application/merge-patch+json; charset=utf-8", Some(PatchKind::Merge)),
        ("application/strategic-merge-patch+json", Some(PatchKind::Strategic)),
        ("application/apply-patch+yaml", Some(PatchKind::Apply)),
        ("application/json", None),
        ("", None),
    ];
    for (content_type, expected) in cases {
        assert_eq!(PatchKind::of(content_type), expected, "{content_type}");
    }
}

#[test]
fn unknown_content_types_are_refused_with_the_known_ones() {
    let status = PatchKind::refuse_for_custom();
    let text = "the body of the request was in an unknown format - accepted media types include: \
                application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
    assert_eq!((status.code, status.reason, status.message.as_str()), (415, "UnsupportedMediaType", text));
    assert!(PatchKind::refuse_for_core().message.contains("application/strategic-merge-patch+json"));
}

#[test]
fn json_patches_answer_as_the_api_server_does() {
    let current = json!({"spec": {"image": "a", "tags": ["x"]}});
    let refused: Result<Value, (u16, &str)> =
        Err((422, "the server rejected our request due to an error in our request"));
    let cases = [
        (json!([]), Ok(current.clone())),
        (
            json!([{"op": "add", "path": "/spec/tags/-", "value": "y"}, {"op": "remove", "path": "/spec/image"}]),
            Ok(json!({"spec": {"tags": ["x", "y"]}})),
        ),
        (
            json!([{"op": "replace", "path": "/spec/zz", "value": 1}]),
            Ok(json!({"spec": {"image": "a", "tags": ["x"], "zz": 1}})),
        ),
        (json!([{"op": "add", "path": "/spec/zz"}]), Ok(json!({"spec": {"image": "a", "tags": ["x"], "zz": null}}))),
        (json!([{"op": "test", "path": "/spec/image", "value": "z"}]), refused.clone()),
        (json!([{"op": "remove", "path": "/spec/zz"}]), refused.clone()),
        (json!([{"op": "add", "path": "/spec/zz/y", "value": 1}]), refused.clone()),
        (json!([{"op": "frob", "path": "/spec/zz", "value": 1}]), refused.clone()),
        (json!([{"op": "add", "path": "spec", "value": 1}]), refused.clone()),
        (json!([{"op": "add", "path": "/spec/tags/7", "value": "q"}]), refused),
        (
            json!({"op": "add"}),
            Err((
                400,
                "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
            )),
        ),
        (
            json!(["x"]),
            Err((
                400,
                "error decoding patch: json: cannot unmarshal string into Go value of type handlers.jsonPatchOp",
            )),
        ),
        (
            json!([{"op": "replace", "path": "", "value": [1]}]),
            Err((
                422,
                " \"\" is invalid: patch: Invalid value: \"[1]\": couldn't get version/kind; json parse error: json: \
                 cannot unmarshal array into Go value of type struct { APIVersion string \
                 \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }",
            )),
        ),
    ];
    for (body, expected) in cases {
        check(PatchKind::Json, &current, &body, expected);
    }
}

#[test]
fn a_json_patch_has_at_most_10_000_operations() {
    let current = json!({"spec": {"image": "a"}});
    let test = json!({"op": "test", "path": "/spec/image", "value": "a"});
    check(PatchKind::Json, &current, &Value::from(vec![test.clone(); 10_000]), Ok(current.clone()));
    let text = "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001";
    check(PatchKind::Json, &current, &Value::from(vec![test; 10_001]), Err((413, text)));
}

#[test]
fn merge_patches_merge_maps_and_remove_nulls() {
    let current = json!({"spec": {"a": 1, "list": [1, 2]}, "keep": true});
    let body = json!({"spec": {"a": null, "list": [3], "b": {"c": null, "d": 4}}});
    let expected = json!({"spec": {"list": [3], "b": {"d": 4}}, "keep": true});
    check(PatchKind::Merge, &current, &body, Ok(expected));
    let text = "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}";
    check(PatchKind::Merge, &current, &json!([1]), Err((400, text)));
}

fn owner(name: &str, uid: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Z", "name": name, "uid": uid})
}

#[test]
fn strategic_patches_merge_finalizers_and_owners() {
    let finalizers = |listed: &[&str]| json!({"metadata": {"finalizers": listed}});
    let owners = |listed: Vec<Value>| json!({"metadata": {"ownerReferences": listed}});
    let cases = [
        (
            finalizers(&["a/b", "a/c"]),
            json!({"metadata": {"finalizers": ["a/d", "a/b"]}}),
            Ok(finalizers(&["a/d", "a/b", "a/c"])),
        ),
        (
            finalizers(&["a/d", "a/b", "a/c"]),
            json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a/c"]}}),
            Ok(finalizers(&["a/d", "a/b"])),
        ),
        (
            finalizers(&["a/d", "a/b"]),
            json!({"metadata": {"$setElementOrder/finalizers": ["a/d", "a/b", "a/e"], "finalizers": ["a/e"]}}),
            Ok(finalizers(&["a/d", "a/b", "a/e"])),
        ),
        (
            finalizers(&["a/d", "a/b"]),
            json!({"metadata": {"$setElementOrder/finalizers": ["a/b", "a/d"]}}),
            Ok(finalizers(&["a/b", "a/d"])),
        ),
        (
            finalizers(&["a/d"]),
            json!({"metadata": {"$setElementOrder/finalizers": ["a/d"], "finalizers": ["a/e"]}}),
            Err((500, "The order in patch list:\n[a/e]\n doesn't match $setElementOrder list:\n[a/d]\n")),
        ),
        (
            owners(vec![owner("n", "u1")]),
            json!({"metadata": {"ownerReferences": [{"uid": "u1", "name": "m"}, owner("n2", "u2")]}}),
            Ok(owners(vec![owner("m", "u1"), owner("n2", "u2")])),
        ),
        (
            owners(vec![owner("m", "u1"), owner("n2", "u2")]),
            json!({"metadata": {"ownerReferences": [{"$patch": "delete", "uid": "u1"}]}}),
            Ok(owners(vec![owner("n2", "u2")])),
        ),
        (
            owners(vec![owner("n2", "u2")]),
            json!({"metadata": {"ownerReferences": [{"$patch": "replace"}, owner("n3", "u3")]}}),
            Ok(owners(vec![owner("n3", "u3")])),
        ),
        (
            owners(vec![owner("n2", "u2")]),
            json!({"metadata": {"ownerReferences": [{"name": "q"}]}}),
            Err((500, "map: map[name:q] does not contain declared merge key: uid")),
        ),
    ];
    for (current, body, expected) in cases {
        check(PatchKind::Strategic, &current, &body, expected);
    }
}

#[test]
fn strategic_patches_follow_directives_in_maps() {
    let current = json!({"data": {"a": "1", "b": "2"}, "args": ["x", "y"]});
    let data = |data: Value| Ok(json!({"data": data, "args": ["x", "y"]}));
    let cases = [
        (json!({"data": {"a": null, "c": "3"}}), data(json!({"b": "2", "c": "3"}))),
        (json!({"data": {"$patch": "replace", "z": "1"}}), data(json!({"z": "1"}))),
        (json!({"data": {"$patch": "delete"}}), data(json!({}))),
        (json!({"data": {"$retainKeys": ["b", "d"], "d": "4"}}), data(json!({"b": "2", "d": "4"}))),
        (json!({"new": {"$patch": "frob", "a": "1"}}), data(json!({"a": "1", "b": "2"}))),
        (json!({"args": ["z"]}), Ok(json!({"data": {"a": "1", "b": "2"}, "args": ["z"]}))),
        (json!({"data": {"$retainKeys": ["b"], "d": "4"}}), Err((400, "invalid patch format of retainKeys"))),
        (
            json!({"$patch": "merge", "data": {"x": "y"}}),
            Err((500, "unknown patch type: merge in map: map[$patch:merge data:map[x:y]]")),
        ),
        (json!([1]), Err((400, "json: cannot unmarshal array into Go value of type map[string]interface {}"))),
    ];
    for (body, expected) in cases {
        check(PatchKind::Strategic, &current, &body, expected);
    }
}

#[test]
fn json_patches_cannot_grow_without_bound() {
    let repeated = |operation: Value, times: usize| Value::Array(vec![operation; times]);
    let deep: Result<Value, (u16, &str)> = Err((422, "the result of the JSON patch exceeds max depth 100"));
    // Each copy goes to the innermost map, which doubles the depth.
    let inner = |round: u32| "/a".repeat(2_usize.pow(round) + 1);
    let copies: Value = (0..16).map(|round| json!({"op": "copy", "from": "/a", "path": inner(round)})).collect();
    check(PatchKind::Json, &json!({"a": {}}), &copies, deep.clone());
    // Each round moves the value one level deeper.
    let round =
        [json!({"op": "move", "from": "/a", "path": "/b/a"}), json!({"op": "move", "from": "/b", "path": "/a"})];
    let back = json!({"op": "add", "path": "/b", "value": {}});
    let moves: Vec<Value> = (0..200).flat_map(|_| [round[0].clone(), round[1].clone(), back.clone()]).collect();
    check(PatchKind::Json, &json!({"a": {}, "b": {}}), &Value::Array(moves), deep);
    let object = json!({"spec": {"text": "x".repeat(1_000)}});
    for from in ["", "/spec"] {
        let copies: Vec<Value> =
            (0..26).map(|place| json!({"op": "copy", "from": from, "path": format!("/spec/c{place}")})).collect();
        let status = apply(PatchKind::Json, &object, &Value::Array(copies)).unwrap_err();
        assert_eq!((status.code, status.reason), (413, "RequestEntityTooLarge"), "{from}");
    }
    let copies = repeated(json!({"op": "copy", "from": "/spec/text", "path": "/spec/other"}), 3_000);
    assert!(apply(PatchKind::Json, &object, &copies).is_ok());
}

#[test]
fn a_merge_patch_makes_nothing_deeper_than_the_deeper_of_the_two() {
    let nested = |levels: usize, key: &str| (0..levels).fold(json!({}), |value, _| json!({key: value}));
    for (current, body) in [(90, 99), (99, 90), (99, 99)] {
        for key in ["a", "b"] {
            let merged = apply(PatchKind::Merge, &nested(current, "a"), &nested(body, key)).unwrap();
            assert_eq!(crate::store::depth(&merged), current.max(body) + 1, "{current} {body} {key}");
        }
    }
}
