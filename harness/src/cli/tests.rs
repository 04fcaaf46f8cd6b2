//! The command line from arguments to exit code, on operations without a cluster.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use clap::{CommandFactory, Parser};
use rstest::rstest;
use tempfile::TempDir;
use waymark_reports::result::RunResult;
use waymark_reports::verdict::{CaseVerdict, RunVerdict};

use super::args::{Cli, Command};
use super::fake::{FakeOperations, suites};
use super::session::{Place, Session};
use super::{Exit, dispatch};
use crate::engine::{Stop, catalogue};

mod past;

pub(super) fn waymark(args: &[&str], operations: FakeOperations) -> Exit {
    let args = ["waymark"].iter().chain(args).map(Into::into).collect();
    let nowhere = TempDir::new().unwrap();
    dispatch(args, suites(), operations, nowhere.path())
}

pub(super) fn run_in(dir: &Path, args: &[&str], operations: FakeOperations) -> (Exit, RunResult) {
    let dir_flag = format!("--run-dir={}", dir.display());
    let args: Vec<&str> = ["run", dir_flag.as_str()].into_iter().chain(args.iter().copied()).collect();
    let exit = waymark(&args, operations);
    let text = fs::read_to_string(dir.join("latest/result.json")).unwrap();
    (exit, serde_json::from_str(&text).unwrap())
}

pub(super) fn run(args: &[&str], operations: FakeOperations) -> (Exit, RunResult) {
    let dir = TempDir::new().unwrap();
    run_in(dir.path(), args, operations)
}

#[test]
fn the_grammar_is_sound() {
    Cli::command().debug_assert();
}

#[rstest]
#[case::kept(&["kept"], Exit::Ok, RunVerdict::Conformant)]
#[case::broken_promise(&["kept", "broken_promise"], Exit::Failed, RunVerdict::Nonconformant)]
#[case::cannot_judge(&["kept", "cannot_judge"], Exit::Inconclusive, RunVerdict::Inconclusive)]
#[case::everything(&["--shuffle"], Exit::Failed, RunVerdict::Nonconformant)]
#[case::exact(&["--exact", "fake::kept"], Exit::Ok, RunVerdict::Conformant)]
#[case::only_unsupported(&["old"], Exit::Inconclusive, RunVerdict::Inconclusive)]
fn a_run_ends_by_its_verdict(#[case] args: &[&str], #[case] exit: Exit, #[case] verdict: RunVerdict) {
    let (got, result) = run(args, FakeOperations::default());
    assert_eq!((got, result.run.verdict), (exit, verdict));
    assert_eq!(result.run.stand_ins(), ["ztunnel"]);
}

#[test]
fn a_case_left_out_by_the_user_is_skipped() {
    let (exit, result) = run(&["!broken", "!judge"], FakeOperations::default());
    assert_eq!(exit, Exit::Ok);
    let verdicts: Vec<_> = result.cases.iter().map(|case| case.verdict).collect();
    use CaseVerdict::{Pass, Skip, Unsupported};
    assert_eq!(verdicts, [Pass, Skip, Skip, Unsupported]);
}

#[test]
fn a_failed_set_up_reports_every_case_as_not_run() {
    let (exit, result) = run(&[], FakeOperations { broken_begin: true, ..FakeOperations::default() });
    assert_eq!((exit, result.run.verdict), (Exit::SetUp, RunVerdict::Inconclusive));
    assert_eq!(result.run.reason.as_deref(), Some("set-up failed: etcd exited with 1"));
    assert_eq!(result.totals.not_run, 4);
    assert_eq!(super::unset(&result).as_deref(), Some("\nerror: set-up failed: etcd exited with 1"));
    let summary = waymark_reports::text::summary(&result, Default::default());
    assert_eq!(summary.matches("NOTRUN").count(), 1, "{summary}");
    let (_, result) = run(&["kept"], FakeOperations::default());
    assert_eq!(super::unset(&result), None);
}

#[test]
fn what_is_left_behind_spoils_a_green_run() {
    let (exit, _) = run(&["kept"], FakeOperations { broken_end: true, ..FakeOperations::default() });
    assert_eq!(exit, Exit::Leaked);
}

#[test]
fn a_seed_is_recorded() {
    let (_, result) = run(&["kept", "--seed", "7"], FakeOperations::default());
    assert_eq!(result.run.seed, Some(7));
}

#[tokio::test]
async fn an_unwritable_run_directory_is_a_failed_set_up_with_a_report_elsewhere() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let flag = format!("--run-dir={}", file.path().display());
    let Command::Run(args) = Cli::try_parse_from(["waymark", "run", &flag]).unwrap().command else {
        panic!("run")
    };
    let place = Place::make(&args.options);
    let session = Session {
        operations: Arc::new(FakeOperations::default()),
        options: args.options,
        trials: catalogue(&suites()),
        selection: Vec::new(),
        expected: crate::engine::fake::capabilities(),
        stop: Stop::default(),
        nested: false,
    };
    let conducted = session.conduct(place, Vec::new()).await;
    assert_eq!((conducted.exit, conducted.result.totals.not_run), (Exit::SetUp, 4));
    let report = conducted.report.unwrap();
    let result: RunResult = serde_json::from_str(&fs::read_to_string(&report).unwrap()).unwrap();
    let reason = result.run.reason.unwrap();
    assert!(reason.contains(&file.path().display().to_string()), "{reason}");
    fs::remove_dir_all(report.ancestors().nth(2).unwrap()).unwrap();
}

#[rstest]
#[case::flag(&["run", "--isto", "1.31"])]
#[case::command(&["rum"])]
#[case::release(&["run", "--istio", "1.99"])]
#[case::filter(&["run", "kepd"])]
#[case::exact(&["run", "--exact", "fake::kep"])]
#[case::list(&["list", "kepd"])]
#[case::explain(&["explain", "kepd"])]
#[case::part(&["components", "path", "istio"])]
#[case::jobs(&["run", "--jobs", "0"])]
#[case::nothing(&[])]
#[case::list_check(&["list", "--check", "--target", "foo"])]
#[case::down(&["down", "--istio", "9"])]
#[case::status(&["status", "--istio", "9"])]
#[case::sweep(&["sweep", "--istio", "9"])]
#[case::up(&["up", "--etcd", "/nonexistent"])]
fn wrong_usage_is_2(#[case] args: &[&str]) {
    assert_eq!(waymark(args, FakeOperations::default()), Exit::Usage);
}

#[rstest]
fn every_command_with_a_target_checks_it(
    #[values("run", "list", "sabotage", "up", "down", "status", "components", "doctor", "sweep")]
    command: &str,
    #[values("--target=foo", "--context=foo")] flag: &str,
) {
    let dir = TempDir::new().unwrap();
    let base = format!("--run-dir={}", dir.path().display());
    let mut args = vec![command, flag];
    if !matches!(command, "list" | "up" | "down" | "components") {
        args.push(&base);
    }
    if command == "components" {
        args.push("list");
    }
    assert_eq!(waymark(&args, FakeOperations::default()), Exit::Usage);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was made");
}

#[rstest]
#[case(&["list"], Exit::Ok)]
#[case(&["list", "--names", "kept"], Exit::Ok)]
#[case(&["explain", "exit"], Exit::Ok)]
#[case(&["explain", "fake::kept"], Exit::Ok)]
#[case(&["components", "list"], Exit::Ok)]
#[case(&["components", "path", "istiod"], Exit::SetUp)]
#[case(&["down"], Exit::Ok)]
#[case(&["status"], Exit::Ok)]
#[case(&["up"], Exit::SetUp)]
#[case(&["doctor"], Exit::SetUp)]
#[case(&["doctor", "-o", "json"], Exit::SetUp)]
#[case(&["list", "-o", "json"], Exit::Ok)]
#[case(&["list", "-o", "markdown"], Exit::Ok)]
#[case(&["list", "--check"], Exit::Failed)]
#[case(&["explain", "exit", "10"], Exit::Ok)]
#[case(&["sweep"], Exit::Ok)]
#[case(&["sweep", "--dry-run"], Exit::Ok)]
#[case(&["completions", "fish"], Exit::Ok)]
#[case(&["man"], Exit::Ok)]
#[case(&["--help"], Exit::Ok)]
#[case(&["run", "--help"], Exit::Ok)]
#[case(&["help"], Exit::Ok)]
#[case(&["help", "run"], Exit::Ok)]
#[case(&["help", "components", "fetch"], Exit::Ok)]
#[case(&["help", "rum"], Exit::Usage)]
#[case(&["--version"], Exit::Ok)]
fn other_commands_end_as_they_should(#[case] args: &[&str], #[case] want: Exit) {
    assert_eq!(waymark(args, FakeOperations::default()), want);
}

#[test]
fn help_is_complete() {
    let mut command = Cli::command().term_width(100);
    insta::assert_snapshot!("help", command.render_help());
    let run = command.find_subcommand_mut("run").unwrap();
    insta::assert_snapshot!("help_run", run.render_help());
}

#[rstest]
#[case::noticed(&["all-wrong"], Exit::Ok, "killed")]
#[case::survives(&["nothing-wrong"], Exit::Failed, "survived")]
fn a_defect_is_judged_by_the_cases_that_claim_it(
    #[case] defects: &[&str],
    #[case] want: Exit,
    #[case] fate: &str,
) {
    let dir = TempDir::new().unwrap();
    let flag = format!("--run-dir={}", dir.path().display());
    let args: Vec<&str> = ["sabotage", flag.as_str()].into_iter().chain(defects.iter().copied()).collect();
    assert_eq!(waymark(&args, FakeOperations::default()), want);
    let matrix = fs::read_to_string(dir.path().join("sabotage/latest/sabotage.json")).unwrap();
    assert!(matrix.contains(&format!("\"fate\": \"{fate}\"")), "{matrix}");
    assert!(dir.path().join("sabotage/latest/sabotage.md").is_file());
}

#[test]
fn a_defect_that_no_case_claims_survives() {
    let dir = TempDir::new().unwrap();
    let flag = format!("--run-dir={}", dir.path().display());
    assert_eq!(waymark(&["sabotage", &flag, "unclaimed"], FakeOperations::default()), Exit::Failed);
    let matrix = fs::read_to_string(dir.path().join("sabotage/latest/sabotage.json")).unwrap();
    assert!(matrix.contains("\"cells\": []") && matrix.contains("unclaimed"), "{matrix}");
}

#[rstest]
#[case::unknown_defect(&["sabotage", "all-wong"], Exit::Usage)]
#[case::flag_of_run(&["sabotage", "--sabotage", "all-wrong"], Exit::Usage)]
fn sabotage_is_used_wrongly(#[case] args: &[&str], #[case] want: Exit) {
    assert_eq!(waymark(args, FakeOperations::default()), want);
}

#[test]
fn a_case_that_names_no_defect_fails_the_whole() {
    let dir = TempDir::new().unwrap();
    let flag = format!("--run-dir={}", dir.path().display());
    assert_eq!(waymark(&["sabotage", &flag], FakeOperations::default()), Exit::Failed);
    let matrix = fs::read_to_string(dir.path().join("sabotage/latest/sabotage.json")).unwrap();
    assert!(matrix.contains("fake::cannot_judge"), "unkillable and red in the control: {matrix}");
}
