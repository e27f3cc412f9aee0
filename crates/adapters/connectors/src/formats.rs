//! Formats of files: bytes to record batches and back.
//!
//! A [`Decoder`] takes one record at a time from a window of bytes that its caller slides over a file, and says how
//! much it took: so the caller always knows the position behind the last row, which is what a snapshot needs.

pub(crate) mod calendar;
pub(crate) mod cells;
mod codec;
mod columns;
mod csv;
mod json;
pub(crate) mod numbers;

use kobel_model::Result;
use kobel_sql::catalog::PhysicalColumn;

use crate::options::{Checked, Options};

pub(crate) use self::codec::{Decoder, Encoder, Fault, OnFault, Step, Tail, Taken};
pub(crate) use self::columns::schema;

/// The format of a table.
#[derive(Debug, Clone)]
pub(crate) enum Format {
    Csv(csv::CsvOptions),
    Json(json::JsonOptions),
}

impl Format {
    /// Reads the options of the format that `options` name.
    pub fn read(options: &Options<'_>) -> Checked<Self> {
        match options.text("format") {
            Some(name) if name.eq_ignore_ascii_case("csv") => csv::CsvOptions::read(options).map(Self::Csv),
            _ => json::JsonOptions::read(options).map(Self::Json),
        }
    }

    /// The ending of file names.
    pub fn extension(&self) -> &'static str {
        match self {
            Self::Csv(_) => "csv",
            Self::Json(_) => "json",
        }
    }

    /// Whether each checkpoint finishes its files: so do Flink's bulk formats, of which csv is one and json is not.
    pub fn rolls_on_checkpoint(&self) -> bool {
        matches!(self, Self::Csv(_))
    }

    /// A decoder of the columns `asked`, indexes into `physical`.
    ///
    /// # Errors
    /// Bug if a type cannot be read from text.
    pub fn decoder(&self, physical: &[PhysicalColumn], asked: &[usize]) -> Result<Box<dyn Decoder>> {
        Ok(match self {
            Self::Csv(options) => Box::new(csv::CsvDecoder::new(options.clone(), physical, asked)?),
            Self::Json(options) => Box::new(json::JsonDecoder::new(options.clone(), physical, asked)?),
        })
    }

    /// An encoder of all columns.
    pub fn encoder(&self, physical: &[PhysicalColumn]) -> Box<dyn Encoder> {
        match self {
            Self::Csv(options) => Box::new(csv::CsvEncoder::new(options)),
            Self::Json(options) => Box::new(json::JsonEncoder::new(options, physical)),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
