//! Columns of made-up values, a batch at a time.
//!
//! Randomness is a hash of seed, column and row (the finaliser of splitmix64), so there is no state to carry.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};
use arrow_array::{ArrayRef, BinaryArray, BooleanArray, PrimitiveArray, StringArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::TimeUnit;
use kobel_dataflow::batch::arrow_bug;
use kobel_model::{Error, Result};
use kobel_sql::types::{TypeKind, time_unit};

const MILLIS_OF_DAY: i64 = 86_400_000;
/// The increment of splitmix64.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
/// Keeps the draws of NULL apart from those of values.
const NULL_SALT: u64 = 0x6a09_e667_f3bc_c908;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// How the values of a column come about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Generator {
    Boolean,
    Whole {
        span: Span,
    },
    Approximate {
        min: f64,
        max: f64,
    },
    Decimal {
        min: i128,
        max: i128,
    },
    Text {
        length: Length,
    },
    Bytes {
        length: Length,
    },
    /// The time of generation less a random part of `millis`.
    Past {
        millis: Span,
    },
    Sequence {
        start: i64,
    },
}

/// Whole numbers from a least to a greatest, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    min: i64,
    /// How many numbers there are; up to 2⁶⁴.
    count: u128,
}

impl Span {
    /// The numbers from `min` to `max`.
    pub fn new(min: i64, max: i64) -> Self {
        Self { min, count: u128::from(max.abs_diff(min)) + 1 }
    }

    /// A number of the span for a random one.
    fn pick(self, random: u64) -> i64 {
        // The product is below 2¹²⁸ and its upper half below the count, so nothing is cut off.
        let offset = ((u128::from(random) * self.count) >> 64) as u64;
        self.min.wrapping_add_unsigned(offset)
    }
}

/// The length of strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Length {
    pub most: usize,
    /// Random from 1 to `most`.
    pub is_varying: bool,
}

impl Length {
    fn pick(self, random: u64) -> usize {
        if !self.is_varying || self.most == 0 {
            return self.most;
        }
        let most = i64::try_from(self.most).unwrap_or(i64::MAX);
        usize::try_from(Span::new(1, most).pick(random)).unwrap_or(self.most)
    }
}

/// Rows of a table by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rows {
    pub first: u64,
    pub step: u64,
    pub count: usize,
}

impl Rows {
    fn numbers(self) -> impl ExactSizeIterator<Item = u64> {
        (0..self.count).map(move |index| self.first.wrapping_add(self.step.wrapping_mul(index as u64)))
    }

    /// A random number for each row.
    fn draws(self, key: u64) -> impl ExactSizeIterator<Item = u64> {
        self.numbers().map(move |number| draw(key, number))
    }
}

/// The finaliser of splitmix64.
fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn draw(key: u64, number: u64) -> u64 {
    mix(key.wrapping_add(number.wrapping_mul(GOLDEN)))
}

/// A number in 0 ≤ x < 1.
fn unit(random: u64) -> f64 {
    (random >> 11) as f64 / (1_u64 << 53) as f64
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    kind: TypeKind,
    generator: Generator,
    null_rate: f64,
    salt: u64,
}

impl Column {
    /// The physical column `index`.
    pub fn new(kind: TypeKind, generator: Generator, null_rate: f64, index: usize) -> Self {
        Self { kind, generator, null_rate, salt: mix(index as u64 + 1) }
    }

    /// The most bytes that a value takes.
    pub fn bytes_per_row(&self) -> usize {
        match self.generator {
            Generator::Text { length } | Generator::Bytes { length } => length.most + 4,
            _ => 16,
        }
    }

    /// The values of some rows.
    ///
    /// # Errors
    /// Bug if the generator does not fit the type.
    pub fn generate(&self, seed: u64, rows: Rows, now_ms: i64) -> Result<ArrayRef> {
        let key = mix(seed ^ self.salt);
        let nulls = self.nulls(key, rows);
        match self.generator {
            Generator::Boolean => {
                let values = BooleanBuffer::from_iter(rows.draws(key).map(|random| random >> 63 == 1));
                Ok(Arc::new(BooleanArray::new(values, nulls)))
            }
            Generator::Whole { span } => self.whole(rows.draws(key).map(|random| span.pick(random)), nulls),
            Generator::Approximate { min, max } => {
                // Written like this the difference of the bounds cannot overflow.
                let values = rows.draws(key).map(|random| min * (1.0 - unit(random)) + max * unit(random));
                self.approximate(values, nulls)
            }
            Generator::Decimal { min, max } => {
                let count = max.abs_diff(min).saturating_add(1);
                let wide = |number| (u128::from(draw(key, number)) << 64) | u128::from(draw(!key, number));
                let values = rows.numbers().map(|number| min.wrapping_add_unsigned(wide(number) % count));
                Ok(self.primitive::<Decimal128Type>(values, nulls))
            }
            Generator::Text { length } => {
                let (offsets, data) = strings(key, rows, length, |random| HEX[usize::from(random & 15)]);
                Ok(Arc::new(StringArray::try_new(offsets, data, nulls).map_err(arrow_bug)?))
            }
            Generator::Bytes { length } => {
                let (offsets, data) = strings(key, rows, length, |random| random);
                Ok(Arc::new(BinaryArray::try_new(offsets, data, nulls).map_err(arrow_bug)?))
            }
            Generator::Past { millis } => {
                self.moments(rows.draws(key).map(|random| now_ms.saturating_sub(millis.pick(random))), nulls)
            }
            Generator::Sequence { start } => self.sequence(rows.numbers().map(|row| start.wrapping_add_unsigned(row))),
        }
    }

    fn nulls(&self, key: u64, rows: Rows) -> Option<NullBuffer> {
        if self.null_rate <= 0.0 {
            return None;
        }
        let valid = rows.draws(key ^ NULL_SALT).map(|random| unit(random) >= self.null_rate);
        Some(NullBuffer::new(BooleanBuffer::from_iter(valid)))
    }

    fn primitive<T: ArrowPrimitiveType>(
        &self,
        values: impl ExactSizeIterator<Item = T::Native>,
        nulls: Option<NullBuffer>,
    ) -> ArrayRef {
        let values: ScalarBuffer<T::Native> = values.collect::<Vec<_>>().into();
        Arc::new(PrimitiveArray::<T>::new(values, nulls).with_data_type(self.kind.arrow()))
    }

    /// The settings have checked that the values fit the type.
    fn whole(&self, values: impl ExactSizeIterator<Item = i64>, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
        Ok(match self.kind {
            TypeKind::TinyInt => self.primitive::<Int8Type>(values.map(|value| value as i8), nulls),
            TypeKind::SmallInt => self.primitive::<Int16Type>(values.map(|value| value as i16), nulls),
            TypeKind::Int => self.primitive::<Int32Type>(values.map(|value| value as i32), nulls),
            TypeKind::BigInt => self.primitive::<Int64Type>(values, nulls),
            _ => return Err(self.misfit()),
        })
    }

    fn approximate(&self, values: impl ExactSizeIterator<Item = f64>, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
        Ok(match self.kind {
            TypeKind::Float => self.primitive::<Float32Type>(values.map(|value| value as f32), nulls),
            TypeKind::Double => self.primitive::<Float64Type>(values, nulls),
            _ => return Err(self.misfit()),
        })
    }

    fn sequence(&self, values: impl ExactSizeIterator<Item = i64>) -> Result<ArrayRef> {
        match self.kind {
            TypeKind::Float | TypeKind::Double => self.approximate(values.map(|value| value as f64), None),
            TypeKind::Decimal(_, scale) => {
                let unit = 10_i128.pow(u32::from(scale));
                Ok(self.primitive::<Decimal128Type>(values.map(|value| i128::from(value) * unit), None))
            }
            TypeKind::Char(_) | TypeKind::Varchar(_) => {
                let mut texts = StringBuilder::new();
                values.for_each(|value| texts.append_value(value.to_string()));
                Ok(Arc::new(texts.finish()))
            }
            _ => self.whole(values, None),
        }
    }

    /// Timestamps, dates and times of instants in UTC.
    fn moments(&self, millis: impl ExactSizeIterator<Item = i64>, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
        Ok(match self.kind {
            TypeKind::Date => {
                let days = millis.map(|millis| i32::try_from(millis.div_euclid(MILLIS_OF_DAY)).unwrap_or(i32::MIN));
                self.primitive::<Date32Type>(days, nulls)
            }
            TypeKind::Time(_) => {
                let times = millis.map(|millis| i32::try_from(millis.rem_euclid(MILLIS_OF_DAY)).unwrap_or(0));
                self.primitive::<Time32MillisecondType>(times, nulls)
            }
            TypeKind::Timestamp(precision) | TypeKind::TimestampLtz(precision) => match time_unit(precision) {
                TimeUnit::Nanosecond => self
                    .primitive::<TimestampNanosecondType>(millis.map(|millis| millis.saturating_mul(1_000_000)), nulls),
                TimeUnit::Microsecond => {
                    self.primitive::<TimestampMicrosecondType>(millis.map(|millis| millis.saturating_mul(1_000)), nulls)
                }
                TimeUnit::Second | TimeUnit::Millisecond => self.primitive::<TimestampMillisecondType>(millis, nulls),
            },
            _ => return Err(self.misfit()),
        })
    }

    fn misfit(&self) -> Error {
        Error::bug(format!("`datagen` has no such values of type `{}`", self.kind))
    }
}

/// Strings of bytes that are made of random ones.
fn strings(key: u64, rows: Rows, length: Length, byte: impl Fn(u8) -> u8) -> (OffsetBuffer<i32>, Buffer) {
    let mut data: Vec<u8> = Vec::with_capacity(rows.count * length.most);
    let mut lengths = Vec::with_capacity(rows.count);
    for random in rows.draws(key) {
        let length = length.pick(random);
        let end = data.len() + length;
        let mut block = 0;
        while data.len() < end {
            block += 1;
            let bytes = draw(random, block).to_le_bytes();
            data.extend(bytes.iter().take(end - data.len()).map(|random| byte(*random)));
        }
        lengths.push(length);
    }
    (OffsetBuffer::from_lengths(lengths), Buffer::from_vec(data))
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;
    use arrow_array::cast::AsArray;

    use super::*;

    #[test]
    fn spans_reach_both_ends_and_nothing_else() {
        for (min, max) in [(0, 0), (-3, 5), (i64::MIN, i64::MAX), (i64::MAX - 1, i64::MAX)] {
            let span = Span::new(min, max);
            assert_eq!((span.pick(0), span.pick(u64::MAX)), (min, max));
        }
    }

    #[test]
    fn values_depend_on_the_row_and_not_on_the_batch() {
        let column = Column::new(TypeKind::BigInt, Generator::Whole { span: Span::new(-1_000, 1_000) }, 0.2, 3);
        let whole = column.generate(42, Rows { first: 5, step: 3, count: 100 }, 0).unwrap();
        let part = column.generate(42, Rows { first: 5 + 3 * 40, step: 3, count: 60 }, 0).unwrap();
        assert_eq!(whole.slice(40, 60).as_primitive::<Int64Type>(), part.as_primitive::<Int64Type>());
        let other = column.generate(43, Rows { first: 5, step: 3, count: 100 }, 0).unwrap();
        assert_ne!(whole.as_primitive::<Int64Type>(), other.as_primitive::<Int64Type>());
    }
}
