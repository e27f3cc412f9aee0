//! Where `print` writes: functions that whoever runs the job may exchange.

use std::io::Write;
use std::sync::Arc;

/// Writes whole lines, each with its line end, so that lines of several writers never mix.
pub type RowOutput = Arc<dyn Fn(&str) -> std::io::Result<()> + Send + Sync>;

/// Where the connector `print` writes.
#[derive(Clone)]
pub struct Terminal {
    /// For rows.
    pub stdout: RowOutput,
    /// For rows of tables with `'standard-error' = 'true'`.
    pub stderr: RowOutput,
}

impl Terminal {
    /// Standard output and standard error of this process.
    pub fn of_process() -> Self {
        Self {
            stdout: Arc::new(|lines| {
                let mut out = std::io::stdout().lock();
                out.write_all(lines.as_bytes())?;
                out.flush()
            }),
            stderr: Arc::new(|lines| std::io::stderr().lock().write_all(lines.as_bytes())),
        }
    }
}
