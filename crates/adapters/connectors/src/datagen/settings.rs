//! Options of `datagen`, column by column.

use kobel_sql::catalog::{OptionProblem, PhysicalColumn, TableSpec};
use kobel_sql::types::{STRING_LENGTH, TypeKind};

use super::generator::{Column, Generator, Length, Span};
use crate::formats::numbers::{self, Decimal};
use crate::options::{Checked, Options, catalogue};

/// Length of STRING and BYTES unless it is set.
const LENGTH_DEFAULT: usize = 100;
/// The longest generated string.
const LENGTH_MAX: i64 = 16 * 1024 * 1024;

/// What the options of a table say.
pub(super) struct Settings {
    /// By physical column.
    pub columns: Vec<Column>,
    /// Rows in all, if they end.
    pub total: Option<u64>,
    pub rows_per_second: u64,
}

impl Settings {
    /// Reads the options of a table.
    pub fn read(table: &TableSpec) -> Checked<Self> {
        let options = Options::of(table, &[catalogue::TABLE, catalogue::SOURCE, catalogue::DATAGEN])?;
        check_fields(&options)?;
        let rows_per_second = options.whole("rows-per-second")?.and_then(|rows| u64::try_from(rows).ok());
        let rows_per_second = rows_per_second
            .filter(|rows| *rows > 0)
            .ok_or_else(|| options.bad_value("rows-per-second", "it must be greater than 0"))?;
        let mut total = match options.whole("number-of-rows")? {
            None => None,
            Some(rows) => {
                Some(u64::try_from(rows).map_err(|_| options.bad_value("number-of-rows", "it must not be negative"))?)
            }
        };
        let mut columns = Vec::new();
        for (index, column) in table.physical.iter().enumerate() {
            let field = Field { options: &options, column };
            let generator = field.generator()?;
            if let Some(rows) = field.sequence_length()? {
                total = Some(total.map_or(rows, |total| total.min(rows)));
            }
            columns.push(Column::new(column.ty.kind, generator, field.null_rate()?, index));
        }
        Ok(Self { columns, total, rows_per_second })
    }
}

/// Checks that `fields.…` options name columns.
fn check_fields(options: &Options<'_>) -> Checked<()> {
    let table = options.table();
    let names = || table.physical.iter().map(|column| column.name.as_str());
    for key in table.options.keys() {
        let Some((name, attribute)) = key.strip_prefix("fields.").and_then(|rest| rest.rsplit_once('.')) else {
            continue;
        };
        if !names().any(|column| column == name) {
            let hint = match kobel_model::nearest(name, names()) {
                Some(near) => format!("did you mean `fields.{near}.{attribute}`?"),
                None => format!("columns: {}", names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
            };
            return Err(OptionProblem {
                key: Some(key.clone()),
                concerns_value: false,
                message: format!("option `{key}` names column `{name}`, which table `{}` does not have", table.name),
                hint: Some(hint),
            });
        }
    }
    Ok(())
}

/// The options of a column.
struct Field<'a> {
    options: &'a Options<'a>,
    column: &'a PhysicalColumn,
}

impl Field<'_> {
    fn key(&self, attribute: &str) -> String {
        format!("fields.{}.{attribute}", self.column.name)
    }

    fn is_sequence(&self) -> bool {
        self.options.text(&self.key("kind")).is_some_and(|kind| kind.eq_ignore_ascii_case("sequence"))
    }

    fn null_rate(&self) -> Checked<f64> {
        let key = self.key("null-rate");
        let rate = self.options.rate(&key)?;
        if rate > 0.0 && !self.column.ty.nullable {
            return Err(self.options.bad_value(&key, "the column is NOT NULL"));
        }
        Ok(rate)
    }

    /// Refuses attributes that mean nothing for the type and kind.
    fn check_attributes(&self, allowed: &[&str]) -> Checked<()> {
        for attribute in ["min", "max", "max-past", "length", "var-len", "start", "end", "null-rate"] {
            let key = self.key(attribute);
            if self.options.is_set(&key) && !allowed.contains(&attribute) {
                let kind = if self.is_sequence() { "sequence" } else { "random" };
                let supported: Vec<String> =
                    ["kind"].iter().chain(allowed).map(|name| format!("`{}`", self.key(name))).collect();
                return Err(OptionProblem {
                    key: Some(key.clone()),
                    concerns_value: false,
                    message: format!("option `{key}` has no meaning for a {kind} `{}`", self.column.ty.kind),
                    hint: Some(format!("options of the column: {}", supported.join(", "))),
                });
            }
        }
        Ok(())
    }

    fn generator(&self) -> Checked<Generator> {
        if self.is_sequence() {
            self.check_attributes(&["start", "end"])?;
            let (start, _) = self.sequence()?;
            return Ok(Generator::Sequence { start });
        }
        let kind = self.column.ty.kind;
        match kind {
            TypeKind::TinyInt => self.whole(i8::MIN.into(), i8::MAX.into()),
            TypeKind::SmallInt => self.whole(i16::MIN.into(), i16::MAX.into()),
            TypeKind::Int => self.whole(i32::MIN.into(), i32::MAX.into()),
            TypeKind::BigInt => self.whole(i64::MIN, i64::MAX),
            TypeKind::Float => self.approximate(f32::MAX.into()),
            TypeKind::Double => self.approximate(f64::MAX),
            TypeKind::Decimal(precision, scale) => self.decimal(precision, scale),
            TypeKind::Char(length) | TypeKind::Binary(length) => {
                self.check_attributes(&["null-rate"])?;
                match usize::try_from(length) {
                    Ok(most) if i64::from(length) <= LENGTH_MAX => {
                        Ok(self.characters(Length { most, is_varying: false }))
                    }
                    _ => Err(OptionProblem {
                        key: None,
                        concerns_value: false,
                        message: format!("`datagen` makes no `{kind}`: the longest string has {LENGTH_MAX} characters"),
                        hint: None,
                    }),
                }
            }
            TypeKind::Varchar(most) | TypeKind::Varbinary(most) => self.varying(most),
            TypeKind::Boolean => {
                self.check_attributes(&["null-rate"])?;
                Ok(Generator::Boolean)
            }
            _ => {
                self.check_attributes(&["max-past", "null-rate"])?;
                let past = self.options.duration(&self.key("max-past"))?;
                let past = i64::try_from(past.as_millis()).unwrap_or(i64::MAX);
                Ok(Generator::Past { millis: Span::new(0, past) })
            }
        }
    }

    /// The text of `attribute` through a parser, or the default.
    fn bound<T>(&self, attribute: &str, default: T, parse: impl Fn(&str) -> Option<T>) -> Checked<T> {
        let key = self.key(attribute);
        match self.options.text(&key) {
            None => Ok(default),
            Some(text) => parse(text).ok_or_else(|| {
                let reason =
                    format!("expected a number that column `{}` `{}` can hold", self.column.name, self.column.ty);
                self.options.bad_value(&key, &reason)
            }),
        }
    }

    /// Refuses bounds in the wrong order.
    fn ordered<T: PartialOrd>(&self, low: (&str, T), high: (&str, T)) -> Checked<(T, T)> {
        if low.1 <= high.1 {
            return Ok((low.1, high.1));
        }
        let reason = format!("it must not be less than `{}`", self.key(low.0));
        Err(self.options.bad_value(&self.key(high.0), &reason))
    }

    fn whole(&self, least: i64, most: i64) -> Checked<Generator> {
        self.check_attributes(&["min", "max", "null-rate"])?;
        let parse = |text: &str| numbers::integer::<i64>(text).filter(|value| (least..=most).contains(value));
        let min = self.bound("min", least, parse)?;
        let max = self.bound("max", most, parse)?;
        let (min, max) = self.ordered(("min", min), ("max", max))?;
        Ok(Generator::Whole { span: Span::new(min, max) })
    }

    fn approximate(&self, most: f64) -> Checked<Generator> {
        self.check_attributes(&["min", "max", "null-rate"])?;
        let parse = |text: &str| numbers::float::<f64>(text).filter(|value| value.abs() <= most);
        let min = self.bound("min", 0.0, parse)?;
        let max = self.bound("max", most, parse)?;
        let (min, max) = self.ordered(("min", min), ("max", max))?;
        Ok(Generator::Approximate { min, max })
    }

    fn decimal(&self, precision: u8, scale: u8) -> Checked<Generator> {
        self.check_attributes(&["min", "max", "null-rate"])?;
        let parse = |text: &str| match numbers::decimal(numbers::java_trim(text), precision, scale) {
            Some(Decimal::Unscaled(value)) => Some(value),
            _ => None,
        };
        let min = self.bound("min", 0, parse)?;
        let max = self.bound("max", 10_i128.pow(u32::from(precision)) - 1, parse)?;
        let (min, max) = self.ordered(("min", min), ("max", max))?;
        Ok(Generator::Decimal { min, max })
    }

    fn varying(&self, most: u32) -> Checked<Generator> {
        self.check_attributes(&["length", "var-len", "null-rate"])?;
        let key = self.key("length");
        let limit = if most == STRING_LENGTH { LENGTH_MAX } else { i64::from(most).min(LENGTH_MAX) };
        let length = match self.options.whole(&key)? {
            None if most == STRING_LENGTH => LENGTH_DEFAULT,
            None => usize::try_from(limit).unwrap_or(LENGTH_DEFAULT),
            Some(length) if (1..=limit).contains(&length) => usize::try_from(length).unwrap_or(LENGTH_DEFAULT),
            Some(_) => return Err(self.options.bad_value(&key, &format!("expected a number from 1 to {limit}"))),
        };
        let is_varying = self.options.boolean(&self.key("var-len"))?;
        Ok(self.characters(Length { most: length, is_varying }))
    }

    fn characters(&self, length: Length) -> Generator {
        if self.column.ty.kind.is_character() { Generator::Text { length } } else { Generator::Bytes { length } }
    }

    /// First and last number of the sequence.
    fn sequence(&self) -> Checked<(i64, i64)> {
        let kind = self.column.ty.kind;
        let missing = |attribute: &str| OptionProblem {
            key: Some(self.key("kind")),
            concerns_value: false,
            message: format!("option `{}` of a sequence is missing", self.key(attribute)),
            hint: Some("a sequence needs `start` and `end`".to_owned()),
        };
        if !(kind.is_numeric() || kind.is_character()) {
            return Err(self.options.bad_value(&self.key("kind"), &format!("`{kind}` has no sequences")));
        }
        for attribute in ["start", "end"] {
            if !self.options.is_set(&self.key(attribute)) {
                return Err(missing(attribute));
            }
        }
        let (least, most) = sequence_bounds(kind);
        let parse = |text: &str| numbers::integer::<i64>(text).filter(|value| (least..=most).contains(value));
        let start = self.bound("start", 0, parse)?;
        let end = self.bound("end", 0, parse)?;
        self.ordered(("start", start), ("end", end))
    }

    /// Rows until the sequence ends, if the column is one.
    fn sequence_length(&self) -> Checked<Option<u64>> {
        if !self.is_sequence() {
            return Ok(None);
        }
        let (start, end) = self.sequence()?;
        Ok(Some(end.abs_diff(start).saturating_add(1)))
    }
}

fn sequence_bounds(kind: TypeKind) -> (i64, i64) {
    match kind {
        TypeKind::TinyInt => (i8::MIN.into(), i8::MAX.into()),
        TypeKind::SmallInt => (i16::MIN.into(), i16::MAX.into()),
        TypeKind::Int => (i32::MIN.into(), i32::MAX.into()),
        TypeKind::Decimal(precision, scale) => {
            let limit = 10_i128.pow(u32::from(precision - scale)) - 1;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            (-limit, limit)
        }
        _ => (i64::MIN, i64::MAX),
    }
}
