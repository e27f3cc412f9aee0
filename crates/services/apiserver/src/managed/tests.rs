//! Stories of an object and its managers; the entries are those that a Kubernetes API server (1.36) wrote for them.

use serde_json::{Value, json};

use super::*;

const VERSION: &str = "a3.example.com/v1";

fn schema() -> Schema {
    let text = json!({"type": "string"});
    let pair = json!({"type": "object", "properties": {"a": text, "b": text}});
    let env = json!({"type": "object", "required": ["name"], "properties": {"name": text, "value": text}});
    Schema::compile(&json!({"type": "object", "properties": {
        "apiVersion": text, "kind": text, "metadata": {"type": "object"},
        "spec": {"type": "object", "properties": {
            "image": text,
            "replicas": {"type": "integer"},
            "env": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                    "items": env},
            "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": text},
            "args": {"type": "array", "items": text},
            "config": {"type": "object", "additionalProperties": text},
            "parts": {"type": "object", "additionalProperties": pair},
            "pod": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "box": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"a": text, "b": text}},
        }},
        "status": {"type": "object", "properties": {"state": text, "count": {"type": "integer"}}},
    }}))
    .unwrap()
}

/// An object that managers write one after the other, a second apart.
struct Story {
    schema: Schema,
    object: Option<Value>,
    second: u32,
}

impl Story {
    fn new() -> Self {
        Self { schema: schema(), object: None, second: 0 }
    }

    fn time(&mut self) -> String {
        self.second += 1;
        format!("2026-01-01T00:00:{:02}Z", self.second)
    }

    /// Updates the object, or creates it, through a subresource, or none.
    fn update(&mut self, name: &str, subresource: &str, change: impl FnOnce(&mut Value)) {
        let time = self.time();
        let mut new = self.object.clone().unwrap_or_else(|| thing(json!({})));
        change(&mut new);
        let manager = Manager { name, operation: Operation::Update, subresource, api_version: VERSION, time: &time };
        track_update(self.object.as_ref(), &mut new, &manager, &self.schema);
        self.object = Some(new);
    }

    fn try_apply(&mut self, name: &str, subresource: &str, applied: &Value, force: Force) -> Answer<Value> {
        let time = self.time();
        let manager = Manager { name, operation: Operation::Apply, subresource, api_version: VERSION, time: &time };
        apply(self.object.as_ref(), applied, &manager, force, &self.schema)
    }

    fn apply(&mut self, name: &str, spec: Value) {
        self.apply_whole(name, "", &thing(spec), Force::No);
    }

    fn apply_whole(&mut self, name: &str, subresource: &str, applied: &Value, force: Force) {
        let object = self.try_apply(name, subresource, applied, force).unwrap();
        self.object = Some(object);
    }

    fn object(&self) -> &Value {
        self.object.as_ref().unwrap()
    }

    fn expect_spec(&self, expected: &Value) {
        assert_eq!(&self.object()["spec"], expected);
    }

    /// Each entry is `manager operation[/subresource] seconds fields`.
    fn expect(&self, expected: &[&str]) {
        let text = |entry: &Value, field: &str| entry[field].as_str().unwrap_or("-").to_owned();
        let entries = self.object()["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
        let shown: Vec<String> = entries
            .iter()
            .map(|entry| {
                let subresource = entry.get("subresource").map(|name| format!("/{}", name.as_str().unwrap()));
                let time = text(entry, "time").replace("2026-01-01T00:00:", "").replace('Z', "");
                let operation = text(entry, "operation") + &subresource.unwrap_or_default();
                format!("{} {operation} {time} {}", text(entry, "manager"), entry["fieldsV1"])
            })
            .collect();
        assert_eq!(shown, expected);
    }
}

fn thing(spec: Value) -> Value {
    json!({"apiVersion": VERSION, "kind": "Thing", "metadata": {"name": "s", "namespace": "ns"}, "spec": spec})
}

fn full_spec() -> Value {
    json!({
        "image": "a", "replicas": 1, "env": [{"name": "x", "value": "1"}], "tags": ["t", "s"], "args": ["q"],
        "config": {"k": "v"}, "parts": {"p": {"a": "1"}}, "pod": {"c": {"d": [1, {"e": 2}]}, "n": 3},
        "box": {"a": "1"},
    })
}

fn created_by_update() -> Story {
    let mut story = Story::new();
    story.update("maker", "", |new| {
        new["metadata"]["labels"] = json!({"l": "1"});
        new["metadata"]["annotations"] = json!({"an": "1"});
        new["metadata"]["finalizers"] = json!(["a3/f"]);
        new["metadata"]["uid"] = json!("u");
        new["spec"] = full_spec();
    });
    story
}

const MADE: &str = concat!(
    r#"maker Update 01 {"f:metadata":{"f:annotations":{".":{},"f:an":{}},"f:finalizers":{".":{},"v:\"a3/f\"":{}},"#,
    r#""f:labels":{".":{},"f:l":{}}},"f:spec":{".":{},"f:args":{},"f:box":{},"f:config":{".":{},"f:k":{}},"#,
    r#""f:env":{".":{},"k:{\"name\":\"x\"}":{".":{},"f:name":{},"f:value":{}}},"f:image":{},"#,
    r#""f:parts":{".":{},"f:p":{".":{},"f:a":{}}},"f:pod":{".":{},"f:c":{".":{},"f:d":{}},"f:n":{}},"#,
    r#""f:replicas":{},"f:tags":{".":{},"v:\"s\"":{},"v:\"t\"":{}}}}"#
);

#[test]
fn a_create_owns_every_field() {
    created_by_update().expect(&[MADE]);
}

#[test]
fn an_update_that_changes_nothing_leaves_the_object_as_it_was() {
    let mut story = created_by_update();
    let before = story.object().to_string();
    story.update("edit", "", |_| {});
    assert_eq!(story.object().to_string(), before);
}

#[test]
fn an_update_takes_what_it_changes_and_removes() {
    let mut story = created_by_update();
    story.update("edit", "", |new| {
        new["spec"]["image"] = json!("b");
        new["spec"]["env"] = json!([{"name": "x", "value": "1"}, {"name": "y"}]);
        new["spec"]["tags"] = json!(["t", "s", "r"]);
        new["spec"]["args"] = json!(["q", "z"]);
    });
    let maker = MADE.replace(r#""f:args":{},"#, "").replace(r#""f:image":{},"#, "");
    let edit = concat!(
        r#"edit Update 02 {"f:spec":{"f:args":{},"f:env":{"k:{\"name\":\"y\"}":{".":{},"f:name":{}}},"f:image":{},"#,
        r#""f:tags":{"v:\"r\"":{}}}}"#
    );
    story.expect(&[&maker, edit]);

    story.update("edit", "", |new| {
        new["metadata"].as_object_mut().unwrap().shift_remove("finalizers");
        new["spec"].as_object_mut().unwrap().shift_remove("config");
        new["spec"]["env"] = json!([{"name": "y"}]);
        new["spec"]["pod"]["n"] = json!({"x": 1});
    });
    story.expect(&[
        concat!(
            r#"maker Update 01 {"f:metadata":{"f:annotations":{".":{},"f:an":{}},"f:labels":{".":{},"f:l":{}}},"#,
            r#""f:spec":{".":{},"f:box":{},"f:env":{},"f:parts":{".":{},"f:p":{".":{},"f:a":{}}},"#,
            r#""f:pod":{".":{},"f:c":{".":{},"f:d":{}}},"f:replicas":{},"#,
            r#""f:tags":{".":{},"v:\"s\"":{},"v:\"t\"":{}}}}"#
        ),
        concat!(
            r#"edit Update 03 {"f:spec":{"f:args":{},"f:env":{"k:{\"name\":\"y\"}":{".":{},"f:name":{}}},"#,
            r#""f:image":{},"f:pod":{"f:n":{".":{},"f:x":{}}},"f:tags":{"v:\"r\"":{}}}}"#
        ),
    ]);
}

#[test]
fn the_status_has_entries_of_its_own() {
    let mut story = created_by_update();
    story.update("op", "status", |new| {
        new["status"] = json!({"state": "RUN", "count": 1});
        new["spec"]["image"] = json!("ignored");
    });
    story.expect(&[MADE, r#"op Update/status 02 {"f:status":{".":{},"f:count":{},"f:state":{}}}"#]);
    story.update("edit", "", |new| new["status"]["state"] = json!("ignored"));
    story.expect(&[MADE, r#"op Update/status 02 {"f:status":{".":{},"f:count":{},"f:state":{}}}"#]);
}

#[test]
fn forgotten_managers_stay_forgotten_until_somebody_applies() {
    for reset in [json!([]), json!([{}])] {
        let mut story = Story::new();
        story.update("maker", "", |new| new["spec"]["image"] = json!("a"));
        story.update("edit", "", |new| new["metadata"]["managedFields"] = reset);
        story.expect(&[]);
        story.update("edit", "", |new| new["spec"]["image"] = json!("c"));
        story.expect(&[]);
        story.apply("applier", json!({"image": "c", "replicas": 1}));
        story.expect(&[
            r#"applier Apply 04 {"f:spec":{"f:image":{},"f:replicas":{}}}"#,
            r#"before-first-apply Update 04 {"f:spec":{".":{},"f:image":{}}}"#,
        ]);
        let status = story.try_apply("applier", "", &thing(json!({"image": "d"})), Force::No).unwrap_err();
        let text = "Apply failed with 1 conflict: conflict with \"before-first-apply\" using a3.example.com/v1: \
                    .spec.image";
        assert_eq!((status.code, status.message.as_str()), (409, text));
    }
}

#[test]
fn entries_that_an_update_brings_replace_those_that_are_there() {
    let mut story = Story::new();
    story.update("maker", "", |new| new["spec"] = json!({"image": "a"}));
    let given = json!([{
        "apiVersion": VERSION, "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:image": {}}},
        "manager": "kubectl", "operation": "Apply", "time": "2026-01-01T00:00:00Z",
    }]);
    story.update("edit", "", |new| new["metadata"]["managedFields"] = given);
    story.expect(&[r#"kubectl Apply 00 {"f:spec":{"f:image":{}}}"#]);
    story.update("edit", "", |new| new["metadata"]["managedFields"] = json!([{"operation": "Guess"}]));
    story.expect(&[r#"kubectl Apply 00 {"f:spec":{"f:image":{}}}"#]);
}

#[test]
fn more_than_ten_updaters_are_put_together_oldest_first() {
    let mut story = Story::new();
    for number in 0..12 {
        story.update(&format!("m{number:02}"), "", |new| new["spec"]["pod"][format!("f{number:02}")] = json!(1));
    }
    let entries = story.object()["metadata"]["managedFields"].as_array().unwrap();
    assert_eq!(entries.len(), 10);
    let ancient = r#"{"f:spec":{".":{},"f:pod":{".":{},"f:f00":{},"f:f01":{},"f:f02":{}}}}"#;
    assert_eq!(entries[0]["manager"], "ancient-changes");
    assert_eq!(entries[0]["fieldsV1"].to_string(), ancient);
    assert_eq!(entries[0]["time"], "2026-01-01T00:00:03Z");
}

/// Applied once by `one`, with all kinds of fields.
fn created_by_apply() -> Story {
    let mut story = Story::new();
    let mut applied = thing(full_spec());
    applied["metadata"]["labels"] = json!({"l": "1"});
    applied["spec"]["env"] = json!([{"name": "x", "value": "1"}, {"name": "y", "value": "2"}]);
    story.apply_whole("one", "", &applied, Force::No);
    story
}

const APPLIED: &str = concat!(
    r#"one Apply 01 {"f:metadata":{"f:labels":{"f:l":{}}},"f:spec":{"f:args":{},"f:box":{},"f:config":{"f:k":{}},"#,
    r#""f:env":{"k:{\"name\":\"x\"}":{".":{},"f:name":{},"f:value":{}},"#,
    r#""k:{\"name\":\"y\"}":{".":{},"f:name":{},"f:value":{}}},"f:image":{},"f:parts":{"f:p":{".":{},"f:a":{}}},"#,
    r#""f:pod":{"f:c":{".":{},"f:d":{}},"f:n":{}},"f:replicas":{},"f:tags":{"v:\"s\"":{},"v:\"t\"":{}}}}"#
);

#[test]
fn an_apply_owns_what_it_names() {
    created_by_apply().expect(&[APPLIED]);
}

#[test]
fn an_apply_of_the_same_keeps_the_time() {
    let mut story = Story::new();
    story.apply("one", json!({"image": "a", "config": {"k": "v"}}));
    let before = story.object().clone();
    story.apply("one", json!({"image": "a", "config": {"k": "v"}}));
    assert_eq!(*story.object(), before);
    story.expect(&[r#"one Apply 01 {"f:spec":{"f:config":{"f:k":{}},"f:image":{}}}"#]);
}

#[test]
fn two_managers_may_apply_the_same_value() {
    let mut story = created_by_apply();
    story.apply("two", json!({"image": "a"}));
    story.expect(&[r#"two Apply - {"f:spec":{"f:image":{}}}"#, APPLIED]);
}

#[test]
fn fields_of_others_are_conflicts() {
    let mut story = created_by_apply();
    story.apply("two", json!({"image": "a"}));
    let cases = [
        (json!({"replicas": 2}), "Apply failed with 1 conflict: conflict with \"one\": .spec.replicas"),
        (
            json!({"image": "b"}),
            "Apply failed with 2 conflicts: conflicts with \"one\":\n- .spec.image\nconflicts with \"two\":\n\
             - .spec.image",
        ),
        (
            json!({
                "image": "b", "replicas": 2, "env": [{"name": "x", "value": "3"}], "args": ["r"], "box": {"b": "1"},
                "tags": ["z"], "config": {"k": "w"},
            }),
            "Apply failed with 7 conflicts: conflicts with \"one\":\n- .spec.args\n- .spec.box\n- .spec.image\n\
             - .spec.replicas\n- .spec.config.k\n- .spec.env[name=\"x\"].value\nconflicts with \"two\":\n\
             - .spec.image",
        ),
    ];
    for (spec, expected) in cases {
        let status = story.try_apply("three", "", &thing(spec), Force::No).unwrap_err();
        assert_eq!((status.code, status.reason, status.message.as_str()), (409, "Conflict", expected));
    }
    let status = story.try_apply("three", "", &thing(json!({"replicas": 2})), Force::No).unwrap_err();
    let cause =
        json!({"reason": "FieldManagerConflict", "message": "conflict with \"one\"", "field": ".spec.replicas"});
    assert_eq!(status.details, Some(json!({"causes": [cause]})));
}

#[test]
fn force_takes_over_and_dropped_fields_go_unless_somebody_else_has_them() {
    let mut story = created_by_apply();
    let wanted = json!({
        "image": "b", "env": [{"name": "z", "value": "3"}, {"name": "x", "value": "3"}], "tags": ["z", "t"],
    });
    story.apply_whole("three", "", &thing(wanted), Force::Yes);
    let one = APPLIED
        .replace(
            r#"k:{\"name\":\"x\"}":{".":{},"f:name":{},"f:value":{}}"#,
            r#"k:{\"name\":\"x\"}":{".":{},"f:name":{}}"#,
        )
        .replace(r#""f:image":{},"#, "");
    let three = concat!(
        r#"three Apply 02 {"f:spec":{"f:env":{"k:{\"name\":\"x\"}":{".":{},"f:name":{},"f:value":{}},"#,
        r#""k:{\"name\":\"z\"}":{".":{},"f:name":{},"f:value":{}}},"f:image":{},"#,
        r#""f:tags":{"v:\"t\"":{},"v:\"z\"":{}}}}"#
    );
    story.expect(&[&one, three]);
    let env = json!([{"name": "z", "value": "3"}, {"name": "x", "value": "3"}, {"name": "y", "value": "2"}]);
    assert_eq!(story.object()["spec"]["env"], env);
    assert_eq!(story.object()["spec"]["tags"], json!(["z", "t", "s"]));

    story.apply("one", json!({"replicas": 1, "env": [{"name": "y", "value": "2"}], "tags": ["t"]}));
    story.expect_spec(&json!({"env": env, "image": "b", "replicas": 1, "tags": ["z", "t"]}));
    assert_eq!(story.object()["metadata"].get("labels"), None);
    let one = concat!(
        r#"one Apply 03 {"f:spec":{"f:env":{"k:{\"name\":\"y\"}":{".":{},"f:name":{},"f:value":{}}},"#,
        r#""f:replicas":{},"f:tags":{"v:\"t\"":{}}}}"#
    );
    story.expect(&[three, one]);

    story.apply("three", json!({"image": "b"}));
    let env = json!([{"name": "y", "value": "2"}]);
    story.expect_spec(&json!({"env": env, "image": "b", "replicas": 1, "tags": ["t"]}));
    story.expect(&[one, r#"three Apply 04 {"f:spec":{"f:image":{}}}"#]);
}

#[test]
fn the_status_is_applied_through_its_subresource_only() {
    let mut story = Story::new();
    story.apply("one", json!({"replicas": 1}));
    let with_status = |state: &str| {
        let mut applied = thing(json!({"replicas": 1}));
        applied["status"] = json!({"state": state});
        applied
    };
    story.apply_whole("op", "status", &with_status("R"), Force::No);
    let op = r#"op Apply/status 02 {"f:status":{"f:state":{}}}"#;
    story.expect(&[r#"one Apply 01 {"f:spec":{"f:replicas":{}}}"#, op]);
    let status = story.try_apply("op3", "status", &with_status("Q"), Force::No).unwrap_err();
    let text = "Apply failed with 1 conflict: conflict with \"op\" with subresource \"status\": .status.state";
    assert_eq!(status.message, text);
    let object = story.try_apply("op2", "", &with_status("Q"), Force::No).unwrap();
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    let op2 = entries.iter().find(|entry| entry["manager"] == "op2").unwrap();
    assert_eq!(op2["fieldsV1"].to_string(), r#"{"f:spec":{"f:replicas":{}}}"#);
}

#[test]
fn what_cannot_be_applied_is_refused_with_the_texts_of_the_api_server() {
    let mut story = created_by_apply();
    let mut with_managers = thing(json!({}));
    with_managers["metadata"]["managedFields"] = json!([{}]);
    let mut of_other_version = thing(json!({}));
    of_other_version["apiVersion"] = json!("a3.example.com/v2");
    let prefix = "failed to create typed patch object (ns/s; a3.example.com/v1, Kind=Thing): ";
    let cases = [
        (with_managers, 400, "metadata.managedFields must be nil".to_owned()),
        (of_other_version, 400, "invalid object type: a3.example.com/v2, Kind=Thing".to_owned()),
        (thing(json!({"foo": 1})), 500, format!("{prefix}.spec.foo: field not declared in schema")),
        (
            thing(json!({"env": [{"name": "a"}, {"name": "a"}]})),
            500,
            format!("{prefix}.spec.env: duplicate entries for key [name=\"a\"]"),
        ),
        (
            thing(json!({"env": [{"value": "a"}]})),
            500,
            format!(
                "{prefix}.spec.env: element 0: associative list with keys has an element that omits all key fields \
                 [\"name\"] (and doesn't have default values for any key fields)"
            ),
        ),
    ];
    for (applied, code, text) in cases {
        let status = story.try_apply("x", "", &applied, Force::Yes).unwrap_err();
        assert_eq!((status.code, status.message), (code, text));
    }
}

#[test]
fn kubectl_takes_over_what_it_applied_client_side() {
    let mut story = Story::new();
    let last = thing(json!({"image": "a"})).to_string();
    story.update("kubectl-client-side-apply", "", |new| {
        new["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": last});
        new["spec"] = json!({"image": "a"});
    });
    let refused = story.try_apply("other", "", &thing(json!({"image": "<b>"})), Force::No);
    assert_eq!(refused.unwrap_err().code, 409);
    story.apply("kubectl", json!({"image": "<b>"}));
    story.expect_spec(&json!({"image": "<b>"}));
    let annotation = &story.object()["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"];
    let expected = concat!(
        r#"{"apiVersion":"a3.example.com/v1","kind":"Thing","metadata":{"name":"s","namespace":"ns"},"#,
        r#""spec":{"image":"\u003cb\u003e"}}"#,
        "\n"
    );
    assert_eq!(annotation, expected);
}
