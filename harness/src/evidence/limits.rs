//! How much evidence one red case may cost.

use std::time::Duration;

/// Bounds of the evidence of one case. Every item has a share of its own, so that a slow or large one takes nothing from
/// the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// For the whole of it, waiting for a turn included.
    pub time: Duration,
    /// For each item, from the start of its own reading.
    pub item: Duration,
    /// Everything together, bytes.
    pub bytes: usize,
    /// What was sent and what came back.
    pub exchanges: usize,
    /// The applied objects and what became of them.
    pub objects: usize,
    /// Labels, Gateways, endpoints and pods that steer the traffic.
    pub steering: usize,
    /// Events of the namespaces.
    pub events: usize,
    /// The logs of all pods of one kind (waypoint, ztunnel, istiod, apps) together.
    pub logs: usize,
    /// The config dumps of all pods of the waypoint together.
    pub config: usize,
    /// Their statistics, and likewise their clusters.
    pub stats: usize,
    /// The view of all ztunnels together.
    pub ztunnel: usize,
    /// Configuration that proxies refused.
    pub rejections: usize,
    /// How many cases may gather at once; the others wait for their turn.
    pub at_once: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(20),
            item: Duration::from_secs(8),
            bytes: 8 << 20,
            exchanges: 768 << 10,
            objects: 512 << 10,
            steering: 512 << 10,
            events: 256 << 10,
            logs: 512 << 10,
            config: 2 << 20,
            stats: 384 << 10,
            ztunnel: 768 << 10,
            rejections: 64 << 10,
            at_once: 6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_fit_in_the_whole_and_leave_room_for_the_index() {
        let Limits {
            time,
            item,
            bytes,
            exchanges,
            objects,
            steering,
            events,
            logs,
            config,
            stats,
            ztunnel,
            rejections,
            at_once: _,
        } = Limits::default();
        let shares =
            exchanges + objects + steering + events + 4 * logs + config + 2 * stats + ztunnel + rejections;
        assert!(shares + (128 << 10) <= bytes, "{shares} of {bytes}");
        // Pods are listed first, and what they hold is read after that.
        assert!(2 * item < time);
    }
}
