//! Ages as people read them: `5s`, `2m3s`, `3h`, `4d`; the rules are those of Kubernetes' `duration.HumanDuration`.

use jiff::Timestamp;

/// Prints the time since `text`, which is an RFC 3339 time: `<unknown>` if it is empty, `<invalid>` if it is not a time
/// or in the future.
pub fn since(text: &str, now: Timestamp) -> String {
    if text.is_empty() {
        return "<unknown>".to_owned();
    }
    match text.parse::<Timestamp>() {
        Ok(time) => age(now.duration_since(time).as_secs()),
        Err(_) => "<invalid>".to_owned(),
    }
}

/// Prints a number of seconds with two or three significant digits.
pub fn age(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let pair = |large: i64, large_unit: char, small: i64, small_unit: char| match small {
        0 => format!("{large}{large_unit}"),
        small => format!("{large}{large_unit}{small}{small_unit}"),
    };
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1..0 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        _ if minutes < 10 => pair(minutes, 'm', seconds % 60, 's'),
        _ if minutes < 180 => format!("{minutes}m"),
        _ if hours < 8 => pair(hours, 'h', minutes % 60, 'm'),
        _ if hours < 48 => format!("{hours}h"),
        _ if hours < 192 => pair(days, 'd', hours % 24, 'h'),
        _ if hours < 17_520 => format!("{days}d"),
        _ if hours < 70_080 => pair(hours / 8_760, 'y', days % 365, 'd'),
        _ => format!("{}y", hours / 8_760),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_printed_as_kubernetes_prints_them() {
        let (hour, day) = (3600, 86_400);
        let table = [
            (-2, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (123, "2m3s"),
            (599, "9m59s"),
            (600, "10m"),
            (3 * hour - 1, "179m"),
            (3 * hour, "3h"),
            (3 * hour + 60, "3h1m"),
            (8 * hour + 60, "8h"),
            (47 * hour, "47h"),
            (2 * day, "2d"),
            (2 * day + hour, "2d1h"),
            (8 * day + hour, "8d"),
            (729 * day, "729d"),
            (730 * day, "2y"),
            (731 * day, "2y1d"),
            (9 * 365 * day, "9y"),
        ];
        for (seconds, expected) in table {
            assert_eq!(age(seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn a_time_that_is_none_is_said_to_be_none() {
        let now: Timestamp = "2026-01-01T00:02:00Z".parse().unwrap();
        assert_eq!(since("", now), "<unknown>");
        assert_eq!(since("yesterday", now), "<invalid>");
        assert_eq!(since("2026-01-01T00:00:00Z", now), "2m");
    }
}
