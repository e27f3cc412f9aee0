//! Bodies that `kubectl` 1.32 sent, bodies made by hand, and bodies that are broken in every way.

use super::*;

const CONFIG_MAP: &str = "\
    6b3873000a0f0a0276311209436f6e6669674d617012350a180a0873657474696e677312001a0022002a0032003800420012\
    0c0a046d6f64651204666173741a0b0a04626c6f62120300ff101a002200";
const SECRET: &str = "\
    6b3873000a0c0a027631120653656372657412260a150a056c6f67696e12001a0022002a00320038004200120b0a04757365\
    7212036164611a001a002200";
const NAMESPACE: &str = "\
    6b3873000a0f0a02763112094e616d657370616365121b0a130a036c616212001a0022002a0032003800420012001a020a00\
    1a002200";
const SERVICE_ACCOUNT: &str = "\
    6b3873000a140a027631120e536572766963654163636f756e7412180a160a0672756e6e657212001a0022002a0032003800\
    42001a002200";
const ROLE: &str = "\
    6b3873000a240a1c726261632e617574686f72697a6174696f6e2e6b38732e696f2f76311204526f6c6512360a160a067265\
    6164657212001a0022002a00320038004200121c0a036765740a046c69737412001a0a636f6e6669676d6170732201611a00\
    2200";
const CLUSTER_ROLE: &str = "\
    6b3873000a2b0a1c726261632e617574686f72697a6174696f6e2e6b38732e696f2f7631120b436c7573746572526f6c6512\
    260a130a0373707912001a0022002a00320038004200120f0a036765742a082f6d6574726963731a002200";
const ROLE_BINDING: &str = "\
    6b3873000a2b0a1c726261632e617574686f72697a6174696f6e2e6b38732e696f2f7631120b526f6c6542696e64696e6712\
    8e010a110a017212001a0022002a0032003800420012280a04557365721219726261632e617574686f72697a6174696f6e2e\
    6b38732e696f1a036164612200121f0a0e536572766963654163636f756e7412001a0672756e6e657222036c61621a2e0a19\
    726261632e617574686f72697a6174696f6e2e6b38732e696f120b436c7573746572526f6c651a04656469741a002200";
const CLUSTER_ROLE_BINDING: &str = "\
    6b3873000a320a1c726261632e617574686f72697a6174696f6e2e6b38732e696f2f76311212436c7573746572526f6c6542\
    696e64696e67126f0a120a02637212001a0022002a0032003800420012290a0547726f75701219726261632e617574686f72\
    697a6174696f6e2e6b38732e696f1a036f707322001a2e0a19726261632e617574686f72697a6174696f6e2e6b38732e696f\
    120b436c7573746572526f6c651a04656469741a002200";
const TOKEN: &str = "\
    6b3873000a280a1861757468656e7469636174696f6e2e6b38732e696f2f7631120c546f6b656e5265717565737412350a10\
    0a0012001a0022002a00320038004200121b1a160a06536563726574120276311a056c6f67696e22013720901c1a040a0012\
    001a002200";
const CAN_I: &str = "\
    6b3873000a320a17617574686f72697a6174696f6e2e6b38732e696f2f7631121753656c665375626a656374416363657373\
    52657669657712430a100a0012001a0022002a0032003800420012250a230a0764656661756c7412046c6973741a0022002a\
    0a636f6e6669676d61707332003a001a08080012001a0020001a002200";
const CAN_I_PATH: &str = "\
    6b3873000a320a17617574686f72697a6174696f6e2e6b38732e696f2f7631121753656c665375626a656374416363657373\
    526576696577122f0a100a0012001a0022002a003200380042001211120f0a082f6d65747269637312036765741a08080012\
    001a0020001a002200";
const RULES: &str = "\
    6b3873000a310a17617574686f72697a6174696f6e2e6b38732e696f2f7631121653656c665375626a65637452756c657352\
    657669657712230a100a0012001a0022002a0032003800420012090a0764656661756c741a04180022001a002200";
const WHOAMI: &str = "\
    6b3873000a2d0a1861757468656e7469636174696f6e2e6b38732e696f2f7631121153656c665375626a6563745265766965\
    77121a0a100a0012001a0022002a0032003800420012060a040a0012001a002200";

/// All of them.
const RECORDED: [&str; 13] = [
    CONFIG_MAP,
    SECRET,
    NAMESPACE,
    SERVICE_ACCOUNT,
    ROLE,
    CLUSTER_ROLE,
    ROLE_BINDING,
    CLUSTER_ROLE_BINDING,
    TOKEN,
    CAN_I,
    CAN_I_PATH,
    RULES,
    WHOAMI,
];

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// One field that is a run of bytes.
fn run(number: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    assert!(number < 16 && length < 1 << 14);
    let mut made = vec![(number << 3) | 2, (length & 0x7f) as u8 | 0x80, (length >> 7) as u8];
    made.extend_from_slice(content);
    made
}

/// One field that is a small number.
fn small(number: u8, value: u8) -> Vec<u8> {
    assert!(number < 16 && value < 128);
    vec![number << 3, value]
}

/// A moment: 2026-01-02T03:04:05Z and some nanoseconds.
fn moment_of(nanosecond: &[u8]) -> Vec<u8> {
    [&[0x08_u8, 0xa5, 0xeb, 0xdc, 0xca, 0x06][..], nanosecond].concat()
}

fn body(version: &str, kind: &str, fields: &[Vec<u8>]) -> Vec<u8> {
    let meta = [run(1, version.as_bytes()), run(2, kind.as_bytes())].concat();
    [MAGIC.to_vec(), run(1, &meta), run(2, &fields.concat())].concat()
}

#[test]
fn objects_that_kubectl_creates_become_their_json_form() {
    let rows = [
        (
            CONFIG_MAP,
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"},
                "data": {"mode": "fast"}, "binaryData": {"blob": "AP8Q"}}),
        ),
        (
            SECRET,
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, "data": {"user": "YWRh"}}),
        ),
        (
            NAMESPACE,
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "lab"}, "spec": {}, "status": {}}),
        ),
        (SERVICE_ACCOUNT, json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "runner"}})),
    ];
    for (sent, expected) in rows {
        assert_eq!(decode(&bytes(sent)), Ok(expected), "{sent}");
    }
}

#[test]
fn roles_and_bindings_that_kubectl_creates_become_their_json_form() {
    let group = "rbac.authorization.k8s.io";
    let version = "rbac.authorization.k8s.io/v1";
    let edit = json!({"apiGroup": group, "kind": "ClusterRole", "name": "edit"});
    let read =
        json!({"verbs": ["get", "list"], "apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["a"]});
    let rows = [
        (ROLE, json!({"apiVersion": version, "kind": "Role", "metadata": {"name": "reader"}, "rules": [read]})),
        (
            CLUSTER_ROLE,
            json!({"apiVersion": version, "kind": "ClusterRole", "metadata": {"name": "spy"},
                "rules": [{"verbs": ["get"], "nonResourceURLs": ["/metrics"]}]}),
        ),
        (
            ROLE_BINDING,
            json!({"apiVersion": version, "kind": "RoleBinding", "metadata": {"name": "r"}, "roleRef": edit,
                "subjects": [{"kind": "User", "apiGroup": group, "name": "ada"},
                    {"kind": "ServiceAccount", "name": "runner", "namespace": "lab"}]}),
        ),
        (
            CLUSTER_ROLE_BINDING,
            json!({"apiVersion": version, "kind": "ClusterRoleBinding", "metadata": {"name": "cr"}, "roleRef": edit,
                "subjects": [{"kind": "Group", "apiGroup": group, "name": "ops"}]}),
        ),
    ];
    for (sent, expected) in rows {
        assert_eq!(decode(&bytes(sent)), Ok(expected), "{sent}");
    }
}

#[test]
fn questions_that_kubectl_asks_become_their_json_form() {
    let (who, may) = ("authentication.k8s.io/v1", "authorization.k8s.io/v1");
    let resource = json!({"namespace": "default", "verb": "list", "resource": "configmaps"});
    let bound = json!({"kind": "Secret", "apiVersion": "v1", "name": "login", "uid": "7"});
    let rows = [
        (
            TOKEN,
            json!({"apiVersion": who, "kind": "TokenRequest", "metadata": {}, "status": {"token": ""},
                "spec": {"expirationSeconds": 3600, "boundObjectRef": bound}}),
        ),
        (
            CAN_I,
            json!({"apiVersion": may, "kind": "SelfSubjectAccessReview", "metadata": {},
                "spec": {"resourceAttributes": resource}, "status": {"allowed": false}}),
        ),
        (
            CAN_I_PATH,
            json!({"apiVersion": may, "kind": "SelfSubjectAccessReview", "metadata": {},
                "spec": {"nonResourceAttributes": {"path": "/metrics", "verb": "get"}}, "status": {"allowed": false}}),
        ),
        (
            RULES,
            json!({"apiVersion": may, "kind": "SelfSubjectRulesReview", "metadata": {},
                "spec": {"namespace": "default"}, "status": {"incomplete": false}}),
        ),
        (WHOAMI, json!({"apiVersion": who, "kind": "SelfSubjectReview", "metadata": {}, "status": {"userInfo": {}}})),
    ];
    for (sent, expected) in rows {
        assert_eq!(decode(&bytes(sent)), Ok(expected), "{sent}");
    }
}

#[test]
fn metadata_is_read_in_full() {
    let owner = [run(1, b"Job"), run(3, b"j"), run(4, b"u"), run(5, b"batch/v1"), small(6, 1), small(7, 0)].concat();
    let label = [run(1, b"app"), run(2, b"x")].concat();
    let bare = run(1, b"bare");
    let managed = [run(1, b"me"), run(4, &moment_of(&[0x10, 0x05])), run(7, &run(1, br#"{"f:data":{}}"#))].concat();
    // The number 17 takes two bytes.
    let managed = [&[0x8a, 0x01, managed.len() as u8][..], managed.as_slice()].concat();
    let meta = [run(1, b"c"), small(7, 3), run(8, &moment_of(&[])), run(9, b""), small(10, 0), run(11, &label)];
    let more = [run(11, &bare), run(13, &owner), run(14, b"a"), run(14, b"b"), managed];
    let read = decode(&body("v1", "ConfigMap", &[run(1, &[meta.concat(), more.concat()].concat())])).unwrap();
    let moment = "2026-01-02T03:04:05Z";
    let expected = json!({"name": "c", "generation": 3, "creationTimestamp": moment, "deletionGracePeriodSeconds": 0,
        "labels": {"app": "x", "bare": ""}, "finalizers": ["a", "b"],
        "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "u", "controller": true,
            "blockOwnerDeletion": false}],
        "managedFields": [{"manager": "me", "time": moment, "fieldsV1": {"f:data": {}}}]});
    assert_eq!(read["metadata"], expected);
}

#[test]
fn leases_events_and_options_are_read() {
    let lease = [run(1, b"me"), small(2, 15), run(4, &moment_of(&[0x10, 0xc0, 0x84, 0x3d])), small(5, 0)].concat();
    let read = decode(&body("coordination.k8s.io/v1", "Lease", &[run(2, &lease)])).unwrap();
    let renewed = "2026-01-02T03:04:05.001000Z";
    let expected =
        json!({"holderIdentity": "me", "leaseDurationSeconds": 15, "renewTime": renewed, "leaseTransitions": 0});
    assert_eq!(read["spec"], expected);

    let event = [run(3, b"Started"), run(6, &moment_of(&[])), small(8, 2), run(10, b""), run(14, b"")];
    let read = decode(&body("v1", "Event", &event)).unwrap();
    let expected = json!({"apiVersion": "v1", "kind": "Event", "reason": "Started", "count": 2,
        "firstTimestamp": "2026-01-02T03:04:05Z", "reportingComponent": ""});
    assert_eq!(read, expected);

    let extra = [run(1, b"scopes"), run(2, &[run(1, b"a"), run(1, b"b")].concat())].concat();
    let review = [run(3, b"ada"), run(4, b"ops"), run(5, &extra)].concat();
    let read = decode(&body("authorization.k8s.io/v1", "SubjectAccessReview", &[run(2, &review)])).unwrap();
    assert_eq!(read["spec"], json!({"user": "ada", "groups": ["ops"], "extra": {"scopes": ["a", "b"]}}));

    let options = [small(1, 0), run(2, &run(1, b"u")), run(4, b"Foreground"), run(5, b"All")];
    let read = decode(&body("rbac.authorization.k8s.io/v1", "DeleteOptions", &options)).unwrap();
    let expected = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "DeleteOptions",
        "gracePeriodSeconds": 0, "preconditions": {"uid": "u"}, "propagationPolicy": "Foreground", "dryRun": ["All"]});
    assert_eq!(read, expected);
}

#[test]
fn of_a_field_that_comes_twice_the_last_counts_and_messages_are_put_together() {
    let parts = [run(1, &[run(1, b"a"), run(3, b"n")].concat()), run(1, &run(1, b"b")), run(15, b"unknown")];
    let read = decode(&body("v1", "ConfigMap", &parts)).unwrap();
    assert_eq!(read["metadata"], json!({"name": "b", "namespace": "n"}));
}

#[test]
fn kinds_that_are_not_known_are_told_apart_from_bodies_that_are_broken() {
    let unknown = |version: &str, kind: &str| decode(&body(version, kind, &[])).unwrap_err();
    assert_eq!(unknown("v1", "Pod"), Fault::UnknownKind("v1, Kind=Pod".to_owned()));
    assert_eq!(unknown("v2", "ConfigMap"), Fault::UnknownKind("v2, Kind=ConfigMap".to_owned()));
    let rows = [
        (Vec::new(), "empty data"),
        (b"{}".to_vec(), "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"),
        (MAGIC.to_vec(), "Object 'Kind' is missing in protobuf body"),
        (body("v1", "ConfigMap", &[small(1, 1)]), "wrong wire type for field `metadata`"),
        (body("v1", "ConfigMap", &[run(2, &run(2, &[0xff]))]), "field `data` is not UTF-8"),
        (body("v1", "ConfigMap", &[vec![0x0a, 0x05]]), "unexpected EOF"),
        (
            [body("v1", "ConfigMap", &[]), run(3, b"gzip")].concat(),
            "a content encoding inside of a protobuf body is not supported",
        ),
    ];
    for (sent, expected) in rows {
        assert_eq!(decode(&sent), Err(Fault::Malformed(expected.to_owned())), "{sent:x?}");
    }
}

#[test]
fn moments_that_no_calendar_has_are_refused() {
    let far = [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    let meta = run(1, &run(8, &far));
    assert!(matches!(decode(&body("v1", "ConfigMap", &[meta])), Err(Fault::Malformed(_))));
}

#[test]
fn every_beginning_of_a_body_is_an_error_or_a_value() {
    for sent in RECORDED.map(bytes) {
        for end in 0..sent.len() {
            if let Ok(value) = decode(&sent[..end]) {
                assert!(value.is_object());
            }
        }
        assert!(decode(&sent).is_ok());
    }
}

#[test]
fn mutated_bodies_are_an_error_or_a_value() {
    let bodies = RECORDED.map(bytes);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let mut refused = 0;
    for round in 0..10_000 {
        let mut sent = bodies[round % bodies.len()].clone();
        for _ in 0..=next(4) {
            let at = next(sent.len());
            match next(4) {
                0 => sent[at] = next(256) as u8,
                1 => sent[at] ^= 1_u8 << next(8),
                2 => sent.insert(at, [0xff, 0x80, 0x0b, 0x00][next(4)]),
                _ => {
                    sent.remove(at);
                }
            }
        }
        refused += usize::from(decode(&sent).is_err());
    }
    assert!((1_000..10_000).contains(&refused), "{refused}");
}
