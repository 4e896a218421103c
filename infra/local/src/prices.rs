//! AWS list prices in US dollars: us-east-1, arm64, on demand, without the free tier. Collected on 2026-11-20.
//!
//! Owns nothing but numbers, each with its source. A price that was not found in a source that could be read is marked.

/// A request through an HTTP API (aws.amazon.com/api-gateway/pricing).
pub(crate) const API_REQUEST: f64 = 1.00e-6;
/// An invocation (aws.amazon.com/lambda/pricing). At a function URL nothing else is added.
pub(crate) const INVOCATION: f64 = 0.20e-6;
/// A gigabyte of memory for a second, arm64 (aws.amazon.com/lambda/pricing).
pub(crate) const GB_SECOND: f64 = 1.33334e-5;
/// A request to a standard queue, up to 64 KB (list price, unverified).
pub(crate) const QUEUE_REQUEST: f64 = 0.40e-6;
/// A write unit: one kilobyte, also where the condition of the write is refused (airbyte.com/data-engineering-resources/dynamodb-pricing; since 2024-11).
pub(crate) const WRITE_UNIT: f64 = 0.625e-6;
/// A kilobyte of logs taken in (list price of $0.50 a gigabyte, unverified).
pub(crate) const LOG_KB: f64 = 0.50e-6;
/// A read of a secret (list price of $0.05 for 10,000, unverified).
pub(crate) const SECRET_READ: f64 = 5.0e-6;
/// A request to KMS, which every table under AWS's managed key is opened with (list price of $0.03 for 10,000, unverified).
pub(crate) const KEY_REQUEST: f64 = 3.0e-6;
/// A kilobyte that leaves AWS (list price of $0.09 a gigabyte, unverified).
pub(crate) const KB_OUT: f64 = 0.09e-6;
/// A trace recorded by X-Ray (list price of $5 a million, unverified).
pub(crate) const TRACE: f64 = 5.0e-6;
