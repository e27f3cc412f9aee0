//! The last events of an object, as `kobel explain` tells them.

use jiff::Timestamp;
use kobel_kubernetes::objects::seen;
use kobel_model::Result;
use serde_json::{Value, json};

use super::age::age;
use super::chronology;
use super::client::Session;
use super::columns::{Columns, indented};

/// How many events are told.
const EVENTS_MAX: usize = 5;

/// The last events of an object, the oldest first.
pub(crate) async fn newest(session: &Session, object: &Value) -> Result<Vec<Value>> {
    let mut events = session.cluster.events(object).await?;
    chronology::sort(&mut events);
    Ok(events.split_off(events.len().saturating_sub(EVENTS_MAX)))
}

/// For people: the lines about events, with an empty line before them; nothing if nothing happened.
pub(crate) fn text(events: &[Value], now: Timestamp) -> String {
    if events.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = events.iter().map(|event| row(event, now)).collect();
    format!("\nlast events:\n{}", indented(&Columns::default().whole_lines(&rows)))
}

/// For programs.
pub(crate) fn values(events: &[Value]) -> Vec<Value> {
    let value = |event: &Value| {
        let [kind, reason, message] = ["type", "reason", "message"].map(|name| event.get(name));
        json!({"type": kind, "reason": reason, "message": message, "lastSeen": seen(event),
               "count": event.get("count")})
    };
    events.iter().map(value).collect()
}

fn row(event: &Value, now: Timestamp) -> Vec<String> {
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    vec![age(seen(event), now), text("type"), text("reason"), text("message")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_is_told_whole() {
        let now = "2026-01-02T00:00:00Z".parse().unwrap();
        let event = json!({"type": "Warning", "reason": "SavepointError", "message": "it failed:\n  disk full",
                           "lastTimestamp": "2026-01-01T23:59:47Z"});
        let events = [event];
        let expected = "\nlast events:\n  13s   Warning   SavepointError   it failed:\n        disk full\n";
        assert_eq!(text(&events, now), expected);
        assert_eq!(text(&[], now), "");
        assert_eq!(values(&events)[0]["lastSeen"], "2026-01-01T23:59:47Z");
    }
}
