//! What a suite file needs, in one `use`.

pub use std::time::Duration;

pub use waymark_manifests::http_route::Matches;
pub use waymark_manifests::{
    allow, backend, deny, header, http_route, path, path_prefix, request, rule, to, virtual_service,
};

pub use crate::case::Verdict;
pub use crate::expect::{
    at_least, at_most, because, body, denied_by, direct_l4, in_time, no_response_header, not_passed, passed,
    response_header, served_by, status,
};
pub use crate::stage::cast::Backend::{Other, V1, V2, V3};
pub use crate::stage::cast::Hop::{Waypoint, Ztunnel};
pub use crate::stage::cast::Sender::{ClientA, ClientB, Outsider};
pub use crate::suite;
pub use crate::world::{AccessClaim, Ctx};
