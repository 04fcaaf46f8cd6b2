//! How it stands in each area: a bar and its numbers.

use maud::{Markup, html};

use super::words::{BarPart, bar, clip, fill_class, look};
use crate::result::{CaseResult, RunResult, Totals};
use crate::verdict::CaseVerdict;

/// How many areas are listed.
const MANY: usize = 100;

/// The verdicts of each area.
pub(super) fn section(result: &RunResult) -> Markup {
    let areas = areas(&result.cases);
    let largest = areas.iter().map(|(_, totals)| all(totals)).max().unwrap_or(0);
    let columns: Vec<_> = result.totals.iter().into_iter().filter(|(_, number)| *number > 0).collect();
    html! {
        section id="areas" {
            @if !areas.is_empty() {
                h2 { "By area" }
                div.wide { table.numbers border="1" cellpadding="4" cellspacing="0" {
                    thead { tr {
                        th { "area" } th { "verdicts" } th align="right" { "cases" }
                        @for (verdict, _) in &columns { th align="right" { (look(*verdict).mark) " " (verdict) } }
                    } }
                    tbody {
                        @for (area, totals) in areas.iter().take(MANY) { (row(area, totals, largest, &columns)) }
                    }
                    tfoot { tr {
                        th align="left" { "all" } td {} td align="right" { b { (result.cases.len()) } }
                        @for (_, number) in &columns { td align="right" { b { (number) } } }
                    } }
                } }
            }
        }
    }
}

fn row(area: &str, totals: &Totals, largest: usize, columns: &[(CaseVerdict, usize)]) -> Markup {
    let numbers = totals.iter();
    let part = |&(verdict, number): &(CaseVerdict, usize)| BarPart {
        name: verdict.as_str(),
        value: number as f64,
        shown: number.to_string(),
        fill: look(verdict).solid,
        class: fill_class(verdict),
    };
    let parts: Vec<_> = [
        CaseVerdict::Fail,
        CaseVerdict::Error,
        CaseVerdict::Known,
        CaseVerdict::Pass,
        CaseVerdict::NotRun,
        CaseVerdict::Unsupported,
        CaseVerdict::Skip,
    ]
    .iter()
    .filter_map(|wanted| numbers.iter().find(|(verdict, _)| verdict == wanted))
    .map(part)
    .collect();
    html! {
        tr {
            th align="left" { (clip(area, 80)) }
            td width="320" { (bar(320.0, 4.0, largest as f64, &parts)) }
            td align="right" { (all(totals)) }
            @for (verdict, _) in columns {
                @let number = numbers.iter().find(|(other, _)| other == verdict).map_or(0, |(_, number)| *number);
                @if number == 0 { td align="right" { span.soft { "0" } } }
                @else { td align="right" bgcolor=[verdict.is_red().then_some(look(*verdict).tint)] class=(verdict) { (number) } }
            }
        }
    }
}

fn areas(cases: &[CaseResult]) -> Vec<(&str, Totals)> {
    let mut areas: Vec<(&str, Totals)> = Vec::new();
    for case in cases {
        let at = areas.iter().position(|(area, _)| *area == case.suite).unwrap_or_else(|| {
            areas.push((&case.suite, Totals::default()));
            areas.len() - 1
        });
        *areas[at].1.of(case.verdict) += 1;
    }
    areas
}

fn all(totals: &Totals) -> usize {
    totals.iter().iter().map(|(_, number)| number).sum()
}
