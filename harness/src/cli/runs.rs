//! Earlier runs by what users call them: an id, `latest`, `latest~2`, or the path of a directory.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use waymark_reports::events::Entry;

use super::Broken;
use super::usage::Usage;
use crate::run_dir::{self, RunDir};

/// A run that was found.
pub(super) struct Found {
    pub(super) dir: RunDir,
    pub(super) entries: Vec<Entry>,
}

/// Finds `run` below `base` and reads its events.
pub(super) fn find(run: &str, base: &Path) -> Result<Found, Usage> {
    let found = read(run, base)?;
    if found.entries.is_empty() {
        let shown = run_dir::shown(found.dir.path());
        let what = format!("`{shown}` holds no event: the run was killed before it began");
        return Err(Usage::new(what, "nothing was changed; name another run", [""; 0]));
    }
    Ok(found)
}

/// The same for a run without any event, too.
pub(super) fn read(run: &str, base: &Path) -> Result<Found, Usage> {
    let path = place(run, base).ok_or_else(|| unknown(run, base))?;
    let dir = RunDir::open(path);
    let entries = dir.events().map_err(|error| {
        let what = Broken::with(format!("read run `{run}`"), error).chain();
        Usage::new(what, "nothing was changed; put the file right, or name another run", [""; 0])
    })?;
    Ok(Found { dir, entries })
}

/// Whether `run` names a run, readable or not.
pub(super) fn exists(run: &str, base: &Path) -> bool {
    place(run, base).is_some()
}

/// The newest runs below `base`, for messages.
pub(super) fn newest(base: &Path) -> Vec<String> {
    const MOST: usize = 8;
    let mut names: Vec<String> =
        base.join("latest").exists().then(|| "latest".to_owned()).into_iter().collect();
    names.extend(listed(base).into_iter().take(MOST));
    names
}

fn unknown(run: &str, base: &Path) -> Usage {
    let what = format!("there is no run `{run}` in {}", run_dir::shown(base));
    match newest(base).as_slice() {
        [] => Usage::new(what, "there is none at all; `waymark run` makes one", [""; 0]),
        runs => Usage::new(what, "runs", runs.to_vec()),
    }
}

fn place(run: &str, base: &Path) -> Option<PathBuf> {
    if let Some(back) = run.strip_prefix("latest~") {
        let back: usize = back.parse().ok()?;
        let runs = listed(base);
        let latest = fs::read_link(base.join("latest")).ok();
        let newest = latest.and_then(|latest| runs.iter().position(|run| *run == latest.to_string_lossy()));
        return runs.get(newest.unwrap_or(0) + back).map(|run| base.join(run));
    }
    let path = [base.join(run), PathBuf::from(run)].into_iter().find(|path| has_events(path))?;
    // Through the link, since a run that begins meanwhile moves it.
    Some(fs::canonicalize(&path).unwrap_or(path))
}

/// Ids of runs, the newest first.
fn listed(base: &Path) -> Vec<String> {
    let entries = fs::read_dir(base).into_iter().flatten().filter_map(Result::ok);
    let mut runs: Vec<(_, String)> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()) && has_events(&entry.path()))
        .filter_map(|entry| Some((made(&entry.path()), entry.file_name().into_string().ok()?)))
        .collect();
    runs.sort_unstable_by(|a, b| b.cmp(a));
    runs.into_iter().map(|(_, run)| run).collect()
}

pub(super) fn has_events(dir: &Path) -> bool {
    events(dir).next().is_some()
}

fn events(dir: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    entries.map(|entry| entry.path()).filter(|path| run_dir::holds_events(path))
}

/// When a run was made, by its id, which a merged run gets later than its first event; else, and within a second, by
/// its first event.
fn made(dir: &Path) -> (jiff::Timestamp, jiff::Timestamp) {
    let id = dir.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let stamp = id.get(..15).and_then(|stamp| DateTime::strptime("%Y%m%d-%H%M%S", stamp).ok());
    let stamp = stamp.and_then(|stamp| stamp.to_zoned(TimeZone::UTC).ok()).map(|made| made.timestamp());
    let began = began(dir);
    (stamp.unwrap_or(began), began)
}

/// When a run began, by its first event; when that cannot be read, by its file.
fn began(dir: &Path) -> jiff::Timestamp {
    #[derive(Deserialize)]
    struct Head {
        ts: String,
    }
    let first = |path: &Path| {
        let mut line = String::new();
        BufReader::new(File::open(path).ok()?).read_line(&mut line).ok()?;
        serde_json::from_str::<Head>(&line).ok()?.ts.parse().ok()
    };
    let written = |path: &Path| jiff::Timestamp::try_from(fs::metadata(path).ok()?.modified().ok()?).ok();
    let of = |path: PathBuf| first(&path).or_else(|| written(&path));
    events(dir).filter_map(of).min().unwrap_or(jiff::Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use rstest::rstest;

    use super::{find, newest};
    use crate::run_dir::RunDir;

    fn run(base: &Path, id: &str, hour: u32) {
        let line = format!(
            "{{\"v\":1,\"seq\":1,\"ts\":\"2026-11-25T{hour:02}:00:00Z\",\"run\":\"{id}\",\"type\":\"note\",\"text\":\"\"}}\n"
        );
        RunDir::create(base, id).unwrap();
        fs::write(base.join(id).join("events.ndjson"), line).unwrap();
    }

    fn runs() -> tempfile::TempDir {
        let base = tempfile::tempdir().unwrap();
        for (id, hour) in [("zulu", 1), ("alpha", 2), ("mike", 3)] {
            run(base.path(), id, hour);
        }
        base
    }

    #[rstest]
    #[case("latest", "mike")]
    #[case("latest~0", "mike")]
    #[case("latest~1", "alpha")]
    #[case("latest~2", "zulu")]
    #[case("zulu", "zulu")]
    fn a_run_is_found_by_what_users_call_it(#[case] name: &str, #[case] want: &str) {
        let base = runs();
        assert_eq!(find(name, base.path()).ok().unwrap().entries[0].run, want);
    }

    #[test]
    fn a_merged_run_is_as_new_as_its_id() {
        let base = runs();
        run(base.path(), "20261125-120000-aaaa", 1);
        assert_eq!(find("latest~1", base.path()).ok().unwrap().entries[0].run, "mike");
    }

    #[test]
    fn a_path_names_a_run_too() {
        let base = runs();
        let path = base.path().join("alpha");
        assert_eq!(find(path.to_str().unwrap(), Path::new("nowhere")).ok().unwrap().entries[0].run, "alpha");
    }

    #[rstest]
    #[case("latest~3")]
    #[case("latest~x")]
    #[case("november")]
    fn an_unknown_run_is_answered_with_those_that_exist(#[case] name: &str) {
        let base = runs();
        let error = find(name, base.path()).err().unwrap().to_string();
        let shown = base.path().display();
        assert_eq!(
            error,
            format!(
                "error: there is no run `{name}` in {shown}\n  runs:\n    latest\n    mike\n    alpha\n    zulu"
            )
        );
    }

    #[test]
    fn no_runs_at_all_are_said_so() {
        let base = tempfile::tempdir().unwrap();
        assert!(newest(base.path()).is_empty());
        let error = find("latest", base.path()).err().unwrap().to_string();
        assert!(error.ends_with("there is none at all; `waymark run` makes one"), "{error}");
    }

    #[rstest]
    #[case::torn("", "holds no event: the run was killed before it began")]
    #[case::corrupt(
        "{\"v\":1}\n{}\n",
        "/events.ndjson`: events line 1 is not an event: missing field `seq`\n  nothing was changed; "
    )]
    #[case::other("\u{7f}ELF\n", "/events.ndjson`: not a file of events: its first line is no JSON object\n")]
    #[case::newer(
        "{\"v\":2}\n",
        "/events.ndjson`: events line 1 has schema version 2, this waymark reads up to 1; use a newer waymark"
    )]
    fn bad_events_are_named_by_file_and_line(#[case] text: &str, #[case] want: &str) {
        let base = runs();
        fs::write(base.path().join("mike/events.ndjson"), text).unwrap();
        let error = find("latest", base.path()).err().unwrap().to_string();
        assert!(error.contains(want), "{error}");
    }
}
