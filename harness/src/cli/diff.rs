//! `waymark diff`: two runs compared, and a gate on what lies between them.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use waymark_reports::diff::{Diff, compare, diff};
use waymark_reports::gate::{Checked, Gate, GateError, metrics};
use waymark_reports::result::fold;

use super::usage::Usage;
use super::{Broken, Exit, Stumble, runs};
use crate::json;
use crate::printer::Console;
use crate::run_dir;

#[derive(Args, Debug)]
pub(super) struct DiffArgs {
    /// The run that is the measure: an id, `latest~1`, or the path of its directory
    #[arg(value_name = "BASE")]
    base: String,
    /// The run that is measured
    #[arg(value_name = "HEAD", default_value = "latest")]
    head: String,
    /// End with 12 unless this holds, such as `new_failures==0 && convergence.p95.change<15%`, or `default`
    #[arg(long, value_name = "EXPR")]
    gate: Option<String>,
    /// How to show it
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    output: Output,
    /// Compare runs of another target, selection, shard, sabotage or waymark all the same
    #[arg(long)]
    allow_mismatch: bool,
    /// Directory below which runs are [default: target/waymark]
    #[arg(long, env = "WAYMARK_RUN_DIR", hide_env = true, value_name = "DIR")]
    run_dir: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Output {
    #[default]
    Text,
    Json,
    Markdown,
}

/// The JSON form: the diff, and how the gate came out.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    diff: &'a Diff,
    gate: &'a [Checked],
}

impl DiffArgs {
    pub(super) fn execute(self, console: Console) -> Result<Exit, Stumble> {
        let gate = self.gate.as_deref().map(parse).transpose()?;
        let base = self.run_dir.unwrap_or_else(run_dir::default_base);
        let earlier = fold(&runs::find(&self.base, &base)?.entries);
        let later = fold(&runs::find(&self.head, &base)?.entries);
        let diff = if self.allow_mismatch {
            compare(&earlier, &later)
        } else {
            let usage = |error| {
                Usage::new(format!("{error}"), "--allow-mismatch compares them all the same", [""; 0])
            };
            diff(&earlier, &later).map_err(usage)?
        };
        let gate = gate.map(|gate| gate.check(&diff)).unwrap_or_default();
        let text = match self.output {
            Output::Text => diff.text(&gate, console.style()),
            Output::Markdown => diff.markdown(&gate),
            Output::Json => json::document(&Document { diff: &diff, gate: &gate })
                .map_err(|error| Broken::with("write the diff as JSON", error))?,
        };
        match self.output {
            Output::Json => console.document(&text),
            Output::Text | Output::Markdown => console.out(&text),
        }
        Ok(if gate.iter().all(|checked| checked.holds) { Exit::Ok } else { Exit::Gate })
    }
}

fn parse(text: &str) -> Result<Gate, Usage> {
    text.parse().map_err(|error: GateError| {
        let metric = |(name, about): (&str, &str)| format!("{name:<24}  {about}");
        Usage::new(error.to_string(), "metrics", metrics().into_iter().map(metric))
    })
}
