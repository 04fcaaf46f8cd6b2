//! The failure record as Markdown.

use std::fmt::Write;

use super::escape::{code, fence, html, inline, link};
use crate::events::{Deviation, Mismatch};
use crate::pairs::pair;
use crate::plain;
use crate::record::Record;
use crate::text::{block, seconds, shout};

/// Most characters of one value, so that one case cannot fill the page.
const VALUE: usize = 500;
/// Most lines of one kind.
const LINES: usize = 20;

/// What is shown of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// Whether to show answers, signs and files too.
    pub(super) snippets: bool,
    /// Whether it is unfolded.
    pub(super) open: bool,
}

/// One red case, folded under a line that says what it is.
pub(super) fn details(record: &Record<'_>, command: &str, shown: Shown) -> String {
    let open = if shown.open { " open" } else { "" };
    let cause = record.causes.first();
    let cause =
        cause.map(|cause| format!(" – {} {}", html(&cause.id), html(&cause.title))).unwrap_or_default();
    let reason = html(&plain::short(&record.headline(), 160));
    let mut out = format!(
        "<details{open}><summary><b>{}</b> {} – {reason}{cause}{}</summary>\n\n",
        html(record.name),
        shout(record.verdict),
        marks(record)
    );
    let _ = writeln!(out, "**Promise** {}", inline(record.promise));
    if !record.refs.is_empty() {
        let _ = writeln!(out, "({}, {})", inline(&record.refs.join(", ")), record.level.as_str());
    }
    out.push('\n');
    match record.failure {
        Some(mismatch) => outcome(&mut out, mismatch, shown),
        None => {
            out.push_str(&fence(&plain::short(record.reason.unwrap_or("no reason given"), VALUE * 4), "text"))
        }
    }
    if let Some(listed) = record.deviation {
        let _ = writeln!(out, "\n**Deviation** {}", deviation(record, listed));
    }
    causes(&mut out, record, shown);
    let look = block::look(record.causes, command);
    if !look.is_empty() {
        let _ = write!(out, "\n**Look**\n\n{}", fence(&look.join("\n"), "sh"));
    }
    evidence(&mut out, record, shown);
    if !record.again.is_empty() {
        let _ = writeln!(out, "\n**Again** {}", inline(&block::again(record)));
    }
    let _ = write!(out, "\n**Repeat**\n\n{}", fence(&record.repeat(command), "sh"));
    if let Some(source) = record.source {
        let _ = writeln!(out, "\n**Source** {}", code(source));
    }
    out.push_str("\n</details>\n");
    out
}

/// What bends the weight of a verdict, such as ` (flaky)`.
pub(super) fn marks(record: &Record<'_>) -> String {
    let observed = record.verdict.is_red() && record.level == crate::verdict::Level::Observed;
    let marks = [
        (record.is_flaky(), "flaky"),
        (record.is_quarantined(), "quarantined: not held against the run"),
        (observed, "observed: never held against the mesh"),
        (record.is_expired(), "deviation expired"),
    ];
    let marks: Vec<_> = marks.iter().filter(|(holds, _)| *holds).map(|(_, word)| *word).collect();
    if marks.is_empty() { String::new() } else { format!(" ({})", marks.join(", ")) }
}

/// A listed deviation with its link.
pub(super) fn deviation(record: &Record<'_>, listed: &Deviation) -> String {
    let expires = if record.is_expired() { "**expired** on" } else { "expires" };
    format!(
        "{}; {}; owner {}; {expires} {}",
        inline(&listed.reason),
        link(&listed.link),
        inline(&listed.owner),
        inline(&listed.expires)
    )
}

fn outcome(out: &mut String, mismatch: &Mismatch, shown: Shown) {
    let value = |text: &str| code(&plain::short(text, VALUE));
    if let Some(sent) = &mismatch.sent {
        let _ = writeln!(out, "**Sent** {}\n", value(sent));
    }
    out.push_str("| | expected | actual | |\n|---|---|---|---|\n");
    for row in pair(&mismatch.want, &mismatch.got).iter().take(LINES) {
        let mark = if row.agrees() { "✓" } else { "✗" };
        let label = inline(&plain::short(row.label, 60));
        let _ = writeln!(out, "| {label} | {} | {} | {mark} |", value(row.want), value(row.got));
    }
    if let Some(by) = &mismatch.decided_by {
        let _ = writeln!(out, "\n**Decided by** {}", value(by));
    }
    if shown.snippets && !mismatch.answers.is_empty() {
        let timed = mismatch.answers.iter().any(|answer| answer.last_ms > 0);
        let (titles, rule) = if timed { (" first | last |", "--:|--:|") } else { ("", "") };
        let _ = write!(out, "\n| answer | times |{titles}\n|---|--:|{rule}\n");
        for answer in mismatch.answers.iter().take(LINES) {
            let _ = write!(out, "| {} | {} |", value(&answer.text), answer.count);
            if timed {
                let _ = write!(out, " {} | {} |", seconds(answer.first_ms), seconds(answer.last_ms));
            }
            out.push('\n');
        }
        more(out, mismatch.answers.len(), "answers");
    }
}

fn causes(out: &mut String, record: &Record<'_>, shown: Shown) {
    for cause in record.causes {
        let (id, title) = (inline(&cause.id), inline(&cause.title));
        let _ = writeln!(out, "\n**Likely cause** {id} {title} (confidence {})", cause.confidence.as_str());
        if shown.snippets && !cause.signs.is_empty() {
            out.push('\n');
            for sign in cause.signs.iter().take(LINES) {
                let _ = writeln!(out, "- {}", inline(&plain::short(sign, VALUE)));
            }
            more(out, cause.signs.len(), "signs");
        }
    }
}

fn evidence(out: &mut String, record: &Record<'_>, shown: Shown) {
    let Some(folder) = record.evidence else { return };
    let files = block::files(record.files).map(|text| format!(" ({text})")).unwrap_or_default();
    let _ = writeln!(out, "\n**Evidence** {}{files}", code(folder));
    if shown.snippets && !record.files.is_empty() {
        out.push('\n');
        for file in record.files.iter().take(LINES) {
            let cut = if file.cut { ", cut" } else { "" };
            let about = inline(&plain::short(&file.about, VALUE));
            let _ = writeln!(out, "- {} {about} ({} bytes{cut})", code(&file.name), file.bytes);
        }
        more(out, record.files.len(), "files");
    }
}

fn more(out: &mut String, all: usize, what: &str) {
    if all > LINES {
        let _ = writeln!(out, "\n{} more {what} in `result.json`", all - LINES);
    }
}
