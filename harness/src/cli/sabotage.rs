//! `waymark sabotage`: every named defect against the cases that claim to notice it, on one cluster.
//!
//! Each defect is put into the namespaces of a stage of its own, so that many run side by side; one more stage without
//! any defect shows at the same time that the cases are green there, and that no defect is felt beyond its namespaces.
//! What is felt by all of the mesh runs after the rest, one at a time.

use std::sync::Arc;

use clap::Args;
use futures::stream::{self, StreamExt};
use tokio::time::Instant;
use waymark_reports::events::{Event, Outcome as RunOutcome, RunFinished};
use waymark_reports::matrix::{Attack, Control, KillMatrix, Outcome, SCHEMA_VERSION};
use waymark_reports::result::{RunResult, fold};

use super::operations::{Defect, Operations, Reach, Reliance, Setup};
use super::options::{Keep, RunOptions};
use super::session::{Place, Session};
use super::{Cmd, Exit, Stumble, Usage, World, runtime, signals};
use crate::case::{Broken, Suite};
use crate::engine::{Capabilities, Journal, Stop, Trial, catalogue};
use crate::json;
use crate::printer::{Around, Console, Mode, Screen};
use crate::run_dir::{self, RunDir};

#[derive(Args, Debug)]
pub(super) struct SabotageArgs {
    /// Defects to try [default: all]
    #[arg(value_name = "DEFECT")]
    defects: Vec<String>,
    /// How many defects are tried at once
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..))]
    at_once: u16,
    #[command(flatten)]
    options: RunOptions,
}

/// What one stage is about.
struct Attempt<C: 'static> {
    /// None for the control.
    defect: Option<Defect>,
    place: Place,
    trials: Vec<Trial<C>>,
}

/// What all attempts share.
struct Field<O: Operations> {
    operations: Arc<O>,
    options: RunOptions,
    expected: Capabilities,
    stop: Stop,
    console: Console,
    width: usize,
}

pub(super) fn run<O: Operations>(cmd: Cmd<O>, args: SabotageArgs) -> Result<Exit, Stumble> {
    let SabotageArgs { defects, at_once, mut options } = args;
    refuse_what_says_nothing(&options)?;
    cmd.operations.check_target(&options.target, Reliance::Parts)?;
    let whole = defects.is_empty();
    let chosen = choose(cmd.operations.defects(), &defects)?;
    let base = options.run_dir.clone().unwrap_or_else(run_dir::default_base).join("sabotage");
    options.run_dir = Some(base);
    let place = Place::make(&options);
    let Some(dir) = place.dir.clone() else {
        return Err(Broken::new("there is no place for the matrix; choose one by --run-dir").into());
    };
    let attempts = plan(&cmd.suites, &chosen, whole, &place.id, &dir)?;
    let injections = attempts.iter().filter_map(|attempt| {
        let prefix = cmd.operations.namespaces(&attempt.place.id);
        attempt.defect.map(|defect| format!("{}@{prefix}", defect.name))
    });
    options.sabotage = injections.collect();
    let expected = cmd.operations.check(&options)?;
    let unkillable = unkillable(&cmd.suites, whole);
    let width = chosen.iter().map(|defect| defect.name.len()).max().unwrap_or(0);
    let (stop, console) = (Stop::default(), cmd.console);
    let field = Field { operations: cmd.operations, options, expected, stop: stop.clone(), console, width };
    let runtime = runtime()?;
    let conducted = runtime.block_on(async {
        signals::watch(stop, console)?;
        field.conduct(place, attempts, usize::from(at_once)).await
    });
    runtime.shutdown_background();
    let conducted = match conducted {
        Err(_) if field.stop.is_stopping() => return Ok(Exit::Interrupted),
        conducted => conducted?,
    };
    let matrix = KillMatrix { unkillable, ..conducted };
    conclude(&matrix, &dir, &field)
}

/// Refuses what shapes a single run only.
fn refuse_what_says_nothing(options: &RunOptions) -> Result<(), Usage> {
    let given = [
        ("--sabotage", !options.sabotage.is_empty()),
        ("--repeat", options.repeat > 1),
        ("--shard", options.shard.is_some()),
        ("--rerun", options.rerun.is_some()),
        ("--keep", options.keep != Keep::None),
        ("--fail-fast", options.fail_fast),
        ("--history", options.history.is_some()),
    ];
    let Some((flag, _)) = given.iter().find(|(_, given)| *given) else { return Ok(()) };
    let hint =
        "name defects as arguments, `waymark sabotage NAME`; `waymark run --sabotage NAME` is a single run";
    Err(Usage::new(format!("{flag} says nothing to `waymark sabotage`"), hint, [""; 0]))
}

/// The defects of these names, all without names.
fn choose(all: Vec<Defect>, names: &[String]) -> Result<Vec<Defect>, Usage> {
    if let Some(unknown) = names.iter().find(|name| all.iter().all(|defect| defect.name != name.as_str())) {
        let known = all.iter().map(|defect| format!("{}: {}", defect.name, defect.promise));
        return Err(Usage::new(format!("unknown defect `{unknown}`"), "defects that exist", known));
    }
    let wanted = |defect: &Defect| names.is_empty() || names.iter().any(|name| name == defect.name);
    Ok(all.into_iter().filter(wanted).collect())
}

/// A stage for each defect, and one without any when all are tried.
fn plan<C>(
    suites: &[Suite<C>],
    defects: &[Defect],
    control: bool,
    run: &str,
    dir: &RunDir,
) -> Result<Vec<Attempt<C>>, Broken> {
    let all = catalogue(suites);
    let stages = control.then_some(None).into_iter().chain(defects.iter().map(|defect| Some(*defect)));
    let attempt = |(index, defect): (usize, Option<Defect>)| {
        let name = defect.map_or("control", |defect| defect.name);
        let place = Place::below(dir, &format!("{run}-{index:02}"), name)?;
        let claims =
            |trial: &&Trial<_>| defect.is_none_or(|defect| trial.case.killed_by.contains(&defect.name));
        Ok(Attempt { defect, place, trials: all.iter().filter(claims).cloned().collect() })
    };
    stages.enumerate().map(attempt).collect()
}

fn unkillable<C>(suites: &[Suite<C>], whole: bool) -> Vec<String> {
    let cases = suites.iter().flat_map(|suite| suite.cases);
    let bare = cases.filter(|case| whole && case.killed_by.is_empty());
    bare.map(|case| format!("{}::{}", case.suite, case.name)).collect()
}

impl<O: Operations> Field<O> {
    async fn conduct(
        &self,
        place: Place,
        attempts: Vec<Attempt<World<O>>>,
        at_once: usize,
    ) -> Result<KillMatrix, Stumble> {
        let began = Instant::now();
        let around = Around { run_dir: place.shown(), command: self.options.command() };
        let dir = place.dir.as_ref().map(|dir| dir.path().to_owned()).unwrap_or_default();
        let screen = Box::new(Screen::new(self.console, Mode::Phases, around));
        let (id, file) = place.into_file();
        let journal = Journal::new(id.clone(), file, vec![screen]);
        let setup =
            Setup { run: &id, dir: &dir, options: &self.options, journal: &journal, stop: &self.stop };
        super::logs::into(&dir);
        let attacked = self.attack(setup, attempts, at_once).await;
        let released = self.operations.release(setup).await;
        let interrupted = self.stop.is_stopping();
        let (outcome, reason) = match &attacked {
            _ if interrupted => (RunOutcome::Interrupted, None),
            Err(broken) => (RunOutcome::SetupFailed, Some(broken.chain())),
            Ok(_) => (RunOutcome::Completed, None),
        };
        let duration_ms = journal.elapsed_ms();
        journal.emit(Event::RunFinished(RunFinished { outcome, duration_ms, reason }));
        if let Err(left) = released {
            self.console.err(&format!("error: left behind: {}", left.chain()));
        }
        let (control, defects) = attacked?;
        Ok(KillMatrix {
            schema_version: SCHEMA_VERSION,
            run: id,
            target: self.options.target.target.clone(),
            istio: self.options.target.istio.clone(),
            control,
            defects,
            unkillable: Vec::new(),
            duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    async fn attack(
        &self,
        setup: Setup<'_>,
        attempts: Vec<Attempt<World<O>>>,
        at_once: usize,
    ) -> Result<(Option<Control>, Vec<Attack>), Broken> {
        tokio::select! {
            biased;
            () = self.stop.orderly() => return Err(Broken::new("interrupted")),
            held = self.operations.hold(setup) => held?,
        }
        let (alone, beside): (Vec<_>, Vec<_>) = attempts
            .into_iter()
            .partition(|attempt| attempt.defect.is_some_and(|defect| defect.reach == Reach::Mesh));
        let mut done: Vec<_> =
            stream::iter(beside).map(|attempt| self.one(attempt)).buffered(at_once).collect().await;
        for attempt in alone {
            done.push(self.one(attempt).await);
        }
        let mut control = None;
        let mut attacks = Vec::new();
        for (attack, result) in done {
            match attack {
                Some(attack) => attacks.push(attack),
                None => control = Some(Control::of(&result)),
            }
        }
        Ok((control, attacks))
    }

    /// One stage from its raising to its end.
    async fn one(&self, attempt: Attempt<World<O>>) -> (Option<Attack>, RunResult) {
        let Attempt { defect, place, trials } = attempt;
        let name = defect.map(|defect| defect.name.to_owned());
        let session = Session {
            operations: Arc::clone(&self.operations),
            options: RunOptions { sabotage: name.into_iter().collect(), ..self.options.clone() },
            trials,
            selection: Vec::new(),
            nested: true,
            expected: self.expected.clone(),
            stop: self.stop.clone(),
        };
        let idle = session.trials.is_empty();
        let result = if idle { fold(&[]) } else { session.conduct(place, Vec::new()).await.result };
        let attack = defect.map(|defect| {
            let blinds = defect.reach == Reach::Mesh;
            let obstacle = if idle { None } else { result.run.reason.clone() };
            Attack {
                defect: defect.name.to_owned(),
                promise: defect.promise.to_owned(),
                place: defect.place.as_str().to_owned(),
                blinds,
                cells: Attack::cells(&result, blinds),
                obstacle,
                duration_ms: result.run.duration_ms,
            }
        });
        match &attack {
            Some(attack) => self.console.err(&attack.line(self.width)),
            None => self.console.err(&waymark_reports::text::verdict_line(&result, self.console.style())),
        }
        (attack, result)
    }
}

fn conclude<O: Operations>(matrix: &KillMatrix, dir: &RunDir, field: &Field<O>) -> Result<Exit, Stumble> {
    let json = json::document(matrix).map_err(|why| Broken::with("write the matrix", why))?;
    for (name, text) in [("sabotage.json", json), ("sabotage.md", matrix.markdown())] {
        dir.write(name, &text).map_err(|why| Broken::with("write the matrix", why))?;
    }
    field.console.out(&matrix.text());
    field.console.out(&format!("report  {}", run_dir::shown(&dir.path().join("sabotage.json"))));
    let exit = match matrix.outcome() {
        _ if field.stop.is_stopping() => Exit::Interrupted,
        Outcome::Clean => Exit::Ok,
        Outcome::Survivors => Exit::Failed,
        Outcome::Unjudged => Exit::Inconclusive,
    };
    Ok(exit)
}
