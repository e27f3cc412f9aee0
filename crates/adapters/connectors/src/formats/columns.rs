//! Typed builders of the columns that a decoder is asked for.
//!
//! A value is parsed before anything is appended, so a value that is refused leaves its column as it was.

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder, Float64Builder, Int8Builder,
    Int16Builder, Int32Builder, Int64Builder, StringBuilder, Time32MillisecondBuilder, TimestampMicrosecondBuilder,
    TimestampMillisecondBuilder, TimestampNanosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Schema, SchemaRef, TimeUnit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kobel_dataflow::batch::arrow_bug;
use kobel_model::{Error, Result};
use kobel_sql::catalog::PhysicalColumn;
use kobel_sql::types::{TypeKind, time_unit};

use super::calendar::{self, Moment, Style};
use super::codec::{Fault, shown};
use super::numbers::{self, Decimal, java_trim};

/// The schema of the columns `asked` of a table.
pub(crate) fn schema(physical: &[PhysicalColumn], asked: &[usize]) -> Result<SchemaRef> {
    let columns = columns(physical, asked)?;
    let fields: Vec<_> = columns.iter().map(|column| column.ty.field(&column.name)).collect();
    Ok(Arc::new(Schema::new(fields)))
}

fn columns<'a>(physical: &'a [PhysicalColumn], asked: &[usize]) -> Result<Vec<&'a PhysicalColumn>> {
    let columns: Option<Vec<_>> = asked.iter().map(|index| physical.get(*index)).collect();
    columns.ok_or_else(|| Error::bug("a scan asks for a column that its table does not have"))
}

/// Rows being built.
pub(crate) struct RowsBuilder {
    schema: SchemaRef,
    columns: Vec<ColumnBuilder>,
    rows: usize,
}

impl RowsBuilder {
    /// A builder of the columns `asked`.
    ///
    /// # Errors
    /// Bug if a type is none of a table column.
    pub fn new(physical: &[PhysicalColumn], asked: &[usize]) -> Result<Self> {
        let builders = columns(physical, asked)?.into_iter().map(ColumnBuilder::new).collect::<Result<_>>()?;
        Ok(Self { schema: schema(physical, asked)?, columns: builders, rows: 0 })
    }

    /// The columns in the order asked.
    pub fn columns_mut(&mut self) -> &mut [ColumnBuilder] {
        &mut self.columns
    }

    /// Counts a row that every column has got a value for.
    pub fn end_row(&mut self) {
        self.rows += 1;
    }

    /// Rows since the last `finish`.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The rows.
    ///
    /// # Errors
    /// Bug if the columns are not of one length.
    pub fn finish(&mut self) -> Result<RecordBatch> {
        let arrays: Vec<ArrayRef> = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        self.rows = 0;
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options).map_err(arrow_bug)
    }
}

/// A column being built.
pub(crate) struct ColumnBuilder {
    name: String,
    kind: TypeKind,
    is_nullable: bool,
    cells: Cells,
}

enum Cells {
    Boolean(BooleanBuilder),
    TinyInt(Int8Builder),
    SmallInt(Int16Builder),
    Int(Int32Builder),
    BigInt(Int64Builder),
    Float(Float32Builder),
    Double(Float64Builder),
    Decimal(Decimal128Builder),
    Text(StringBuilder),
    Bytes(BinaryBuilder),
    Date(Date32Builder),
    Time(Time32MillisecondBuilder),
    Millis(TimestampMillisecondBuilder),
    Micros(TimestampMicrosecondBuilder),
    Nanos(TimestampNanosecondBuilder),
}

macro_rules! with_builder {
    ($cells:expr, $builder:ident => $body:expr) => {
        match $cells {
            Cells::Boolean($builder) => $body,
            Cells::TinyInt($builder) => $body,
            Cells::SmallInt($builder) => $body,
            Cells::Int($builder) => $body,
            Cells::BigInt($builder) => $body,
            Cells::Float($builder) => $body,
            Cells::Double($builder) => $body,
            Cells::Decimal($builder) => $body,
            Cells::Text($builder) => $body,
            Cells::Bytes($builder) => $body,
            Cells::Date($builder) => $body,
            Cells::Time($builder) => $body,
            Cells::Millis($builder) => $body,
            Cells::Micros($builder) => $body,
            Cells::Nanos($builder) => $body,
        }
    };
}

impl Cells {
    fn new(kind: TypeKind) -> Result<Self> {
        Ok(match kind {
            TypeKind::Boolean => Self::Boolean(BooleanBuilder::new()),
            TypeKind::TinyInt => Self::TinyInt(Int8Builder::new()),
            TypeKind::SmallInt => Self::SmallInt(Int16Builder::new()),
            TypeKind::Int => Self::Int(Int32Builder::new()),
            TypeKind::BigInt => Self::BigInt(Int64Builder::new()),
            TypeKind::Float => Self::Float(Float32Builder::new()),
            TypeKind::Double => Self::Double(Float64Builder::new()),
            TypeKind::Decimal(..) => Self::Decimal(Decimal128Builder::new().with_data_type(kind.arrow())),
            TypeKind::Char(_) | TypeKind::Varchar(_) => Self::Text(StringBuilder::new()),
            TypeKind::Binary(_) | TypeKind::Varbinary(_) => Self::Bytes(BinaryBuilder::new()),
            TypeKind::Date => Self::Date(Date32Builder::new()),
            TypeKind::Time(_) => Self::Time(Time32MillisecondBuilder::new()),
            TypeKind::Timestamp(precision) | TypeKind::TimestampLtz(precision) => match time_unit(precision) {
                TimeUnit::Nanosecond => Self::Nanos(TimestampNanosecondBuilder::new().with_data_type(kind.arrow())),
                TimeUnit::Microsecond => Self::Micros(TimestampMicrosecondBuilder::new().with_data_type(kind.arrow())),
                TimeUnit::Second | TimeUnit::Millisecond => {
                    Self::Millis(TimestampMillisecondBuilder::new().with_data_type(kind.arrow()))
                }
            },
            TypeKind::Null | TypeKind::IntervalMonths | TypeKind::IntervalMillis => {
                return Err(Error::bug(format!("a table has a column of type `{kind}`")));
            }
        })
    }
}

impl ColumnBuilder {
    fn new(column: &PhysicalColumn) -> Result<Self> {
        Ok(Self {
            name: column.name.clone(),
            kind: column.ty.kind,
            is_nullable: column.ty.nullable,
            cells: Cells::new(column.ty.kind)?,
        })
    }

    /// Name of the column.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Type of the column.
    pub fn kind(&self) -> TypeKind {
        self.kind
    }

    /// Appends NULL.
    ///
    /// # Errors
    /// If the column is NOT NULL.
    pub fn append_null(&mut self) -> std::result::Result<(), Fault> {
        if !self.is_nullable {
            return Err(Fault::of_column(&self.name, "is NOT NULL, but the value is missing or NULL"));
        }
        with_builder!(&mut self.cells, builder => builder.append_null());
        Ok(())
    }

    /// Appends `true` or `false` without quotes: a BOOLEAN, or its name as text. Types whose text might read the same
    /// refuse it.
    ///
    /// # Errors
    /// If the column has another type.
    pub fn append_truth(&mut self, word: &str) -> std::result::Result<(), Fault> {
        match &mut self.cells {
            Cells::Boolean(builder) => builder.append_value(numbers::boolean(word)),
            Cells::Text(builder) => builder.append_value(word),
            _ => return Err(self.refuse(word)),
        }
        Ok(())
    }

    /// Appends a number that is written with a fraction or an exponent; INT and BIGINT cut it off.
    ///
    /// # Errors
    /// If the number is out of range.
    pub fn append_fraction(&mut self, text: &str, style: Style) -> std::result::Result<(), Fault> {
        let number: Option<f64> = text.parse().ok();
        // Beyond the range Jackson reports an overflow; the bounds are those of the type as a double.
        let is_within = |low: f64, high: f64| number.is_some_and(|number| (low..=high).contains(&number));
        match &mut self.cells {
            Cells::Int(builder) if is_within(f64::from(i32::MIN), f64::from(i32::MAX)) => {
                builder.append_value(number.unwrap_or_default() as i32);
            }
            Cells::BigInt(builder) if is_within(i64::MIN as f64, i64::MAX as f64) => {
                builder.append_value(number.unwrap_or_default() as i64);
            }
            _ => return self.append_text(text, style),
        }
        Ok(())
    }

    /// Appends a value given as text.
    ///
    /// # Errors
    /// If the text is no value of the type.
    pub fn append_text(&mut self, text: &str, style: Style) -> std::result::Result<(), Fault> {
        let appended = match &mut self.cells {
            Cells::Boolean(builder) => {
                builder.append_value(numbers::boolean(text));
                Some(())
            }
            Cells::Text(builder) => {
                builder.append_value(text);
                Some(())
            }
            Cells::TinyInt(builder) => numbers::integer(text).map(|value| builder.append_value(value)),
            Cells::SmallInt(builder) => numbers::integer(text).map(|value| builder.append_value(value)),
            Cells::Int(builder) => numbers::integer(text).map(|value| builder.append_value(value)),
            Cells::BigInt(builder) => numbers::integer(text).map(|value| builder.append_value(value)),
            Cells::Float(builder) => numbers::float(text).map(|value| builder.append_value(value)),
            Cells::Double(builder) => numbers::float(text).map(|value| builder.append_value(value)),
            Cells::Bytes(builder) => STANDARD.decode(text).ok().map(|value| builder.append_value(value)),
            Cells::Date(builder) => calendar::date(text, style).map(|value| builder.append_value(value)),
            Cells::Time(builder) => {
                let precision = if let TypeKind::Time(precision) = self.kind { precision } else { 0 };
                calendar::time(text, style, precision).map(|value| builder.append_value(value))
            }
            Cells::Decimal(_) => return self.append_decimal(text, style),
            Cells::Millis(builder) => moment(self.kind, text, style)
                .and_then(|moment| moment.ticks(1_000))
                .map(|value| builder.append_value(value)),
            Cells::Micros(builder) => moment(self.kind, text, style)
                .and_then(|moment| moment.ticks(1_000_000))
                .map(|value| builder.append_value(value)),
            Cells::Nanos(builder) => match moment(self.kind, text, style) {
                None => None,
                Some(moment) => {
                    let Some(ticks) = moment.ticks(1_000_000_000) else { return Err(self.refuse_distant(text)) };
                    builder.append_value(ticks);
                    Some(())
                }
            },
        };
        appended.ok_or_else(|| self.refuse(text))
    }

    /// A number with too many digits is NULL, as in Flink.
    fn append_decimal(&mut self, text: &str, style: Style) -> std::result::Result<(), Fault> {
        let TypeKind::Decimal(precision, scale) = self.kind else { return Err(self.refuse(text)) };
        let trimmed = if style == Style::Csv { text } else { java_trim(text) };
        match (numbers::decimal(trimmed, precision, scale), &mut self.cells) {
            (Some(Decimal::Unscaled(value)), Cells::Decimal(builder)) => {
                builder.append_value(value);
                Ok(())
            }
            (Some(Decimal::Overflow), _) => self.append_null(),
            _ => Err(self.refuse(text)),
        }
    }

    /// The complaint about a value.
    pub fn refuse(&self, value: &str) -> Fault {
        let expected = match self.kind {
            TypeKind::TinyInt => "a whole number from -128 to 127",
            TypeKind::SmallInt => "a whole number from -32768 to 32767",
            TypeKind::Int => "a whole number from -2147483648 to 2147483647",
            TypeKind::BigInt => "a whole number from -9223372036854775808 to 9223372036854775807",
            TypeKind::Float | TypeKind::Double | TypeKind::Decimal(..) => "a number such as `-1.5` or `1e3`",
            TypeKind::Binary(_) | TypeKind::Varbinary(_) => "base64 with padding",
            TypeKind::Date => "a date such as `2013-01-31`",
            TypeKind::Time(_) => "a time such as `05:15:00`",
            TypeKind::Timestamp(_) => "a timestamp such as `2013-01-01 05:15:00.123`",
            TypeKind::TimestampLtz(_) => "a timestamp in UTC such as `2013-01-01 05:15:00.123Z`",
            _ => "a value of the type",
        };
        let message = format!("`{}` is no `{}`: expected {expected}", shown(value), self.kind);
        Fault::of_column(&self.name, message)
    }

    /// The complaint about a moment that 64 bits of nanoseconds do not reach.
    fn refuse_distant(&self, value: &str) -> Fault {
        let message = format!(
            "`{}` is out of range of `{}`: nanoseconds reach from 1677-09-21 to 2262-04-11",
            shown(value),
            self.kind
        );
        Fault::of_column(&self.name, message)
    }

    fn finish(&mut self) -> ArrayRef {
        with_builder!(&mut self.cells, builder => Arc::new(builder.finish()))
    }
}

fn moment(kind: TypeKind, text: &str, style: Style) -> Option<Moment> {
    match kind {
        TypeKind::TimestampLtz(_) => calendar::instant(text, style),
        _ => calendar::timestamp(text, style),
    }
}
