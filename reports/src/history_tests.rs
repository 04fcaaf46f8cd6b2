use super::{History, KEPT, file_name};
use crate::result::RunResult;
use crate::result::draft::Draft;
use crate::verdict::CaseVerdict::{self, Error, Fail, NotRun, Pass, Skip, Unsupported};

const DAY: i64 = 24 * 60;

fn run(day: i64, verdicts: &[CaseVerdict]) -> RunResult {
    let draft = Draft::new(&format!("night-{day:02}"), day * DAY);
    let cases = verdicts.iter().zip(1..);
    cases.fold(draft, |draft, (&verdict, line)| draft.case(line * 10, verdict)).result()
}

fn history(runs: &[RunResult]) -> History {
    let mut history = History::new(&runs[0]);
    for run in runs {
        history.add(run).unwrap();
    }
    history
}

#[test]
fn the_file_has_one_line_a_record_and_comes_back() {
    let history = history(&[run(1, &[Pass, Fail]), run(2, &[Pass, Skip])]);
    let file = history.file().unwrap();
    insta::assert_snapshot!(file);
    assert_eq!(History::parse(&file).unwrap(), history);
    assert_eq!(file_name(&run(1, &[Pass])), "embedded-1.31.json");
}

#[test]
fn only_the_last_verdicts_are_kept_in_the_order_of_time() {
    let mut runs: Vec<RunResult> = (0..40).map(|day| run(day, &[Pass])).collect();
    runs.reverse();
    let history = history(&runs);
    let records = history.of("routing::c10");
    assert_eq!(records.len(), KEPT);
    assert_eq!((records[0].run.as_str(), records[KEPT - 1].run.as_str()), ("night-10", "night-39"));
}

#[test]
fn a_run_counts_once_and_a_merged_run_instead_of_its_parts() {
    let mut history = history(&[run(1, &[Fail]), run(1, &[Fail]), run(2, &[Pass])]);
    assert_eq!(history.of("routing::c10").len(), 2);
    let merged =
        Draft::new("m", DAY).with(|started| started.merged = vec!["night-01".into(), "night-02".into()]);
    assert!(history.add(&merged.case(10, Fail).result()).unwrap());
    let runs: Vec<_> = history.of("routing::c10").iter().map(|record| record.run.as_str()).collect();
    assert_eq!(runs, ["m"]);
}

#[test]
fn what_says_nothing_about_the_mesh_is_not_added() {
    let mut history = history(&[run(1, &[Pass])]);
    let sabotaged =
        Draft::new("s", DAY).with(|started| started.sabotage = vec!["retries-off".into()]).case(10, Fail);
    assert!(!history.add(&sabotaged.result()).unwrap());
    assert!(!history.add(&run(2, &[NotRun, Skip])).unwrap());
    assert_eq!(history.of("routing::c10").len(), 1);
}

#[test]
fn a_run_of_another_release_is_refused() {
    let mut history = history(&[run(1, &[Pass])]);
    let other = Draft::new("o", DAY).with(|started| started.istio = "1.24".into()).case(10, Pass);
    assert_eq!(
        history.add(&other.result()).unwrap_err().to_string(),
        "the history is about embedded with Istio 1.31, the run about embedded with Istio 1.24"
    );
}

#[test]
fn the_section_names_new_failures_flaky_cases_and_slow_ones() {
    let nights = [
        [Pass, Pass, Fail, Unsupported],
        [Pass, Fail, Fail, Unsupported],
        [Pass, Pass, Fail, Unsupported],
        [Pass, Pass, Fail, Unsupported],
        [Pass, Pass, Fail, Unsupported],
    ];
    let runs: Vec<_> = nights.iter().zip(1..).map(|(night, day)| run(day, night)).collect();
    let history = history(&runs);
    let today = Draft::new("night-06", 6 * DAY)
        .case(10, Fail)
        .judged(20, Pass, |end| end.convergence_ms = Some(900))
        .case(30, Fail)
        .case(40, Error)
        .result();
    insta::assert_snapshot!(history.markdown(&today));
    let green = run(6, &[Pass, Pass, Fail]);
    assert!(history.markdown(&green).contains("- no new failure\n"));
    let first = history.markdown(&runs[0]);
    assert!(first.contains("no earlier run"), "{first}");
}

#[test]
fn a_case_that_broke_once_or_was_mended_once_is_not_flaky() {
    let broke = history(&[run(1, &[Pass, Fail]), run(2, &[Pass, Fail])]);
    assert!(broke.news(&run(3, &[Fail, Pass])).flaky.is_empty());
    let flaky = broke.news(&run(3, &[Fail, Pass]));
    assert_eq!(flaky.new_failures.len(), 1);
}

#[test]
fn bad_files_are_named_by_line() {
    let file = history(&[run(1, &[Pass])]).file().unwrap();
    let broken = file.replace("\"verdict\":\"pass\"", "\"verdict\":\"fine\"");
    assert_eq!(History::parse(&broken).unwrap_err().to_string(), "history line 7 is malformed");
    let newer = file.replace("\"schemaVersion\": 1", "\"schemaVersion\": 2");
    assert_eq!(
        History::parse(&newer).unwrap_err().to_string(),
        "history line 2 has schema version 2, this waymark reads up to 1; use a newer waymark"
    );
    assert_eq!(History::parse("").unwrap_err().to_string(), "history line 1 is malformed");
}
