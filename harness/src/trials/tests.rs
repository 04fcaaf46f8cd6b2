//! The test target from arguments to exit code, on operations without a cluster.

use std::process::ExitCode;

use rstest::rstest;
use tempfile::TempDir;

use super::{Asked, Environment, judge};
use crate::cli::Usage;
use crate::cli::fake::{FakeOperations, suites};
use crate::printer::{Colour, Console};

fn conformance(args: &[&str], operations: FakeOperations) -> Result<String, Usage> {
    let dir = TempDir::new().unwrap();
    let flag = format!("--run-dir={}", dir.path().display());
    let Environment { options } = clap::Parser::try_parse_from(["conformance", &flag]).unwrap();
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
