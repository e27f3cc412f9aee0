//! The rules of the autoscaler, which hold only where it is switched on.
//!
//! # Source
//! Apache Flink Kubernetes operator 1.15, `AutoscalerValidator`; every key also with its older prefix.

use std::time::Duration;

use kobel_model::quantity::{DURATION_FORMS, parse_duration, show_duration};

use super::findings::Findings;
use super::flink_configuration::{Configuration, invalid};
use super::operator_keys::is_quartz;

/// What the keys begin with.
const PREFIX: &str = "job.autoscaler.";
/// What they may begin with as well.
const OLD_PREFIX: &str = "kubernetes.operator.";
/// How often the operator looks at a resource.
const RECONCILE_INTERVAL: &str = "kubernetes.operator.reconcile.interval";
/// How often it does unless it is told.
const RECONCILE_INTERVAL_DEFAULT: Duration = Duration::from_secs(60);

/// Keys whose value is a duration.
const DURATIONS: [&str; 9] = [
    "stabilization.interval",
    "metrics.window",
    "scale-down.interval",
    "catch-up.duration",
    "restart.time",
    "restart.time-tracking.limit",
    "backlog-processing.lag-threshold",
    "scaling.event.interval",
    "flink.rest-client.timeout",
];
/// Keys whose value is a switch.
const SWITCHES: [&str; 5] = [
    "scaling.enabled",
    "restart.time-tracking.enabled",
    "scaling.effectiveness.detection.enabled",
    "observed-scalability.enabled",
    "memory.tuning.enabled",
];
/// Keys whose value is a whole number of at least 1.
const COUNTS: [&str; 3] = ["vertex.min-parallelism", "vertex.max-parallelism", "history.max.count"];
/// Keys whose value is a number, its bounds, and the switch without which it is not read.
const NUMBERS: [(&str, f64, f64, Option<&str>); 8] = [
    ("scale-down.max-factor", 0.0, f64::INFINITY, None),
    ("scale-up.max-factor", 0.0, f64::INFINITY, None),
    ("target.utilization.boundary", 0.0, f64::INFINITY, None),
    ("memory.gc-pressure.threshold", 0.0, 1.0, None),
    ("memory.heap-usage.threshold", 0.0, 1.0, None),
    ("observed-scalability.coefficient-min", 0.01, 1.0, Some("observed-scalability.enabled")),
    ("scaling.effectiveness.threshold", 0.0, 1.0, Some("scaling.effectiveness.detection.enabled")),
    ("memory.tuning.overhead", 0.0, 1.0, Some("memory.tuning.enabled")),
];

/// Checks every key, if the autoscaler is switched on.
pub(super) fn check(configuration: &Configuration, findings: &mut Findings) {
    let keys = Keys { configuration };
    if let Some((key, value)) = keys.find("enabled")
        && !is_switch(value)
    {
        findings.add(invalid(configuration.at(key), key, value, "`true` or `false`"));
    }
    if !keys.is_on("enabled") {
        return;
    }
    for name in SWITCHES {
        keys.check(name, "`true` or `false`", is_switch, findings);
    }
    for name in DURATIONS {
        let allowed = format!("a duration ({DURATION_FORMS})");
        keys.check(name, &allowed, |value| parse_duration(value).is_ok(), findings);
    }
    for name in COUNTS {
        let allowed = format!("a whole number from 1 to {}", i32::MAX);
        keys.check(name, &allowed, |value| value.parse::<i32>().is_ok_and(|count| count >= 1), findings);
    }
    for (name, least, greatest, switch) in NUMBERS {
        if switch.is_none_or(|switch| keys.is_on(switch)) {
            keys.number(name, least, greatest, findings);
        }
    }
    utilization(&keys, findings);
    keys.check("excluded.periods", EXCLUDED_FORMS, are_periods, findings);
    window(&keys, findings);
}

/// How periods without scaling may be written.
const EXCLUDED_FORMS: &str = "periods separated by `;`, each from and to a time of day with an optional zone and cron \
                              expression, such as `9:30-10:30` or `9:30-10:30 && * * * ? * 2`";

/// The keys of the autoscaler, in either spelling.
struct Keys<'a> {
    configuration: &'a Configuration,
}

impl<'a> Keys<'a> {
    /// The key as it was written, and its value.
    fn find(&self, name: &str) -> Option<(&'a str, &'a str)> {
        let key = format!("{PREFIX}{name}");
        let old = format!("{OLD_PREFIX}{key}");
        let all = self.configuration.effective();
        let found = all.get_key_value(&key).or_else(|| all.get_key_value(&old))?;
        Some((found.0.as_str(), found.1.trim()))
    }

    fn is_on(&self, name: &str) -> bool {
        self.find(name).is_some_and(|(_, value)| value.eq_ignore_ascii_case("true"))
    }

    fn check(&self, name: &str, allowed: &str, accepts: impl Fn(&str) -> bool, findings: &mut Findings) {
        if let Some((key, value)) = self.find(name).filter(|(_, value)| !accepts(value)) {
            findings.add(invalid(self.configuration.at(key), key, value, allowed));
        }
    }

    /// Checks that a number lies in its bounds, and answers with it if it does.
    fn number(&self, name: &str, least: f64, greatest: f64, findings: &mut Findings) -> Option<f64> {
        let (key, value) = self.find(name)?;
        let number =
            value.parse::<f64>().ok().filter(|number| number.is_finite() && (least..=greatest).contains(number));
        if number.is_none() {
            let allowed = if greatest.is_finite() {
                format!("a number from {least} to {greatest}")
            } else {
                format!("a number of at least {least}")
            };
            findings.add(invalid(self.configuration.at(key), key, value, &allowed));
        }
        number
    }
}

/// The target lies from 0 to 1, the greatest from there to 1, the least from 0 to there.
fn utilization(keys: &Keys<'_>, findings: &mut Findings) {
    let name = if keys.find("utilization.target").is_some() { "utilization.target" } else { "target.utilization" };
    let is_set = keys.find(name).is_some();
    let target = keys.number(name, 0.0, 1.0, findings);
    if is_set && target.is_none() {
        return;
    }
    let target = target.unwrap_or(0.7);
    keys.number("utilization.max", target, 1.0, findings);
    keys.number("utilization.min", 0.0, target, findings);
}

/// The window must be long enough to hold a measurement.
fn window(keys: &Keys<'_>, findings: &mut Findings) {
    let all = keys.configuration;
    let interval = all.get(&[RECONCILE_INTERVAL]).and_then(|value| parse_duration(value).ok());
    let interval = interval.unwrap_or(RECONCILE_INTERVAL_DEFAULT);
    let Some((key, value)) = keys.find("metrics.window") else {
        return;
    };
    if parse_duration(value).is_ok_and(|window| window < interval) {
        let allowed = format!("at least `{}`, the interval of `{RECONCILE_INTERVAL}`", show_duration(interval));
        findings.add(invalid(all.at(key), key, value, &allowed));
    }
}

fn is_switch(value: &str) -> bool {
    value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false")
}

/// Whether every period is a daily one, a cron expression, or both.
fn are_periods(text: &str) -> bool {
    text.split(';')
        .map(str::trim)
        .filter(|period| !period.is_empty())
        .all(|period| period.split("&&").map(str::trim).all(|part| is_daily(part) || is_quartz(part)))
}

/// Whether `text` is `9:30-10:30` or `9:30:30-10:50:20`, perhaps with a zone after it.
fn is_daily(text: &str) -> bool {
    let times = text.split_whitespace().next().unwrap_or_default();
    let zones = text.split_whitespace().count();
    let Some((from, to)) = times.split_once('-') else {
        return false;
    };
    zones <= 2 && matches!((seconds(from), seconds(to)), (Some(from), Some(to)) if from < to)
}

/// A time of day, with or without seconds, in seconds.
fn seconds(text: &str) -> Option<u32> {
    let parts: Vec<u32> = text.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let (hour, minute, second) = match *parts.as_slice() {
        [hour, minute] => (hour, minute, 0),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    (hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_daily_times_with_or_without_seconds_and_cron_expressions() {
        for (text, expected) in [
            ("9:30-10:30", true),
            ("9:30:30-10:50:20 && * * * ? * 2,5", true),
            ("9:30:30-9:30:29", false),
            ("9:30:60-10:00", false),
            ("24:00-25:00", false),
            ("0-1", false),
        ] {
            assert_eq!(are_periods(text), expected, "{text}");
        }
    }
}
