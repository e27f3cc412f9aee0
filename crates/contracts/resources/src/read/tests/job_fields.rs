//! Cases of the fields of a job, as a deployment and a session job have them.

#![cfg(test)]

use serde_json::json;

use super::{Case, boundary, invalid, valid};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = program();
    cases.extend(sizes_and_arguments());
    cases.extend(state());
    cases
}

fn program() -> Vec<Case> {
    let longest = format!("s3://b/{}.jar", "a".repeat(2048 - 11));
    let too_long = format!("s3://b/{}.jar", "a".repeat(2048 - 10));
    vec![
        valid("job/jarURI", json!("s3://bucket/flights.sql")),
        valid("job/jarURI", json!("local:///opt/flink/job.py")),
        valid("job/jarURI", json!("https://example.com/a/job.jar?version=5#x")),
        invalid("job/jarURI", json!(5), &["spec.job.jarURI: Invalid value: \"integer\""])
            .also("job/entryClass", json!("a.B")),
        invalid(
            "job/jarURI",
            json!(null),
            &["spec.job.jarURI: Required value: the address of a `.jar`, `.py` or `.sql`"],
        ),
        invalid(
            "job/jarURI",
            json!("job.jar"),
            &["spec.job.jarURI: Invalid value: \"job.jar\": must be a whole address: write `local:///whole/path"],
        ),
        invalid(
            "job/jarURI",
            json!("/srv/job.jar"),
            &["spec.job.jarURI: Invalid value: \"/srv/job.jar\": must be a whole address: write `local:///srv"],
        ),
        invalid(
            "job/jarURI",
            json!("local://orders.sql"),
            &["spec.job.jarURI: Invalid value: \"local://orders.sql\": must have three slashes before a whole path"],
        ),
        invalid(
            "job/jarURI",
            json!("local://~/orders/orders.sql"),
            &["spec.job.jarURI: Invalid value: \"local://~/orders/orders.sql\": must have three slashes before"],
        ),
        invalid(
            "job/jarURI",
            json!("ftp://a.b/c.jar"),
            &["spec.job.jarURI: Invalid value: \"ftp://a.b/c.jar\": must beg"],
        ),
        invalid(
            "job/jarURI",
            json!("file:///etc/shadow"),
            &["spec.job.jarURI: Invalid value: \"file:///etc/shadow\": mu"],
        ),
        boundary("job/jarURI", json!(longest), &[]),
        boundary("job/jarURI", json!(too_long), &["spec.job.jarURI: Invalid value: \"s3://b/aaa"]),
        boundary(
            "job/jarURI",
            json!("local:///.jar"),
            &["spec.job.jarURI: Invalid value: \"local:///.jar\": must end in"],
        ),
    ]
}

fn sizes_and_arguments() -> Vec<Case> {
    vec![
        valid("job/parallelism", json!(4)),
        invalid("job/parallelism", json!(-1), &["spec.job.parallelism: Invalid value: -1: must be from 1 to 32768"]),
        invalid("job/parallelism", json!("4"), &["spec.job.parallelism: Invalid value: \"string\""]),
        invalid("job/parallelism", json!(1e300), &["spec.job.parallelism: Invalid value: "]),
        invalid("job/parallelism", json!(null), &["spec.job.parallelism: Required value: a number from 1 to 32768"]),
        boundary("job/parallelism", json!(1), &[]),
        boundary("job/parallelism", json!(0), &["spec.job.parallelism: Invalid value: 0: must be from 1 to 32768"]),
        boundary("job/parallelism", json!(32768), &[]),
        boundary(
            "job/parallelism",
            json!(32769),
            &["spec.job.parallelism: Invalid value: 32769: must be from 1 to 32768"],
        ),
        valid("job/entryClass", json!("org.example.Job")),
        invalid("job/entryClass", json!(["a"]), &["spec.job.entryClass: Invalid value: \"array\""]),
        boundary("job/entryClass", json!(""), &["spec.job.entryClass: Invalid value: \"\": must be text on one line"]),
        valid("job/args", json!(["--input", "s3a://bucket/in"])),
        invalid("job/args", json!("--input"), &["spec.job.args: Invalid value: \"string\""]),
        boundary("job/args", json!([]), &[]),
        boundary("job/args", json!([1]), &["spec.job.args[0]: Invalid value: \"integer\""]),
    ]
}

fn state() -> Vec<Case> {
    vec![
        valid("job/state", json!("running")),
        valid("job/state", json!("suspended")),
        invalid("job/state", json!("stopped"), &["spec.job.state: Unsupported value: \"stopped\": supported values: "]),
        boundary("job/state", json!("RUNNING"), &["spec.job.state: Unsupported value: \"RUNNING\""]),
        valid("job/upgradeMode", json!("savepoint")),
        valid("job/upgradeMode", json!("last-state")),
        invalid("job/upgradeMode", json!("none"), &["spec.job.upgradeMode: Unsupported value: \"none\""]),
        boundary(
            "job/upgradeMode",
            json!("last-state"),
            &["spec.job.upgradeMode: Invalid value: \"last-state\": needs a "],
        )
        .also("flinkConfiguration", json!({})),
        boundary("job/upgradeMode", json!("stateless"), &[]).also("flinkConfiguration", json!({})),
        valid("job/initialSavepointPath", json!("s3://bucket/savepoint-1")),
        invalid("job/initialSavepointPath", json!(1), &["spec.job.initialSavepointPath: Invalid value: \"integer\""]),
        boundary(
            "job/initialSavepointPath",
            json!(" "),
            &["spec.job.initialSavepointPath: Invalid value: \" \": must"],
        ),
        valid("job/allowNonRestoredState", json!(true)),
        invalid(
            "job/allowNonRestoredState",
            json!("yes"),
            &["spec.job.allowNonRestoredState: Invalid value: \"string\""],
        ),
        boundary("job/allowNonRestoredState", json!(null), &[]),
        valid("job/savepointTriggerNonce", json!(1)),
        invalid(
            "job/savepointTriggerNonce",
            json!("1"),
            &["spec.job.savepointTriggerNonce: Invalid value: \"string\""],
        ),
        boundary(
            "job/savepointTriggerNonce",
            json!(0),
            &["spec.job.savepointTriggerNonce: Invalid value: 0: needs a directory for savepoints"],
        )
        .also("flinkConfiguration", json!({})),
        valid("job/savepointRedeployNonce", json!(1)).also("job/initialSavepointPath", json!("s3://b/s")),
        invalid(
            "job/savepointRedeployNonce",
            json!(1.5),
            &["spec.job.savepointRedeployNonce: Invalid value: \"float64\""],
        ),
        boundary("job/savepointRedeployNonce", json!(i64::MAX), &[]),
        valid("job/checkpointTriggerNonce", json!(1)),
        invalid(
            "job/checkpointTriggerNonce",
            json!(true),
            &["spec.job.checkpointTriggerNonce: Invalid value: \"boolean\""],
        ),
        boundary("job/checkpointTriggerNonce", json!(i64::MIN), &[]),
        valid("job/autoscalerResetNonce", json!(1)),
        invalid("job/autoscalerResetNonce", json!({}), &["spec.job.autoscalerResetNonce: Invalid value: \"object\""]),
        boundary("job/autoscalerResetNonce", json!(i64::MAX), &[]),
    ]
}
