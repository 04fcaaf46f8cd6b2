//! What a mesh says about itself: access logs, ztunnel's lines, metrics, and istiod's account of refused configuration.
//!
//! The parsers are pure; [`Observer`] is the edge that reads pods through the Kubernetes API.

pub mod access_log;
pub mod metrics;
pub mod nack;
mod observer;
mod tail;
pub mod ztunnel;

pub use observer::{Observer, PodHere};
