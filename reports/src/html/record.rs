//! The failure record of one case.

use maud::{Markup, html};

use super::words::{anchor, badge, clip, link, px, relative, repeat, scope};
use crate::events::{Answer, Cause, Deviation, EvidenceFile};
use crate::pairs;
use crate::result::{Again, CaseResult, Run};
use crate::text::seconds;
use crate::verdict::Level;

/// Characters of one text of a record.
const TEXT: usize = 4000;
/// How many answers, causes, signs, files or repetitions are listed.
const MANY: usize = 40;

/// What there is to say about one red case.
pub(super) fn record(case: &CaseResult, run: &Run, open: bool) -> Markup {
    let reason = case
        .reason
        .as_deref()
        .filter(|reason| case.failure.as_ref().is_none_or(|mismatch| mismatch.one_line() != **reason));
    html! {
        details class={ "record " (case.verdict) } id=(anchor(&case.name)) data-case=(case.verdict) open[open] {
            summary { (badge(case.verdict)) " " code { (clip(&case.name, 200)) } " " span.soft { (about(case)) } }
            dl {
                dt { "Promise" }
                dd { (clip(&case.promise, TEXT)) @if !case.refs.is_empty() { " " span.soft { (clip(&case.refs.join(", "), 300)) } } }
                @if let Some(reason) = reason { dt { "Reason" } dd.text { (clip(reason, TEXT)) } }
                @if let Some(mismatch) = &case.failure {
                    @if let Some(sent) = &mismatch.sent { dt { "Sent" } dd { code { (clip(sent, TEXT)) } } }
                    dt { "Expected" } dd { (want_got(&mismatch.want, &mismatch.got)) }
                    @if let Some(by) = &mismatch.decided_by { dt { "Decided by" } dd { b { (clip(by, 200)) } (involved(&case.decided_by)) } }
                    @if !mismatch.answers.is_empty() { dt { "Answers" } dd { (answers(&mismatch.answers)) } }
                }
                @if case.failure.as_ref().and_then(|mismatch| mismatch.decided_by.as_ref()).is_none() && !case.decided_by.is_empty() {
                    dt { "Parts involved" } dd { (clip(&case.decided_by.join(", "), 300)) }
                }
                @if !case.causes.is_empty() { dt { "Likely cause" } dd { @for cause in case.causes.iter().take(MANY) { (likely(cause)) } } }
                @if let Some(listed) = &case.deviation { dt { "Deviation" } dd { (deviation(listed)) } }
                @if !case.again.is_empty() { dt { "Again" } dd { (again(&case.again)) } }
                @if case.evidence.is_some() { dt { "Evidence" } dd { (evidence(case)) } }
                @if !case.figures.is_empty() { dt { "Counted" } dd { (super::rest::figures(case)) } }
                dt { "Repeat" } dd { pre.command { code { (repeat(&run.command, &case.name)) } } }
                @if let Some(source) = &case.source { dt { "Source" } dd { code { (clip(source, 300)) } } }
            }
        }
    }
}

/// A listed deviation: why, where, whose, until when.
pub(super) fn deviation(listed: &Deviation) -> Markup {
    html! {
        (clip(&listed.reason, TEXT)) br;
        span.soft {
            (link(&listed.link)) " · owner " (clip(&listed.owner, 120)) " · "
            @if listed.expired { b.expired { "✗ expired on " (clip(&listed.expires, 40)) } }
            @else { "expires " (clip(&listed.expires, 40)) }
            @if listed.quarantine { " · quarantined: reported, not held against the run" }
        }
    }
}

/// Further verdicts of the same case.
pub(super) fn again(verdicts: &[Again]) -> Markup {
    html! {
        ul.plain {
            @for one in verdicts.iter().take(MANY) {
                li {
                    (badge(one.verdict)) " " span.soft { (seconds(one.duration_ms)) " in run " (clip(&one.run, 120)) }
                    @if let Some(reason) = &one.reason { " " (clip(reason, 300)) }
                }
            }
            (more(verdicts.len()))
        }
    }
}

/// Level, scope, time and probes in a few words.
fn about(case: &CaseResult) -> String {
    let mut words = vec![case.level.as_str().to_owned()];
    if case.level == Level::Observed || case.deviation.as_ref().is_some_and(|listed| listed.quarantine) {
        words.push("not held against the run".to_owned());
    }
    words.extend(case.scope.map(|of| scope(of).to_owned()));
    words.push(seconds(case.duration_ms));
    if case.attempts > 0 {
        words.push(super::words::count(case.attempts as usize, "probe"));
    }
    words.join(" · ")
}

/// The parts that had a say in the outcome.
fn involved(parts: &[String]) -> Markup {
    html! { @if !parts.is_empty() { span.soft { " · parts involved: " (clip(&parts.join(", "), 300)) } } }
}

fn want_got(want: &str, got: &str) -> Markup {
    let rows = pairs::pair(want, got);
    html! {
        div.wide { table.pairs border="1" cellpadding="4" cellspacing="0" {
            thead { tr { th {} th { "expected" } th { "actual" } th {} } }
            tbody {
                @for row in rows.iter().take(MANY) {
                    tr.differs[!row.agrees()] bgcolor=[(!row.agrees()).then_some("#ffdccb")] {
                        th align="left" { (clip(row.label, 120)) }
                        td { (clip(row.want, TEXT)) }
                        td { (clip(row.got, TEXT)) }
                        td.mark { @if row.agrees() { span.ok { "✓" } } @else { b.no { "✗ differs" } } }
                    }
                }
            }
        } }
        (more(rows.len()))
    }
}

fn answers(answers: &[Answer]) -> Markup {
    let end = answers.iter().map(|answer| answer.last_ms).max().unwrap_or(0);
    html! {
        div.wide { table border="1" cellpadding="4" cellspacing="0" {
            thead { tr { th align="right" { "times" } th { "answer" } th align="right" { "first" } th align="right" { "last" } @if end > 0 { th { "0 – " (seconds(end)) } } } }
            tbody {
                @for answer in answers.iter().take(MANY) {
                    tr {
                        td align="right" { (answer.count) "×" }
                        td.text { (clip(&answer.text, TEXT)) }
                        td align="right" { (seconds(answer.first_ms)) }
                        td align="right" { (seconds(answer.last_ms)) }
                        @if end > 0 { td width="180" { (strip(answer, end)) } }
                    }
                }
            }
        } }
        (more(answers.len()))
    }
}

/// When an answer came, on a line from the first probe to the last.
fn strip(answer: &Answer, end: u64) -> Markup {
    let at = |ms: u64| 5.0 + ms as f64 / end as f64 * 170.0;
    let (first, last) = (at(answer.first_ms), at(answer.last_ms));
    html! {
        svg width="180" height="14" viewBox="0 0 180 14" role="img" aria-label={ "from " (seconds(answer.first_ms)) " to " (seconds(answer.last_ms)) } {
            line x1="5" x2="175" y1="7" y2="7" stroke="#c3cad1" class="s-line" {}
            line x1=(px(first)) x2=(px(last)) y1="7" y2="7" stroke="#3b6ea8" stroke-width="3" class="s-data" {}
            circle cx=(px(first)) cy="7" r="4" fill="#3b6ea8" class="f-data" {}
            circle cx=(px(last)) cy="7" r="4" fill="#3b6ea8" class="f-data" {}
        }
    }
}

fn likely(cause: &Cause) -> Markup {
    html! {
        div.likely {
            p { code { (clip(&cause.id, 40)) } " " b { (clip(&cause.title, 300)) } " " span.soft { "confidence " (cause.confidence.as_str()) } }
            @if !cause.signs.is_empty() {
                ul { @for sign in cause.signs.iter().take(MANY) { li.text { (clip(sign, 1000)) } } (more(cause.signs.len())) }
            }
            @if !cause.next.is_empty() {
                p.soft { "Look closer:" }
                @for command in cause.next.iter().take(MANY) { pre.command { code { (clip(command, 1000)) } } }
            }
        }
    }
}

fn evidence(case: &CaseResult) -> Markup {
    let folder = case.evidence.as_deref().unwrap_or_default();
    html! {
        code { (clip(folder, 300)) }
        @if !case.files.is_empty() {
            ul { @for file in case.files.iter().take(MANY) { li { (evidence_file(folder, file)) } } (more(case.files.len())) }
        }
    }
}

fn evidence_file(folder: &str, file: &EvidenceFile) -> Markup {
    html! {
        @match relative(folder, &file.name) {
            Some(address) => a href=(address) { (clip(&file.name, 200)) },
            None => (clip(&file.name, 200)),
        }
        " " span.soft { (clip(&file.about, 300)) ", " (size(file.bytes)) @if file.cut { ", cut" } }
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

fn more(all: usize) -> Markup {
    html! { @if all > MANY { li.soft { (all - MANY) " more in " code { "result.json" } } } }
}
