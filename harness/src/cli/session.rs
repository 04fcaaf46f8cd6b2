//! One run from its first event to its report, for `waymark run` and for the test target alike.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use waymark_reports::events::{Event, Outcome, Phase, Plan, RunFinished, RunStarted};
use waymark_reports::result::RunResult;

use super::exit::{Exit, Held};
use super::logs;
use super::operations::{Operations, Setup};
use super::options::RunOptions;
use crate::case::Broken;
use crate::engine::{Capabilities, Engine, Journal, Listener, Options, Site, Stop, Trial, entropy};
use crate::run_dir::{self, RunDir, RunDirError};

type World<O> = <<O as Operations>::Site as Site>::Ctx;

/// Everything that a run needs.
pub(crate) struct Session<O: Operations> {
    pub(crate) operations: Arc<O>,
    pub(crate) options: RunOptions,
    pub(crate) trials: Vec<Trial<World<O>>>,
    /// What the run is expected to be able to do; what it really can is known after set-up.
    pub(crate) expected: Capabilities,
    pub(crate) stop: Stop,
}

/// Where a run writes, and whether that is where the user wanted it.
pub(crate) struct Place {
    pub(crate) id: String,
    pub(crate) dir: Option<RunDir>,
    file: Option<File>,
    trouble: Option<String>,
}

/// How a run ended.
pub(crate) struct Conducted {
    pub(crate) result: RunResult,
    pub(crate) exit: Exit,
    /// The report; none when there was no place to write it.
    pub(crate) report: Option<PathBuf>,
    /// What a reader must know beside the result.
    pub(crate) troubles: Vec<String>,
}

impl Place {
    /// Makes the run's directory, in the temporary directory if it must.
    pub(crate) fn make(options: &RunOptions) -> Self {
        let id = run_dir::new_id();
        let base = options.run_dir.clone().unwrap_or_else(run_dir::default_base);
        match RunDir::create(&base, &id) {
            Ok((dir, file)) => Self { id, dir: Some(dir), file: Some(file), trouble: None },
            Err(error) => Self::elsewhere(id, &error),
        }
    }

    fn elsewhere(id: String, error: &RunDirError) -> Self {
        let mut trouble = chain(error);
        match RunDir::fallback(&id) {
            Ok((dir, file)) => {
                trouble = format!("{trouble}; the report is in `{}`", dir.path().display());
                Self { id, dir: Some(dir), file: Some(file), trouble: Some(trouble) }
            }
            Err(_) => Self { id, dir: None, file: None, trouble: Some(trouble) },
        }
    }

    /// The directory for people, `.` when there is none.
    pub(crate) fn shown(&self) -> String {
        self.dir.as_ref().map_or_else(|| ".".to_owned(), |dir| run_dir::shown(dir.path()))
    }
}

impl<O: Operations> Session<O> {
    /// Conducts the run to its end; `listeners` hear it happen.
    pub(crate) async fn conduct(self, place: Place, listeners: Vec<Box<dyn Listener>>) -> Conducted {
        let Place { id, dir, file, trouble } = place;
        if let Some(dir) = &dir {
            logs::into(dir.path());
        }
        let journal = Arc::new(Journal::new(id.clone(), file, listeners));
        let seed = self.options.seed.or_else(|| self.options.shuffle.then(|| entropy() % 1_000_000));
        self.announce(&journal, seed);
        let mut ended = Ended::default();
        match trouble {
            Some(trouble) => ended.set_up(trouble),
            None => {
                let path = dir.as_ref().map(|dir| dir.path().to_owned()).unwrap_or_default();
                let setup = Setup { run: &id, dir: &path, options: &self.options, journal: &journal };
                self.perform(setup, &journal, seed, &mut ended).await;
            }
        }
        if self.stop.is_stopping() {
            ended.interrupted = true;
        }
        journal.emit(Event::RunFinished(ended.event(journal.elapsed_ms())));
        conclude(&journal, dir.as_ref(), ended)
    }

    fn announce(&self, journal: &Journal, seed: Option<u64>) {
        journal.emit(Event::RunStarted(RunStarted {
            waymark: env!("CARGO_PKG_VERSION").to_owned(),
            target: self.options.target.target.clone(),
            istio: self.options.target.istio.clone(),
            seed,
        }));
        let cases = self.trials.iter().map(|trial| trial.planned(&self.expected)).collect();
        journal.emit(Event::Plan(Plan { cases }));
    }

    async fn perform(&self, setup: Setup<'_>, journal: &Arc<Journal>, seed: Option<u64>, ended: &mut Ended) {
        let opened = tokio::select! {
            biased;
            () = self.stop.orderly() => return,
            opened = self.operations.begin(setup) => opened,
        };
        let opened = match opened {
            Ok(opened) => opened,
            Err(broken) => return ended.set_up(broken.chain()),
        };
        let engine = Engine {
            site: Arc::clone(&opened.site),
            journal: Arc::clone(journal),
            capabilities: opened.capabilities,
            options: Options {
                jobs: usize::from(self.options.jobs),
                slots: opened.slots,
                seed,
                known: self.operations.known(&self.options),
                ..Options::default()
            },
            stop: self.stop.clone(),
        };
        engine.run(self.trials.clone()).await;
        let down = async {
            tokio::select! {
                biased;
                () = self.stop.now() => Err(Broken::new("stopped before everything was taken down")),
                down = self.operations.end(opened.site, setup) => down,
            }
        };
        if let Err(broken) = journal.phase(Phase::Down, down).await {
            ended.leaked = Some(broken.chain());
        }
    }
}

#[derive(Default)]
struct Ended {
    interrupted: bool,
    set_up: Option<String>,
    leaked: Option<String>,
}

impl Ended {
    fn set_up(&mut self, reason: String) {
        self.set_up = Some(reason);
    }

    fn event(&self, duration_ms: u64) -> RunFinished {
        let (outcome, reason) = match (&self.set_up, self.interrupted) {
            (_, true) => (Outcome::Interrupted, Some("interrupted".to_owned())),
            (Some(reason), false) => (Outcome::SetupFailed, Some(format!("set-up failed: {reason}"))),
            (None, false) => (Outcome::Completed, None),
        };
        RunFinished { outcome, duration_ms, reason }
    }
}

fn conclude(journal: &Journal, dir: Option<&RunDir>, ended: Ended) -> Conducted {
    let result = journal.result();
    let mut troubles: Vec<String> = ended.leaked.iter().map(|what| format!("left behind: {what}")).collect();
    let mut unwritten = journal.trouble();
    let report = dir.and_then(|dir| match dir.write_result(&result) {
        Ok(path) => Some(path),
        Err(error) => {
            unwritten = Some(chain(&error));
            None
        }
    });
    troubles.extend(unwritten.iter().map(|what| format!("the report is not complete: {what}")));
    let held = Held {
        interrupted: ended.interrupted,
        set_up_failed: ended.set_up.is_some() || unwritten.is_some(),
        leaked: ended.leaked.is_some(),
        verdict: result.run.verdict,
    };
    Conducted { result, exit: Exit::of(held), report, troubles }
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}
