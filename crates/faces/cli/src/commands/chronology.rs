//! The order in which events happened.
//!
//! Their times are whole seconds, and much happens within one. Within a second the API's own count of writes decides.

use std::cmp::Ordering;

use jiff::Timestamp;
use kobel_kubernetes::objects::{metadata, seen};
use serde_json::Value;

/// Sorts events, the oldest first.
pub(crate) fn sort(events: &mut [Value]) {
    events.sort_by(order);
}

fn order(a: &Value, b: &Value) -> Ordering {
    let second = |event: &Value| seen(event).parse::<Timestamp>().ok().map(Timestamp::as_second);
    second(a).cmp(&second(b)).then_with(|| written(a).cmp(&written(b)))
}

/// Where an event stands among the writes of the API; the names stand in for versions that are no numbers.
fn written(event: &Value) -> (Option<u64>, &str) {
    (metadata(event, "resourceVersion").parse().ok(), metadata(event, "name"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn within_a_second_the_write_decides() {
        let event = |version: &str, time: &str, name: &str| {
            let metadata = json!({"resourceVersion": version, "name": name});
            json!({"lastTimestamp": time, "metadata": metadata})
        };
        let mut events = [
            event("100", "2026-01-01T00:00:01Z", "a"),
            event("99", "2026-01-01T00:00:01.250000Z", "b"),
            event("101", "2026-01-01T00:00:00Z", "c"),
            event("98", "2026-01-01T00:00:01Z", "d"),
            event("x", "2026-01-01T00:00:00Z", "f"),
            event("x", "2026-01-01T00:00:00Z", "e"),
        ];
        sort(&mut events);
        let names: Vec<&str> = events.iter().map(|event| metadata(event, "name")).collect();
        assert_eq!(names, ["e", "f", "c", "d", "b", "a"]);
    }
}
