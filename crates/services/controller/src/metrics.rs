//! What the control loop measures of itself, in the text format of Prometheus.
//!
//! # Invariants
//! A family is written once, with all its series behind its `# HELP` and `# TYPE`. The values of labels are words of this
//! crate, so they need no escaping; names of objects are no labels, so the number of series does not grow with them.

mod histogram;
mod process;

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use histogram::Histogram;

use crate::key::{Key, Kind};

/// What the control loop measures of itself. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    measured: Arc<Mutex<Measured>>,
}

#[derive(Debug, Default)]
struct Measured {
    /// How long rounds took, by kind and by how they ended.
    rounds: BTreeMap<(Kind, Outcome), Histogram>,
    /// How long objects waited for their round.
    waits: BTreeMap<Kind, Histogram>,
    active: usize,
    queue: usize,
    /// Whether this process acts, where there may be others.
    leads: Option<bool>,
    /// The state of each object.
    states: BTreeMap<Key, &'static str>,
}

/// How a round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// Well.
    Ok,
    /// With an error, after which it is tried again.
    Error,
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
        }
    }
}

impl Metrics {
    /// Gives everything in the text format of Prometheus.
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = self.lock().write(&mut out);
        let _ = build(&mut out);
        let _ = process::write(&mut out);
        out
    }

    /// An object waited for its round.
    pub(crate) fn begun(&self, kind: Kind, waited: Duration) {
        self.lock().waits.entry(kind).or_default().observe(waited);
    }

    /// A round has ended.
    pub(crate) fn ended(&self, kind: Kind, outcome: Outcome, took: Duration) {
        self.lock().rounds.entry((kind, outcome)).or_default().observe(took);
    }

    /// How many rounds are under way, and how many objects wait for theirs.
    pub(crate) fn load(&self, active: usize, queue: usize) {
        let mut measured = self.lock();
        (measured.active, measured.queue) = (active, queue);
    }

    /// This process acts, and no other.
    pub(crate) fn leads(&self) {
        self.lock().leads = Some(true);
    }

    /// This process does not act; another may.
    pub(crate) fn stands_by(&self) {
        self.lock().leads = Some(false);
    }

    /// The state that an object is in.
    pub(crate) fn is(&self, key: &Key, state: &'static str) {
        let mut measured = self.lock();
        match measured.states.get_mut(key) {
            Some(known) => *known = state,
            None => drop(measured.states.insert(key.clone(), state)),
        }
    }

    /// Forgets an object that is gone.
    pub(crate) fn forget(&self, key: &Key) {
        self.lock().states.remove(key);
    }

    /// Every number stands for itself, so a panic elsewhere leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, Measured> {
        self.measured.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Measured {
    /// How many objects of each kind are in each state.
    fn count(&self) -> BTreeMap<(Kind, &'static str), usize> {
        let mut counts = BTreeMap::new();
        for (key, state) in &self.states {
            *counts.entry((key.kind, *state)).or_default() += 1;
        }
        counts
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        let name = "kobel_reconcile_duration_seconds";
        head(out, name, "histogram", "How long a round of an object took, without waiting for its turn.")?;
        for ((kind, outcome), histogram) in &self.rounds {
            let labels = format!("kind=\"{}\",result=\"{}\"", kind.name(), outcome.as_str());
            histogram.write(out, name, &labels)?;
        }
        let name = "kobel_reconcile_wait_seconds";
        head(out, name, "histogram", "How long an object waited for its round since it was due.")?;
        for (kind, histogram) in &self.waits {
            histogram.write(out, name, &format!("kind=\"{}\"", kind.name()))?;
        }
        let name = "kobel_reconcile_active";
        head(out, name, "gauge", "Rounds that are under way.")?;
        writeln!(out, "{name} {}", self.active)?;
        let name = "kobel_reconcile_queue";
        head(out, name, "gauge", "Objects that are due and wait for their round.")?;
        writeln!(out, "{name} {}", self.queue)?;
        if let Some(leads) = self.leads {
            let name = "kobel_leader";
            head(out, name, "gauge", "Whether this process acts, which is 1, or stands by, which is 0.")?;
            writeln!(out, "{name} {}", u8::from(leads))?;
        }
        let name = "kobel_resources";
        head(out, name, "gauge", "Objects by kind and state.")?;
        for ((kind, state), count) in self.count() {
            writeln!(out, "{name}{{kind=\"{}\",state=\"{state}\"}} {count}", kind.name())?;
        }
        Ok(())
    }
}

fn build(out: &mut String) -> fmt::Result {
    let name = "kobel_build_info";
    head(out, name, "gauge", "Which version runs.")?;
    writeln!(out, "{name}{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"))
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn key(name: &str) -> Key {
        Key { kind: Kind::Deployment, namespace: "default".to_owned(), name: name.to_owned() }
    }

    #[test]
    fn what_was_measured_is_told() {
        let metrics = Metrics::default();
        metrics.begun(Kind::Deployment, Duration::from_millis(3));
        metrics.ended(Kind::Deployment, Outcome::Ok, Duration::from_millis(2));
        metrics.ended(Kind::Snapshot, Outcome::Error, Duration::from_secs(2));
        metrics.load(3, 70);
        for (name, state) in [("a", "CREATED"), ("a", "STABLE"), ("b", "STABLE"), ("c", "STABLE")] {
            metrics.is(&key(name), state);
        }
        metrics.forget(&key("c"));
        let text = metrics.text();
        for line in [
            "kobel_reconcile_duration_seconds_bucket{kind=\"FlinkDeployment\",result=\"ok\",le=\"0.001\"} 0",
            "kobel_reconcile_duration_seconds_bucket{kind=\"FlinkDeployment\",result=\"ok\",le=\"0.0025\"} 1",
            "kobel_reconcile_duration_seconds_sum{kind=\"FlinkStateSnapshot\",result=\"error\"} 2",
            "kobel_reconcile_wait_seconds_count{kind=\"FlinkDeployment\"} 1",
            "kobel_reconcile_active 3",
            "kobel_reconcile_queue 70",
            "kobel_resources{kind=\"FlinkDeployment\",state=\"STABLE\"} 2",
            concat!("kobel_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        ] {
            assert!(text.lines().any(|found| found == line), "`{line}` is not in\n{text}");
        }
        assert!(!text.contains("CREATED"), "an object is in one state");
    }

    #[test]
    fn who_leads_is_told_where_others_may() {
        let metrics = Metrics::default();
        assert!(!metrics.text().contains("kobel_leader"), "there are no others");
        metrics.stands_by();
        assert!(metrics.text().contains("\nkobel_leader 0\n"), "{}", metrics.text());
        metrics.leads();
        assert!(metrics.text().contains("\nkobel_leader 1\n"), "{}", metrics.text());
    }

    #[test]
    fn a_family_is_described_once_and_before_its_series() {
        let metrics = Metrics::default();
        metrics.ended(Kind::SessionJob, Outcome::Ok, Duration::ZERO);
        metrics.ended(Kind::SessionJob, Outcome::Error, Duration::ZERO);
        metrics.leads();
        let text = metrics.text();
        let mut families = BTreeSet::new();
        let mut current = "";
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                current = rest.split(' ').next().unwrap();
                assert!(families.insert(current), "{current} is there twice");
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                assert!(rest.starts_with(current), "{line}");
            } else {
                assert!(line.starts_with(current), "{line} is below {current}");
            }
        }
        assert!(families.contains("kobel_reconcile_active"), "{families:?}");
    }
}
