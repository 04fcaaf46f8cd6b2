//! Events to result.

use std::collections::HashMap;

use serde_json::Map;

use super::{Again, CaseResult, Phases, Run, RunResult, SCHEMA_VERSION, Span, Totals};
use crate::events::{
    CaseFinished, Entry, Event, Outcome, Part, Phase, PhaseFinished, PlannedCase, RunFinished, RunStarted,
};
use crate::verdict::{CaseVerdict, RunVerdict, Weighed};

/// The result of a run, whole or aborted: a case without a verdict is `not-run`, and a run without an end is
/// inconclusive unless a binding promise was already broken. A phase that was gone through several times lasted the
/// sum. Of several verdicts of one case the first counts, unless it is none (`not-run`) or a later one is red: a red
/// verdict is never lost, and one that gates is not hidden by one that is quarantined.
pub fn fold(entries: &[Entry]) -> RunResult {
    let mut folding = Folding { entries, ..Folding::default() };
    for entry in entries {
        folding.take(entry);
    }
    folding.finish()
}

#[derive(Default)]
struct Folding<'a> {
    entries: &'a [Entry],
    run: Option<&'a RunStarted>,
    planned: &'a [PlannedCase],
    parts: &'a [Part],
    phases: Phases,
    timeline: Vec<Span>,
    started: HashMap<&'a str, Vec<(&'a str, u64)>>,
    finished: HashMap<&'a str, Vec<(&'a str, &'a CaseFinished)>>,
    end: Option<&'a RunFinished>,
}

impl<'a> Folding<'a> {
    fn take(&mut self, entry: &'a Entry) {
        match &entry.event {
            Event::RunStarted(run) => self.run = Some(run),
            Event::Plan(plan) => self.planned = &plan.cases,
            Event::Parts(parts) => self.parts = &parts.parts,
            Event::PhaseStarted(phase) => self.begin(phase.phase, self.since_start(entry)),
            Event::PhaseFinished(phase) => self.end(phase, self.since_start(entry)),
            Event::CaseStarted(case) => {
                let at = self.since_start(entry);
                self.started.entry(&case.name).or_default().push((&entry.run, at));
            }
            Event::CaseFinished(case) => {
                self.finished.entry(&case.name).or_default().push((&entry.run, case));
            }
            Event::RunFinished(end) => self.end = Some(end),
            Event::Note(_) | Event::Unknown => {}
        }
    }

    fn begin(&mut self, phase: Phase, started_ms: u64) {
        self.timeline.push(Span { phase, started_ms, duration_ms: None, error: None });
    }

    fn end(&mut self, end: &PhaseFinished, at: u64) {
        let total = self.phases.of(end.phase);
        *total = Some(total.unwrap_or(0) + end.duration_ms);
        let open = self.timeline.iter_mut().rev().find(|span| span.phase == end.phase);
        if let Some(span) = open.filter(|span| span.duration_ms.is_none()) {
            (span.duration_ms, span.error) = (Some(end.duration_ms), end.error.clone());
            return;
        }
        self.timeline.push(Span {
            phase: end.phase,
            started_ms: at.saturating_sub(end.duration_ms),
            duration_ms: Some(end.duration_ms),
            error: end.error.clone(),
        });
    }

    fn finish(self) -> RunResult {
        let cases: Vec<_> = self.planned.iter().map(|case| self.case(case)).collect();
        let mut totals = Totals::default();
        for case in &cases {
            *totals.of(case.verdict) += 1;
        }
        let mut verdict = RunVerdict::of(cases.iter().map(CaseResult::weighed));
        let completed = self.end.is_some_and(|end| end.outcome == Outcome::Completed);
        if !completed && verdict == RunVerdict::Conformant {
            verdict = RunVerdict::Inconclusive;
        }
        let first = self.entries.first();
        let elapsed = self.entries.last().map_or(0, |last| self.since_start(last));
        let began = self.run.cloned().unwrap_or_default();
        let run = Run {
            id: first.map(|entry| entry.run.clone()).unwrap_or_default(),
            verdict,
            reason: self.reason(),
            target: began.target,
            started_at: first.map(|entry| entry.ts.to_string()).unwrap_or_default(),
            duration_ms: self.end.map_or(elapsed, |end| end.duration_ms),
            phases: self.phases,
            istio: began.istio,
            seed: began.seed,
            parts: self.parts.to_vec(),
            waymark: began.waymark,
            command: began.command,
            selection: began.selection,
            shard: began.shard,
            sabotage: began.sabotage,
            machine: began.machine,
            merged: began.merged,
            timeline: self.timeline,
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
        let name = planned.name.as_str();
        let (none, no_starts) = (Vec::new(), Vec::new());
        let verdicts = self.finished.get(name).unwrap_or(&none);
        let chosen = choose(verdicts);
        let again = verdicts.iter().enumerate().filter(|(index, _)| Some(*index) != chosen);
        let again = again.map(|(_, (run, end))| Again {
            run: (*run).to_owned(),
            verdict: end.verdict,
            reason: end.reason.clone(),
            duration_ms: end.duration_ms,
        });
        let starts = self.started.get(name).unwrap_or(&no_starts);
        let started_ms = began(starts, verdicts, chosen);
        let unfinished = || CaseFinished {
            reason: Some(
                match started_ms {
                    Some(_) => "the run ended while the case ran",
                    None => "the run ended first",
                }
                .to_owned(),
            ),
            ..CaseFinished::default()
        };
        let end = chosen.map_or_else(unfinished, |index| verdicts[index].1.clone());
        CaseResult {
            name: planned.name.clone(),
            suite: planned.suite.clone(),
            scope: planned.scope,
            level: planned.level,
            promise: planned.promise.clone(),
            refs: planned.refs.clone(),
            verdict: end.verdict,
            reason: end.reason,
            duration_ms: end.duration_ms,
            convergence_ms: end.convergence_ms,
            attempts: end.attempts,
            decided_by: end.decided_by,
            evidence: end.evidence,
            files: end.files,
            failure: end.failure,
            causes: end.causes,
            deviation: end.deviation,
            source: planned.source.clone(),
            started_ms,
            steps: end.steps,
            figures: end.figures,
            again: again.collect(),
        }
    }

    fn since_start(&self, entry: &Entry) -> u64 {
        let first = self.entries.first().map_or(entry.ts, |first| first.ts);
        u64::try_from(entry.ts.as_millisecond() - first.as_millisecond()).unwrap_or(0)
    }
}

impl CaseResult {
    /// The case as it counts for the verdict of its run.
    pub fn weighed(&self) -> Weighed {
        Weighed {
            level: self.level,
            verdict: self.verdict,
            quarantined: self.deviation.as_ref().is_some_and(|listed| listed.quarantine),
            expired: self.deviation.as_ref().is_some_and(|listed| listed.expired),
            by_adapter: self.rests_on_adapter(),
        }
    }
}

/// When the attempt began that gave the verdict which counts; without a verdict, when the case began first.
fn began(starts: &[(&str, u64)], verdicts: &[(&str, &CaseFinished)], chosen: Option<usize>) -> Option<u64> {
    let Some(chosen) = chosen else { return starts.first().map(|(_, at)| *at) };
    let run = verdicts[chosen].0;
    let earlier = verdicts[..chosen].iter().filter(|(other, _)| *other == run).count();
    starts.iter().filter(|(other, _)| *other == run).nth(earlier).map(|(_, at)| *at)
}

/// Which of several verdicts counts: the first failure that gates, else the first error that does, else the first
/// failure, the first error, the first that is a verdict at all.
fn choose(verdicts: &[(&str, &CaseFinished)]) -> Option<usize> {
    let first = |wanted: fn(&CaseFinished) -> bool| verdicts.iter().position(|(_, end)| wanted(end));
    first(|end| end.verdict == CaseVerdict::Fail && !is_quarantined(end))
        .or_else(|| first(|end| end.verdict == CaseVerdict::Error && !is_quarantined(end)))
        .or_else(|| first(|end| end.verdict == CaseVerdict::Fail))
        .or_else(|| first(|end| end.verdict == CaseVerdict::Error))
        .or_else(|| first(|end| end.verdict != CaseVerdict::NotRun))
        .or_else(|| first(|_| true))
}

fn is_quarantined(end: &CaseFinished) -> bool {
    end.deviation.as_ref().is_some_and(|listed| listed.quarantine)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::choose;
    use crate::events::{CaseFinished, Deviation};
    use crate::verdict::CaseVerdict::{self, Error, Fail, NotRun, Pass, Unsupported};

    #[rstest]
    #[case::none(&[], None)]
    #[case::green_after_red(&[Fail, Pass], Some(0))]
    #[case::red_after_green(&[Pass, Pass, Fail], Some(2))]
    #[case::error_after_green(&[Pass, Error], Some(1))]
    #[case::failure_after_error(&[Error, Fail], Some(1))]
    #[case::rerun_of_what_was_not_reached(&[NotRun, Pass], Some(1))]
    #[case::never_reached(&[NotRun, NotRun], Some(0))]
    #[case::unsupported(&[Unsupported, Unsupported], Some(0))]
    fn a_red_verdict_is_never_lost(#[case] verdicts: &[CaseVerdict], #[case] want: Option<usize>) {
        let ends: Vec<_> =
            verdicts.iter().map(|&verdict| CaseFinished { verdict, ..CaseFinished::default() }).collect();
        let ends: Vec<_> = ends.iter().map(|end| ("run", end)).collect();
        assert_eq!(choose(&ends), want);
    }

    #[rstest]
    #[case::failure_after_quarantined(&[(Fail, true), (Fail, false)], 1)]
    #[case::error_after_quarantined_failure(&[(Fail, true), (Error, false)], 1)]
    #[case::gating_failure_after_gating_error(&[(Fail, true), (Error, false), (Fail, false)], 2)]
    #[case::error_after_quarantined_error(&[(Error, true), (Error, false)], 1)]
    #[case::quarantined_failure_before_quarantined_error(&[(Error, true), (Fail, true)], 1)]
    #[case::green_does_not_hide_what_is_quarantined(&[(Pass, false), (Fail, true)], 1)]
    #[case::green_does_not_hide_an_error_that_is_quarantined(&[(Pass, false), (Error, true)], 1)]
    #[case::first_of_those_that_gate(&[(Fail, false), (Fail, true), (Fail, false)], 0)]
    fn what_gates_is_not_hidden_by_what_is_quarantined(
        #[case] verdicts: &[(CaseVerdict, bool)],
        #[case] want: usize,
    ) {
        let end = |&(verdict, quarantine): &(CaseVerdict, bool)| {
            let deviation = Some(Deviation { quarantine, ..Deviation::default() });
            CaseFinished { verdict, deviation, ..CaseFinished::default() }
        };
        let ends: Vec<_> = verdicts.iter().map(end).collect();
        let ends: Vec<_> = ends.iter().map(|end| ("run", end)).collect();
        assert_eq!(choose(&ends), Some(want));
    }
}
