//! `waymark merge`: shards, or a run and its reruns, become one run with reports of its own.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use waymark_reports::events::Entry;
use waymark_reports::journal;
use waymark_reports::merge::{evidence_folder, merge};
use waymark_reports::result::fold;
use waymark_reports::text::summary;

use super::ci::Ci;
use super::exit::Held;
use super::runs::Found;
use super::usage::Usage;
use super::{Broken, Exit, Stumble, chronicle, publish, runs};
use crate::printer::Console;
use crate::run_dir::{self, RunDir};

#[derive(Args, Debug)]
pub(super) struct MergeArgs {
    /// Ids of runs, or paths of their directories
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    /// Directory below which runs are, and the new one will be [default: target/waymark]
    #[arg(long, env = "WAYMARK_RUN_DIR", hide_env = true, value_name = "DIR")]
    run_dir: Option<PathBuf>,
    /// Add the new run to the last verdicts of every case in DIR; the summary says what is new
    #[arg(long, env = "WAYMARK_HISTORY", hide_env = true, value_name = "DIR")]
    history: Option<PathBuf>,
}

impl MergeArgs {
    pub(super) fn execute(self, console: Console) -> Result<Exit, Stumble> {
        let base = self.run_dir.unwrap_or_else(run_dir::default_base);
        self.history.as_deref().map(chronicle::check).transpose()?;
        let found = self.runs.iter().map(|run| runs::find(run, &base)).collect::<Result<Vec<Found>, _>>()?;
        let id = run_dir::new_id();
        let members: Vec<Vec<Entry>> = found.iter().map(|run| run.entries.clone()).collect();
        let entries = merge(&id, &members).map_err(|error| {
            let hint = "all shards of one selection can be merged, or a run and its reruns";
            Usage::new(format!("these runs cannot be merged: {error}"), hint, [""; 0])
        })?;
        let lines = entries.iter().map(journal::line).collect::<Result<String, _>>();
        let lines = lines.map_err(|error| Broken::with("merge", error))?;
        let result = fold(&entries);
        let failed = |error| Broken::with("merge", error);
        let (dir, mut events) = RunDir::create(&base, &id).map_err(failed)?;
        events.write_all(lines.as_bytes()).map_err(|error| Broken::with("write the merged events", error))?;
        let mut troubles: Vec<String> =
            found.iter().filter_map(|run| evidence(run, &dir).err()).map(|broken| broken.chain()).collect();
        let published = publish::publish(&dir, &result, self.history.as_deref(), &Ci::here())
            .map_err(|error| Broken::with("merge", error))?;
        troubles.extend(published.troubles);
        console.out(&summary(&result, console.style()));
        for trouble in &troubles {
            console.err(&format!("error: {trouble}"));
        }
        if let Some(annotations) = &published.annotations {
            console.out(annotations);
        }
        console.out(&format!("report  {}", publish::best(&published.result)));
        let verdict = result.run.verdict;
        let exit = Exit::of(Held { interrupted: false, set_up_failed: false, leaked: false, verdict });
        console.out(&format!("exit    {}: {}", exit.code(), exit.meaning()));
        Ok(exit)
    }
}

/// Copies the evidence of one run to where the merged events say it is.
fn evidence(run: &Found, to: &RunDir) -> Result<(), Broken> {
    let from = run.dir.path().join("evidence");
    let Some(id) = run.entries.first().map(|entry| entry.run.as_str()).filter(|_| from.is_dir()) else {
        return Ok(());
    };
    let failed = |error: io::Error| Broken::with(format!("copy `{}`", run_dir::shown(&from)), error);
    copy(&from, &to.path().join(evidence_folder(id))).map_err(failed)
}

/// Copies folders and plain files.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
