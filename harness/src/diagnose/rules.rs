//! The rules, the more specific before those that follow from them.

mod acceptance;
mod endpoints;
mod gateway;
mod health;
mod identity;
mod layer;
mod policy;
mod route;
mod way;

#[cfg(test)]
pub(super) mod fixture;

use super::{Facts, Finding};

/// Says whether these facts speak for a cause.
pub(super) type Rule = fn(&Facts) -> Option<Finding>;

/// All of them; among causes of equal confidence the earlier is told first.
pub(super) const ALL: [Rule; 16] = [
    health::unreachable,
    health::crashed,
    health::refused,
    gateway::names_nothing,
    gateway::other_kind,
    gateway::not_programmed,
    policy::not_accepted,
    route::not_accepted,
    layer::other_layer,
    way::not_captured,
    way::bypassed,
    way::strangers_waypoint,
    identity::differs,
    endpoints::none_healthy,
    route::stale,
    way::strangers_answer,
];
