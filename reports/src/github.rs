//! What GitHub reads from a job: annotations on stdout, and outputs for later steps.

use std::fmt::Write;

use crate::plain;
use crate::record::{Record, flaky};
use crate::result::RunResult;
use crate::text::{Style, verdict_line};

/// GitHub shows about ten errors a step: so many cases, and one line for the others.
const ERRORS: usize = 9;
/// Most characters of a message.
const MESSAGE_LIMIT: usize = 500;

/// Where the run's reports are, as later steps can find them.
#[derive(Clone, Copy, Debug)]
pub struct Paths<'a> {
    /// The HTML report.
    pub report: &'a str,
    /// The JUnit file.
    pub junit: &'a str,
}

/// An error at the source of each case that is red and counts, at most nine; one for the others; and a notice
/// with the verdict. A run that did not complete has an error of its own.
pub fn annotations(result: &RunResult) -> String {
    let red: Vec<_> = result.cases.iter().map(Record::from).filter(Record::gates).collect();
    let mut out = String::new();
    if let Some(reason) = &result.run.reason {
        command(&mut out, "error", &[("title", "waymark: the run did not complete")], reason);
    }
    let room = ERRORS - usize::from(result.run.reason.is_some());
    for record in red.iter().take(room) {
        let title = match record.causes.first() {
            Some(cause) => format!("{} ({})", record.name, cause.id),
            None => record.name.to_owned(),
        };
        let mut properties = Vec::new();
        if let Some((file, line)) = record.place() {
            properties.extend([("file", file), ("line", line)]);
        }
        properties.push(("title", &title));
        let cause = record.causes.first().map(|cause| format!("; {}", cause.title)).unwrap_or_default();
        command(&mut out, "error", &properties, &format!("{}{cause}", record.headline()));
    }
    if red.len() > room {
        let more = format!("and {} more cases are red", red.len() - room);
        command(&mut out, "error", &[("title", "waymark")], &more);
    }
    command(&mut out, "notice", &[("title", "waymark")], &verdict_line(result, Style::default()));
    out
}

/// Lines for the file that `GITHUB_OUTPUT` names: `result`, `passed`, `failed`, `flaky`, `errors`, `exit-reason`,
/// `report-path`, `junit-path`.
pub fn outputs(result: &RunResult, paths: Paths<'_>) -> String {
    let values = [
        ("result", result.run.verdict.as_str().to_owned()),
        ("passed", result.totals.pass.to_string()),
        ("failed", result.totals.fail.to_string()),
        ("flaky", flaky(result).to_string()),
        ("errors", result.totals.error.to_string()),
        ("exit-reason", verdict_line(result, Style::default())),
        ("report-path", paths.report.to_owned()),
        ("junit-path", paths.junit.to_owned()),
    ];
    let mut out = String::new();
    for (name, value) in values {
        let value = plain::shown(&value);
        let end = delimiter(&value);
        let _ = writeln!(out, "{name}<<{end}\n{value}\n{end}");
    }
    out
}

/// A word that does not occur in `value`.
fn delimiter(value: &str) -> String {
    let mut word = "WAYMARK_END".to_owned();
    while value.contains(&word) {
        word.push('_');
    }
    word
}

fn command(out: &mut String, name: &str, properties: &[(&str, &str)], message: &str) {
    let properties: Vec<_> =
        properties.iter().map(|(key, value)| format!("{key}={}", property(value))).collect();
    let message = data(&plain::short(&plain::lines(message), MESSAGE_LIMIT));
    let _ = writeln!(out, "::{name} {}::{message}", properties.join(","));
}

fn data(text: &str) -> String {
    plain::no_commands(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(&plain::shown(text)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{Paths, annotations, delimiter, outputs};
    use crate::result::{RunResult, eventful, fold, samples};

    const PATHS: Paths<'static> =
        Paths { report: "target/waymark/latest/report.html", junit: "target/waymark/latest/junit.xml" };

    #[test]
    fn a_red_case_is_an_error_at_its_source() {
        insta::assert_snapshot!(annotations(&fold(&samples::finished_run())));
    }

    #[test]
    fn what_does_not_count_is_no_error() {
        let shown = annotations(&eventful::run());
        assert!(!shown.contains("quarantined::") && !shown.contains("observed::"), "{shown}");
        assert!(shown.contains("broken%3A%3Anamespace"), "{shown}");
    }

    #[test]
    fn a_run_that_was_not_set_up_is_an_error() {
        insta::assert_snapshot!(annotations(&eventful::set_up_failed()));
    }

    #[test]
    fn at_most_ten_errors_and_a_notice() {
        let count = |result: &RunResult| annotations(result).matches("::error ").count();
        let mut result = eventful::large(40);
        assert_eq!(count(&result), 10);
        assert!(annotations(&result).contains("and 31 more cases are red"));
        result.run.reason = Some("interrupted by Ctrl-C".into());
        assert_eq!(count(&result), 10);
        assert_eq!(count(&eventful::large(9)), 9);
    }

    #[test]
    fn text_of_the_mesh_commands_nothing() {
        let mut result = eventful::hostile();
        result.cases[0].causes[0].title = "x ##[group]y ##vso[z]".into();
        let shown = annotations(&result);
        assert!(!shown.contains("##[") && !shown.contains("##vso["), "{shown}");
        insta::assert_snapshot!(shown);
        assert!(shown.lines().all(|line| line.starts_with("::error ") || line.starts_with("::notice ")));
        let file = outputs(&eventful::hostile(), PATHS);
        assert_eq!(file.lines().count(), 8 * 3);
    }

    #[test]
    fn later_steps_get_outputs() {
        insta::assert_snapshot!(outputs(&fold(&samples::finished_run()), PATHS));
    }

    #[test]
    fn no_value_ends_itself() {
        assert_eq!(delimiter("a"), "WAYMARK_END");
        assert_eq!(delimiter("x WAYMARK_END_ y"), "WAYMARK_END__");
    }
}
