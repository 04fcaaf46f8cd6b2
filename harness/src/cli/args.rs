//! The grammar of the command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};

use super::options::{RunOptions, TargetOptions};
use super::select::Selection;
use crate::printer::Colour;

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

Flags that shape a run can also be given as WAYMARK_<FLAG>. A run leaves its report in target/waymark/latest/.";

/// Tells, with evidence, whether an Istio ambient mesh keeps its promises at the waypoint.
#[derive(Debug, Parser)]
#[command(name = "waymark", version, after_help = EXAMPLES, max_term_width = 100)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
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
        value_name = "WHEN"
    )]
    pub(super) color: Colour,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run cases and judge the mesh
    Run(RunArgs),
    /// List cases; needs no cluster
    List(ListArgs),
    /// Say what a case promises, or what the exit codes mean (`explain exit`)
    Explain(ExplainArgs),
    /// Report an earlier run again from its events, also one that was killed
    Report(ReportArgs),
    /// Bring up a cluster with Istio ambient, keep it until Ctrl-C, print how to use it
    Up(UpArgs),
    /// Take down what `up` brought up
    Down(TargetArgs),
    /// Show the cluster that `up` keeps
    Status(TargetArgs),
    /// The real parts: where they come from and where they are
    Components(ComponentsArgs),
    /// Check this machine: kernel, namespaces, tools, disk, ports
    Doctor(TargetArgs),
}

#[derive(Args, Debug)]
pub(super) struct FilterArgs {
    /// Cases whose name contains FILTER; `!FILTER` excludes [default: all]
    #[arg(value_name = "FILTER")]
    filter: Vec<String>,
    /// The case of exactly this name (may be repeated)
    #[arg(long, value_name = "NAME")]
    exact: Vec<String>,
}

#[derive(Args, Debug)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    #[command(flatten)]
    pub(super) options: RunOptions,
}

#[derive(Args, Debug)]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    /// Only the names, one a line
    #[arg(long)]
    pub(super) names: bool,
}

#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    /// `exit`, or the name of a case
    #[arg(value_name = "ID")]
    pub(super) id: String,
}

#[derive(Args, Debug)]
pub(super) struct ReportArgs {
    /// Id of the run, `latest`, or the path of its directory
    #[arg(value_name = "RUN", default_value = "latest")]
    pub(super) run: String,
    /// Directory below which runs are [default: target/waymark]
    #[arg(long, env = "WAYMARK_RUN_DIR", hide_env = true, value_name = "DIR")]
    pub(super) run_dir: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct UpArgs {
    #[command(flatten)]
    pub(super) target: TargetOptions,
}

#[derive(Args, Debug)]
pub(super) struct TargetArgs {
    #[command(flatten)]
    pub(super) target: TargetOptions,
}

#[derive(Args, Debug)]
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
        Selection { words: self.filter.clone(), exact: self.exact.clone() }
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

#[cfg(test)]
mod tests {
    use clap::Parser;
    use rstest::rstest;

    use super::{Cli, existing};

    #[rstest]
    #[case::command(&["waymark", "rum"], "commands: run, list, explain, report, up, down, status, components, doctor")]
    #[case::flag(&["waymark", "list", "--zzz"], "flags: --exact, --names, --color")]
    #[case::other_mistake(&["waymark", "run", "--jobs", "0"], "")]
    fn a_mistake_is_answered_with_what_exists(#[case] args: &[&str], #[case] want: &str) {
        let error = Cli::try_parse_from(args).unwrap_err();
        let args: Vec<_> = args.iter().map(Into::into).collect();
        assert_eq!(existing(&error, &args).trim(), want);
    }
}
