//! What is known besides the exchange itself.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use crate::observe::access_log::AccessLine;

/// A waypoint by namespace and name of its Gateway.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WaypointId {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl fmt::Display for WaypointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// What a claim may need besides the exchange. What is `None` was not looked up: a claim that needs it cannot be judged.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// Addresses of the pods of each waypoint that a claim names.
    pub waypoints: BTreeMap<WaypointId, Vec<IpAddr>>,
    /// Addresses of the client's pod.
    pub client: Vec<IpAddr>,
    /// The lines of this probe in the access logs of those waypoints.
    pub lines: Option<BTreeMap<WaypointId, Vec<AccessLine>>>,
}
