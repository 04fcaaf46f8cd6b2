//! What the engine needs of the stage: a world for each case, and its end.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use waymark_reports::events::{Cause, EvidenceFile, Figure, Mismatch};
use waymark_reports::verdict::CaseVerdict;

use crate::case::{Broken, Case, Isolation, Scope};

/// Gives each case its world and takes it back.
pub trait Site: Send + Sync + 'static {
    /// The world of one case, which its function receives.
    type Ctx: Send + Sync + 'static;

    /// Waits until a case of this class may run beside what other processes do on the same cluster. The engine holds
    /// what it gets until the case has its record; the wait counts against no budget.
    fn admit(&self, _: Isolation) -> BoxFuture<'_, Result<Admission, Broken>> {
        async { Ok(Admission::default()) }.boxed()
    }

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

    /// Ends the world of one case: collects evidence if it is `red`, then cleans up. Called after success,
    /// failure, panic, time-out and interruption. A red case whose objects the user wants to keep is not cleaned up.
    fn close<'a>(&'a self, ctx: &'a Self::Ctx, red: Option<Red<'a>>) -> BoxFuture<'a, CloseReport>;

    /// Tells of a case whose world could not be opened in the time it `took`: evidence and causes, as far as there are
    /// any.
    fn unopened<'a>(
        &'a self,
        _case: &'a Case<Self::Ctx>,
        _scope: Scope,
        _id: &'a str,
        _red: Red<'a>,
        _took: Duration,
    ) -> BoxFuture<'a, CloseReport> {
        Box::pin(std::future::ready(CloseReport::default()))
    }
}

/// Leave to run, given back when dropped.
#[derive(Default)]
pub struct Admission {
    _held: Option<Box<dyn Send + Sync>>,
}

impl Admission {
    /// Leave to run as long as `held` is held.
    pub fn holding(held: impl Send + Sync + 'static) -> Self {
        Self { _held: Some(Box::new(held)) }
    }
}

/// How a case went wrong.
#[derive(Clone, Copy, Debug)]
pub struct Red<'a> {
    /// `fail` or `error`.
    pub verdict: CaseVerdict,
    /// Why, in one line.
    pub reason: &'a str,
    /// Want and got of a broken promise.
    pub failure: Option<&'a Mismatch>,
    /// Whether what the case made stays for the user to look at.
    pub keep: bool,
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
    /// The files below it.
    pub files: Vec<EvidenceFile>,
    /// What probably lies behind a red case, the likeliest first.
    pub causes: Vec<Cause>,
    /// Why the clean-up did not succeed; it turns a pass into an error.
    pub cleanup_error: Option<Broken>,
    /// How many probes were sent until the case could be judged.
    pub attempts: u32,
    /// What the case counted without judging it.
    pub figures: Vec<Figure>,
}
