//! `waymark explain`: what an id means that some output named.

use std::fmt::Write;

use clap::Args;
use waymark_ambient::sabotage::{DEFECTS, Defect};
use waymark_reports::text::counted;

use super::columns::columns;
use super::exit::{self, Exit};
use super::select::Selection;
use super::usage::Usage;
use super::{Cmd, Operations, Stumble};
use crate::case::Case;
use crate::diagnose::{self, CauseEntry};
use crate::engine::{Trial, catalogue};
use crate::target::doctor;

#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    /// `exit`, a case, a suite, a row (`GWC-01`), a defect (`rbac-off`), a check (`WMD-H01`), or a cause (`WMC-001`)
    #[arg(value_name = "ID", required = true)]
    pub(super) id: Vec<String>,
}

impl<O: Operations> Cmd<O> {
    pub(super) fn explain(&self, args: &ExplainArgs) -> Result<Exit, Stumble> {
        let words: Vec<&str> = args.id.iter().map(String::as_str).collect();
        let text = match words.as_slice() {
            ["exit"] => exits(),
            ["exit", code] => exit_code(code)?,
            [id] => self.meaning(id)?,
            _ => {
                let what = format!("`{}` are several ids", words.join(" "));
                return Err(Usage::new(what, "one at a time, or `exit CODE`", [""; 0]).into());
            }
        };
        self.console.out(&text);
        Ok(Exit::Ok)
    }

    fn meaning(&self, id: &str) -> Result<String, Usage> {
        if let Some(check) = doctor::CHECKS.iter().find(|check| check.id.eq_ignore_ascii_case(id)) {
            return Ok(format!("{}  {}\n  checked by  waymark doctor\n", check.id, check.about));
        }
        if id.to_ascii_uppercase().starts_with("WMD-") {
            let known = doctor::CHECKS.iter().map(|check| format!("{}  {}", check.id, check.about));
            return Err(Usage::new(format!("there is no check `{id}`"), "checks", known));
        }
        if let Some(found) = diagnose::cause(&id.to_ascii_uppercase()) {
            return Ok(cause(found));
        }
        if id.to_ascii_uppercase().starts_with("WMC-") {
            let known = diagnose::CAUSES.iter().map(|cause| format!("{}  {}", cause.id, cause.title));
            return Err(Usage::new(format!("there is no cause `{id}`"), "causes", known));
        }
        if let Some(found) = DEFECTS.iter().find(|defect| defect.name == id) {
            let all = catalogue(&self.suites);
            let names = all.iter().filter(|trial| trial.case.killed_by.contains(&found.name));
            return Ok(defect(found, &names.map(|trial| trial.name.as_str()).collect::<Vec<_>>()));
        }
        let all = catalogue(&self.suites);
        let of_case: Vec<_> = all.iter().filter(|trial| is_meant(trial, id)).cloned().collect();
        if let Some(text) = case(&of_case) {
            return Ok(text);
        }
        if let Some(text) = group(&all, id) {
            return Ok(text);
        }
        let near = DEFECTS.iter().map(|defect| (strsim::jaro_winkler(id, defect.name), defect.name));
        let near = near.max_by(|(a, _), (b, _)| a.total_cmp(b)).filter(|(likeness, _)| *likeness > 0.85);
        let unknown = Selection { exact: vec![id.to_owned()], ..Selection::default() }.apply(all);
        let cases = unknown.err().map(|usage| usage.exists).unwrap_or_default();
        Err(match near {
            Some((_, defect)) => Usage::new(format!("nothing is called `{id}`"), "did you mean", [defect]),
            None if cases.iter().any(|name| name.contains("::")) => {
                Usage::new(format!("nothing is called `{id}`"), "did you mean", cases)
            }
            None => Usage::new(format!("nothing is called `{id}`"), "what can be explained", WHAT),
        })
    }
}

/// What `explain` knows.
const WHAT: [&str; 7] = [
    "exit, exit CODE: what the exit codes mean",
    "a case, such as routing::header_match_selects_backend: `waymark list` names all",
    "a suite, such as routing: its cases",
    "a row of the catalogue, such as GWC-01: the cases that cite it",
    "a defect, such as rbac-off: `waymark list -o json` has those of each case",
    "a check of `waymark doctor`, such as WMD-H01",
    "a cause of a failure, such as WMC-001",
];

fn is_meant<C>(trial: &Trial<C>, id: &str) -> bool {
    trial.name == id || format!("{}::{}", trial.case.suite, trial.case.name) == id || trial.case.name == id
}

/// The cases of a suite, or those that cite a row of the catalogue.
fn group<C>(trials: &[Trial<C>], id: &str) -> Option<String> {
    let rows_of = |belongs: &dyn Fn(&Case<C>) -> bool| {
        let mut rows: Vec<Vec<String>> = Vec::new();
        for case in trials.iter().map(|trial| trial.case).filter(|case| belongs(case)) {
            let row = vec![format!("  {}::{}", case.suite, case.name), case.promise.to_owned()];
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
        rows
    };
    let suite = rows_of(&|case| case.suite == id);
    if !suite.is_empty() {
        let (cases, list) = (counted(suite.len(), "case"), columns(&["  CASE", "PROMISE"], &suite));
        return Some(format!("{id}  a suite of {cases}\n{list}  run        waymark run {id}::\n"));
    }
    let citing = rows_of(&|case| case.refs.iter().any(|row| row.eq_ignore_ascii_case(id)));
    let (cases, list) = (counted(citing.len(), "case"), columns(&["  CASE", "PROMISE"], &citing));
    let row = id.to_ascii_uppercase();
    (!citing.is_empty()).then(|| format!("{row}  a row of the catalogue, cited by {cases}\n{list}"))
}

/// A case with how to run it and how to see it fail.
fn case<C>(trials: &[Trial<C>]) -> Option<String> {
    let case: &Case<C> = trials.first()?.case;
    let mut out = format!("{}::{}\n", case.suite, case.name);
    let mut line = |label: &str, text: &str| {
        let _ = writeln!(out, "  {label:<9}  {text}");
    };
    line("promise", case.promise);
    line("level", &format!("{}: {}", case.level.as_str(), case.level.meaning()));
    line("isolation", &format!("{}: {}", case.isolation.as_str(), case.isolation.meaning()));
    if !case.refs.is_empty() {
        line("refs", &case.refs.join(", "));
    }
    if let Some(link) = case.source {
        line("source", link);
    }
    for need in case.needs {
        line("needs", &need.to_string());
    }
    line("written", &trials[0].written());
    for trial in trials {
        line("run", &format!("waymark run --exact {}", trial.name));
    }
    for defect in case.killed_by {
        line("sabotage", &format!("waymark run --exact {} --sabotage {defect}", trials[0].name));
    }
    Some(out)
}

/// A cause, each paragraph wrapped.
fn cause(cause: &CauseEntry) -> String {
    let mut out = format!("{}  {}\n", cause.id, cause.title);
    for (label, text) in [("means", cause.meaning), ("shows", cause.shows), ("remedy", cause.remedy)] {
        for (index, line) in wrapped(text, 84).iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            let _ = writeln!(out, "  {label:<9}  {line}");
        }
    }
    for command in cause.next {
        let _ = writeln!(out, "  look       {command}");
    }
    out
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn defect(defect: &Defect, trials: &[&str]) -> String {
    let mut out = format!("{}\n  breaks     {}\n", defect.name, defect.promise);
    let place = match defect.place.as_str() {
        "relay" => "in the relay between istiod and the waypoint's Envoy",
        "ztunnel" => "in the stand-in ztunnel",
        other => other,
    };
    let _ = writeln!(out, "  injected   {place}");
    for name in trials {
        let _ = writeln!(out, "  noticed by {name}");
    }
    let _ = writeln!(out, "  run        waymark run --sabotage {}", defect.name);
    out
}

/// All exit codes.
pub(super) fn exits() -> String {
    let row = |exit: &Exit| vec![format!("{:>4}", exit.code()), exit.meaning().to_owned()];
    columns(&["CODE", "MEANING"], &exit::ALL.iter().map(row).collect::<Vec<_>>())
}

fn exit_code(code: &str) -> Result<String, Usage> {
    let known = exit::ALL.iter().find(|exit| exit.code().to_string() == code);
    known.map(|exit| format!("exit {}  {}\n", exit.code(), exit.meaning())).ok_or_else(|| {
        let codes = exit::ALL.iter().map(|exit| exit.code().to_string());
        Usage::new(format!("no command ends with `{code}`"), "exit codes", codes)
    })
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use rstest::rstest;

    use super::{ExplainArgs, case, exit_code, exits, group, wrapped};
    use crate::case::{Case, Isolation};
    use crate::cli::fake::{FakeOperations, suites};
    use crate::cli::{Cmd, Stumble};
    use crate::engine::catalogue;
    use crate::engine::fake::{case as sample, suite};
    use crate::printer::Console;

    fn explain(words: &[&str]) -> Result<(), String> {
        let operations = std::sync::Arc::new(FakeOperations::default());
        let command = Cmd {
            suites: suites(),
            operations,
            console: Console::default(),
            given: Default::default(),
            settings: Vec::new(),
        };
        let args = ExplainArgs { id: words.iter().map(|&word| word.to_owned()).collect() };
        match command.explain(&args) {
            Ok(_) => Ok(()),
            Err(Stumble::Usage(usage)) => Err(usage.to_string()),
            Err(Stumble::Broken(broken)) => Err(broken.chain()),
        }
    }

    #[rstest]
    #[case(&["exit"])]
    #[case(&["exit", "10"])]
    #[case(&["fake::kept"])]
    #[case(&["kept"])]
    #[case(&["fake"])]
    #[case(&["x-01"])]
    #[case(&["rbac-off"])]
    #[case(&["WMD-H01"])]
    #[case(&["wmd-h01"])]
    #[case(&["WMC-001"])]
    fn ids_are_found(#[case] words: &[&str]) {
        assert_eq!(explain(words), Ok(()));
    }

    #[rstest]
    #[case::code(&["exit", "11"], "no command ends with `11`\n  exit codes:\n    0\n    2\n    10")]
    #[case::near_case(&["fake::kepd"], "did you mean:\n    fake::kept")]
    #[case::near_defect(&["rbac-of"], "did you mean:\n    rbac-off")]
    #[case::check(&["WMD-X99"], "there is no check `WMD-X99`\n  checks:\n    WMD-H01")]
    #[case::cause(&["WMC-999"], "there is no cause `WMC-999`\n  causes:\n    WMC-001  traffic never")]
    #[case::nothing(&["zzz"], "nothing is called `zzz`\n  what can be explained:\n    exit, exit CODE")]
    #[case::two(&["kept", "old"], "`kept old` are several ids")]
    fn what_is_unknown_is_answered_with_what_exists(#[case] words: &[&str], #[case] want: &str) {
        let error = explain(words).unwrap_err();
        assert!(error.contains(want), "{error}");
    }

    #[test]
    fn words_are_kept_whole() {
        assert_eq!(wrapped("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrapped("overlong", 3), ["overlong"]);
    }

    #[test]
    fn a_suite_and_a_row_name_their_cases() {
        let all = catalogue(&suites());
        let suite = group(&all, "fake").unwrap();
        assert!(suite.starts_with("fake  a suite of 4 cases\n"), "{suite}");
        assert!(suite.contains("\n  fake::broken_promise  a fake promise is kept\n"), "{suite}");
        let row = group(&all, "x-01").unwrap();
        assert!(row.starts_with("X-01  a row of the catalogue, cited by 4 cases\n"), "{row}");
        assert_eq!(group(&all, "X-02"), None);
    }

    #[test]
    fn explanations_read_well() {
        let promise = "a request that no policy allows is denied by the waypoint";
        let denied = Case {
            promise,
            source: Some("https://istio.io/latest/"),
            ..sample("denied", Isolation::Host, |_| async { Ok(()) }.boxed())
        };
        let trials = catalogue(&[suite(vec![denied])]);
        insta::assert_snapshot!(format!(
            "{}\n{}\n{}",
            case(&trials).unwrap(),
            exit_code("10").unwrap(),
            exits()
        ));
    }
}
