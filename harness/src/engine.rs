//! Runs cases: all that may run together at once, each with its own world, budget, clean-up and verdict.
//!
//! [`Engine::run`] emits what happens into a [`Journal`] and knows no renderer.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt;
use futures::stream::{self, StreamExt};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;
use waymark_reports::events::{CaseFinished, Phase};
use waymark_reports::verdict::CaseVerdict;

use crate::case::{Broken, Isolation, Level};

pub mod capabilities;
pub mod catalogue;
pub mod journal;
pub mod known;
pub mod pattern;
pub mod shard;
pub mod stage;
pub mod stop;

mod life;
mod order;
mod source;

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod schedule_tests;
#[cfg(test)]
mod tests;

pub use capabilities::Capabilities;
pub use catalogue::{Trial, catalogue};
pub use journal::{Journal, Listener};
pub use known::{Deviation, Deviations, Listed};
pub use order::entropy;
pub use stage::{Admission, CloseReport, Red, Site};
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
    /// How often each case runs, at least once.
    pub rounds: u32,
    /// Starts no more cases after the first one whose verdict gates the run.
    pub fail_fast: bool,
    /// Leaves what red cases made where it is.
    pub keep_red: bool,
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
    /// What the run was expected to be able to do: what is missing there is unsupported.
    pub expected: Capabilities,
    /// What it can do: what is missing only there is an error.
    pub capabilities: Capabilities,
    /// How to run.
    pub options: Options,
    /// Ends the run early.
    pub stop: Stop,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            jobs: 16,
            slots: 4,
            seed: None,
            budgets: Budgets::default(),
            rounds: 1,
            fail_fast: false,
            keep_red: false,
        }
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
    /// The default ones with `case` for a case, and half as much again for one that starts apps of its own.
    pub fn per_case(case: Duration) -> Self {
        Self { case, namespace: case.saturating_add(case / 2), ..Self::default() }
    }

    const fn of(&self, isolation: Isolation) -> Duration {
        match isolation {
            Isolation::Host | Isolation::Workload | Isolation::Bare => self.case,
            Isolation::Namespace | Isolation::Mesh => self.namespace,
        }
    }
}

impl<S: Site> Engine<S> {
    /// Runs every trial to its verdict, or until stopped; each gets exactly one `case.finished` a round, unless the
    /// run is stopped the hard way. What does not run at all gets one.
    ///
    /// Returns the name of the red case that ended the run, if one did ([`Options::fail_fast`]).
    pub async fn run(self, trials: Vec<Trial<S::Ctx>>) -> Option<String> {
        let journal = Arc::clone(&self.journal);
        let stop = self.stop.clone();
        let halt = Arc::new(Halt::default());
        let work = async {
            tokio::select! {
                biased;
                () = stop.now() => Err(Broken::new("stopped at once")),
                () = self.lanes(trials, &halt) => Ok(()),
            }
        };
        let _stopped = journal.phase(Phase::Cases, work).await;
        halt.0.get().cloned()
    }

    async fn lanes(self, trials: Vec<Trial<S::Ctx>>, halt: &Arc<Halt>) {
        let mut runnable = Vec::with_capacity(trials.len());
        for trial in trials {
            match self.turned_away(&trial) {
                Some(end) => self.journal.finished(end),
                None => runnable.push(trial),
            }
        }
        let Options { rounds, seed, .. } = self.options;
        let runnable = order::rounds(runnable, rounds.max(1), seed, |trial, round| trial.again(round));
        let (mesh, rest): (Vec<_>, Vec<_>) =
            runnable.into_iter().partition(|trial| trial.case.isolation == Isolation::Mesh);
        let (namespace, host): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|trial| trial.case.isolation == Isolation::Namespace);
        let engine = Arc::new(self);
        let (slots, jobs) = (engine.options.slots, engine.options.jobs);
        tokio::join!(engine.lane(namespace, slots, halt), engine.lane(host, jobs, halt));
        engine.lane(mesh, 1, halt).await;
    }

    async fn lane(self: &Arc<Self>, trials: Vec<Trial<S::Ctx>>, width: usize, halt: &Arc<Halt>) {
        if width <= 1 {
            // One at a time needs no task of its own, and no waking of another thread between two cases.
            for trial in trials {
                self.safely(trial, halt).await;
            }
            return;
        }
        let start = |trial: Trial<S::Ctx>| {
            let (engine, halt) = (Arc::clone(self), Arc::clone(halt));
            AbortOnDropHandle::new(tokio::spawn(async move { engine.safely(trial, &halt).await }))
        };
        let mut turns = stream::iter(trials).map(start).buffer_unordered(width);
        while turns.next().await.is_some() {}
    }

    /// A turn that has a record even if the engine itself fails at it.
    async fn safely(&self, trial: Trial<S::Ctx>, halt: &Halt) {
        let name = trial.name.clone();
        if let Err(panic) = AssertUnwindSafe(self.turn(trial, halt)).catch_unwind().await {
            let reason = format!("the engine failed at its turn: {}", life::words(&*panic));
            self.journal.finished(life::without(&name, CaseVerdict::Error, reason));
        }
    }

    async fn turn(&self, trial: Trial<S::Ctx>, halt: &Halt) {
        let admitted = tokio::select! {
            biased;
            () = self.stop.orderly() => None,
            admitted = self.site.admit(trial.case.isolation) => Some(admitted),
        };
        let began = Instant::now();
        let mut end = if let Some(red) = halt.0.get() {
            let reason = format!("not started: `{red}` was red, and the run ends at the first (--fail-fast)");
            life::without(&trial.name, CaseVerdict::NotRun, reason)
        } else {
            match &admitted {
                None => {
                    let reason = format!("{} before its turn", self.stop.word());
                    life::without(&trial.name, CaseVerdict::NotRun, reason)
                }
                Some(Err(broken)) => life::without(&trial.name, CaseVerdict::Error, broken.chain()),
                Some(Ok(_)) => {
                    self.journal.started(&trial.name);
                    let span = tracing::info_span!("case", name = %trial.name, id = %trial.id);
                    let living = life::live(&*self.site, &trial, &self.options, &self.stop, began);
                    living.instrument(span).await
                }
            }
        };
        if let Some(deviation) = &trial.deviation {
            deviation.weigh(&mut end);
        }
        if self.options.fail_fast && gates(&trial, &end) {
            let _first = halt.0.set(trial.name);
        }
        self.journal.finished(end);
    }

    fn turned_away(&self, trial: &Trial<S::Ctx>) -> Option<CaseFinished> {
        if let Some(reason) = &trial.left_out {
            return Some(life::without(&trial.name, CaseVerdict::Skip, reason.clone()));
        }
        if let Some(missing) = self.expected.missing(trial.case.needs) {
            return Some(life::without(&trial.name, CaseVerdict::Unsupported, missing));
        }
        let missing = self.capabilities.missing(trial.case.needs)?;
        let reason = format!("{missing}; before the run this was expected to be there");
        Some(life::without(&trial.name, CaseVerdict::Error, reason))
    }
}

/// The case that ended the run, once there is one.
#[derive(Default)]
struct Halt(OnceLock<String>);

/// Whether the end of a case keeps the run from being conformant.
fn gates<C>(trial: &Trial<C>, end: &CaseFinished) -> bool {
    let quarantined = end.deviation.as_ref().is_some_and(|listed| listed.quarantine);
    end.verdict.is_red() && trial.case.level != Level::Observed && !quarantined
}
