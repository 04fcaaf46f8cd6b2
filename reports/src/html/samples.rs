//! Runs to show, for tests.

use crate::events::{Answer, Cause, Confidence, Deviation, EvidenceFile, Mismatch, Phase, Shard, Steps};
use crate::result::samples as events;
use crate::result::{Again, CaseResult, RunResult, Span, Totals, fold};
use crate::verdict::{CaseVerdict, Level, RunVerdict, Scope, Weighed};

const AREAS: [(&str, &str, &str); 5] = [
    ("routing", "weights_are_kept", "traffic is shared between backends in the ratio of their weights"),
    (
        "authorization",
        "denied_method_is_403",
        "a method that an ALLOW policy leaves out is answered 403 by the waypoint",
    ),
    (
        "fault",
        "abort_is_injected",
        "a request that an abort rule matches is answered with its status by the waypoint",
    ),
    ("access_log", "line_names_client", "the waypoint logs a line that names the client's identity"),
    ("removal", "old_behaviour_returns", "after a route is deleted, requests are answered as before"),
];

/// A run in which every promise was kept.
pub(crate) fn green() -> RunResult {
    let mut result = fold(&events::finished_run());
    result.cases = (0..44).map(case).collect();
    for case in result.cases.iter_mut().skip(40) {
        *case = CaseResult {
            verdict: CaseVerdict::Unsupported,
            reason: Some("needs Istio 1.27 or later".into()),
            started_ms: None,
            convergence_ms: None,
            duration_ms: 0,
            attempts: 0,
            steps: Steps::default(),
            ..case.clone()
        };
    }
    result.run.duration_ms = 26_400;
    result.run.timeline = timeline(&[1200, 9800, 3100, 11_000, 900]);
    weigh(result)
}

/// A run with everything that a page has to show.
pub(crate) fn red() -> RunResult {
    let mut result = green();
    result.run.reason = Some("interrupted by Ctrl-C".into());
    result.run.sabotage = vec!["waypoint-bypassed".into(), "weights-swapped".into()];
    result.run.selection = vec!["routing".into(), "authorization".into()];
    result.run.shard = Some(Shard { index: 1, of: 2 });
    for index in [1, 6, 11] {
        let hurt = events::failed();
        let case = &mut result.cases[index];
        case.verdict = CaseVerdict::Fail;
        (case.reason, case.failure, case.causes) = (hurt.reason, hurt.failure, hurt.causes);
        (case.evidence, case.files) = (hurt.evidence, hurt.files);
    }
    result.cases[6].causes.push(Cause {
        id: "WMC-002".into(),
        title: "the waypoint serves another kind of traffic".into(),
        confidence: Confidence::Low,
        signs: vec![
            "Gateway wm-1-sa/wp has istio.io/waypoint-for=workload, which does not cover services".into(),
        ],
        next: vec![
            "kubectl -n wm-1-sa get gateway wp -o yaml".into(),
            "istioctl waypoint status --namespace wm-1-sa".into(),
        ],
    });
    stale(&mut result.cases[10]);
    broken(&mut result.cases[7]);
    known(&mut result.cases[12], false);
    known(&mut result.cases[22], true);
    result.cases[2].decided_by.push("adapter".into());
    let again = |verdict, reason: Option<&str>| Again {
        run: result.run.id.clone(),
        verdict,
        reason: reason.map(str::to_owned),
        duration_ms: 812,
    };
    result.cases[1].again = vec![
        again(CaseVerdict::Pass, None),
        again(CaseVerdict::Fail, Some("want status: 403, got status: 200")),
    ];
    result.cases[15].again = vec![again(CaseVerdict::Pass, None)];
    for case in &mut result.cases[35..40] {
        case.verdict = CaseVerdict::NotRun;
        (case.reason, case.started_ms, case.duration_ms, case.attempts) =
            (Some("the run ended first".into()), None, 0, 0);
        (case.convergence_ms, case.steps) = (None, Steps::default());
    }
    result.cases[42].verdict = CaseVerdict::Skip;
    result.cases[42].reason = Some("left out by --skip removal".into());
    result.run.timeline.truncate(4);
    result.run.timeline[3].duration_ms = None;
    weigh(result)
}

/// A run whose cluster did not come up.
pub(crate) fn not_set_up() -> RunResult {
    let mut result = green();
    for case in &mut result.cases {
        *case = CaseResult {
            verdict: CaseVerdict::NotRun,
            reason: Some("the run ended first".into()),
            started_ms: None,
            convergence_ms: None,
            duration_ms: 0,
            attempts: 0,
            steps: Steps::default(),
            ..case.clone()
        };
    }
    result.run.parts.clear();
    result.run.reason =
        Some("wait 60s for istiod; last seen: dial tcp 127.0.0.1:15012: connect: connection refused".into());
    result.run.timeline.truncate(2);
    result.run.timeline[1].error = result.run.reason.clone();
    weigh(result)
}

/// Two thousand cases, of which every tenth is red with a long record.
pub(crate) fn large() -> RunResult {
    let mut result = red();
    let hurt = result.cases[1].clone();
    result.cases = (0..2000)
        .map(|index| {
            let one = case(index);
            if !index.is_multiple_of(10) {
                return one;
            }
            CaseResult { name: one.name, started_ms: one.started_ms, ..hurt.clone() }
        })
        .collect();
    weigh(result)
}

fn case(index: usize) -> CaseResult {
    let (suite, what, promise) = AREAS[index % AREAS.len()];
    let scope = if index.is_multiple_of(2) { Scope::Namespace } else { Scope::ServiceAccountEmulated };
    let axis = if index.is_multiple_of(2) { "namespace" } else { "service_account" };
    let convergence = [38, 74, 92, 140, 61, 410, 88, 120, 1350, 55][index % 10];
    let duration = 300 + convergence + (index as u64 * 97) % 900;
    CaseResult {
        name: format!("{suite}::{what}_{}::{axis}", index / 5),
        suite: suite.into(),
        scope: Some(scope),
        level: if index % 7 == 3 { Level::Extended } else { Level::Core },
        promise: promise.into(),
        refs: vec![format!("GWC-{:02}", index % 30)],
        verdict: CaseVerdict::Pass,
        reason: None,
        duration_ms: duration,
        convergence_ms: Some(convergence),
        attempts: 4,
        decided_by: vec!["istiod".into(), "envoy".into()],
        evidence: None,
        files: vec![],
        failure: None,
        causes: vec![],
        deviation: None,
        source: Some(format!("suites/src/{suite}.rs:{}", 20 + index)),
        started_ms: Some(14_300 + index as u64 / 4 * 900 + index as u64 % 4 * 30),
        figures: Vec::new(),
        steps: Steps {
            open_us: 21_000,
            run_us: duration * 1000 - 21_000 - 130_000 - 95,
            close_us: 130_000,
            engine_us: 95,
        },
        again: vec![],
    }
}

fn stale(case: &mut CaseResult) {
    let answer =
        |text: &str, count, first_ms, last_ms| Answer { text: text.into(), count, first_ms, last_ms };
    case.verdict = CaseVerdict::Fail;
    case.level = Level::Observed;
    case.failure = Some(Mismatch {
        want: "status: 200\nserved by: shop-v2\npassed: waypoint wm-4/wp".into(),
        got: "status: 200\nserved by: shop-v1\npassed: waypoint wm-4/wp\nheader x-envoy-upstream-service-time: 3".into(),
        decided_by: Some("waypoint wm-4/wp".into()),
        sent: Some("GET http://shop.wm-4.svc.cluster.local:80/cart?item=17 with x-user: canary".into()),
        answers: vec![
            answer("200 from shop-v1", 92, 3, 9_950),
            answer("503 no healthy upstream, response flags UH, from waypoint wm-4/wp", 2, 4_100, 4_220),
            answer("200 from shop-v2", 6, 4_300, 5_020),
        ],
    });
    case.reason = case.failure.as_ref().map(Mismatch::one_line);
    case.evidence = Some("evidence/routing--weights_are_kept_2--namespace".into());
    let file = |name: &str, about: &str, bytes, cut| EvidenceFile {
        name: name.into(),
        about: about.into(),
        bytes,
        cut,
    };
    case.files = vec![
        file("exchanges.json", "what was sent and what came back", 18_400, false),
        file("objects.yaml", "applied objects with their status", 7_200, false),
        file("waypoint config dump.json", "configuration of the waypoint", 3_400_000, true),
    ];
}

fn broken(case: &mut CaseResult) {
    case.verdict = CaseVerdict::Error;
    case.reason = Some("wait 30s for Gateway `wp`; last seen: no pod\ncaused by: </script><img src=x onerror=alert(1)> \u{1b}[31mred\u{1b}[0m \u{202e}gnp.exe".into());
    case.causes = vec![Cause {
        id: "WMC-003".into(),
        title: "the Gateway is not programmed".into(),
        confidence: Confidence::Medium,
        signs: vec!["Gateway wm-3/wp: Programmed is False (Pending)".into()],
        next: vec!["kubectl -n wm-3 describe gateway wp".into()],
    }];
}

fn known(case: &mut CaseResult, expired: bool) {
    case.verdict = CaseVerdict::Known;
    case.reason = Some("want status: 503, got status: 500".into());
    case.deviation = Some(Deviation {
        reason: "retries of aborted requests are not counted".into(),
        link: "https://github.com/istio/istio/issues/12345".into(),
        owner: "mesh team".into(),
        expires: if expired { "2026-11-01" } else { "2027-03-31" }.into(),
        expired,
        quarantine: !expired,
    });
}

fn timeline(took: &[u64; 5]) -> Vec<Span> {
    let phases = [Phase::Components, Phase::Up, Phase::Stage, Phase::Cases, Phase::Down];
    let mut at = 150;
    let mut spans = Vec::new();
    for (phase, took) in phases.into_iter().zip(took) {
        spans.push(Span { phase, started_ms: at, duration_ms: Some(*took), error: None });
        at += took + 20;
    }
    spans
}

fn weigh(mut result: RunResult) -> RunResult {
    result.totals = Totals::default();
    for case in &result.cases {
        *result.totals.of(case.verdict) += 1;
    }
    let weighed: Vec<Weighed> = result.cases.iter().map(CaseResult::weighed).collect();
    result.run.verdict = RunVerdict::of(weighed);
    result
}
