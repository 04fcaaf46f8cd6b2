//! The cases: what an Istio ambient mesh promises at the waypoint.
