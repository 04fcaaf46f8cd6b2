//! Conditions on a [`Diff`], such as `new_failures==0 && convergence.p95.change<15%`.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::diff::Diff;

mod metric;

use metric::{METRICS, Metric};

/// What `default` stands for: nothing broke, nothing that was judged is judged no more (a case that the head leaves out
/// of its plan included), and nothing broken was put on the list of known deviations.
pub const DEFAULT: &str =
    "new_failures==0 && new_errors==0 && coverage_loss==0 && only_base==0 && new_known==0";

/// Conditions that must all hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    conditions: Vec<Condition>,
}

/// A condition and whether it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// As it was written, without spaces.
    pub condition: String,
    /// What the metric is, such as `22.4%`; null when it was not measured.
    pub value: Option<String>,
    /// Whether it holds; one that was not measured does not.
    pub holds: bool,
}

/// A gate that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// No comparison in it.
    #[error("gate condition `{condition}` has none of ==, !=, <=, >=, <, >")]
    NoOperator {
        /// The condition.
        condition: String,
    },
    /// A metric that does not exist.
    #[error("gate condition `{condition}`: there is no metric `{metric}`")]
    UnknownMetric {
        /// The condition.
        condition: String,
        /// What was typed.
        metric: String,
    },
    /// The right side is no number of the metric's unit.
    #[error("gate condition `{condition}`: `{value}` is not {wanted}")]
    BadValue {
        /// The condition.
        condition: String,
        /// What was typed.
        value: String,
        /// What is wanted.
        wanted: &'static str,
    },
}

#[derive(Clone, Debug, PartialEq)]
struct Condition {
    metric: &'static Metric,
    operator: Operator,
    bound: f64,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    Unequal,
    AtMost,
    AtLeast,
    Below,
    Above,
}

/// Longer ones first, since `<` is the beginning of `<=`.
const OPERATORS: [(&str, Operator); 6] = [
    ("==", Operator::Equal),
    ("!=", Operator::Unequal),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("<", Operator::Below),
    (">", Operator::Above),
];

/// Every metric with its meaning, for messages and help.
pub fn metrics() -> Vec<(&'static str, &'static str)> {
    METRICS.iter().map(|metric| (metric.name, metric.about)).collect()
}

impl Gate {
    /// Checks every condition.
    pub fn check(&self, diff: &Diff) -> Vec<Checked> {
        self.conditions.iter().map(|condition| condition.check(diff)).collect()
    }
}

impl FromStr for Gate {
    type Err = GateError;

    fn from_str(text: &str) -> Result<Self, GateError> {
        let spelled = |part| if str::trim(part) == "default" { DEFAULT } else { part };
        let parts = text.split("&&").flat_map(|part| spelled(part).split("&&"));
        let conditions = parts.map(Condition::parse).collect::<Result<_, _>>()?;
        Ok(Self { conditions })
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.holds { "✓" } else { "✗" };
        match &self.value {
            Some(value) => write!(f, "{mark} {} (is {value})", self.condition),
            None => write!(f, "{mark} {} (was not measured)", self.condition),
        }
    }
}

impl Condition {
    fn parse(text: &str) -> Result<Self, GateError> {
        let text: String = text.split_whitespace().collect();
        let found = text.find(['=', '!', '<', '>']).and_then(|at| {
            let (sign, operator) = OPERATORS.into_iter().find(|(sign, _)| text[at..].starts_with(sign))?;
            Some((&text[..at], operator, &text[at + sign.len()..]))
        });
        let Some((name, operator, value)) = found else {
            return Err(GateError::NoOperator { condition: text });
        };
        let Some(metric) = METRICS.iter().find(|metric| metric.name == name) else {
            return Err(GateError::UnknownMetric { metric: name.to_owned(), condition: text });
        };
        let Some(bound) = metric.unit().parse(value) else {
            let (value, wanted) = (value.to_owned(), metric.unit().wanted());
            return Err(GateError::BadValue { value, wanted, condition: text });
        };
        Ok(Self { metric, operator, bound, text })
    }

    fn check(&self, diff: &Diff) -> Checked {
        let value = self.metric.value(diff);
        Checked {
            condition: self.text.clone(),
            value: value.map(|value| self.metric.unit().show(value)),
            holds: value.is_some_and(|value| self.operator.holds(value, self.bound)),
        }
    }
}

impl Operator {
    fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Equal => value == bound,
            Self::Unequal => value != bound,
            Self::AtMost => value <= bound,
            Self::AtLeast => value >= bound,
            Self::Below => value < bound,
            Self::Above => value > bound,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Gate, METRICS, metrics};
    use crate::diff::{Diff, compare};
    use crate::result::draft::Draft;
    use crate::verdict::CaseVerdict::{self, Error, Fail, Known, NotRun, Pass, Skip, Unsupported};

    fn sample() -> Diff {
        let base = Draft::new("a", 0)
            .judged(10, Pass, |end| end.convergence_ms = Some(100))
            .judged(20, Pass, |end| end.convergence_ms = Some(200))
            .case(30, Pass)
            .case(40, Pass)
            .judged(50, Pass, |end| end.convergence_ms = None);
        let head = Draft::new("b", 1)
            .judged(10, Fail, |end| end.convergence_ms = Some(100))
            .judged(20, Pass, |end| end.convergence_ms = Some(245))
            .case(30, Unsupported)
            .judged(50, Known, |end| end.convergence_ms = None);
        compare(&base.result(), &head.result())
    }

    #[rstest]
    #[case("new_failures==0", "✗ new_failures==0 (is 1)")]
    #[case("new_failures <= 1", "✓ new_failures<=1 (is 1)")]
    #[case("coverage_loss != 0", "✓ coverage_loss!=0 (is 1)")]
    #[case("convergence.p95.change<15%", "✗ convergence.p95.change<15% (is +22.5%)")]
    #[case("convergence.p50.change<=0.0%", "✓ convergence.p50.change<=0.0% (is +0.0%)")]
    #[case("convergence.p95<1s", "✓ convergence.p95<1s (is 245 ms)")]
    #[case("convergence.p95>=300ms", "✗ convergence.p95>=300ms (is 245 ms)")]
    #[case("phases.stage.change<5%", "✗ phases.stage.change<5% (was not measured)")]
    #[case(
        "default",
        "✗ new_failures==0 (is 1)\n✓ new_errors==0 (is 0)\n\
        ✗ coverage_loss==0 (is 1)\n✗ only_base==0 (is 1)\n✗ new_known==0 (is 1)"
    )]
    #[case(
        "still_failing==0 && default && only_head==0",
        "✓ still_failing==0 (is 0)\n✗ new_failures==0 (is 1)\n\
        ✓ new_errors==0 (is 0)\n✗ coverage_loss==0 (is 1)\n✗ only_base==0 (is 1)\n\
        ✗ new_known==0 (is 1)\n✓ only_head==0 (is 0)"
    )]
    fn conditions_are_checked(#[case] gate: &str, #[case] want: &str) {
        let checked = gate.parse::<Gate>().unwrap().check(&sample());
        let got: Vec<_> = checked.iter().map(ToString::to_string).collect();
        assert_eq!(got.join("\n"), want);
    }

    #[rstest]
    #[case::as_it_was(Pass, Some(Pass), true)]
    #[case::mended(Fail, Some(Pass), true)]
    #[case::as_broken_as_it_was(Fail, Some(Fail), true)]
    #[case::known_as_it_was(Known, Some(Known), true)]
    #[case::broke(Pass, Some(Fail), false)]
    #[case::errs(Pass, Some(Error), false)]
    #[case::listed(Pass, Some(Known), false)]
    #[case::left_out(Pass, Some(Skip), false)]
    #[case::not_reached(Pass, Some(NotRun), false)]
    #[case::gone(Pass, None, false)]
    fn the_default_lets_nothing_that_was_judged_go_away(
        #[case] base: CaseVerdict,
        #[case] head: Option<CaseVerdict>,
        #[case] want: bool,
    ) {
        let start = || Draft::new("a", 0).case(10, Pass);
        let after = head.map_or_else(start, |head| start().case(20, head));
        let diff = compare(&start().case(20, base).result(), &after.result());
        let checked = "default".parse::<Gate>().unwrap().check(&diff);
        assert_eq!(checked.iter().all(|one| one.holds), want);
    }

    #[rstest]
    #[case("", "gate condition `` has none of ==, !=, <=, >=, <, >")]
    #[case("new_failures", "gate condition `new_failures` has none of ==, !=, <=, >=, <, >")]
    #[case("new_failures=0", "gate condition `new_failures=0` has none of ==, !=, <=, >=, <, >")]
    #[case("failures==0", "gate condition `failures==0`: there is no metric `failures`")]
    #[case("new_failures==0 &&", "gate condition `` has none of ==, !=, <=, >=, <, >")]
    #[case("new_failures==0%", "gate condition `new_failures==0%`: `0%` is not a whole number")]
    #[case(
        "convergence.p95.change<15",
        "gate condition `convergence.p95.change<15`: `15` is not a percentage such as 15%"
    )]
    #[case("convergence.p95<2", "gate condition `convergence.p95<2`: `2` is not a time such as 500ms or 2s")]
    #[case(
        "convergence.p95.change<NaN%",
        "gate condition `convergence.p95.change<NaN%`: `NaN%` is not a percentage such as 15%"
    )]
    fn nonsense_is_named(#[case] gate: &str, #[case] want: &str) {
        assert_eq!(gate.parse::<Gate>().unwrap_err().to_string(), want);
    }

    #[test]
    fn metrics_have_names_of_their_own() {
        let mut names: Vec<_> = metrics().into_iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), METRICS.len());
    }
}
