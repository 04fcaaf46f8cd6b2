//! A policy that the other layer enforces.

use serde_json::Value;
use waymark_reports::events::Confidence;

use super::super::object::{kind, name, namespace};
use super::super::{Facts, Finding};
use crate::observe::ztunnel::ConnectionLine;

/// WMC-006: ztunnel refuses what the waypoint was to judge, or the other way round.
pub(super) fn other_layer(facts: &Facts) -> Option<Finding> {
    match facts.want("denied by") {
        Some("ztunnel") => by_waypoint(facts),
        _ => by_ztunnel(facts),
    }
}

fn by_ztunnel(facts: &Facts) -> Option<Finding> {
    let id = &facts.names.id;
    let own = |line: &&ConnectionLine| {
        let called = facts.called().map(|it| it.host);
        let service = line.get("dst.service");
        let error = line.get("error").unwrap_or_default();
        called.is_some_and(|host| service == Some(host.as_str())) || error.contains(&format!("-{id}"))
    };
    let refused = facts.ztunnel_lines.as_ref()?.iter().filter(|line| line.policy_rejection()).find(own)?;
    let mut finding = Finding::new("WMC-006", Confidence::Medium);
    let error = refused.get("error").unwrap_or_default();
    finding = finding.sign(format!("ztunnel refused a connection: {error}"));
    // What istiod gave to ztunnel although it speaks of requests: sure.
    let known = facts.ztunnel.iter().flat_map(|it| &it.policies);
    let known: Vec<_> =
        known.filter_map(|it| Some((it["namespace"].as_str()?, it["name"].as_str()?))).collect();
    let found = facts.applied.iter().filter(|it| kind(&it.manifest) == "AuthorizationPolicy");
    let l7 = found.map(|it| &it.manifest).find(|it| {
        speaks_of_requests(it)
            && known.iter().any(|(home, named)| *home == namespace(it) && *named == name(it))
    });
    if let Some(policy) = l7 {
        finding.confidence = Confidence::High;
        let which = format!("{}/{}", namespace(policy), name(policy));
        finding = finding.sign(format!("ztunnel holds policy {which}, whose rules are about requests"));
    }
    Some(finding)
}

fn by_waypoint(facts: &Facts) -> Option<Finding> {
    let line =
        facts.waypoint_lines.as_ref()?.iter().find(|it| it.details.starts_with("rbac_access_denied"))?;
    Some(Finding::new("WMC-006", Confidence::High).sign("ztunnel was to refuse the connection").sign(
        format!("the waypoint answered {} {} to {} {}", line.code, line.details, line.method, line.path),
    ))
}

/// Whether a rule needs a request to be judged.
fn speaks_of_requests(policy: &Value) -> bool {
    let rules = policy.pointer("/spec/rules").and_then(Value::as_array);
    let l7 = ["methods", "notMethods", "paths", "notPaths", "hosts", "notHosts"];
    let by_operation = |rule: &Value| {
        let to = rule["to"].as_array().into_iter().flatten();
        to.filter_map(|it| it["operation"].as_object())
            .any(|it| it.keys().any(|key| l7.contains(&key.as_str())))
    };
    let by_source = |rule: &Value| {
        let from = rule["from"].as_array().into_iter().flatten();
        from.filter_map(|it| it["source"].as_object()).any(|it| it.contains_key("requestPrincipals"))
    };
    let by_condition = |rule: &Value| {
        let when = rule["when"].as_array().into_iter().flatten();
        when.filter_map(|it| it["key"].as_str()).any(|key| key.starts_with("request."))
    };
    rules.into_iter().flatten().any(|rule| by_operation(rule) || by_source(rule) || by_condition(rule))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixture::{access_line, bypassed, denial_ignored, l4_denial, l7_at_ztunnel};
    use super::*;

    #[test]
    fn nothing_is_wrong_where_nothing_is() {
        for facts in [bypassed(), denial_ignored(), l4_denial(), Facts::default()] {
            assert_eq!(other_layer(&facts), None);
        }
    }

    #[test]
    fn ztunnel_refuses_what_it_cannot_judge() {
        let finding = other_layer(&l7_at_ztunnel()).unwrap();
        assert_eq!(finding.confidence, Confidence::High);
        assert!(finding.signs[0].contains("policy rejection") && finding.signs[1].contains("readers-c7"));
    }

    #[test]
    fn without_an_l7_policy_at_ztunnel_it_is_less_sure() {
        let mut facts = l7_at_ztunnel();
        facts.ztunnel = None;
        assert_eq!(other_layer(&facts).unwrap().confidence, Confidence::Medium);
    }

    #[test]
    fn the_waypoint_refuses_what_ztunnel_should() {
        let mut facts = l4_denial();
        facts.waypoint_lines = Some(vec![access_line("403 - rbac_access_denied_matched_policy[none] -")]);
        assert_eq!(other_layer(&facts).unwrap().confidence, Confidence::High);
    }

    #[test]
    fn rules_about_requests_are_told_from_those_about_connections() {
        let rule = |rule: Value| json!({"spec": {"rules": [rule]}});
        assert!(speaks_of_requests(&rule(json!({"to": [{"operation": {"methods": ["GET"]}}]}))));
        assert!(speaks_of_requests(&rule(json!({"when": [{"key": "request.headers[a]"}]}))));
        assert!(speaks_of_requests(&rule(json!({"from": [{"source": {"requestPrincipals": ["*"]}}]}))));
        assert!(!speaks_of_requests(&rule(json!({"to": [{"operation": {"ports": ["80"]}}]}))));
        assert!(!speaks_of_requests(&rule(json!({"from": [{"source": {"principals": ["a"]}}]}))));
    }
}
