//! Where events go: JSON lines for machines, one readable line on a terminal.

use std::io::IsTerminal;

use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    fmt::{self, MakeWriter},
    prelude::*,
    registry::LookupSpan,
};

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}

impl Format {
    /// Pretty on a terminal, else JSON.
    #[must_use]
    pub fn detect() -> Self {
        if std::io::stderr().is_terminal() { Self::Pretty } else { Self::Json }
    }
}

/// A `LOG_LEVEL` that is no level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidLevel;

impl std::fmt::Display for InvalidLevel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LOG_LEVEL must be trace, debug, info, warning, error, critical or off")
    }
}

impl std::error::Error for InvalidLevel {}

/// Whether a level is one.
///
/// # Errors
/// [`InvalidLevel`].
pub fn check_level(level: &str) -> Result<(), InvalidLevel> {
    named(&level.trim().to_ascii_lowercase()).parse::<LevelFilter>().map(drop).map_err(|_| InvalidLevel)
}

/// Gateway v2's names for the levels.
fn named(level: &str) -> &str {
    match level {
        "" => "info",
        "warning" => "warn",
        "critical" => "error",
        other => other,
    }
}

/// A layer that writes events in another form.
pub type Output = Box<dyn Layer<tracing_subscriber::Registry> + Send + Sync>;

/// Starts writing events in a form of the caller's own, at the level of `LOG_LEVEL` as [`init`] does.
pub fn init_with(output: Output) {
    // Already started: the first caller's form stands.
    drop(tracing_subscriber::registry().with(output.with_filter(filter())).try_init());
}

/// Starts writing events to standard error, at the level of `LOG_LEVEL` (default `info`; `RUST_LOG` refines it).
/// A second call changes nothing.
pub fn init(format: Format) {
    let registry = tracing_subscriber::registry().with(filter());
    let started = match format {
        Format::Json => registry.with(json(std::io::stderr)).try_init(),
        Format::Pretty => registry.with(fmt::layer().compact().with_writer(std::io::stderr)).try_init(),
    };
    // Already started: the first caller's format stands.
    drop(started);
}

fn filter() -> Targets {
    let level = std::env::var("LOG_LEVEL").unwrap_or_default().to_ascii_lowercase();
    let level = named(&level);
    let refined = std::env::var("RUST_LOG").ok().filter(|filter| !filter.is_empty());
    let filter: Option<Targets> = refined.and_then(|filter| filter.parse().ok());
    // A level that makes no sense must not silence a function.
    // Read as a level and nothing else: a filter would take any word for the name of a module, and let nothing else through.
    filter.unwrap_or_else(|| Targets::new().with_default(level.parse().unwrap_or(LevelFilter::INFO)))
}

/// One JSON object a line, as Lambda passes it on. Without the runtime's span, which has nothing but an id that the event has.
fn json<S, W>(writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false).with_writer(writer)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::Instrument;

    use super::*;
    use crate::{Invocation, observe};

    /// The lines that an invocation writes at the level INFO.
    async fn written(invocation: Invocation) -> String {
        let text: Arc<Mutex<Vec<u8>>> = Arc::default();
        let sink = text.clone();
        let writer = move || Sink(sink.clone());
        let filter = Targets::new().with_default(LevelFilter::INFO);
        let subscriber = tracing_subscriber::registry().with(filter).with(json(writer));
        let _written = tracing::subscriber::set_default(subscriber);
        // The runtime's own, around every invocation.
        let runtime = tracing::info_span!("Lambda runtime invoke", requestId = "019a9f2e");
        observe(invocation, async {}, |(), _| {}).instrument(runtime).await;
        String::from_utf8(text.lock().unwrap().clone()).unwrap()
    }

    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn batch() -> Invocation {
        Invocation {
            function: "dispatch",
            request_id: "019a9f2e-0000-7000-8000-000000000002".to_owned(),
            operation: "SQS events".to_owned(),
            tenant: Some("default".to_owned()),
            status: 200,
            batch: Some((10, 0)),
            ..Invocation::default()
        }
    }

    /// Logs are paid by the byte; `trunkline cost` counts 256 for this line.
    #[tokio::test]
    async fn the_line_of_a_batch_is_short_and_says_nothing_of_what_was_not() {
        let line = written(batch()).await;
        assert!(line.ends_with('\n') && line.len() <= 257, "{} bytes: {line}", line.len());
        assert!(!line.contains("ringcentral") && !line.contains("error") && !line.contains("null"), "{line}");
        println!("{} bytes: {line}", line.len());
    }

    #[tokio::test]
    async fn what_is_told_elsewhere_is_written_only_when_it_goes_wrong() {
        let told = |status: u16, error: Option<&str>| {
            let error = error.map(str::to_owned);
            written(Invocation { told_elsewhere: true, batch: None, status, error, ..batch() })
        };
        assert_eq!(told(200, None).await, "");
        assert!(told(401, None).await.contains("\"level\":\"INFO\""));
        assert!(told(200, Some("it hurts")).await.contains("it hurts"));
        assert!(told(503, None).await.contains("\"level\":\"ERROR\""));
    }
}
