//! The section of `summary.md` about earlier runs.

use std::fmt::Write;

use super::{Flaky, History, KEPT, NewFailure};
use crate::markdown::escape::code;
use crate::result::RunResult;
use crate::text::seconds;

const MOST: usize = 25;

impl History {
    /// What is new in `result` against earlier runs, as a section of Markdown.
    pub fn markdown(&self, result: &RunResult) -> String {
        let news = self.news(result);
        let mut out = "### Against earlier runs\n\n".to_owned();
        if news.runs == 0 {
            out.push_str("There is no earlier run to compare with.\n");
            return out;
        }
        let runs = if news.runs == 1 { "run" } else { "runs" };
        let (count, target, istio) = (news.runs.min(KEPT), code(&self.target), code(&self.istio));
        let _ = writeln!(out, "Compared with the last {count} {runs} on {target} with Istio {istio}.\n");
        if news.new_failures.is_empty() {
            out.push_str("- no new failure\n");
        }
        list(&mut out, &news.new_failures, new_failure);
        list(&mut out, &news.flaky, flaky);
        list(&mut out, &news.slow, |slow| {
            let (now, median) = (seconds(slow.now_ms), seconds(slow.median_ms));
            format!("**slow to converge** {}: {now}, usually {median}", code(&slow.name))
        });
        out
    }
}

fn list<T>(out: &mut String, items: &[T], line: impl Fn(&T) -> String) {
    for item in items.iter().take(MOST) {
        let _ = writeln!(out, "- {}", line(item));
    }
    if items.len() > MOST {
        let _ = writeln!(out, "- and {} more of these", items.len() - MOST);
    }
}

fn new_failure(failure: &NewFailure) -> String {
    let NewFailure { name, verdict, passes, last_pass } = failure;
    let before = match last_pass {
        None => "never passed before".to_owned(),
        Some((run, at)) if *passes == 0 => format!("passed last in {} ({})", code(run), day(*at)),
        Some((run, at)) => format!("passed {passes} in a row, last in {} ({})", code(run), day(*at)),
    };
    format!("**new {verdict}** {}: {before}", code(name))
}

fn flaky(flaky: &Flaky) -> String {
    let Flaky { name, since, red, of } = flaky;
    format!("**flaky** {} since {}: did not pass {red} of {of} times", code(name), day(*since))
}

fn day(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}
