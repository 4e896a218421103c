//! Where events go: JSON lines for machines, one readable line on a terminal.

use std::io::IsTerminal;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{filter::Targets, fmt, prelude::*};

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

/// Starts writing events to standard error, at the level of `LOG_LEVEL` (default `info`; `RUST_LOG` refines it).
/// A second call changes nothing.
pub fn init(format: Format) {
    let level = std::env::var("LOG_LEVEL").unwrap_or_default().to_ascii_lowercase();
    // Gateway v2's names for the levels.
    let level = match level.as_str() {
        "" => "info",
        "warning" => "warn",
        "critical" => "error",
        other => other,
    };
    let refined = std::env::var("RUST_LOG").ok().filter(|filter| !filter.is_empty());
    let filter: Option<Targets> = refined.and_then(|filter| filter.parse().ok());
    // A level that makes no sense must not silence a function.
    let filter = filter.or_else(|| level.parse().ok());
    let filter = filter.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let registry = tracing_subscriber::registry().with(filter);
    let started = match format {
        Format::Json => {
            let json =
                fmt::layer().json().flatten_event(true).with_current_span(false).with_writer(std::io::stderr);
            registry.with(json).try_init()
        }
        Format::Pretty => registry.with(fmt::layer().compact().with_writer(std::io::stderr)).try_init(),
    };
    // Already started: the first caller's format stands.
    drop(started);
}
