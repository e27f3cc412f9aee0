//! The way of an event from `tracing` to the file.
//!
//! Values are made texts before the file is locked, so a value that logs while it is printed waits for nobody.

use std::io::{self, Write as _};
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
use crate::options::{Format, Level, LogOptions};
use crate::scrub::Scrubber;

/// Opens the log and sends every event of the process to it, from this call on.
///
/// # Errors
/// Conflict if the events of this process go somewhere else; Invalid, Denied, Missing or Unavailable as
/// [`LogFiles::open`] says.
pub fn start(options: LogOptions, scrubber: Arc<Scrubber>) -> Result<Arc<LogFiles>> {
    let files = Arc::new(LogFiles::open(options)?);
    set(Registry::default().with(layer(Arc::clone(&files), scrubber)))?;
    Ok(files)
}

/// Sends every event of the process to standard error, from this call on: there whoever runs containers looks for it.
///
/// # Errors
/// Conflict if the events of this process go somewhere else.
pub fn start_on_stderr(level: Level, format: Format, scrubber: Arc<Scrubber>) -> Result<()> {
    let layer = LogLayer { sink: Sink::Stderr(format), scrubber, filter: level.filter() };
    set(Registry::default().with(layer))
}

fn set(subscriber: impl Subscriber + Send + Sync) -> Result<()> {
    tracing::subscriber::set_global_default(subscriber).map_err(|error| {
        Error::new(ErrorKind::Conflict, "cannot start the log of this process: it was started before")
            .with_source(error)
    })
}

/// Makes the layer that writes events to `files`, for a subscriber of the caller's own.
pub fn layer(files: Arc<LogFiles>, scrubber: Arc<Scrubber>) -> LogLayer {
    let filter = files.options().level.filter();
    LogLayer { sink: Sink::Files(files), scrubber, filter }
}

/// Writes every event of the chosen levels as one line.
#[derive(Debug)]
pub struct LogLayer {
    sink: Sink,
    scrubber: Arc<Scrubber>,
    filter: LevelFilter,
}

/// Where the lines go.
#[derive(Debug)]
enum Sink {
    Files(Arc<LogFiles>),
    Stderr(Format),
}

impl Sink {
    fn format(&self) -> Format {
        match self {
            Self::Files(files) => files.options().format,
            Self::Stderr(format) => *format,
        }
    }

    fn write(&self, line: &str) {
        match self {
            Self::Files(files) => files.write(line),
            // Writing never fails the caller, and there is nobody else to tell.
            Self::Stderr(_) => drop(writeln!(io::stderr(), "{}", line.trim_end_matches('\n'))),
        }
    }
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
        self.sink.write(&render(&event, self.sink.format(), &self.scrubber));
    }
}

#[cfg(test)]
mod tests;
