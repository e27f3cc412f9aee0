//! The lowered job: operators as data, in topological order, ready for a runtime to instantiate per subtask.
//!
//! The graph holds no state and opens nothing. Identities of stateful operators are stable hashes of what the state
//! means (function, keys, place among its like), never of filters or projections around it, so that state finds its
//! operator after a restart, a rescale, or a changed filter.

use std::fmt;
use std::sync::Arc;

use arrow_schema::{DataType, SchemaRef};
use datafusion_physical_expr::PhysicalExpr;
use kobel_model::ids::OperatorId;

use crate::ports::{Sink, Source};

/// A job.
pub struct Graph {
    /// Nodes; every input of a node stands before it.
    pub nodes: Vec<Node>,
}

/// An operator of a job.
pub struct Node {
    /// Stable identity.
    pub id: OperatorId,
    /// For people: `TumblingWindow(size=1 h, by=[origin])`.
    pub name: String,
    /// What it does.
    pub kind: NodeKind,
    /// Where its rows come from; empty for sources.
    pub inputs: Vec<Input>,
    /// What its rows look like.
    pub schema: SchemaRef,
}

/// An edge into a node.
pub struct Input {
    /// Index of the upstream node.
    pub from: usize,
    /// How rows travel.
    pub exchange: Exchange,
}

/// How rows travel between the subtasks of two operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exchange {
    /// Subtask to the same subtask.
    Forward,
    /// By the key group of these columns; no columns: everything to the subtask of key group 0.
    Hash(Vec<usize>),
    /// Round-robin, one batch after the other.
    Rebalance,
}

/// What an operator does.
pub enum NodeKind {
    /// Reads a table, computes its columns and makes its watermarks.
    Source(SourceSpec),
    /// Literal rows, yielded once by subtask 0.
    Values(arrow_array::RecordBatch),
    /// Filter, then projection.
    Calc(Calc),
    /// All rows of all inputs.
    Union,
    /// Appends window_start, window_end, window_time.
    AssignWindow(WindowSpec),
    /// Tumbling event-time window aggregation.
    WindowAggregate(AggregateSpec, WindowSpec),
    /// Continuously updating aggregation.
    GroupAggregate(AggregateSpec),
    /// Writes a table.
    Sink(Arc<dyn Sink>),
}

/// A source with what is fused into it.
pub struct SourceSpec {
    /// The table.
    pub source: Arc<dyn Source>,
    /// Computed columns, if any.
    pub calc: Option<Calc>,
    /// The watermark, if the table has one.
    pub watermark: Option<WatermarkSpec>,
}

/// Filter, then projection, of one batch.
#[derive(Clone)]
pub struct Calc {
    /// Rows to keep (BOOLEAN), before the projection.
    pub predicate: Option<Arc<dyn PhysicalExpr>>,
    /// Output columns; `None` keeps all.
    pub projection: Option<Vec<Arc<dyn PhysicalExpr>>>,
    /// Schema of the output.
    pub schema: SchemaRef,
}

/// How a source makes watermarks.
#[derive(Clone)]
pub struct WatermarkSpec {
    /// Column that holds the event time, in the output of the source's calc; a NULL there is an error.
    pub rowtime: usize,
    /// Name of that column, for messages.
    pub column: String,
    /// Watermark of a row, over the output of the source's calc; a timestamp, NULL gives none.
    pub expr: Arc<dyn PhysicalExpr>,
    /// A watermark is emitted when it grew by more than this since the last one (Flink
    /// `pipeline.auto-watermark-interval`), in milliseconds of event time.
    pub interval_ms: i64,
    /// A split without rows for this long is left out of the minimum; 0 never.
    pub idle_timeout_ms: i64,
    /// The windows downstream: a batch is cut where an emitted watermark crosses an end of one of them, so that what is
    /// late does not depend on how rows are batched. Empty: only one watermark per batch matters.
    pub windows: Vec<(i64, i64)>,
}

/// A tumbling window over a rowtime column.
#[derive(Debug, Clone)]
pub struct WindowSpec {
    /// Rowtime column of the input.
    pub rowtime: usize,
    /// Size in milliseconds.
    pub size_ms: i64,
    /// Offset in milliseconds.
    pub offset_ms: i64,
    /// Type of the window_start, window_end and window_time columns in the output.
    pub time_types: [DataType; 3],
}

/// Keys and aggregates of an aggregation.
#[derive(Debug, Clone)]
pub struct AggregateSpec {
    /// Key columns of the input.
    pub keys: Vec<usize>,
    /// Aggregates.
    pub aggregates: Vec<AggregateCall>,
    /// The input takes rows back (`-U`, `-D`).
    pub input_retracts: bool,
}

/// One aggregate.
#[derive(Debug, Clone, PartialEq)]
pub struct AggregateCall {
    /// Function.
    pub function: AggregateFunction,
    /// Column of the input, `None` for `COUNT(*)`.
    pub argument: Option<usize>,
    /// DISTINCT
    pub distinct: bool,
    /// BOOLEAN column of the input that must be TRUE.
    pub filter: Option<usize>,
    /// Type of the result.
    pub result: DataType,
}

/// Aggregate functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is its own word")]
pub enum AggregateFunction {
    Count,
    Sum,
    Avg,
    Min,
    Max,
}

impl fmt::Display for AggregateFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Count => "COUNT",
            Self::Sum => "SUM",
            Self::Avg => "AVG",
            Self::Min => "MIN",
            Self::Max => "MAX",
        })
    }
}
