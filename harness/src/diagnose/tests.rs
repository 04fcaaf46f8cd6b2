//! Every cause from facts to the block that a reader sees, in the terminal and in HTML.

use rstest::rstest;
use serde_json::json;
use waymark_reports::events::{
    CaseFinished, Cause, Confidence, Entry, Event, Mismatch, Plan, PlannedCase, RunStarted, VERSION,
};
use waymark_reports::result::fold;
use waymark_reports::text::{Around, Style, failure_block};
use waymark_reports::verdict::{CaseVerdict, Level, Scope};

use super::rules::fixture;
use super::{CAUSES, Facts, diagnose, hinted, of_reason};
use crate::observe::nack::Rejections;

const NAME: &str = "routing::by_header::namespace";
const PROMISE: &str = "a request matching a rule's header reaches that rule's backend";

/// Facts that speak for a cause before all others, and the hop that the reader must be told of.
fn sample(id: &str) -> (Facts, &'static str) {
    match id {
        "WMC-001" => (fixture::bypassed(), "straight from the client"),
        "WMC-002" => (waypoint_for("workload"), "straight from the client"),
        "WMC-003" => (unprogrammed(), "Gateway wm-1-ns/waypoint"),
        "WMC-004" => (unaccepted_policy(), "through waypoint wm-1-ns/waypoint"),
        "WMC-005" => (lacking(), "through waypoint wm-1-ns/waypoint"),
        "WMC-006" => (fixture::l7_at_ztunnel(), "ztunnel"),
        "WMC-007" => (uncaptured(), "straight from the client"),
        "WMC-008" => (fixture::answered_elsewhere(), "pod wm-1-l4/echo-v1-9"),
        "WMC-009" => (other_identity(), "ztunnel"),
        "WMC-010" => (no_endpoint(), "waypoint wm-1-ns/waypoint"),
        "WMC-011" => (dangling(), "straight from the client"),
        "WMC-012" => (unaccepted_route(), "through waypoint wm-1-ns/waypoint"),
        "WMC-013" => (refused(), "waypoint wm-1-ns/waypoint"),
        "WMC-014" => (crashed(), "waypoint wm-1-ns/waypoint"),
        "WMC-015" => (fixture::leaked(), "pod wm-1-ns/waypoint-1"),
        "WMC-020" => (unreachable(), "API server"),
        other => panic!("{other} has no sample"),
    }
}

fn waypoint_for(kind: &str) -> Facts {
    let mut facts = fixture::bypassed();
    fixture::gateway_mut(&mut facts)["metadata"]["labels"]["istio.io/waypoint-for"] = kind.into();
    facts
}

fn unprogrammed() -> Facts {
    let mut facts =
        fixture::error("wait 120s (700 looks) for Gateway wm-1-ns/waypoint programmed; last seen: no");
    fixture::gateway_mut(&mut facts)["status"]["conditions"] =
        json!([{"type": "Programmed", "status": "False", "reason": "Pending", "message": "no address"}]);
    facts
}

fn unaccepted_policy() -> Facts {
    let refused =
        json!([{"type": "WaypointAccepted", "status": "False", "reason": "TargetNotFound", "message": "m"}]);
    Facts { applied: vec![fixture::policy(refused)], ..fixture::denial_ignored() }
}

fn unaccepted_route() -> Facts {
    let parents = json!([{"conditions": [{"type": "Accepted", "status": "False", "reason": "NoMatchingParent",
        "message": "the Service has no such port"}]}]);
    Facts { applied: vec![fixture::route(parents)], ..fixture::denial_ignored() }
}

fn lacking() -> Facts {
    Facts { config: Some("{}".into()), ..fixture::denial_ignored() }
}

fn uncaptured() -> Facts {
    let mut facts = fixture::bypassed();
    fixture::pod_mut(&mut facts, "client-a-1")["metadata"]["annotations"] = json!({});
    facts
}

fn other_identity() -> Facts {
    Facts { ztunnel_lines: Some(vec![fixture::connection("echo", "")]), ..fixture::l4_denial() }
}

fn no_endpoint() -> Facts {
    let mut facts = fixture::unavailable();
    facts.waypoint_lines = Some(vec![fixture::access_line("503 UH no_healthy_upstream -")]);
    facts
}

fn dangling() -> Facts {
    let mut facts = fixture::bypassed();
    fixture::namespace_mut(&mut facts, "wm-1-ns")["metadata"]["labels"]["istio.io/use-waypoint"] =
        "waypiont".into();
    facts
}

fn refused() -> Facts {
    let words =
        vec!["ADS:LDS: ACK ERROR waypoint-1.wm-1-ns Internal:Error adding listener main_internal".into()];
    Facts { rejections: Some(Rejections { total: 1, words }), ..fixture::denial_ignored() }
}

fn crashed() -> Facts {
    let mut facts = fixture::unavailable();
    fixture::pod_mut(&mut facts, "waypoint-1")["status"]["containerStatuses"] = json!([
        {"name": "istio-proxy", "restartCount": 1, "state": {"running": {}},
         "lastState": {"terminated": {"finishedAt": "2026-11-25T12:00:05Z", "exitCode": 137, "reason": "OOMKilled"}}}
    ]);
    facts
}

fn unreachable() -> Facts {
    let mut facts =
        fixture::error("read Service wm-1-ns/shop-c7: client error (Connect): connection refused");
    facts.reads = 8;
    facts.unreadable = vec!["list Pod in wm-1-ns: client error (Connect): connection refused".into(); 8];
    facts
}

fn planned() -> PlannedCase {
    PlannedCase {
        name: NAME.into(),
        suite: "routing".into(),
        scope: Some(Scope::Namespace),
        level: Level::Core,
        promise: PROMISE.into(),
        refs: vec!["GWC-03".into()],
        source: None,
    }
}

fn finished(facts: &Facts, causes: Vec<Cause>) -> CaseFinished {
    let failure = &facts.failure;
    let failed = failure.verdict == CaseVerdict::Fail;
    CaseFinished {
        name: NAME.into(),
        verdict: failure.verdict,
        reason: Some(failure.reason.clone()),
        duration_ms: 20_500,
        evidence: Some("evidence/routing--by_header--namespace".into()),
        failure: failed.then(|| Mismatch {
            want: failure.want.clone(),
            got: failure.got.clone(),
            sent: Some(failure.sent.clone()),
            decided_by: failure.got.lines().find_map(|line| line.strip_prefix("way: ")).map(str::to_owned),
            answers: Vec::new(),
        }),
        causes,
        ..CaseFinished::default()
    }
}

fn page(end: CaseFinished) -> String {
    let events = [
        Event::RunStarted(Box::new(RunStarted { command: "waymark run".into(), ..RunStarted::default() })),
        Event::Plan(Plan { cases: vec![planned()] }),
        Event::CaseFinished(Box::new(end)),
    ];
    let entry = |(seq, event)| Entry {
        v: VERSION,
        seq,
        ts: "2026-11-25T12:00:00Z".parse().unwrap(),
        run: "r".into(),
        event,
    };
    waymark_reports::html::html(&fold(&(1..).zip(events).map(entry).collect::<Vec<_>>()))
}

/// The part of a page about the likeliest cause.
fn likely(page: &str) -> &str {
    let (_, rest) = page.split_once("<div class=\"likely\">").unwrap();
    rest.split_once("</div>").unwrap().0
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[test]
fn every_cause_has_a_block_that_names_promise_hop_id_and_the_next_command() {
    for entry in CAUSES {
        let (facts, hop) = sample(entry.id);
        let causes = diagnose(&facts);
        let ids: Vec<_> = causes.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(ids.first(), Some(&entry.id), "{ids:?}");
        let next = causes[0].next[0].clone();
        assert!(!next.contains('<'), "{next}");
        let end = finished(&facts, causes);
        let around = Around { run_dir: "target/waymark/latest", command: "waymark run" };
        let block = failure_block(&planned(), &end, around, Style::default());
        // Long texts are wrapped in their column.
        let flat = block.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [PROMISE, hop, entry.id, entry.title] {
            assert!(flat.contains(part), "{} lacks `{part}`:\n{block}", entry.id);
        }
        assert!(block.contains(&next), "{} lacks `{next}`:\n{block}", entry.id);
        let page = page(end);
        for part in [PROMISE, hop, entry.id, entry.title, next.as_str()] {
            assert!(page.contains(&escaped(part)), "the page of {} lacks `{part}`", entry.id);
        }
        insta::assert_snapshot!(format!("{}_terminal", entry.id), block);
        insta::assert_snapshot!(format!("{}_html", entry.id), likely(&page).replace("><", ">\n<"));
    }
}

#[test]
fn nothing_fires_where_nothing_is_wrong_or_known() {
    assert_eq!(diagnose(&fixture::healthy()), []);
    assert_eq!(diagnose(&Facts::default()), []);
}

#[test]
fn what_follows_from_a_cause_comes_after_it() {
    let causes = diagnose(&dangling());
    let told: Vec<_> = causes.iter().map(|it| (it.id.as_str(), it.confidence)).collect();
    assert_eq!(told, [("WMC-011", Confidence::High), ("WMC-001", Confidence::Low)]);
}

#[test]
fn a_case_is_given_three_causes_at_most() {
    let mut facts = crashed();
    facts.rejections = refused().rejections;
    facts.waypoint_lines = no_endpoint().waypoint_lines;
    fixture::gateway_mut(&mut facts)["status"] = json!({});
    assert_eq!(diagnose(&facts).len(), 3);
}

#[rstest]
#[case("list pods app=istiod in istio-system: client error (Connect): connection refused", &["WMC-020"])]
#[case("proxies refused configuration: ADS:LDS: ACK ERROR: wait 120s for a ready pod", &["WMC-013"])]
#[case("wait 120s (9 looks) for Gateway a/b programmed; last seen: it does not exist", &["WMC-003"])]
#[case("a place without a waypoint", &[])]
fn an_error_without_a_world_is_judged_by_its_words(#[case] reason: &str, #[case] want: &[&str]) {
    let causes = of_reason(reason);
    let ids: Vec<_> = causes.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, want);
    assert_eq!(hinted(reason.to_owned()).contains("waymark explain"), !want.is_empty());
}

#[test]
fn signs_quote_on_one_line_and_clipped_and_names_are_only_names() {
    let mut facts = fixture::bypassed();
    facts.names.waypoint.name = "way\u{1b}[31mpoint\n`rm`".into();
    facts.failure.sent = "client-a: GET http://shop$(reboot).wm-1-ns.svc.cluster.local/".into();
    facts.waypoint_lines = Some(vec![]);
    let causes = diagnose(&facts);
    for cause in &causes {
        assert!(cause.signs.iter().all(|it| !it.contains(['\n', '\u{1b}']) && it.chars().count() <= 201));
        assert!(cause.next.iter().all(|it| !it.contains('`') && !it.contains('$')), "{:?}", cause.next);
    }
}
