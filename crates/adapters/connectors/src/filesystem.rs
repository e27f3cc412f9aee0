//! Connector `filesystem`: csv and json files of a directory, read once and written exactly once.
//!
//! `listing` finds the files, `source` reads them from remembered positions, `sink` writes rolling files, `commit`
//! names them and puts right what a dead run left behind.

mod commit;
mod listing;
mod sink;
mod source;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kobel_dataflow::ports::{Sink, Source};
use kobel_model::Result;
use kobel_sql::catalog::TableSpec;

use crate::formats::Format;
use crate::options::{Checked, Options, catalogue, invalid};

/// Options of a table.
pub(crate) struct FilesystemOptions {
    path: PathBuf,
    format: Format,
    rolling: RollingPolicy,
}

/// When a file is finished.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RollingPolicy {
    size: u64,
    age: Duration,
    inactivity: Duration,
    /// Every checkpoint finishes its file.
    is_per_checkpoint: bool,
}

impl FilesystemOptions {
    fn read(table: &TableSpec) -> Checked<Self> {
        let format = match table.options.get("format").map(String::as_str) {
            Some(name) if name.eq_ignore_ascii_case("csv") => catalogue::CSV,
            Some(name) if name.eq_ignore_ascii_case("json") => catalogue::JSON,
            _ => &[],
        };
        let sections = [catalogue::TABLE, catalogue::SOURCE, catalogue::SINK, catalogue::FILESYSTEM, format];
        let options = Options::of(table, &sections)?;
        let format = Format::read(&options)?;
        let rolling = RollingPolicy {
            size: options.memory("sink.rolling-policy.file-size")?,
            age: options.duration("sink.rolling-policy.rollover-interval")?,
            inactivity: options.duration("sink.rolling-policy.inactivity-interval")?,
            is_per_checkpoint: format.rolls_on_checkpoint(),
        };
        for (key, is_zero) in [
            ("sink.rolling-policy.file-size", rolling.size == 0),
            ("sink.rolling-policy.rollover-interval", rolling.age.is_zero()),
            ("sink.rolling-policy.inactivity-interval", rolling.inactivity.is_zero()),
        ] {
            if is_zero {
                return Err(options.bad_value(key, "it must be greater than 0"));
            }
        }
        let path = listing::local_path(options.text("path").unwrap_or_default())
            .map_err(|reason| options.bad_value("path", &reason))?;
        Ok(Self { path, format, rolling })
    }
}

/// Checks the options of a table.
pub(crate) fn check(table: &TableSpec) -> Checked<()> {
    FilesystemOptions::read(table).map(drop)
}

/// Makes the source of the columns `asked`.
pub(crate) fn source(table: &TableSpec, asked: &[usize]) -> Result<Arc<dyn Source>> {
    let options = FilesystemOptions::read(table).map_err(|problem| invalid(table, problem))?;
    Ok(Arc::new(source::FileSource::new(options, &table.physical, asked)?))
}

/// Makes the sink.
pub(crate) fn sink(table: &TableSpec) -> Result<Arc<dyn Sink>> {
    let options = FilesystemOptions::read(table).map_err(|problem| invalid(table, problem))?;
    Ok(Arc::new(sink::FileSink::new(options, table.physical.clone())))
}
