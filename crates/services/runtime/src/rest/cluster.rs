//! The process as a whole: overview, configuration of the Web UI, settings, environment, threads.

use kobel_model::ids::JobId;
use kobel_model::settings::redact;
use kobel_rest::cluster::{
    ClusterOverview, ConfigurationInfoEntry, DashboardConfiguration, EnvironmentInfo, Features, JvmInfo, ThreadDumpInfo,
};
use kobel_rest::states::JobStatus;
use kobel_rest::submissions::ClusterDataSetListResponseBody;

use crate::rest::applications::no_application;
use crate::rest::call::{Answer, Call, Reply};
use crate::rest::hex_id::HexId;

/// The version of Flink whose API this is.
const FLINK_VERSION: &str = "2.3.0";
/// What really answers.
const REVISION: &str = concat!("kobel ", env!("CARGO_PKG_VERSION"));
/// Milliseconds between two refreshes of the Web UI (Flink `web.refresh-interval`).
const REFRESH_INTERVAL: i64 = 3_000;

/// `GET /overview`.
pub(crate) fn overview(call: &Call<'_>) -> Reply {
    let (used, total) = call.cluster.slots();
    let mut overview = ClusterOverview {
        taskmanagers: 1,
        slots_total: total as i64,
        slots_available: (total - used) as i64,
        flink_version: FLINK_VERSION.to_owned(),
        flink_commit: REVISION.to_owned(),
        ..ClusterOverview::default()
    };
    for job in call.cluster.jobs() {
        match job.read(|state| state.status) {
            JobStatus::Finished => overview.jobs_finished += 1,
            JobStatus::Canceled => overview.jobs_cancelled += 1,
            JobStatus::Failed => overview.jobs_failed += 1,
            _ => overview.jobs_running += 1,
        }
    }
    Answer::json(&overview)
}

/// `GET /config`. Nothing can be submitted, so the Web UI does not offer it.
pub(crate) fn config(_call: &Call<'_>) -> Reply {
    Answer::json(&DashboardConfiguration {
        refresh_interval: REFRESH_INTERVAL,
        timezone_name: "Coordinated Universal Time".to_owned(),
        timezone_offset: 0,
        flink_version: FLINK_VERSION.to_owned(),
        flink_revision: REVISION.to_owned(),
        features: Features { web_submit: false, web_cancel: true, web_rescale: true, web_history: false },
    })
}

/// `GET /jobmanager/config`.
pub(crate) fn job_manager_config(call: &Call<'_>, address: &str) -> Reply {
    let shown =
        |key: &str, value: &str| ConfigurationInfoEntry { key: key.to_owned(), value: redact(key, value).to_owned() };
    let settings = &call.cluster.facts.settings;
    let mut entries: Vec<_> = settings.iter().map(|(key, value)| shown(key, value)).collect();
    let (_, authority) = address.split_once("://").unwrap_or(("", address));
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, ""));
    let slots = call.cluster.slots().1.to_string();
    for (key, value) in [("rest.address", host), ("rest.port", port), ("taskmanager.numberOfTaskSlots", &slots)] {
        if entries.iter().all(|entry| entry.key != key) {
            entries.push(shown(key, value));
        }
    }
    Answer::json(&entries)
}

/// `GET /jobs/:jobid/jobmanager/config`; as in Flink any id will do.
pub(crate) fn job_config(call: &Call<'_>, address: &str) -> Reply {
    call.path_value::<JobId>("jobid")?;
    job_manager_config(call, address)
}

/// `GET /applications/:applicationid/jobmanager/config`.
pub(crate) fn application_config(call: &Call<'_>, address: &str) -> Reply {
    let id: HexId = call.path_value("applicationid")?;
    if id.to_string() != call.cluster.facts.application_id {
        return Err(no_application(&id));
    }
    job_manager_config(call, address)
}

/// `GET /jobmanager/environment`: there is no Java machine, no class path, and nothing of the environment is told.
pub(crate) fn environment(_call: &Call<'_>) -> Reply {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        other => other,
    };
    let jvm = JvmInfo { version: REVISION.to_owned(), arch: arch.to_owned(), options: Vec::new() };
    Answer::json(&EnvironmentInfo { jvm, classpath: Vec::new() })
}

/// `GET /jobs/:jobid/jobmanager/environment`; as in Flink any id will do.
pub(crate) fn job_environment(call: &Call<'_>) -> Reply {
    call.path_value::<JobId>("jobid")?;
    environment(call)
}

/// `GET /jobmanager/thread-dump`: threads of the engine have no traces to show.
pub(crate) fn thread_dump(_call: &Call<'_>) -> Reply {
    Answer::json(&ThreadDumpInfo::default())
}

/// `GET /datasets`: nothing is cached.
pub(crate) fn data_sets(_call: &Call<'_>) -> Reply {
    Answer::json(&ClusterDataSetListResponseBody::default())
}
