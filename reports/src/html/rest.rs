//! The cases that nobody has to look at first: known deviations, what was not tried, and what passed.

use maud::{Markup, html};

use super::words::{anchor, badge, clip, count, scope};
use super::{Budget, header, left_out, record};
use crate::result::{CaseResult, RunResult};
use crate::text::seconds;
use crate::verdict::CaseVerdict;

/// How many reasons for one verdict are told apart.
const REASONS: usize = 200;
/// How many figures of one case are listed.
const FIGURES: usize = 20;

/// Listed deviations that still fail.
pub(super) fn known(result: &RunResult, rows: &mut Budget) -> Markup {
    let cases: Vec<_> = of(result, CaseVerdict::Known).collect();
    let line = |case: &&CaseResult| {
        html! {
            tr id=(anchor(&case.name)) data-case=(case.verdict) {
                td bgcolor="#fdecc2" { (badge(case.verdict)) }
                td.case { (case_cell(case)) }
                td.text {
                    @match &case.deviation {
                        Some(listed) => (record::deviation(listed)),
                        None => (clip(case.reason.as_deref().unwrap_or("no reason given"), 1000)),
                    }
                    @if !case.again.is_empty() { (record::again(&case.again)) }
                }
            }
        }
    };
    let lines: Vec<_> = cases.iter().map_while(|case| rows.admit(line(case))).collect();
    html! {
        section id="known" data-group {
            @if !cases.is_empty() {
                h2 { "Known deviations " span.count { (cases.len()) } }
                div.wide { table border="1" cellpadding="4" cellspacing="0" {
                    thead { tr { th {} th { "case" } th { "deviation" } } }
                    tbody { @for line in &lines { (line) } }
                } }
                (left_out(cases.len() - lines.len()))
            }
        }
    }
}

/// What was not tried, by the reason why.
pub(super) fn not_tried(result: &RunResult, rows: &mut Budget) -> Markup {
    let verdicts = [CaseVerdict::NotRun, CaseVerdict::Unsupported, CaseVerdict::Skip];
    let all: usize = verdicts.iter().map(|verdict| of(result, *verdict).count()).sum();
    html! {
        section id="not-tried" data-group {
            @if all > 0 {
                h2 { "Not tried " span.count { (all) } }
                @for verdict in verdicts { (of_verdict(result, verdict, rows)) }
            }
        }
    }
}

/// What passed, area by area.
pub(super) fn passed(result: &RunResult, rows: &mut Budget) -> Markup {
    let cases: Vec<_> = of(result, CaseVerdict::Pass).collect();
    let mut areas: Vec<(&str, Vec<&CaseResult>)> = Vec::new();
    for case in &cases {
        match areas.iter_mut().find(|(area, _)| *area == case.suite) {
            Some((_, list)) => list.push(case),
            None => areas.push((&case.suite, vec![case])),
        }
    }
    let blocks: Vec<_> = areas.iter().map(|(area, list)| block(area, list, rows)).collect();
    let shown: usize = blocks.iter().map(|(_, shown)| shown).sum();
    html! {
        section id="passed" data-group {
            @if !cases.is_empty() {
                h2 { "Passed " span.count { (cases.len()) } }
                div.wide { table.numbers border="1" cellpadding="4" cellspacing="0" {
                    thead { tr { th { "case" } th { "level" } th { "scope" } th align="right" { "time" } th align="right" { "converged" } th align="right" { "probes" } } }
                    @for (block, _) in &blocks { (block) }
                } }
                (left_out(cases.len() - shown))
            }
        }
    }
}

/// The passed cases of one area, and how many of them there was room for.
fn block(area: &str, cases: &[&CaseResult], rows: &mut Budget) -> (Markup, usize) {
    let lines: Vec<_> = cases.iter().map_while(|case| rows.admit(passed_row(case))).collect();
    let block = html! {
        @if !lines.is_empty() {
            tbody data-group {
                tr.area { th colspan="6" align="left" bgcolor="#eef1f4" { (clip(area, 80)) " " span.count { (cases.len()) } } }
                @for line in &lines { (line) }
            }
        }
    };
    (block, lines.len())
}

fn passed_row(case: &CaseResult) -> Markup {
    html! {
        tr id=(anchor(&case.name)) data-case=(case.verdict) {
            td.case { (case_cell(case)) (figures(case)) @if !case.again.is_empty() { (record::again(&case.again)) } }
            td { (case.level.as_str()) }
            td { @if let Some(of) = case.scope { (scope(of)) } }
            td align="right" { (seconds(case.duration_ms)) }
            td align="right" { @if let Some(ms) = case.convergence_ms { (seconds(ms)) } }
            td align="right" { (case.attempts) }
        }
    }
}

/// What the case counted without judging it, a line each.
pub(super) fn figures(case: &CaseResult) -> Markup {
    html! { @for figure in case.figures.iter().take(FIGURES) { br; span.soft { "counted: " (clip(&figure.words(), 200)) } } }
}

fn case_cell(case: &CaseResult) -> Markup {
    html! {
        code { (clip(&case.name, 200)) } br;
        span.soft { (clip(&case.promise, 300)) @if !case.refs.is_empty() { " " (clip(&case.refs.join(", "), 100)) } }
    }
}

fn of_verdict(result: &RunResult, verdict: CaseVerdict, rows: &mut Budget) -> Markup {
    let reasons = reasons(result, verdict);
    let (shown, other) = reasons.split_at(reasons.len().min(REASONS));
    html! {
        div id=(header::target(verdict)) data-group {
            @for (reason, cases) in shown { (by_reason(verdict, reason, cases, rows)) }
            (left_out(other.iter().map(|(_, cases)| cases.len()).sum()))
        }
    }
}

fn by_reason(verdict: CaseVerdict, reason: &str, cases: &[&CaseResult], rows: &mut Budget) -> Markup {
    let line = |case: &&CaseResult| {
        html! { tr id=(anchor(&case.name)) data-case=(case.verdict) { td.case { (case_cell(case)) } td { (case.level.as_str()) } } }
    };
    let lines: Vec<_> = cases.iter().map_while(|case| rows.admit(line(case))).collect();
    html! {
        details.reason data-group {
            summary { (badge(verdict)) " " (clip(reason, 300)) " " span.count { (count(cases.len(), "case")) } }
            table border="1" cellpadding="4" cellspacing="0" { tbody { @for line in &lines { (line) } } }
            (left_out(cases.len() - lines.len()))
        }
    }
}

fn of(result: &RunResult, verdict: CaseVerdict) -> impl Iterator<Item = &CaseResult> {
    result.cases.iter().filter(move |case| case.verdict == verdict)
}

fn reasons(result: &RunResult, verdict: CaseVerdict) -> Vec<(&str, Vec<&CaseResult>)> {
    let mut reasons: Vec<(&str, Vec<&CaseResult>)> = Vec::new();
    for case in of(result, verdict) {
        let reason = case.reason.as_deref().unwrap_or("no reason given");
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, list)) => list.push(case),
            None => reasons.push((reason, vec![case])),
        }
    }
    reasons
}
