//! Runs cases: all that may run together at once, each with its own world, budget, clean-up and verdict.
//!
//! [`Engine::run`] emits what happens into a [`Journal`] and knows no renderer.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;
use waymark_reports::events::{CaseFinished, Phase};
use waymark_reports::verdict::CaseVerdict;

use crate::case::{Broken, Isolation};

pub mod capabilities;
pub mod catalogue;
pub mod journal;
pub mod known;
pub mod stage;
pub mod stop;

mod life;
mod order;

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;

pub use capabilities::Capabilities;
pub use catalogue::{Trial, catalogue};
pub use journal::{Journal, Listener};
pub use known::Deviation;
pub use order::entropy;
pub use stage::{CloseReport, Site};
pub use stop::Stop;

/// How the engine runs cases.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many `Host` and `Workload` cases run at once.
    pub jobs: usize,
    /// How many `Namespace` cases run at once.
    pub slots: usize,
    /// Shuffles the cases; none runs them in the order of their listing.
    pub seed: Option<u64>,
    /// How long a case may take.
    pub budgets: Budgets,
    /// Listed deviations of the mesh under test.
    pub known: Vec<Deviation>,
}

/// How long a case may take.
#[derive(Clone, Copy, Debug)]
pub struct Budgets {
    /// From opening the world to the last claim.
    pub case: Duration,
    /// The same for `Namespace` and `Mesh` cases, which start apps and waypoints of their own.
    pub namespace: Duration,
    /// Evidence and clean-up.
    pub close: Duration,
}

/// One run of a list of trials on a site.
pub struct Engine<S: Site> {
    /// Gives cases their worlds.
    pub site: Arc<S>,
    /// Hears what happens.
    pub journal: Arc<Journal>,
    /// Says what is unsupported.
    pub capabilities: Capabilities,
    /// How to run.
    pub options: Options,
    /// Ends the run early.
    pub stop: Stop,
}

impl Default for Options {
    fn default() -> Self {
        Self { jobs: 64, slots: 4, seed: None, budgets: Budgets::default(), known: Vec::new() }
    }
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            case: Duration::from_secs(120),
            namespace: Duration::from_secs(180),
            close: Duration::from_secs(45),
        }
    }
}

impl Budgets {
    const fn of(&self, isolation: Isolation) -> Duration {
        match isolation {
            Isolation::Host | Isolation::Workload => self.case,
            Isolation::Namespace | Isolation::Mesh => self.namespace,
        }
    }
}

impl<S: Site> Engine<S> {
    /// Runs every trial to its verdict, or until stopped; each gets exactly one `case.finished`, unless the
    /// run is stopped the hard way.
    pub async fn run(self, trials: Vec<Trial<S::Ctx>>) {
        let journal = Arc::clone(&self.journal);
        let stop = self.stop.clone();
        let work = async {
            tokio::select! {
                biased;
                () = stop.now() => Err(Broken::new("stopped at once")),
                () = self.lanes(trials) => Ok(()),
            }
        };
        let _stopped = journal.phase(Phase::Cases, work).await;
    }

    async fn lanes(self, trials: Vec<Trial<S::Ctx>>) {
        let mut runnable = Vec::with_capacity(trials.len());
        for trial in trials {
            match self.turned_away(&trial) {
                Some(end) => self.journal.finished(end),
                None => runnable.push(trial),
            }
        }
        if let Some(seed) = self.options.seed {
            order::shuffle(&mut runnable, seed);
        }
        let (mesh, rest): (Vec<_>, Vec<_>) =
            runnable.into_iter().partition(|trial| trial.case.isolation == Isolation::Mesh);
        let (namespace, host): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|trial| trial.case.isolation == Isolation::Namespace);
        let engine = Arc::new(self);
        tokio::join!(engine.lane(namespace, engine.options.slots), engine.lane(host, engine.options.jobs));
        engine.lane(mesh, 1).await;
    }

    async fn lane(self: &Arc<Self>, trials: Vec<Trial<S::Ctx>>, width: usize) {
        let start = |trial: Trial<S::Ctx>| {
            let engine = Arc::clone(self);
            AbortOnDropHandle::new(tokio::spawn(async move { engine.turn(trial).await }))
        };
        let mut turns = stream::iter(trials).map(start).buffer_unordered(width.max(1));
        while turns.next().await.is_some() {}
    }

    async fn turn(&self, trial: Trial<S::Ctx>) {
        let mut end = if self.stop.is_stopping() {
            life::without(&trial.name, CaseVerdict::NotRun, "interrupted before its turn".to_owned())
        } else {
            self.journal.started(&trial.name);
            let span = tracing::info_span!("case", name = %trial.name, id = %trial.id);
            life::live(&*self.site, &trial, &self.options.budgets, &self.stop).instrument(span).await
        };
        known::weigh(&mut end, &self.options.known);
        self.journal.finished(end);
    }

    fn turned_away(&self, trial: &Trial<S::Ctx>) -> Option<CaseFinished> {
        if let Some(reason) = &trial.left_out {
            return Some(life::without(&trial.name, CaseVerdict::Skip, reason.clone()));
        }
        let missing = self.capabilities.missing(trial.case.needs)?;
        Some(life::without(&trial.name, CaseVerdict::Unsupported, missing))
    }
}
