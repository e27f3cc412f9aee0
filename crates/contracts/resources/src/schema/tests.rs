//! The engine against a schema with one field of each sort.
//!
//! The expected texts are answers of kube-apiserver 1.36.

use serde_json::{Value, json};

use super::{ListType, MapType, Schema};

/// A schema with one field of each sort.
fn probe() -> Schema {
    let spec = json!({
        "type": "object",
        "required": ["must"],
        "properties": {
            "must": {"type": "string"},
            "whole": {"type": "integer"},
            "small": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 10},
            "long": {"type": "integer", "format": "int64"},
            "part": {"type": "number", "format": "double", "minimum": 0.5},
            "plain": {"type": "number"},
            "yes": {"type": "boolean"},
            "text": {"type": "string", "minLength": 2, "maxLength": 4},
            "mode": {"type": "string", "enum": ["native", "standalone"]},
            "maybe": {"type": "string", "nullable": true},
            "time": {"type": "string", "format": "date-time"},
            "port": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
            "list": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "string"}},
            "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            "byKey": {
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"],
                "items": {"type": "object", "required": ["type"], "properties": {
                    "type": {"type": "string"}, "note": {"type": "string"}
                }}
            },
            "map": {"type": "object", "additionalProperties": {"type": "string"}},
            "object": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"a": {"type": "string"}}},
            "filled": {"type": "object", "default": {"a": "1"}, "properties": {
                "a": {"type": "string"}, "b": {"type": "integer", "default": 7}
            }},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {
                "known": {"type": "object", "properties": {"x": {"type": "string"}}}
            }},
            "embedded": {
                "type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true
            },
            "open": {
                "type": "integer", "minimum": 1, "exclusiveMinimum": true, "maximum": 5, "exclusiveMaximum": true
            },
            "one": {
                "type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": {"type": "integer"}
            }
        }
    });
    Schema::compile(&json!({"type": "object", "required": ["spec"], "properties": {"spec": spec}})).unwrap()
}

/// Validates an object with this `spec`, which lacks nothing required.
fn problems(mut spec: Value) -> Vec<String> {
    if let Some(members) = spec.as_object_mut() {
        members.entry("must").or_insert_with(|| json!("x"));
    }
    let problems = probe().validate(&json!({"spec": spec}));
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_value_of_a_wrong_type_is_named_as_the_api_server_names_it() {
    let typed = |field: &str, expected: &str, found: &str| {
        format!(
            "spec.{field}: Invalid value: \"{found}\": spec.{field} in body must be of type {expected}: \"{found}\""
        )
    };
    for (field, value, expected, found) in [
        ("must", json!(5), "string", "integer"),
        ("must", json!(null), "string", "null"),
        ("whole", json!("1"), "integer", "string"),
        ("whole", json!(1.5), "integer", "number"),
        ("whole", json!(1e20), "integer", "number"),
        ("small", json!("x"), "integer", "string"),
        ("small", json!([]), "integer", "array"),
        ("long", json!(9_223_372_036_854_775_808_u64), "int64", "float64"),
        ("plain", json!("x"), "number", "string"),
        ("yes", json!({}), "boolean", "object"),
        ("time", json!("abc"), "date-time", "abc"),
        ("time", json!("2024-01-01 00:00:00Z"), "date-time", "2024-01-01 00:00:00Z"),
        ("time", json!(5), "date-time", "int64"),
        ("port", json!(true), "integer,string", "boolean"),
        ("port", json!(1.5), "integer,string", "number"),
        ("list", json!("x"), "array", "string"),
        ("object", json!([]), "object", "array"),
    ] {
        assert_eq!(problems(json!({field: value})), [typed(field, expected, found)], "{field}: {value}");
    }
    assert_eq!(problems(json!({"list": ["a", 5]})), [typed("list[1]", "string", "integer")]);
    assert_eq!(problems(json!({"list": [null]})), [typed("list[0]", "string", "null")]);
    assert_eq!(problems(json!({"map": {"k.x": 5}})), [typed("map.k.x", "string", "integer")]);
    assert_eq!(problems(json!(5)), [typed("", "object", "integer").replace("spec.", "spec")]);
}

#[test]
fn a_value_that_is_not_allowed_is_named_as_the_api_server_names_it() {
    for (spec, expected) in [
        (json!({"small": 0}), "spec.small: Invalid value: 0: spec.small in body should be greater than or equal to 1"),
        (json!({"small": 11}), "spec.small: Invalid value: 11: spec.small in body should be less than or equal to 10"),
        (
            json!({"part": 0.1}),
            "spec.part: Invalid value: 0.1: spec.part in body should be greater than or equal to 0.5",
        ),
        (json!({"open": 1}), "spec.open: Invalid value: 1: spec.open in body should be greater than 1"),
        (json!({"open": 5}), "spec.open: Invalid value: 5: spec.open in body should be less than 5"),
        (json!({"text": "a"}), "spec.text: Invalid value: \"a\": spec.text in body should be at least 2 chars long"),
        (json!({"text": "aaaaa"}), "spec.text: Too long: may not be more than 4 bytes"),
        (json!({"mode": "x"}), "spec.mode: Unsupported value: \"x\": supported values: \"native\", \"standalone\""),
        (json!({"list": []}), "spec.list: Invalid value: 0: spec.list in body should have at least 1 items"),
        (json!({"list": ["a", "b", "c"]}), "spec.list: Too many: 3: must have at most 2 items"),
        (json!({"one": {}}), "spec.one: Invalid value: 0: spec.one in body should have at least 1 properties"),
        (json!({"one": {"a": 1, "b": 2}}), "spec.one: Too many: 2: must have at most 1 item"),
        (json!({"set": ["a", "b", "a", "a"]}), "spec.set[2]: Duplicate value: \"a\""),
        (json!({"byKey": [{"type": "a"}, {"type": "a"}]}), "spec.byKey[1]: Duplicate value: {\"type\":\"a\"}"),
        (json!({"byKey": [{}]}), "spec.byKey[0].type: Required value"),
        (json!({"embedded": {"kind": "A"}}), "spec.embedded.apiVersion: Required value"),
        (
            json!({"embedded": {"apiVersion": "v1", "kind": ""}}),
            "spec.embedded.kind: Invalid value: \"\": must not be empty",
        ),
    ] {
        assert_eq!(problems(spec), [expected]);
    }
}

#[test]
fn a_number_outside_its_format_is_named_with_its_path() {
    let problems = problems(json!({"small": 3_000_000_000_u64}));
    assert_eq!(
        problems,
        [
            concat!(
                "spec.small: Invalid value: 3000000000: ",
                "Checked value must be of type integer with format int32 in spec.small"
            ),
            "spec.small: Invalid value: 3000000000: spec.small in body should be less than or equal to 10",
        ]
    );
}

#[test]
fn all_problems_come_at_once_and_always_in_the_same_order() {
    let spec = json!({"must": "x", "yes": 1, "mode": 5, "byKey": ["x"]});
    assert_eq!(
        problems(spec),
        [
            "spec.byKey[0]: Invalid value: \"string\": spec.byKey[0] in body must be of type object: \"string\"",
            "spec.mode: Invalid value: \"integer\": spec.mode in body must be of type string: \"integer\"",
            "spec.mode: Unsupported value: 5: supported values: \"native\", \"standalone\"",
            "spec.yes: Invalid value: \"integer\": spec.yes in body must be of type boolean: \"integer\"",
            "spec.byKey[0]: Invalid value: \"x\": must be an object for an array of list-type map",
        ]
    );
    let missing = probe().validate(&json!({}));
    assert_eq!(missing.iter().map(ToString::to_string).collect::<Vec<_>>(), ["spec: Required value"]);
}

#[test]
fn right_values_have_no_problem() {
    for spec in [
        json!({"whole": 1.0, "small": 2.0, "part": 1, "plain": 1, "long": i64::MIN}),
        json!({"text": "éééé", "maybe": null, "mode": "native", "port": 5}),
        json!({"port": "50%", "time": "2024-01-01T00:00:00Z"}),
        json!({"time": "2024-01-01T00:00:00.123+02:00", "free": {"a": null}}),
        json!({"byKey": [{"type": "a"}, {"type": "b"}], "open": 2}),
    ] {
        assert_eq!(problems(spec.clone()), [""; 0], "{spec}");
    }
}

#[test]
fn pruning_drops_what_is_unknown_and_tells_where() {
    for (spec, expected, paths) in [
        (json!({"object": {"a": "1", "zz": 1}}), json!({"object": {"a": "1"}}), vec!["spec.object.zz"]),
        (json!({"new": {"a": 1}}), json!({}), vec!["spec.new"]),
        (
            json!({"yes": {"q": 1}, "list": [{"a": 1}]}),
            json!({"yes": {}, "list": [{}]}),
            vec!["spec.list[0].a", "spec.yes.q"],
        ),
        (
            json!({"free": {"any": {"b": 1}, "known": {"y": 1}}}),
            json!({"free": {"any": {"b": 1}, "known": {}}}),
            vec!["spec.free.known.y"],
        ),
        (json!({"map": {"a": "1"}}), json!({"map": {"a": "1"}}), vec![]),
        (
            json!({"embedded": {"metadata": {"x": 1}, "y": 2}}),
            json!({"embedded": {"metadata": {"x": 1}, "y": 2}}),
            vec![],
        ),
    ] {
        let mut object = json!({"apiVersion": "a/v1", "kind": "A", "metadata": {"name": "n"}, "spec": spec});
        assert_eq!(probe().prune(&mut object), paths);
        assert_eq!(object, json!({"apiVersion": "a/v1", "kind": "A", "metadata": {"name": "n"}, "spec": expected}));
    }
    let mut object = json!({"metadata": {}, "more": 1});
    assert_eq!(probe().prune(&mut object), ["more"]);
    assert_eq!(object, json!({"metadata": {}}));
}

#[test]
fn defaults_fill_what_is_absent_and_nulls_go() {
    let filled = json!({"a": "1", "b": 7});
    for (spec, expected) in [
        (json!({}), json!({"filled": filled})),
        (json!({"filled": null}), json!({"filled": filled})),
        (json!({"filled": {}}), json!({"filled": {"b": 7}})),
        (json!({"filled": {"b": 1}, "text": null}), json!({"filled": {"b": 1}})),
        (json!({"filled": {"b": null}, "maybe": null}), json!({"filled": {"b": 7}, "maybe": null})),
        (json!({"map": {"a": null}}), json!({"map": {}, "filled": filled})),
        (json!({"free": {"a": null}}), json!({"free": {"a": null}, "filled": filled})),
        (json!({"list": [null]}), json!({"list": [null], "filled": filled})),
    ] {
        let mut object = json!({"spec": spec});
        probe().fill_defaults(&mut object);
        assert_eq!(object, json!({"spec": expected}));
    }
}

#[test]
fn a_schema_tells_its_list_and_map_types() {
    let probe = probe();
    let spec = probe.property("spec").unwrap();
    let field = |name: &str| spec.property(name).unwrap();
    assert_eq!(*field("list").list_type(), ListType::Atomic);
    assert_eq!(*field("set").list_type(), ListType::Set);
    assert_eq!(*field("byKey").list_type(), ListType::Map(vec!["type".to_owned()]));
    assert_eq!(field("object").map_type(), MapType::Atomic);
    assert_eq!(field("map").map_type(), MapType::Granular);
    assert!(field("map").property("anything").is_some());
    assert!(field("object").property("anything").is_none());
    assert!(field("byKey").items().unwrap().property("note").is_some());
    assert!(field("free").preserves_unknown_fields());
    assert_eq!(field("filled").default(), Some(&json!({"a": "1"})));
}

#[test]
fn a_schema_that_cannot_be_checked_exactly_is_refused() {
    for (schema, expected) in [
        (json!({"type": "text"}), "schema of the root: `\"text\"` is not a type"),
        (
            json!({"type": "object", "properties": {"a": {"pattern": "a+"}}}),
            "schema of `a`: `pattern` is not supported",
        ),
        (json!({"type": "array", "items": {"oneOf": []}}), "schema of `[]`: `oneOf` is not supported"),
        (json!({"nullable": 1}), "schema of the root: `nullable` must be true or false"),
        (
            json!({"type": "array", "x-kubernetes-list-type": "map"}),
            "schema of the root: a list of type `map` needs `x-kubernetes-list-map-keys`",
        ),
        (json!([]), "schema of the root: the schema must be an object"),
    ] {
        assert_eq!(Schema::compile(&schema).unwrap_err().to_string(), expected);
    }
}
