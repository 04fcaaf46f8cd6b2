//! What a run says that earlier ones did not.

use super::{History, Record};
use crate::diff::quantile;
use crate::result::{CaseResult, RunResult};
use crate::verdict::CaseVerdict;

/// A case converges slowly when it takes twice its median, and half a second more.
const SLOW_FACTOR: u64 = 2;
const SLOW_MS: u64 = 500;
/// So many earlier times make a median.
const ENOUGH: usize = 5;

/// What is new in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// How many runs the history knew of the case that it knows best, this one not counted.
    pub runs: usize,
    /// Cases that are red, and were not the last time.
    pub new_failures: Vec<NewFailure>,
    /// Cases of the run that pass at times and at times do not.
    pub flaky: Vec<Flaky>,
    /// Cases that converged much slower than they do.
    pub slow: Vec<Slow>,
}

/// A case that is red, and was not the last time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFailure {
    /// Full name.
    pub name: String,
    /// Its verdict.
    pub verdict: CaseVerdict,
    /// How often in a row it had passed; 0 when it had never been judged.
    pub passes: usize,
    /// The last run in which it passed, and when that began.
    pub last_pass: Option<(String, jiff::Timestamp)>,
}

/// A case whose verdict came and went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaky {
    /// Full name.
    pub name: String,
    /// When its verdict changed first, within what is kept.
    pub since: jiff::Timestamp,
    /// How often it did not pass.
    pub red: usize,
    /// Of how many verdicts.
    pub of: usize,
}

/// A case that converged slowly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slow {
    /// Full name.
    pub name: String,
    /// How long it took in this run, milliseconds.
    pub now_ms: u64,
    /// The median of earlier runs, milliseconds.
    pub median_ms: u64,
}

impl History {
    /// What is new in `result`, whether it was added to the history or not. Runs that began later are not looked at.
    pub fn news(&self, result: &RunResult) -> News {
        let began = result.run.started_at.parse().unwrap_or(jiff::Timestamp::MAX);
        let mut news = News::default();
        for case in &result.cases {
            let earlier: Vec<&Record> = self
                .of(&case.name)
                .iter()
                .filter(|record| record.at <= began && record.run != result.run.id)
                .collect();
            news.runs = news.runs.max(earlier.len());
            news.new_failures.extend(new_failure(case, &earlier));
            news.flaky.extend(flaky(case, began, &earlier));
            news.slow.extend(slow(case, &earlier));
        }
        news
    }
}

fn new_failure(case: &CaseResult, earlier: &[&Record]) -> Option<NewFailure> {
    if !case.verdict.is_red() || earlier.last().is_some_and(|last| last.verdict.is_red()) {
        return None;
    }
    let passed = |record: &&&Record| record.verdict == CaseVerdict::Pass;
    Some(NewFailure {
        name: case.name.clone(),
        verdict: case.verdict,
        passes: earlier.iter().rev().take_while(passed).count(),
        last_pass: earlier.iter().rev().find(passed).map(|record| (record.run.clone(), record.at)),
    })
}

/// Flaky is what changed between passing and not passing at least twice: a case that broke, or was mended, changed
/// once.
fn flaky(case: &CaseResult, began: jiff::Timestamp, earlier: &[&Record]) -> Option<Flaky> {
    let weighed = |verdict| match verdict {
        CaseVerdict::Pass => Some(true),
        CaseVerdict::Fail | CaseVerdict::Error | CaseVerdict::Known => Some(false),
        CaseVerdict::Unsupported | CaseVerdict::Skip | CaseVerdict::NotRun => None,
    };
    let all = earlier.iter().map(|record| (record.at, record.verdict)).chain([(began, case.verdict)]);
    let all: Vec<(jiff::Timestamp, bool)> =
        all.filter_map(|(at, verdict)| Some((at, weighed(verdict)?))).collect();
    let turns: Vec<jiff::Timestamp> =
        all.windows(2).filter(|pair| pair[0].1 != pair[1].1).map(|pair| pair[1].0).collect();
    let [since, _, ..] = turns.as_slice() else { return None };
    let red = all.iter().filter(|(_, passed)| !passed).count();
    Some(Flaky { name: case.name.clone(), since: *since, red, of: all.len() })
}

fn slow(case: &CaseResult, earlier: &[&Record]) -> Option<Slow> {
    let now_ms = case.convergence_ms?;
    let mut times: Vec<u64> = earlier.iter().filter_map(|record| record.convergence_ms).collect();
    times.sort_unstable();
    let median_ms = quantile(&times, 50).filter(|_| times.len() >= ENOUGH)?;
    let slow = now_ms >= median_ms * SLOW_FACTOR && now_ms >= median_ms + SLOW_MS;
    slow.then(|| Slow { name: case.name.clone(), now_ms, median_ms })
}
