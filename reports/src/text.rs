//! What a terminal shows: the block of a red case and the summary of a run, as plain text with marks for
//! colour that the caller chooses.

use std::fmt::Write;

use crate::events::{CaseFinished, PlannedCase};
use crate::result::{CaseResult, RunResult};
use crate::verdict::{CaseVerdict, RunVerdict};

mod table;

const WIDTH: usize = 100;

/// How text is dressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether to write ANSI colours.
    pub colour: bool,
}

/// What a failure block says beside the record itself.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// Where the run's files are, in front of the evidence path.
    pub run_dir: &'a str,
    /// The command that the run was started with, without its filter, such as `waymark run --istio 1.24`.
    pub command: &'a str,
}

/// The block of a red case: promise, what was sent, want and got, who decided, answers, evidence and the
/// command to repeat it. Complete without scrolling back.
pub fn failure_block(case: &PlannedCase, end: &CaseFinished, around: Around<'_>, style: Style) -> String {
    let head = format!("── {}  {}  ", style.verdict(end.verdict, shout(end.verdict)), case.name);
    let tail = format!(" {} ──", seconds(end.duration_ms));
    let used = 3 + shout(end.verdict).len() + 2 + case.name.chars().count() + 2 + tail.chars().count();
    let mut out = format!("{head}{}{tail}\n", "─".repeat(WIDTH.saturating_sub(used).max(2)));
    field(&mut out, "Promise", &case.promise);
    if !case.refs.is_empty() {
        field(&mut out, "Refs", &format!("{} ({})", case.refs.join(", "), case.level.as_str()));
    }
    match &end.failure {
        Some(mismatch) => {
            if let Some(sent) = &mismatch.sent {
                field(&mut out, "Sent", sent);
            }
            out.push_str(&table::want_got(&mismatch.want, &mismatch.got));
            if let Some(by) = &mismatch.decided_by {
                field(&mut out, "Decided by", by);
            }
            let answers: Vec<_> =
                mismatch.answers.iter().map(|answer| format!("{}× {}", answer.count, answer.text)).collect();
            if !answers.is_empty() {
                field(&mut out, "Answers", &answers.join("\n"));
            }
        }
        None => field(&mut out, "Reason", end.reason.as_deref().unwrap_or("none given")),
    }
    if let Some(evidence) = &end.evidence {
        field(&mut out, "Evidence", &format!("{}/{evidence}", around.run_dir));
    }
    field(&mut out, "Repeat", &format!("{} --exact {}", around.command, case.name));
    out
}

/// The end of a run: phases, totals, what is not green, parts, and the verdict as the last line.
pub fn summary(result: &RunResult, style: Style) -> String {
    let mut out = format!("════ waymark run {} ", result.run.id);
    out.push_str(&"═".repeat(WIDTH.saturating_sub(out.chars().count())));
    out.push('\n');
    field(&mut out, "Target", &format!("{} · istio {}", result.run.target, result.run.istio));
    let phases: Vec<_> = result
        .run
        .phases
        .iter()
        .iter()
        .filter_map(|(phase, ms)| ms.map(|ms| format!("{} {}", phase.as_str(), seconds(ms))))
        .collect();
    field(
        &mut out,
        "Time",
        &format!("{} ({})", seconds(result.run.duration_ms), or_none(&phases.join(" · "))),
    );
    if let Some(seed) = result.run.seed {
        field(&mut out, "Seed", &seed.to_string());
    }
    out.push('\n');
    out.push_str(&table::totals(&result.cases));
    out.push('\n');
    listing(&mut out, &result.cases, style);
    out.push_str(&table::parts(&result.run.parts));
    let _ = writeln!(out, "\n{}", verdict_line(result, style));
    out
}

/// The verdict of a run in one line, with the stand-ins it rests on.
pub fn verdict_line(result: &RunResult, style: Style) -> String {
    let counts: Vec<_> = result
        .totals
        .iter()
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(verdict, count)| format!("{count} {verdict}"))
        .collect();
    let mut line = format!("{}: {}", style.run(result.run.verdict), or_none(&counts.join(", ")));
    let stand_ins = result.run.stand_ins();
    if !stand_ins.is_empty() {
        let _ = write!(line, "; with stand-ins for {}", stand_ins.join(", "));
    }
    if let Some(reason) = &result.run.reason {
        let _ = write!(line, "; {reason}");
    }
    line
}

/// A duration for people: `74 ms`, `8.9 s`, `2 m 55 s`.
pub fn seconds(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => format!("{} m {:02} s", ms / 60_000, ms % 60_000 / 1000),
    }
}

/// The verdict as it opens a line about a case.
pub const fn shout(verdict: CaseVerdict) -> &'static str {
    match verdict {
        CaseVerdict::Pass => "PASS",
        CaseVerdict::Fail => "FAIL",
        CaseVerdict::Error => "ERROR",
        CaseVerdict::Known => "KNOWN",
        CaseVerdict::Unsupported => "UNSUP",
        CaseVerdict::Skip => "SKIP",
        CaseVerdict::NotRun => "NOTRUN",
    }
}

impl Style {
    /// `text` in the colour of a verdict; plain text when colours are off.
    pub fn verdict(self, verdict: CaseVerdict, text: &str) -> String {
        match verdict {
            CaseVerdict::Pass => self.paint("32", text),
            CaseVerdict::Fail => self.paint("1;31", text),
            CaseVerdict::Error => self.paint("1;35", text),
            CaseVerdict::Known => self.paint("33", text),
            CaseVerdict::Unsupported | CaseVerdict::Skip | CaseVerdict::NotRun => self.paint("2", text),
        }
    }

    fn run(self, verdict: RunVerdict) -> String {
        let colour = match verdict {
            RunVerdict::Conformant => "1;32",
            RunVerdict::Nonconformant => "1;31",
            RunVerdict::Inconclusive => "1;35",
        };
        self.paint(colour, verdict.as_str())
    }

    fn paint(self, colour: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

fn listing(out: &mut String, cases: &[CaseResult], style: Style) {
    let order = [CaseVerdict::Fail, CaseVerdict::Error, CaseVerdict::Known, CaseVerdict::NotRun];
    let mut any = false;
    for verdict in order {
        for case in cases.iter().filter(|case| case.verdict == verdict) {
            let label = style.verdict(verdict, &format!("{:<6}", shout(verdict)));
            let reason = case.reason.as_deref().unwrap_or_default();
            let _ = writeln!(out, "{}", format!("{label}  {}  {reason}", case.name).trim_end());
            any = true;
        }
    }
    for verdict in [CaseVerdict::Unsupported, CaseVerdict::Skip] {
        for (reason, count) in reasons(cases, verdict) {
            let _ = writeln!(
                out,
                "{}  {count}: {reason}",
                style.verdict(verdict, &format!("{:<6}", shout(verdict)))
            );
            any = true;
        }
    }
    if any {
        out.push('\n');
    }
}

fn reasons(cases: &[CaseResult], verdict: CaseVerdict) -> Vec<(&str, usize)> {
    let mut found: Vec<(&str, usize)> = Vec::new();
    for case in cases.iter().filter(|case| case.verdict == verdict) {
        let reason = case.reason.as_deref().unwrap_or("no reason given");
        match found.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => found.push((reason, 1)),
        }
    }
    found
}

fn field(out: &mut String, label: &str, text: &str) {
    for (index, line) in text.lines().enumerate() {
        let label = if index == 0 { label } else { "" };
        let _ = writeln!(out, "{label:<11}  {line}");
    }
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "nothing ran" } else { text }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Around, Style, failure_block, seconds, summary};
    use crate::events::CaseFinished;
    use crate::result::{fold, samples};
    use crate::verdict::CaseVerdict;

    const AROUND: Around<'static> = Around { run_dir: "target/waymark/latest", command: "waymark run" };

    #[test]
    fn a_broken_promise_is_shown_whole() {
        let block = failure_block(&samples::planned()[1], &samples::failed(), AROUND, Style::default());
        insta::assert_snapshot!(block);
    }

    #[test]
    fn an_error_gives_its_reason() {
        let end = CaseFinished {
            verdict: CaseVerdict::Error,
            reason: Some("wait 30s for Gateway `wp`; last seen: no pod".into()),
            failure: None,
            ..samples::failed()
        };
        insta::assert_snapshot!(failure_block(&samples::planned()[1], &end, AROUND, Style::default()));
    }

    #[test]
    fn the_summary_ends_with_the_verdict_and_names_stand_ins() {
        insta::assert_snapshot!(summary(&fold(&samples::finished_run()), Style::default()));
    }

    #[test]
    fn an_interrupted_run_is_summed_up_too() {
        insta::assert_snapshot!(summary(&fold(&samples::interrupted_run()), Style::default()));
    }

    #[test]
    fn colour_is_opt_in() {
        let result = fold(&samples::finished_run());
        assert!(!summary(&result, Style { colour: false }).contains('\u{1b}'));
        assert!(summary(&result, Style { colour: true }).contains("\u{1b}[1;31mnonconformant\u{1b}[0m"));
    }

    #[rstest]
    #[case(74, "74 ms")]
    #[case(8_950, "8.9 s")]
    #[case(175_000, "2 m 55 s")]
    fn durations_read_well(#[case] ms: u64, #[case] want: &str) {
        assert_eq!(seconds(ms), want);
    }
}
