//! The command line: what users type, and how the process ends.
//!
//! [`main`] is all of it; what commands do to clusters and parts is behind [`Operations`].

use std::ffi::OsString;
use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use tokio::runtime::{Builder, Runtime};
use waymark_reports::text::summary;

use crate::case::{Broken, Suite};
use crate::engine::{Site, Stop, catalogue};
use crate::printer::{Around, Console, Mode, Screen};
use crate::run_dir;

pub mod exit;
pub mod operations;
pub mod options;
pub mod select;
pub mod usage;

mod args;
pub(crate) mod logs;
mod report;
pub(crate) mod session;
mod show;
pub(crate) mod signals;

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;

pub use exit::Exit;
pub use operations::Operations;
pub use options::{PartPaths, RunOptions, TargetOptions};
pub use usage::Usage;

use args::{Cli, Command, ComponentsAction};
use operations::{ComponentsError, ComponentsRequest, Foreground};
use select::Selection;
use session::{Place, Session};

type Suites<O> = Vec<Suite<<<O as Operations>::Site as Site>::Ctx>>;

/// Runs the command that the process was started with.
pub fn main<O: Operations>(suites: Suites<O>, operations: O) -> ExitCode {
    dispatch(std::env::args_os().collect(), suites, operations).into()
}

fn dispatch<O: Operations>(args: Vec<OsString>, suites: Suites<O>, operations: O) -> Exit {
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => {
            let console = Console::default();
            if error.use_stderr() {
                console.err(&format!("{}{}", error.render(), args::existing(&error, &args)));
                return Exit::Usage;
            }
            console.out(&error.render().to_string());
            return Exit::Ok;
        }
    };
    let console = Console::new(cli.color);
    let command = Cmd { suites, operations: Arc::new(operations), console };
    match command.execute(cli.command) {
        Ok(exit) => exit,
        Err(Stumble::Usage(usage)) => {
            console.err(&usage.to_string());
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

struct Cmd<O: Operations> {
    suites: Suites<O>,
    operations: Arc<O>,
    console: Console,
}

impl<O: Operations> Cmd<O> {
    fn execute(self, command: Command) -> Result<Exit, Stumble> {
        match command {
            Command::Run(args) => self.run(args.filter.selection(), args.options),
            Command::List(args) => {
                let trials = args.filter.selection().apply(catalogue(&self.suites))?;
                let trials: Vec<_> = trials.into_iter().filter(|trial| trial.left_out.is_none()).collect();
                if args.names {
                    self.console
                        .out(&trials.iter().map(|trial| format!("{}\n", trial.name)).collect::<String>());
                } else {
                    self.console.out(&show::cases(&trials));
                }
                Ok(Exit::Ok)
            }
            Command::Explain(args) => self.explain(&args.id),
            Command::Report(args) => {
                let base = args.run_dir.unwrap_or_else(run_dir::default_base);
                let (result, report) = report::again(&args.run, &base)?;
                self.console.out(&summary(&result, self.console.style()));
                self.console.out(&format!("report  {}", run_dir::shown(&report)));
                Ok(Exit::Ok)
            }
            Command::Up(args) => self.foreground(|operations, stop, console| async move {
                let up = operations.up(Foreground { options: &args.target, console: &console, stop: &stop });
                match up.await {
                    Err(_) if stop.is_stopping() => Ok(Exit::Interrupted),
                    Err(broken) => Err(broken.into()),
                    Ok(()) => Ok(Exit::Ok),
                }
            }),
            Command::Down(args) => self.foreground(|operations, _, console| async move {
                console.out(&operations.down(&args.target).await?);
                Ok(Exit::Ok)
            }),
            Command::Status(args) => self.foreground(|operations, _, console| async move {
                console.out(&operations.status(&args.target).await?);
                Ok(Exit::Ok)
            }),
            Command::Components(args) => self.foreground(|operations, stop, console| async move {
                let foreground = Foreground { options: &args.target, console: &console, stop: &stop };
                components(&*operations, args.action, foreground).await
            }),
            Command::Doctor(args) => self.foreground(|operations, _, console| async move {
                let (text, blocked) = show::checks(&operations.doctor(&args.target).await);
                console.out(&text);
                Ok(if blocked { Exit::SetUp } else { Exit::Ok })
            }),
        }
    }

    fn run(self, selection: Selection, options: RunOptions) -> Result<Exit, Stumble> {
        let expected = self.operations.check(&options)?;
        let trials = selection.apply(catalogue(&self.suites))?;
        let (stop, console) = (Stop::default(), self.console);
        let runtime = runtime()?;
        let place = Place::make(&options);
        let around = Around { run_dir: place.shown(), command: options.command() };
        let mode = if console.is_watched() { Mode::Live } else { Mode::Lines };
        let screen = Box::new(Screen::new(console, mode, around));
        let session = Session { operations: self.operations, options, trials, expected, stop: stop.clone() };
        let conducted = runtime.block_on(async {
            signals::watch(stop, console)?;
            Ok::<_, Broken>(session.conduct(place, vec![screen]).await)
        })?;
        runtime.shutdown_background();
        console.out(&format!("\n{}", summary(&conducted.result, console.style())));
        for trouble in &conducted.troubles {
            console.err(&format!("error: {trouble}"));
        }
        if let Some(report) = &conducted.report {
            console.out(&format!("report  {}", run_dir::shown(report)));
        }
        let code = conducted.exit.code();
        console.out(&format!("exit    {code}: {}", conducted.exit.meaning()));
        Ok(conducted.exit)
    }

    fn explain(&self, id: &str) -> Result<Exit, Stumble> {
        if id == "exit" {
            self.console.out(&show::exits());
            return Ok(Exit::Ok);
        }
        let all = catalogue(&self.suites);
        let of_case: Vec<_> = all
            .iter()
            .filter(|trial| trial.name == id || format!("{}::{}", trial.case.suite, trial.case.name) == id)
            .cloned()
            .collect();
        if let Some(text) = show::case(&of_case) {
            self.console.out(&text);
            return Ok(Exit::Ok);
        }
        Selection { words: Vec::new(), exact: vec![id.to_owned()] }.apply(all)?;
        Ok(Exit::Ok)
    }

    fn foreground<F, W>(self, work: W) -> Result<Exit, Stumble>
    where
        W: FnOnce(Arc<O>, Stop, Console) -> F,
        F: Future<Output = Result<Exit, Stumble>>,
    {
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
