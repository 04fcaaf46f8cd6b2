//! Nowhere to send a request to.

use serde_json::Value;
use waymark_reports::events::Confidence;

use super::super::object::{label, namespace};
use super::super::{Called, Facts, Finding};
use crate::observe::access_log::AccessLine;

/// Response flags of Envoy for an upstream that is not there: none healthy, connection failed, no cluster.
const FLAGS: [&str; 3] = ["UH", "UF", "NC"];

/// WMC-010: a proxy says so, or the Service has no Ready endpoint.
pub(super) fn none_healthy(facts: &Facts) -> Option<Finding> {
    let called = facts.called()?;
    let empty = ready_endpoints(facts, &called).is_some_and(|ready| ready == 0);
    // The newest line decides: a Service that has just come may have had none for a moment.
    let of_host = |line: &&AccessLine| line.authority.split(':').next() == Some(called.host.as_str());
    let newest = facts.waypoint_lines.iter().flatten().rev().find(of_host);
    let flagged = newest.filter(|line| {
        let mut flags = line.flags.split(',');
        line.code >= 500 && flags.any(|flag| FLAGS.contains(&flag))
    });
    let refused = facts.ztunnel_lines.iter().flatten().rev().find(|line| {
        line.get("dst.service") == Some(called.host.as_str())
            && line.get("error").is_some_and(|error| error.contains("no healthy upstream"))
    });
    if !empty && flagged.is_none() && refused.is_none() {
        return None;
    }
    // The answers of another moment: the case may have gone on since.
    let wanted = facts.want("status") == Some("503");
    if wanted {
        return None;
    }
    let confidence = match (empty, flagged) {
        (true, _) => Confidence::High,
        (false, Some(line)) if line.flags.contains("UH") => Confidence::High,
        _ => Confidence::Medium,
    };
    let mut finding = Finding::new("WMC-010", confidence);
    if empty {
        finding = finding.sign(format!("{} has no Ready endpoint", called.host));
    }
    if let Some(line) = flagged {
        finding = finding.sign(format!(
            "waypoint's log: {} {} {} {} to cluster {}: {}",
            line.method, line.path, line.code, line.flags, line.upstream_cluster, line.upstream_failure
        ));
    }
    Some(match refused.and_then(|line| line.get("error")) {
        Some(error) => finding.sign(format!("ztunnel's log: {error}")),
        None => finding,
    })
}

/// How many Ready endpoints the called Service has; none when it is no Service, or its slices are not known.
fn ready_endpoints(facts: &Facts, called: &Called) -> Option<usize> {
    let (service, home) = (called.service.as_deref()?, called.namespace.as_deref()?);
    let slices = facts.objects.endpoints.as_ref()?.iter();
    let slices: Vec<&Value> = slices
        .filter(|it| namespace(it) == home && label(it, "kubernetes.io/service-name") == Some(service))
        .collect();
    if slices.is_empty() {
        return None;
    }
    let endpoints = slices.iter().filter_map(|it| it["endpoints"].as_array()).flatten();
    Some(endpoints.filter(|it| it.pointer("/conditions/ready") != Some(&Value::Bool(false))).count())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::super::fixture::{access_line, bypassed, unavailable};
    use super::*;

    #[test]
    fn nothing_is_wrong_where_nothing_is() {
        assert_eq!(none_healthy(&bypassed()), None);
        assert_eq!(none_healthy(&Facts::default()), None);
    }

    #[rstest]
    #[case::none_healthy("503 UH no_healthy_upstream -", Some(Confidence::High))]
    #[case::connect_failed("503 UF,URX upstream_reset_before_response_started -", Some(Confidence::Medium))]
    #[case::no_cluster("503 NC cluster_not_found -", Some(Confidence::Medium))]
    #[case::no_route("404 NR route_not_found -", None)]
    #[case::of_the_backend("503 - via_upstream -", None)]
    fn a_proxy_has_nowhere_to_go(#[case] outcome: &str, #[case] want: Option<Confidence>) {
        let mut facts = unavailable();
        facts.objects.endpoints = None;
        facts.waypoint_lines = Some(vec![access_line(outcome)]);
        assert_eq!(none_healthy(&facts).map(|it| it.confidence), want);
    }

    #[test]
    fn a_moment_without_endpoints_is_over() {
        let mut facts = unavailable();
        let lines = ["503 UH no_healthy_upstream -", "200 - via_upstream -"].map(access_line);
        facts.waypoint_lines = Some(lines.to_vec());
        assert_eq!(none_healthy(&facts), None);
        facts.waypoint_lines.as_mut().unwrap().truncate(1);
        assert!(none_healthy(&facts).is_some());
        facts.failure.sent = "client-a: GET http://other-c7.wm-1-ns.svc.cluster.local/".into();
        assert_eq!(none_healthy(&facts), None);
    }

    #[rstest]
    #[case::unready(json!([{"addresses": ["10.0.0.1"], "conditions": {"ready": false}}]), true)]
    #[case::empty(json!(null), true)]
    #[case::ready(json!([{"addresses": ["10.0.0.1"], "conditions": {"ready": true}}]), false)]
    #[case::unknown(json!([{"addresses": ["10.0.0.1"], "conditions": {}}]), false)]
    fn a_service_has_no_ready_endpoint(#[case] endpoints: serde_json::Value, #[case] want: bool) {
        let mut facts = unavailable();
        facts.waypoint_lines = None;
        facts.objects.endpoints.as_mut().unwrap()[0]["endpoints"] = endpoints;
        let finding = none_healthy(&facts);
        assert_eq!(finding.map(|it| it.confidence), want.then_some(Confidence::High));
    }
}
