//! The batch answer: a plan evaluated from scratch over all rows of a prefix, with none of the streaming operators.
//!
//! Only scalar expressions are shared with the engine. Windows are complete up to the watermark of the prefix, the least
//! over the splits; everything else is what a batch engine would answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, TimestampMillisecondArray};
use arrow_select::concat::concat_batches;
use arrow_select::filter::filter_record_batch;
use datafusion_common::ScalarValue;
use kobel_dataflow::operators::calc::evaluate;
use kobel_model::{Error, Result};
use kobel_sql::lower::ExprContext;
use kobel_sql::lower::expression::lower_expr;
use kobel_sql::plan::{Aggregate, AggregateFunction, Expr, Rel, RelKind, Schema, Window};

use crate::memory::Splits;

/// A row as values that can be compared and counted.
pub type Row = Vec<String>;
/// Rows with how often each occurs.
pub type Multiset = BTreeMap<Row, i64>;

/// The batch answer of a plan over tables.
pub struct Oracle<'a> {
    /// Rows by table and split.
    pub tables: &'a BTreeMap<String, Splits>,
    /// What expressions depend on.
    pub context: ExprContext,
}

/// A relation and the watermark that its rows have reached.
struct Answer {
    rows: RecordBatch,
    watermark: i64,
}

/// A row of a batch as text, types apart.
pub fn row(records: &RecordBatch, index: usize) -> Result<Row> {
    let value = |column: &ArrayRef| ScalarValue::try_from_array(column, index).map(|value| format!("{value:?}"));
    let row = records.columns().iter().map(value).collect::<Result<Row, _>>();
    row.map_err(|error| Error::bug("cannot read a row").with_source(error))
}

impl Oracle<'_> {
    /// The rows of the answer.
    ///
    /// # Errors
    /// Those of expressions.
    pub fn answer(&self, rel: &Rel) -> Result<Multiset> {
        let answer = self.relation(rel)?;
        let mut rows = Multiset::new();
        for index in 0..answer.rows.num_rows() {
            *rows.entry(row(&answer.rows, index)?).or_default() += 1;
        }
        Ok(rows)
    }

    fn relation(&self, rel: &Rel) -> Result<Answer> {
        match &rel.kind {
            RelKind::Scan(_) => self.scan(rel),
            RelKind::Values(rows) => self.values(rel, rows),
            RelKind::Project { input, exprs } => self.project(rel, input, exprs),
            RelKind::Filter { input, predicate } => {
                let input = self.relation(input)?;
                let keep = self.evaluate(predicate, &input.rows)?;
                let rows = filter_record_batch(&input.rows, keep.as_boolean()).map_err(arrow)?;
                Ok(Answer { rows, ..input })
            }
            RelKind::Watermark { input, expr, .. } => self.watermark(input, expr),
            RelKind::UnionAll(inputs) => {
                let inputs = inputs.iter().map(|input| self.relation(input)).collect::<Result<Vec<_>>>()?;
                let watermark = inputs.iter().map(|input| input.watermark).min().unwrap_or(i64::MAX);
                Ok(Answer { rows: self.stack(rel, inputs.iter().map(|input| &input.rows))?, watermark })
            }
            RelKind::Tumble { input, window } => {
                let input = self.relation(input)?;
                let ends = window_ends(&input.rows, window);
                let mut columns = input.rows.columns().to_vec();
                columns.extend(window_columns(&ends, window, &rel.schema)?);
                Ok(Answer { rows: batch(&rel.schema, columns, input.rows.num_rows())?, ..input })
            }
            RelKind::WindowAggregate { input, window, keys, aggregates } => {
                let input = self.relation(input)?;
                let ends = window_ends(&input.rows, window);
                let closed: BooleanArray = ends.iter().map(|end| Some(end - 1 <= input.watermark)).collect();
                let rows = filter_record_batch(&input.rows, &closed).map_err(arrow)?;
                let ends: Vec<_> = ends.into_iter().filter(|end| end - 1 <= input.watermark).collect();
                let mut groups = groups(&rows, keys, &ends)?;
                let ends: Vec<_> = groups.values().map(|rows| ends[rows[0]]).collect();
                let mut columns = aggregate(&rows, keys, aggregates, &mut groups)?;
                columns.extend(window_columns(&ends, window, &rel.schema)?);
                Ok(Answer { rows: batch(&rel.schema, columns, groups.len())?, ..input })
            }
            RelKind::GroupAggregate { input, keys, aggregates } => {
                let input = self.relation(input)?;
                let same = vec![0; input.rows.num_rows()];
                let mut groups = groups(&input.rows, keys, &same)?;
                let columns = aggregate(&input.rows, keys, aggregates, &mut groups)?;
                Ok(Answer { rows: batch(&rel.schema, columns, groups.len())?, ..input })
            }
        }
    }

    fn evaluate(&self, expr: &Expr, rows: &RecordBatch) -> Result<ArrayRef> {
        evaluate(&lower_expr(expr, &self.context)?, rows)
    }

    fn stack<'b>(&self, rel: &Rel, batches: impl Iterator<Item = &'b RecordBatch>) -> Result<RecordBatch> {
        let schema = nullable(&rel.schema);
        let cast = |rows: &RecordBatch| RecordBatch::try_new(schema.clone(), rows.columns().to_vec()).map_err(arrow);
        let batches = batches.map(cast).collect::<Result<Vec<_>>>()?;
        concat_batches(&schema, &batches).map_err(arrow)
    }

    fn splits(&self, rel: &Rel) -> Result<Vec<RecordBatch>> {
        let RelKind::Scan(scan) = &rel.kind else { return Err(Error::bug("not a scan")) };
        let splits = self.tables.get(&scan.table.name).ok_or_else(|| Error::bug("no such table"))?;
        splits.iter().map(|split| split.project(&scan.columns).map_err(arrow)).collect()
    }

    fn scan(&self, rel: &Rel) -> Result<Answer> {
        let splits = self.splits(rel)?;
        Ok(Answer { rows: self.stack(rel, splits.iter())?, watermark: i64::MIN })
    }

    fn values(&self, rel: &Rel, rows: &[Vec<Expr>]) -> Result<Answer> {
        let options = RecordBatchOptions::new().with_row_count(Some(1));
        let unit = RecordBatch::try_new_with_options(Arc::new(arrow_schema::Schema::empty()), vec![], &options)
            .map_err(arrow)?;
        let mut batches = Vec::new();
        for row in rows {
            let columns = row.iter().map(|expr| self.evaluate(expr, &unit)).collect::<Result<_>>()?;
            batches.push(batch(&rel.schema, columns, 1)?);
        }
        Ok(Answer { rows: self.stack(rel, batches.iter())?, watermark: i64::MAX })
    }

    fn project(&self, rel: &Rel, input: &Rel, exprs: &[Expr]) -> Result<Answer> {
        let input = self.relation(input)?;
        let columns = exprs.iter().map(|expr| self.evaluate(expr, &input.rows)).collect::<Result<_>>()?;
        Ok(Answer { rows: batch(&rel.schema, columns, input.rows.num_rows())?, ..input })
    }

    /// The least over the splits of the greatest watermark of their rows.
    fn watermark(&self, input: &Rel, expr: &Expr) -> Result<Answer> {
        let (scan, exprs) = match &input.kind {
            RelKind::Project { input, exprs } => (input.as_ref(), Some(exprs)),
            _ => (input, None),
        };
        let mut watermark = i64::MAX;
        for split in self.splits(scan)? {
            let columns = match exprs {
                Some(exprs) => exprs.iter().map(|expr| self.evaluate(expr, &split)).collect::<Result<_>>()?,
                None => split.columns().to_vec(),
            };
            let rows = batch(&input.schema, columns, split.num_rows())?;
            let marks = self.evaluate(expr, &rows)?;
            let greatest = marks.as_primitive::<TimestampMillisecondType>().iter().flatten().max();
            watermark = watermark.min(greatest.unwrap_or(i64::MIN));
        }
        Ok(Answer { watermark, ..self.relation(input)? })
    }
}

fn arrow(error: arrow_schema::ArrowError) -> Error {
    Error::bug("the oracle failed").with_source(error)
}

fn nullable(schema: &Schema) -> arrow_schema::SchemaRef {
    let field = |column: &kobel_sql::plan::Column| arrow_schema::Field::new(&column.name, column.ty.kind.arrow(), true);
    Arc::new(arrow_schema::Schema::new(schema.columns.iter().map(field).collect::<Vec<_>>()))
}

fn batch(schema: &Schema, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(nullable(schema), columns, &options).map_err(arrow)
}

fn window_ends(rows: &RecordBatch, window: &Window) -> Vec<i64> {
    let times = rows.column(window.rowtime).as_primitive::<TimestampMillisecondType>();
    let end = |time: i64| {
        (time - window.offset_ms).div_euclid(window.size_ms) * window.size_ms + window.size_ms + window.offset_ms
    };
    times.values().iter().map(|time| end(*time)).collect()
}

fn window_columns(ends: &[i64], window: &Window, schema: &Schema) -> Result<Vec<ArrayRef>> {
    let types = schema.columns[schema.columns.len() - 3..].iter().map(|column| column.ty.kind.arrow());
    let shifts = [window.size_ms, 0, 1];
    let column = |(ty, shift): (arrow_schema::DataType, i64)| {
        let times: TimestampMillisecondArray = ends.iter().map(|end| Some(end - shift)).collect();
        let data = times.into_data().into_builder().data_type(ty).build().map_err(arrow)?;
        Ok(arrow_array::make_array(data))
    };
    types.zip(shifts).map(column).collect()
}

/// The rows of each group, by key (and window).
type Groups = BTreeMap<(i64, Row), Vec<usize>>;

fn groups(rows: &RecordBatch, keys: &[usize], ends: &[i64]) -> Result<Groups> {
    let keys = rows.project(keys).map_err(arrow)?;
    let mut groups = Groups::new();
    for (index, end) in ends.iter().enumerate() {
        groups.entry((*end, row(&keys, index)?)).or_default().push(index);
    }
    Ok(groups)
}

/// Key columns, then aggregate columns, one row per group.
fn aggregate(
    rows: &RecordBatch,
    keys: &[usize],
    aggregates: &[Aggregate],
    groups: &mut Groups,
) -> Result<Vec<ArrayRef>> {
    let failed = |error| Error::bug("the oracle cannot aggregate").with_source(error);
    let mut columns = Vec::new();
    for key in keys {
        let values = groups.values().map(|group| ScalarValue::try_from_array(rows.column(*key), group[0]));
        columns.push(values.collect::<Result<Vec<_>, _>>().map_err(failed)?);
    }
    for aggregate in aggregates {
        let mut results = Vec::new();
        for group in groups.values() {
            results.push(one(rows, aggregate, group)?);
        }
        columns.push(results);
    }
    let types = keys.iter().map(|key| rows.column(*key).data_type().clone());
    let types = types.chain(aggregates.iter().map(|aggregate| aggregate.ty.kind.arrow()));
    let column = |(values, ty): (Vec<ScalarValue>, arrow_schema::DataType)| {
        if values.is_empty() {
            Ok(arrow_array::new_empty_array(&ty))
        } else {
            ScalarValue::iter_to_array(values).map_err(failed)
        }
    };
    columns.into_iter().zip(types).map(column).collect()
}

/// One aggregate over one group.
fn one(rows: &RecordBatch, aggregate: &Aggregate, group: &[usize]) -> Result<ScalarValue> {
    let failed = |error| Error::bug("the oracle cannot aggregate").with_source(error);
    let kept = group.iter().copied().filter(|row| {
        aggregate.filter.is_none_or(|filter| {
            let filter = rows.column(filter).as_boolean();
            filter.is_valid(*row) && filter.value(*row)
        })
    });
    let Some(argument) = aggregate.argument else { return Ok(ScalarValue::Int64(Some(kept.count() as i64))) };
    let values = kept.map(|row| ScalarValue::try_from_array(rows.column(argument), row));
    let mut values = values.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    values.retain(|value| !value.is_null());
    if aggregate.distinct {
        let mut seen = std::collections::HashSet::new();
        values.retain(|value| seen.insert(format!("{value:?}")));
    }
    let null = ScalarValue::try_from(&aggregate.ty.kind.arrow()).map_err(failed)?;
    let less = |left: &ScalarValue, right: &ScalarValue| left.partial_cmp(right).unwrap_or(std::cmp::Ordering::Equal);
    Ok(match aggregate.function {
        AggregateFunction::Count => ScalarValue::Int64(Some(values.len() as i64)),
        AggregateFunction::Min => values.into_iter().min_by(less).unwrap_or(null),
        AggregateFunction::Max => values.into_iter().max_by(less).unwrap_or(null),
        AggregateFunction::Sum => {
            if values.is_empty() {
                null
            } else {
                number(total(&values), 1, &null)
            }
        }
        AggregateFunction::Avg => {
            if values.is_empty() {
                null
            } else {
                number(total(&values), values.len() as i64, &null)
            }
        }
    })
}

/// The sum of numbers: as a whole number and as a double.
fn total(values: &[ScalarValue]) -> (i64, f64) {
    values.iter().fold((0, 0.0), |(whole, double), value| match value {
        ScalarValue::Int8(Some(v)) => (whole + i64::from(*v), double),
        ScalarValue::Int16(Some(v)) => (whole + i64::from(*v), double),
        ScalarValue::Int32(Some(v)) => (whole + i64::from(*v), double),
        ScalarValue::Int64(Some(v)) => (whole.wrapping_add(*v), double),
        ScalarValue::Float64(Some(v)) => (whole, double + v),
        _ => (whole, f64::NAN),
    })
}

/// `total / count` as a value of the type of `like`.
fn number((whole, double): (i64, f64), count: i64, like: &ScalarValue) -> ScalarValue {
    match like {
        ScalarValue::Int8(_) => ScalarValue::Int8(Some((whole / count) as i8)),
        ScalarValue::Int16(_) => ScalarValue::Int16(Some((whole / count) as i16)),
        ScalarValue::Int32(_) => ScalarValue::Int32(Some((whole / count) as i32)),
        ScalarValue::Int64(_) => ScalarValue::Int64(Some(whole / count)),
        _ => ScalarValue::Float64(Some(double / count as f64)),
    }
}
