//! That a job which runs at the moment has failed again and again: its status tells only how it is right now.
//!
//! Pure: events and the time in, a sentence out.

use jiff::Timestamp;
use kobel_kubernetes::objects::seen;
use serde_json::Value;

use super::age::age;

/// How long ago a failure may be to be worth a word.
const RECENT_SECONDS: i64 = 600;
/// How the message of an event ends, or goes on with why, that tells of a job that failed and is started again.
const FAILED: [&str; 2] = [" to RESTARTING", " to FAILING"];

/// The sentence about a job that runs and failed not long ago; `words` are those by which commands are told of it.
pub(crate) fn restarts(events: &[Value], words: &str, now: Timestamp) -> Option<String> {
    let failures: Vec<(&Value, &str)> = events.iter().filter_map(|event| Some((event, failure(event)?))).collect();
    // The events are told oldest first.
    let (last, why) = failures.last()?;
    let at = seen(last).parse::<Timestamp>().ok()?;
    if now.as_second() - at.as_second() > RECENT_SECONDS {
        return None;
    }
    let times: i64 = failures.iter().map(|(event, _)| count(event)).sum();
    let times = if times == 1 { "once".to_owned() } else { format!("{times} times") };
    let why = why.trim_end_matches('.');
    let why = if why.is_empty() { String::new() } else { format!(": {why}") };
    Some(format!(
        "It failed and was started again {times} lately, {} ago the last time{why}. {}",
        age(seen(last), now),
        what_to_do(words)
    ))
}

/// What is done about a job that fails while it runs.
pub(crate) fn what_to_do(words: &str) -> String {
    format!(
        "`kobel logs {words}` shows what goes wrong; correct the program and `kobel restart {words}`, or the spec and \
         `kobel apply -f FILE`."
    )
}

/// Why a job failed, if an event tells that; empty if it does not tell why.
fn failure(event: &Value) -> Option<&str> {
    if event.get("reason").and_then(Value::as_str) != Some("JobStatusChanged") {
        return None;
    }
    let message = event.get("message").and_then(Value::as_str)?;
    let rest = FAILED.iter().find_map(|state| message.split_once(state))?.1;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix(": ") }
}

fn count(event: &Value) -> i64 {
    event.get("count").and_then(Value::as_i64).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(to: &str, count: i64, at: &str) -> Value {
        json!({"reason": "JobStatusChanged", "message": format!("job status changed from RUNNING to {to}"),
               "count": count, "lastTimestamp": format!("2026-01-01T{at}Z")})
    }

    #[test]
    fn failures_of_late_are_counted_and_the_last_is_told() {
        let now = "2026-01-02T00:00:00Z".parse().unwrap();
        let to_do = "`kobel logs orders` shows what goes wrong; correct the program and `kobel restart orders`, or the \
                     spec and `kobel apply -f FILE`.";
        for (events, expected) in [
            (vec![], None),
            (vec![event("RUNNING", 9, "23:59:57")], None),
            (vec![event("RESTARTING", 6, "23:40:00")], None),
            (
                vec![event("RESTARTING", 1, "23:59:57"), event("RUNNING", 7, "23:59:58")],
                Some("It failed and was started again once lately, 3s ago the last time. "),
            ),
            (
                vec![event("FAILING", 2, "23:59:50"), event("RESTARTING: 10/0: division by zero.", 4, "23:59:57")],
                Some("It failed and was started again 6 times lately, 3s ago the last time: 10/0: division by zero. "),
            ),
        ] {
            let expected = expected.map(|sentence| format!("{sentence}{to_do}"));
            assert_eq!(restarts(&events, "orders", now), expected, "{events:?}");
        }
    }
}
