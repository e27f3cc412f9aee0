//! How long ago something was, as `kubectl` shows it.

use jiff::Timestamp;

/// The age of a time in RFC 3339: `59s`, `2m30s`, `5m`, `24h`, `32d`.
pub(crate) fn age(time: &str, now: Timestamp) -> String {
    match time.parse::<Timestamp>() {
        Ok(time) => span(now.as_second() - time.as_second()),
        Err(_) => "<unknown>".to_owned(),
    }
}

/// A number of seconds; those of a clock that is ahead count as none.
pub(crate) fn span(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (minutes, hours) = (seconds / 60, seconds / 3_600);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 if seconds % 60 != 0 => format!("{minutes}m{}s", seconds % 60),
        120..10_800 => format!("{minutes}m"),
        10_800..172_800 => format!("{hours}h"),
        _ => format!("{}d", hours / 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_short() {
        let now = "2026-01-02T00:00:00Z".parse().unwrap();
        for (time, expected) in [
            ("2026-01-01T23:59:01Z", "59s"),
            ("2026-01-01T23:57:30Z", "2m30s"),
            ("2026-01-01T23:55:00Z", "5m"),
            ("2026-01-01T22:00:00Z", "120m"),
            ("2026-01-01T00:00:00Z", "24h"),
            ("2025-12-01T00:00:00Z", "32d"),
            ("2026-01-03T00:00:00Z", "0s"),
            ("yesterday", "<unknown>"),
        ] {
            assert_eq!(age(time, now), expected, "{time}");
        }
    }
}
