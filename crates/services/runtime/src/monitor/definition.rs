//! What a metric is: its name in Flink, its scope, its kind, what it means, and how it is read.
//!
//! Invariant: a metric is defined once; REST, Prometheus and the reference are made of the same definition.

use crate::monitor::value::MetricValue;

/// What a metric is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MetricScope {
    /// The JobManager.
    JobManager,
    /// The TaskManager.
    TaskManager,
    /// The process, which is JobManager and TaskManager in one: the metric is there in both scopes.
    Process,
    /// A job.
    Job,
    /// A subtask of a vertex.
    Task,
    /// A subtask of an operator.
    Operator,
}

impl MetricScope {
    /// The scope as people know it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JobManager => "JobManager",
            Self::TaskManager => "TaskManager",
            Self::Process => "JobManager, TaskManager",
            Self::Job => "Job",
            Self::Task => "Task",
            Self::Operator => "Operator",
        }
    }
}

/// How a metric behaves over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// It only grows until the job restarts.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It is the speed of a counter, per second over the last minute.
    Meter,
}

impl MetricKind {
    /// The kind as Flink calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "Counter",
            Self::Gauge => "Gauge",
            Self::Meter => "Meter",
        }
    }
}

/// An entry of the reference of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricEntry {
    /// Its name within its scope.
    pub name: &'static str,
    /// What it is about.
    pub scope: MetricScope,
    /// How it behaves.
    pub kind: MetricKind,
    /// What it says.
    pub description: &'static str,
}

/// A metric that is read from an `R`.
pub(crate) struct Definition<R: 'static> {
    /// Its name within its scope.
    pub(crate) name: &'static str,
    /// How it behaves.
    pub(crate) kind: MetricKind,
    /// What it says.
    pub(crate) description: &'static str,
    /// Reads it; `None` where it does not exist.
    pub(crate) read: fn(&R) -> Option<MetricValue>,
}

impl<R: 'static> Definition<R> {
    /// Its entry in the reference.
    pub(crate) const fn entry(&self, scope: MetricScope) -> MetricEntry {
        MetricEntry { name: self.name, scope, kind: self.kind, description: self.description }
    }
}

/// Defines a counter.
pub(crate) const fn counter<R: 'static>(
    name: &'static str,
    description: &'static str,
    read: fn(&R) -> Option<MetricValue>,
) -> Definition<R> {
    Definition { name, kind: MetricKind::Counter, description, read }
}

/// Defines a gauge.
pub(crate) const fn gauge<R: 'static>(
    name: &'static str,
    description: &'static str,
    read: fn(&R) -> Option<MetricValue>,
) -> Definition<R> {
    Definition { name, kind: MetricKind::Gauge, description, read }
}

/// Defines a meter.
pub(crate) const fn meter<R: 'static>(
    name: &'static str,
    description: &'static str,
    read: fn(&R) -> Option<MetricValue>,
) -> Definition<R> {
    Definition { name, kind: MetricKind::Meter, description, read }
}

/// A moment's values of everything that one scope is about.
pub(crate) trait Reading: Sized + 'static {
    /// The metrics of the scope.
    fn definitions() -> &'static [Definition<Self>];
}

/// A reading of any scope.
pub(crate) trait AnyReading {
    /// The value of a metric, if it exists.
    fn value(&self, name: &str) -> Option<MetricValue>;
    /// All metrics that exist, in the order of their definitions.
    fn all(&self) -> Vec<(&'static str, MetricValue)>;
}

impl<R: Reading> AnyReading for R {
    fn value(&self, name: &str) -> Option<MetricValue> {
        R::definitions().iter().find(|known| known.name == name).and_then(|known| (known.read)(self))
    }

    fn all(&self) -> Vec<(&'static str, MetricValue)> {
        R::definitions().iter().filter_map(|known| Some((known.name, (known.read)(self)?))).collect()
    }
}
