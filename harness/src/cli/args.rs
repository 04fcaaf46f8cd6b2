//! The grammar of the command line.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use super::completions::CompletionsArgs;
use super::config::{Config, ConfigArgs, Setting, settings, without_empty_variables};
use super::diff::DiffArgs;
use super::doctor::DoctorArgs;
use super::explain::ExplainArgs;
use super::list::ListArgs;
use super::man::ManArgs;
use super::merge::MergeArgs;
use super::options::{RunOptions, TargetOptions};
use super::report::ReportArgs;
use super::sabotage::SabotageArgs;
use super::select::Selection;
use super::status::StatusArgs;
use super::sweep::SweepArgs;
use super::up::UpArgs;
use super::usage::Usage;
use crate::case::Level;
use crate::printer::{Colour, Glyphs};

const EXAMPLES: &str = "\
Examples:
  waymark run                          every case on a cluster of its own; no Docker, no root
  waymark run routing                  cases whose name contains `routing`
  waymark run routing '!weights'       the same without those about weights
  waymark run --istio 1.24             another Istio release
  waymark run --ztunnel ./ztunnel      a ztunnel that you have just built
  waymark list                         every case, with its level and promise
  waymark up                           a cluster to look around in, and for later runs
  waymark doctor                       what this machine lacks
  waymark explain exit                 what the exit codes mean
  waymark completions bash             a script for your shell

Flags that shape a run can also be given as WAYMARK_<FLAG>, or below [run] and [target] in
waymark.toml; `waymark doctor` shows what is in force and who said it.
Reports are in target/waymark/latest/.";

/// Tells, with evidence, whether an Istio ambient mesh keeps its promises at the waypoint.
#[derive(Debug, Parser)]
#[command(name = "waymark", version, after_help = EXAMPLES, max_term_width = 100)]
#[command(arg_required_else_help = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    /// When to write colours
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        env = "WAYMARK_COLOR",
        hide_env = true,
        value_name = "WHEN",
        help_heading = "Global"
    )]
    pub(super) color: Colour,
    /// Which characters to write
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        env = "WAYMARK_GLYPHS",
        hide_env = true,
        value_name = "WHICH",
        help_heading = "Global"
    )]
    pub(super) glyphs: Glyphs,
    #[command(flatten)]
    pub(super) config: ConfigArgs,
}

/// Why a command line is no command.
pub(super) enum Misparse {
    /// Not in the grammar, or a question about it (`--help`).
    Clap(clap::Error),
    /// The configuration file has a mistake.
    Config(Usage),
}

/// A command line with the defaults of its configuration file.
pub(super) struct Parsed {
    pub(super) cli: Cli,
    /// Every value that is not a default; for `doctor` also those that a run would get.
    pub(super) settings: Vec<Setting>,
}

/// Parses a command line; the configuration file is that of `here` unless it names one.
pub(super) fn parse(args: &[OsString], here: &Path) -> Result<Parsed, Misparse> {
    let named = without_empty_variables(Cli::command()).try_get_matches_from(args).map_err(Misparse::Clap)?;
    let named = ConfigArgs::from_arg_matches(&named).map_err(Misparse::Clap)?;
    let config = Config::load(&named, here).map_err(Misparse::Config)?;
    let mut grammar = config.as_defaults(Cli::command());
    grammar.build();
    let matches = grammar.try_get_matches_from_mut(args).map_err(Misparse::Clap)?;
    let cli = Cli::from_arg_matches(&matches).map_err(Misparse::Clap)?;
    let mut known = Vec::new();
    if let Some((name, of_it)) = matches.subcommand() {
        known.extend(grammar.find_subcommand(name).map(|it| settings(it, of_it, &config)));
    }
    if matches.subcommand_name() == Some("doctor") {
        // what a run would get besides, without flags
        let run = grammar.try_get_matches_from_mut(["waymark", "run"]).map_err(Misparse::Clap)?;
        let of_run = run.subcommand().map(|(_, matches)| matches);
        known.extend(
            of_run.zip(grammar.find_subcommand("run")).map(|(of_run, it)| settings(it, of_run, &config)),
        );
    }
    let mut all: Vec<Setting> = Vec::new();
    for setting in known.into_iter().flatten() {
        if all.iter().all(|earlier| earlier.key != setting.key) {
            all.push(setting);
        }
    }
    Ok(Parsed { cli, settings: all })
}

/// Variables that look like one of waymark's and are not read, each with the one that was probably meant.
pub(super) fn misspelt(names: impl Iterator<Item = String>) -> Vec<(String, String)> {
    const NEAR: f64 = 0.93;
    let grammar = Cli::command();
    let of_all =
        std::iter::once(&grammar).chain(grammar.get_subcommands()).flat_map(clap::Command::get_arguments);
    let known: Vec<String> =
        of_all.filter_map(|arg| arg.get_env()).map(|name| name.to_string_lossy().into_owned()).collect();
    let unread = names.filter(|name| name.starts_with("WAYMARK_") && !known.contains(name));
    let near = |name: String| {
        let likely = known.iter().map(|known| {
            (strsim::jaro_winkler(&name["WAYMARK_".len()..], &known["WAYMARK_".len()..]), known)
        });
        let (likeness, meant) = likely.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
        (likeness > NEAR).then(|| (name.clone(), meant.clone()))
    };
    unread.filter_map(near).collect()
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run cases and judge the mesh
    Run(Box<RunArgs>),
    /// List cases; needs no cluster
    List(ListArgs),
    /// Say what an id means: a case, a cause, a check, a defect, an exit code
    Explain(ExplainArgs),
    /// Report an earlier run from its events, also one that was killed: html, junit, json and more
    Report(ReportArgs),
    /// Compare two runs: what broke, what is no longer judged, what takes longer
    Diff(DiffArgs),
    /// Make one run of shards, or of a run and its reruns
    Merge(MergeArgs),
    /// Prove that every case can fail: put each named defect in and see the cases notice
    Sabotage(Box<SabotageArgs>),
    /// Bring up a cluster with Istio ambient, keep it until Ctrl-C, print how to use it
    Up(UpArgs),
    /// Take down what `up` brought up
    Down(TargetArgs),
    /// Show the cluster that `up` keeps, and how the last runs ended
    Status(StatusArgs),
    /// The real parts: where they come from and where they are
    Components(ComponentsArgs),
    /// Check the machine, the parts, a kept cluster, its mesh and what earlier runs left; changes nothing
    Doctor(DoctorArgs),
    /// Remove what earlier processes left behind and nobody holds any more
    Sweep(SweepArgs),
    /// Print a script that completes commands and flags
    Completions(CompletionsArgs),
    /// Print the manual, or write its pages
    Man(ManArgs),
}

#[derive(Args, Debug)]
pub(super) struct FilterArgs {
    /// Cases whose name contains FILTER; a glob with `*`, or `/re/`; `!FILTER` excludes [default: all]
    #[arg(value_name = "FILTER")]
    filter: Vec<String>,
    /// The case of exactly this name (may be repeated)
    #[arg(long, value_name = "NAME")]
    exact: Vec<String>,
    /// Cases not to run, as `!FILTER` (may be repeated)
    #[arg(long, value_name = "FILTER", env = "WAYMARK_SKIP", hide_env = true)]
    skip: Vec<String>,
    /// Only cases of these levels: core, extended, observed
    #[arg(long, value_name = "LEVEL", value_delimiter = ',', env = "WAYMARK_LEVEL", hide_env = true)]
    #[arg(value_parser = level())]
    level: Vec<Level>,
}

fn level() -> impl TypedValueParser<Value = Level> {
    let words = Level::ALL.map(|level| PossibleValue::new(level.as_str()).help(level.meaning()));
    let of = |word: String| Level::ALL.into_iter().find(|level| level.as_str() == word);
    PossibleValuesParser::new(words).try_map(move |word| of(word).ok_or("no such level"))
}

#[derive(Args, Debug)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    #[command(flatten)]
    pub(super) options: RunOptions,
}

#[derive(Args, Debug)]
pub(super) struct TargetArgs {
    #[command(flatten)]
    pub(super) target: TargetOptions,
}

#[derive(Args, Debug)]
#[command(mut_args(|arg| arg.global(true)))] // the actions take the flags, too
pub(super) struct ComponentsArgs {
    #[command(subcommand)]
    pub(super) action: ComponentsAction,
    #[command(flatten)]
    pub(super) target: TargetOptions,
}

#[derive(Debug, Subcommand)]
pub(super) enum ComponentsAction {
    /// Name each part with its version, origin and place
    List,
    /// Obtain parts now, so that a run need not
    Fetch {
        /// Parts [default: all]
        #[arg(value_name = "PART")]
        parts: Vec<String>,
    },
    /// Print where a part is
    Path {
        /// Such as `istiod`
        #[arg(value_name = "PART")]
        part: String,
    },
}

impl FilterArgs {
    pub(super) fn selection(&self) -> Selection {
        Selection {
            words: self.filter.clone(),
            exact: self.exact.clone(),
            skip: self.skip.clone(),
            levels: self.level.clone(),
        }
    }
}

/// The commands or flags that exist, after a mistake about one of them; else nothing.
pub(super) fn existing(error: &clap::Error, args: &[OsString]) -> String {
    let cli = Cli::command();
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let names: Vec<_> = cli.get_subcommands().map(|command| command.get_name().to_owned()).collect();
            format!("\ncommands: {}\n", names.join(", "))
        }
        ErrorKind::UnknownArgument => {
            let typed = args.iter().skip(1).filter_map(|arg| arg.to_str());
            let command = typed.filter_map(|arg| cli.find_subcommand(arg)).next().unwrap_or(&cli);
            let flags = command.get_arguments().chain(cli.get_arguments()).filter_map(clap::Arg::get_long);
            let flags: Vec<_> = flags.map(|flag| format!("--{flag}")).collect();
            format!("\nflags: {}\n", flags.join(", "))
        }
        _ => String::new(),
    }
}

/// The variable that gave the wrong value of a flag that nobody typed; else nothing.
pub(crate) fn variable(error: &clap::Error, args: &[OsString], is_set: impl Fn(&OsStr) -> bool) -> String {
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return String::new() };
    let flag = flag.trim_start_matches("--").split([' ', '=', '[']).next().unwrap_or_default();
    let cli = Cli::command();
    let typed = || args.iter().skip(1).filter_map(|arg| arg.to_str());
    let command = typed().find_map(|arg| cli.find_subcommand(arg)).unwrap_or(&cli);
    let all = command.get_arguments().chain(cli.get_arguments());
    let Some(arg) = all.into_iter().find(|arg| arg.get_long() == Some(flag)) else { return String::new() };
    let (long, short) = (format!("--{flag}"), arg.get_short().map(|short| format!("-{short}")));
    let is_it = |word: &str| {
        word == long
            || word.strip_prefix(&long).is_some_and(|rest| rest.starts_with('='))
            || short.as_ref().is_some_and(|short| word.starts_with(short.as_str()))
    };
    match arg.get_env().filter(|name| is_set(name)) {
        Some(name) if !typed().any(is_it) => {
            format!("\n--{flag} is from {}\n", name.to_string_lossy())
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use rstest::rstest;

    use super::{Cli, existing, misspelt, variable};

    #[rstest]
    #[case::command(&["waymark", "rum"], "commands: run, list, explain, report, diff, merge, sabotage, up, down, status, components, doctor, sweep, completions, man")]
    #[case::flag(&["waymark", "man", "--zzz"], "flags: --dir, --color, --glyphs, --config, --profile")]
    #[case::other_mistake(&["waymark", "run", "--jobs", "0"], "")]
    fn a_mistake_is_answered_with_what_exists(#[case] args: &[&str], #[case] want: &str) {
        let error = Cli::try_parse_from(args).unwrap_err();
        let args: Vec<_> = args.iter().map(Into::into).collect();
        assert_eq!(existing(&error, &args).trim(), want);
    }

    #[rstest]
    #[case::environment(&["waymark", "run"], "\n--jobs is from WAYMARK_JOBS\n")]
    #[case::flag(&["waymark", "run", "--jobs=0"], "")]
    #[case::short_flag(&["waymark", "run", "-j0"], "")]
    fn a_wrong_value_of_a_variable_names_it(#[case] args: &[&str], #[case] want: &str) {
        // the same mistake, whoever made it
        let error = Cli::try_parse_from(["waymark", "run", "--jobs=0"]).unwrap_err();
        let args: Vec<_> = args.iter().map(Into::into).collect();
        assert_eq!(variable(&error, &args, |name| name == "WAYMARK_JOBS"), want);
        assert_eq!(variable(&error, &args, |_| false), "");
    }

    #[rstest]
    #[case(&["waymark", "components", "fetch", "--istio", "1.24", "etcd"])]
    #[case(&["waymark", "components", "--istio", "1.24", "fetch", "etcd"])]
    fn the_actions_of_components_take_its_flags(#[case] args: &[&str]) {
        let super::Command::Components(args) = Cli::try_parse_from(args).unwrap().command else {
            panic!("components")
        };
        assert_eq!(args.target.istio, "1.24");
    }

    #[test]
    fn a_misspelt_variable_is_noticed() {
        let names =
            ["WAYMARK_ISTO", "WAYMARK_ISTIO", "WAYMARK_LOG", "WAYMARK_CACHE", "HOME"].map(str::to_owned);
        let pair = ("WAYMARK_ISTO".to_owned(), "WAYMARK_ISTIO".to_owned());
        assert_eq!(misspelt(names.into_iter()), [pair]);
    }
}
