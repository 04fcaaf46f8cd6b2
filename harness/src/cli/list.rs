//! `waymark list`: every case with what it promises and needs, in four formats. Needs no cluster.

mod check;
mod formats;
mod markdown;

use clap::{Args, CommandFactory, FromArgMatches, Parser, ValueEnum};

use super::args::FilterArgs;
use super::operations::Reliance;
use super::options::{RunOptions, TargetOptions};
use super::{Cmd, Exit, Operations, Stumble};
use crate::case::Broken;
use crate::engine::catalogue;

#[derive(Args, Debug)]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    /// How to write the list
    #[arg(short, long, visible_alias = "format", value_enum, value_name = "FORMAT", default_value_t)]
    pub(super) output: Format,
    /// Only the names, one a line; the same as `-o names`
    #[arg(long, conflicts_with = "output")]
    pub(super) names: bool,
    /// Check the list itself: every case has a catalogue row or a source, no name comes twice, references are
    /// well-formed; exit code 10 when something is wrong
    #[arg(long, conflicts_with_all = ["output", "names"])]
    pub(super) check: bool,
    #[command(flatten)]
    pub(super) target: TargetOptions,
}

/// How a list is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Columns, a case a line
    #[default]
    Table,
    /// Only the names of the trials, one a line
    Names,
    /// An array of trials
    Json,
    /// A table for documents
    Markdown,
}

/// One trial with all that a list says about it.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    suite: &'static str,
    #[serde(skip)]
    about: &'static str,
    case: &'static str,
    scope: Option<&'static str>,
    level: &'static str,
    isolation: &'static str,
    promise: &'static str,
    refs: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'static str>,
    needs: Vec<String>,
    file: &'static str,
    /// Why it cannot be tried on the target that was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    unsupported: Option<String>,
}

impl<O: Operations> Cmd<O> {
    pub(super) fn list(&self, args: ListArgs) -> Result<Exit, Stumble> {
        self.operations.check_target(&args.target, Reliance::Target)?;
        let chosen = args.filter.selection().apply(catalogue(&self.suites))?;
        if args.check {
            let complaints = check::complaints(&chosen, &self.operations.rows());
            self.console.out(&check::text(&chosen, &complaints));
            return Ok(if complaints.is_empty() { Exit::Ok } else { Exit::Failed });
        }
        let heading = format!("{}, istio {}", args.target.target, args.target.istio);
        let capabilities = self.operations.check(&plain_run(args.target)?)?;
        let chosen = chosen.into_iter().filter(|trial| trial.left_out.is_none());
        let rows: Vec<Row> = chosen
            .map(|trial| Row {
                suite: trial.case.suite,
                about: self.about(trial.case.suite),
                case: trial.case.name,
                scope: trial.scope.suffix(),
                level: trial.case.level.as_str(),
                isolation: trial.case.isolation.as_str(),
                promise: trial.case.promise,
                refs: trial.case.refs,
                source: trial.case.source,
                needs: trial.case.needs.iter().map(ToString::to_string).collect(),
                file: trial.case.file,
                unsupported: capabilities.missing(trial.case.needs),
                name: trial.name,
            })
            .collect();
        let text = match if args.names { Format::Names } else { args.output } {
            Format::Table => formats::table(&rows, &heading),
            Format::Names => rows.iter().map(|row| format!("{}\n", row.name)).collect(),
            Format::Markdown => markdown::markdown(&rows, &heading),
            Format::Json => {
                let text = formats::json(&rows).map_err(|e| Broken::with("write the list as JSON", e))?;
                self.console.document(&text);
                return Ok(Exit::Ok);
            }
        };
        self.console.out(&text);
        Ok(Exit::Ok)
    }
}

impl<O: Operations> Cmd<O> {
    fn about(&self, suite: &str) -> &'static str {
        self.suites.iter().find(|it| it.name == suite).map_or("", |it| it.about)
    }
}

/// A run on this target with everything else as it is by default, whatever the environment says.
fn plain_run(target: TargetOptions) -> Result<RunOptions, Broken> {
    #[derive(Parser)]
    struct Plain {
        #[command(flatten)]
        options: RunOptions,
    }
    let command = Plain::command().mut_args(|arg| arg.env(None::<&str>));
    let parsed = command.try_get_matches_from(["run"]).and_then(|matches| Plain::from_arg_matches(&matches));
    let Plain { options } = parsed.map_err(|e| Broken::with("understand the default options", e))?;
    Ok(RunOptions { target, ..options })
}
