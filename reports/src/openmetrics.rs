//! The run as OpenMetrics, for dashboards that show trends.
//!
//! Labels come from bounded sets: suites, verdicts, phases, and on one family the names of cases; never run ids.

use std::fmt::Write;

use crate::plain;
use crate::record::{Record, flaky, suites};
use crate::result::{CaseResult, RunResult, Totals};
use crate::verdict::RunVerdict;

/// What a server that offers the text has to call it.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the convergence histogram, milliseconds.
const BOUNDS_MS: [u64; 10] = [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000];

/// The run in OpenMetrics text, ended by `# EOF`.
pub fn openmetrics(result: &RunResult) -> String {
    let mut out = String::new();
    run(&mut out, result);
    cases(&mut out, result);
    verdicts(&mut out, result);
    phases(&mut out, result);
    convergence(&mut out, result);
    out.push_str("# EOF\n");
    out
}

fn run(out: &mut String, result: &RunResult) {
    let run = &result.run;
    family(out, "waymark_run", "info", None, "What was run against what.");
    let facts = [("istio", run.istio.as_str()), ("target", &run.target), ("waymark", &run.waymark)];
    sample(out, "waymark_run_info", &facts, "1");
    family(out, "waymark_run_verdict", "gauge", None, "1 at the verdict of the last run.");
    for verdict in [RunVerdict::Conformant, RunVerdict::Nonconformant, RunVerdict::Inconclusive] {
        let value = if verdict == run.verdict { "1" } else { "0" };
        sample(out, "waymark_run_verdict", &[("verdict", verdict.as_str())], value);
    }
    family(out, "waymark_run_duration_seconds", "gauge", Some("seconds"), "How long the last run took.");
    sample(out, "waymark_run_duration_seconds", &[], &seconds(run.duration_ms));
    if let Ok(started) = run.started_at.parse::<jiff::Timestamp>() {
        let help = "When the last run began, since the epoch.";
        family(out, "waymark_run_started_timestamp_seconds", "gauge", Some("seconds"), help);
        let at = u64::try_from(started.as_millisecond()).unwrap_or(0);
        sample(out, "waymark_run_started_timestamp_seconds", &[], &seconds(at));
    }
    if !run.parts.is_empty() {
        family(out, "waymark_part_stand_in", "gauge", None, "1 for a part that stands in for the real one.");
        for part in &run.parts {
            let value = if part.stand_in { "1" } else { "0" };
            sample(out, "waymark_part_stand_in", &[("part", &part.name)], value);
        }
    }
    family(out, "waymark_sabotaged", "gauge", None, "1 when defects were put in on purpose.");
    sample(out, "waymark_sabotaged", &[], if run.sabotage.is_empty() { "0" } else { "1" });
}

fn cases(out: &mut String, result: &RunResult) {
    family(out, "waymark_cases", "gauge", None, "Cases of the last run by verdict.");
    for suite in suites(result) {
        let mut totals = Totals::default();
        of(result, suite).for_each(|case| *totals.of(case.verdict) += 1);
        for (verdict, count) in totals.iter() {
            let labels = [("area", suite), ("verdict", verdict.as_str()), ("istio", &result.run.istio)];
            sample(out, "waymark_cases", &labels, &count.to_string());
        }
    }
    family(
        out,
        "waymark_flaky_cases",
        "gauge",
        None,
        "Cases that were judged more than once, and not alike.",
    );
    sample(out, "waymark_flaky_cases", &[("istio", &result.run.istio)], &flaky(result).to_string());
    let gating = result.cases.iter().filter(|case| Record::from(*case).gates()).count();
    family(out, "waymark_gating_cases", "gauge", None, "Cases that are red and held against the mesh.");
    sample(out, "waymark_gating_cases", &[("istio", &result.run.istio)], &gating.to_string());
}

fn verdicts(out: &mut String, result: &RunResult) {
    if result.cases.is_empty() {
        return;
    }
    family(out, "waymark_case_verdict", "gauge", None, "1 at the verdict of each case.");
    for case in &result.cases {
        let labels = [("case", case.name.as_str()), ("verdict", case.verdict.as_str())];
        sample(out, "waymark_case_verdict", &labels, "1");
    }
}

fn phases(out: &mut String, result: &RunResult) {
    let phases = result.run.phases.iter();
    if phases.iter().all(|(_, ms)| ms.is_none()) {
        return;
    }
    family(
        out,
        "waymark_phase_seconds",
        "gauge",
        Some("seconds"),
        "How long each phase of the last run took.",
    );
    for (phase, ms) in phases {
        if let Some(ms) = ms {
            sample(out, "waymark_phase_seconds", &[("phase", phase.as_str())], &seconds(ms));
        }
    }
}

/// The slowest propagation of each case; cases that waited for none are left out.
fn convergence(out: &mut String, result: &RunResult) {
    let name = "waymark_convergence_seconds";
    let measured = |suite| of(result, suite).filter_map(|case| case.convergence_ms).collect::<Vec<_>>();
    let suites: Vec<_> = suites(result).into_iter().filter(|suite| !measured(*suite).is_empty()).collect();
    if suites.is_empty() {
        return;
    }
    let help = "Slowest propagation of a change that each case waited for.";
    family(out, name, "histogram", Some("seconds"), help);
    for suite in suites {
        let values = measured(suite);
        for bound in BOUNDS_MS {
            let count = values.iter().filter(|ms| **ms <= bound).count();
            let le = float(bound);
            sample(out, &format!("{name}_bucket"), &[("area", suite), ("le", &le)], &count.to_string());
        }
        let count = values.len().to_string();
        sample(out, &format!("{name}_bucket"), &[("area", suite), ("le", "+Inf")], &count);
        sample(out, &format!("{name}_sum"), &[("area", suite)], &seconds(values.iter().sum()));
        sample(out, &format!("{name}_count"), &[("area", suite)], &count);
    }
}

fn of<'a>(result: &'a RunResult, suite: &'a str) -> impl Iterator<Item = &'a CaseResult> {
    result.cases.iter().filter(move |case| case.suite == suite)
}

fn family(out: &mut String, name: &str, kind: &str, unit: Option<&str>, help: &str) {
    let _ = writeln!(out, "# TYPE {name} {kind}");
    if let Some(unit) = unit {
        let _ = writeln!(out, "# UNIT {name} {unit}");
    }
    let _ = writeln!(out, "# HELP {name} {help}");
}

fn sample(out: &mut String, name: &str, labels: &[(&str, &str)], value: &str) {
    let labels: Vec<_> = labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escape(value))).collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    let _ = writeln!(out, "{name}{labels} {value}");
}

fn escape(value: &str) -> String {
    plain::short(&plain::shown(value), 200).replace('\\', "\\\\").replace('"', "\\\"")
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// Seconds in the canonical form of a bucket's bound: `0.25`, `1.0`.
fn float(ms: u64) -> String {
    let text = seconds(ms);
    let short = text.trim_end_matches('0');
    if short.ends_with('.') { format!("{short}0") } else { short.to_owned() }
}

#[cfg(test)]
mod tests {
    use prometheus_parse::{Scrape, Value};
    use rstest::rstest;

    use super::{float, openmetrics};
    use crate::result::{RunResult, eventful, fold, samples};

    fn parse(text: &str) -> Scrape {
        Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).unwrap()
    }

    #[test]
    fn a_finished_run() {
        insta::assert_snapshot!(openmetrics(&fold(&samples::finished_run())));
    }

    #[rstest]
    #[case::everything(eventful::run())]
    #[case::hostile(eventful::hostile())]
    #[case::not_set_up(eventful::set_up_failed())]
    #[case::empty(fold(&[]))]
    fn every_line_is_announced_and_the_last_one_ends_the_text(#[case] result: RunResult) {
        let text = openmetrics(&result);
        assert!(text.ends_with("# EOF\n"));
        let mut family = "";
        for line in text.lines().filter(|line| *line != "# EOF") {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                family = rest.split(' ').next().unwrap();
                assert_eq!(
                    text.matches(&format!("# TYPE {family} ")).count(),
                    1,
                    "{family} is announced once"
                );
            } else {
                assert!(
                    line.trim_start_matches("# UNIT ").trim_start_matches("# HELP ").starts_with(family),
                    "{line}"
                );
            }
        }
        let samples =
            text.lines().filter(|line| !line.starts_with('#') && !line.contains("_bucket{")).count();
        let buckets =
            parse(&text).samples.iter().filter(|sample| matches!(sample.value, Value::Histogram(_))).count();
        assert_eq!(parse(&text).samples.len() - buckets, samples, "a parser reads every sample");
    }

    #[test]
    fn counts_and_buckets_add_up() {
        let mut result = eventful::run();
        for (index, case) in result.cases.iter_mut().enumerate() {
            case.convergence_ms = Some(40 * index as u64);
        }
        let text = openmetrics(&result);
        let scrape = parse(&text);
        let cases = scrape.samples.iter().filter(|sample| sample.metric == "waymark_cases");
        let sum: f64 =
            cases.map(|sample| if let Value::Gauge(count) = sample.value { count } else { 0.0 }).sum();
        assert_eq!(sum, result.cases.len() as f64);
        for sample in &scrape.samples {
            if let Value::Histogram(buckets) = &sample.value {
                assert!(buckets.is_sorted_by(|a, b| a.count <= b.count && a.less_than < b.less_than));
            }
        }
    }

    #[test]
    fn labels_are_escaped() {
        let mut result = fold(&samples::finished_run());
        result.run.istio = "1.31\"} 7\nevil 1\\".into();
        let text = openmetrics(&result);
        assert!(text.contains(r#"istio="1.31\"} 7\\nevil 1\\""#), "{text}");
        assert!(!text.lines().any(|line| line.starts_with("evil")));
    }

    #[rstest]
    #[case(50, "0.05")]
    #[case(1_000, "1.0")]
    #[case(2_500, "2.5")]
    #[case(30_000, "30.0")]
    fn bounds_are_canonical(#[case] ms: u64, #[case] want: &str) {
        assert_eq!(float(ms), want);
    }
}
