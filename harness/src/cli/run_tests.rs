//! What `run` makes of its flags, on operations without a cluster.

use std::fs;
use std::path::Path;

use clap::Parser;
use rstest::rstest;
use tempfile::TempDir;
use waymark_reports::events::Shard;
use waymark_reports::result::RunResult;
use waymark_reports::verdict::{CaseVerdict, RunVerdict};

use super::args::{Cli, Command};
use super::fake::FakeOperations;
use super::options::Keep;
use super::tests::{run, run_in, waymark};
use super::{Exit, RunOptions};

fn names(result: &RunResult) -> Vec<&str> {
    result.cases.iter().map(|case| case.name.as_str()).collect()
}

fn options(args: &[&str]) -> Result<RunOptions, clap::Error> {
    let args = ["waymark", "run"].iter().chain(args);
    match Cli::try_parse_from(args)?.command {
        Command::Run(args) => Ok(args.options),
        _ => unreachable!("run"),
    }
}

fn entry(pattern: &str) -> String {
    format!(
        "[[deviation]]\npattern = \"{pattern}\"\nreason = \"r\"\nlink = \"https://example.org/1\"\nowner = \"o\"\n\
         expires = \"9999-01-01\"\noutcome = \"fails\"\n"
    )
}

fn known(dir: &Path, text: &str) -> String {
    let file = dir.join("known.toml");
    fs::write(&file, text).unwrap();
    format!("--known={}", file.display())
}

#[test]
fn a_known_deviation_does_not_fail_the_run() {
    let dir = TempDir::new().unwrap();
    let flag = known(dir.path(), &entry("broken_promise"));
    let (exit, result) = run(&["kept", "broken", &flag], FakeOperations::default());
    assert_eq!((exit, result.totals.known, result.totals.pass), (Exit::Ok, 1, 1));
    let (exit, result) = run(&["broken", &known(dir.path(), "# none")], FakeOperations::default());
    assert_eq!((exit, result.totals.fail), (Exit::Failed, 1));
}

#[test]
fn a_mistake_in_the_list_is_wrong_usage() {
    let dir = TempDir::new().unwrap();
    let flag = known(dir.path(), &entry("brocken_promise"));
    assert_eq!(waymark(&["run", &flag], FakeOperations::default()), Exit::Usage);
    assert_eq!(waymark(&["run", "--known=/nowhere.toml"], FakeOperations::default()), Exit::Usage);
}

#[test]
fn a_rerun_tries_what_was_left_open() {
    let dir = TempDir::new().unwrap();
    let (_, first) = run_in(dir.path(), &[], FakeOperations::default());
    let (exit, again) = run_in(dir.path(), &["--rerun"], FakeOperations::default());
    assert_eq!(exit, Exit::Failed);
    assert_eq!(names(&again), ["fake::broken_promise", "fake::cannot_judge"]);
    assert_eq!(again.run.selection, [format!("--rerun {}", first.run.id)]);
    let (_, one) = run_in(dir.path(), &["--rerun", &first.run.id, "judge"], FakeOperations::default());
    assert_eq!(names(&one), ["fake::cannot_judge"]);
    let (_, green) = run_in(dir.path(), &["kept"], FakeOperations::default());
    let (exit, latest) = run_in(dir.path(), &["--rerun", "latest"], FakeOperations::default());
    assert_eq!((exit, latest.run.id), (Exit::Ok, green.run.id), "nothing to rerun makes no run");
}

#[rstest]
#[case::before_its_first_event(0)]
#[case::before_its_plan(1)]
fn a_run_that_was_killed_before_its_plan_cannot_be_rerun(#[case] lines: usize) {
    let dir = TempDir::new().unwrap();
    let (_, first) = run_in(dir.path(), &[], FakeOperations::default());
    let events = dir.path().join(&first.run.id).join("events.ndjson");
    let text: String = fs::read_to_string(&events).unwrap().split_inclusive('\n').take(lines).collect();
    fs::write(&events, text).unwrap();
    let usage = super::rerun::open("latest", dir.path()).unwrap_err();
    assert_eq!(usage.what, format!("run {} was killed before its plan was made", first.run.id));
    assert_eq!(usage.hint, "run again without --rerun");
}

#[test]
fn a_rerun_is_on_the_release_of_its_run_and_on_no_other() {
    let dir = TempDir::new().unwrap();
    let (_, first) = run_in(dir.path(), &["broken"], FakeOperations::default());
    let events = dir.path().join(&first.run.id).join("events.ndjson");
    let text = fs::read_to_string(&events).unwrap().replace(r#""istio":"1.31""#, r#""istio":"1.99""#);
    fs::write(&events, text).unwrap();
    let base = format!("--run-dir={}", dir.path().display());
    let rerun = |more: &[&str]| {
        let args: Vec<&str> = ["run", &base, "--rerun"].into_iter().chain(more.iter().copied()).collect();
        waymark(&args, FakeOperations::default())
    };
    assert_eq!(rerun(&[]), Exit::Usage, "the earlier run's release does not exist here");
    assert_eq!(rerun(&["--istio", "1.31"]), Exit::Usage, "it is not that of the earlier run");
    fs::write(&events, fs::read_to_string(&events).unwrap().replace("1.99", "1.31")).unwrap();
    assert_eq!(rerun(&["--istio", "1.31"]), Exit::Failed);
}

#[test]
fn shards_try_each_case_once() {
    let shard = |flag: &str| run(&["--shard", flag], FakeOperations::default()).1;
    let (first, second) = (shard("1/2"), shard("2/2"));
    assert_eq!(first.run.shard, Some(Shard { index: 1, of: 2 }));
    let mut all = [names(&first), names(&second)].concat();
    all.sort_unstable();
    assert_eq!(all, ["fake::broken_promise", "fake::cannot_judge", "fake::kept", "fake::old"]);
}

#[test]
fn rounds_and_selection_are_recorded() {
    let (exit, result) = run(&["kept", "--repeat", "3", "--level", "core"], FakeOperations::default());
    assert_eq!((exit, result.cases[0].again.len()), (Exit::Ok, 2));
    assert_eq!(result.run.selection, ["kept", "--level core"]);
}

#[test]
fn fail_fast_says_which_case_ended_the_run() {
    let (exit, result) =
        run(&["--fail-fast", "--jobs=1", "kept", "broken", "judge"], FakeOperations::default());
    assert_eq!((exit, result.totals.not_run), (Exit::Failed, 1));
    let reason = "ended at the first red case, fake::broken_promise (--fail-fast)";
    assert_eq!(result.run.reason.as_deref(), Some(reason));
}

#[test]
fn a_run_that_has_no_time_left_is_inconclusive_and_says_so() {
    let operations = FakeOperations { hanging_begin: true, ..FakeOperations::default() };
    let (exit, result) = run(&["kept", "--timeout", "20ms"], operations);
    assert_eq!((exit, result.run.verdict), (Exit::Inconclusive, RunVerdict::Inconclusive));
    assert_eq!(result.run.reason.as_deref(), Some("out of time: the run had 20ms (--timeout)"));
    assert_eq!(result.cases[0].verdict, CaseVerdict::NotRun);
}

#[rstest]
#[case::rerun_and_exact(&["--rerun", "--exact", "fake::kept"])]
#[case::rerun_of_nothing(&["--rerun", "never"])]
#[case::shards_without_a_seed(&["--shard", "1/2", "--shuffle"])]
#[case::case_longer_than_run(&["--case-timeout", "2m", "--timeout", "1m"])]
#[case::empty_shard(&["kept", "--shard", "2/2"])]
#[case::no_shard(&["--shard", "3/2"])]
#[case::no_time(&["--timeout", "soon"])]
#[case::no_round(&["--repeat", "0"])]
#[case::no_level(&["--level", "gold"])]
#[case::empty_level(&["--level", "observed"])]
#[case::skip_of_nothing(&["--skip", "nothing"])]
#[case::expression(&["/(/"])]
#[case::missing_part(&["--ztunnel", "/nonexistent"])]
#[case::folder_as_part(&["--istiod", "/"])]
#[case::part_that_cannot_run(&["--envoy", "/proc/self/status"])]
#[case::context(&["--context", "foo"])]
fn flags_that_make_no_sense_are_wrong_usage(#[case] flags: &[&str]) {
    let dir = TempDir::new().unwrap();
    let base = format!("--run-dir={}", dir.path().display());
    let args: Vec<&str> = ["run", &base].into_iter().chain(flags.iter().copied()).collect();
    assert_eq!(waymark(&args, FakeOperations::default()), Exit::Usage);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "no run was made");
}

#[rstest]
#[case(&[], Keep::None)]
#[case(&["--keep"], Keep::All)]
#[case(&["--keep", "failed"], Keep::Failed)]
#[case(&["--keep=none"], Keep::None)]
#[case(&["--keep", "--shuffle"], Keep::All)]
fn keep_says_what_stays(#[case] flags: &[&str], #[case] want: Keep) {
    assert_eq!(options(flags).unwrap().keep, want);
}
