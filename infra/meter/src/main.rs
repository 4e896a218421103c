//! `meter`: what every function weighs, how fast it starts and what it asks for, beside a hello-world of the same run.
//!
//! Each function runs as a process of its own against a Runtime API, as Lambda runs it. It must never measure anything but the
//! binaries that are deployed: what it measures knows nothing of being measured.

mod archive;
mod builds;
mod error;
mod figures;
mod ground;
mod runtime_api;
mod sample;
mod slow;
mod table;
mod throttle;
mod tls;
mod usage;
mod warm;

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::Parser;

use crate::{
    builds::HELLO,
    error::MeterError,
    figures::Figures,
    ground::Ground,
    sample::{Function, Sample, sample},
    slow::Slow,
    tls::Doors,
    warm::Warm,
};

/// Measures every function beside a hello-world and fails if one is out of bounds.
///
/// Start it in the root of the workspace. It builds what it measures, for this machine and in the release profile.
#[derive(Debug, Parser)]
#[command(name = "meter", version)]
struct Args {
    /// How often each function is started for each figure
    #[arg(long, default_value_t = 51)]
    runs: u32,
    /// Measure the binaries in this folder and build nothing
    #[arg(long, value_name = "FOLDER")]
    binaries: Option<PathBuf>,
    /// Only the functions with these names, and the hello-world
    functions: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match measure(&Args::parse()).await {
        Ok(excesses) if excesses.is_empty() => {
            say("everything is within bounds\n");
            ExitCode::SUCCESS
        }
        Ok(excesses) => {
            say(&format!("OUT OF BOUNDS\n{}\n", excesses.join("\n")));
            ExitCode::FAILURE
        }
        Err(error) => {
            say(&format!("{error}\n"));
            ExitCode::FAILURE
        }
    }
}

async fn measure(args: &Args) -> Result<Vec<String>, MeterError> {
    let mut functions = builds::functions(&args.binaries.clone().unwrap_or_else(builds::folder))?;
    functions.retain(|function| {
        args.functions.is_empty() || function.name == HELLO || args.functions.contains(&function.name)
    });
    if args.binaries.is_none() {
        builds::build(&functions)?;
    }
    let plain = Ground::lay(None).await?;
    let mut excesses = Vec::new();

    let figures = starts(&functions, &plain, args.runs).await?;
    say(&format!("From the start, median of {}; AWS and RingCentral without TLS\n\n", args.runs));
    if let [hello, rest @ ..] = figures.as_slice() {
        say(&format!("{}\n", table::starts(&figures, hello)));
        excesses.extend(rest.iter().flat_map(|figures| figures.excesses(hello)));
    }

    let secured = Ground::lay(Some(Doors::new()?)).await?;
    let figures = starts(&functions, &secured, args.runs).await?;
    say("The same with TLS, whose handshakes fall into the start\n\n");
    if let [hello, ..] = figures.as_slice() {
        say(&format!("{}\n", table::starts(&figures, hello)));
    }

    say(&format!("{}\n", table::WARM));
    for function in &functions {
        say(&table::warm(&Warm::measure(function, &plain).await?));
    }

    say("\nCold, on a twentieth of a core, with TLS\n\n");
    let mut rows = Vec::new();
    for function in
        functions.iter().filter(|function| [HELLO, "events-receive"].contains(&function.name.as_str()))
    {
        rows.push(Slow::measure(function, &secured, args.runs).await?);
        if function.name != HELLO {
            let handshake = Function { payload: "events/receive/handshake.json".into(), ..function.clone() };
            rows.push(Slow::measure(&handshake, &secured, args.runs).await?);
        }
    }
    say(&format!("{}\n", table::slow(&rows)));
    excesses.extend(rows.iter().filter_map(Slow::excess));
    Ok(excesses)
}

/// Every function in turn, so that what else the machine does hits all of them alike, and from copies of this turn. Each turn begins
/// with another function: whoever is first finds the caches full of what was copied.
async fn starts(functions: &[Function], ground: &Ground, runs: u32) -> Result<Vec<Figures>, MeterError> {
    let environment = ground.environment();
    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); functions.len()];
    for (turn, first) in (0..runs).zip((0..functions.len()).cycle()) {
        let folder = tempfile::tempdir().map_err(error::ground("a folder"))?;
        let copies = builds::copy(functions, folder.path())?;
        let (later, sooner) = copies.split_at(first);
        let (samples_later, samples_sooner) = samples.split_at_mut(first);
        let in_turn = sooner.iter().zip(samples_sooner).chain(later.iter().zip(samples_later));
        for (function, samples) in in_turn {
            let payload = ground.payload(&function.payload, turn)?;
            samples.push(sample(function, &environment, payload, false).await?);
        }
    }
    functions.iter().zip(&samples).map(|(function, samples)| Figures::of(function, samples)).collect()
}

fn say(text: &str) {
    // Whoever closed our output does not want to read this.
    let _ = std::io::stdout().write_all(text.as_bytes());
}
