//! What is known of requests that were sent.

use std::net::SocketAddr;

use crate::stage::cast::Sender;
use crate::world::Trace;

/// Requests that were sent once and all met their claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The `user-agent` that all of them carried.
    pub(crate) tag: String,
    /// How many.
    pub(crate) count: u32,
    /// Who sent them.
    pub(crate) sender: Sender,
    /// The client's end of each of their connections.
    pub(crate) locals: Vec<SocketAddr>,
    /// The trace that they were sent in.
    pub(crate) trace: Option<Trace>,
    /// The `traceparent` that the backend saw, for each.
    pub(crate) traceparents: Vec<Option<String>>,
}

impl Sent {
    /// The `user-agent` that all of them carried.
    #[must_use]
    pub fn user_agent(&self) -> &str {
        &self.tag
    }
}
