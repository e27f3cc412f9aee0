//! Refusals that Flink words in a way of its own, and parameters of the query that are values.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use kobel_model::ids::JobId;

use crate::rest::call::{Call, Refusal, Wording};
use crate::rest::java_exceptions::no_job;
use crate::view::job::JobView;

/// The job that the path names, for answers that in Flink come from the job's own master.
///
/// # Errors
/// 500 if there is none, as Flink answers.
pub(crate) fn job_of_master(call: &Call<'_>) -> Result<Arc<JobView>, Refusal> {
    let id: JobId = call.path_value("jobid")?;
    call.cluster.job(id).ok_or_else(|| no_master(id))
}

/// 500, because the job has no master or no longer has one.
pub(crate) fn no_master(id: JobId) -> Refusal {
    failed(&no_job(id))
}

/// 500 as Flink words an exception of this class.
pub(crate) fn internal(class: &str, message: impl Display) -> Refusal {
    failed(&format!("{class}: {message}"))
}

fn failed(exception: &str) -> Refusal {
    let trace = format!("<Exception on server side:\n{exception}\n\nEnd of exception on server side>");
    Refusal { status: 500, wording: Wording::Plain, messages: vec!["Internal server error.".to_owned(), trace] }
}

/// A parameter of the query as a value, if it was given.
///
/// # Errors
/// 400 if it is no such value.
pub(crate) fn query_value<T: FromStr>(call: &Call<'_>, name: &str) -> Result<Option<T>, Refusal> {
    call.query(name).map(|text| text.parse::<T>().map_err(|_| unreadable(name, text))).transpose()
}

/// 400, because a parameter of the query is no such value.
pub(crate) fn unreadable(name: &str, text: &str) -> Refusal {
    Refusal::bad_request(format!(
        "Bad request, could not parse parameters: Cannot resolve query parameter ({name}) from value \"{text}\"."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_worded_as_flink_words_them() {
        let refusal = no_master(JobId::from_bytes([0; 16]));
        assert_eq!(refusal.status, 500);
        assert_eq!(refusal.messages[0], "Internal server error.");
        let exception = "org.apache.flink.runtime.messages.FlinkJobNotFoundException: Could not find Flink job \
            (00000000000000000000000000000000)";
        let expected = format!("<Exception on server side:\n{exception}\n\nEnd of exception on server side>");
        assert_eq!(refusal.messages[1], expected);
        assert!(internal("a.B", "it broke").messages[1].contains("\na.B: it broke\n"));
        let refusal = unreadable("maxExceptions", "x");
        assert_eq!(refusal.status, 400);
        assert!(refusal.messages[0].ends_with("Cannot resolve query parameter (maxExceptions) from value \"x\"."));
    }
}
