//! Panics as data: nothing is printed when one happens, its place is kept for the error that reports it.
//!
//! The runtime turns a panic of a slot into an error of kind `Bug`, `main` one of the command; both are reported as
//! every other error is.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::sync::{Mutex, PoisonError};

/// Where the first panic of this process happened; later ones are mostly its consequences.
static PLACE: Mutex<Option<String>> = Mutex::new(None);

/// Keeps panics from printing and notes the place of the first; with `RUST_BACKTRACE=1` the backtrace too.
pub(crate) fn catch_silently() {
    std::panic::set_hook(Box::new(|panic| {
        let mut place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            place.push('\n');
            place.push_str(&backtrace.to_string());
        }
        PLACE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(place);
    }));
}

/// The place of the first panic, if there was one.
pub(crate) fn first_place() -> Option<String> {
    PLACE.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// What a panic says.
pub(crate) fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
