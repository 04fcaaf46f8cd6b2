//! The cases: what an Istio ambient mesh promises at the waypoint.
//!
//! One file a feature; its `suite!` block is its table of contents.
#![forbid(unsafe_code)]

mod access_log;
mod authorization;
mod configuration;
mod fault;
mod metrics;
mod removal;
mod routing;
mod scope;
mod traffic;

use waymark_harness::case::Suite;

/// Every suite, in the order of listings and reports.
pub fn suites() -> Vec<Suite> {
    vec![
        routing::SUITE,
        scope::SUITE,
        traffic::SUITE,
        fault::SUITE,
        authorization::SUITE,
        access_log::SUITE,
        metrics::SUITE,
        removal::SUITE,
        configuration::SUITE,
    ]
}

/// The list of known deviations, which is part of the binary.
pub const KNOWN: (&str, &str) = ("suites/known-deviations.toml", include_str!("../known-deviations.toml"));

/// The rows of the behaviour catalogue that cases may cite.
pub const ROWS: &str = include_str!("../catalogue.txt");
