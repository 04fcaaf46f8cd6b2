//! Connections judged by another identity than the client's own.

use waymark_reports::events::Confidence;

use super::super::object::{kind, name, namespace};
use super::super::{Facts, Finding};
use crate::observe::ztunnel::ConnectionLine;

/// WMC-009: ztunnel tells of another identity than the pod's account, or a policy spells one that nobody has.
pub(super) fn differs(facts: &Facts) -> Option<Finding> {
    seen(facts).or_else(|| misspelt(facts))
}

fn seen(facts: &Facts) -> Option<Finding> {
    let called = facts.called()?.host;
    let lines = facts.ztunnel_lines.as_ref()?.iter();
    let ours = lines.filter(|line| line.get("dst.service") == Some(called.as_str()));
    ours.filter_map(|line| other(line, facts)).next()
}

/// The pod behind a line, when the line gives it another identity.
fn other(line: &ConnectionLine, facts: &Facts) -> Option<Finding> {
    let (workload, home) = (line.get("src.workload")?, line.get("src.namespace")?);
    let says = line.get("src.identity")?;
    let pods = facts.objects.pods.as_ref()?.iter();
    let pod = pods.into_iter().find(|pod| name(pod) == workload && namespace(pod) == home)?;
    let account = pod.pointer("/spec/serviceAccountName")?.as_str()?;
    let right = format!("/ns/{home}/sa/{account}");
    if says.ends_with(&right) {
        return None;
    }
    let node = pod.pointer("/spec/nodeName").and_then(|it| it.as_str()).unwrap_or_default();
    Some(
        Finding::new("WMC-009", Confidence::High)
            .sign(format!("pod {home}/{workload} runs as {account}"))
            .sign(format!("ztunnel's line of its connection says {says}"))
            .name("node", node),
    )
}

fn misspelt(facts: &Facts) -> Option<Finding> {
    let policies = facts.applied.iter().map(|it| &it.manifest).filter(|it| kind(it) == "AuthorizationPolicy");
    let (policy, principal) = policies.filter_map(|policy| Some((policy, schemed(policy)?))).next()?;
    Some(
        Finding::new("WMC-009", Confidence::Medium)
            .sign(format!("policy {}/{} names principal {principal}", namespace(policy), name(policy)))
            .sign("principals are written without spiffe://"),
    )
}

fn schemed(policy: &serde_json::Value) -> Option<&str> {
    let rules = policy.pointer("/spec/rules")?.as_array()?.iter();
    let sources = rules.filter_map(|rule| rule["from"].as_array()).flatten();
    let principals = sources.filter_map(|it| it.pointer("/source/principals")?.as_array()).flatten();
    principals.filter_map(serde_json::Value::as_str).find(|it| it.starts_with("spiffe://"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixture::{bypassed, connection, healthy, policy};
    use super::*;

    #[test]
    fn a_line_with_the_pods_own_identity_is_right() {
        let lines = vec![connection("client-a", "")];
        assert_eq!(differs(&Facts { ztunnel_lines: Some(lines), ..bypassed() }), None);
        assert_eq!(differs(&Facts::default()), None);
    }

    #[test]
    fn a_line_with_another_identity_is_wrong() {
        let lines = vec![connection("echo", "")];
        let finding = differs(&Facts { ztunnel_lines: Some(lines), ..bypassed() }).unwrap();
        assert_eq!(
            finding.signs,
            [
                "pod wm-1-client/client-a-1 runs as client-a",
                "ztunnel's line of its connection says spiffe://cluster.local/ns/wm-1-client/sa/echo",
            ]
        );
    }

    #[test]
    fn a_line_of_another_service_is_none_of_ours() {
        let mut facts = bypassed();
        facts.failure.sent = "client-a: GET http://other-c8.wm-1-ns.svc.cluster.local/".into();
        facts.ztunnel_lines = Some(vec![connection("echo", "")]);
        assert_eq!(differs(&facts), None);
    }

    #[test]
    fn a_principal_has_no_scheme() {
        let mut applied = policy(json!([]));
        applied.manifest["spec"]["rules"] =
            json!([{"from": [{"source": {"principals": ["spiffe://cluster.local/ns/a/sa/b"]}}]}]);
        let facts = Facts { applied: vec![applied], ..healthy() };
        assert_eq!(differs(&facts).unwrap().confidence, Confidence::Medium);
    }
}
