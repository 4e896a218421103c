//! The tables a person reads.

use gate::Priority;

use crate::{measured::Measured, options::Options, run::WINDOW, scenario::Event};

/// Prints what came out.
pub(crate) fn print(measured: &[Measured], options: &Options) {
    if measured.is_empty() {
        return;
    }
    let Options { processes, callers, clock, minutes, patience, .. } = options;
    println!(
        "\n{processes} processes, {callers} saturating callers each, {minutes} simulated minutes at {clock}x,"
    );
    println!(
        "patience {patience} s. All seconds are simulated; {} ms more for each store request.\n",
        options.store_latency
    );
    table(
        &[
            "scenario",
            "requests",
            "used",
            "pace",
            "429",
            "largest",
            "writes/request",
            "of these lost",
            "reads/request",
            "failed calls",
        ],
        measured.iter().map(|one| {
            let (writes, lost, reads) = one.store();
            vec![
                one.scenario.name.to_owned(),
                one.requests().to_string(),
                percent(one.used(options)),
                one.pace(options).map_or_else(String::new, percent),
                one.rejected().to_string(),
                one.largest().to_string(),
                format!("{writes:.2}"),
                format!("{lost:.2}"),
                format!("{reads:.2}"),
                one.errors().iter().map(|(_, count)| count).sum::<usize>().to_string(),
            ]
        }),
    );
    println!();
    let waits = measured.iter().flat_map(|one| one.waits(options).into_iter().map(move |waits| (one, waits)));
    table(
        &[
            "waits",
            "priority",
            "served",
            "p50",
            "p95",
            "p99",
            "longest",
            "calls/request",
            "unserved",
            "longest of them",
        ],
        waits.map(|(one, waits)| {
            let seconds =
                |seconds: f64| if seconds.is_nan() { String::new() } else { format!("{seconds:.1} s") };
            let name = match waits.priority {
                Priority::Interactive => "interactive",
                Priority::Event => "event",
                Priority::Batch => "batch",
            };
            vec![
                one.scenario.name.to_owned(),
                name.to_owned(),
                waits.served.len().to_string(),
                seconds(waits.percentile(0.5)),
                seconds(waits.percentile(0.95)),
                seconds(waits.percentile(0.99)),
                seconds(waits.percentile(1.0)),
                format!("{:.1}", waits.calls),
                waits.waiting.len().to_string(),
                seconds(waits.waiting.last().copied().unwrap_or(f64::NAN)),
            ]
        }),
    );
    println!();
    measured.iter().for_each(|one| notes(one, options));
}

/// What the tables have no column for.
fn notes(one: &Measured, options: &Options) {
    let (name, limit) = (one.scenario.name, one.scenario.bucket.limit);
    match (one.scenario.event, one.happened) {
        (Event::Limit(new), Some(at)) => {
            for (limit, used) in one.used_by_phase(options) {
                println!("{name}: at a limit of {limit} {} were used", percent(used));
            }
            recovered(one, at, new, "after the change", options);
        }
        (Event::Penalty, Some(at)) => {
            println!("{name}: {} further 429s", one.rejected());
            let end = at + options.real(WINDOW).as_millis() as i64;
            recovered(one, end, limit, "after the end of the penalty", options);
        }
        (Event::Kill, Some(at)) => recovered(one, at, limit, "after the kill", options),
        (Event::Outside(_), _) => {
            let (asked, refused) = (one.outside(|_| true), one.outside(|status| status == 429));
            println!("{name}: the other tool asked {asked} times and got {refused} 429s");
        }
        _ => {}
    }
    for (text, count) in one.errors() {
        println!("{name}: {count} calls failed: {text}");
    }
    for failure in &one.failures {
        println!("{name}: a process failed: {failure}");
    }
}

fn recovered(one: &Measured, from: i64, count: u32, what: &str, options: &Options) {
    let name = one.scenario.name;
    match one.recovery(from, count, options) {
        Some((first, full)) => {
            println!("{name}: {what} the first answer came in {first:.1} s, {count} had come in {full:.1} s")
        }
        None => println!("{name}: {what} fewer than {count} requests were answered"),
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A table as Markdown has it; the first column to the left, figures to the right.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let rows: Vec<_> = rows.collect();
    let widths: Vec<usize> = (0..head.len())
        .map(|column| rows.iter().map(|row| row[column].len()).chain([head[column].len()]).max().unwrap_or(0))
        .collect();
    let line = |cells: Vec<&str>| {
        let cells = cells.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        println!("| {} |", cells.collect::<Vec<_>>().join(" | "));
    };
    line(head.to_vec());
    let rules: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
    line(rules.iter().map(String::as_str).collect());
    rows.iter().for_each(|row| line(row.iter().map(String::as_str).collect()));
}
