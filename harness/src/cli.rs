//! The command line: what users type, and how the process ends.
//!
//! [`main`] is all of it; what commands do to clusters and parts is behind [`Operations`].

use std::ffi::{OsStr, OsString};
use std::future::Future;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::CommandFactory;
use tokio::runtime::{Builder, Runtime};
use waymark_reports::plain;
use waymark_reports::result::RunResult;
use waymark_reports::text::summary;

use crate::case::{Broken, Suite};
use crate::engine::{Site, Stop};
use crate::printer::{self, Around, Console, Glyphs, Mode, Screen};
use crate::run_dir;

pub mod exit;
pub mod operations;
pub mod options;
pub mod select;
pub mod usage;

pub(crate) mod args;
pub(crate) mod choice;
mod chronicle;
pub(crate) mod ci;
mod columns;
mod completions;
pub(crate) mod config;
mod diff;
mod doctor;
mod explain;
mod formats;
mod list;
pub(crate) mod logs;
mod man;
mod merge;
pub(crate) mod publish;
mod report;
mod rerun;
mod runs;
mod sabotage;
pub(crate) mod session;
mod show;
pub(crate) mod signals;
mod status;
mod sweep;
mod up;

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod run_tests;
#[cfg(test)]
mod tests;

pub use exit::Exit;
pub use operations::Operations;
pub use options::{Keep, PartPaths, RunOptions, TargetOptions};
pub use usage::Usage;

use args::{Cli, Command, ComponentsAction, Misparse, Parsed};
use choice::{Choice, Chosen, Given};
use config::Setting;
use operations::{ComponentsError, ComponentsRequest, Foreground, Reliance};
use select::Selection;
use session::{Place, Session};

type World<O> = <<O as Operations>::Site as Site>::Ctx;
type Suites<O> = Vec<Suite<World<O>>>;

/// Runs the command that the process was started with.
pub fn main<O: Operations>(suites: Suites<O>, operations: O) -> ExitCode {
    let here = std::env::current_dir().unwrap_or_default();
    let exit = dispatch(std::env::args_os().collect(), suites, operations, &here);
    let Some(error) = printer::lost() else { return exit.into() };
    Console::default().with_glyphs(Glyphs::Auto).err(&format!("error: write to stdout: {error}"));
    if exit == Exit::Ok { Exit::SetUp.into() } else { exit.into() }
}

fn dispatch<O: Operations>(args: Vec<OsString>, suites: Suites<O>, operations: O, here: &Path) -> Exit {
    let Parsed { cli, settings } = match args::parse(&args, here) {
        Ok(parsed) => parsed,
        Err(Misparse::Config(usage)) => {
            Console::default().with_glyphs(Glyphs::Auto).err(&usage.to_string());
            return Exit::Usage;
        }
        Err(Misparse::Clap(error)) => {
            let console = Console::default().with_glyphs(Glyphs::Auto);
            if error.use_stderr() {
                let is_set = |name: &OsStr| std::env::var_os(name).is_some();
                let variable = args::variable(&error, &args, is_set);
                console.err(&format!("{}{variable}{}", error.render(), args::existing(&error, &args)));
                return Exit::Usage;
            }
            console.out(&error.render().to_string());
            return Exit::Ok;
        }
    };
    let console = Console::new(cli.color).with_glyphs(cli.glyphs);
    let given = Given::of(&args);
    let origins = settings.clone();
    let command = Cmd { suites, operations: Arc::new(operations), console, given, settings };
    match command.execute(cli.command) {
        Ok(exit) => exit,
        Err(Stumble::Usage(usage)) => {
            console.err(&format!("{usage}{}", config::origin(&usage, &origins)));
            Exit::Usage
        }
        Err(Stumble::Broken(broken)) => {
            console.err(&format!("error: {}", broken.chain()));
            Exit::SetUp
        }
    }
}

/// Why a command did not get anywhere.
#[derive(Debug, thiserror::Error)]
enum Stumble {
    #[error(transparent)]
    Usage(#[from] Usage),
    #[error(transparent)]
    Broken(#[from] Broken),
}

impl Stumble {
    /// What was wrong, on one line.
    fn what(&self) -> String {
        match self {
            Self::Usage(usage) => usage.what.clone(),
            Self::Broken(broken) => broken.chain(),
        }
    }
}

struct Cmd<O: Operations> {
    suites: Suites<O>,
    operations: Arc<O>,
    console: Console,
    given: Given,
    /// For `doctor`: every value that is not a default.
    settings: Vec<Setting>,
}

impl<O: Operations> Cmd<O> {
    fn execute(self, command: Command) -> Result<Exit, Stumble> {
        match command {
            Command::Run(args) => self.run(args.filter.selection(), args.options),
            Command::List(args) => self.list(args),
            Command::Explain(args) => self.explain(&args),
            Command::Report(args) => args.execute(self.console),
            Command::Diff(args) => args.execute(self.console),
            Command::Merge(args) => args.execute(self.console),
            Command::Up(args) => {
                self.foreground(&args.target.clone(), Reliance::Parts, |operations, stop, console| {
                    args.execute(operations, stop, console)
                })
            }
            Command::Sabotage(args) => sabotage::run(self, *args),
            Command::Down(args) => self.foreground(
                &args.target.clone(),
                Reliance::Release,
                |operations, _, console| async move {
                    console.out(&operations.down(&args.target).await?);
                    Ok(Exit::Ok)
                },
            ),
            Command::Status(args) => self.foreground(
                &args.target.clone(),
                Reliance::Release,
                |operations, _, console| async move {
                    console.out(&operations.status(&args.target).await?);
                    console.out(&status::last_runs(&args.run_dir.unwrap_or_else(run_dir::default_base)));
                    Ok(Exit::Ok)
                },
            ),
            Command::Components(args) => self.foreground(
                &args.target.clone(),
                Reliance::Parts,
                |operations, stop, console| async move {
                    let foreground = Foreground { options: &args.target, console: &console, stop: &stop };
                    components(&*operations, args.action, foreground).await
                },
            ),
            Command::Doctor(args) => self.doctor(args),
            Command::Sweep(args) => self.foreground(
                &args.target.clone(),
                Reliance::Release,
                |operations, _, console| async move {
                    let runs = args.run_dir.unwrap_or_else(run_dir::default_base);
                    let swept = operations.sweep(&args.target, &runs, args.dry_run).await?;
                    console.out(&sweep::text(&swept, args.dry_run));
                    Ok(if swept.failed.is_empty() { Exit::Ok } else { Exit::Leaked })
                },
            ),
            Command::Completions(args) => {
                self.console.document(&completions::script(args.shell, Cli::command()));
                Ok(Exit::Ok)
            }
            Command::Man(args) => self.man(args),
        }
    }

    fn run(self, selection: Selection, options: RunOptions) -> Result<Exit, Stumble> {
        options.history.as_deref().map(chronicle::check).transpose()?;
        let choice = choice::choose(&self.suites, &*self.operations, selection, options, self.given)?;
        let Choice::Run(chosen) = choice else {
            self.console.out(&choice.to_string());
            return Ok(Exit::Ok);
        };
        let Chosen { options, expected, trials, selection } = *chosen;
        let (stop, console) = (Stop::default(), self.console);
        let runtime = runtime()?;
        let place = Place::make(&options);
        let around = Around { run_dir: place.shown(), command: options.command() };
        let mode = if console.is_watched() { Mode::Live } else { Mode::Lines };
        let screen = Box::new(Screen::new(console, mode, around));
        let session = Session {
            operations: self.operations,
            options,
            trials,
            selection,
            expected,
            stop: stop.clone(),
            nested: false,
        };
        let conducted = runtime.block_on(async {
            signals::watch(stop, console)?;
            Ok::<_, Broken>(session.conduct(place, vec![screen]).await)
        })?;
        runtime.shutdown_background();
        if let Some(cause) = unset(&conducted.result) {
            console.err(&cause);
        }
        console.out(&format!("\n{}", summary(&conducted.result, console.style())));
        for trouble in &conducted.troubles {
            console.err(&format!("error: {trouble}"));
        }
        if let Some(report) = &conducted.report {
            console.out(&format!("report  {}", publish::best(report)));
        }
        if let Some(annotations) = &conducted.annotations {
            console.out(annotations);
        }
        let code = conducted.exit.code();
        console.out(&format!("exit    {code}: {}", conducted.exit.meaning()));
        Ok(conducted.exit)
    }

    /// Does `work` until it is done or the user has had enough, if what it relies on of `target` exists.
    fn foreground<F, W>(self, target: &TargetOptions, reliance: Reliance, work: W) -> Result<Exit, Stumble>
    where
        W: FnOnce(Arc<O>, Stop, Console) -> F,
        F: Future<Output = Result<Exit, Stumble>>,
    {
        self.operations.check_target(target, reliance)?;
        let (stop, console) = (Stop::default(), self.console);
        let runtime = runtime()?;
        let done = runtime.block_on(async {
            signals::watch(stop.clone(), console)?;
            tokio::select! {
                biased;
                () = stop.now() => Ok(Exit::Interrupted),
                done = work(self.operations, stop.clone(), console) => done,
            }
        });
        runtime.shutdown_background();
        done
    }
}

/// Why the scene of a run could not be set, in whole, before the summary has its one line of it.
fn unset(result: &RunResult) -> Option<String> {
    let reason = result.run.reason.as_deref().filter(|reason| reason.starts_with("set-up failed: "))?;
    let lines: Vec<String> = reason.lines().map(plain::line).collect();
    Some(format!("\nerror: {}", lines.join("\n")))
}

async fn components<O: Operations>(
    operations: &O,
    action: ComponentsAction,
    foreground: Foreground<'_>,
) -> Result<Exit, Stumble> {
    let (request, only_path) = match action {
        ComponentsAction::List => (ComponentsRequest::List, false),
        ComponentsAction::Fetch { parts } => (ComponentsRequest::Fetch(parts), false),
        ComponentsAction::Path { part } => (ComponentsRequest::Path(part), true),
    };
    let rows = tokio::select! {
        biased;
        () = foreground.stop.orderly() => return Ok(Exit::Interrupted),
        rows = operations.components(request, foreground) => rows.map_err(|error| match error {
            ComponentsError::Usage(usage) => Stumble::Usage(usage),
            ComponentsError::Broken(broken) => Stumble::Broken(broken),
        })?,
    };
    if !only_path {
        foreground.console.out(&show::components(&rows));
        return Ok(Exit::Ok);
    }
    let row = rows.first().and_then(|row| Some((row, row.path.as_ref()?)));
    let Some((_, path)) = row else {
        return Err(Broken::new("the part is not here yet; `waymark components fetch` obtains it").into());
    };
    foreground.console.out(&path.display().to_string());
    Ok(Exit::Ok)
}

/// The runtime of the command line.
pub(crate) fn runtime() -> Result<Runtime, Broken> {
    Builder::new_multi_thread().enable_all().build().map_err(|error| Broken::with("start the runtime", error))
}
