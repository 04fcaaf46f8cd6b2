//! Where the time of the cases went.

use maud::{Markup, html};

use super::words::{BarPart, bar, case_link, micros};
use crate::events::Steps;
use crate::result::{CaseResult, RunResult};
use crate::text::seconds;

/// How many of the slowest cases are listed.
const SLOWEST: usize = 15;
/// Name, explanation, colour without a style sheet, class with one.
const NAMES: [(&str, &str, &str, &str); 4] = [
    ("open", "opening its world", "#6f8fb3", "f-open"),
    ("run", "its own function", "#3b6ea8", "f-data"),
    ("close", "evidence and clean-up", "#b07aa1", "f-close"),
    ("engine", "everything else", "#5d6873", "f-engine"),
];

/// The steps of all cases, and the slowest ones.
pub(super) fn section(result: &RunResult) -> Markup {
    let mut ran: Vec<_> = result.cases.iter().filter(|case| case.duration_ms > 0).collect();
    ran.sort_by_key(|case| std::cmp::Reverse(case.duration_ms));
    let sums = sums(&ran);
    let whole: u64 = sums.iter().sum();
    html! {
        section id="time" {
            @if !ran.is_empty() {
                h2 { "Where the time went" }
                @if whole > 0 { (all(&sums, whole, ran.len())) }
                h3 { "Slowest cases " span.count { (ran.len().min(SLOWEST)) } }
                (slowest(&ran))
            }
        }
    }
}

fn all(sums: &[u64; 4], whole: u64, cases: usize) -> Markup {
    html! {
        div.wide { table.numbers border="1" cellpadding="4" cellspacing="0" {
            thead { tr { th { "step" } th { "what" } th { "share" } th align="right" { "%" } th align="right" { "in all" } th align="right" { "a case" } } }
            tbody {
                @for ((name, what, fill, class), sum) in NAMES.into_iter().zip(sums) {
                    tr {
                        th align="left" { (name) }
                        td { (what) }
                        td width="220" { (bar(220.0, 0.0, whole as f64, &[BarPart { name, value: *sum as f64, shown: micros(*sum), fill, class }])) }
                        td align="right" { (format!("{:.1}", *sum as f64 / whole as f64 * 100.0)) }
                        td align="right" { (micros(*sum)) }
                        td align="right" { (micros(sum / cases.max(1) as u64)) }
                    }
                }
            }
        } }
    }
}

fn slowest(ran: &[&CaseResult]) -> Markup {
    let longest = ran.first().map_or(1, |case| case.duration_ms);
    html! {
        div.wide { table.numbers border="1" cellpadding="4" cellspacing="0" {
            thead { tr { th { "case" } th align="right" { "time" } th { "steps" } @for (name, ..) in NAMES { th align="right" { (name) } } } }
            tbody {
                @for case in ran.iter().take(SLOWEST) {
                    tr {
                        td.case { code { (case_link(case)) } }
                        td align="right" { (seconds(case.duration_ms)) }
                        td width="220" { (bar(220.0, 0.0, longest as f64 * 1000.0, &parts(case))) }
                        @for us in list(&case.steps) { td align="right" { @if us > 0 { (micros(us)) } @else { span.soft { "–" } } } }
                    }
                }
            }
        } }
    }
}

/// The steps of a case as parts of its bar; its whole time where the steps are not known.
fn parts(case: &CaseResult) -> Vec<BarPart<'static>> {
    let steps = list(&case.steps);
    if steps.iter().all(|us| *us == 0) {
        let shown = seconds(case.duration_ms);
        let value = case.duration_ms as f64 * 1000.0;
        return vec![BarPart { name: "time", value, shown, fill: "#3b6ea8", class: "f-data" }];
    }
    let part = |((name, _, fill, class), us): ((&'static str, _, &'static str, &'static str), u64)| BarPart {
        name,
        value: us as f64,
        shown: micros(us),
        fill,
        class,
    };
    NAMES.into_iter().zip(steps).map(part).collect()
}

fn sums(cases: &[&CaseResult]) -> [u64; 4] {
    let mut sums = [0; 4];
    for case in cases {
        for (sum, us) in sums.iter_mut().zip(list(&case.steps)) {
            *sum += us;
        }
    }
    sums
}

fn list(steps: &Steps) -> [u64; 4] {
    let Steps { open_us, run_us, close_us, engine_us } = *steps;
    [open_us, run_us, close_us, engine_us]
}
