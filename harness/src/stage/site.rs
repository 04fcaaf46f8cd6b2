//! The stage as the engine uses it: a world for each case, and its end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::Stage;
use super::cast::{Part, Sender};
use crate::case::{Broken, Case, Isolation, Scope};
use crate::diagnose::{Failing, diagnose};
use crate::engine::{Admission, CloseReport, Red, Site};
use crate::evidence::{self, Collector, Limits, Subject};
use crate::target::Turns;
use crate::world::Ctx;

/// Opens the worlds of a run's cases on one stage.
pub struct Worlds {
    stage: Arc<Stage>,
    run_dir: PathBuf,
    adapter: bool,
    collector: Option<Collector>,
    shared: Option<Shared>,
}

/// What a run on a cluster that other processes use, too, needs beside its stage.
pub(crate) struct Shared {
    /// Ends the ids of this process's cases, so that no other process has a case of the same id.
    pub(crate) suffix: String,
    /// Whose turn it is.
    pub(crate) turns: Turns,
}

impl Worlds {
    /// Worlds on this stage, with evidence below `run_dir`; `adapter` when an adapter stands in for Istio's extensions of
    /// Envoy.
    #[must_use]
    pub fn new(stage: Arc<Stage>, run_dir: impl Into<PathBuf>, adapter: bool) -> Self {
        let collector = Some(Collector::new(Limits::default()));
        Self { stage, run_dir: run_dir.into(), adapter, collector, shared: None }
    }

    /// The same on a cluster that other processes use, too.
    #[must_use]
    pub(crate) fn beside_others(self, shared: Shared) -> Self {
        Self { shared: Some(shared), ..self }
    }

    /// The same without evidence of red cases, for a run that wants them red.
    #[must_use]
    pub(crate) fn without_evidence(self) -> Self {
        Self { collector: None, ..self }
    }

    /// The stage they stand on.
    #[must_use]
    pub fn stage(&self) -> &Arc<Stage> {
        &self.stage
    }

    async fn report(&self, ctx: &Ctx, red: Option<Red<'_>>) -> CloseReport {
        let (told, mut problems) = match red {
            Some(red) => self.tell(&ctx.subject(), red).await,
            None => (CloseReport::default(), Vec::new()),
        };
        problems.extend(ctx.close(red.is_some()).await.problems);
        let convergence = ctx.convergence();
        let parts = ctx.decided_by().into_iter().filter(|part| self.adapter || *part != Part::Adapter);
        CloseReport {
            convergence_ms: (convergence.attempts > 0)
                .then(|| u64::try_from(convergence.slowest.as_millis()).unwrap_or(u64::MAX)),
            decided_by: parts.map(|part| part.word().to_owned()).collect(),
            cleanup_error: (!problems.is_empty()).then(|| Broken::new(problems.join("; "))),
            attempts: convergence.attempts,
            figures: ctx.figures(),
            ..told
        }
    }

    /// Gathers the evidence of a red case and what probably lies behind it; with what went wrong meanwhile.
    async fn tell(&self, subject: &Subject, red: Red<'_>) -> (CloseReport, Vec<String>) {
        let Some(collector) = &self.collector else { return Default::default() };
        let gathered = collector.gather(&self.stage, subject, failing(red)).await;
        let causes = diagnose(&gathered.facts);
        let (kept, problems) = match evidence::keep(&self.run_dir, subject, &gathered).await {
            Ok((folder, files)) => (Some((folder, files)), Vec::new()),
            Err(why) => (None, vec![why.chain()]),
        };
        let (evidence, files) = kept.unzip();
        (
            CloseReport { evidence, files: files.unwrap_or_default(), causes, ..CloseReport::default() },
            problems,
        )
    }
}

fn failing(red: Red<'_>) -> Failing {
    let Red { verdict, reason, failure, keep: _ } = red;
    let failure = failure.cloned().unwrap_or_default();
    Failing {
        verdict,
        reason: reason.to_owned(),
        want: failure.want,
        got: failure.got,
        sent: failure.sent.unwrap_or_default(),
        answers: failure.answers.into_iter().map(|answer| answer.text).collect(),
    }
}

impl Site for Worlds {
    type Ctx = Ctx;

    fn admit(&self, isolation: Isolation) -> BoxFuture<'_, Result<Admission, Broken>> {
        async move {
            let Some(shared) = &self.shared else { return Ok(Admission::default()) };
            let turn = shared.turns.take(isolation == Isolation::Mesh).await;
            let turn = turn.map_err(|why| Broken::with("wait for a turn on the shared cluster", why))?;
            Ok(Admission::holding(turn))
        }
        .boxed()
    }

    fn open<'a>(
        &'a self,
        case: &'a Case<Ctx>,
        scope: Scope,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Arc<Ctx>, Broken>> {
        let id = match &self.shared {
            Some(shared) => format!("{id}-{}", shared.suffix),
            None => id.to_owned(),
        };
        async move {
            Ctx::open(Arc::clone(&self.stage), case.trial(scope), &id, scope, case.isolation)
                .await
                .map(Arc::new)
        }
        .boxed()
    }

    fn close<'a>(&'a self, ctx: &'a Ctx, red: Option<Red<'a>>) -> BoxFuture<'a, CloseReport> {
        if red.is_some_and(|red| red.keep) {
            ctx.keep();
        }
        self.report(ctx, red).boxed()
    }

    fn unopened<'a>(
        &'a self,
        case: &'a Case<Ctx>,
        scope: Scope,
        id: &'a str,
        red: Red<'a>,
        took: Duration,
    ) -> BoxFuture<'a, CloseReport> {
        async move {
            let mut subject = Subject::named(&case.trial(scope), id);
            subject.opened = subject.opened.saturating_sub(took).unwrap_or(subject.opened);
            if let Ok(place) = Ctx::place(&self.stage, id, scope, case.isolation) {
                subject.namespace.clone_from(&place.namespace);
                subject.waypoint = place.waypoint().unwrap_or(subject.waypoint);
                subject.home = self.stage.home(Sender::ClientA).to_owned();
            }
            // What was made of the world is left to the sweep by label.
            self.tell(&subject, red).await.0
        }
        .boxed()
    }
}
