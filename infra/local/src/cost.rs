//! What a month of the gateway costs on AWS: list prices times what it was measured to ask for (docs/cost.md).
//!
//! Owns the formula. It must never promise more than it counts: everything AWS charges for a delivery or a call has a line.

use std::fmt;

use clap::Parser;

use crate::prices::{
    API_REQUEST, GB_SECOND, INVOCATION, LOG_KB, QUEUE_REQUEST, READ_UNIT, SECRET_READ, TRACE, WRITE_UNIT,
};

/// Write units of DynamoDB for a delivery that belongs to a call: the lease (1), the event and the call's state in a transaction
/// (2 x 2 and 2 x 1), and the event in two indexes (2 each).
pub const WRITES_OF_A_CALL_EVENT: u32 = 11;
/// Write units for any other delivery: the lease (1), the event (2), and the event in one index (2).
pub const WRITES_OF_ANOTHER_EVENT: u32 = 5;
/// What the functions write for a delivery, a batch and a call, as `meter` counts it (kilobytes).
const LOG_OF_A_DELIVERY: f64 = 0.3;
const LOG_OF_A_BATCH: f64 = 0.3;
const LOG_OF_A_CALL: f64 = 0.4;
/// What Lambda writes for an invocation: its start and its report (kilobytes, estimated).
const LOG_OF_LAMBDA: f64 = 0.6;
/// The line of the access log, as the template words it (kilobytes, estimated).
const LOG_OF_API_GATEWAY: f64 = 0.35;
/// Minutes of a month: each busy container reads its tenant's secret once in each.
const MINUTES: f64 = 43_800.0;

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
    /// The share of deliveries that belong to a call
    #[arg(long, default_value_t = 1.0, value_name = "SHARE")]
    pub of_calls: f64,
    /// Deliveries that the dispatcher gets at once
    #[arg(long, default_value_t = 10.0, value_name = "N")]
    pub batch: f64,
    /// Memory of each function (MB)
    #[arg(long, default_value_t = 512.0, value_name = "MB")]
    pub memory: f64,
    /// How long a delivery is taken in for (ms)
    #[arg(long, default_value_t = 12.0, value_name = "MS")]
    pub receive_ms: f64,
    /// How long a batch is worked on (ms)
    #[arg(long, default_value_t = 120.0, value_name = "MS")]
    pub dispatch_ms: f64,
    /// How long an API call waits for RingCentral and everything else (ms)
    #[arg(long, default_value_t = 400.0, value_name = "MS")]
    pub call_ms: f64,
    /// Containers that are busy all month; each reads a secret once a minute
    #[arg(long, default_value_t = 1.0, value_name = "N")]
    pub containers: f64,
    /// The share of invocations that X-Ray traces
    #[arg(long, default_value_t = 0.05, value_name = "SHARE")]
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
        let each = self.of_calls * f64::from(WRITES_OF_A_CALL_EVENT)
            + (1.0 - self.of_calls) * f64::from(WRITES_OF_ANOTHER_EVENT);
        let mut lines = vec![
            Line::new("receive, invocations", n, INVOCATION),
            self.duration("receive", n, self.receive_ms),
            Line::new("SQS, send", n, QUEUE_REQUEST),
            Line::new("SQS, receive and delete a batch", 2.0 * batches, QUEUE_REQUEST),
            Line::new("dispatch, invocations", batches, INVOCATION),
            self.duration("dispatch", batches, self.dispatch_ms),
            Line::new(format!("DynamoDB, {each:.1} write units each"), each * n, WRITE_UNIT),
            Line::new("DynamoDB, read units", self.of_calls * n, READ_UNIT),
            Line::new("logs of the functions (KB)", LOG_OF_A_DELIVERY * n + LOG_OF_A_BATCH * batches, LOG_KB),
            Line::new("logs of Lambda (KB)", LOG_OF_LAMBDA * (n + batches), LOG_KB),
            Line::new("Secrets Manager, reads", MINUTES * self.containers, SECRET_READ),
            Line::new("X-Ray, traces", self.traced * (n + batches), TRACE),
        ];
        if !self.function_url {
            lines.insert(0, Line::new("API Gateway, requests", n, API_REQUEST));
            lines.push(Line::new("logs of API Gateway (KB)", LOG_OF_API_GATEWAY * n, LOG_KB));
        }
        lines
    }

    /// What API calls cost that each make one call to RingCentral.
    #[must_use]
    pub fn calls(&self) -> Vec<Line> {
        let n = self.calls;
        vec![
            Line::new("API Gateway, requests", n, API_REQUEST),
            Line::new("function, invocations", n, INVOCATION),
            self.duration("function", n, self.call_ms),
            Line::new("DynamoDB, one write unit each", n, WRITE_UNIT),
            Line::new("logs of the functions (KB)", LOG_OF_A_CALL * n, LOG_KB),
            Line::new("logs of Lambda (KB)", LOG_OF_LAMBDA * n, LOG_KB),
            Line::new("logs of API Gateway (KB)", LOG_OF_API_GATEWAY * n, LOG_KB),
            Line::new("Secrets Manager, reads", MINUTES * self.containers, SECRET_READ),
            Line::new("X-Ray, traces", self.traced * n, TRACE),
        ]
    }

    fn duration(&self, function: &str, invocations: f64, ms: f64) -> Line {
        let what = format!("{function}, GB-seconds ({ms} ms of {} MB)", self.memory);
        Line::new(what, invocations * ms / 1_000.0 * self.memory / 1_024.0, GB_SECOND)
    }
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
                writeln!(f, "  {:<48} {:>16.0} {:>10.2}", line.what, line.quantity, line.amount())?;
            }
            let all = total(lines);
            writeln!(f, "  {:<48} {:>16} {all:>10.2}", "together", "")?;
            writeln!(f, "  {:<48} {:>16} {:>10.2}\n", "for each million", "", all / n * 1e6)?;
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
        let fixed = MINUTES * SECRET_READ;
        assert!((2.0 * (of_one - fixed) - (of_two - fixed)).abs() < 1e-9);
    }

    #[test]
    fn a_function_url_saves_what_api_gateway_takes() {
        let saved = total(&cost(&[]).webhooks()) - total(&cost(&["--function-url"]).webhooks());
        assert!((saved - 1.0 - LOG_OF_API_GATEWAY / 2.0).abs() < 1e-9, "{saved}");
    }
}
