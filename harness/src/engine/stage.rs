//! What the engine needs of the stage: a world for each case, and its end.

use std::sync::Arc;

use futures::future::BoxFuture;

use crate::case::{Broken, Case, Scope};

/// Gives each case its world and takes it back.
pub trait Site: Send + Sync + 'static {
    /// The world of one case, which its function receives.
    type Ctx: Send + Sync + 'static;

    /// Opens the world of one case. `id` is unique within the run, short, and a valid DNS label.
    ///
    /// The future is dropped when the case runs out of its budget or the run is interrupted; what it made by
    /// then is left to the sweep by label.
    fn open<'a>(
        &'a self,
        case: &'a Case<Self::Ctx>,
        scope: Scope,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Arc<Self::Ctx>, Broken>>;

    /// Ends the world of one case: collects evidence if it `failed`, then cleans up. Called after success,
    /// failure, panic, time-out and interruption.
    fn close<'a>(&'a self, ctx: &'a Self::Ctx, failed: bool) -> BoxFuture<'a, CloseReport>;
}

/// What the world of a case saw in its life.
#[derive(Debug, Default)]
pub struct CloseReport {
    /// Slowest propagation of a change that the case waited for, milliseconds.
    pub convergence_ms: Option<u64>,
    /// The parts that decided the outcome, such as `istiod`, `envoy`, `adapter`.
    pub decided_by: Vec<String>,
    /// Folder of the evidence, relative to the run directory.
    pub evidence: Option<String>,
    /// Why the clean-up did not succeed; it turns a pass into an error.
    pub cleanup_error: Option<Broken>,
    /// How many probes were sent until the case could be judged.
    pub attempts: u32,
}
