//! When each phase and each case ran.

use maud::{Markup, html};

use super::words::{anchor, clip, fill_class, look, px};
use crate::result::{CaseResult, RunResult};
use crate::text::seconds;

const WIDTH: f64 = 1000.0;
const LEFT: f64 = 150.0;
const PHASE: f64 = 22.0;
const LANE: f64 = 12.0;
const TOP: f64 = 22.0;
/// How many cases are drawn, the longest first.
const MANY: usize = 400;
/// How many cases at the same time are drawn below each other.
const LANES: usize = 24;

/// The scale of the chart.
struct Axis {
    end: f64,
}

/// Phases and cases on one axis of time.
pub(super) fn section(result: &RunResult) -> Markup {
    let ran = result.cases.iter().filter(|case| case.started_ms.is_some()).count();
    let cases = drawn(result);
    html! {
        section id="timeline" {
            @if !result.run.timeline.is_empty() || !cases.is_empty() {
                h2 { "Timeline" }
                div.wide { (chart(result, &cases)) }
                @if cases.len() < ran { p.note { "The " (cases.len()) " longest of " (ran) " cases are drawn." } }
                details {
                    summary { "The same as a table" }
                    (phases(result))
                    (table(&cases))
                }
            }
        }
    }
}

fn chart(result: &RunResult, cases: &[(usize, u64, &CaseResult)]) -> Markup {
    let spans = &result.run.timeline;
    let last_case = cases.iter().map(|(_, start, case)| start + case.duration_ms).max().unwrap_or(0);
    let last_span =
        spans.iter().map(|span| span.started_ms + span.duration_ms.unwrap_or(0)).max().unwrap_or(0);
    let end = result.run.duration_ms.max(last_case).max(last_span).max(1);
    let axis = Axis { end: end as f64 };
    let lanes = cases.iter().map(|(lane, ..)| lane + 1).max().unwrap_or(0);
    let below = TOP + spans.len() as f64 * PHASE + 6.0;
    let height = below + lanes as f64 * LANE + 6.0;
    html! {
        svg.chart width=(px(WIDTH)) height=(px(height)) viewBox={ "0 0 " (px(WIDTH)) " " (px(height)) } role="img" aria-label="phases and cases over time" font-family="sans-serif" font-size="12" {
            @for tick in axis.ticks() {
                line x1=(px(axis.at(tick))) x2=(px(axis.at(tick))) y1=(px(TOP - 4.0)) y2=(px(height)) stroke="#dfe3e8" class="s-line" {}
                text x=(px(axis.at(tick))) y="13" text-anchor="middle" fill="#57606a" class="t-soft" { (short(tick)) }
            }
            @for (index, span) in spans.iter().enumerate() {
                @let y = TOP + index as f64 * PHASE;
                @let took = span.duration_ms.unwrap_or(end.saturating_sub(span.started_ms));
                text x=(px(LEFT - 10.0)) y=(px(y + 14.0)) text-anchor="end" fill="#1f2328" class="t-ink" {
                    (span.phase.as_str()) " · " @match span.duration_ms { Some(ms) => (seconds(ms)), None => "not finished" }
                }
                rect x=(px(axis.at(span.started_ms as f64))) y=(px(y + 2.0)) width=(px(axis.wide(took))) height="16" rx="2"
                    fill=(if span.error.is_some() { "#b23a00" } else { "#6f8fb3" }) class=(if span.error.is_some() { "f-fail" } else { "f-phase" }) {
                    title { (span.phase.as_str()) @if let Some(error) = &span.error { ": " (clip(error, 300)) } }
                }
            }
            @if lanes > 0 {
                text x=(px(LEFT - 10.0)) y=(px(below + 9.0)) text-anchor="end" fill="#1f2328" class="t-ink" { "each case" }
            }
            @for (lane, start, case) in cases { (case_bar(case, *start, below + *lane as f64 * LANE, &axis)) }
        }
    }
}

fn case_bar(case: &CaseResult, start: u64, y: f64, axis: &Axis) -> Markup {
    html! {
        a href={ "#" (anchor(&case.name)) } {
            rect x=(px(axis.at(start as f64))) y=(px(y)) width=(px(axis.wide(case.duration_ms))) height=(px(LANE - 2.0))
                fill=(look(case.verdict).solid) class=(fill_class(case.verdict)) {
                title { (clip(&case.name, 200)) " " (case.verdict) " " (seconds(case.duration_ms)) }
            }
        }
    }
}

/// The cases that are drawn, each with its lane and its start.
fn drawn(result: &RunResult) -> Vec<(usize, u64, &CaseResult)> {
    let mut cases: Vec<_> = result.cases.iter().filter_map(|case| Some((case.started_ms?, case))).collect();
    cases.sort_by_key(|(_, case)| std::cmp::Reverse(case.duration_ms));
    cases.truncate(MANY);
    cases.sort_by_key(|(start, _)| *start);
    let mut free: Vec<u64> = Vec::new();
    let mut drawn = Vec::new();
    for (start, case) in cases {
        let lane = free.iter().position(|until| *until <= start).unwrap_or(free.len());
        if lane >= LANES {
            continue;
        }
        if lane == free.len() {
            free.push(0);
        }
        free[lane] = start + case.duration_ms.max(1);
        drawn.push((lane, start, case));
    }
    drawn
}

fn phases(result: &RunResult) -> Markup {
    html! {
        table.numbers border="1" cellpadding="4" cellspacing="0" {
            thead { tr { th { "phase" } th align="right" { "began" } th align="right" { "took" } th { "failed because" } } }
            tbody {
                @for span in &result.run.timeline {
                    tr {
                        th align="left" { (span.phase.as_str()) }
                        td align="right" { (seconds(span.started_ms)) }
                        td align="right" { @match span.duration_ms { Some(ms) => (seconds(ms)), None => "not finished" } }
                        td { (clip(span.error.as_deref().unwrap_or(""), 1000)) }
                    }
                }
            }
        }
    }
}

fn table(cases: &[(usize, u64, &CaseResult)]) -> Markup {
    html! {
        @if !cases.is_empty() {
            table.numbers border="1" cellpadding="4" cellspacing="0" {
                thead { tr { th { "case" } th { "verdict" } th align="right" { "began" } th align="right" { "took" } } }
                tbody {
                    @for (_, start, case) in cases {
                        tr {
                            td { code { (clip(&case.name, 200)) } }
                            td { (case.verdict) }
                            td align="right" { (seconds(*start)) }
                            td align="right" { (seconds(case.duration_ms)) }
                        }
                    }
                }
            }
        }
    }
}

impl Axis {
    fn at(&self, ms: f64) -> f64 {
        LEFT + ms / self.end * (WIDTH - LEFT - 24.0)
    }

    fn wide(&self, ms: u64) -> f64 {
        (self.at(ms as f64) - LEFT).max(2.0)
    }

    /// Round moments, at most ten of them.
    fn ticks(&self) -> Vec<f64> {
        let mut step = 1.0;
        for factor in [2.0, 2.5, 2.0].into_iter().cycle() {
            if self.end / step <= 9.0 {
                break;
            }
            step *= factor;
        }
        (0..=9).map(|index| f64::from(index) * step).take_while(|tick| *tick <= self.end).collect()
    }
}

/// A moment on the axis: `0`, `500 ms`, `2.5 s`, `20 s`.
fn short(ms: f64) -> String {
    match ms {
        0.0 => "0".to_owned(),
        ms if ms < 1000.0 => format!("{ms} ms"),
        ms => format!("{} s", ms / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Axis, drawn, short};
    use crate::html::samples;

    #[rstest]
    #[case(17_250.0, &["0", "2 s", "4 s", "6 s", "8 s", "10 s", "12 s", "14 s", "16 s"])]
    #[case(900.0, &["0", "100 ms", "200 ms", "300 ms", "400 ms", "500 ms", "600 ms", "700 ms", "800 ms", "900 ms"])]
    #[case(21_000.0, &["0", "5 s", "10 s", "15 s", "20 s"])]
    fn ticks_are_round(#[case] end: f64, #[case] want: &[&str]) {
        assert_eq!(Axis { end }.ticks().into_iter().map(short).collect::<Vec<_>>(), want);
    }

    #[test]
    fn cases_of_one_lane_do_not_overlap() {
        let result = samples::large();
        let mut until = vec![0; 64];
        let drawn = drawn(&result);
        assert!(!drawn.is_empty());
        for (lane, start, case) in drawn {
            assert!(start >= until[lane], "{} begins before lane {lane} is free", case.name);
            until[lane] = start + case.duration_ms;
        }
    }
}
