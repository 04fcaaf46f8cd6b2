//! What runs, how often, how long, and what listed deviations make of it; in paused time.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use waymark_reports::result::RunResult;
use waymark_reports::verdict::{CaseVerdict, RunVerdict};

use super::fake::{Body, Shared, capabilities, case, many, needing, run, run_on};
use super::tests::{BREAKS, HANGS, KEEPS, MEETS, named};
use super::{Budgets, Listed, Options};
use crate::case::{Case, Isolation, Level, Need, Unmet};

/// Runs `breaks` and `keeps`, both under one entry with these lines.
async fn under(entry: &str) -> RunResult {
    let shared = Arc::new(Shared::new(1));
    let listed = Listed {
        file: "known.toml".into(),
        text: format!(
            "[[deviation]]\npattern = \"fake::\"\nreason = \"r\"\nlink = \"https://x\"\nowner = \"o\"\n{entry}"
        ),
    };
    let cases = vec![case("breaks", Isolation::Host, BREAKS), case("keeps", Isolation::Host, KEEPS)];
    let mark = |trials: &mut Vec<_>| {
        let known = listed.read(trials, jiff::civil::date(2026, 11, 25)).unwrap();
        known.mark(trials, "embedded", (1, 31));
    };
    run_on(&shared, cases, Options::default(), capabilities(), mark).await
}

#[tokio::test(start_paused = true)]
async fn listed_deviations_are_known_until_they_pass() {
    let result = under("expires = \"2027-01-01\"\noutcome = \"fails\"").await;
    assert_eq!(named(&result, "fake::breaks").verdict, CaseVerdict::Known);
    assert_eq!(named(&result, "fake::keeps").verdict, CaseVerdict::Fail);
    assert_eq!(result.run.verdict, RunVerdict::Nonconformant);
    let breaks = named(&result, "fake::breaks");
    assert_eq!(breaks.failure.as_ref().unwrap().got, "status: 200", "its own record stays");
}

#[tokio::test(start_paused = true)]
async fn what_may_fail_may_pass() {
    let result = under("expires = \"2027-01-01\"\noutcome = \"may-fail\"").await;
    assert_eq!((result.totals.known, result.totals.pass), (1, 1));
    assert_eq!(result.run.verdict, RunVerdict::Conformant);
}

#[tokio::test(start_paused = true)]
async fn an_expired_entry_leaves_the_run_open() {
    let result = under("expires = \"2026-11-25\"\noutcome = \"may-fail\"").await;
    assert_eq!((result.totals.known, result.totals.pass), (1, 1));
    assert_eq!(result.run.verdict, RunVerdict::Inconclusive);
}

#[tokio::test(start_paused = true)]
async fn a_quarantined_failure_is_told_and_gates_nothing() {
    let result = under("expires = \"2027-01-01\"\noutcome = \"may-fail\"\nquarantine = true").await;
    assert_eq!((result.totals.fail, result.totals.pass), (1, 1));
    assert_eq!(result.run.verdict, RunVerdict::Conformant);
}

#[tokio::test(start_paused = true)]
async fn workload_cases_run_at_once_beside_host_cases() {
    let shared = Arc::new(Shared::new(24));
    let mut cases = many(12, "meets", Isolation::Host, MEETS);
    cases.extend(many(12, "meets_too", Isolation::Workload, MEETS));
    let result = run(&shared, cases, Options { jobs: 24, ..Options::default() }).await;
    assert_eq!(result.totals.pass, 24);
}

#[tokio::test(start_paused = true)]
async fn fail_fast_starts_nothing_after_the_first_red_case() {
    let shared = Arc::new(Shared::new(1));
    let mut cases = vec![
        Case { level: Level::Observed, ..case("breaks_unbound", Isolation::Host, BREAKS) },
        case("keeps", Isolation::Host, KEEPS),
        case("breaks", Isolation::Host, BREAKS),
    ];
    cases.extend(many(3, "late", Isolation::Host, KEEPS));
    cases.push(case("last", Isolation::Mesh, KEEPS));
    let options = Options { jobs: 1, fail_fast: true, ..Options::default() };
    let result = run(&shared, cases, options).await;
    assert_eq!((result.totals.fail, result.totals.pass, result.totals.not_run), (2, 1, 4));
    let reason = "not started: `fake::breaks` was red, and the run ends at the first (--fail-fast)";
    assert_eq!(named(&result, "fake::last").reason.as_deref(), Some(reason));
    assert_eq!(result.run.verdict, RunVerdict::Nonconformant);
}

#[tokio::test(start_paused = true)]
async fn each_round_has_a_world_and_a_record_of_its_own() {
    let shared = Arc::new(Shared::new(1));
    let cases = vec![
        case("keeps", Isolation::Host, KEEPS),
        case("fails_in_round_1", Isolation::Host, |world| {
            async {
                match world.id() {
                    "c001r1" => Err(Unmet::default().into()),
                    _ => Ok(()),
                }
            }
            .boxed()
        }),
        needing(&[Need::IstioBefore(1, 22)], case("old", Isolation::Host, KEEPS)),
    ];
    let options = Options { jobs: 1, rounds: 3, ..Options::default() };
    let result = run(&shared, cases, options).await;
    let closed: Vec<_> = shared.closed.lock().unwrap().iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(closed, ["c000", "c001", "c000r1", "c001r1", "c000r2", "c001r2"]);
    let keeps = named(&result, "fake::keeps");
    assert_eq!((keeps.verdict, keeps.again.len()), (CaseVerdict::Pass, 2));
    let once = named(&result, "fake::fails_in_round_1");
    assert_eq!((once.verdict, once.again.len()), (CaseVerdict::Fail, 2));
    assert!(named(&result, "fake::old").again.is_empty());
    assert_eq!((result.totals.pass, result.totals.fail, result.totals.unsupported), (1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn red_cases_can_be_kept_unless_they_change_the_mesh() {
    let shared = Arc::new(Shared::new(1));
    let cases = vec![
        case("keeps", Isolation::Host, KEEPS),
        case("breaks", Isolation::Host, BREAKS),
        case("breaks_mesh", Isolation::Mesh, BREAKS),
    ];
    run(&shared, cases, Options { keep_red: true, ..Options::default() }).await;
    assert_eq!(*shared.kept.lock().unwrap(), ["c001"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_out_of_time_ends_in_good_order() {
    let shared = Arc::new(Shared::new(1));
    let runs_out: Body = |world| {
        async {
            world.shared.stop.expire("out of time: the run had 5s (--timeout)");
            std::future::pending().await
        }
        .boxed()
    };
    let cases = vec![
        case("runs_out", Isolation::Host, runs_out),
        case("hangs", Isolation::Host, HANGS),
        case("late", Isolation::Mesh, KEEPS),
    ];
    let result = run(&shared, cases, Options::default()).await;
    let reason = |name: &str| named(&result, name).reason.as_deref();
    assert_eq!(reason("fake::runs_out"), Some("out of time while it ran"));
    assert_eq!(reason("fake::late"), Some("out of time before its turn"));
    assert_eq!((result.totals.not_run, result.run.verdict), (3, RunVerdict::Inconclusive));
    assert!(shared.closed.lock().unwrap().iter().any(|(id, _)| id == "c000"), "cleaned up");
}

#[tokio::test(start_paused = true)]
async fn the_budget_of_a_case_can_be_given() {
    let shared = Arc::new(Shared::new(1));
    let budgets = Budgets::per_case(Duration::from_secs(10));
    let cases = vec![case("hangs", Isolation::Host, HANGS), case("hangs_long", Isolation::Namespace, HANGS)];
    let result = run(&shared, cases, Options { budgets, ..Options::default() }).await;
    assert_eq!(named(&result, "fake::hangs").duration_ms, 10_000);
    assert_eq!(named(&result, "fake::hangs_long").duration_ms, 15_000);
}
