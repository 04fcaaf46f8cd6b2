//! `conformance.yaml`: the run in the shape of Gateway API's ConformanceReport, under a group and profile names
//! of our own, since only upstream's suite may claim upstream's.
//!
//! Stricter than the verdict of the run: a known deviation and a quarantined case count as failed, since the
//! promise is broken; what could not be judged counts as skipped, which makes a profile `partial`; and so does a
//! core case whose need is absent, and one that passes on values that the adapter stands in for, which are told by
//! name. Observed cases are told apart and count nowhere.

use serde::{Deserialize, Serialize};

use crate::plain;
use crate::record::{Record, suites};
use crate::result::{CaseResult, RunResult};
use crate::verdict::{CaseVerdict, Level};

/// Group and version of the report.
const API_VERSION: &str = "waymark.run/v1";

/// The run as a conformance report.
pub fn conformance_yaml(result: &RunResult) -> String {
    // plain structs of strings, numbers and lists: no writer of YAML refuses them
    serde_yaml::to_string(&Report::of(result)).unwrap_or_else(|error| format!("# not written: {error}\n"))
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    api_version: String,
    kind: String,
    date: String,
    #[serde(rename = "gatewayAPIVersion")]
    gateway_api_version: String,
    #[serde(rename = "gatewayAPIChannel")]
    gateway_api_channel: String,
    mode: String,
    implementation: Implementation,
    profiles: Vec<Profile>,
    verdict: String,
    run: Run,
    dataplane: Dataplane,
    observed: Observed,
    errors: Vec<Told>,
    known_deviations: Vec<Told>,
    unsupported: Vec<Told>,
    flaky: Vec<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Implementation {
    organization: String,
    project: String,
    url: String,
    version: String,
    contact: Vec<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Profile {
    name: String,
    summary: String,
    core: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    extended: Option<Status>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    result: String,
    statistics: Statistics,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    failed_tests: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    skipped_tests: Vec<String>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statistics {
    failed: usize,
    passed: usize,
    skipped: usize,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Run {
    id: String,
    waymark: String,
    target: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sabotage: Vec<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dataplane {
    stand_ins: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    decided_by_adapter: Vec<String>,
    parts: Vec<Part>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    name: String,
    version: String,
    origin: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    stand_in: bool,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Observed {
    statistics: Statistics,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    failed_tests: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    skipped_tests: Vec<String>,
}

#[derive(Debug, PartialEq, PartialOrd, Eq, Ord, Serialize, Deserialize)]
struct Told {
    name: String,
    reason: String,
}

impl Report {
    fn of(result: &RunResult) -> Self {
        let mut profiles: Vec<_> =
            suites(result).into_iter().map(|suite| Profile::of(result, suite)).collect();
        profiles.sort_by(|one, other| one.name.cmp(&other.name));
        let observed = Status::of(result.cases.iter().filter(|case| case.level == Level::Observed));
        let told = |verdict: CaseVerdict| {
            let cases = result.cases.iter().filter(|case| case.verdict == verdict);
            let mut told: Vec<_> = cases.map(Told::of).collect();
            told.sort();
            told
        };
        let mut flaky: Vec<_> = result.cases.iter().filter(|case| Record::from(*case).is_flaky()).collect();
        flaky.sort_by(|one, other| one.name.cmp(&other.name));
        Self {
            api_version: API_VERSION.to_owned(),
            kind: "ConformanceReport".to_owned(),
            date: date(result),
            gateway_api_version: gateway_api(result),
            gateway_api_channel: "UNDEFINED".to_owned(),
            mode: "ambient".to_owned(),
            implementation: implementation(result),
            profiles,
            verdict: result.run.verdict.as_str().to_owned(),
            run: Run {
                id: plain::shown(&result.run.id),
                waymark: plain::shown(&result.run.waymark),
                target: plain::shown(&result.run.target),
                reason: result.run.reason.as_deref().map(plain::shown),
                sabotage: sorted(result.run.sabotage.iter().map(|name| plain::shown(name))),
            },
            dataplane: dataplane(result),
            observed: Observed {
                statistics: observed.statistics,
                failed_tests: observed.failed_tests,
                skipped_tests: observed.skipped_tests,
            },
            errors: told(CaseVerdict::Error),
            known_deviations: told(CaseVerdict::Known),
            unsupported: told(CaseVerdict::Unsupported),
            flaky: flaky.into_iter().map(|case| plain::shown(&case.name)).collect(),
        }
    }
}

impl Profile {
    fn of(result: &RunResult, suite: &str) -> Self {
        let of = |level| result.cases.iter().filter(move |case| case.suite == suite && case.level == level);
        let core = Status::of(of(Level::Core));
        let extended = of(Level::Extended).next().map(|_| Status::of(of(Level::Extended)));
        let mut summary = format!("Core tests {}", core.in_words());
        if let Some(extended) = &extended {
            summary.push_str(&format!(". Extended tests {}", extended.in_words()));
        }
        summary.push('.');
        let area = plain::shown(suite).to_uppercase().replace(['_', ' '], "-");
        Self { name: format!("WAYPOINT-{area}"), summary, core, extended }
    }
}

impl Status {
    fn of<'a>(cases: impl Iterator<Item = &'a CaseResult>) -> Self {
        let (mut failed, mut passed, mut skipped) = (Vec::new(), 0, Vec::new());
        for case in cases {
            let name = plain::shown(&case.name);
            match case.verdict {
                CaseVerdict::Pass if case.rests_on_adapter() => skipped.push(name),
                CaseVerdict::Pass => passed += 1,
                CaseVerdict::Fail | CaseVerdict::Known => failed.push(name),
                CaseVerdict::Unsupported if case.level != Level::Core => {}
                CaseVerdict::Error | CaseVerdict::Unsupported | CaseVerdict::Skip | CaseVerdict::NotRun => {
                    skipped.push(name);
                }
            }
        }
        let result = match (failed.is_empty(), skipped.is_empty() && passed > 0) {
            (false, _) => "failure",
            (true, false) => "partial",
            (true, true) => "success",
        };
        let statistics = Statistics { failed: failed.len(), passed, skipped: skipped.len() };
        Self {
            result: result.to_owned(),
            statistics,
            failed_tests: sorted(failed),
            skipped_tests: sorted(skipped),
        }
    }

    fn in_words(&self) -> String {
        let Statistics { failed, passed, skipped } = self.statistics;
        match (failed, skipped) {
            (1.., _) => format!("failed with {failed} test failures"),
            (0, 1..) => format!("partially succeeded with {skipped} test skips"),
            (0, 0) if passed == 0 => "were not tried".to_owned(),
            (0, 0) => "succeeded".to_owned(),
        }
    }
}

impl Told {
    fn of(case: &CaseResult) -> Self {
        let record = Record::from(case);
        let link =
            record.deviation.map(|listed| format!(" ({})", plain::shown(&listed.link))).unwrap_or_default();
        let reason = format!("{}{link}", plain::short(&record.headline(), 500));
        Self { name: plain::shown(&case.name), reason }
    }
}

/// When the run ended.
fn date(result: &RunResult) -> String {
    let Ok(start) = result.run.started_at.parse::<jiff::Timestamp>() else {
        return result.run.started_at.clone();
    };
    let took = i64::try_from(result.run.duration_ms).unwrap_or(0);
    let end = start.checked_add(jiff::SignedDuration::from_millis(took)).unwrap_or(start);
    jiff::Timestamp::from_second(end.as_second()).unwrap_or(end).to_string()
}

/// The version of the CRDs, if they are among the parts; the channel is not recorded.
fn gateway_api(result: &RunResult) -> String {
    let crds = result.run.parts.iter().find(|part| part.name.starts_with("gateway-api"));
    crds.map_or_else(|| "UNDEFINED".to_owned(), |part| plain::shown(&part.version))
}

fn implementation(result: &RunResult) -> Implementation {
    let istiod = result.run.parts.iter().find(|part| part.name == "istiod");
    Implementation {
        organization: "istio".to_owned(),
        project: "istio".to_owned(),
        url: "https://istio.io/".to_owned(),
        version: plain::shown(istiod.map_or(&result.run.istio, |part| &part.version)),
        contact: vec!["https://github.com/istio/istio/issues".to_owned()],
    }
}

fn dataplane(result: &RunResult) -> Dataplane {
    let mut parts: Vec<_> = result
        .run
        .parts
        .iter()
        .map(|part| Part {
            name: plain::shown(&part.name),
            version: plain::shown(&part.version),
            origin: plain::shown(&part.origin),
            digest: part.digest.as_deref().map(plain::shown),
            stand_in: part.stand_in,
        })
        .collect();
    parts.sort_by(|one, other| one.name.cmp(&other.name));
    let on_adapter = result.cases.iter().filter(|case| case.rests_on_adapter());
    Dataplane {
        stand_ins: sorted(result.run.stand_ins().into_iter().map(plain::shown)),
        decided_by_adapter: sorted(on_adapter.map(|case| plain::shown(&case.name))),
        parts,
    }
}

fn sorted(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::Value;

    use super::{Report, conformance_yaml};
    use crate::result::{RunResult, eventful, fold, samples};

    #[test]
    fn a_finished_run() {
        insta::assert_snapshot!(conformance_yaml(&fold(&samples::finished_run())));
    }

    #[test]
    fn a_run_in_which_everything_occurs() {
        insta::assert_snapshot!(conformance_yaml(&eventful::run()));
    }

    #[rstest]
    #[case::finished(fold(&samples::finished_run()))]
    #[case::everything(eventful::run())]
    #[case::hostile(eventful::hostile())]
    #[case::not_set_up(eventful::set_up_failed())]
    #[case::aborted(eventful::aborted())]
    #[case::empty(fold(&[]))]
    fn it_comes_back_as_it_was_and_adds_up(#[case] result: RunResult) {
        let yaml = conformance_yaml(&result);
        let report: Report = serde_yaml::from_str(&yaml).unwrap();
        assert_eq!(report, Report::of(&result));
        for status in
            report.profiles.iter().flat_map(|profile| profile.extended.iter().chain([&profile.core]))
        {
            assert_eq!(status.failed_tests.len(), status.statistics.failed);
            assert_eq!(status.skipped_tests.len(), status.statistics.skipped);
            assert!(status.failed_tests.is_sorted() && status.skipped_tests.is_sorted());
        }
    }

    #[test]
    fn a_core_pass_that_rests_on_the_adapter_counts_as_skipped() {
        let mut result = fold(&samples::finished_run());
        result.cases.truncate(1);
        let core = |result: &RunResult| Report::of(result).profiles.swap_remove(0).core;
        assert_eq!(core(&result).result, "success");
        result.cases[0].decided_by.push("adapter".into());
        let status = core(&result);
        assert_eq!((status.result.as_str(), status.statistics.passed), ("partial", 0));
        assert_eq!(status.skipped_tests, [result.cases[0].name.as_str()]);
        assert_eq!(Report::of(&result).dataplane.decided_by_adapter, status.skipped_tests);
    }

    /// The keys of `ConformanceReport` in `sigs.k8s.io/gateway-api/conformance/apis/v1`.
    #[test]
    fn it_has_upstreams_keys_but_claims_nothing_of_upstreams() {
        let yaml = conformance_yaml(&fold(&samples::finished_run()));
        let report: Value = serde_yaml::from_str(&yaml).unwrap();
        for key in ["date", "gatewayAPIVersion", "gatewayAPIChannel", "mode", "profiles"] {
            assert!(!report[key].is_null(), "{key}");
        }
        for key in ["organization", "project", "url", "version", "contact"] {
            assert!(!report["implementation"][key].is_null(), "{key}");
        }
        let profile = &report["profiles"][0];
        for key in ["name", "summary"] {
            assert!(profile[key].is_string(), "{key}");
        }
        for key in ["Failed", "Passed", "Skipped"] {
            assert!(profile["core"]["statistics"][key].is_u64(), "{key}");
        }
        assert!(!yaml.contains("gateway.networking.k8s.io") && !yaml.contains("MESH-"));
        assert!(yaml.contains("name: WAYPOINT-ROUTING"));
    }
}
