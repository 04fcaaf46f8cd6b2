//! `waymark report`: the result of an earlier run, also of one that was killed, from its events alone.

use std::fs;
use std::path::{Path, PathBuf};

use waymark_reports::journal;
use waymark_reports::result::{RunResult, fold};

use super::usage::Usage;
use super::{Broken, Stumble};
use crate::run_dir::{self, RunDir};

/// Folds the events of `run` (an id, `latest`, or a path) below `base` and writes its `result.json` anew.
pub(super) fn again(run: &str, base: &Path) -> Result<(RunResult, PathBuf), Stumble> {
    let dir = if Path::new(run).is_dir() { PathBuf::from(run) } else { base.join(run) };
    let events = dir.join("events.ndjson");
    if !events.is_file() {
        return Err(Usage::new(format!("there is no run `{run}`"), "runs", known(base)).into());
    }
    let shown = run_dir::shown(&events);
    let text = fs::read_to_string(&events).map_err(|error| Broken::with(format!("read `{shown}`"), error))?;
    let entries =
        journal::parse(&text).map_err(|error| Broken::with(format!("understand `{shown}`"), error))?;
    let result = fold(&entries);
    let report =
        RunDir::open(dir).write_result(&result).map_err(|error| Broken::with("report again", error))?;
    Ok((result, report))
}

/// The newest runs below `base`.
fn known(base: &Path) -> Vec<String> {
    const MOST: usize = 8;
    let entries = fs::read_dir(base).into_iter().flatten().filter_map(Result::ok);
    let mut runs: Vec<String> = entries
        .filter(|entry| entry.path().join("events.ndjson").is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    runs.sort_unstable_by(|a, b| b.cmp(a));
    runs.truncate(MOST);
    runs
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use waymark_reports::events::{Entry, Event, RunStarted, VERSION};
    use waymark_reports::journal::line;

    use super::again;
    use crate::run_dir::RunDir;

    #[test]
    fn a_killed_run_is_reported_from_its_events() {
        let base = tempfile::tempdir().unwrap();
        let (_, mut events) = RunDir::create(base.path(), "run-1").unwrap();
        let started =
            RunStarted { waymark: "0".into(), target: "embedded".into(), istio: "1.31".into(), seed: None };
        let ts = jiff::Timestamp::UNIX_EPOCH;
        let entry = Entry { v: VERSION, seq: 1, ts, run: "run-1".into(), event: Event::RunStarted(started) };
        write!(events, "{}{{\"v\":1,\"se", line(&entry).unwrap()).unwrap();
        let (result, report) = again("latest", base.path()).unwrap();
        assert_eq!(result.run.reason.as_deref(), Some("the run was aborted"));
        assert!(fs::read_to_string(report).unwrap().contains("\"inconclusive\""));
    }

    #[test]
    fn an_unknown_run_is_answered_with_those_that_exist() {
        let base = tempfile::tempdir().unwrap();
        RunDir::create(base.path(), "run-1").unwrap();
        let error = again("run-2", base.path()).unwrap_err().to_string();
        assert_eq!(error, "error: there is no run `run-2`\n  runs:\n    run-1\n    latest");
    }
}
