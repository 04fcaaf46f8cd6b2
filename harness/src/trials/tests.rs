//! The test target from arguments to exit code, on operations without a cluster.

use std::process::ExitCode;

use rstest::rstest;
use tempfile::TempDir;
use waymark_reports::verdict::CaseVerdict;

use super::{Asked, Environment, judge};
use crate::cli::fake::{FakeOperations, suites};
use crate::cli::{RunOptions, Usage};
use crate::printer::{Colour, Console};

fn conformance(args: &[&str], operations: FakeOperations) -> Result<String, Usage> {
    let dir = TempDir::new().unwrap();
    conformance_in(&dir, args, None, operations)
}

fn conformance_in(
    dir: &TempDir,
    args: &[&str],
    part_of: Option<&str>,
    operations: FakeOperations,
) -> Result<String, Usage> {
    let flag = format!("--run-dir={}", dir.path().display());
    let Environment { options } = clap::Parser::try_parse_from(["conformance", &flag]).unwrap();
    let options = RunOptions { part_of: part_of.map(str::to_owned), ..options };
    let asked = Asked::parse(args.iter().chain(&["--logfile", "/dev/null"]).map(Into::into).collect());
    let code = judge(&asked, options, &suites(), operations, Console::new(Colour::Never))?;
    let ran = dir.path().join("latest/result.json").is_file();
    let code = [0, 13, 20, 101].into_iter().find(|number| ExitCode::from(*number) == code).unwrap();
    Ok(format!("{code} {}", if ran { "ran" } else { "idle" }))
}

#[rstest]
#[case::kept(&["kept"], "0 ran")]
#[case::broken(&["broken"], "101 ran")]
#[case::error(&["judge", "kept"], "101 ran")]
#[case::exact(&["--exact", "fake::kept"], "0 ran")]
#[case::skip(&["--skip", "broken", "--skip", "judge"], "0 ran")]
#[case::unsupported_is_ignored(&["old"], "0 idle")]
#[case::unsupported_on_demand(&["old", "--ignored"], "0 ran")]
#[case::list_needs_no_cluster(&["--list", "--format", "terse"], "0 idle")]
#[case::filter_of_another_binary(&["elsewhere"], "0 idle")]
fn trials_end_as_their_cases(#[case] args: &[&str], #[case] want: &str) {
    assert_eq!(conformance(args, FakeOperations::default()).unwrap(), want);
}

#[rstest]
#[case::kept(&["--exact", "fake::kept"], "0 ran")]
#[case::broken(&["--exact", "fake::broken_promise"], "101 ran")]
#[case::unsupported_does_not_pass(&["--exact", "fake::old", "--ignored"], "101 ran")]
#[case::unsupported_is_ignored(&["--exact", "fake::old"], "0 idle")]
fn a_part_of_a_run_passes_only_what_passed(#[case] args: &[&str], #[case] want: &str) {
    let dir = TempDir::new().unwrap();
    let got = conformance_in(&dir, args, Some("run-7"), FakeOperations::default()).unwrap();
    assert_eq!(got, want);
    assert!(!dir.path().join("run-7/events.ndjson").exists());
}

#[test]
fn parts_of_a_run_are_one_run_and_red_stays_red() {
    use waymark_reports::events::{CaseFinished, Entry, Event, VERSION};
    use waymark_reports::result::RunResult;
    let dir = TempDir::new().unwrap();
    let part = |case: &str| {
        conformance_in(&dir, &["--exact", case], Some("run-7"), FakeOperations::default()).unwrap()
    };
    assert_eq!(part("fake::kept"), "0 ran");
    // an earlier attempt, by another process
    let failed =
        CaseFinished { name: "fake::kept".into(), verdict: CaseVerdict::Fail, ..CaseFinished::default() };
    let ts = jiff::Timestamp::UNIX_EPOCH;
    let event = Event::CaseFinished(Box::new(failed));
    let line = waymark_reports::journal::line(&Entry { v: VERSION, seq: 1, ts, run: "run-7".into(), event });
    std::fs::write(dir.path().join("run-7/events.1.ndjson"), line.unwrap()).unwrap();
    assert_eq!(part("fake::kept"), "101 ran");
    let result = std::fs::read_to_string(dir.path().join("run-7/result.json")).unwrap();
    let result: RunResult = serde_json::from_str(&result).unwrap();
    assert_eq!((result.run.id.as_str(), result.totals.fail, result.totals.pass), ("run-7", 1, 0));
}

#[test]
fn an_unknown_exact_name_is_wrong_usage() {
    let usage = conformance(&["--exact", "fake::kep"], FakeOperations::default()).unwrap_err();
    assert!(usage.to_string().contains("there is no case `fake::kep`"), "{usage}");
}

#[test]
fn a_failed_set_up_fails_every_trial() {
    let operations = FakeOperations { broken_begin: true, ..FakeOperations::default() };
    assert_eq!(conformance(&["kept"], operations).unwrap(), "101 ran");
}

#[test]
fn what_is_left_behind_fails_the_target() {
    let operations = FakeOperations { broken_end: true, ..FakeOperations::default() };
    assert_eq!(conformance(&["kept"], operations).unwrap(), "13 ran");
}
