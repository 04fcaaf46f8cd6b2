//! From what the user typed to what a run tries: options that go together, deviations, selection, rerun, shard.

use std::ffi::OsString;
use std::fmt;
use std::fs;

use clap::CommandFactory;
use clap::parser::ValueSource;
use waymark_reports::text::counted;

use super::Stumble;
use super::args::Cli;
use super::config::without_empty_variables;
use super::operations::Operations;
use super::options::RunOptions;
use super::rerun;
use super::select::Selection;
use super::usage::Usage;
use crate::case::Suite;
use crate::engine::{Capabilities, Listed, Site, Trial, catalogue};
use crate::run_dir;

type World<O> = <<O as Operations>::Site as Site>::Ctx;

/// What a run is about to try.
pub(super) struct Chosen<C: 'static> {
    pub(super) options: RunOptions,
    pub(super) expected: Capabilities,
    pub(super) trials: Vec<Trial<C>>,
    /// What the user selected, word by word.
    pub(super) selection: Vec<String>,
}

/// What is to be done.
pub(super) enum Choice<C: 'static> {
    /// These cases.
    Run(Box<Chosen<C>>),
    /// Nothing, since the earlier run of this id left nothing open.
    Nothing(String),
}

/// Which options the user gave, rather than left to their defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Given {
    target: bool,
    istio: bool,
}

impl Given {
    pub(super) fn of(args: &[OsString]) -> Self {
        let Ok(matches) = without_empty_variables(Cli::command()).try_get_matches_from(args) else {
            return Self::default();
        };
        let Some((_, matches)) = matches.subcommand() else { return Self::default() };
        let given = |id: &str| {
            let known = matches.ids().any(|known| known.as_str() == id);
            known && matches.value_source(id).is_some_and(|source| source != ValueSource::DefaultValue)
        };
        Self { target: given("target"), istio: given("istio") }
    }
}

impl<C> fmt::Display for Choice<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(chosen) => f.write_str(&counted(chosen.trials.len(), "case")),
            Self::Nothing(run) => {
                write!(f, "nothing to rerun: in run {run} no selected case failed, erred or was not run")
            }
        }
    }
}

/// Decides what a run tries.
///
/// # Errors
/// Options that do not go together, names that do not exist, a list of deviations with a mistake, an empty shard.
pub(super) fn choose<O: Operations>(
    suites: &[Suite<World<O>>],
    operations: &O,
    selection: Selection,
    mut options: RunOptions,
    given: Given,
) -> Result<Choice<World<O>>, Stumble> {
    go_together(&options, &selection)?;
    let mut words = selection.words_said();
    let mut open = None;
    if let Some(run) = &options.rerun {
        let base = options.run_dir.clone().unwrap_or_else(run_dir::default_base);
        let earlier = rerun::open(run, &base)?;
        words.push(format!("--rerun {}", earlier.run));
        open = Some(earlier);
    }
    if let Some(earlier) = &open {
        let target = &mut options.target;
        as_earlier("target", &mut target.target, (&earlier.run, &earlier.target), given.target)?;
        as_earlier("istio", &mut target.istio, (&earlier.run, &earlier.istio), given.istio)?;
    }
    let expected = operations.check(&options)?;
    let mut all = catalogue(suites);
    mark(operations, &options, expected.istio, &mut all)?;
    if let Some(earlier) = &open {
        let gone = earlier.cases.iter().filter(|name| all.iter().all(|trial| trial.name != **name));
        let gone: Vec<&String> = gone.collect();
        if !gone.is_empty() {
            let what = format!("run {} left cases open that do not exist any more", earlier.run);
            return Err(Usage::new(what, "they were", gone).into());
        }
    }
    let mut trials = selection.apply(all)?;
    if let Some(earlier) = open {
        trials.retain(|trial| earlier.cases.contains(&trial.name));
        if trials.iter().all(|trial| trial.left_out.is_some()) {
            return Ok(Choice::Nothing(earlier.run));
        }
    }
    if let Some(shard) = options.shard {
        let selected = trials.len();
        trials = shard.share(trials);
        if trials.iter().all(|trial| trial.left_out.is_some()) {
            let what = format!("shard {shard} is empty: the selection has {}", counted(selected, "case"));
            return Err(Usage::new(what, "use fewer shards", [""; 0]).into());
        }
    }
    Ok(Choice::Run(Box::new(Chosen { options, expected, trials, selection: words })))
}

/// Takes a value of the earlier run, unless the user gave another: a rerun and its run could not be merged.
fn as_earlier(
    flag: &'static str,
    value: &mut String,
    (run, earlier): (&str, &str),
    given: bool,
) -> Result<(), Usage> {
    if given && *value != earlier && !earlier.is_empty() {
        let what =
            format!("run {run} was with --{flag} {earlier}, its rerun cannot be with --{flag} {value}");
        return Err(
            Usage::new(what, format!("leave --{flag} away, or run without --rerun"), [""; 0]).of_flag(flag)
        );
    }
    if !earlier.is_empty() {
        earlier.clone_into(value);
    }
    Ok(())
}

/// Tells each trial of the catalogue which listed deviation it falls under.
///
/// # Errors
/// A list that cannot be read, or that has a mistake.
pub(crate) fn mark<O: Operations>(
    operations: &O,
    options: &RunOptions,
    istio: (u16, u16),
    all: &mut [Trial<World<O>>],
) -> Result<(), Usage> {
    let listed = match &options.known {
        None => operations.known(),
        Some(path) => {
            let file = run_dir::shown(path);
            let text = fs::read_to_string(path).map_err(|error| {
                Usage::new(
                    format!("read {file}: {error}"),
                    "--known FILE names a list of deviations",
                    [""; 0],
                )
            })?;
            Listed { file, text }
        }
    };
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let deviations = listed.read(all, today).map_err(|error| {
        Usage::new(format!("{}:{}: {}", error.file, error.line, error.what), error.mend, [""; 0])
    })?;
    deviations.mark(all, &options.target.target, istio);
    Ok(())
}

/// Refuses what a test target cannot do: it tells each trial once, and its runner has sharding and reruns of its own.
///
/// # Errors
/// When one of these is set.
pub(crate) fn only_for_runs(options: &RunOptions) -> Result<(), Usage> {
    let set = [
        ("WAYMARK_REPEAT", options.repeat > 1),
        ("WAYMARK_SHARD", options.shard.is_some()),
        ("WAYMARK_RERUN", options.rerun.is_some()),
    ];
    match set.iter().find(|(_, set)| *set) {
        None => Ok(()),
        Some((name, _)) => {
            let what = format!("{name} has no meaning for a test target");
            Err(Usage::new(
                what,
                "unset it, or use `waymark run`; test runners shard and rerun themselves",
                [""; 0],
            ))
        }
    }
}

fn go_together(options: &RunOptions, selection: &Selection) -> Result<(), Usage> {
    let refuse = |what: &str, hint: &str| Err(Usage::new(what, hint, [""; 0]));
    if options.rerun.is_some() && !selection.exact.is_empty() {
        return refuse("--rerun and --exact each say which cases run", "give one of them");
    }
    if options.shard.is_some() && options.shuffle && options.seed.is_none() {
        return refuse("shards of one run share their seed", "give each of them the same --seed");
    }
    if let (Some(case), Some(run)) = (options.case_timeout, options.timeout)
        && case > run
    {
        return refuse("--case-timeout is longer than --timeout", "a case ends with its run at the latest");
    }
    Ok(())
}
