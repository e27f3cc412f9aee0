//! What the tests of several rooms are made of: tables, and rows as text.

use std::sync::{Arc, Mutex};

use arrow_array::RecordBatch;
use kobel_dataflow::batch::Batch;
use kobel_sql::catalog::{PhysicalColumn, TableSpec};
use kobel_sql::types::SqlType;

use crate::{StandardConnectors, Terminal};

/// A table `t`.
pub(crate) fn table(columns: &[(&str, SqlType)], options: &[(&str, &str)]) -> TableSpec {
    TableSpec {
        name: "t".to_owned(),
        options: options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        physical: columns.iter().map(|(name, ty)| PhysicalColumn { name: (*name).to_owned(), ty: *ty }).collect(),
        partitioned_by: Vec::new(),
    }
}

/// Rows as `print` shows them, without kind and brackets.
pub(crate) fn shown(records: &RecordBatch) -> Vec<String> {
    let mut text = String::new();
    for row in 0..records.num_rows() {
        let batch = Batch::insert_only(records.slice(row, 1));
        crate::print::write_rows("\u{0}", &batch, &mut text).unwrap();
    }
    let rows = text.split('\u{0}').skip(1);
    rows.map(|row| row.strip_prefix("+I[").and_then(|row| row.strip_suffix("]\n")).unwrap().to_owned()).collect()
}

/// A terminal that remembers: standard output, standard error.
pub(crate) struct Recorder {
    pub stdout: Arc<Mutex<String>>,
    pub stderr: Arc<Mutex<String>>,
}

/// Connectors that print to a recorder.
pub(crate) fn connectors() -> (StandardConnectors, Recorder) {
    let recorder = Recorder { stdout: Arc::default(), stderr: Arc::default() };
    let record = |into: &Arc<Mutex<String>>| -> crate::RowOutput {
        let into = Arc::clone(into);
        Arc::new(move |lines| {
            into.lock().unwrap().push_str(lines);
            Ok(())
        })
    };
    let terminal = Terminal { stdout: record(&recorder.stdout), stderr: record(&recorder.stderr) };
    (StandardConnectors::new(terminal), recorder)
}
