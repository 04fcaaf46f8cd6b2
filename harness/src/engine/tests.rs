//! The engine against a fake site, in paused time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::FutureExt;
use waymark_reports::result::{CaseResult, RunResult};
use waymark_reports::verdict::{CaseVerdict, RunVerdict};

use super::fake::{Body, Shared, capabilities, case, many, needing, run, run_on};
use super::{Budgets, Capabilities, Options};
use crate::case::{Answer, Broken, Isolation, Need, Unmet};

pub(super) const KEEPS: Body = |_| async { Ok(()) }.boxed();
pub(super) const BREAKS: Body = |_| {
    async {
        let answers = vec![Answer { text: "200 from v1".to_owned(), count: 12, ..Answer::default() }];
        Err(Unmet { want: "status: 403".into(), got: "status: 200".into(), answers, ..Unmet::default() }
            .into())
    }
    .boxed()
};
const CANNOT_JUDGE: Body = |_| {
    async { Err(Broken::with("probe `shop`", std::io::Error::other("connection refused")).into()) }.boxed()
};
const PANICS: Body = |_| async { panic!("index out of range") }.boxed();
pub(super) const HANGS: Body = |_| std::future::pending().boxed();
pub(super) const MEETS: Body = |world| {
    async {
        world.shared.barrier.wait().await;
        Ok(())
    }
    .boxed()
};
const OCCUPIES: Body = |world| {
    async {
        world.shared.occupy().await;
        Ok(())
    }
    .boxed()
};
const INTERRUPTS: Body = |world| {
    async {
        world.shared.stop.request();
        std::future::pending().await
    }
    .boxed()
};

fn only(result: &RunResult) -> &CaseResult {
    assert_eq!(result.cases.len(), 1);
    &result.cases[0]
}

pub(super) fn named<'a>(result: &'a RunResult, name: &str) -> &'a CaseResult {
    result.cases.iter().find(|case| case.name == name).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_kept_promise_passes_and_carries_what_its_world_saw() {
    let shared = Arc::new(Shared::new(1));
    let result = run(&shared, vec![case("keeps", Isolation::Host, KEEPS)], Options::default()).await;
    let end = only(&result);
    assert_eq!(
        (end.verdict, end.reason.as_deref(), end.evidence.as_deref()),
        (CaseVerdict::Pass, None, None)
    );
    assert_eq!(
        (end.convergence_ms, end.attempts, &end.decided_by[..]),
        (Some(74), 2, &["envoy".to_owned()][..])
    );
    assert_eq!(*shared.closed.lock().unwrap(), [("c000".to_owned(), false)]);
    assert_eq!(result.run.verdict, RunVerdict::Conformant);
}

#[tokio::test(start_paused = true)]
async fn a_broken_promise_fails_with_evidence() {
    let shared = Arc::new(Shared::new(1));
    let result = run(&shared, vec![case("breaks", Isolation::Host, BREAKS)], Options::default()).await;
    let end = only(&result);
    assert_eq!(end.verdict, CaseVerdict::Fail);
    assert_eq!(end.reason.as_deref(), Some("want status: 403, got status: 200"));
    assert_eq!(end.evidence.as_deref(), Some("evidence/c000"));
    assert_eq!(*shared.closed.lock().unwrap(), [("c000".to_owned(), true)]);
    assert_eq!(result.run.verdict, RunVerdict::Nonconformant);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_judged_is_an_error_with_its_causes() {
    let shared = Arc::new(Shared::new(1));
    let cases = vec![
        case("cannot_judge", Isolation::Host, CANNOT_JUDGE),
        case("has_no_world", Isolation::Host, KEEPS),
        case("panics", Isolation::Host, PANICS),
        case("panics_while_opening", Isolation::Host, KEEPS),
        case("keeps", Isolation::Host, KEEPS),
    ];
    let result = run(&shared, cases, Options::default()).await;
    let reason = |name: &str| named(&result, name).reason.as_deref();
    assert_eq!(reason("fake::cannot_judge"), Some("probe `shop`: connection refused"));
    assert_eq!(reason("fake::has_no_world"), Some("no room for `shop`"));
    assert_eq!(reason("fake::panics"), Some("panic: index out of range"));
    assert_eq!(reason("fake::panics_while_opening"), Some("panic: open went wrong"));
    assert_eq!((result.totals.error, result.totals.pass), (4, 1));
    assert_eq!(shared.closed.lock().unwrap().len(), 3, "every opened world is closed");
    assert_eq!(result.run.verdict, RunVerdict::Inconclusive);
}

#[tokio::test(start_paused = true)]
async fn each_case_has_its_budget() {
    let shared = Arc::new(Shared::new(1));
    let cases = vec![case("hangs", Isolation::Host, HANGS), case("hangs_long", Isolation::Namespace, HANGS)];
    let result = run(&shared, cases, Options::default()).await;
    let hangs = named(&result, "fake::hangs");
    assert_eq!(hangs.reason.as_deref(), Some("budget of 120s used up; could not run in time"));
    assert_eq!(hangs.duration_ms, 120_000);
    assert_eq!(named(&result, "fake::hangs_long").duration_ms, 180_000);
    assert_eq!(result.run.duration_ms, 180_000, "both ran at once");
    assert_eq!(shared.closed.lock().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failed_clean_up_spoils_a_pass_and_is_told_beside_a_failure() {
    let shared =
        Arc::new(Shared { cleanup_error: Some("HTTPRoute `by-header` is still there"), ..Shared::new(1) });
    let cases = vec![case("keeps", Isolation::Host, KEEPS), case("breaks", Isolation::Host, BREAKS)];
    let result = run(&shared, cases, Options::default()).await;
    let (keeps, breaks) = (named(&result, "fake::keeps"), named(&result, "fake::breaks"));
    assert_eq!(keeps.verdict, CaseVerdict::Error);
    assert_eq!(keeps.reason.as_deref(), Some("clean-up: HTTPRoute `by-header` is still there"));
    assert_eq!(breaks.verdict, CaseVerdict::Fail);
    assert!(breaks.reason.as_deref().unwrap().ends_with("; clean-up: HTTPRoute `by-header` is still there"));
}

#[tokio::test(start_paused = true)]
async fn forty_eight_host_cases_run_at_once() {
    let shared = Arc::new(Shared::new(48));
    let cases = many(48, "meets", Isolation::Host, MEETS);
    let result = run(&shared, cases, Options { jobs: 48, ..Options::default() }).await;
    assert_eq!(result.totals.pass, 48);
}

#[tokio::test(start_paused = true)]
async fn jobs_bound_how_many_run_at_once() {
    let shared = Arc::new(Shared::new(1));
    let options = Options { jobs: 3, ..Options::default() };
    let result = run(&shared, many(12, "occupies", Isolation::Host, OCCUPIES), options).await;
    assert_eq!(result.totals.pass, 12);
    assert_eq!(shared.most.load(Ordering::SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn namespace_cases_keep_to_their_slots() {
    let shared = Arc::new(Shared::new(1));
    let cases = many(12, "occupies", Isolation::Namespace, OCCUPIES);
    let result = run(&shared, cases, Options { slots: 3, ..Options::default() }).await;
    assert_eq!(result.totals.pass, 12);
    assert!((2..=3).contains(&shared.most.load(Ordering::SeqCst)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn mesh_cases_run_alone_after_the_others() {
    const ALONE: Body = |world| {
        async {
            match world.shared.occupy().await {
                1 => Ok(()),
                _ => Err(Broken::new("not alone").into()),
            }
        }
        .boxed()
    };
    let shared = Arc::new(Shared::new(1));
    let mut cases = many(4, "alone", Isolation::Mesh, ALONE);
    cases.extend(many(16, "occupies", Isolation::Host, OCCUPIES));
    let result = run(&shared, cases, Options::default()).await;
    assert_eq!(result.totals.pass, 20);
    let closed = shared.closed.lock().unwrap();
    let last: Vec<_> = closed[16..].iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(last, ["c000", "c001", "c002", "c003"]);
}

#[tokio::test(start_paused = true)]
async fn an_interruption_cleans_up_and_starts_nothing_more() {
    let shared = Arc::new(Shared::new(1));
    let cases = vec![
        case("interrupts", Isolation::Host, INTERRUPTS),
        case("hangs", Isolation::Host, HANGS),
        case("late", Isolation::Mesh, KEEPS),
    ];
    let result = run(&shared, cases, Options::default()).await;
    assert_eq!(result.totals.not_run, 3);
    let reason = |name: &str| named(&result, name).reason.as_deref();
    assert_eq!(reason("fake::interrupts"), Some("interrupted while it ran"));
    assert_eq!(reason("fake::late"), Some("interrupted before its turn"));
    let closed = shared.closed.lock().unwrap();
    assert!(closed.iter().any(|(id, failed)| id == "c000" && !failed));
    assert!(closed.iter().all(|(id, _)| id != "c002"));
}

#[tokio::test(start_paused = true)]
async fn a_second_interruption_waits_for_nothing() {
    let shared = Arc::new(Shared::new(1));
    shared.stop.request();
    shared.stop.request();
    let result = run(&shared, vec![case("hangs", Isolation::Host, HANGS)], Options::default()).await;
    assert_eq!(only(&result).verdict, CaseVerdict::NotRun);
    assert_eq!(shared.closed.lock().unwrap().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_absent_need_is_unsupported_and_opens_no_world() {
    let shared = Arc::new(Shared::new(1));
    let cases = vec![needing(&[Need::IstioBefore(1, 22)], case("keeps", Isolation::Host, KEEPS))];
    let result = run(&shared, cases, Options::default()).await;
    let end = only(&result);
    assert_eq!(end.verdict, CaseVerdict::Unsupported);
    assert_eq!(end.reason.as_deref(), Some("needs istio before 1.22, this is 1.31"));
    assert!(shared.closed.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_need_found_missing_after_set_up_is_an_error() {
    let shared = Arc::new(Shared::new(1));
    let cases = vec![needing(&[Need::Tcp], case("keeps", Isolation::Host, KEEPS))];
    let lacking = Capabilities { tcp: false, ..capabilities() };
    let result = run_on(&shared, cases, Options::default(), lacking, |_| {}).await;
    let end = only(&result);
    assert_eq!(end.verdict, CaseVerdict::Error);
    let reason = "needs plain TCP through a waypoint; before the run this was expected to be there";
    assert_eq!(end.reason.as_deref(), Some(reason));
    assert!(shared.closed.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_close_that_hangs_or_panics_is_an_error_of_the_case() {
    let shared = Arc::new(Shared::new(1));
    let budgets = Budgets { close: Duration::ZERO, ..Budgets::default() };
    let cases =
        vec![case("close_panics", Isolation::Host, KEEPS), case("close_hangs", Isolation::Host, KEEPS)];
    let result = run(&shared, cases, Options { budgets, ..Options::default() }).await;
    let reason = |name: &str| named(&result, name).reason.as_deref();
    assert_eq!(reason("fake::close_panics"), Some("clean-up: panic: close went wrong"));
    assert_eq!(reason("fake::close_hangs"), Some("clean-up: not done in 0ns"));
}
