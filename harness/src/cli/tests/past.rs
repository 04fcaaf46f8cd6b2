//! Commands about earlier runs: report, diff, merge, history.

use std::fs;
use std::path::{Path, PathBuf};

use rstest::rstest;
use tempfile::TempDir;
use waymark_reports::events::{Cause, Confidence};

use super::{FakeOperations, run, run_in, waymark};
use crate::cli::Exit;
use crate::cli::formats::{Dressing, Format};

const FILES: [&str; 5] = ["result.json", "junit.xml", "report.html", "summary.md", "conformance.yaml"];

/// A directory with a conformant run, and then one that could not be set up.
fn two_runs() -> TempDir {
    let base = TempDir::new().unwrap();
    run_in(base.path(), &["kept"], FakeOperations::default());
    run_in(base.path(), &["kept"], FakeOperations { broken_begin: true, ..FakeOperations::default() });
    base
}

fn with_dir(base: &Path, args: &[&str]) -> Exit {
    let flag = format!("--run-dir={}", base.display());
    let args: Vec<&str> = args.iter().copied().chain([flag.as_str()]).collect();
    waymark(&args, FakeOperations::default())
}

fn dirs(base: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(base).unwrap().map(|entry| entry.unwrap());
    entries.filter(|entry| entry.file_type().unwrap().is_dir()).map(|entry| entry.path()).collect()
}

#[test]
fn a_run_leaves_all_its_reports_whatever_became_of_it() {
    let base = two_runs();
    for dir in dirs(base.path()) {
        for file in FILES {
            assert!(dir.join(file).is_file(), "{file}");
        }
    }
}

#[rstest]
#[case(&["report", "junit,html", "latest~1"], Exit::Ok)]
#[case(&["report", "all"], Exit::Ok)]
#[case(&["report", "text"], Exit::Ok)]
#[case(&["report", "openmetrics", "latest"], Exit::Ok)]
#[case(&["report", "json", "-o", "-"], Exit::Ok)]
#[case(&["report", "schema", "no-such-run"], Exit::Ok)]
#[case(&["report"], Exit::Usage)]
#[case(&["report", "latest"], Exit::Usage)]
#[case(&["report", "htm"], Exit::Usage)]
#[case(&["report", "html", "latest~2"], Exit::Usage)]
#[case(&["report", "html,junit", "-o", "both"], Exit::Usage)]
#[case(&["diff", "latest~1"], Exit::Ok)]
#[case(&["diff", "latest", "latest", "--gate", "default"], Exit::Ok)]
#[case(&["diff", "latest~1", "latest", "--gate", "default"], Exit::Gate)]
#[case(&["diff", "latest~1", "latest", "--gate", "new_failures==0", "-o", "json"], Exit::Ok)]
#[case(&["diff", "latest~1", "latest", "--gate", "failures==0"], Exit::Usage)]
#[case(&["diff", "latest~1", "no-such-run"], Exit::Usage)]
#[case(&["merge", "latest", "latest~1"], Exit::Ok)]
#[case(&["merge", "latest"], Exit::Usage)]
#[case(&["merge", "latest", "latest"], Exit::Usage)]
fn commands_about_earlier_runs_end_as_they_should(#[case] args: &[&str], #[case] want: Exit) {
    assert_eq!(with_dir(two_runs().path(), args), want);
}

#[rstest]
fn a_document_steers_neither_the_terminal_nor_the_ci(
    #[values("text", "html", "junit", "json", "markdown", "github", "conformance", "openmetrics")] name: &str,
) {
    const HOSTILE: &str = "x\u{1b}[2J\u{7f}\u{9b}2J\n::error::x ##[group]y";
    let (_, mut result) = run(&["broken_promise"], FakeOperations::default());
    result.run.reason = Some(HOSTILE.into());
    let case = result.cases.iter_mut().find(|case| case.failure.is_some()).unwrap();
    let failure = case.failure.as_mut().unwrap();
    (failure.want, failure.got) = (HOSTILE.into(), HOSTILE.into());
    let [id, title] = ["WMC-001", HOSTILE].map(str::to_owned);
    let (signs, next) = (vec![HOSTILE.to_owned()], vec![HOSTILE.to_owned()]);
    case.causes = vec![Cause { id, title, confidence: Confidence::Low, signs, next }];
    let text = Format::parse(name).unwrap()[0].render(&result, Dressing::default());
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    assert!(text.ends_with('\n'));
    if let "text" | "markdown" | "github" = name {
        assert!(!text.contains("\n::error::x") && !text.contains("##["), "{text}");
    }
}

#[test]
fn a_report_never_replaces_the_events_of_a_run() {
    let base = two_runs();
    let events = base.path().join("latest/events.ndjson");
    let before = fs::read_to_string(&events).unwrap();
    let link = base.path().join("out.json");
    std::os::unix::fs::symlink("latest/events.ndjson", &link).unwrap();
    for path in [&events, &link] {
        let args = ["report", "json", "latest", "-o", path.to_str().unwrap()];
        assert_eq!(with_dir(base.path(), &args), Exit::Usage, "{}", path.display());
    }
    assert_eq!(fs::read_to_string(&events).unwrap(), before);
}

#[test]
fn a_merged_run_has_reports_of_its_own_and_the_evidence_of_both() {
    let base = two_runs();
    let id = fs::read_link(base.path().join("latest")).unwrap();
    let evidence = base.path().join("latest/evidence/fake--kept");
    fs::create_dir_all(&evidence).unwrap();
    fs::write(evidence.join("events.txt"), "x").unwrap();
    assert_eq!(with_dir(base.path(), &["merge", "latest~1", "latest"]), Exit::Ok);
    let latest = base.path().join("latest");
    for file in FILES {
        assert!(latest.join(file).is_file(), "{file}");
    }
    assert!(latest.join("evidence").join(id).join("fake--kept/events.txt").is_file());
    assert_eq!(with_dir(base.path(), &["report", "html"]), Exit::Ok);
}

#[test]
fn runs_that_do_not_belong_together_leave_nothing_behind() {
    let base = two_runs();
    let events = dirs(base.path())[0].join("events.ndjson");
    let text = fs::read_to_string(&events).unwrap().replace("\"istio\":\"1.31\"", "\"istio\":\"1.24\"");
    fs::write(&events, text).unwrap();
    assert_eq!(with_dir(base.path(), &["merge", "latest", "latest~1"]), Exit::Usage);
    assert_eq!(dirs(base.path()).len(), 2);
}

#[rstest]
#[case::corrupt("{\"v\":1,\n")]
#[case::newer("{\"v\":2,\"seq\":1}\n")]
#[case::empty("")]
#[case::no_events("\u{7f}ELF\n")]
fn bad_events_overwrite_nothing(#[case] text: &str) {
    let base = two_runs();
    let latest = base.path().join("latest");
    fs::write(latest.join("events.ndjson"), text).unwrap();
    let before = fs::read_to_string(latest.join("report.html")).unwrap();
    for args in [["report", "all", "latest"], ["diff", "latest~1", "latest"], ["merge", "latest~1", "latest"]]
    {
        assert_eq!(with_dir(base.path(), &args), Exit::Usage);
    }
    assert_eq!(with_dir(base.path(), &["run", "--rerun=latest"]), Exit::Usage);
    assert_eq!(fs::read_to_string(latest.join("report.html")).unwrap(), before);
    assert_eq!(dirs(base.path()).len(), 2);
}

#[test]
fn a_history_grows_with_runs_and_is_never_overwritten_when_damaged() {
    let (base, history) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let flag = format!("--history={}", history.path().display());
    for _ in 0..2 {
        run_in(base.path(), &["kept", &flag], FakeOperations::default());
    }
    let file = history.path().join("embedded-1.31.json");
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text.matches("\"verdict\":\"pass\"").count(), 2);
    let summary = fs::read_to_string(base.path().join("latest/summary.md")).unwrap();
    assert!(summary.contains("no new failure"), "{summary}");
    let damaged = text.replace("\"pass\"", "\"fine\"");
    fs::write(&file, &damaged).unwrap();
    assert_eq!(with_dir(base.path(), &["run", "kept", &flag]), Exit::Usage);
    assert_eq!(with_dir(base.path(), &["report", "markdown", "latest", &flag]), Exit::Usage);
    assert_eq!(with_dir(base.path(), &["merge", "latest", "latest~1", &flag]), Exit::Usage);
    assert_eq!(fs::read_to_string(&file).unwrap(), damaged);
    assert_eq!(dirs(base.path()).len(), 2);
}
