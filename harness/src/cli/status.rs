//! `waymark status`: what is kept, and how the last runs ended.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use waymark_reports::events::Event;
use waymark_reports::result::{RunResult, fold};

use super::columns::columns;
use super::options::TargetOptions;
use super::runs;
use crate::run_dir::{self, RunDir};

/// How many runs are shown.
const MOST: usize = 5;

#[derive(Args, Debug)]
pub(super) struct StatusArgs {
    /// Directory below which runs are [default: target/waymark]
    #[arg(long, env = "WAYMARK_RUN_DIR", hide_env = true, value_name = "DIR")]
    pub(super) run_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(super) target: TargetOptions,
}

/// The newest runs below `base`.
pub(super) fn last_runs(base: &Path) -> String {
    let entries = fs::read_dir(base).into_iter().flatten().flatten();
    let mut runs: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| !path.is_symlink() && runs::has_events(path))
        .collect();
    runs.sort_by(|a, b| b.file_name().cmp(&a.file_name()));
    let all = runs.len();
    if all == 0 {
        return format!("no runs below {}\n", run_dir::shown(base));
    }
    runs.truncate(MOST);
    let rows: Vec<Vec<String>> = runs.iter().map(|path| row(path)).collect();
    let table = columns(&["RUN", "VERDICT", "PASS", "RED", "BEGUN", "WHERE"], &rows);
    let more = all.saturating_sub(MOST);
    if more == 0 { table } else { format!("{table}and {more} more below {}\n", run_dir::shown(base)) }
}

fn row(path: &Path) -> Vec<String> {
    let id = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let place = run_dir::shown(path);
    match result(path) {
        Ok(result) => {
            let red = result.totals.fail + result.totals.error;
            let begun = result.run.started_at.get(..16).unwrap_or_default().replace('T', " ");
            vec![
                id,
                result.run.verdict.to_string(),
                result.totals.pass.to_string(),
                red.to_string(),
                begun,
                place,
            ]
        }
        Err(why) => vec![id, why.into(), "-".into(), "-".into(), "-".into(), place],
    }
}

/// The result of a run that has ended, from its events when nobody has written it; else why there is none.
fn result(path: &Path) -> Result<RunResult, &'static str> {
    let text = fs::read_to_string(path.join("result.json")).ok();
    if let Some(result) = text.and_then(|text| serde_json::from_str(&text).ok()) {
        return Ok(result);
    }
    let entries = RunDir::open(path.to_owned()).events().map_err(|_| "unreadable")?;
    match entries.iter().any(|entry| matches!(entry.event, Event::RunFinished(_))) {
        true => Ok(fold(&entries)),
        false => Err("runs or was killed"),
    }
}

#[cfg(test)]
mod tests {
    use waymark_reports::result::fold;

    use super::last_runs;
    use crate::run_dir::RunDir;

    #[test]
    fn a_run_without_a_result_is_told_by_its_events() {
        let base = tempfile::tempdir().unwrap();
        let line = |event: &str| {
            format!("{{\"v\":1,\"seq\":1,\"ts\":\"2026-11-25T09:00:00Z\",\"run\":\"r\",{event}}}\n")
        };
        let end = line("\"type\":\"run.finished\",\"outcome\":\"completed\",\"durationMs\":1");
        let note = line("\"type\":\"note\",\"text\":\"\"");
        for (id, events) in [("run-3", end.as_str()), ("run-2", &note), ("run-1", "{}\n")] {
            RunDir::create(base.path(), id).unwrap();
            std::fs::write(base.path().join(id).join("events.ndjson"), events).unwrap();
        }
        let text = last_runs(base.path());
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].starts_with("run-3  inconclusive "), "{text}");
        assert!(lines[2].starts_with("run-2  runs or was killed"), "{text}");
        assert!(lines[3].starts_with("run-1  unreadable "), "{text}");
    }

    #[test]
    fn the_newest_come_first_and_a_killed_one_says_so() {
        let base = tempfile::tempdir().unwrap();
        assert!(last_runs(base.path()).starts_with("no runs below "));
        for number in 1..=6 {
            let (dir, _) = RunDir::create(base.path(), &format!("run-{number}")).unwrap();
            if number != 6 {
                dir.write_result(&fold(&[])).unwrap();
            }
        }
        let text = last_runs(base.path());
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].starts_with("run-6  runs or was killed"), "{text}");
        assert!(lines[2].starts_with("run-5  inconclusive"), "{text}");
        assert!(lines[6].starts_with("and 1 more below "), "{text}");
    }
}
