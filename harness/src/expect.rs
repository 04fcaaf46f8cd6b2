//! Expectations are values that explain themselves: [`Expectation::check`] compares one exchange with a claim and, when
//! they differ, says what was wanted and what came.

pub mod binomial;
mod check;
mod seen;
mod sight;
mod wire;

use std::fmt;
use std::time::Duration;

use waymark_echo::api::Exchange;

use crate::stage::cast::{Backend, Hop, Part};

pub use check::{Checked, summary};
pub use seen::{host_seen, not_served_by, path_seen};
pub use sight::{Sight, WaypointId};
use wire::Claim;
pub use wire::{
    answer_trickles, body_arrives, body_returns, body_trickles, echoed, ended_in_order, grpc_message,
    grpc_status, heard_as, messages, trailer,
};

/// What one exchange must be. Empty by itself; made by the functions of this module and joined by [`Expectation::and`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expectation {
    statuses: Vec<u16>,
    backends: Vec<Backend>,
    ways: Vec<Way>,
    denials: Vec<Hop>,
    bodies: Vec<String>,
    response_headers: Vec<HeaderClaim>,
    request_headers: Vec<HeaderClaim>,
    at_least: Vec<Duration>,
    at_most: Vec<Duration>,
    details: Vec<String>,
    in_time: bool,
    seen: Vec<seen::Seen>,
    wire: Vec<Claim>,
}

/// Which way a request went.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    Passed(WaypointId),
    NotPassed(WaypointId),
    Direct,
}

/// A header and its value; `None` when it must be absent.
#[derive(Debug, Clone, PartialEq, Eq)]
struct HeaderClaim {
    name: String,
    value: Option<String>,
}

impl Expectation {
    /// Both must hold.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        let Self {
            statuses,
            backends,
            ways,
            denials,
            bodies,
            response_headers,
            request_headers,
            at_least,
            at_most,
            details,
            in_time,
            seen,
            wire,
        } = other;
        self.statuses.extend(statuses);
        self.backends.extend(backends);
        self.ways.extend(ways);
        self.denials.extend(denials);
        self.bodies.extend(bodies);
        self.response_headers.extend(response_headers);
        self.request_headers.extend(request_headers);
        self.at_least.extend(at_least);
        self.at_most.extend(at_most);
        self.details.extend(details);
        self.in_time |= in_time;
        self.seen.extend(seen);
        self.wire.extend(wire);
        self
    }

    /// The waypoints whose pods must be known to check this.
    pub(crate) fn waypoints(&self) -> impl Iterator<Item = &WaypointId> {
        self.ways.iter().filter_map(|way| match way {
            Way::Passed(waypoint) | Way::NotPassed(waypoint) => Some(waypoint),
            Way::Direct => None,
        })
    }

    /// The parts of the mesh whose behaviour these claims are about.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Part> {
        let Self {
            statuses: _,
            backends: _,
            ways,
            denials,
            bodies: _,
            response_headers: _,
            request_headers: _,
            at_least: _,
            at_most: _,
            details,
            in_time: _,
            seen: _,
            wire: _,
        } = self;
        let ways = ways.iter().map(|way| match way {
            Way::Passed(_) => Part::Envoy,
            Way::NotPassed(_) | Way::Direct => Part::Ztunnel,
        });
        // Who ends TLS depends on what was dialled, which the verb that says so notes.
        let denials = denials.iter().filter_map(|hop| match hop {
            Hop::Waypoint => Some(Part::Envoy),
            Hop::Ztunnel => Some(Part::Ztunnel),
            Hop::Handshake => None,
        });
        ways.chain(denials).chain(details.iter().map(|_| Part::Envoy))
    }

    /// Whether only the waypoint's access log can tell.
    pub(crate) fn needs_log(&self, answered_by_backend: bool) -> bool {
        let passed = self.ways.iter().any(|way| matches!(way, Way::Passed(_)));
        !self.details.is_empty() || (!answered_by_backend && passed)
    }

    /// The same without what only the waypoint's access log can tell of this exchange. Not a verdict: the rest is
    /// checked when the log has been written.
    pub(crate) fn without_log(&self, exchange: &Exchange) -> Self {
        let mut sooner = Self { details: Vec::new(), ..self.clone() };
        if exchange.echo().is_none() {
            sooner.ways.retain(|way| !matches!(way, Way::Passed(_)));
        }
        sooner
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&check::want(self).join(", "))
    }
}

/// The response has this status.
#[must_use]
pub fn status(status: u16) -> Expectation {
    Expectation { statuses: vec![status], ..Expectation::default() }
}

/// The response comes from this backend.
#[must_use]
pub fn served_by(backend: Backend) -> Expectation {
    Expectation { backends: vec![backend], ..Expectation::default() }
}

/// The request went through this waypoint: the backend's peer is one of its pods; where the waypoint answered itself,
/// its access log has the probe's line.
#[must_use]
pub fn passed(waypoint: &WaypointId) -> Expectation {
    Expectation { ways: vec![Way::Passed(waypoint.clone())], ..Expectation::default() }
}

/// The request did not go through this waypoint.
#[must_use]
pub fn not_passed(waypoint: &WaypointId) -> Expectation {
    Expectation { ways: vec![Way::NotPassed(waypoint.clone())], ..Expectation::default() }
}

/// No proxy stood between at L7: the backend's peer is the client's own address.
#[must_use]
pub fn direct_l4() -> Expectation {
    Expectation { ways: vec![Way::Direct], ..Expectation::default() }
}

/// This hop refused the request: the waypoint by 403 and `RBAC: access denied`, a ztunnel by ending the connection, the
/// end of mutual TLS by an alert, or, to who speaks no TLS, by ending the connection.
#[must_use]
pub fn denied_by(hop: Hop) -> Expectation {
    Expectation { denials: vec![hop], ..Expectation::default() }
}

/// The response body is exactly this text.
#[must_use]
pub fn body(text: impl Into<String>) -> Expectation {
    Expectation { bodies: vec![text.into()], ..Expectation::default() }
}

/// The response has this header with this value; several values are joined by commas.
#[must_use]
pub fn response_header(name: impl Into<String>, value: impl Into<String>) -> Expectation {
    let claim = HeaderClaim { name: name.into(), value: Some(value.into()) };
    Expectation { response_headers: vec![claim], ..Expectation::default() }
}

/// The response does not have this header.
#[must_use]
pub fn no_response_header(name: impl Into<String>) -> Expectation {
    let claim = HeaderClaim { name: name.into(), value: None };
    Expectation { response_headers: vec![claim], ..Expectation::default() }
}

/// The backend saw this request header with this value; several values are joined by commas. `:authority` and `:path`,
/// query included, are headers, too.
#[must_use]
pub fn request_header(name: impl Into<String>, value: impl Into<String>) -> Expectation {
    let claim = HeaderClaim { name: name.into(), value: Some(value.into()) };
    Expectation { request_headers: vec![claim], ..Expectation::default() }
}

/// The backend did not see this request header.
#[must_use]
pub fn no_request_header(name: impl Into<String>) -> Expectation {
    let claim = HeaderClaim { name: name.into(), value: None };
    Expectation { request_headers: vec![claim], ..Expectation::default() }
}

/// The exchange took at least this long.
#[must_use]
pub fn at_least(time: Duration) -> Expectation {
    Expectation { at_least: vec![time], ..Expectation::default() }
}

/// The exchange took at most this long.
#[must_use]
pub fn at_most(time: Duration) -> Expectation {
    Expectation { at_most: vec![time], ..Expectation::default() }
}

/// The waypoint's access log gives this reason for the response, such as `route_not_found`; a text that ends in `[`, `{`
/// or `_` may go on.
#[must_use]
pub fn because(details: impl Into<String>) -> Expectation {
    Expectation { details: vec![details.into()], ..Expectation::default() }
}

/// The request did not hang: it was answered, or it failed before its time ran out.
#[must_use]
pub fn in_time() -> Expectation {
    Expectation { in_time: true, ..Expectation::default() }
}

#[cfg(test)]
#[path = "expect_tests.rs"]
mod tests;
