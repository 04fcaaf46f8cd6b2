//! The words with which cases and runs are judged.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The outcome of one case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseVerdict {
    /// The promise was kept.
    Pass,
    /// The mesh broke a promise.
    Fail,
    /// The case could not be judged.
    Error,
    /// A listed deviation that still fails.
    Known,
    /// A need is absent; decided before the run.
    Unsupported,
    /// Left out by the user.
    Skip,
    /// The run ended before the case was judged.
    #[default]
    NotRun,
}

/// The outcome of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunVerdict {
    /// Every binding promise that was tried was kept.
    Conformant,
    /// At least one binding promise was broken.
    Nonconformant,
    /// Something binding could not be judged, and nothing binding failed.
    Inconclusive,
}

/// How binding a promise is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// An upstream integration test or stable documentation says so.
    #[default]
    Core,
    /// An alpha or beta feature.
    Extended,
    /// Read from code or undocumented: recorded, never held against the mesh.
    Observed,
}

/// Which waypoint a case went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The waypoint of a namespace.
    Namespace,
    /// The waypoint that Istio itself binds to a service account (up to 1.21).
    ServiceAccount,
    /// The same by labelled Services, since Istio dropped the scope in 1.22.
    ServiceAccountEmulated,
}

/// A case as it counts for the verdict of its run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weighed {
    /// How binding its promise is.
    pub level: Level,
    /// Its verdict.
    pub verdict: CaseVerdict,
    /// Whether it is reported without gating.
    pub quarantined: bool,
    /// Whether it falls under a listed deviation that has expired.
    pub expired: bool,
    /// Whether it passes at level core on values that the adapter stands in for, which judges nothing of Istio's.
    pub by_adapter: bool,
}

impl CaseVerdict {
    /// The word in `result.json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Error => "error",
            Self::Known => "known",
            Self::Unsupported => "unsupported",
            Self::Skip => "skip",
            Self::NotRun => "not-run",
        }
    }

    /// Whether a reader has to look at it.
    pub const fn is_red(self) -> bool {
        matches!(self, Self::Fail | Self::Error)
    }
}

impl RunVerdict {
    /// The word in `result.json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Conformant => "conformant",
            Self::Nonconformant => "nonconformant",
            Self::Inconclusive => "inconclusive",
        }
    }

    /// Judges a run by its cases: a broken binding promise decides; without one, whatever is binding and was
    /// not judged leaves the run open, as does an expired deviation, and a run that judged nothing at all. A core pass
    /// that rests on the adapter is no judgement of the mesh.
    pub fn of(cases: impl IntoIterator<Item = Weighed>) -> Self {
        let (mut broken, mut open, mut judged) = (false, false, false);
        for Weighed { level, verdict, quarantined, expired, by_adapter } in cases {
            let binding = level != Level::Observed && !quarantined;
            broken |= binding && verdict == CaseVerdict::Fail;
            open |= binding && matches!(verdict, CaseVerdict::Error | CaseVerdict::NotRun);
            open |= expired;
            judged |=
                !by_adapter && matches!(verdict, CaseVerdict::Pass | CaseVerdict::Fail | CaseVerdict::Known);
        }
        match (broken, open || !judged) {
            (true, _) => Self::Nonconformant,
            (false, true) => Self::Inconclusive,
            (false, false) => Self::Conformant,
        }
    }
}

impl Level {
    /// All of them, the most binding first.
    pub const ALL: [Self; 3] = [Self::Core, Self::Extended, Self::Observed];

    /// The word in `result.json` and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Extended => "extended",
            Self::Observed => "observed",
        }
    }

    /// What it means for a verdict.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Core => "an upstream integration test or stable documentation says so",
            Self::Extended => "a feature in alpha or beta",
            Self::Observed => "read from code or undocumented; never makes a real Istio nonconformant",
        }
    }
}

impl fmt::Display for CaseVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for RunVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::CaseVerdict::{Error, Fail, Known, NotRun, Pass, Skip, Unsupported};
    use super::Level::{Core, Extended, Observed};
    use super::RunVerdict::{Conformant, Inconclusive, Nonconformant};
    use super::{CaseVerdict, Level, RunVerdict, Weighed};

    #[rstest]
    #[case::all_pass(&[(Core, Pass), (Extended, Pass)], Conformant)]
    #[case::core_fails(&[(Core, Pass), (Core, Fail)], Nonconformant)]
    #[case::extended_fails(&[(Core, Pass), (Extended, Fail)], Nonconformant)]
    #[case::observed_fails(&[(Core, Pass), (Observed, Fail)], Conformant)]
    #[case::observed_errs(&[(Core, Pass), (Observed, Error)], Conformant)]
    #[case::core_errs(&[(Core, Pass), (Core, Error)], Inconclusive)]
    #[case::not_reached(&[(Core, Pass), (Extended, NotRun)], Inconclusive)]
    #[case::failure_beats_error(&[(Core, Fail), (Core, Error)], Nonconformant)]
    #[case::known_is_no_failure(&[(Core, Known), (Core, Pass)], Conformant)]
    #[case::left_out_is_no_failure(&[(Core, Pass), (Core, Unsupported), (Core, Skip)], Conformant)]
    #[case::nothing_judged(&[(Core, Unsupported)], Inconclusive)]
    #[case::empty(&[], Inconclusive)]
    fn a_run_is_judged_by_its_cases(#[case] cases: &[(Level, CaseVerdict)], #[case] want: RunVerdict) {
        let weighed = cases.iter().map(|&(level, verdict)| Weighed { level, verdict, ..Weighed::default() });
        assert_eq!(RunVerdict::of(weighed), want);
    }

    #[rstest]
    #[case::quarantined(true, false, Conformant)]
    #[case::expired(false, true, Nonconformant)]
    #[case::both(true, true, Inconclusive)]
    fn a_deviation_bends_what_a_failure_counts(
        #[case] quarantined: bool,
        #[case] expired: bool,
        #[case] want: RunVerdict,
    ) {
        let case = Weighed { level: Core, verdict: Fail, quarantined, expired, ..Weighed::default() };
        assert_eq!(RunVerdict::of([case]), want);
    }

    #[rstest]
    #[case::alone(&[], Inconclusive)]
    #[case::beside_a_pass(&[(Core, Pass)], Conformant)]
    #[case::beside_a_failure(&[(Core, Fail)], Nonconformant)]
    #[case::beside_what_is_absent(&[(Core, Unsupported)], Inconclusive)]
    fn a_pass_that_rests_on_the_adapter_judges_nothing(
        #[case] others: &[(Level, CaseVerdict)],
        #[case] want: RunVerdict,
    ) {
        let by_adapter = Weighed { level: Core, verdict: Pass, by_adapter: true, ..Weighed::default() };
        let others = others.iter().map(|&(level, verdict)| Weighed { level, verdict, ..Weighed::default() });
        assert_eq!(RunVerdict::of([by_adapter].into_iter().chain(others)), want);
    }
}
