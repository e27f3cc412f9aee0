//! What travels between operators: Arrow record batches with an optional row kind per row.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, UInt32Array};
use arrow_schema::SchemaRef;
use arrow_select::{filter::filter_record_batch, take::take_record_batch};
use kobel_model::{Error, Result};

/// What a row of a changelog does.
///
/// # Source
/// Flink `RowKind`; the numbers are its byte values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum RowKind {
    /// `+I`
    Insert = 0,
    /// `-U`
    UpdateBefore = 1,
    /// `+U`
    UpdateAfter = 2,
    /// `-D`
    Delete = 3,
}

impl RowKind {
    /// `+I`, `-U`, `+U` or `-D`.
    pub fn short(self) -> &'static str {
        match self {
            Self::Insert => "+I",
            Self::UpdateBefore => "-U",
            Self::UpdateAfter => "+U",
            Self::Delete => "-D",
        }
    }

    /// Whether the row is added (`+I`, `+U`) rather than taken back.
    pub fn is_addition(self) -> bool {
        matches!(self, Self::Insert | Self::UpdateAfter)
    }
}

/// Rows with their kinds.
///
/// # Invariants
/// If `kinds` is present it has one entry per row; absent means that all rows are `+I`.
#[derive(Debug, Clone)]
pub struct Batch {
    records: RecordBatch,
    kinds: Option<Arc<[RowKind]>>,
}

impl Batch {
    /// Rows that are all `+I`.
    pub fn insert_only(records: RecordBatch) -> Self {
        Self { records, kinds: None }
    }

    /// Rows with a kind each.
    ///
    /// # Errors
    /// Bug if the numbers differ.
    pub fn changelog(records: RecordBatch, kinds: Vec<RowKind>) -> Result<Self> {
        if kinds.len() != records.num_rows() {
            return Err(Error::bug(format!("{} row kinds for {} rows", kinds.len(), records.num_rows())));
        }
        Ok(Self { records, kinds: Some(kinds.into()) })
    }

    /// The same kinds over other columns of as many rows.
    ///
    /// # Errors
    /// Bug if the numbers differ.
    pub fn with_records(&self, records: RecordBatch) -> Result<Self> {
        if records.num_rows() != self.records.num_rows() {
            return Err(Error::bug("an expression changed the number of rows"));
        }
        Ok(Self { records, kinds: self.kinds.clone() })
    }

    /// The columns.
    pub fn records(&self) -> &RecordBatch {
        &self.records
    }

    /// The kinds, if any row is not `+I`.
    pub fn kinds(&self) -> Option<&[RowKind]> {
        self.kinds.as_deref()
    }

    /// The kind of a row.
    pub fn kind(&self, row: usize) -> RowKind {
        self.kinds.as_ref().map_or(RowKind::Insert, |kinds| kinds[row])
    }

    /// Bytes that the rows take in memory; of a slice, those of its rows only.
    pub fn memory_bytes(&self) -> u64 {
        let column = |column: &ArrayRef| column.to_data().get_slice_memory_size().unwrap_or(0) as u64;
        self.records.columns().iter().map(column).sum()
    }

    /// Number of rows.
    pub fn num_rows(&self) -> usize {
        self.records.num_rows()
    }

    /// Schema of the columns.
    pub fn schema(&self) -> SchemaRef {
        self.records.schema()
    }

    /// The rows for which `keep` is TRUE.
    ///
    /// # Errors
    /// Bug if the lengths differ.
    pub fn filter(&self, keep: &BooleanArray) -> Result<Self> {
        let records = filter_record_batch(&self.records, keep).map_err(arrow_bug)?;
        let kinds = self.kinds.as_ref().map(|kinds| {
            let kept = kinds.iter().zip(keep.iter()).filter(|(_, keep)| *keep == Some(true));
            kept.map(|(kind, _)| *kind).collect()
        });
        Ok(Self { records, kinds })
    }

    /// The rows at `indices`, in that order.
    ///
    /// # Errors
    /// Bug if an index is out of range.
    pub fn take(&self, indices: &UInt32Array) -> Result<Self> {
        let records = take_record_batch(&self.records, indices).map_err(arrow_bug)?;
        let kinds = self.kinds.as_ref().map(|kinds| indices.values().iter().map(|row| kinds[*row as usize]).collect());
        Ok(Self { records, kinds })
    }

    /// Rows `offset .. offset + length`, without copying columns.
    pub fn slice(&self, offset: usize, length: usize) -> Self {
        let kinds = self.kinds.as_ref().map(|kinds| kinds[offset..offset + length].into());
        Self { records: self.records.slice(offset, length), kinds }
    }
}

/// An Arrow error that the plan should have made impossible.
pub fn arrow_bug(error: arrow_schema::ArrowError) -> Error {
    Error::bug("an Arrow kernel refused its input").with_source(error)
}
