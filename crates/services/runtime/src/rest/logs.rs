//! The log of the process, which is that of the JobManager and of the TaskManager alike.
//!
//! Only files that the log itself lists can be had; what a name means is decided there and not by any path.

use std::fs::File;

use kobel_logs::LogFiles;
use kobel_model::ids::JobId;
use kobel_rest::cluster::{LogInfo, LogListInfo, LogUrlResponse};

use crate::rest::call::{Answer, Call, Content, Refusal, Reply};
use crate::rest::java_exceptions::FLINK;
use crate::rest::refusals::internal;

/// What Flink's TaskManager shows in place of output that was not kept.
const NO_STDOUT: &str = "The file STDOUT does not exist on the TaskExecutor. \n\
    If you are using kubernetes mode, please use \"kubectl logs <pod-name>\" to get stdout content.";

/// `GET /jobmanager/logs`.
pub(crate) fn list(call: &Call<'_>) -> Reply {
    let files = match &call.cluster.facts.logs {
        Some(logs) => logs.list().map_err(|error| internal(FLINK, kobel_model::chain(&error)))?,
        None => Vec::new(),
    };
    let info = |file: kobel_logs::LogFile| LogInfo {
        name: file.name,
        size: i64::try_from(file.size).unwrap_or(i64::MAX),
        mtime: file.modified_ms,
    };
    Answer::json(&LogListInfo { logs: files.into_iter().map(info).collect() })
}

/// `GET /jobmanager/logs/:filename`.
pub(crate) fn named(call: &Call<'_>) -> Reply {
    sent(open(call, |_| call.path("filename").to_owned()).ok_or_else(no_file)?)
}

/// `GET /jobmanager/log`.
pub(crate) fn main(call: &Call<'_>) -> Reply {
    sent(open(call, LogFiles::main_name).ok_or_else(no_file)?)
}

/// `GET /jobmanager/stdout`.
///
/// Without a file the output went to a terminal or a pipe: there is none to show, which is no error to those who look.
pub(crate) fn stdout(call: &Call<'_>) -> Reply {
    match open(call, LogFiles::stdout_name) {
        Some(file) => sent(file),
        None => Ok(Answer { status: 200, content: Content::Text(String::new()) }),
    }
}

/// `GET /taskmanagers/:taskmanagerid/logs`.
pub(crate) fn task_list(call: &Call<'_>) -> Reply {
    let id = call.path("taskmanagerid");
    if id != call.cluster.facts.task_manager_id {
        return Err(Refusal::not_found(format!("Could not find TaskExecutor {id}")));
    }
    list(call)
}

/// `GET /taskmanagers/:taskmanagerid/logs/:filename`.
pub(crate) fn task_named(call: &Call<'_>) -> Reply {
    let id = known_task_manager(call)?;
    let file = open(call, |_| call.path("filename").to_owned());
    sent(file.ok_or_else(|| not_transferred(id))?)
}

/// `GET /taskmanagers/:taskmanagerid/log`.
pub(crate) fn task_main(call: &Call<'_>) -> Reply {
    let id = known_task_manager(call)?;
    let file = open(call, LogFiles::main_name);
    sent(file.ok_or_else(|| not_transferred(id))?)
}

/// `GET /taskmanagers/:taskmanagerid/stdout`.
pub(crate) fn task_stdout(call: &Call<'_>) -> Reply {
    known_task_manager(call)?;
    match open(call, LogFiles::stdout_name) {
        Some(file) => sent(file),
        None => Ok(Answer { status: 200, content: Content::Text(NO_STDOUT.to_owned()) }),
    }
}

/// `GET /jobs/:jobid/jobmanager/log-url`; as in Flink any id will do.
pub(crate) fn url(call: &Call<'_>, address: &str) -> Reply {
    call.path_value::<JobId>("jobid")?;
    Answer::json(&LogUrlResponse { url: format!("{address}/#/job-manager/logs") })
}

/// `GET /jobs/:jobid/taskmanagers/:taskmanagerid/log-url`; as in Flink any ids will do.
pub(crate) fn task_url(call: &Call<'_>, address: &str) -> Reply {
    call.path_value::<JobId>("jobid")?;
    Answer::json(&LogUrlResponse { url: format!("{address}/#/task-manager/{}/logs", call.path("taskmanagerid")) })
}

/// The file of this name, if the log has one.
fn open(call: &Call<'_>, name: impl FnOnce(&LogFiles) -> String) -> Option<File> {
    let logs = call.cluster.facts.logs.as_ref()?;
    logs.open_file(&name(logs)).ok()
}

fn sent(file: File) -> Reply {
    Ok(Answer { status: 200, content: Content::File(file) })
}

fn no_file() -> Refusal {
    Refusal::plain(404, "This file does not exist in JobManager log dir.")
}

/// 500, because the TaskManager has no such file.
fn not_transferred(id: &str) -> Refusal {
    internal(FLINK, format_args!("Failed to transfer file from TaskExecutor {id}."))
}

fn known_task_manager<'a>(call: &'a Call<'_>) -> Result<&'a str, Refusal> {
    let id = call.path("taskmanagerid");
    if id == call.cluster.facts.task_manager_id {
        return Ok(id);
    }
    Err(Refusal::missing(format!("Failed to transfer file from TaskExecutor {id} because it was unknown.")))
}
