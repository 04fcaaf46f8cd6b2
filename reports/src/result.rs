//! `result.json`: what scripts read, folded from the events of a run.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::events::{CaseFinished, Entry, Event, Outcome, Part, Phase, PlannedCase, RunFinished};
use crate::verdict::{CaseVerdict, Level, RunVerdict, Scope};

#[cfg(test)]
pub(crate) mod samples;

/// Version of the format, field `schemaVersion`.
pub const SCHEMA_VERSION: u32 = 1;

/// A run and its cases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunResult {
    /// Version of the format.
    pub schema_version: u32,
    /// The run as a whole.
    pub run: Run,
    /// How many cases have which verdict.
    pub totals: Totals,
    /// Every case of the plan, in its order.
    pub cases: Vec<CaseResult>,
    /// Latency by path; empty when it was not measured.
    pub latency: Map<String, Value>,
}

/// The run as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Id, also the name of its directory.
    pub id: String,
    /// The verdict.
    pub verdict: RunVerdict,
    /// Why it did not complete; absent when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where the cluster came from.
    pub target: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// Milliseconds.
    pub duration_ms: u64,
    /// How long each phase took.
    pub phases: Phases,
    /// The Istio release.
    pub istio: String,
    /// Seed of the order of cases, null when they ran in the order of their listing.
    pub seed: Option<u64>,
    /// The parts under test.
    pub parts: Vec<Part>,
}

/// Milliseconds of each phase, null for one that was not finished.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phases {
    /// Obtaining the parts.
    pub components: Option<u64>,
    /// Bringing up the cluster with Istio.
    pub up: Option<u64>,
    /// Starting apps and waypoints.
    pub stage: Option<u64>,
    /// Running the cases.
    pub cases: Option<u64>,
    /// Taking down.
    pub down: Option<u64>,
}

/// How many cases have which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// The promise was kept.
    pub pass: usize,
    /// The mesh broke a promise.
    pub fail: usize,
    /// The case could not be judged.
    pub error: usize,
    /// A listed deviation that still fails.
    pub known: usize,
    /// A need is absent.
    pub unsupported: usize,
    /// Left out by the user.
    pub skip: usize,
    /// The run ended first.
    pub not_run: usize,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CaseResult {
    /// Full name.
    pub name: String,
    /// First segment of the name.
    pub suite: String,
    /// Scope of the waypoint; null for a case that is not tied to one.
    pub scope: Option<Scope>,
    /// How binding the promise is.
    pub level: Level,
    /// The requirement as a sentence.
    pub promise: String,
    /// Rows of the reference catalogue.
    pub refs: Vec<String>,
    /// The verdict.
    pub verdict: CaseVerdict,
    /// Why, in one line; null for a plain pass.
    pub reason: Option<String>,
    /// Milliseconds, clean-up included; 0 for a case that did not run.
    pub duration_ms: u64,
    /// Slowest propagation of a change that it waited for, milliseconds.
    pub convergence_ms: Option<u64>,
    /// How many probes it sent until it could judge.
    pub attempts: u32,
    /// The parts that decided the outcome.
    pub decided_by: Vec<String>,
    /// Folder of its evidence, relative to the run directory.
    pub evidence: Option<String>,
}

/// The result of a run, whole or aborted: a case without a verdict is `not-run`, and a run without an end is
/// inconclusive unless a binding promise was already broken.
pub fn fold(entries: &[Entry]) -> RunResult {
    let mut folding = Folding::default();
    for entry in entries {
        folding.take(entry);
    }
    folding.finish(entries)
}

#[derive(Default)]
struct Folding<'a> {
    target: &'a str,
    istio: &'a str,
    seed: Option<u64>,
    planned: &'a [PlannedCase],
    parts: &'a [Part],
    phases: Phases,
    started: HashSet<&'a str>,
    finished: HashMap<&'a str, &'a CaseFinished>,
    end: Option<&'a RunFinished>,
}

impl<'a> Folding<'a> {
    fn take(&mut self, entry: &'a Entry) {
        match &entry.event {
            Event::RunStarted(run) => {
                (self.target, self.istio, self.seed) = (&run.target, &run.istio, run.seed);
            }
            Event::Plan(plan) => self.planned = &plan.cases,
            Event::Parts(parts) => self.parts = &parts.parts,
            Event::PhaseFinished(phase) => *self.phases.of(phase.phase) = Some(phase.duration_ms),
            Event::CaseStarted(case) => {
                self.started.insert(&case.name);
            }
            Event::CaseFinished(case) => {
                self.finished.insert(&case.name, case);
            }
            Event::RunFinished(end) => self.end = Some(end),
            Event::PhaseStarted(_) | Event::Note(_) | Event::Unknown => {}
        }
    }

    fn finish(self, entries: &[Entry]) -> RunResult {
        let cases: Vec<_> = self.planned.iter().map(|case| self.case(case)).collect();
        let mut totals = Totals::default();
        for case in &cases {
            *totals.of(case.verdict) += 1;
        }
        let mut verdict = RunVerdict::of(cases.iter().map(|case| (case.level, case.verdict)));
        let completed = self.end.is_some_and(|end| end.outcome == Outcome::Completed);
        if !completed && verdict == RunVerdict::Conformant {
            verdict = RunVerdict::Inconclusive;
        }
        let first = entries.first();
        let run = Run {
            id: first.map(|entry| entry.run.clone()).unwrap_or_default(),
            verdict,
            reason: self.reason(),
            target: self.target.to_owned(),
            started_at: first.map(|entry| entry.ts.to_string()).unwrap_or_default(),
            duration_ms: self.end.map_or_else(|| elapsed(entries), |end| end.duration_ms),
            phases: self.phases,
            istio: self.istio.to_owned(),
            seed: self.seed,
            parts: self.parts.to_vec(),
        };
        RunResult { schema_version: SCHEMA_VERSION, run, totals, cases, latency: Map::new() }
    }

    fn reason(&self) -> Option<String> {
        match self.end {
            None => Some("the run was aborted".to_owned()),
            Some(end) if end.outcome == Outcome::Completed => end.reason.clone(),
            Some(end) => Some(end.reason.clone().unwrap_or_else(|| "the run was interrupted".to_owned())),
        }
    }

    fn case(&self, planned: &PlannedCase) -> CaseResult {
        let finished = self.finished.get(planned.name.as_str());
        let open = || match self.started.contains(planned.name.as_str()) {
            true => "the run ended while the case ran",
            false => "the run ended first",
        };
        CaseResult {
            name: planned.name.clone(),
            suite: planned.suite.clone(),
            scope: planned.scope,
            level: planned.level,
            promise: planned.promise.clone(),
            refs: planned.refs.clone(),
            verdict: finished.map_or(CaseVerdict::NotRun, |case| case.verdict),
            reason: finished.map_or_else(|| Some(open().to_owned()), |case| case.reason.clone()),
            duration_ms: finished.map_or(0, |case| case.duration_ms),
            convergence_ms: finished.and_then(|case| case.convergence_ms),
            attempts: finished.map_or(0, |case| case.attempts),
            decided_by: finished.map(|case| case.decided_by.clone()).unwrap_or_default(),
            evidence: finished.and_then(|case| case.evidence.clone()),
        }
    }
}

impl Run {
    /// The names of the parts that stand in for real ones.
    pub fn stand_ins(&self) -> Vec<&str> {
        self.parts.iter().filter(|part| part.stand_in).map(|part| part.name.as_str()).collect()
    }
}

impl Phases {
    /// Each phase with its duration, in the order in which they run.
    pub fn iter(&self) -> [(Phase, Option<u64>); 5] {
        [
            (Phase::Components, self.components),
            (Phase::Up, self.up),
            (Phase::Stage, self.stage),
            (Phase::Cases, self.cases),
            (Phase::Down, self.down),
        ]
    }

    fn of(&mut self, phase: Phase) -> &mut Option<u64> {
        match phase {
            Phase::Components => &mut self.components,
            Phase::Up => &mut self.up,
            Phase::Stage => &mut self.stage,
            Phase::Cases => &mut self.cases,
            Phase::Down => &mut self.down,
        }
    }
}

impl Totals {
    /// Each verdict with its count.
    pub fn iter(&self) -> [(CaseVerdict, usize); 7] {
        [
            (CaseVerdict::Pass, self.pass),
            (CaseVerdict::Fail, self.fail),
            (CaseVerdict::Error, self.error),
            (CaseVerdict::Known, self.known),
            (CaseVerdict::Unsupported, self.unsupported),
            (CaseVerdict::Skip, self.skip),
            (CaseVerdict::NotRun, self.not_run),
        ]
    }

    /// The count of one verdict.
    pub fn of(&mut self, verdict: CaseVerdict) -> &mut usize {
        match verdict {
            CaseVerdict::Pass => &mut self.pass,
            CaseVerdict::Fail => &mut self.fail,
            CaseVerdict::Error => &mut self.error,
            CaseVerdict::Known => &mut self.known,
            CaseVerdict::Unsupported => &mut self.unsupported,
            CaseVerdict::Skip => &mut self.skip,
            CaseVerdict::NotRun => &mut self.not_run,
        }
    }
}

fn elapsed(entries: &[Entry]) -> u64 {
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return 0 };
    u64::try_from(last.ts.as_millisecond() - first.ts.as_millisecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{RunResult, fold, samples};
    use crate::verdict::{CaseVerdict, RunVerdict};

    #[test]
    fn a_finished_run_has_the_promised_shape() {
        let result = fold(&samples::finished_run());
        insta::assert_json_snapshot!(result);
        let text = serde_json::to_string(&result).unwrap();
        assert_eq!(serde_json::from_str::<RunResult>(&text).unwrap(), result);
    }

    #[test]
    fn an_aborted_run_reports_what_was_not_reached() {
        let mut entries = samples::finished_run();
        entries.truncate(samples::FIRST_CASE_STARTED + 1);
        let result = fold(&entries);
        assert_eq!(result.run.verdict, RunVerdict::Inconclusive);
        assert_eq!(result.run.reason.as_deref(), Some("the run was aborted"));
        assert_eq!(result.totals.not_run, result.cases.len());
        let reasons: Vec<_> = result.cases.iter().map(|case| case.reason.as_deref().unwrap()).collect();
        assert_eq!(reasons[0], "the run ended while the case ran");
        assert_eq!(reasons[1], "the run ended first");
        assert_eq!(result.cases[0].verdict, CaseVerdict::NotRun);
        assert!(result.run.duration_ms > 0);
    }

    #[test]
    fn an_interrupted_run_without_a_failure_is_inconclusive() {
        let result = fold(&samples::interrupted_run());
        assert_eq!(result.run.verdict, RunVerdict::Inconclusive);
        assert_eq!(result.run.reason.as_deref(), Some("interrupted by Ctrl-C"));
    }

    #[test]
    fn no_events_still_make_a_result() {
        let result = fold(&[]);
        assert_eq!((result.run.verdict, result.cases.len()), (RunVerdict::Inconclusive, 0));
    }
}
