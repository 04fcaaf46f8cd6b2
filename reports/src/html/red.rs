//! Broken promises and cases that could not be judged, by what lies behind them.

use maud::{Markup, html};

use super::words::{BarPart, badge, bar, clip, count};
use super::{Budget, left_out, record, red_cases};
use crate::result::{CaseResult, RunResult};

/// How many records are unfolded from the start.
const OPEN: usize = 25;

/// Cases with the same likeliest cause.
struct Group<'a> {
    id: &'a str,
    title: &'a str,
    /// Whether it needs a heading of its own.
    headed: bool,
    cases: Vec<&'a CaseResult>,
}

/// All red cases with their failure records.
pub(super) fn section(result: &RunResult, records: &mut Budget, rows: &mut Budget) -> Markup {
    let groups = groups(result);
    let total: usize = groups.iter().map(|group| group.cases.len()).sum();
    let mut open = OPEN;
    let parts: Vec<_> = groups.iter().map(|group| part(group, result, &mut open, records, rows)).collect();
    html! {
        section id="red" data-group {
            @if total > 0 {
                h2 { "Look at these first " span.count { (total) } }
                @if groups.len() > 1 { (causes(&groups, total)) }
                @for part in &parts { (part) }
            }
        }
    }
}

/// The records of one group, of which the first `open` are unfolded.
fn part(
    group: &Group<'_>,
    result: &RunResult,
    open: &mut usize,
    records: &mut Budget,
    rows: &mut Budget,
) -> Markup {
    let admit = |case: &&CaseResult| {
        let record = records.admit(record::record(case, &result.run, *open > 0));
        *open = open.saturating_sub(1);
        record
    };
    let shown: Vec<_> = group.cases.iter().map_while(admit).collect();
    html! {
        div.cause data-group {
            @if group.headed { h3 id=(key(group)) { (heading(group)) " " span.count { (group.cases.len()) } } }
            @for record in &shown { (record) }
            (in_short(&group.cases[shown.len()..], rows))
        }
    }
}

/// One line each for what has no room for its record.
fn in_short(cases: &[&CaseResult], rows: &mut Budget) -> Markup {
    let line = |case: &&CaseResult| {
        html! {
            tr id=(super::words::anchor(&case.name)) data-case=(case.verdict) {
                td { (badge(case.verdict)) }
                td { code { (clip(&case.name, 200)) } br; span.soft { (clip(case.reason.as_deref().unwrap_or(""), 200)) } }
            }
        }
    };
    let lines: Vec<_> = cases.iter().map_while(|case| rows.admit(line(case))).collect();
    html! {
        @if !lines.is_empty() {
            p.note { "In short, since their records would make this page too large; they are in " code { "result.json" } ":" }
            table border="1" cellpadding="4" cellspacing="0" { tbody { @for line in &lines { (line) } } }
        }
        (left_out(cases.len() - lines.len()))
    }
}

fn causes(groups: &[Group<'_>], total: usize) -> Markup {
    html! {
        div.wide { table border="1" cellpadding="4" cellspacing="0" {
            thead { tr { th { "likely cause" } th { "share" } th align="right" { "cases" } } }
            tbody {
                @for group in groups {
                    tr {
                        td { a href={ "#" (key(group)) } { (heading(group)) } }
                        td width="220" { (bar(220.0, 4.0, total as f64, &[BarPart {
                            name: "cases", value: group.cases.len() as f64, shown: group.cases.len().to_string(), fill: "#b23a00", class: "f-fail",
                        }])) }
                        td align="right" { (group.cases.len()) }
                    }
                }
            }
        } }
        p.soft { (count(groups.len(), "group")) ", by the likeliest cause of each case. Cases of one group often have one remedy." }
    }
}

fn groups(result: &RunResult) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for case in red_cases(result) {
        let (id, title) =
            case.causes.first().map_or(("", ""), |cause| (cause.id.as_str(), cause.title.as_str()));
        match groups.iter_mut().find(|group| group.id == id) {
            Some(group) => group.cases.push(case),
            None => groups.push(Group { id, title, headed: true, cases: vec![case] }),
        }
    }
    // the largest group first; what no rule explains comes last
    groups.sort_by_key(|group| (group.id.is_empty(), std::cmp::Reverse(group.cases.len())));
    if let [only] = groups.as_mut_slice() {
        only.headed = !only.id.is_empty();
    }
    groups
}

fn heading(group: &Group<'_>) -> Markup {
    html! {
        @if group.id.is_empty() { "No cause recognised" }
        @else { code { (clip(group.id, 40)) } " " (clip(group.title, 200)) }
    }
}

fn key(group: &Group<'_>) -> String {
    format!(
        "cause-{}",
        if group.id.is_empty() { "none".to_owned() } else { super::words::anchor(group.id)[2..].to_owned() }
    )
}
