//! The failure record as a block of text: for the terminal, the console of a test runner, and JUnit.

use super::layout::{WIDTH, field, verbatim};
use super::{Around, Glyphs, Style, seconds, shout, table};
use crate::events::{Answer, Cause, EvidenceFile, Mismatch};
use crate::plain;
use crate::record::Record;

/// The line that opens a block.
pub(super) fn head(record: &Record<'_>, style: Style) -> String {
    let (word, name) = (shout(record.verdict), plain::shown(record.name));
    let tail = format!(" {} ──", seconds(record.duration_ms));
    let used = 3 + word.len() + 2 + name.chars().count() + 2 + tail.chars().count();
    let rule = "─".repeat(WIDTH.saturating_sub(used).max(2));
    format!("── {}  {name}  {rule}{tail}\n", style.verdict(record.verdict, word))
}

/// The block below it.
pub(super) fn body(record: &Record<'_>, around: Around<'_>, glyphs: Glyphs) -> String {
    let mut out = String::new();
    field(&mut out, "Promise", record.promise);
    if !record.refs.is_empty() {
        field(&mut out, "Refs", &format!("{} ({})", record.refs.join(", "), record.level.as_str()));
    }
    match record.failure {
        Some(mismatch) => outcome(&mut out, mismatch, glyphs),
        None => field(&mut out, "Reason", record.reason.unwrap_or("none given")),
    }
    if let Some(listed) = record.deviation {
        field(&mut out, "Deviation", &deviation(record, listed));
    }
    for cause in record.causes {
        field(&mut out, "Cause", &cause_lines(cause, glyphs));
    }
    let look = look(record.causes, around.command);
    verbatim(&mut out, "Look", look.iter().map(String::as_str));
    if let Some(evidence) = record.evidence {
        let folder = if around.run_dir.is_empty() {
            evidence.to_owned()
        } else {
            format!("{}/{evidence}", around.run_dir)
        };
        verbatim(&mut out, "Evidence", [folder.as_str()]);
        if let Some(files) = files(record.files) {
            field(&mut out, "", &files);
        }
    }
    if !record.again.is_empty() {
        field(&mut out, "Again", &again(record));
    }
    verbatim(&mut out, "Repeat", [record.repeat(around.command).as_str()]);
    verbatim(&mut out, "Source", record.source);
    out
}

/// What came again, such as `2 more: 1 pass, 1 fail; flaky: the red verdict counts`.
pub(crate) fn again(record: &Record<'_>) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for other in record.again {
        let word = other.verdict.as_str();
        match counts.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    let counts: Vec<_> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    let flaky = if record.is_flaky() { "; flaky: the first red verdict counts" } else { "" };
    format!("{} more: {}{flaky}", record.again.len(), counts.join(", "))
}

/// A listed deviation, such as `known since …; istio/istio#1; owner …; expires 2026-12-31`.
pub(crate) fn deviation(record: &Record<'_>, listed: &crate::events::Deviation) -> String {
    let mut text = format!("{}; {}; owner {}; ", listed.reason, listed.link, listed.owner);
    text.push_str(if record.is_expired() { "EXPIRED on " } else { "expires " });
    text.push_str(&listed.expires);
    if record.is_quarantined() {
        text.push_str("; quarantined: reported, not held against the run");
    }
    text
}

/// Number and size of evidence files; none when there are none.
pub(crate) fn files(files: &[EvidenceFile]) -> Option<String> {
    let bytes: u64 = files.iter().map(|file| file.bytes).sum();
    let cut = files.iter().filter(|file| file.cut).count();
    let cut = if cut == 0 { String::new() } else { format!(", {cut} cut to keep the bounds") };
    let plural = if files.len() == 1 { "" } else { "s" };
    (!files.is_empty()).then(|| format!("{} file{plural}, {}{cut}", files.len(), size(bytes)))
}

/// When an answer came, such as `0 ms to 30.0 s`; none when that is not known.
pub(crate) fn when(answer: &Answer) -> Option<String> {
    match (answer.first_ms, answer.last_ms) {
        (0, 0) => None,
        (first, last) if first == last => Some(format!("at {}", seconds(first))),
        (first, last) => Some(format!("{} to {}", seconds(first), seconds(last))),
    }
}

/// The commands that look closer, the likeliest first, each once; the last one explains the likeliest cause.
pub(crate) fn look(causes: &[Cause], command: &str) -> Vec<String> {
    let waymark = command.split_once(" run").map_or("waymark", |(before, _)| before);
    let explain = causes.first().map(|cause| format!("{waymark} explain {}", cause.id));
    let mut commands: Vec<String> = Vec::new();
    for next in causes.iter().flat_map(|cause| &cause.next).chain(&explain) {
        if !commands.contains(next) {
            commands.push(next.clone());
        }
    }
    commands
}

fn outcome(out: &mut String, mismatch: &Mismatch, glyphs: Glyphs) {
    if let Some(sent) = &mismatch.sent {
        field(out, "Sent", sent);
    }
    out.push_str(&table::want_got(&mismatch.want, &mismatch.got, glyphs));
    if let Some(by) = &mismatch.decided_by {
        field(out, "Decided by", by);
    }
    let line = |answer: &Answer| {
        let when = when(answer).map(|when| format!(" ({when})")).unwrap_or_default();
        format!("{}{} {}{when}", answer.count, glyphs.times, plain::shown(&answer.text))
    };
    let answers: Vec<_> = mismatch.answers.iter().map(line).collect();
    field(out, "Answers", &answers.join("\n"));
}

fn cause_lines(cause: &Cause, glyphs: Glyphs) -> String {
    let mut text = format!(
        "{} {} (confidence {})",
        plain::shown(&cause.id),
        plain::shown(&cause.title),
        cause.confidence.as_str()
    );
    for sign in &cause.signs {
        text.push_str(&format!("\n{} {}", glyphs.item, plain::shown(sign)));
    }
    text
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{}.{} KiB", bytes / 1024, bytes % 1024 * 10 / 1024),
        _ => format!("{}.{} MiB", bytes / 1_048_576, bytes % 1_048_576 * 10 / 1_048_576),
    }
}
