//! What a month of the gateway costs on AWS: list prices times what it was measured to ask for (docs/cost.md).
//!
//! Owns the formula. It must never promise more than it counts: everything AWS charges for a delivery or a call has a line.

use std::fmt;

use clap::Args;

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
#[derive(Debug, Clone, Args)]
pub struct Cost {
    /// Deliveries by RingCentral in a month
    #[arg(long, default_value_t = 1_000_000.0, value_name = "N", value_parser = amount)]
    pub webhooks: f64,
    /// API calls in a month, each of which calls RingCentral once
    #[arg(long, default_value_t = 0.0, value_name = "N", value_parser = amount)]
    pub calls: f64,
    /// RingCentral delivers to a function URL instead of API Gateway
    #[arg(long)]
    pub function_url: bool,
    /// How large an event is in the table (kilobytes); most have less than a half
    #[arg(long, default_value_t = 1.0, value_name = "KB", value_parser = kilobytes_of_an_event)]
    pub event: f64,
    /// Deliveries that the dispatcher gets at once; few come together where few come at all
    #[arg(long, default_value_t = 10.0, value_name = "N", value_parser = records)]
    pub batch: f64,
    /// Memory of the receiver and the dispatcher (MB)
    #[arg(long, default_value_t = 256.0, value_name = "MB", value_parser = megabytes)]
    pub memory: f64,
    /// Memory of a function of the API (MB)
    #[arg(long, default_value_t = 512.0, value_name = "MB", value_parser = megabytes)]
    pub call_memory: f64,
    /// How long a delivery is taken in for (ms, estimated: SQS takes most of it)
    #[arg(long, default_value_t = 10.0, value_name = "MS", value_parser = milliseconds)]
    pub receive_ms: f64,
    /// How long a batch is worked on (ms, estimated: two requests to DynamoDB after each other)
    #[arg(long, default_value_t = 50.0, value_name = "MS", value_parser = milliseconds)]
    pub dispatch_ms: f64,
    /// How long an API call waits for RingCentral and everything else (ms, estimated)
    #[arg(long, default_value_t = 400.0, value_name = "MS", value_parser = milliseconds)]
    pub call_ms: f64,
    /// The answer to an API call (kilobytes, estimated)
    #[arg(long, default_value_t = 10.0, value_name = "KB", value_parser = kilobytes)]
    pub call_kb: f64,
    /// Containers of each function that are busy all month
    #[arg(long, default_value_t = 1.0, value_name = "N", value_parser = containers)]
    pub containers: f64,
    /// X-Ray records deliveries too (the parameter WebhookTracing)
    #[arg(long)]
    pub webhook_tracing: bool,
    /// The share that X-Ray records where it does: all of one a second, 0.05 of what is more
    #[arg(long, default_value_t = 1.0, value_name = "SHARE", value_parser = share)]
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

/// A number within limits, or what it must be.
fn within(text: &str, least: f64, most: f64, must: &'static str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|number| (least..=most).contains(number)).ok_or(must)
}

fn amount(text: &str) -> Result<f64, &'static str> {
    within(text, 0.0, 1e15, "must be a number from 0 to 1e15")
}

fn kilobytes_of_an_event(text: &str) -> Result<f64, &'static str> {
    within(text, 0.01, 400.0, "must be a number above 0, up to 400: DynamoDB takes no larger item")
}

fn records(text: &str) -> Result<f64, &'static str> {
    within(text, 1.0, 10.0, "must be a number from 1 to 10: the dispatcher gets no more at once")
}

fn megabytes(text: &str) -> Result<f64, &'static str> {
    within(text, 128.0, 10_240.0, "must be a number from 128 to 10240, as Lambda has them")
}

fn milliseconds(text: &str) -> Result<f64, &'static str> {
    within(text, 0.0, 900_000.0, "must be a number from 0 to 900000")
}

fn kilobytes(text: &str) -> Result<f64, &'static str> {
    within(text, 0.0, 6_144.0, "must be a number from 0 to 6144: Lambda answers with no more")
}

fn containers(text: &str) -> Result<f64, &'static str> {
    within(text, 0.0, 1e6, "must be a number from 0 to 1e6")
}

fn share(text: &str) -> Result<f64, &'static str> {
    within(text, 0.0, 1.0, "must be a share from 0 to 1")
}

/// A number with a comma after each three digits.
fn grouped(number: f64, decimals: usize) -> String {
    let text = format!("{number:.decimals$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut shown = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown + rest
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
        let asked: Vec<_> = parts.iter().filter(|(_, n, _)| *n > 0.0).collect();
        if asked.is_empty() {
            return f.write_str("nothing to reckon: give --webhooks or --calls a number above 0");
        }
        for (index, (name, n, lines)) in asked.iter().enumerate() {
            let gap = if index > 0 { "\n\n" } else { "" };
            writeln!(f, "{gap}{} {name}, US dollars\n", grouped(*n, 0))?;
            for line in lines {
                let (quantity, amount) = (grouped(line.quantity, 0), grouped(line.amount(), 3));
                writeln!(f, "  {:<48} {quantity:>20} {amount:>14}", line.what)?;
            }
            let all = total(lines);
            writeln!(f, "  {:<48} {:>20} {:>14}", "together", "", grouped(all, 3))?;
            write!(f, "  {:<48} {:>20} {:>14}", "for each million", "", grouped(all / n * 1e6, 3))?;
        }
        if asked.len() > 1 {
            let all = asked.iter().map(|(_, _, lines)| total(lines)).sum();
            write!(f, "\n\n  {:<48} {:>20} {:>14}", "all of it in a month", "", grouped(all, 3))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        cost: Cost,
    }

    fn cost(arguments: &[&str]) -> Cost {
        Line::parse_from(std::iter::once(&"cost").chain(arguments)).cost
    }

    #[test]
    fn regression_no_number_makes_the_bill_senseless() {
        for (option, value) in [
            ("--webhooks", "nan"),
            ("--webhooks", "1e400"),
            ("--webhooks", "-1"),
            ("--batch", "0"),
            ("--batch", "100"),
            ("--memory", "64"),
            ("--traced", "7"),
            ("--event", "500"),
        ] {
            let refused = Line::try_parse_from(["cost".to_owned(), format!("{option}={value}")]);
            let refused = refused.err().map(|error| error.to_string());
            assert!(refused.is_some_and(|refused| refused.contains(option)), "{option} {value}");
        }
        assert!(cost(&["--webhooks", "0"]).to_string().contains("--webhooks"));
        let both = cost(&["--webhooks", "1000000000", "--calls", "1000"]).to_string();
        assert!(both.contains("1,000,000,000 webhooks") && both.contains("all of it in a month"), "{both}");
        assert_eq!(
            (grouped(1_234_567.891, 3), grouped(12.0, 0)),
            ("1,234,567.891".to_owned(), "12".to_owned())
        );
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
