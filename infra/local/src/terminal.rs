//! What a person sees of the log: one short line for each request or batch, and one sentence for everything else.
//!
//! Owns the words and colours of a terminal. It must never show more than the log has: no body, no query, no secret.

use std::fmt;

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const CYAN: &str = "36";

/// Writes events for people.
#[derive(Debug, Clone, Copy)]
pub struct Terminal;

impl<S, N> FormatEvent<S, N> for Terminal
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let now = jiff::Zoned::now().strftime("%H:%M:%S").to_string();
        let ink = Ink(writer.has_ansi_escapes());
        write!(writer, "{} ", ink.in_colour(DIM, &now))?;
        let metadata = event.metadata();
        if metadata.target() == "invocation" {
            let mut line = Line::default();
            event.record(&mut line);
            return line.write(&mut writer, ink, *metadata.level() >= Level::DEBUG);
        }
        let (colour, level) = match *metadata.level() {
            Level::ERROR => (RED, "error"),
            Level::WARN => (YELLOW, "warning"),
            Level::INFO => (GREEN, "info"),
            Level::DEBUG => (DIM, "debug"),
            Level::TRACE => (DIM, "trace"),
        };
        write!(writer, "{} ", ink.in_colour(colour, level))?;
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// Whether the terminal has colours.
#[derive(Debug, Clone, Copy)]
struct Ink(bool);

impl Ink {
    fn in_colour(self, colour: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// What an invocation says of itself, as far as a person wants to read it.
#[derive(Debug, Default)]
struct Line {
    message: String,
    path: Option<String>,
    status: u64,
    took: f64,
    tenant: Option<String>,
    problem: Option<String>,
    fields: Option<String>,
    code: Option<String>,
    request_id: String,
    records: Option<u64>,
    failures: Option<u64>,
    calls: u64,
    error: Option<String>,
}

impl Line {
    fn write(&self, out: &mut Writer<'_>, ink: Ink, ids: bool) -> fmt::Result {
        let colour = match self.status {
            500.. => RED,
            400.. => YELLOW,
            300.. => CYAN,
            _ => GREEN,
        };
        write!(out, "{} ", ink.in_colour(colour, &self.status.to_string()))?;
        // The route says what was asked for; the path, which one.
        match (self.message.split_once(' '), &self.path) {
            (Some((method, _)), Some(path)) => write!(out, "{method} {path}")?,
            _ => write!(out, "{}", self.message)?,
        }
        write!(out, " {}", ink.in_colour(DIM, &format!("{:.0}ms", self.took)))?;
        if let Some(records) = self.records {
            write!(out, " {records} records")?;
            if let Some(failures) = self.failures {
                write!(out, ", {}", ink.in_colour(RED, &format!("{failures} failed")))?;
            }
        }
        for part in [&self.problem, &self.code, &self.fields].into_iter().flatten() {
            write!(out, " {}", ink.in_colour(colour, part))?;
        }
        if self.calls > 1 {
            write!(out, " {}", ink.in_colour(DIM, &format!("{} calls", self.calls)))?;
        }
        if let Some(tenant) = self.tenant.as_deref().filter(|tenant| *tenant != crate::TENANT) {
            write!(out, " {}", ink.in_colour(DIM, tenant))?;
        }
        if let Some(error) = &self.error {
            write!(out, " {error}")?;
        }
        if ids || self.status >= 500 {
            write!(out, " {}", ink.in_colour(DIM, &self.request_id))?;
        }
        writeln!(out)
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        let value = value.to_owned();
        match field.name() {
            "message" => self.message = value,
            "request_id" => self.request_id = value,
            "path" => self.path = Some(value),
            "tenant" => self.tenant = Some(value),
            "problem" => self.problem = Some(value),
            "fields" => self.fields = Some(value),
            "ringcentral.code" => self.code = Some(value),
            "error" => self.error = Some(value),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "status" => self.status = value,
            "batch.records" => self.records = Some(value),
            "batch.failures" => self.failures = Some(value),
            "ringcentral.calls" => self.calls = value,
            _ => {}
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "duration_ms" {
            self.took = value;
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use telemetry::Invocation;
    use tracing_subscriber::{filter::LevelFilter, fmt::MakeWriter, prelude::*};

    use super::*;

    #[derive(Clone, Default)]
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

    impl<'a> MakeWriter<'a> for Sink {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    /// The line of a request, without its time.
    async fn line(ansi: bool, invocation: Invocation, work: impl Future<Output = ()>) -> String {
        telemetry::for_people();
        let sink = Sink::default();
        let layer =
            tracing_subscriber::fmt::layer().with_ansi(ansi).event_format(Terminal).with_writer(sink.clone());
        let subscriber = tracing_subscriber::registry().with(LevelFilter::INFO).with(layer);
        let _written = tracing::subscriber::set_default(subscriber);
        telemetry::observe(invocation, work, |(), _| {}).await;
        let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        let words = text.trim_end().split(' ').skip(1).map(|word| {
            // How long it took is another thing on every machine.
            let took = word.strip_suffix("ms").is_some_and(|ms| ms.bytes().all(|c| c.is_ascii_digit()));
            if took { "Nms" } else { word }
        });
        words.collect::<Vec<_>>().join(" ")
    }

    fn request(status: u16) -> Invocation {
        Invocation {
            function: "extensions",
            request_id: "019a9f2e-0000-7000-8000-000000000002".to_owned(),
            operation: "GET /api/extensions/{id}".to_owned(),
            path: Some("/api/extensions/400140499008".to_owned()),
            tenant: Some("default".to_owned()),
            status,
            ..Invocation::default()
        }
    }

    #[tokio::test]
    async fn regression_a_request_is_one_short_line_that_says_which_and_what() {
        let found = line(false, request(200), async {}).await;
        assert_eq!(found, "200 GET /api/extensions/400140499008 Nms");
        let missing = line(false, request(404), async {
            telemetry::problem("not-found", std::iter::empty(), Some("CMN-102"));
        });
        assert_eq!(missing.await, "404 GET /api/extensions/400140499008 Nms not-found CMN-102");
        let wrong = line(false, request(400), async {
            telemetry::problem("invalid-request", ["type", "contact.email"].into_iter(), None);
        });
        let wrong = wrong.await;
        assert_eq!(wrong, "400 GET /api/extensions/400140499008 Nms invalid-request type, contact.email");
        assert!(wrong.len() + "09:42:40 ".len() <= 80 + 11, "{} columns", wrong.len());
    }

    #[tokio::test]
    async fn a_status_has_the_colour_of_its_weight() {
        for (status, colour) in [(200, GREEN), (302, CYAN), (429, YELLOW), (503, RED)] {
            let line = line(true, request(status), async {}).await;
            assert!(line.starts_with(&format!("\x1b[{colour}m{status}\x1b[0m GET")), "{line}");
        }
        let failed = line(false, request(503), async {}).await;
        assert!(
            failed.ends_with("019a9f2e-0000-7000-8000-000000000002"),
            "support asks for the id: {failed}"
        );
    }

    #[tokio::test]
    async fn a_batch_says_how_many() {
        let batch = Invocation {
            operation: "SQS events".to_owned(),
            path: None,
            batch: Some((10, 2)),
            ..request(200)
        };
        assert_eq!(line(false, batch, async {}).await, "200 SQS events Nms 10 records, 2 failed");
    }
}
