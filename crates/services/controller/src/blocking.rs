//! What may block, on threads that may be blocked: files on slow disks, programs that are fetched, processes.
//!
//! The loop has one thread, and whoever holds it up holds up every object.

use kobel_model::{Error, Result};
use tokio::task::spawn_blocking;

/// Does what may block where it holds nobody up; `what` names it should it break off.
///
/// # Errors
/// What the work says; Bug if it panics.
pub(crate) async fn apart<T, F>(what: &str, work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    spawn_blocking(work).await.map_err(|error| Error::bug(format!("{what} broke off")).with_source(error))?
}
