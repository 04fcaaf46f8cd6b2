//! `result.json`: what scripts read, folded from the events of a run.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::events::{Cause, Deviation, EvidenceFile, Figure, Machine, Mismatch, Part, Phase, Shard, Steps};
use crate::verdict::{CaseVerdict, Level, RunVerdict, Scope};

mod fold;

#[cfg(test)]
pub(crate) mod draft;
#[cfg(test)]
pub(crate) mod eventful;
#[cfg(test)]
pub(crate) mod samples;

pub use fold::fold;

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
    /// Version of waymark.
    #[serde(default)]
    pub waymark: String,
    /// The command that starts such a run again, without its selection and order.
    #[serde(default)]
    pub command: String,
    /// What the user selected, word by word; empty for all cases.
    #[serde(default)]
    pub selection: Vec<String>,
    /// Which part of the selection this run tried; null for all of it.
    #[serde(default)]
    pub shard: Option<Shard>,
    /// Named defects that were put in on purpose.
    #[serde(default)]
    pub sabotage: Vec<String>,
    /// The machine it ran on.
    #[serde(default)]
    pub machine: Option<Machine>,
    /// Ids of the runs that were merged into this one.
    #[serde(default)]
    pub merged: Vec<String>,
    /// When each phase ran.
    #[serde(default)]
    pub timeline: Vec<Span>,
}

/// A phase on the timeline of its run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// Which phase.
    pub phase: Phase,
    /// Milliseconds since the run began.
    pub started_ms: u64,
    /// How long it took, milliseconds; null when the run ended in it.
    pub duration_ms: Option<u64>,
    /// Why it failed; null when it went well.
    pub error: Option<String>,
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
    /// The files below it.
    #[serde(default)]
    pub files: Vec<EvidenceFile>,
    /// Want and got of a broken promise; null when none was broken.
    #[serde(default)]
    pub failure: Option<Mismatch>,
    /// What probably lies behind a red verdict, the likeliest first.
    #[serde(default)]
    pub causes: Vec<Cause>,
    /// The listed deviation that it falls under; null for most.
    #[serde(default)]
    pub deviation: Option<Deviation>,
    /// Where it is written, such as `suites/src/routing.rs:31`; null when that is not known.
    #[serde(default)]
    pub source: Option<String>,
    /// When it began, milliseconds since the run began; null for a case that did not run.
    #[serde(default)]
    pub started_ms: Option<u64>,
    /// Where its time went.
    #[serde(default)]
    pub steps: Steps,
    /// What it counted without judging it; absent when it counted nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<Figure>,
    /// Further verdicts of the same case: by `--repeat`, or by a run that was merged.
    #[serde(default)]
    pub again: Vec<Again>,
}

/// One more verdict of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Again {
    /// Id of the run that gave it.
    pub run: String,
    /// The verdict.
    pub verdict: CaseVerdict,
    /// Why, in one line; null for a plain pass.
    pub reason: Option<String>,
    /// Milliseconds.
    pub duration_ms: u64,
}

impl Run {
    /// The names of the parts that stand in for real ones.
    pub fn stand_ins(&self) -> Vec<&str> {
        self.parts.iter().filter(|part| part.stand_in).map(|part| part.name.as_str()).collect()
    }
}

impl CaseResult {
    /// Whether it is a core promise that was kept on values that the adapter produced in place of Istio's own extensions
    /// of Envoy: a pass that says nothing of Istio's.
    pub fn rests_on_adapter(&self) -> bool {
        let by_adapter = self.decided_by.iter().any(|part| part == "adapter");
        self.level == Level::Core && self.verdict == CaseVerdict::Pass && by_adapter
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{CaseResult, RunResult, fold, samples};
    use crate::verdict::{CaseVerdict, Level, RunVerdict};

    #[rstest]
    #[case::rests_on_it(Level::Core, CaseVerdict::Pass, "adapter", true)]
    #[case::not_core(Level::Extended, CaseVerdict::Pass, "adapter", false)]
    #[case::red(Level::Core, CaseVerdict::Fail, "adapter", false)]
    #[case::real(Level::Core, CaseVerdict::Pass, "envoy", false)]
    fn a_core_pass_may_rest_on_the_adapter(
        #[case] level: Level,
        #[case] verdict: CaseVerdict,
        #[case] by: &str,
        #[case] want: bool,
    ) {
        let sample = fold(&samples::finished_run()).cases.swap_remove(0);
        let case = CaseResult { level, verdict, decided_by: vec!["istiod".into(), by.into()], ..sample };
        assert_eq!((case.rests_on_adapter(), case.weighed().by_adapter), (want, want));
    }

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
