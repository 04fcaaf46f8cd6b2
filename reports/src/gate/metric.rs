//! What a gate can measure.

use std::fmt;

use crate::diff::{Diff, Kind, Measure};
use crate::events::Phase;
use crate::text::seconds;

/// A number of a diff.
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    from: From,
}

/// Where the number comes from.
enum From {
    Cases(fn(&Diff) -> usize),
    Change(fn(&Diff) -> Option<Measure>),
    Head(fn(&Diff) -> Option<Measure>),
}

/// What the number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Cases,
    Percent,
    Millis,
}

pub(super) const METRICS: [Metric; 15] = [
    cases("new_failures", "cases that fail and did not", |diff| diff.count(Kind::NewlyFailing)),
    cases("new_errors", "cases that cannot be judged and could", |diff| diff.count(Kind::NewlyErring)),
    cases("new_known", "cases that fail under a listed deviation and did not", |diff| {
        diff.count(Kind::NewlyKnown)
    }),
    cases("coverage_loss", "cases that were judged and are not", |diff| diff.count(Kind::CoverageLoss)),
    cases("still_failing", "cases that fail in both", |diff| diff.count(Kind::StillFailing)),
    cases("only_base", "cases that only the base has", |diff| diff.only_base.len()),
    cases("only_head", "cases that only the head has", |diff| diff.only_head.len()),
    cases("slower_cases", "cases that take twice as long and a second more", |diff| diff.times.slower.len()),
    change("convergence.p50.change", "median time to converge against the base", |diff| {
        diff.times.convergence_p50
    }),
    change("convergence.p95.change", "95th percentile of it", |diff| diff.times.convergence_p95),
    head("convergence.p95", "95th percentile of the time to converge in the head", |diff| {
        diff.times.convergence_p95
    }),
    change("duration.change", "time of the whole run against the base", |diff| Some(diff.times.duration)),
    change("phases.up.change", "time to bring the cluster up", |diff| phase(diff, Phase::Up)),
    change("phases.stage.change", "time to set the stage", |diff| phase(diff, Phase::Stage)),
    change("phases.cases.change", "time to run the cases", |diff| phase(diff, Phase::Cases)),
];

impl Metric {
    pub(super) const fn unit(&self) -> Unit {
        match self.from {
            From::Cases(_) => Unit::Cases,
            From::Change(_) => Unit::Percent,
            From::Head(_) => Unit::Millis,
        }
    }

    /// None when it was not measured in both runs.
    pub(super) fn value(&self, diff: &Diff) -> Option<f64> {
        match self.from {
            From::Cases(count) => Some(count(diff) as f64),
            From::Change(measure) => measure(diff).map(Measure::change),
            From::Head(measure) => measure(diff).map(|measure| measure.head as f64),
        }
    }
}

impl Unit {
    pub(super) const fn wanted(self) -> &'static str {
        match self {
            Self::Cases => "a whole number",
            Self::Percent => "a percentage such as 15%",
            Self::Millis => "a time such as 500ms or 2s",
        }
    }

    pub(super) fn parse(self, text: &str) -> Option<f64> {
        let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
        match self {
            Self::Cases => text.parse::<u32>().ok().map(f64::from),
            Self::Percent => number(text.strip_suffix('%')?),
            Self::Millis => match text.strip_suffix("ms") {
                Some(ms) => number(ms),
                None => number(text.strip_suffix('s')?).map(|seconds| seconds * 1000.0),
            },
        }
    }

    pub(super) fn show(self, value: f64) -> String {
        match self {
            Self::Cases => value.to_string(),
            Self::Percent => format!("{value:+.1}%"),
            Self::Millis => seconds(value as u64),
        }
    }
}

impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl fmt::Debug for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

const fn cases(name: &'static str, about: &'static str, of: fn(&Diff) -> usize) -> Metric {
    Metric { name, about, from: From::Cases(of) }
}

const fn change(name: &'static str, about: &'static str, of: fn(&Diff) -> Option<Measure>) -> Metric {
    Metric { name, about, from: From::Change(of) }
}

const fn head(name: &'static str, about: &'static str, of: fn(&Diff) -> Option<Measure>) -> Metric {
    Metric { name, about, from: From::Head(of) }
}

fn phase(diff: &Diff, phase: Phase) -> Option<Measure> {
    diff.times.phases.iter().find(|times| times.phase == phase).map(|times| times.ms)
}
