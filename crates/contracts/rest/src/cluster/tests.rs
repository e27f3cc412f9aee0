//! The answers about the cluster, word for word.

use super::{
    ClusterOverview, ConfigurationInfo, DashboardConfiguration, EmptyBody, EnvironmentInfo, LogListInfo,
    LogUrlResponse, ThreadDumpInfo,
};
use crate::round_trip::{printed_back, refusal};

#[test]
fn an_overview_tells_of_blocked_slots_only_when_there_are_any() {
    let plain: ClusterOverview = printed_back(
        r#"{"taskmanagers":1,"slots-total":4,"slots-available":1,"jobs-running":2,"jobs-finished":0,"jobs-cancelled":0,
        "jobs-failed":0,"flink-version":"2.3.0","flink-commit":"abc1234"}"#,
    );
    assert_eq!((plain.taskmanagers_blocked, plain.slots_total), (0, 4));
    let blocked: ClusterOverview = printed_back(
        r#"{"taskmanagers":1,"slots-total":4,"slots-available":1,"taskmanagers-blocked":1,"slots-free-and-blocked":4,
        "jobs-running":2,"jobs-finished":0,"jobs-cancelled":0,"jobs-failed":0,"flink-version":"2.3.0",
        "flink-commit":"abc1234"}"#,
    );
    assert_eq!(blocked.slots_free_and_blocked, 4);
    assert!(refusal::<ClusterOverview>(r#"{"taskmanagers":1}"#).contains("slots-total"));
}

#[test]
fn the_configuration_of_the_web_ui_lists_its_features() {
    let config: DashboardConfiguration = printed_back(
        r#"{"refresh-interval":50,"timezone-name":"Coordinated Universal Time","timezone-offset":0,
        "flink-version":"2.3.0","flink-revision":"abc1234 @ 2026-01-01T00:00:00Z",
        "features":{"web-submit":false,"web-cancel":true,"web-rescale":true,"web-history":false}}"#,
    );
    assert!(config.features.web_cancel && !config.features.web_submit);
}

#[test]
fn settings_are_a_list_of_keys_and_values() {
    let info: ConfigurationInfo = printed_back(r#"[{"key":"parallelism.default","value":"2"}]"#);
    assert_eq!(info.len(), 1);
}

#[test]
fn the_environment_tells_of_machine_and_parts() {
    let info: EnvironmentInfo =
        printed_back(r#"{"jvm":{"version":"native","arch":"amd64","options":["-x"]},"classpath":["a.jar"]}"#);
    assert_eq!(info.jvm.options, ["-x"]);
}

#[test]
fn logs_threads_and_addresses_keep_their_names() {
    let logs: LogListInfo = printed_back(r#"{"logs":[{"name":"jm.log","size":12,"mtime":1700000000000}]}"#);
    assert_eq!(logs.logs.len(), 1);
    let threads: ThreadDumpInfo =
        printed_back(r#"{"threadInfos":[{"threadName":"main","stringifiedThreadInfo":"\"main\" Id=1"}]}"#);
    assert_eq!(threads.thread_infos.len(), 1);
    let address: LogUrlResponse = printed_back(r#"{"url":"http://logs/1"}"#);
    assert_eq!(address.url, "http://logs/1");
}

#[test]
fn an_answer_that_says_nothing_is_an_empty_object() {
    assert_eq!(printed_back::<EmptyBody>("{}"), EmptyBody {});
}
