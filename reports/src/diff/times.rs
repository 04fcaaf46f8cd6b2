//! How long things took in two runs.

use serde::Serialize;

use crate::events::Phase;
use crate::result::{CaseResult, RunResult};
use crate::verdict::CaseVerdict;

/// A case is slower when it takes twice as long, and a second more.
const SLOWER_FACTOR: u64 = 2;
const SLOWER_MS: u64 = 1000;

/// Milliseconds in the base and in the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Measure {
    /// In the base.
    pub base: u64,
    /// In the head.
    pub head: u64,
}

/// Times of two runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Times {
    /// The runs as a whole.
    pub duration: Measure,
    /// The phases that both finished.
    pub phases: Vec<PhaseTimes>,
    /// Half of the cases converged as fast; null when no case converged in both.
    pub convergence_p50: Option<Measure>,
    /// Nineteen in twenty did.
    pub convergence_p95: Option<Measure>,
    /// On how many cases these rest: those that converged in both runs.
    pub converged: usize,
    /// Cases that passed in both and take at least twice as long and a second more, the slowest first.
    pub slower: Vec<Slower>,
}

/// A phase in both runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PhaseTimes {
    /// Which.
    pub phase: Phase,
    /// How long, milliseconds.
    #[serde(flatten)]
    pub ms: Measure,
}

/// A case that became slower.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Slower {
    /// Full name.
    pub name: String,
    /// How long it took, milliseconds.
    #[serde(flatten)]
    pub ms: Measure,
}

impl Measure {
    /// Change against the base in percent: infinite when something came of nothing.
    pub fn change(self) -> f64 {
        match (self.base, self.head) {
            (0, 0) => 0.0,
            (base, head) => (head as f64 - base as f64) / base as f64 * 100.0,
        }
    }
}

impl Times {
    pub(super) fn between(base: &RunResult, head: &RunResult, both: &[(&CaseResult, &CaseResult)]) -> Self {
        let (phases, others) = (base.run.phases.iter(), head.run.phases.iter());
        let phases = phases.into_iter().zip(others).filter_map(|((phase, base), (_, head))| {
            Some(PhaseTimes { phase, ms: Measure { base: base?, head: head? } })
        });
        let pairs: Vec<(u64, u64)> = both
            .iter()
            .filter_map(|(base, head)| Some((base.convergence_ms?, head.convergence_ms?)))
            .collect();
        let (mut early, mut late): (Vec<u64>, Vec<u64>) = pairs.into_iter().unzip();
        early.sort_unstable();
        late.sort_unstable();
        let at =
            |percent| Some(Measure { base: quantile(&early, percent)?, head: quantile(&late, percent)? });
        Self {
            duration: Measure { base: base.run.duration_ms, head: head.run.duration_ms },
            phases: phases.collect(),
            convergence_p50: at(50),
            convergence_p95: at(95),
            converged: early.len(),
            slower: slower(both),
        }
    }
}

/// The value that `percent` of the sorted values do not exceed (nearest rank).
pub(crate) fn quantile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

fn slower(both: &[(&CaseResult, &CaseResult)]) -> Vec<Slower> {
    let mut slower: Vec<Slower> = both
        .iter()
        .filter(|(base, head)| base.verdict == CaseVerdict::Pass && head.verdict == CaseVerdict::Pass)
        .map(|(base, head)| Slower {
            name: head.name.clone(),
            ms: Measure { base: base.duration_ms, head: head.duration_ms },
        })
        .filter(|Slower { ms, .. }| ms.head >= ms.base * SLOWER_FACTOR && ms.head >= ms.base + SLOWER_MS)
        .collect();
    slower.sort_by_key(|Slower { ms, .. }| std::cmp::Reverse(ms.head - ms.base));
    slower
}
