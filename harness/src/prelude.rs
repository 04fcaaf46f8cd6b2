//! What a suite file needs, in one `use`.

pub use std::time::Duration;

pub use waymark_manifests::grpc_route::{any_call, calls, calls_to, grpc_backend, grpc_route, metadata};
pub use waymark_manifests::http_route::{Matches, Method};
pub use waymark_manifests::virtual_service::Route;
pub use waymark_manifests::{
    TrafficKind, allow, answer, audit, backend, custom, deny, destination_rule, envoy_filter, header,
    header_regex, http_route, matching, method, moved, nowhere, path, path_prefix, path_regex, permissive,
    present, query, redirect, request, request_authentication, rule, starting_with, strict, subset,
    telemetry, to, traffic_policy, virtual_service, waypoint,
};

pub use crate::case::Verdict;
pub use crate::expect::{
    Expectation, answer_trickles, at_least, at_most, because, body, body_arrives, body_returns,
    body_trickles, denied_by, direct_l4, echoed, ended_in_order, grpc_message, grpc_status, heard_as,
    host_seen, in_time, messages, no_request_header, no_response_header, not_passed, not_served_by, passed,
    path_seen, request_header, response_header, served_by, status, trailer,
};
pub use crate::probe::as_before;
pub use crate::stage::cast::Backend::{Other, V1, V2, V3};
pub use crate::stage::cast::Hop::{Handshake, Waypoint, Ztunnel};
pub use crate::stage::cast::Sender::{ClientA, ClientB, Neighbour, Outsider};
pub use crate::stage::port::Port::{Alt, Grpc, H2c, Http, ServerFirst, Tcp, TcpForHttp};
pub use crate::stage::providers::{EXT_AUTHZ, OTLP, VERDICT_HEADER};
pub use crate::suite;
pub use crate::world::Binding::{Absent as NotBound, Refused as BindingRefused};
pub use crate::world::Metric::{Durations, RequestBytes, Requests, ResponseBytes};
pub use crate::world::{AccessClaim, Ctx, Service, Token, answers, span};
