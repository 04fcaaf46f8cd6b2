//! One case, or one trouble of the run as a whole, as JUnit knows it.

use super::xml::Xml;
use crate::caveat;
use crate::plain;
use crate::record::Record;
use crate::result::{Again, CaseResult, Run, RunResult};
use crate::text::{Around, ascii_block, block, verdict_line};
use crate::verdict::{CaseVerdict, Level, RunVerdict};

/// Most bytes of text that one case may bring.
pub(super) const TEXT_LIMIT: usize = 16 * 1024;
/// Most characters of a message.
const MESSAGE_LIMIT: usize = 200;
/// Most files that are named as attachments.
const ATTACHMENTS: usize = 50;

/// A `testcase`.
#[derive(Clone, Debug)]
pub(super) struct Testcase {
    pub(super) class: String,
    pub(super) name: String,
    pub(super) place: Option<(String, String)>,
    /// Milliseconds, further verdicts included.
    pub(super) duration_ms: u64,
    pub(super) properties: Vec<(&'static str, String)>,
    pub(super) outcome: Outcome,
    /// Element name, message and milliseconds of further verdicts that are red.
    pub(super) reruns: Vec<(&'static str, String, u64)>,
    pub(super) attachments: Vec<String>,
}

/// The one result element of a `testcase`; a pass has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Pass,
    Failure { kind: &'static str, message: String, text: String },
    Error { kind: &'static str, message: String, text: String },
    Skipped(String),
}

impl Testcase {
    /// One case of the run.
    pub(super) fn of(case: &CaseResult, command: &str) -> Self {
        let record = Record::from(case);
        let name = case.name.strip_prefix(&format!("{}::", case.suite)).unwrap_or(&case.name);
        let folder = case.evidence.as_deref().unwrap_or_default();
        let files = case.files.iter().take(ATTACHMENTS);
        let outcome = outcome(&record, command);
        let reruns = if matches!(outcome, Outcome::Skipped(_)) { Vec::new() } else { reruns(&record) };
        let again: u64 = case.again.iter().map(|other| other.duration_ms).sum();
        Self {
            class: format!("waymark.{}", case.suite),
            name: name.to_owned(),
            place: record.place().map(|(file, line)| (file.to_owned(), line.to_owned())),
            duration_ms: case.duration_ms + again,
            properties: properties(case, &record),
            outcome,
            reruns,
            attachments: files.map(|file| format!("{folder}/{}", file.name)).collect(),
        }
    }

    /// What went wrong with the run itself. Never empty for a run that did not end in good order, or that judged
    /// nothing, so that its file is not green: `is_red` says whether a case already makes it red.
    pub(super) fn of_run(result: &RunResult, is_red: bool) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        for span in &result.run.timeline {
            let Some(error) = &span.error else { continue };
            let name = format!("phase::{}", span.phase.as_str());
            if found.iter().all(|known| known.name != name) {
                found.push(Self::trouble(&name, "infra", error, span.duration_ms.unwrap_or(0)));
            }
        }
        if let Some(reason) = &result.run.reason {
            found.push(Self::trouble("completed", kind_of_end(&result.run), reason, 0));
        }
        if result.cases.is_empty() {
            found.push(Self::trouble("has_cases", "harness", "the run tried no case", 0));
        }
        if result.run.verdict != RunVerdict::Conformant && !is_red && found.is_empty() {
            let line = verdict_line(result, crate::text::Style::default());
            found.push(Self::trouble("verdict", "inconclusive", &line, 0));
        }
        found
    }

    /// Whether it makes the file red.
    pub(super) fn is_red(&self) -> bool {
        matches!(self.outcome, Outcome::Failure { .. } | Outcome::Error { .. })
    }

    /// Without its text and files: what is left when the file grows too large.
    pub(super) fn brief(mut self) -> Self {
        const NOTE: &str = "left out to keep the file below its limit; see report.html";
        if let Outcome::Failure { text, .. } | Outcome::Error { text, .. } = &mut self.outcome {
            NOTE.clone_into(text);
        }
        self.attachments.clear();
        self
    }

    fn trouble(name: &str, kind: &'static str, reason: &str, duration_ms: u64) -> Self {
        let text = plain::cut(&plain::lines(reason), TEXT_LIMIT);
        Self {
            class: "waymark.run".to_owned(),
            name: name.to_owned(),
            place: None,
            duration_ms,
            properties: Vec::new(),
            outcome: Outcome::Error { kind, message: message(reason), text },
            reruns: Vec::new(),
            attachments: Vec::new(),
        }
    }

    /// Writes the element.
    pub(super) fn write(&self, xml: &mut Xml) {
        let time = seconds(self.duration_ms);
        let mut attributes = vec![("classname", self.class.as_str()), ("name", &self.name), ("time", &time)];
        if let Some((file, line)) = &self.place {
            attributes.extend([("file", file.as_str()), ("line", line)]);
        }
        xml.parent("testcase", &attributes, |xml| {
            super::properties(xml, &self.properties);
            match &self.outcome {
                Outcome::Pass => {}
                Outcome::Failure { kind, message, text } => {
                    xml.leaf("failure", &[("type", kind), ("message", message)], text);
                }
                Outcome::Error { kind, message, text } => {
                    xml.leaf("error", &[("type", kind), ("message", message)], text);
                }
                Outcome::Skipped(why) => xml.leaf("skipped", &[("message", why)], why),
            }
            for (element, message, duration_ms) in &self.reruns {
                let time = seconds(*duration_ms);
                let kind = if element.ends_with("Error") { "harness" } else { "assertion" };
                let attributes = [("type", kind), ("message", message.as_str()), ("time", &time)];
                xml.parent(element, &attributes, |xml| xml.leaf("stackTrace", &[], message));
            }
            let tags: Vec<_> = self.attachments.iter().map(|path| format!("[[ATTACHMENT|{path}]]")).collect();
            if !tags.is_empty() {
                xml.leaf("system-out", &[], &tags.join("\n"));
            }
        });
    }
}

/// Seconds with three decimals.
pub(super) fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

fn outcome(record: &Record<'_>, command: &str) -> Outcome {
    let reason = record.headline();
    let word = record.verdict.as_str();
    if record.is_expired() && !record.gates() {
        let listed = record.deviation.map_or("", |listed| &listed.expires);
        let message = message(&format!("{word}, but the listed deviation held until {listed}: {reason}"));
        return Outcome::Error { kind: "expired", message, text: text(record, command) };
    }
    match record.verdict {
        CaseVerdict::Pass => Outcome::Pass,
        CaseVerdict::Fail | CaseVerdict::Error if record.is_quarantined() => {
            let ended = if record.verdict == CaseVerdict::Fail { "failed" } else { "could not be judged" };
            Outcome::Skipped(message(&format!("quarantined, and {ended}: {reason}")))
        }
        CaseVerdict::Fail | CaseVerdict::Error if record.level == Level::Observed => {
            Outcome::Skipped(message(&format!("observed, never held against the mesh: {word}: {reason}")))
        }
        CaseVerdict::Fail => {
            Outcome::Failure { kind: kind(record), message: message(&reason), text: text(record, command) }
        }
        CaseVerdict::Error => {
            Outcome::Error { kind: kind(record), message: message(&reason), text: text(record, command) }
        }
        CaseVerdict::Known => Outcome::Skipped(message(&format!("known: {reason}{}", link(record)))),
        CaseVerdict::Unsupported => Outcome::Skipped(message(&format!("unsupported: {reason}"))),
        CaseVerdict::Skip => Outcome::Skipped(message(&format!("skip: {reason}"))),
        CaseVerdict::NotRun => Outcome::Skipped(message(&format!("not run: {reason}"))),
    }
}

fn kind(record: &Record<'_>) -> &'static str {
    let answers = record.failure.map_or(0, |mismatch| mismatch.answers.len());
    let waited =
        record.reason.is_some_and(|reason| reason.starts_with("wait ") || reason.contains("last seen"));
    match record.verdict {
        _ if record.again.iter().any(|other| other.verdict == CaseVerdict::Pass) => "flaky",
        CaseVerdict::Error if waited => "timeout",
        CaseVerdict::Error => "harness",
        _ if record.is_fail_open() => "fail-open",
        _ if answers > 1 => "convergence",
        _ => "assertion",
    }
}

fn kind_of_end(run: &Run) -> &'static str {
    let reason = run.reason.as_deref().unwrap_or_default();
    if reason.contains("interrupted") { "interrupted" } else { "infra" }
}

/// Every red verdict of a case that was also green, else those that came after the first.
fn reruns(record: &Record<'_>) -> Vec<(&'static str, String, u64)> {
    let green = |verdict| verdict == CaseVerdict::Pass;
    let was_green = green(record.verdict) || record.again.iter().any(|other| green(other.verdict));
    let element = |verdict| match (verdict, was_green) {
        (CaseVerdict::Fail, true) => Some("flakyFailure"),
        (CaseVerdict::Fail, false) => Some("rerunFailure"),
        (CaseVerdict::Error, true) => Some("flakyError"),
        (CaseVerdict::Error, false) => Some("rerunError"),
        _ => None,
    };
    let said = |other: &Again| message(&plain::shown(other.reason.as_deref().unwrap_or("no reason given")));
    let mut found = Vec::new();
    if was_green && let Some(element) = element(record.verdict) {
        found.push((element, message(&record.headline()), record.duration_ms));
    }
    for other in record.again {
        if let Some(element) = element(other.verdict) {
            found.push((element, said(other), other.duration_ms));
        }
    }
    found
}

fn properties(case: &CaseResult, record: &Record<'_>) -> Vec<(&'static str, String)> {
    let mut found = vec![("level", record.level.as_str().to_owned())];
    if case.rests_on_adapter() {
        found.push(("caveat", format!("passes {}", caveat::ADAPTER)));
    }
    if !record.refs.is_empty() {
        found.push(("refs", record.refs.join(", ")));
    }
    found.extend(record.causes.iter().map(|cause| ("cause", cause.id.clone())));
    if let Some(listed) = record.deviation {
        found.push(("deviation", block::deviation(record, listed)));
    }
    if !record.again.is_empty() {
        found.push(("again", block::again(record)));
    }
    found
}

fn text(record: &Record<'_>, command: &str) -> String {
    plain::cut(&ascii_block(record, Around { run_dir: "", command }), TEXT_LIMIT)
}

fn link(record: &Record<'_>) -> String {
    record.deviation.map_or_else(String::new, |listed| format!(" ({})", listed.link))
}

fn message(text: &str) -> String {
    plain::short(&plain::shown(text), MESSAGE_LIMIT)
}
