//! How long changes took to reach the mesh.

use maud::{Markup, html};

use super::words::{case_link, count, px};
use crate::result::{CaseResult, RunResult};
use crate::text::seconds;

/// Upper edges of the buckets, milliseconds; a value belongs to the first bucket that it does not exceed.
const EDGES: [u64; 16] =
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, u64::MAX];
const LEFT: f64 = 46.0;
const TOP: f64 = 18.0;
const TALL: f64 = 150.0;
const WIDE: f64 = 64.0;

/// A bucket of the histogram.
struct Bucket {
    over: u64,
    upto: u64,
    cases: usize,
    cumulated: usize,
}

/// Histogram and cumulated share of the time until changes were seen.
pub(super) fn section(result: &RunResult) -> Markup {
    let mut cases: Vec<_> =
        result.cases.iter().filter_map(|case| Some((case.convergence_ms?, case))).collect();
    cases.sort_by_key(|(ms, _)| *ms);
    let times: Vec<_> = cases.iter().map(|(ms, _)| *ms).collect();
    let buckets = buckets(&times);
    html! {
        section id="convergence" {
            @if !buckets.is_empty() {
                h2 { "Convergence" }
                p { "How long the slowest change of a case took until it was seen to work, in " (count(times.len(), "case")) ": "
                    "half within " b { (seconds(quantile(&times, 50))) } ", nine of ten within " b { (seconds(quantile(&times, 90))) }
                    ", all within " b { (seconds(quantile(&times, 100))) } "." }
                div.wide { (chart(&buckets)) }
                p.soft { "Bars: cases by their time. Line: share of the cases whose changes were seen by then." }
                details {
                    summary { "The same as a table" }
                    (table(&buckets))
                    (slowest(&cases))
                }
            }
        }
    }
}

fn chart(buckets: &[Bucket]) -> Markup {
    let width = LEFT * 2.0 + buckets.len() as f64 * WIDE;
    let height = TOP + TALL + 24.0;
    let most = buckets.iter().map(|bucket| bucket.cases).max().unwrap_or(1) as f64;
    let all = buckets.last().map_or(1, |bucket| bucket.cumulated) as f64;
    let base = TOP + TALL;
    let x = |index: usize| LEFT + index as f64 * WIDE;
    let share = |bucket: &Bucket| base - bucket.cumulated as f64 / all * TALL;
    let mut line = format!("{},{}", px(LEFT), px(base));
    for (index, bucket) in buckets.iter().enumerate() {
        line.push_str(&format!(" {},{}", px(x(index + 1)), px(share(bucket))));
    }
    html! {
        svg.chart width=(px(width)) height=(px(height)) viewBox={ "0 0 " (px(width)) " " (px(height)) } role="img"
            aria-label="histogram of convergence times with their cumulated share" font-family="sans-serif" font-size="12" {
            @for percent in [0, 50, 100] {
                @let y = base - f64::from(percent) / 100.0 * TALL;
                line x1=(px(LEFT)) x2=(px(width - LEFT)) y1=(px(y)) y2=(px(y)) stroke="#dfe3e8" class="s-line" {}
                text x=(px(width - LEFT + 6.0)) y=(px(y + 4.0)) fill="#8a5a00" class="t-known" { (percent) "%" }
            }
            @for (index, bucket) in buckets.iter().enumerate() {
                @let tall = bucket.cases as f64 / most * (TALL - 22.0);
                rect x=(px(x(index) + 6.0)) y=(px(base - tall)) width=(px(WIDE - 12.0)) height=(px(tall)) fill="#6f8fb3" class="f-phase" {
                    title { (range(bucket)) ": " (count(bucket.cases, "case")) }
                }
                @if bucket.cases > 0 {
                    text x=(px(x(index) + WIDE / 2.0)) y=(px(base - tall - 5.0)) text-anchor="middle" fill="#1f2328" class="t-ink" { (bucket.cases) }
                }
                @if bucket.upto < u64::MAX {
                    text x=(px(x(index + 1))) y=(px(base + 16.0)) text-anchor="middle" fill="#57606a" class="t-soft" { (edge(bucket.upto)) }
                }
            }
            text x=(px(LEFT)) y=(px(base + 16.0)) text-anchor="middle" fill="#57606a" class="t-soft" { (edge(buckets[0].over)) }
            polyline points=(line) fill="none" stroke="#b57a00" stroke-width="2" class="s-known" {}
            @for (index, bucket) in buckets.iter().enumerate() {
                circle cx=(px(x(index + 1))) cy=(px(share(bucket))) r="3.5" fill="#b57a00" class="f-known-ink" {
                    title { "up to " (edge(bucket.upto)) ": " (percent(bucket.cumulated, all)) }
                }
            }
        }
    }
}

fn table(buckets: &[Bucket]) -> Markup {
    let all = buckets.last().map_or(1, |bucket| bucket.cumulated) as f64;
    html! {
        table.numbers border="1" cellpadding="4" cellspacing="0" {
            thead { tr { th { "time" } th align="right" { "cases" } th align="right" { "cumulated" } th align="right" { "share" } } }
            tbody {
                @for bucket in buckets {
                    tr {
                        td { (range(bucket)) }
                        td align="right" { (bucket.cases) }
                        td align="right" { (bucket.cumulated) }
                        td align="right" { (percent(bucket.cumulated, all)) }
                    }
                }
            }
        }
    }
}

fn slowest(cases: &[(u64, &CaseResult)]) -> Markup {
    html! {
        table.numbers border="1" cellpadding="4" cellspacing="0" {
            thead { tr { th { "slowest to converge" } th align="right" { "time" } } }
            tbody {
                @for (ms, case) in cases.iter().rev().take(10) {
                    tr { td { code { (case_link(case)) } } td align="right" { (seconds(*ms)) } }
                }
            }
        }
    }
}

/// Buckets from the first to the last that holds a value; none without values.
fn buckets(sorted: &[u64]) -> Vec<Bucket> {
    let mut all = Vec::new();
    let (mut over, mut cumulated) = (0, 0);
    for upto in EDGES {
        let until = sorted.partition_point(|ms| *ms <= upto);
        all.push(Bucket { over, upto, cases: until - cumulated, cumulated: until });
        (over, cumulated) = (upto, until);
    }
    let first = all.iter().position(|bucket| bucket.cases > 0);
    let last = all.iter().rposition(|bucket| bucket.cases > 0);
    match (first, last) {
        (Some(first), Some(last)) => all.drain(first..=last).collect(),
        _ => Vec::new(),
    }
}

/// The smallest value that so many per cent of all do not exceed.
fn quantile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}

fn range(bucket: &Bucket) -> String {
    match bucket.upto {
        u64::MAX => format!("over {}", edge(bucket.over)),
        upto => format!("{} – {}", edge(bucket.over), edge(upto)),
    }
}

fn edge(ms: u64) -> String {
    match ms {
        0 => "0".to_owned(),
        1..1000 => format!("{ms} ms"),
        u64::MAX => "any time".to_owned(),
        _ => format!("{} s", ms / 1000),
    }
}

fn percent(part: usize, all: f64) -> String {
    format!("{:.0}%", part as f64 / all * 100.0)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{buckets, quantile, range};

    #[rstest]
    #[case::none(&[], &[])]
    #[case::zero(&[0], &[("0 – 1 ms", 1, 1)])]
    #[case::edge_belongs_below(&[100, 101], &[("50 ms – 100 ms", 1, 1), ("100 ms – 200 ms", 1, 2)])]
    #[case::gap(&[3, 30], &[("2 ms – 5 ms", 1, 1), ("5 ms – 10 ms", 0, 1), ("10 ms – 20 ms", 0, 1), ("20 ms – 50 ms", 1, 2)])]
    #[case::beyond(&[60_000], &[("over 50 s", 1, 1)])]
    fn every_value_is_in_one_bucket(#[case] times: &[u64], #[case] want: &[(&str, usize, usize)]) {
        let got: Vec<_> = buckets(times).iter().map(|one| (range(one), one.cases, one.cumulated)).collect();
        let want: Vec<_> = want.iter().map(|&(name, cases, all)| (name.to_owned(), cases, all)).collect();
        assert_eq!(got, want);
    }

    #[rstest]
    #[case(50, 5)]
    #[case(90, 9)]
    #[case(100, 10)]
    #[case(0, 1)]
    fn quantiles_are_values_that_occurred(#[case] percent: usize, #[case] want: u64) {
        assert_eq!(quantile(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], percent), want);
    }
}
