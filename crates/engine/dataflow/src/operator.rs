//! What every operator is to the runtime that drives it.

use kobel_model::Result;

use crate::batch::Batch;
use crate::state::snapshot::{OperatorState, SnapshotMode};

/// What flows along an edge, apart from barriers and the end of input, which are the runtime's.
#[derive(Debug, Clone)]
pub enum Element {
    /// Rows.
    Batch(Batch),
    /// No row at or before this event time (epoch milliseconds) will come, except late ones; `i64::MAX` at the end.
    Watermark(i64),
    /// The sender has nothing for the time being and must not hold the watermark back, until it sends again.
    Idle,
}

/// Counters of an operator, for progress and metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OperatorGauges {
    /// Groups in keyed state.
    pub groups: usize,
    /// Rows dropped because they were late (Flink `numLateRecordsDropped`).
    pub late_rows: u64,
}

/// A state that is being restored: what all old subtasks had, and which keys this subtask owns.
pub struct Restore<'a> {
    /// By old subtask, with the contents of all pages.
    pub states: &'a [OperatorState],
    /// Whether this subtask owns the key with this hash.
    pub owned: &'a dyn Fn(u64) -> bool,
}

/// An operator with one input, driven step by step by one thread.
///
/// # Invariants
/// Between calls an operator holds no row that it has taken and neither yielded nor put into its state, so a snapshot
/// between two calls is consistent with what went in and out.
pub trait Operator: Send {
    /// Takes rows; yields to `out`.
    ///
    /// # Errors
    /// Invalid if a row makes an expression fail (division by zero, a cast); the job fails with it.
    fn process(&mut self, batch: Batch, out: &mut Vec<Element>) -> Result<()>;

    /// Takes a watermark, which only grows; yields to `out`, the watermark last.
    ///
    /// # Errors
    /// As [`Operator::process`].
    fn watermark(&mut self, watermark: i64, out: &mut Vec<Element>) -> Result<()> {
        out.push(Element::Watermark(watermark));
        Ok(())
    }

    /// The state, if the operator has any.
    ///
    /// # Errors
    /// Bug if it cannot be built.
    fn snapshot(&mut self, _mode: SnapshotMode) -> Result<Option<OperatorState>> {
        Ok(None)
    }

    /// Takes a state in; called once, before anything else.
    ///
    /// # Errors
    /// Corrupt if the state is not one of this operator.
    fn restore(&mut self, _restore: &Restore<'_>) -> Result<()> {
        Ok(())
    }

    /// Counters.
    fn gauges(&self) -> OperatorGauges {
        OperatorGauges::default()
    }
}
