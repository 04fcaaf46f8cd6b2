//! The cases: what an Istio ambient mesh promises at the waypoint.
//!
//! One file a feature; its `suite!` block is its table of contents.
#![forbid(unsafe_code)]

mod access_log;
mod authorization;
mod authorization_l4;
mod authorization_match;
mod authorization_order;
mod authorization_target;
mod binding;
mod bypass;
mod canary;
mod cli_waypoint;
mod configuration;
mod cors;
mod destination_rule;
mod fault;
mod grpc;
mod grpc_route;
mod jwt;
mod life_cycle;
mod load_balancing;
mod metrics;
mod mirroring;
mod peer_authentication;
mod protocols;
mod rate_limit;
mod removal;
mod resilience;
mod retries;
mod routing;
mod routing_backend;
mod routing_filter;
mod routing_match;
mod routing_parent;
mod routing_precedence;
mod routing_redirect;
mod scope;
mod tcp;
mod telemetry;
mod timeouts;
mod tracing;
mod virtual_service;
mod virtual_service_actions;

use waymark_harness::case::Suite;

/// Every suite, in the order of listings and reports.
pub fn suites() -> Vec<Suite> {
    vec![
        routing::SUITE,
        scope::SUITE,
        authorization::SUITE,
        authorization_match::SUITE,
        authorization_order::SUITE,
        authorization_target::SUITE,
        authorization_l4::SUITE,
        peer_authentication::SUITE,
        bypass::SUITE,
        jwt::SUITE,
        routing_match::SUITE,
        routing_precedence::SUITE,
        routing_filter::SUITE,
        routing_redirect::SUITE,
        routing_backend::SUITE,
        routing_parent::SUITE,
        grpc_route::SUITE,
        virtual_service::SUITE,
        virtual_service_actions::SUITE,
        destination_rule::SUITE,
        canary::SUITE,
        timeouts::SUITE,
        retries::SUITE,
        mirroring::SUITE,
        load_balancing::SUITE,
        resilience::SUITE,
        rate_limit::SUITE,
        cors::SUITE,
        fault::SUITE,
        protocols::SUITE,
        grpc::SUITE,
        tcp::SUITE,
        access_log::SUITE,
        metrics::SUITE,
        binding::SUITE,
        tracing::SUITE,
        telemetry::SUITE,
        removal::SUITE,
        life_cycle::SUITE,
        cli_waypoint::SUITE,
        configuration::SUITE,
    ]
}

/// The list of known deviations, which is part of the binary.
pub const KNOWN: (&str, &str) = ("suites/known-deviations.toml", include_str!("../known-deviations.toml"));

/// The rows of the behaviour catalogue that cases may cite.
pub const ROWS: &str = include_str!("../catalogue.txt");
