//! What a loop cannot decide for itself: the time, chance, and where to do what may block.
//!
//! The loop has one thread, and whoever holds it up holds up every object: files on slow disks, programs that are fetched,
//! processes.

use std::pin::Pin;

use jiff::Timestamp;
use kobel_model::{Error, Result};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

/// Work that is done elsewhere; it resolves when the work is over.
pub type Apart = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// Where a loop runs.
pub trait Surroundings: Send + Sync {
    /// The time.
    fn now(&self) -> Timestamp;

    /// A number that is never given twice.
    fn fresh(&self) -> u128;

    /// Does what may block where it holds nobody up. Fails with Bug if it panics.
    fn apart(&self, work: Box<dyn FnOnce() + Send>) -> Apart;
}

/// The real ones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Real;

impl Surroundings for Real {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn fresh(&self) -> u128 {
        u128::from_be_bytes(rand::random())
    }

    fn apart(&self, work: Box<dyn FnOnce() + Send>) -> Apart {
        let work = spawn_blocking(work);
        Box::pin(async { work.await.map_err(|error| Error::bug("the work broke off").with_source(error)) })
    }
}

/// Does what may block where it holds nobody up; `what` names it should it break off.
///
/// # Errors
/// What the work says; Bug if it panics.
pub(crate) async fn apart<T, F>(by: &dyn Surroundings, what: &str, work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    let (give, mut take) = oneshot::channel();
    // Whoever gave up waiting needs no answer.
    let done = by.apart(Box::new(move || drop(give.send(work())))).await;
    let broke_off = || Error::bug(format!("{what} broke off"));
    done.map_err(|error| broke_off().with_source(error))?;
    take.try_recv().map_err(|_| broke_off())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_panics_is_an_error_that_names_it() {
        let error = apart::<(), _>(&Real, "looking", || panic!("no")).await.unwrap_err();
        assert!(error.to_string().contains("looking broke off"), "{error}");
        assert_eq!(apart(&Real, "looking", || Ok(7)).await.unwrap(), 7);
    }
}
