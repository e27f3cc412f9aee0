//! Addresses of programs that lead where nobody may be sent, and addresses that do not.

#![cfg(test)]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{Context, read};
use super::{deployment, problems, read_alone, session_job, with};

#[test]
fn addresses_that_lead_inside_are_refused_in_every_spelling() {
    for host in [
        "169.254.169.254",
        "[fd00:ec2::254]",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "[::ffff:169.254.169.254]",
        "[::1]",
        "localhost",
        "localhost:8081",
        "metadata.google.internal",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "[fe80::1]:443",
        "%31%32%37.0.0.1",
        "",
    ] {
        let uri = format!("https://{host}/job.jar");
        for base in [deployment(), session_job()] {
            let found = problems(read_alone(&with(&base, "job/jarURI", &json!(uri))));
            let expected = format!("spec.job.jarURI: Invalid value: \"{uri}\": must name a ");
            assert_eq!(found.len(), 1, "for `{uri}`: {found:?}");
            assert!(found[0].starts_with(&expected), "for `{uri}`: {found:?}");
        }
    }
}

#[test]
fn users_and_passwords_in_an_address_are_refused_and_not_shown() {
    for uri in ["https://user:hunter2@example.com/job.jar", "https://hunter2@127.0.0.1/job.jar"] {
        let found = problems(read_alone(&with(&session_job(), "job/jarURI", &json!(uri))));
        assert_eq!(found, ["spec.job.jarURI: Invalid value: must name no user and no password before the host"]);
    }
}

#[test]
fn addresses_of_documented_manifests_are_accepted() {
    for uri in [
        "local:///opt/flink/examples/streaming/StateMachineExample.jar",
        "local:///opt/flink/opt/flink-python-1.20.0.jar",
        "s3://bucket/scripts/job.py",
        "s3a://bucket/job.jar",
        "https://repo1.maven.org/maven2/org/apache/flink/TopSpeedWindowing.jar",
        "https://example.com:8443/job.jar",
        "abfss://container@account.dfs.core.windows.net/job.jar",
        "gs://bucket/job.jar",
        "file:///srv/flights.sql",
    ] {
        assert_eq!(
            problems(read_alone(&with(&deployment(), "job/jarURI", &json!(uri)))),
            Vec::<String>::new(),
            "{uri}"
        );
    }
}

#[test]
fn only_the_operator_opens_schemes_and_hosts() {
    let keys = [
        ("kubernetes.operator.user.artifacts.allowed-schemes", "http;https"),
        ("kubernetes.operator.user.artifacts.disallow-restricted-hosts", "false"),
    ];
    let object = with(&session_job(), "job/jarURI", &json!("http://10.0.0.1/job.jar"));
    let defaults: BTreeMap<String, String> = keys.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let open = Context { previous: None, find: &|_, _| None, defaults: &defaults };
    assert_eq!(problems(read(&object, &open)), Vec::<String>::new());
    let own: serde_json::Map<String, Value> =
        keys.map(|(key, value)| (key.to_owned(), json!(value))).into_iter().collect();
    let own = with(&object, "flinkConfiguration", &Value::Object(own));
    assert_eq!(problems(read_alone(&own)).len(), 1);
}
