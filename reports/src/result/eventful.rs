//! Results in which everything occurs that a renderer has to cope with, for tests.

use super::{Again, CaseResult, RunResult, fold, samples};
use crate::events::{Deviation, Entry, Event, Outcome, Phase, PhaseFinished, RunFinished, Shard};
use crate::verdict::{CaseVerdict, Level, RunVerdict};

/// Text as a hostile mesh may answer it.
pub(crate) const HOSTILE: &str = "status: 200 \u{1b}[2J</failure>]]><script>alert(1)</script>\u{202e}|`\\| @everyone ```\r\n::error::x\nA=\"1\",\u{0}%";

/// A run in which a case is flaky, known, expired, quarantined, observed, left out, not reached, and rests on the adapter.
pub(crate) fn run() -> RunResult {
    let mut result = fold(&samples::finished_run());
    let red = result.cases[1].clone();
    result.run.sabotage = vec!["drop-waypoint".into()];
    result.run.shard = Some(Shard { index: 1, of: 3 });
    result.run.merged = vec!["20261125-080000-aaaa".into(), "20261125-090000-k7f2".into()];
    result.run.selection = vec!["authorization".into()];
    result.cases[1].again = vec![again(CaseVerdict::Pass), again(CaseVerdict::Fail)];
    let quarantined = Deviation { quarantine: true, ..listed() };
    let expired = Deviation { expired: true, expires: "2026-11-01".into(), ..listed() };
    let mut add = |name: &str, change: &dyn Fn(&mut CaseResult)| {
        let mut case = red.clone();
        case.name = format!("routing::{name}");
        case.suite = "routing".into();
        change(&mut case);
        result.cases.push(case);
    };
    add("known::namespace", &|case| {
        (case.verdict, case.deviation, case.causes) = (CaseVerdict::Known, Some(listed()), vec![]);
    });
    add("expired::namespace", &|case| {
        (case.verdict, case.deviation) = (CaseVerdict::Known, Some(expired.clone()));
    });
    add("quarantined::namespace", &|case| case.deviation = Some(quarantined.clone()));
    add("observed::namespace", &|case| case.level = Level::Observed);
    add("broken::namespace", &|case| {
        (case.verdict, case.failure) = (CaseVerdict::Error, None);
        case.reason = Some("wait 30s for Gateway `wp`; last seen: no pod".into());
        case.again = vec![again(CaseVerdict::Error)];
    });
    add("on_adapter::namespace", &|case| {
        (case.verdict, case.reason, case.failure, case.evidence) = (CaseVerdict::Pass, None, None, None);
        (case.causes, case.files, case.again) = (vec![], vec![], vec![]);
        case.decided_by.push("adapter".into());
    });
    add("left_out", &|case| leave(case, CaseVerdict::Skip, "left out by --skip"));
    add("not_reached", &|case| leave(case, CaseVerdict::NotRun, "the run ended first"));
    recount(&mut result);
    result
}

/// A run whose only case is red, with hostile text wherever the mesh has a say.
pub(crate) fn hostile() -> RunResult {
    let mut result = fold(&samples::finished_run());
    result.cases.retain(|case| case.verdict == CaseVerdict::Fail);
    let case = &mut result.cases[0];
    case.reason = Some(HOSTILE.into());
    let failure = case.failure.get_or_insert_default();
    failure.got = HOSTILE.into();
    failure.sent = Some(HOSTILE.into());
    failure.decided_by = Some(HOSTILE.into());
    failure.answers[0].text = HOSTILE.into();
    case.causes[0].signs[0] = HOSTILE.into();
    case.files[0].about = HOSTILE.into();
    result.run.parts[0].version = HOSTILE.into();
    result.run.reason = Some(HOSTILE.into());
    recount(&mut result);
    result
}

/// A run whose cluster did not come up.
pub(crate) fn set_up_failed() -> RunResult {
    let mut entries = samples::finished_run();
    entries.truncate(3);
    let told = "start istiod: exit status 1\n  flag provided but not defined: -x";
    let ends = [
        Event::PhaseFinished(PhaseFinished { phase: Phase::Up, duration_ms: 800, error: Some(told.into()) }),
        Event::RunFinished(RunFinished {
            outcome: Outcome::SetupFailed,
            duration_ms: 900,
            reason: Some(format!("set-up failed: {told}")),
        }),
    ];
    for event in ends {
        entries.push(Entry { event, ..entries[2].clone() });
    }
    fold(&entries)
}

/// A run that was killed while its first case ran.
pub(crate) fn aborted() -> RunResult {
    let mut entries = samples::finished_run();
    entries.truncate(samples::FIRST_CASE_STARTED + 1);
    fold(&entries)
}

/// A run with `count` red cases, each with a lot to say, and as many green ones.
pub(crate) fn large(count: usize) -> RunResult {
    let mut result = fold(&samples::finished_run());
    let (green, red) = (result.cases[0].clone(), result.cases[1].clone());
    result.cases = (0..count)
        .flat_map(|index| {
            let mut pair = [green.clone(), red.clone()];
            pair[0].name = format!("routing::green_{index}::namespace");
            pair[1].name = format!("authorization::red_{index}::namespace");
            let signs =
                (0..40).map(|line| format!("line {line} of what was seen in the log of the waypoint"));
            pair[1].causes[0].signs = signs.collect();
            pair
        })
        .collect();
    recount(&mut result);
    result
}

fn listed() -> Deviation {
    Deviation {
        reason: "the waypoint ignores the port of a GRPCRoute".into(),
        link: "https://github.com/istio/istio/issues/60025".into(),
        owner: "routing".into(),
        expires: "2026-12-31".into(),
        expired: false,
        quarantine: false,
    }
}

fn again(verdict: CaseVerdict) -> Again {
    let reason = (verdict != CaseVerdict::Pass).then(|| "want status: 403, got status: 503".to_owned());
    Again { run: "20261125-100000-bbbb".into(), verdict, reason, duration_ms: 1200 }
}

fn leave(case: &mut CaseResult, verdict: CaseVerdict, reason: &str) {
    case.verdict = verdict;
    case.reason = Some(reason.into());
    (case.failure, case.evidence, case.started_ms, case.duration_ms) = (None, None, None, 0);
    (case.causes, case.files) = (vec![], vec![]);
}

fn recount(result: &mut RunResult) {
    result.totals = super::Totals::default();
    for case in &result.cases {
        *result.totals.of(case.verdict) += 1;
    }
    result.run.verdict = RunVerdict::of(result.cases.iter().map(CaseResult::weighed));
}
