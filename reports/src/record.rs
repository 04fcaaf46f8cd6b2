//! One case as every medium shows it, whether a run is under way or over: the failure record and what is around it.

use crate::events::{CaseFinished, Cause, Deviation, EvidenceFile, Mismatch, PlannedCase};
use crate::pairs::pair;
use crate::plain;
use crate::result::{Again, CaseResult, RunResult};
use crate::verdict::{CaseVerdict, Level};

/// What a renderer may say about one case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) name: &'a str,
    pub(crate) level: Level,
    pub(crate) promise: &'a str,
    pub(crate) refs: &'a [String],
    pub(crate) source: Option<&'a str>,
    pub(crate) verdict: CaseVerdict,
    pub(crate) reason: Option<&'a str>,
    pub(crate) duration_ms: u64,
    pub(crate) evidence: Option<&'a str>,
    pub(crate) files: &'a [EvidenceFile],
    pub(crate) failure: Option<&'a Mismatch>,
    pub(crate) causes: &'a [Cause],
    pub(crate) deviation: Option<&'a Deviation>,
    pub(crate) again: &'a [Again],
}

impl<'a> Record<'a> {
    /// A case that has just ended.
    pub(crate) fn of(case: &'a PlannedCase, end: &'a CaseFinished) -> Self {
        Self {
            name: &case.name,
            level: case.level,
            promise: &case.promise,
            refs: &case.refs,
            source: case.source.as_deref(),
            verdict: end.verdict,
            reason: end.reason.as_deref(),
            duration_ms: end.duration_ms,
            evidence: end.evidence.as_deref(),
            files: &end.files,
            failure: end.failure.as_ref(),
            causes: &end.causes,
            deviation: end.deviation.as_ref(),
            again: &[],
        }
    }

    /// Why it is what it is, in one line that is safe to show.
    pub(crate) fn headline(&self) -> String {
        let mismatch = || self.failure.map(Mismatch::one_line);
        let reason = self.reason.map(str::to_owned).or_else(mismatch);
        plain::shown(&reason.unwrap_or_else(|| "no reason given".to_owned()))
    }

    /// The command that runs it again.
    pub(crate) fn repeat(&self, command: &str) -> String {
        let command = if command.is_empty() { "waymark run" } else { command };
        plain::shown(&format!("{command} --exact {}", self.name))
    }

    /// File and line of its source.
    pub(crate) fn place(&self) -> Option<(&'a str, &'a str)> {
        let (file, line) = self.source?.rsplit_once(':')?;
        line.parse::<u32>().is_ok().then_some((file, line))
    }

    /// Whether it was judged more than once, and not always alike.
    pub(crate) fn is_flaky(&self) -> bool {
        is_flaky(self.verdict, self.again)
    }

    /// Whether it is red and held against the mesh: neither merely observed nor quarantined.
    pub(crate) fn gates(&self) -> bool {
        self.verdict.is_red() && self.level != Level::Observed && !self.is_quarantined()
    }

    /// Whether it is reported without gating.
    pub(crate) fn is_quarantined(&self) -> bool {
        self.deviation.is_some_and(|listed| listed.quarantine)
    }

    /// Whether it falls under an entry that no longer holds.
    pub(crate) fn is_expired(&self) -> bool {
        self.deviation.is_some_and(|listed| listed.expired)
    }

    /// Whether traffic passed that was to be denied.
    pub(crate) fn is_fail_open(&self) -> bool {
        let Some(mismatch) = self.failure else { return false };
        pair(&mismatch.want, &mismatch.got).iter().any(|row| {
            let denied = row.want.starts_with("401") || row.want.starts_with("403");
            row.label == "status" && denied && row.got.starts_with('2')
        })
    }
}

impl<'a> From<&'a CaseResult> for Record<'a> {
    fn from(case: &'a CaseResult) -> Self {
        Self {
            name: &case.name,
            level: case.level,
            promise: &case.promise,
            refs: &case.refs,
            source: case.source.as_deref(),
            verdict: case.verdict,
            reason: case.reason.as_deref(),
            duration_ms: case.duration_ms,
            evidence: case.evidence.as_deref(),
            files: &case.files,
            failure: case.failure.as_ref(),
            causes: &case.causes,
            deviation: case.deviation.as_ref(),
            again: &case.again,
        }
    }
}

/// The suites of a run in the order of their cases, each once.
pub(crate) fn suites(result: &RunResult) -> Vec<&str> {
    let mut suites: Vec<&str> = Vec::new();
    for case in &result.cases {
        if !suites.contains(&case.suite.as_str()) {
            suites.push(&case.suite);
        }
    }
    suites
}

/// How many cases were judged more than once, and not always alike.
pub(crate) fn flaky(result: &RunResult) -> usize {
    result.cases.iter().filter(|case| is_flaky(case.verdict, &case.again)).count()
}

fn is_flaky(verdict: CaseVerdict, again: &[Again]) -> bool {
    again.iter().any(|other| other.verdict != verdict && other.verdict != CaseVerdict::NotRun)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Record;
    use crate::events::{CaseFinished, Deviation, Mismatch, PlannedCase};
    use crate::result::Again;
    use crate::verdict::CaseVerdict::{self, Fail, NotRun, Pass};
    use crate::verdict::Level;

    #[rstest]
    #[case::once(Fail, &[], false)]
    #[case::always_alike(Fail, &[Fail, Fail], false)]
    #[case::green_too(Fail, &[Pass], true)]
    #[case::not_reached(Pass, &[NotRun], false)]
    fn flaky_is_what_was_judged_unlike(
        #[case] verdict: CaseVerdict,
        #[case] others: &[CaseVerdict],
        #[case] want: bool,
    ) {
        let again = |&verdict| Again { run: "r".into(), verdict, reason: None, duration_ms: 1 };
        let again: Vec<_> = others.iter().map(again).collect();
        assert_eq!(super::is_flaky(verdict, &again), want);
    }

    #[rstest]
    #[case::plain(Level::Core, Fail, false, true)]
    #[case::green(Level::Core, Pass, false, false)]
    #[case::observed(Level::Observed, Fail, false, false)]
    #[case::quarantined(Level::Core, Fail, true, false)]
    fn what_gates(
        #[case] level: Level,
        #[case] verdict: CaseVerdict,
        #[case] quarantine: bool,
        #[case] want: bool,
    ) {
        let case = PlannedCase { level, ..PlannedCase::default() };
        let deviation = Some(Deviation { quarantine, ..Deviation::default() });
        let end = CaseFinished { verdict, deviation, ..CaseFinished::default() };
        assert_eq!(Record::of(&case, &end).gates(), want);
    }

    #[rstest]
    #[case::allowed("status: 403", "status: 200", true)]
    #[case::other_denial("status: 403", "status: 503", false)]
    #[case::not_a_denial("status: 404", "status: 200", false)]
    fn passing_what_was_to_be_denied_is_fail_open(#[case] want: &str, #[case] got: &str, #[case] open: bool) {
        let failure = Some(Mismatch { want: want.into(), got: got.into(), ..Mismatch::default() });
        let end = CaseFinished { failure, ..CaseFinished::default() };
        assert_eq!(Record::of(&PlannedCase::default(), &end).is_fail_open(), open);
    }
}
