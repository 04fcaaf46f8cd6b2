//! The cases as libtest trials, for `cargo test`: the engine runs the chosen cases as `waymark run` does, and
//! each trial only awaits its record.
//!
//! Options come from the environment (`WAYMARK_TARGET`, `WAYMARK_ISTIO`, …), since the command line belongs to
//! the test protocol, and from `waymark.toml`. Under nextest each case is a process of its own and does a part of one run.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::process::ExitCode;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use clap::{CommandFactory, FromArgMatches, Parser};
use libtest_mimic::{Completion, Failed, Trial as Libtest};
use waymark_reports::events::{CaseFinished, Entry, Event, PlannedCase};
use waymark_reports::plain::line;
use waymark_reports::text::{self, Style, failure_block, verdict_line};
use waymark_reports::verdict::CaseVerdict;

use crate::case::{Broken, Suite};
use crate::cli::config::{Config, origin, settings};
use crate::cli::select::Selection;
use crate::cli::session::{Conducted, Place, Session};
use crate::cli::{Exit, Operations, RunOptions, Usage, runtime, signals};
use crate::cli::{args, choice, publish};
use crate::engine::{Listener, Site, Stop, catalogue};
use crate::printer::{Around, Colour, Console, Mode, Screen};

mod nextest;
mod protocol;

#[cfg(test)]
mod tests;

use protocol::Asked;

type Suites<O> = Vec<Suite<<<O as Operations>::Site as Site>::Ctx>>;

/// Runs the test target that the process was started as.
pub fn main<O: Operations>(suites: Suites<O>, operations: O) -> ExitCode {
    execute(std::env::args_os().skip(1).collect(), suites, operations)
}

#[derive(Parser)]
struct Environment {
    #[command(flatten)]
    options: RunOptions,
}

fn execute<O: Operations>(args: Vec<OsString>, suites: Suites<O>, operations: O) -> ExitCode {
    let console = Console::new(Colour::Never);
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(usage) => {
            console.err(&usage.to_string());
            return Exit::Usage.into();
        }
    };
    let grammar = config.as_defaults(Environment::command());
    let matches = grammar.clone().try_get_matches_from(["conformance"]);
    let said = matches.as_ref().map(|matches| settings(&grammar, matches, &config)).unwrap_or_default();
    let options = match matches.and_then(|matches| Environment::from_arg_matches(&matches)) {
        Ok(Environment { options }) => {
            RunOptions { part_of: nextest::run(|name| std::env::var(name).ok()), ..options }
        }
        Err(error) => {
            let is_set = |name: &OsStr| std::env::var_os(name).is_some();
            let variable = args::variable(&error, &["waymark".into(), "run".into()], is_set);
            console.err(&format!("{}{variable}", error.render()));
            return Exit::Usage.into();
        }
    };
    match judge(&Asked::parse(args), options, &suites, operations, console) {
        Ok(code) => code,
        Err(usage) => {
            console.err(&format!("{usage}{}", origin(&usage, &said)));
            Exit::Usage.into()
        }
    }
}

fn judge<O: Operations>(
    asked: &Asked,
    options: RunOptions,
    suites: &Suites<O>,
    operations: O,
    console: Console,
) -> Result<ExitCode, Usage> {
    choice::only_for_runs(&options)?;
    let expected = operations.check(&options)?;
    let mut trials = catalogue(suites);
    choice::mark(&operations, &options, expected.istio, &mut trials)?;
    if asked.arguments.exact {
        trials = Selection { exact: asked.filters.clone(), ..Selection::default() }.apply(trials)?;
    }
    trials.retain(|trial| asked.wants(&trial.name));
    let records = Arc::new(Records::default());
    let libtest: Vec<Libtest> = trials
        .iter()
        .map(|trial| {
            let (name, records) = (trial.name.clone(), Arc::clone(&records));
            let unsupported = expected.missing(trial.case.needs).is_some();
            Libtest::ignorable_test(&trial.name, move || records.complete(&name))
                .with_ignored_flag(unsupported)
        })
        .collect();
    if !asked.arguments.list {
        for (trial, reason) in
            trials.iter().filter_map(|trial| Some((trial, expected.missing(trial.case.needs)?)))
        {
            console.err(&format!("unsupported  {}: {reason}", trial.name));
        }
    }
    let runs: HashSet<&str> = libtest.iter().filter(|test| asked.runs(test)).map(Libtest::name).collect();
    trials.retain(|trial| runs.contains(trial.name.as_str()));
    if asked.arguments.list || trials.is_empty() {
        return Ok(libtest_mimic::run(&asked.arguments, libtest).exit_code());
    }
    let selection = asked.filters.clone();
    let stop = Stop::default();
    let session = Session {
        operations: Arc::new(operations),
        options,
        trials,
        selection,
        expected,
        stop,
        nested: false,
    };
    let engine = thread::spawn(move || conduct(session, &records, console));
    let conclusion = libtest_mimic::run(&asked.arguments, libtest);
    let exit = engine.join().unwrap_or(Exit::SetUp);
    Ok(match exit {
        Exit::Leaked | Exit::SetUp | Exit::Interrupted if !conclusion.has_failed() => exit.into(),
        _ => conclusion.exit_code(),
    })
}

/// Conducts the run in a runtime of its own and hands every record to the trials that await it.
fn conduct<O: Operations>(session: Session<O>, records: &Arc<Records>, console: Console) -> Exit {
    let _closing = Closing(Arc::clone(records));
    let stop = session.stop.clone();
    let place = Place::make(&session.options);
    let around = Around { run_dir: place.shown(), command: session.options.command() };
    records.begin(around.clone(), session.options.part_of.as_ref().map(|_| nextest::red(place.dir.as_ref())));
    let listeners: Vec<Box<dyn Listener>> = vec![
        Box::new(Screen::new(console, Mode::Phases, around)),
        Box::new(Recorder { records: Arc::clone(records) }),
    ];
    let done = runtime().and_then(|runtime| {
        let conducted = runtime.block_on(async {
            signals::watch(stop, console)?;
            Ok::<_, Broken>(session.conduct(place, listeners).await)
        });
        runtime.shutdown_background();
        conducted
    });
    match done {
        Ok(conducted) => {
            records
                .close(conducted.result.run.reason.as_deref().unwrap_or("the run ended without a verdict"));
            report(&conducted, console);
            conducted.exit
        }
        Err(broken) => {
            records.close(&broken.chain());
            Exit::SetUp
        }
    }
}

/// Lets no trial wait for ever, whatever becomes of the run.
struct Closing(Arc<Records>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close("the engine ended without a verdict");
    }
}

fn report(conducted: &Conducted, console: Console) {
    console.err(&verdict_line(&conducted.result, Style::default()));
    for trouble in &conducted.troubles {
        console.err(&format!("Error: {trouble}"));
    }
    if let Some(path) = &conducted.report {
        console.err(&format!("report  {}", publish::best(path)));
    }
    if let Some(annotations) = &conducted.annotations {
        console.err(annotations);
    }
}

/// The records that trials await.
#[derive(Default)]
struct Records {
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Default)]
struct State {
    planned: HashMap<String, PlannedCase>,
    finished: HashMap<String, CaseFinished>,
    around: Around,
    /// In a part of a run: the cases that were red in that run before.
    part: Option<HashSet<String>>,
    closed: Option<String>,
}

struct Recorder {
    records: Arc<Records>,
}

impl Listener for Recorder {
    fn hear(&self, entry: &Entry) {
        let mut state = self.records.state();
        match &entry.event {
            Event::Plan(plan) => {
                state.planned = plan.cases.iter().map(|case| (case.name.clone(), case.clone())).collect();
            }
            Event::CaseFinished(end) => {
                state.finished.insert(end.name.clone(), (**end).clone());
                self.records.news.notify_all();
            }
            _ => {}
        }
    }
}

impl Records {
    fn begin(&self, around: Around, part: Option<HashSet<String>>) {
        let mut state = self.state();
        (state.around, state.part) = (around, part);
    }

    fn close(&self, reason: &str) {
        self.state().closed.get_or_insert_with(|| reason.to_owned());
        self.news.notify_all();
    }

    /// Waits for the record of one trial and turns it into what the test protocol knows.
    fn complete(&self, name: &str) -> Result<Completion, Failed> {
        let mut state = self.state();
        loop {
            if let Some(end) = state.finished.get(name) {
                return state.completion(end);
            }
            if let Some(reason) = &state.closed {
                return Err(told(&format!("{name}: {reason}"), ""));
            }
            state = self.news.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn completion(&self, end: &CaseFinished) -> Result<Completion, Failed> {
        let reason = &line(end.reason.as_deref().unwrap_or_default());
        let quarantined = end.deviation.as_ref().is_some_and(|listed| listed.quarantine);
        if end.deviation.as_ref().is_some_and(|listed| listed.expired) {
            let expired = format!("{} {}: its listed deviation has expired: {reason}", end.name, end.verdict);
            return Err(told(&expired, ""));
        }
        match (end.verdict, &self.part) {
            (verdict, Some(_)) if verdict.is_red() && quarantined => {
                Console::new(Colour::Never).err(&format!("{verdict}, in quarantine: {}: {reason}", end.name));
                Ok(Completion::Completed)
            }
            (verdict, None) if verdict.is_red() && quarantined => {
                Ok(Completion::ignored_with(format!("{verdict}: {reason}")))
            }
            (CaseVerdict::Pass | CaseVerdict::Known, Some(red)) if red.contains(&end.name) => {
                let again = "passed now, but failed before in this run; a case is never retried into green";
                Err(told(&format!("{} {again}", end.name), ""))
            }
            // A runner that starts a process for each case takes every case that did not fail for passed.
            (CaseVerdict::Unsupported | CaseVerdict::Skip, Some(_)) => {
                Err(told(&format!("{} {}: {reason}", end.name, end.verdict), ""))
            }
            (CaseVerdict::Known, Some(_)) => {
                Console::new(Colour::Never).err(&format!("known: {}: {reason}", end.name));
                Ok(Completion::Completed)
            }
            (verdict, _) => self.told_apart(verdict, reason, end),
        }
    }

    fn told_apart(
        &self,
        verdict: CaseVerdict,
        reason: &str,
        end: &CaseFinished,
    ) -> Result<Completion, Failed> {
        match verdict {
            CaseVerdict::Pass => Ok(Completion::Completed),
            CaseVerdict::Known => Ok(Completion::ignored_with(format!("known: {reason}"))),
            CaseVerdict::Unsupported | CaseVerdict::Skip => Ok(Completion::ignored_with(reason)),
            CaseVerdict::Fail | CaseVerdict::Error | CaseVerdict::NotRun => {
                let around = text::Around { run_dir: &self.around.run_dir, command: &self.around.command };
                let block = self
                    .planned
                    .get(&end.name)
                    .map(|case| failure_block(case, end, around, Style::default()));
                Err(told(&format!("{} {}: {reason}", end.name, end.verdict), &block.unwrap_or_default()))
            }
        }
    }
}

/// Writes the failure to stderr, where test runners look for a line that starts with `Error: `.
fn told(what: &str, block: &str) -> Failed {
    let what = line(what);
    Console::new(Colour::Never).err(&format!("Error: {what}\n{block}"));
    Failed::from(what)
}
