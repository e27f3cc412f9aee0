//! Metrics of an operator's subtask: rows and event time, and what sources, sinks and windows know beyond that.

use std::sync::atomic::Ordering;

use crate::metrics::{OperatorRole, SubtaskMetrics};
use crate::monitor::definition::{Definition, Reading, counter, gauge, meter};
use crate::monitor::samples::OperatorRates;
use crate::monitor::value::MetricValue;

/// What Flink says of a watermark that has not come.
const NO_WATERMARK: i64 = i64::MIN;
/// The watermark behind the last row of an input that has ended.
const END_WATERMARK: i64 = i64::MAX;

/// What an operator is, as far as its metrics care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperatorKind {
    /// Reads a table.
    Source,
    /// Writes a table.
    Sink,
    /// Groups rows by window, and drops those that come after its end.
    Window,
    /// Anything else.
    Inner,
}

impl OperatorKind {
    /// The kind of an operator with this role and name.
    pub(crate) fn of(role: OperatorRole, name: &str) -> Self {
        match role {
            OperatorRole::Source => Self::Source,
            OperatorRole::Sink => Self::Sink,
            // An operator that only says which window a row belongs to drops none.
            OperatorRole::Inner if name.contains("Window") && !name.starts_with("AssignWindow") => Self::Window,
            OperatorRole::Inner => Self::Inner,
        }
    }
}

/// A moment of an operator's subtask.
#[derive(Debug, Clone)]
pub(crate) struct OperatorReading {
    now_ms: i64,
    kind: OperatorKind,
    rows_in: u64,
    rows_out: u64,
    bytes: u64,
    late_rows: u64,
    watermark: Option<i64>,
    pending_rows: Option<i64>,
    pending_bytes: Option<i64>,
    rates: OperatorRates,
}

impl OperatorReading {
    /// Reads a subtask of an operator.
    pub(crate) fn new(kind: OperatorKind, subtask: &SubtaskMetrics, rates: OperatorRates, now_ms: i64) -> Self {
        Self {
            now_ms,
            kind,
            rows_in: subtask.rows_in.load(Ordering::Relaxed),
            rows_out: subtask.rows_out.load(Ordering::Relaxed),
            bytes: subtask.bytes.load(Ordering::Relaxed),
            late_rows: subtask.late_rows.load(Ordering::Relaxed),
            watermark: subtask.watermark.get(),
            pending_rows: subtask.pending_rows.get(),
            pending_bytes: subtask.pending_bytes.get(),
            rates,
        }
    }

    /// A value that only operators of this kind have.
    fn of(&self, kind: OperatorKind, value: impl Into<MetricValue>) -> Option<MetricValue> {
        (self.kind == kind).then(|| value.into())
    }

    /// How far event time is behind the clock; unknown before the first watermark and behind the last row.
    fn watermark_lag(&self) -> Option<i64> {
        let watermark = self.watermark.filter(|watermark| *watermark != END_WATERMARK)?;
        Some(self.now_ms.saturating_sub(watermark))
    }
}

impl Reading for OperatorReading {
    fn definitions() -> &'static [Definition<Self>] {
        OPERATOR
    }
}

static OPERATOR: &[Definition<OperatorReading>] = &[
    gauge(
        "currentInputWatermark",
        "The last watermark that the operator took, in milliseconds since 1970; the least `BIGINT` before the first. \
         Sources have none.",
        |operator: &OperatorReading| {
            let has_inputs = operator.kind != OperatorKind::Source;
            has_inputs.then(|| operator.watermark.unwrap_or(NO_WATERMARK).into())
        },
    ),
    gauge(
        "currentOutputWatermark",
        "The last watermark that the operator passed on, in milliseconds since 1970; the least `BIGINT` before the \
         first.",
        |operator: &OperatorReading| Some(operator.watermark.unwrap_or(NO_WATERMARK).into()),
    ),
    meter("lateRecordsDroppedRate", "Windows: late rows dropped per second.", |operator: &OperatorReading| {
        operator.of(OperatorKind::Window, operator.rates.late_rows)
    }),
    counter("numBytesIn", "Sources: bytes read, if the connector counts them.", |operator: &OperatorReading| {
        operator.of(OperatorKind::Source, operator.bytes)
    }),
    meter("numBytesInPerSecond", "Sources: bytes read per second.", |operator: &OperatorReading| {
        operator.of(OperatorKind::Source, operator.rates.bytes)
    }),
    counter("numBytesOut", "Sinks: bytes written, if the connector counts them.", |operator: &OperatorReading| {
        operator.of(OperatorKind::Sink, operator.bytes)
    }),
    meter("numBytesOutPerSecond", "Sinks: bytes written per second.", |operator: &OperatorReading| {
        operator.of(OperatorKind::Sink, operator.rates.bytes)
    }),
    counter("numBytesSend", "Sinks: the same as `numBytesOut`.", |operator: &OperatorReading| {
        operator.of(OperatorKind::Sink, operator.bytes)
    }),
    counter(
        "numLateRecordsDropped",
        "Windows: rows dropped because they came after the end of their window.",
        |operator: &OperatorReading| operator.of(OperatorKind::Window, operator.late_rows),
    ),
    counter("numRecordsIn", "Rows taken; of a source: rows read.", |operator: &OperatorReading| {
        Some(operator.rows_in.into())
    }),
    meter("numRecordsInPerSecond", "Rows taken per second; of a source: read.", |operator: &OperatorReading| {
        Some(operator.rates.rows_in.into())
    }),
    counter("numRecordsOut", "Rows yielded; of a sink: rows written.", |operator: &OperatorReading| {
        Some(operator.rows_out.into())
    }),
    meter("numRecordsOutPerSecond", "Rows yielded per second; of a sink: written.", |operator: &OperatorReading| {
        Some(operator.rates.rows_out.into())
    }),
    counter("numRecordsSend", "Sinks: rows written.", |operator: &OperatorReading| {
        operator.of(OperatorKind::Sink, operator.rows_out)
    }),
    counter(
        "numRecordsSendErrors",
        "Sinks: rows that could not be written: always 0, a job fails at the first.",
        |operator: &OperatorReading| operator.of(OperatorKind::Sink, 0_u64),
    ),
    gauge(
        "pendingBytes",
        "Sources: bytes that are known to be still to read, if the connector knows.",
        |operator: &OperatorReading| operator.pending_bytes.map(MetricValue::from),
    ),
    gauge(
        "pendingRecords",
        "Sources: rows that are known to be still to read, if the connector knows.",
        |operator: &OperatorReading| operator.pending_rows.map(MetricValue::from),
    ),
    gauge(
        "watermarkLag",
        "Sources: milliseconds by which the watermark is behind the clock; only while there is a watermark.",
        |operator: &OperatorReading| operator.watermark_lag().and_then(|lag| operator.of(OperatorKind::Source, lag)),
    ),
    gauge(
        "watermarkLatency",
        "Windows: milliseconds by which the watermark is behind the clock; 0 without a watermark.",
        |operator: &OperatorReading| operator.of(OperatorKind::Window, operator.watermark_lag().unwrap_or_default()),
    ),
];
