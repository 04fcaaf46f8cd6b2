//! Two runs compared: what broke, what was mended, what is no longer judged, and what takes longer.
//!
//! [`diff`] yields a [`Diff`], which [`text`](Diff::text), [`markdown`](Diff::markdown) and serde render, and which a
//! [`Gate`](crate::gate::Gate) turns into a verdict.

use std::collections::HashMap;

use serde::Serialize;

use crate::events::Part;
use crate::result::{CaseResult, RunResult};
use crate::verdict::CaseVerdict;

mod change;
mod comparable;
mod markdown;
mod terminal;
mod times;

pub use change::{Change, Kind};
pub use comparable::{Difference, Incomparable};
pub(crate) use times::quantile;
pub use times::{Measure, PhaseTimes, Slower, Times};

/// Version of the JSON form, field `schemaVersion`.
pub const SCHEMA_VERSION: u32 = 1;

/// What lies between two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diff {
    /// Version of the format.
    pub schema_version: u32,
    /// The earlier run, or the one that is the measure.
    pub base: Side,
    /// The run that is measured.
    pub head: Side,
    /// Where the runs differ although they should not; empty unless the user allowed it.
    pub mismatches: Vec<Difference>,
    /// Where they differ as they may: the Istio release, and the parts under test.
    pub differs: Vec<Difference>,
    /// How many cases are in both.
    pub compared: usize,
    /// What became of cases, by kind and in the order of the head.
    pub changes: Vec<Change>,
    /// Cases that only the base has; not compared.
    pub only_base: Vec<String>,
    /// Cases that only the head has; not compared.
    pub only_head: Vec<String>,
    /// How long things took.
    pub times: Times,
}

/// One of the two runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Side {
    /// Id of the run.
    pub id: String,
    /// Where its cluster came from.
    pub target: String,
    /// Its Istio release.
    pub istio: String,
    /// Its waymark.
    pub waymark: String,
    /// Its verdict.
    pub verdict: crate::verdict::RunVerdict,
    /// How many cases it has.
    pub cases: usize,
    /// Why it did not complete; null when it did.
    pub reason: Option<String>,
}

/// Compares two runs of the same waymark, target kind, selection, shard and sabotage.
///
/// # Errors
/// When they are not the same in these; the error lists every difference.
pub fn diff(base: &RunResult, head: &RunResult) -> Result<Diff, Incomparable> {
    let differences = comparable::mismatches(base, head);
    if differences.is_empty() {
        return Ok(compare(base, head));
    }
    Err(Incomparable { base: base.run.id.clone(), head: head.run.id.clone(), differences })
}

/// Compares any two runs; what they should have in common and do not is in [`Diff::mismatches`].
pub fn compare(base: &RunResult, head: &RunResult) -> Diff {
    let earlier: HashMap<&str, &CaseResult> =
        base.cases.iter().map(|case| (case.name.as_str(), case)).collect();
    let both: Vec<(&CaseResult, &CaseResult)> =
        head.cases.iter().filter_map(|case| Some((*earlier.get(case.name.as_str())?, case))).collect();
    let mut changes: Vec<Change> =
        both.iter().filter_map(|(base, head)| Change::between(base, head)).collect();
    changes.sort_by_key(|change| change.kind);
    Diff {
        schema_version: SCHEMA_VERSION,
        base: Side::of(base),
        head: Side::of(head),
        mismatches: comparable::mismatches(base, head),
        differs: differs(base, head),
        compared: both.len(),
        changes,
        only_base: only(base, head),
        only_head: only(head, base),
        times: Times::between(base, head, &both),
    }
}

impl Diff {
    /// The changes of one kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |change| change.kind == kind)
    }

    /// How many changes of one kind there are.
    pub fn count(&self, kind: Kind) -> usize {
        self.of(kind).count()
    }

    /// Whether the same cases have the same verdicts.
    pub fn is_empty(&self) -> bool {
        let news = |change: &Change| change.kind != Kind::StillFailing;
        !self.changes.iter().any(news) && self.only_base.is_empty() && self.only_head.is_empty()
    }
}

impl Side {
    fn of(result: &RunResult) -> Self {
        Self {
            id: result.run.id.clone(),
            target: result.run.target.clone(),
            istio: result.run.istio.clone(),
            waymark: result.run.waymark.clone(),
            verdict: result.run.verdict,
            cases: result.cases.len(),
            reason: result.run.reason.clone(),
        }
    }
}

fn only(here: &RunResult, there: &RunResult) -> Vec<String> {
    let missing = |case: &&CaseResult| there.cases.iter().all(|other| other.name != case.name);
    here.cases.iter().filter(missing).map(|case| case.name.clone()).collect()
}

fn differs(base: &RunResult, head: &RunResult) -> Vec<Difference> {
    let mut found: Vec<Difference> =
        Difference::of("istio", base.run.istio.clone(), head.run.istio.clone()).into_iter().collect();
    let version = |parts: &[Part], name: &str| match parts.iter().find(|part| part.name == name) {
        Some(part) if part.stand_in => "stand-in".to_owned(),
        Some(part) => part.version.clone(),
        None => "none".to_owned(),
    };
    let mut names: Vec<&str> = Vec::new();
    for part in base.run.parts.iter().chain(&head.run.parts) {
        if !names.contains(&part.name.as_str()) {
            names.push(&part.name);
        }
    }
    for name in names {
        found.extend(Difference::of(name, version(&base.run.parts, name), version(&head.run.parts, name)));
    }
    found
}

/// Whether a case was tried and judged.
const fn is_judged(verdict: CaseVerdict) -> bool {
    matches!(verdict, CaseVerdict::Pass | CaseVerdict::Fail | CaseVerdict::Error | CaseVerdict::Known)
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;
