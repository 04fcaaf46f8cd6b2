//! `--rerun`: what an earlier run left open.

use std::path::Path;

use waymark_reports::events::{Entry, Event};
use waymark_reports::result::{RunResult, fold};
use waymark_reports::verdict::CaseVerdict;

use super::runs;
use super::usage::Usage;

/// What an earlier run leaves to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Open {
    /// Id of that run.
    pub(super) run: String,
    /// Where its cluster came from.
    pub(super) target: String,
    /// Its release of Istio.
    pub(super) istio: String,
    /// The names of the cases that failed, erred or were not run.
    pub(super) cases: Vec<String>,
}

/// What `run` (an id, `latest` or a directory) below `base` left open.
///
/// # Errors
/// A run that does not exist, whose events cannot be understood, or of which nobody knows what it was to try.
pub(super) fn open(run: &str, base: &Path) -> Result<Open, Usage> {
    let found = runs::read(run, base)?;
    if !found.entries.iter().any(|Entry { event, .. }| matches!(event, Event::Plan(_))) {
        let id = found.dir.path().file_name().unwrap_or_default().to_string_lossy();
        let what = format!("run {id} was killed before its plan was made");
        return Err(Usage::new(what, "run again without --rerun", [""; 0]));
    }
    Ok(left(fold(&found.entries)))
}

fn left(result: RunResult) -> Open {
    let open = result
        .cases
        .into_iter()
        .filter(|case| matches!(case.verdict, CaseVerdict::Fail | CaseVerdict::Error | CaseVerdict::NotRun));
    let run = result.run;
    Open { run: run.id, target: run.target, istio: run.istio, cases: open.map(|case| case.name).collect() }
}
