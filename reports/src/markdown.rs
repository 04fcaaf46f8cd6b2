//! `summary.md`: what a pull request shows of a run, made for a GitHub step summary.
//!
//! Text of the mesh is escaped or fenced. The page keeps to a budget: what is left out is said, never silently.

use std::fmt::Write;

use crate::caveat;
use crate::plain;
use crate::record::{Record, flaky, suites};
use crate::result::{CaseResult, RunResult, Totals};
use crate::text::{rerun, seconds};
use crate::verdict::{CaseVerdict, RunVerdict};
use details::{Shown, details, deviation, marks};
use escape::{code, fence, inline};

mod details;
pub(crate) mod escape;

/// Most bytes of the page; GitHub takes 1 MiB a step.
const BUDGET: usize = 200 * 1024;
/// Failures that are shown with their details when the page grows too large.
const DETAILS: usize = 25;
/// Failures that are unfolded.
const OPEN: usize = 3;

/// The run as Markdown. `history` is a section of its own, ready to be put in.
pub fn summary_md(result: &RunResult, history: Option<&str>) -> String {
    let mut page = String::new();
    for cut in CUTS {
        page = render(result, history, cut);
        if page.len() <= BUDGET {
            break;
        }
    }
    page
}

/// How much is left out, and what is said about it.
#[derive(Clone, Copy)]
struct Cut {
    passed: bool,
    snippets: bool,
    details: usize,
    others: usize,
    history: bool,
    note: &'static str,
}

const WHOLE: Cut =
    Cut { passed: true, snippets: true, details: usize::MAX, others: usize::MAX, history: true, note: "" };
const CUTS: [Cut; 5] = [
    WHOLE,
    Cut { passed: false, note: "the list of passed cases", ..WHOLE },
    Cut {
        passed: false,
        snippets: false,
        note: "the list of passed cases; answers, signs and files of failures",
        ..WHOLE
    },
    Cut {
        passed: false,
        snippets: false,
        details: DETAILS,
        others: 400,
        history: true,
        note: "the list of passed cases; answers, signs and files of failures; details of failures beyond 25",
    },
    Cut {
        passed: false,
        snippets: false,
        details: 0,
        others: 100,
        history: false,
        note: "all but the counts and the first hundred lines of each list",
    },
];

fn render(result: &RunResult, history: Option<&str>, cut: Cut) -> String {
    let mut out = head(result);
    out.push_str(&areas(result));
    let red: Vec<_> =
        result.cases.iter().map(Record::from).filter(|record| record.verdict.is_red()).collect();
    failures(&mut out, &red, &result.run.command, cut);
    others(&mut out, result, cut);
    if let Some(command) = rerun(result) {
        let _ = write!(out, "\n**Again** what failed or was not reached\n\n{}", fence(&command, "sh"));
    }
    if let Some(history) = history.filter(|_| cut.history) {
        let _ = write!(out, "\n{}\n", history.trim());
    }
    if cut.passed {
        passed(&mut out, &result.cases);
    }
    parts(&mut out, result);
    if !cut.note.is_empty() {
        let _ = writeln!(
            out,
            "\n_Left out to keep this page short: {}. All of it is in `report.html`._",
            cut.note
        );
    }
    plain::no_commands(&out)
}

fn head(result: &RunResult) -> String {
    let run = &result.run;
    let mark = match run.verdict {
        RunVerdict::Conformant => "✅",
        RunVerdict::Nonconformant => "❌",
        RunVerdict::Inconclusive => "⚠️",
    };
    let mut counts: Vec<_> = [
        (result.totals.fail, "failed"),
        (result.totals.error, "could not be judged"),
        (flaky(result), "flaky"),
        (result.totals.known, "known"),
        (result.totals.not_run, "not run"),
        (result.totals.pass, "passed"),
    ]
    .iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect();
    if counts.is_empty() {
        counts.push("nothing was judged".to_owned());
    }
    let mut out = format!(
        "## {mark} waymark: {} – {} ({} selected)\n",
        run.verdict,
        counts.join(", "),
        result.cases.len()
    );
    let mut facts = vec![format!("istio {}", run.istio), run.target.clone(), seconds(run.duration_ms)];
    facts.extend(run.seed.map(|seed| format!("seed {seed}")));
    facts.extend(run.shard.map(|shard| format!("shard {} of {}", shard.index, shard.of)));
    facts.push(format!("run {}", run.id));
    let facts: Vec<_> = facts.iter().map(|fact| inline(fact)).collect();
    let _ = writeln!(out, "{}\n", facts.join(" · "));
    let mut warn = |text: String| {
        let _ = writeln!(out, "> {}\n", inline(&text));
    };
    if let Some(reason) = &run.reason {
        warn(format!("The run did not complete: {}", plain::short(reason, 1000)));
    }
    for span in &run.timeline {
        if let Some(error) = &span.error {
            warn(format!("Phase {} failed: {}", span.phase.as_str(), plain::short(error, 1000)));
        }
    }
    if !run.sabotage.is_empty() {
        warn(format!("Sabotaged on purpose: {}", run.sabotage.join(", ")));
    }
    if !run.stand_ins().is_empty() {
        warn(format!("With stand-ins for {}", run.stand_ins().join(", ")));
    }
    if let Some((pass, names)) = caveat::on_adapter(result) {
        warn(format!("{pass}: {}", plain::short(&names, 1000)));
    }
    if !run.merged.is_empty() {
        warn(format!("Merged from runs {}", run.merged.join(", ")));
    }
    out
}

fn areas(result: &RunResult) -> String {
    let mut out = "| area |".to_owned();
    for (verdict, _) in Totals::default().iter() {
        let _ = write!(out, " {verdict} |");
    }
    out.push_str(" flaky |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n");
    for suite in suites(result) {
        let of_suite = || result.cases.iter().filter(|case| case.suite == suite);
        let mut totals = Totals::default();
        of_suite().for_each(|case| *totals.of(case.verdict) += 1);
        let _ = write!(out, "| {} |", inline(suite));
        for (verdict, count) in totals.iter() {
            let _ = match (verdict.is_red(), count) {
                (true, 1..) => write!(out, " **{count}** |"),
                _ => write!(out, " {count} |"),
            };
        }
        let _ = writeln!(out, " {} |", of_suite().filter(|case| Record::from(*case).is_flaky()).count());
    }
    out
}

fn failures(out: &mut String, red: &[Record<'_>], command: &str, cut: Cut) {
    for (index, record) in red.iter().take(cut.details).enumerate() {
        let shown = Shown { snippets: cut.snippets, open: index < OPEN };
        let _ = write!(out, "\n{}", details(record, command, shown));
    }
    let rest = red.get(cut.details..).unwrap_or_default();
    list(out, "More failures", rest.iter().copied(), cut.others);
}

fn others(out: &mut String, result: &RunResult, cut: Cut) {
    let of = |verdict: CaseVerdict| {
        result.cases.iter().map(Record::from).filter(move |record| record.verdict == verdict)
    };
    for (verdict, title) in [
        (CaseVerdict::Known, "Known deviations"),
        (CaseVerdict::NotRun, "Not run"),
        (CaseVerdict::Skip, "Left out"),
        (CaseVerdict::Unsupported, "Unsupported"),
    ] {
        list(out, title, of(verdict), cut.others);
    }
}

fn list<'a>(out: &mut String, title: &str, records: impl Iterator<Item = Record<'a>>, most: usize) {
    let records: Vec<_> = records.collect();
    if records.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n<details><summary>{title} ({})</summary>\n", records.len());
    for record in records.iter().take(most) {
        let reason = inline(&plain::short(&record.headline(), 200));
        let _ = write!(out, "- {} {reason}{}", code(record.name), marks(record));
        if let Some(listed) = record.deviation {
            let _ = write!(out, "; {}", deviation(record, listed));
        }
        out.push('\n');
    }
    if records.len() > most {
        let _ = writeln!(out, "- and {} more", records.len() - most);
    }
    out.push_str("\n</details>\n");
}

fn passed(out: &mut String, cases: &[CaseResult]) {
    let passed: Vec<_> = cases.iter().filter(|case| case.verdict == CaseVerdict::Pass).collect();
    if passed.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n<details><summary>Passed ({})</summary>\n", passed.len());
    for case in passed {
        let _ = writeln!(out, "- {} {}", code(&case.name), seconds(case.duration_ms));
    }
    out.push_str("\n</details>\n");
}

fn parts(out: &mut String, result: &RunResult) {
    if result.run.parts.is_empty() {
        return;
    }
    out.push_str("\n<details><summary>Parts under test</summary>\n\n| part | version | kind | from | digest |\n|---|---|---|---|---|\n");
    for part in &result.run.parts {
        let kind = if part.stand_in { "**stand-in**" } else { "real" };
        let digest = part.digest.as_deref().map_or_else(|| "–".to_owned(), code);
        let shown = |text: &str| code(&plain::short(text, 80));
        let _ = writeln!(
            out,
            "| {} | {} | {kind} | {} | {digest} |",
            shown(&part.name),
            shown(&part.version),
            shown(&part.origin)
        );
    }
    out.push_str("\n</details>\n");
}

#[cfg(test)]
mod tests {
    use super::{BUDGET, CUTS, render, summary_md};
    use crate::result::{eventful, fold, samples};

    #[test]
    fn a_finished_run() {
        insta::assert_snapshot!(summary_md(
            &fold(&samples::finished_run()),
            Some("### History\n\nnothing new")
        ));
    }

    #[test]
    fn a_run_in_which_everything_occurs() {
        insta::assert_snapshot!(summary_md(&eventful::run(), None));
    }

    #[test]
    fn a_run_that_was_not_set_up() {
        insta::assert_snapshot!(summary_md(&eventful::set_up_failed(), None));
    }

    #[test]
    fn text_of_the_mesh_stays_text() {
        let mut result = eventful::hostile();
        result.cases[0].causes[0].next = vec!["ls\n::error::x".into(), "echo '##[group]x' '##vso[x]'".into()];
        let page = summary_md(&result, None);
        insta::assert_snapshot!(page);
        assert!(!page.contains("<script>") && !page.contains('\u{1b}') && !page.contains("\n::error"));
        assert!(!page.contains("##[") && !page.contains("##vso["), "{page}");
        let rows = page.lines().filter(|line| line.starts_with("| ") && line.ends_with("✗ |"));
        let cells = |row: &str| row.replace("\\|", "").matches('|').count();
        assert!(rows.clone().count() > 2 && rows.clone().all(|row| cells(row) == 5), "{page}");
    }

    #[test]
    fn answers_without_times_show_none() {
        let mut result = fold(&samples::finished_run());
        for answer in
            result.cases.iter_mut().filter_map(|case| case.failure.as_mut()).flat_map(|f| &mut f.answers)
        {
            (answer.first_ms, answer.last_ms) = (0, 0);
        }
        assert!(
            summary_md(&result, None)
                .contains("| answer | times |\n|---|--:|\n| `200 from echo-v1` | 11 |\n")
        );
    }

    #[test]
    fn a_large_run_keeps_to_the_budget_and_says_what_is_left_out() {
        let page = |count| summary_md(&eventful::large(count), Some("### History"));
        let small = page(2);
        assert!(small.contains("Passed (2)") && !small.contains("Left out to keep"));
        let passed = page(89);
        assert!(passed.contains("short: the list of passed cases. All") && passed.contains("line 9 of"));
        let medium = page(120);
        assert!(medium.contains("short: the list of passed cases; answers") && medium.contains("red_119"));
        let large = page(300);
        assert!(large.contains("details of failures beyond 25") && large.contains("More failures (275)"));
        let huge = page(1000);
        assert!(huge.contains("- and 575 more"));
        let least = render(&eventful::large(1000), Some("### History"), CUTS[4]);
        assert!(least.contains("- and 900 more") && least.contains("all but the counts"));
        for page in [small, passed, medium, large, huge, least] {
            assert!(page.len() <= BUDGET, "{}", page.len());
            assert_eq!(page.matches("<details").count(), page.matches("</details>").count());
        }
    }
}
