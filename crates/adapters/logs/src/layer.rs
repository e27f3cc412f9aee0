//! The way of an event from `tracing` to the file.
//!
//! Values are made texts before the file is locked, so a value that logs while it is printed waits for nobody.

use std::sync::Arc;
use std::time::SystemTime;

use jiff::Timestamp;
use kobel_model::{Error, ErrorKind, Result};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

use crate::fields::Fields;
use crate::files::LogFiles;
use crate::line::{Event, render};
use crate::options::LogOptions;
use crate::scrub::Scrubber;

/// Opens the log and sends every event of the process to it, from this call on.
///
/// # Errors
/// Conflict if the events of this process go somewhere else; Invalid, Denied, Missing or Unavailable as
/// [`LogFiles::open`] says.
pub fn start(options: LogOptions, scrubber: Arc<Scrubber>) -> Result<Arc<LogFiles>> {
    let files = Arc::new(LogFiles::open(options)?);
    let subscriber = Registry::default().with(layer(Arc::clone(&files), scrubber));
    tracing::subscriber::set_global_default(subscriber).map_err(|error| {
        Error::new(ErrorKind::Conflict, "cannot start the log of this process: it was started before")
            .with_source(error)
    })?;
    Ok(files)
}

/// Makes the layer that writes events to `files`, for a subscriber of the caller's own.
pub fn layer(files: Arc<LogFiles>, scrubber: Arc<Scrubber>) -> LogLayer {
    let filter = files.options().level.filter();
    LogLayer { files, scrubber, filter }
}

/// Writes every event of the chosen levels as one line.
#[derive(Debug)]
pub struct LogLayer {
    files: Arc<LogFiles>,
    scrubber: Arc<Scrubber>,
    filter: LevelFilter,
}

impl<S> Layer<S> for LogLayer
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    fn enabled(&self, metadata: &Metadata<'_>, _ctx: Context<'_, S>) -> bool {
        self.filter >= *metadata.level()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.filter)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = ctx.span(id) {
            span.extensions_mut().replace(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        // The values are made texts first: one that logs while it is printed reads the span.
        let mut added = Fields::default();
        values.record(&mut added);
        let Some(span) = ctx.span(id) else {
            return;
        };
        let mut extensions = span.extensions_mut();
        if let Some(fields) = extensions.get_mut::<Fields>() {
            fields.update(added);
        }
    }

    fn on_event(&self, event: &tracing::Event<'_>, ctx: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut spans = Vec::new();
        for span in ctx.event_scope(event).into_iter().flatten() {
            spans.push(span.name());
            let extensions = span.extensions();
            if let Some(outer) = extensions.get::<Fields>() {
                fields.inherit(outer);
            }
        }
        spans.reverse();
        let (metadata, thread) = (event.metadata(), std::thread::current());
        let unnamed = format!("{:?}", thread.id());
        let event = Event {
            time: Timestamp::try_from(SystemTime::now()).unwrap_or_default(),
            level: metadata.level().as_str(),
            logger: metadata.target(),
            thread: thread.name().unwrap_or(&unnamed),
            spans: &spans,
            fields: &fields,
        };
        self.files.write(&render(&event, self.files.options().format, &self.scrubber));
    }
}

#[cfg(test)]
mod tests;
