//! A diff as a terminal shows it.

use std::fmt::Write;

use super::{Change, Diff, Difference, Kind, Measure, Side};
use crate::gate::Checked;
use crate::plain;
use crate::text::{Style, counted, seconds};
use crate::verdict::CaseVerdict;

const NAMES: usize = 20;

impl Diff {
    /// As text, with the outcome of the gate, if there was one.
    pub fn text(&self, gate: &[Checked], style: Style) -> String {
        let mut out = String::new();
        let width = self.base.id.chars().count().max(self.head.id.chars().count());
        side(&mut out, "base", &self.base, width, "");
        side(&mut out, "head", &self.head, width, &format!(", {} compared", self.compared));
        let _ = writeln!(out, "{}", self.comparable());
        let _ = writeln!(out, "\nCONFORMANCE            base         head");
        for kind in Kind::ALL {
            self.kind(&mut out, kind, style);
        }
        if self.is_empty() {
            out.push_str("  no verdict changed\n");
        }
        only(&mut out, "base", &self.only_base);
        only(&mut out, "head", &self.only_head);
        self.times(&mut out);
        for (index, checked) in gate.iter().enumerate() {
            let _ = writeln!(out, "{}{checked}", if index == 0 { "\ngate  " } else { "      " });
        }
        out
    }

    /// Whether the runs may be compared, and where they differ.
    pub(super) fn comparable(&self) -> String {
        let list = |differences: &[Difference]| {
            differences.iter().map(|found| plain::shown(&found.to_string())).collect::<Vec<_>>().join(", ")
        };
        match (self.mismatches.as_slice(), self.differs.as_slice()) {
            ([], []) => "comparable: yes".to_owned(),
            ([], differs) => format!("comparable: yes (differs in {})", list(differs)),
            (mismatches, []) => format!("comparable: no, compared anyway ({})", list(mismatches)),
            (mismatches, differs) => {
                format!("comparable: no, compared anyway ({}; {})", list(mismatches), list(differs))
            }
        }
    }

    fn kind(&self, out: &mut String, kind: Kind, style: Style) {
        let count = self.count(kind);
        let _ = write!(out, "  {:<14}  {count:>3}", kind.as_str());
        if count == 0 {
            out.push('\n');
        }
        for (index, change) in self.of(kind).enumerate() {
            let indent = if index == 0 { 2 } else { 23 };
            let _ = writeln!(out, "{:indent$}{}", "", row(change, style));
        }
    }

    fn times(&self, out: &mut String) {
        let rows = self.measures();
        let width = rows.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0).max(5);
        let _ = writeln!(out, "\n{:<1$}        base        head     change", "TIMES", width + 2);
        for (label, measure) in rows {
            let _ = writeln!(out, "  {label:<width$}  {}", columns(measure));
        }
        for slower in &self.times.slower {
            let (base, head) = (seconds(slower.ms.base), seconds(slower.ms.head));
            let _ = writeln!(out, "SLOWER CASE  {}  {base} → {head}", plain::shown(&slower.name));
        }
    }

    /// Every measure with its label.
    pub(super) fn measures(&self) -> Vec<(String, Measure)> {
        let times = &self.times;
        let of_cases = format!("({})", counted(times.converged, "case"));
        let convergence = [
            (format!("convergence p50 {of_cases}"), times.convergence_p50),
            (format!("convergence p95 {of_cases}"), times.convergence_p95),
        ];
        let convergence = convergence.into_iter().filter_map(|(label, measure)| Some((label, measure?)));
        let phases = times.phases.iter().map(|phase| (format!("phase {}", phase.phase.as_str()), phase.ms));
        convergence.chain(phases).chain([("whole run".to_owned(), times.duration)]).collect()
    }
}

/// A change in percent, such as `+22.4 %`.
pub(super) fn percent(measure: Measure) -> String {
    let change = measure.change();
    let change = if change.abs() < 0.05 { 0.0 } else { change }; // never `-0.0 %`
    if change.is_finite() { format!("{change:+.1} %") } else { "new".to_owned() }
}

fn side(out: &mut String, label: &str, side: &Side, width: usize, more: &str) {
    let Side { id, target, istio, waymark, verdict, cases, reason } = side;
    let _ = write!(out, "{label}  {:<width$}  ", plain::shown(id));
    let _ = write!(
        out,
        "istio {} · {} · waymark {}",
        plain::shown(istio),
        plain::shown(target),
        plain::shown(waymark)
    );
    let _ = write!(out, "  {verdict}  {}{more}", counted(*cases, "case"));
    if let Some(reason) = reason {
        let _ = write!(out, " ({})", plain::shown(reason));
    }
    out.push('\n');
}

fn row(change: &Change, style: Style) -> String {
    let painted = |verdict: CaseVerdict| style.verdict(verdict, &format!("{verdict:<11}"));
    let mut row =
        format!("{}→ {}  {}", painted(change.base), painted(change.head), plain::shown(&change.name));
    let why = change.cause.as_ref().or(change.reason.as_ref().filter(|_| change.kind == Kind::CoverageLoss));
    if let Some(why) = why {
        let _ = write!(row, "  {}", plain::shown(why));
    }
    row
}

fn only(out: &mut String, whose: &str, names: &[String]) {
    if names.is_empty() {
        return;
    }
    let _ = writeln!(out, "\nonly in {whose}, not compared: {}", names.len());
    for name in names.iter().take(NAMES) {
        let _ = writeln!(out, "  {}", plain::shown(name));
    }
    if names.len() > NAMES {
        let _ = writeln!(out, "  and {} more", names.len() - NAMES);
    }
}

fn columns(measure: Measure) -> String {
    format!("{:>10}  {:>10}  {:>9}", seconds(measure.base), seconds(measure.head), percent(measure))
}
