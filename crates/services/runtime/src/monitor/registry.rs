//! All metrics there are, by scope.
//!
//! Invariant: [`catalogue`] lists exactly what readings yield, since both are made of the same definitions.

pub(crate) mod cluster;
pub(crate) mod job;
pub(crate) mod operator;
pub(crate) mod task;

use std::sync::LazyLock;

use crate::monitor::definition::{MetricEntry, MetricScope, Reading};
use crate::monitor::process::ProcessFigures;
use cluster::{JobManagerReading, TaskManagerReading};
use job::JobReading;
use operator::OperatorReading;
use task::TaskReading;

static CATALOGUE: LazyLock<Vec<MetricEntry>> = LazyLock::new(|| {
    let mut entries = Vec::new();
    enter::<JobManagerReading>(&mut entries, MetricScope::JobManager);
    enter::<TaskManagerReading>(&mut entries, MetricScope::TaskManager);
    enter::<ProcessFigures>(&mut entries, MetricScope::Process);
    enter::<JobReading>(&mut entries, MetricScope::Job);
    enter::<TaskReading>(&mut entries, MetricScope::Task);
    enter::<OperatorReading>(&mut entries, MetricScope::Operator);
    entries
});

fn enter<R: Reading>(entries: &mut Vec<MetricEntry>, scope: MetricScope) {
    entries.extend(R::definitions().iter().map(|definition| definition.entry(scope)));
}

/// The reference of metrics, by scope, in the order in which they are listed.
pub fn catalogue() -> &'static [MetricEntry] {
    &CATALOGUE
}

#[cfg(test)]
mod tests;
