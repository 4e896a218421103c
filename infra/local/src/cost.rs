//! What a month of the gateway costs on AWS: list prices times what it was measured to ask for (docs/cost.md).
//!
//! Owns the formula. It must never promise more than it counts: everything AWS charges for a delivery or a call has a line.

use std::fmt;

use clap::Parser;

use crate::prices::{
    API_REQUEST, GB_SECOND, INVOCATION, KB_OUT, KEY_REQUEST, LOG_KB, QUEUE_REQUEST, SECRET_READ, TRACE,
    WRITE_UNIT,
};

/// Write units of DynamoDB for an event of up to a kilobyte, packed: one write, whatever becomes of it.
pub const WRITES_OF_AN_EVENT: u32 = 1;
/// Write units for the journal's entry of a batch.
pub const WRITES_OF_A_BATCH: u32 = 1;
/// What CloudWatch counts for each line of a log besides its text (kilobytes; documented for PutLogEvents, charged or not).
const LOG_OF_A_LINE: f64 = 0.026;
/// The dispatcher's line for a batch (kilobytes, measured). A delivery that was stored has none.
pub const LOG_OF_A_BATCH: f64 = 0.256;
/// A function's line for a call (kilobytes, as `meter` counts it).
const LOG_OF_A_CALL: f64 = 0.4;
/// The line of the access log for a delivery, as the template words it (kilobytes, measured with values of usual length).
pub const LOG_OF_API_GATEWAY: f64 = 0.156;
/// The answer to a delivery, with API Gateway's headers (kilobytes, estimated).
const ANSWER: f64 = 0.17;
/// Minutes of a month.
const MINUTES: f64 = 43_800.0;
/// A busy receiver reads its tenant's webhook keys once in so many.
const KEYS_KNOWN: f64 = 15.0;
/// DynamoDB keeps the key of a table for so many, for each caller.
const TABLE_OPEN: f64 = 5.0;

/// Prints what a month costs on AWS, line by line.
#[derive(Debug, Clone, Parser)]
#[command(name = "trunkline cost", version)]
pub struct Cost {
    /// Deliveries by RingCentral in a month
    #[arg(long, default_value_t = 1_000_000.0, value_name = "N")]
    pub webhooks: f64,
    /// API calls in a month, each of which calls RingCentral once
    #[arg(long, default_value_t = 0.0, value_name = "N")]
    pub calls: f64,
    /// RingCentral delivers to a function URL instead of API Gateway
    #[arg(long)]
    pub function_url: bool,
    /// How large an event is in the table (kilobytes); most have less than a half
    #[arg(long, default_value_t = 1.0, value_name = "KB")]
    pub event: f64,
    /// Deliveries that the dispatcher gets at once; few come together where few come at all
    #[arg(long, default_value_t = 10.0, value_name = "N")]
    pub batch: f64,
    /// Memory of the receiver and the dispatcher (MB)
    #[arg(long, default_value_t = 256.0, value_name = "MB")]
    pub memory: f64,
    /// Memory of a function of the API (MB)
    #[arg(long, default_value_t = 512.0, value_name = "MB")]
    pub call_memory: f64,
    /// How long a delivery is taken in for (ms, estimated: SQS takes most of it)
    #[arg(long, default_value_t = 10.0, value_name = "MS")]
    pub receive_ms: f64,
    /// How long a batch is worked on (ms, estimated: two requests to DynamoDB after each other)
    #[arg(long, default_value_t = 50.0, value_name = "MS")]
    pub dispatch_ms: f64,
    /// How long an API call waits for RingCentral and everything else (ms, estimated)
    #[arg(long, default_value_t = 400.0, value_name = "MS")]
    pub call_ms: f64,
    /// The answer to an API call (kilobytes, estimated)
    #[arg(long, default_value_t = 10.0, value_name = "KB")]
    pub call_kb: f64,
    /// Containers of each function that are busy all month
    #[arg(long, default_value_t = 1.0, value_name = "N")]
    pub containers: f64,
    /// X-Ray records deliveries too (the parameter WebhookTracing)
    #[arg(long)]
    pub webhook_tracing: bool,
    /// The share that X-Ray records where it does: all of one a second, 0.05 of what is more
    #[arg(long, default_value_t = 1.0, value_name = "SHARE")]
    pub traced: f64,
}

/// One line of the bill.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What is paid for.
    pub what: String,
    /// How much of it.
    pub quantity: f64,
    /// What one costs (US dollars).
    pub price: f64,
}

impl Line {
    fn new(what: impl Into<String>, quantity: f64, price: f64) -> Self {
        Self { what: what.into(), quantity, price }
    }

    /// US dollars.
    #[must_use]
    pub fn amount(&self) -> f64 {
        self.quantity * self.price
    }
}

impl Cost {
    /// What deliveries cost, from API Gateway to the stored event.
    #[must_use]
    pub fn webhooks(&self) -> Vec<Line> {
        let (n, batches) = (self.webhooks, self.webhooks / self.batch);
        let each = self.event.ceil() * f64::from(WRITES_OF_AN_EVENT);
        let mut lines = vec![
            Line::new("receive, invocations", n, INVOCATION),
            duration("receive", n, self.receive_ms, self.memory),
            Line::new("SQS, send", n, QUEUE_REQUEST),
            Line::new("SQS, receive and delete a batch", 2.0 * batches, QUEUE_REQUEST),
            Line::new("dispatch, invocations", batches, INVOCATION),
            duration("dispatch", batches, self.dispatch_ms, self.memory),
            Line::new(format!("DynamoDB, write units ({each} an event)"), each * n, WRITE_UNIT),
            Line::new(
                format!("DynamoDB, write units ({WRITES_OF_A_BATCH} a batch)"),
                f64::from(WRITES_OF_A_BATCH) * batches,
                WRITE_UNIT,
            ),
            Line::new("logs of dispatch (KB)", (LOG_OF_A_BATCH + LOG_OF_A_LINE) * batches, LOG_KB),
            Line::new("data out (KB)", ANSWER * n, KB_OUT),
            Line::new("Secrets Manager, reads", MINUTES / KEYS_KNOWN * self.containers, SECRET_READ),
            Line::new("KMS, the key of a table", MINUTES / TABLE_OPEN * self.containers, KEY_REQUEST),
        ];
        if self.webhook_tracing {
            lines.push(Line::new("X-Ray, traces", self.traced * (n + batches), TRACE));
        }
        if !self.function_url {
            lines.insert(0, Line::new("API Gateway, requests", n, API_REQUEST));
            lines.push(Line::new("access log (KB)", (LOG_OF_API_GATEWAY + LOG_OF_A_LINE) * n, LOG_KB));
        }
        lines
    }

    /// What API calls cost that each make one call to RingCentral.
    #[must_use]
    pub fn calls(&self) -> Vec<Line> {
        let n = self.calls;
        // A token is asked about once in five minutes; whoever brings many is asked about more often.
        let asked = MINUTES / 5.0;
        vec![
            Line::new("API Gateway, requests", n, API_REQUEST),
            Line::new("function, invocations", n, INVOCATION),
            duration("function", n, self.call_ms, self.call_memory),
            Line::new("authorizer, invocations", asked, INVOCATION),
            Line::new("DynamoDB, one write unit each", n, WRITE_UNIT),
            Line::new("logs of the functions (KB)", (LOG_OF_A_CALL + LOG_OF_A_LINE) * (n + asked), LOG_KB),
            Line::new("access log (KB)", (LOG_OF_API_GATEWAY + LOG_OF_A_LINE) * n, LOG_KB),
            Line::new("data out (KB)", self.call_kb * n, KB_OUT),
            // The function reads two secrets a minute, the authorizer one.
            Line::new("Secrets Manager, reads", 3.0 * MINUTES * self.containers, SECRET_READ),
            Line::new(
                "KMS, the keys of two tables",
                2.0 * MINUTES / TABLE_OPEN * self.containers,
                KEY_REQUEST,
            ),
            Line::new("X-Ray, traces", self.traced * (n + asked), TRACE),
        ]
    }
}

fn duration(function: &str, invocations: f64, ms: f64, memory: f64) -> Line {
    let what = format!("{function}, GB-seconds ({ms} ms of {memory} MB)");
    Line::new(what, invocations * ms / 1_000.0 * memory / 1_024.0, GB_SECOND)
}

/// What all lines come to (US dollars).
#[must_use]
pub fn total(lines: &[Line]) -> f64 {
    lines.iter().map(Line::amount).sum()
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [("webhooks", self.webhooks, self.webhooks()), ("API calls", self.calls, self.calls())];
        for (name, n, lines) in parts.iter().filter(|(_, n, _)| *n > 0.0) {
            writeln!(f, "{n} {name}, US dollars\n")?;
            for line in lines {
                writeln!(f, "  {:<48} {:>16.0} {:>10.3}", line.what, line.quantity, line.amount())?;
            }
            let all = total(lines);
            writeln!(f, "  {:<48} {:>16} {all:>10.3}", "together", "")?;
            writeln!(f, "  {:<48} {:>16} {:>10.3}\n", "for each million", "", all / n * 1e6)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(arguments: &[&str]) -> Cost {
        Cost::parse_from(std::iter::once(&"trunkline cost").chain(arguments))
    }

    #[test]
    fn twice_the_deliveries_cost_twice_what_is_not_fixed() {
        let (one, two) = (cost(&["--webhooks", "1000000"]), cost(&["--webhooks", "2000000"]));
        let (of_one, of_two) = (total(&one.webhooks()), total(&two.webhooks()));
        let fixed = MINUTES * (SECRET_READ / KEYS_KNOWN + KEY_REQUEST / TABLE_OPEN);
        assert!((2.0 * (of_one - fixed) - (of_two - fixed)).abs() < 1e-9);
    }

    #[test]
    fn a_function_url_saves_what_api_gateway_takes() {
        let saved = total(&cost(&[]).webhooks()) - total(&cost(&["--function-url"]).webhooks());
        assert!((saved - 1.0 - (LOG_OF_API_GATEWAY + LOG_OF_A_LINE) / 2.0).abs() < 1e-9, "{saved}");
    }

    #[test]
    fn a_million_deliveries_cost_what_we_say() {
        let (api, url) = (total(&cost(&[]).webhooks()), total(&cost(&["--function-url"]).webhooks()));
        assert!(api <= 2.60 && url <= 1.60, "{api} through API Gateway, {url} by a function URL");
    }

    #[test]
    fn what_is_large_or_comes_alone_costs_more() {
        let of = |arguments: &[&str]| total(&cost(arguments).webhooks());
        assert!((of(&["--event", "1.2"]) - of(&[]) - 0.625).abs() < 1e-9);
        assert!(of(&["--batch", "1"]) > of(&[]) + 1.5);
        assert!((of(&["--webhook-tracing"]) - of(&[]) - 5.5).abs() < 1e-9);
    }
}
