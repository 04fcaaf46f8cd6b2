use rstest::rstest;

use super::{MergeError, merge};
use crate::events::{Entry, Event};
use crate::result::draft::Draft;
use crate::result::{RunResult, fold};
use crate::verdict::CaseVerdict::{Error, Fail, NotRun, Pass, Skip};
use crate::verdict::{CaseVerdict, RunVerdict};

fn merged(runs: &[&Draft]) -> Result<RunResult, MergeError> {
    let runs: Vec<Vec<Entry>> = runs.iter().map(|run| run.entries()).collect();
    merge("m", &runs).map(|entries| fold(&entries))
}

fn verdicts(result: &RunResult) -> Vec<(&str, CaseVerdict)> {
    result.cases.iter().map(|case| (case.name.as_str(), case.verdict)).collect()
}

#[test]
fn shards_become_the_whole() {
    let one = Draft::new("one", 3).shard(1, 3).case(10, Pass).case(40, Fail);
    let two = Draft::new("two", 0).shard(2, 3).case(20, Pass).case(50, Skip);
    let three = Draft::new("three", 1).shard(3, 3).case(30, Pass);
    let result = merged(&[&one, &two, &three]).unwrap();
    let want = [("c10", Pass), ("c20", Pass), ("c30", Pass), ("c40", Fail), ("c50", Skip)];
    let got: Vec<_> = verdicts(&result).into_iter().map(|(name, verdict)| (&name[9..], verdict)).collect();
    assert_eq!(got, want);
    assert_eq!((result.run.id.as_str(), result.run.shard), ("m", None));
    assert_eq!(result.run.merged, ["two", "three", "one"]);
    assert_eq!(result.run.verdict, RunVerdict::Nonconformant);
    assert_eq!(result.run.reason, None);
    assert_eq!(result.cases[3].evidence.as_deref(), Some("evidence/one/routing--c40"));
    assert_eq!(result.run.phases.up, Some(600));
    let starts: Vec<_> = result.run.timeline.iter().map(|span| span.started_ms).collect();
    assert_eq!(starts, [200, 60_200, 180_200]);
}

#[test]
fn a_rerun_adds_its_verdict_and_turns_no_red_green() {
    let base = Draft::new("base", 0).case(10, Fail).case(20, Error).case(30, Pass);
    let rerun = Draft::new("rerun", 5).case(10, Pass).case(20, Pass);
    let result = merged(&[&rerun, &base]).unwrap();
    assert_eq!(
        verdicts(&result).into_iter().map(|(_, verdict)| verdict).collect::<Vec<_>>(),
        [Fail, Error, Pass]
    );
    let again: Vec<_> = result
        .cases
        .iter()
        .flat_map(|case| &case.again)
        .map(|again| (again.run.as_str(), again.verdict))
        .collect();
    assert_eq!(again, [("rerun", Pass), ("rerun", Pass)]);
}

#[test]
fn a_rerun_completes_a_run_that_was_killed() {
    let base = Draft::new("base", 0).case(10, Pass).unreached(20).killed();
    let alone = base.result();
    assert_eq!(alone.run.verdict, RunVerdict::Inconclusive);
    let result = merged(&[&base, &Draft::new("rerun", 5).case(20, Pass)]).unwrap();
    assert_eq!((result.run.verdict, result.run.reason.as_deref()), (RunVerdict::Conformant, None));
    assert_eq!(result.cases[1].started_ms, Some(300_500));
}

#[test]
fn what_no_run_reached_leaves_the_new_run_open_and_says_why() {
    let base = Draft::new("base", 0).case(10, Pass).unreached(20).unreached(30).killed();
    let result = merged(&[&base, &Draft::new("rerun", 5).case(20, Pass).case(30, NotRun)]).unwrap();
    assert_eq!(result.run.verdict, RunVerdict::Inconclusive);
    assert_eq!(
        result.run.reason.as_deref(),
        Some("1 of 3 cases ran in none of the merged runs; run base: the run was aborted")
    );
}

#[test]
fn a_case_that_one_run_left_out_has_the_verdict_of_the_other() {
    let result = merged(&[&Draft::new("a", 0).case(10, Skip), &Draft::new("b", 1).case(10, Pass)]).unwrap();
    assert_eq!(verdicts(&result), [("routing::c10", Pass)]);
    assert!(result.cases[0].again.is_empty());
}

#[test]
fn a_merged_run_can_be_merged_again() {
    let (a, b) = (Draft::new("a", 0).case(10, Fail), Draft::new("b", 1).case(10, Pass));
    let first = merge("m", &[a.entries(), b.entries()]).unwrap();
    let again = merge("n", &[first, Draft::new("c", 2).case(10, Pass).entries()]).unwrap();
    let case = &fold(&again).cases[0];
    assert_eq!(case.evidence.as_deref(), Some("evidence/m/a/routing--c10"));
    assert_eq!(case.again.iter().map(|again| again.run.as_str()).collect::<Vec<_>>(), ["b", "c"]);
    assert!(again.iter().enumerate().all(|(index, entry)| entry.seq == index as u64 + 1));
    assert!(matches!(again.last().unwrap().event, Event::RunFinished(_)));
}

fn shard(id: &str, index: u32) -> Draft {
    Draft::new(id, 0).shard(index, 2).case(10 * index, Pass).with(|started| started.seed = Some(7))
}

#[rstest]
#[case::one(&[&Draft::new("a", 0)], "merging takes at least two runs")]
#[case::itself(&[&Draft::new("a", 0), &Draft::new("a", 0)], "run `a` is given twice")]
#[case::istio(
    &[&Draft::new("a", 0), &Draft::new("b", 0).with(|started| started.istio = "1.24".into())],
    "runs differ in istio: `a` has 1.31, `b` has 1.24"
)]
#[case::waymark(
    &[&Draft::new("a", 0), &Draft::new("b", 0).with(|started| started.waymark = "0.2.0".into())],
    "runs differ in waymark: `a` has 0.1.0, `b` has 0.2.0"
)]
#[case::sabotage(
    &[&Draft::new("a", 0), &Draft::new("b", 0).with(|started| started.sabotage = vec!["retries-off".into()])],
    "runs differ in sabotage: `a` has none, `b` has `retries-off`"
)]
#[case::part(
    &[&Draft::new("a", 0), &Draft::new("b", 0).part(|part| part.stand_in = true)],
    "runs differ in istiod: `a` has 1.31.0, `b` has 1.31.0 (stand-in)"
)]
#[case::own_part(
    &[
        &Draft::new("a", 0),
        &Draft::new("b", 0).part(|part| (part.origin, part.digest) = ("path".into(), Some("sha256:3b".into())))
    ],
    "runs differ in istiod: `a` has 1.31.0, `b` has 1.31.0 sha256:3b"
)]
#[case::seed(
    &[&shard("a", 1), &shard("b", 2).with(|started| started.seed = Some(8))],
    "runs differ in seed: `a` has 7, `b` has 8"
)]
#[case::selection(
    &[&shard("a", 1), &shard("b", 2).with(|started| started.selection = vec!["routing".into()])],
    "runs differ in selection: `a` has none, `b` has `routing`"
)]
#[case::other_count(
    &[&shard("a", 1), &Draft::new("b", 0).shard(2, 3)],
    "runs differ in number of shards: `a` has 2, `b` has 3"
)]
#[case::shard_twice(
    &[&shard("a", 1), &shard("b", 1)],
    "shard 1/2 is there twice: `a` and `b`"
)]
#[case::shard_missing(
    &[&Draft::new("a", 0).shard(1, 3), &Draft::new("b", 0).shard(3, 3)],
    "shard 2/3 is missing; there is 1/3 (run `a`), 3/3 (run `b`)"
)]
fn what_does_not_belong_together_is_named(#[case] runs: &[&Draft], #[case] want: &str) {
    assert_eq!(merged(runs).unwrap_err().to_string(), want);
}

#[test]
fn events_that_are_no_run_are_named_by_position() {
    let error = merge("m", &[Draft::new("a", 0).entries(), Vec::new()]).unwrap_err();
    assert_eq!(error.to_string(), "the 2. run has no event `run.started`");
}
