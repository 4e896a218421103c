//! How figures are shown.

use crate::{
    figures::{Figures, ms},
    slow::Slow,
    warm::Warm,
};

/// A row for each function.
pub(crate) fn starts(figures: &[Figures], hello: &Figures) -> String {
    let mut text = format!(
        "{:<18} {:>8} {:>8} {:>10} {:>7} {:>12} {:>7} {:>8} {:>7}\n",
        "function", "file MB", "zip MB", "/next ms", "x hello", "answer ms", "CPU ms", "peak MB", "x hello"
    );
    for row in figures {
        text.push_str(&format!(
            "{:<18} {:>8.2} {:>8.2} {:>10.2} {:>7.2} {:>12.2} {:>7.2} {:>8.2} {:>7.2}\n",
            row.name,
            row.file as f64 / 1e6,
            row.zip as f64 / 1e6,
            ms(row.typical.first_next),
            row.first_next(hello),
            ms(row.typical.first_answer),
            ms(row.typical.cpu),
            row.typical.peak as f64 / 1e6,
            row.peak(hello),
        ));
    }
    text
}

/// Over the rows of warm invocations.
pub(crate) const WARM: &str =
    "A warm invocation, without TLS\n\nfunction                 ms   CPU ms  log bytes  asks for";

/// A row for a function that is warm.
pub(crate) fn warm(warm: &Warm) -> String {
    let asked: Vec<_> = warm.asked.iter().map(|(operation, count)| format!("{count} {operation}")).collect();
    let asked = if asked.is_empty() { "nothing".to_owned() } else { asked.join(", ") };
    format!("{:<18} {:>8.2} {:>8.2} {:>10}  {asked}\n", warm.name, ms(warm.took), ms(warm.cpu), warm.logged)
}

/// A row for each payload on a small share of a core.
pub(crate) fn slow(rows: &[Slow]) -> String {
    let mut text =
        format!("{:<34} {:>12} {:>12} {:>12}\n", "payload", "median ms", "worst ms", "share of CPU");
    for row in rows {
        text.push_str(&format!(
            "{:<34} {:>12.0} {:>12.0} {:>12.3}\n",
            row.payload,
            ms(row.median),
            ms(row.worst),
            row.share
        ));
    }
    text
}
