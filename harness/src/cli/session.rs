//! One run from its first event to its report, for `waymark run` and for the test target alike.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::task::AbortOnDropHandle;
use waymark_reports::events::{Entry, Event, Outcome, Phase, Plan, RunFinished, RunStarted};
use waymark_reports::result::{RunResult, fold};

use super::World;
use super::ci::Ci;
use super::exit::{Exit, Held};
use super::operations::{Operations, Setup};
use super::options::{Keep, RunOptions};
use super::{logs, publish};
use crate::case::Broken;
use crate::engine::{Budgets, Capabilities, Engine, Journal, Listener, Options, Stop, Trial, entropy};
use crate::machine;
use crate::run_dir::{self, RunDir, RunDirError};

/// Everything that a run needs.
pub(crate) struct Session<O: Operations> {
    pub(crate) operations: Arc<O>,
    pub(crate) options: RunOptions,
    pub(crate) trials: Vec<Trial<World<O>>>,
    /// What the user selected, word by word.
    pub(crate) selection: Vec<String>,
    /// What the run is expected to be able to do; what it really can is known after set-up.
    pub(crate) expected: Capabilities,
    pub(crate) stop: Stop,
    /// Whether it is part of something else, which tells the CI about the whole.
    pub(crate) nested: bool,
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
    /// What the CI wants to see printed.
    pub(crate) annotations: Option<String>,
}

impl Place {
    /// Makes the run's directory, in the temporary directory if it must.
    pub(crate) fn make(options: &RunOptions) -> Self {
        let id = options.part_of.clone().unwrap_or_else(run_dir::new_id);
        let base = options.run_dir.clone().unwrap_or_else(run_dir::default_base);
        let made = match options.part_of {
            Some(_) => RunDir::share(&base, &id),
            None => RunDir::create(&base, &id),
        };
        match made {
            Ok((dir, file)) => Self { id, dir: Some(dir), file: Some(file), trouble: None },
            Err(error) => Self::elsewhere(id, &error),
        }
    }

    /// The place of a run that is part of another: `name` below `dir`.
    pub(crate) fn below(dir: &RunDir, id: &str, name: &str) -> Result<Self, Broken> {
        let made = dir.below(name).map_err(|error| Broken::with(format!("make a place for {name}"), error));
        let (dir, file) = made?;
        Ok(Self { id: id.to_owned(), dir: Some(dir), file: Some(file), trouble: None })
    }

    /// The id and the file of events, for a run that is no session.
    pub(crate) fn into_file(self) -> (String, Option<File>) {
        (self.id, self.file)
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
                let setup = Setup {
                    run: &id,
                    dir: &path,
                    options: &self.options,
                    journal: &journal,
                    stop: &self.stop,
                };
                self.perform(setup, &journal, seed, &mut ended).await;
            }
        }
        journal.emit(Event::RunFinished(ended.event(journal.elapsed_ms())));
        let ci = if self.nested { Ci::default() } else { Ci::here() };
        conclude(&journal, dir.as_ref(), ended, self.options.history.as_deref(), &ci)
    }

    /// What is kept: nothing in CI, where nobody looks at it and nobody presses Ctrl-C.
    fn kept(&self, journal: &Journal) -> Keep {
        let keep = self.options.keep;
        if Ci::is_here() && keep.holds(journal) {
            journal.note("nothing is kept, since CI is set; `waymark up --detach` keeps a cluster");
            return Keep::None;
        }
        keep
    }

    /// Writes the reports before somebody looks at what is kept, as if the run had ended.
    fn so_far(&self, journal: &Journal, dir: &Path, ended: &Ended) {
        let mut entries = journal.entries();
        let end = Event::RunFinished(ended.event(journal.elapsed_ms()));
        entries.extend(entries.last().cloned().map(|last| Entry { event: end, ..last }));
        let dir = RunDir::open(dir.to_owned());
        if let Err(error) = publish::publish(&dir, &fold(&entries), None, &Ci::default()) {
            journal.note(format!("the report is not complete: {}", chain(&error)));
        }
    }

    fn announce(&self, journal: &Journal, seed: Option<u64>) {
        journal.emit(Event::RunStarted(Box::new(RunStarted {
            waymark: env!("CARGO_PKG_VERSION").to_owned(),
            target: self.options.target.target.clone(),
            istio: self.options.target.istio.clone(),
            seed,
            command: self.options.command(),
            selection: self.selection.clone(),
            shard: self.options.shard.map(Into::into),
            machine: Some(machine::here()),
            sabotage: self.options.sabotage.clone(),
            ..RunStarted::default()
        })));
        let cases = self.trials.iter().map(|trial| trial.planned(&self.expected)).collect();
        journal.emit(Event::Plan(Plan { cases }));
    }

    async fn perform(&self, setup: Setup<'_>, journal: &Arc<Journal>, seed: Option<u64>, ended: &mut Ended) {
        let deadline = self.options.timeout.map(|budget| deadline(self.stop.clone(), budget));
        let opened = tokio::select! {
            biased;
            () = self.stop.orderly() => return ended.stopped(&self.stop),
            opened = self.operations.begin(setup) => opened,
        };
        let opened = match opened {
            Ok(opened) => opened,
            Err(broken) => return ended.set_up(crate::diagnose::hinted(broken.chain())),
        };
        let engine = Engine {
            site: Arc::clone(&opened.site),
            journal: Arc::clone(journal),
            expected: self.expected.clone(),
            capabilities: opened.capabilities,
            options: Options {
                jobs: usize::from(self.options.jobs),
                slots: opened.slots,
                seed,
                budgets: self.options.case_timeout.map_or_else(Budgets::default, Budgets::per_case),
                rounds: self.options.repeat,
                fail_fast: self.options.fail_fast,
                keep_red: self.options.keep != Keep::None,
            },
            stop: self.stop.clone(),
        };
        ended.halted = engine.run(self.trials.clone()).await;
        drop(deadline);
        ended.stopped(&self.stop);
        // Who has ended the run does not wait for its cluster.
        let keep = if self.stop.is_stopping() { Keep::None } else { self.kept(journal) };
        if keep.holds(journal) {
            self.so_far(journal, setup.dir, ended);
        }
        let options = RunOptions { keep, ..self.options.clone() };
        let setup = Setup { options: &options, ..setup };
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
    ran_out: Option<String>,
    halted: Option<String>,
    set_up: Option<String>,
    leaked: Option<String>,
}

/// Ends the run in good order when its time is used up, unless dropped before.
fn deadline(stop: Stop, budget: Duration) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        let _elapsed = tokio::time::timeout(budget, std::future::pending::<()>()).await;
        stop.expire(format!("out of time: the run had {budget:?} (--timeout)"));
    }))
}

impl Ended {
    /// What has ended the run, when it was not its last case.
    fn stopped(&mut self, stop: &Stop) {
        self.ran_out = stop.ran_out().map(str::to_owned);
        self.interrupted = stop.is_stopping() && self.ran_out.is_none();
    }

    fn set_up(&mut self, reason: String) {
        self.set_up = Some(reason);
    }

    fn event(&self, duration_ms: u64) -> RunFinished {
        let (outcome, reason) = match (&self.set_up, self.interrupted) {
            (_, true) => (Outcome::Interrupted, Some("interrupted".to_owned())),
            (Some(reason), false) => (Outcome::SetupFailed, Some(format!("set-up failed: {reason}"))),
            (None, false) if self.ran_out.is_some() => (Outcome::Interrupted, self.ran_out.clone()),
            (None, false) => {
                let halted = |red| format!("ended at the first red case, {red} (--fail-fast)");
                (Outcome::Completed, self.halted.as_ref().map(halted))
            }
        };
        RunFinished { outcome, duration_ms, reason }
    }
}

fn conclude(
    journal: &Journal,
    dir: Option<&RunDir>,
    ended: Ended,
    history: Option<&Path>,
    ci: &Ci,
) -> Conducted {
    let result = journal.result();
    let mut troubles: Vec<String> = ended.leaked.iter().map(|what| format!("left behind: {what}")).collect();
    let mut unwritten = journal.trouble();
    let publish = |whole: &RunResult, dir: &RunDir| publish::publish(dir, whole, history, ci);
    let published = dir.and_then(|dir| match dir.with_whole(&result, |whole| publish(whole, dir)) {
        Ok(published) => Some(published),
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
    let mut conducted = Conducted { result, exit: Exit::of(held), report: None, troubles, annotations: None };
    if let Some(published) = published {
        conducted.report = Some(published.result);
        conducted.troubles.extend(published.troubles);
        conducted.annotations = published.annotations;
    }
    conducted
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}
