//! What a terminal shows: the block of a red case and the summary of a run, as plain text with marks for
//! colour that the caller chooses.

use std::fmt::Write;

use crate::caveat;
use crate::events::{CaseFinished, PlannedCase};
use crate::plain;
use crate::record::{Record, flaky};
use crate::result::RunResult;
use crate::verdict::{CaseVerdict, RunVerdict};
use layout::{WIDTH, field, verbatim};

pub(crate) mod block;
mod layout;
mod listing;
mod table;

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

/// Marks that carry meaning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glyphs {
    pub(crate) met: &'static str,
    pub(crate) unmet: &'static str,
    pub(crate) absent: &'static str,
    pub(crate) times: &'static str,
    pub(crate) item: &'static str,
}

const UNICODE: Glyphs = Glyphs { met: "✓", unmet: "✗", absent: "–", times: "×", item: "·" };
const ASCII: Glyphs = Glyphs { met: "ok", unmet: "UNMET", absent: "-", times: "x", item: "-" };

/// The block of a red case: promise, what was sent, want and got, who decided, answers over time, causes, where
/// to look, evidence and the command to repeat it. Complete without scrolling back, safe for a terminal.
pub fn failure_block(case: &PlannedCase, end: &CaseFinished, around: Around<'_>, style: Style) -> String {
    let record = Record::of(case, end);
    plain::no_commands(&format!("{}{}", block::head(&record, style), block::body(&record, around, UNICODE)))
}

/// The same record without its opening line, our own words in ASCII.
pub(crate) fn ascii_block(record: &Record<'_>, around: Around<'_>) -> String {
    block::body(record, around, ASCII)
}

/// The end of a run: phases, totals, what is not green and why, parts, what to run next, which core cases rest on the
/// adapter, and the verdict as the last line.
pub fn summary(result: &RunResult, style: Style) -> String {
    let run = &result.run;
    let mut out = format!("════ waymark run {} ", plain::shown(&run.id));
    out.push_str(&"═".repeat(WIDTH.saturating_sub(out.chars().count())));
    out.push('\n');
    field(&mut out, "Target", &format!("{} · istio {}", run.target, run.istio));
    let phases: Vec<_> = run
        .phases
        .iter()
        .iter()
        .filter_map(|(phase, ms)| ms.map(|ms| format!("{} {}", phase.as_str(), seconds(ms))))
        .collect();
    field(&mut out, "Time", &format!("{} ({})", seconds(run.duration_ms), or_none(&phases.join(" · "))));
    if let Some(seed) = run.seed {
        field(&mut out, "Seed", &seed.to_string());
    }
    if let Some(shard) = run.shard {
        field(&mut out, "Shard", &format!("{} of {}", shard.index, shard.of));
    }
    field(&mut out, "Merged", &run.merged.join(", "));
    field(&mut out, "Sabotage", &run.sabotage.join(", "));
    out.push('\n');
    out.push_str(&table::totals(result));
    out.push('\n');
    out.push_str(&listing::listing(&result.cases, style));
    out.push_str(&table::parts(&run.parts));
    let rerun = rerun(result);
    verbatim(&mut out, "Again", rerun.as_deref());
    if let Some((pass, names)) = caveat::on_adapter(result) {
        field(&mut out, "Adapter", &format!("{pass}: {names}"));
    }
    let _ = writeln!(out, "\n{}", verdict_line(result, style));
    plain::no_commands(&out)
}

/// The command that tries again what failed or was not reached; none when all is judged and green.
pub(crate) fn rerun(result: &RunResult) -> Option<String> {
    let again = |verdict: CaseVerdict| verdict.is_red() || verdict == CaseVerdict::NotRun;
    let id = &result.run.id;
    let named = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let run = if named { id.as_str() } else { "latest" };
    let command = if result.run.command.is_empty() { "waymark run" } else { &result.run.command };
    result.cases.iter().any(|case| again(case.verdict)).then(|| format!("{command} --rerun {run}"))
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
    let flaky = flaky(result);
    if flaky > 0 {
        let _ = write!(line, "; {flaky} flaky");
    }
    let stand_ins = result.run.stand_ins();
    if !stand_ins.is_empty() {
        let _ = write!(line, "; with stand-ins for {}", plain::shown(&stand_ins.join(", ")));
    }
    if !result.run.sabotage.is_empty() {
        let _ = write!(line, "; sabotaged: {}", plain::shown(&result.run.sabotage.join(", ")));
    }
    if let Some(reason) = &result.run.reason {
        let _ = write!(line, "; {}", plain::line(reason));
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

/// A number of things: `1 case`, `2 cases`.
pub fn counted(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
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

fn or_none(text: &str) -> &str {
    if text.is_empty() { "nothing ran" } else { text }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Around, Style, failure_block, seconds, summary};
    use crate::events::CaseFinished;
    use crate::result::{eventful, fold, samples};
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
    fn the_summary_of_a_run_in_which_everything_occurs() {
        insta::assert_snapshot!(summary(&eventful::run(), Style::default()));
    }

    #[test]
    fn text_of_the_mesh_neither_steers_the_terminal_nor_outgrows_it() {
        let result = eventful::hostile();
        let case = &result.cases[0];
        let end = CaseFinished {
            reason: case.reason.clone(),
            failure: case.failure.clone(),
            causes: case.causes.clone(),
            ..samples::failed()
        };
        let block = failure_block(&samples::planned()[1], &end, AROUND, Style::default());
        insta::assert_snapshot!(block);
        let text = block + &summary(&result, Style::default());
        let steers = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(steers), "{text:?}");
        assert!(
            text.lines()
                .filter(|line| !line.starts_with("Evidence"))
                .all(|line| line.chars().count() <= 100 || line.starts_with("nonconformant")),
            "{text}"
        );
    }

    #[rstest]
    #[case::known("20261125-091403-k7f2", "--rerun 20261125-091403-k7f2")]
    #[case::unknown("", "--rerun latest")]
    #[case::no_id("x; reboot", "--rerun latest")]
    fn what_to_run_next_names_the_run(#[case] id: &str, #[case] want: &str) {
        let mut result = fold(&samples::finished_run());
        result.run.id = id.into();
        assert!(super::rerun(&result).unwrap().ends_with(want));
    }

    #[test]
    fn core_cases_that_rest_on_the_adapter_are_told_before_the_verdict() {
        let mut result = fold(&samples::finished_run());
        assert!(!summary(&result, Style::default()).contains("\nAdapter"));
        let mut case = result.cases[0].clone();
        case.decided_by.push("adapter".into());
        for index in 0..4 {
            case.name = format!("metrics::requests_total_rises_by_requests_{index}::namespace");
            result.cases.push(case.clone());
        }
        let text = summary(&result, Style::default());
        let told = text.split("\nAdapter").nth(1).unwrap();
        insta::assert_snapshot!(told);
        assert!(told.lines().all(|line| line.chars().count() <= 100));
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
