//! Causes that show in the way a request took.

use serde_json::Value;
use waymark_reports::events::Confidence;

use super::super::object::{annotation, label, name, namespace, ready};
use super::super::{Facts, Finding};
use crate::observe::ztunnel::ConnectionLine;

/// WMC-001: the waypoint was to be passed, and the request went straight to the backend.
pub(super) fn bypassed(facts: &Facts) -> Option<Finding> {
    if !facts.needs_waypoint() || !straight(facts) {
        return None;
    }
    let called = facts.called()?;
    let mut finding = Finding::new("WMC-001", Confidence::Medium)
        .sign(format!("the backend of {} saw the client's own address", called.host));
    if facts.waypoint_lines.as_ref().is_some_and(Vec::is_empty) {
        finding = finding
            .sign(format!("waypoint {}: no line of these probes in its access log", facts.names.waypoint));
    }
    if let Some(service) = facts.ztunnel_service(&called) {
        // Either way ztunnel's own view says why; what else could explain it is the matter of other rules.
        finding.confidence = Confidence::High;
        finding = finding.sign(match service.pointer("/waypoint/destination").and_then(Value::as_str) {
            Some(waypoint) => format!("ztunnel's entry of it names waypoint {waypoint}, which was not used"),
            None => "ztunnel's entry of it names no waypoint".to_owned(),
        });
    }
    Some(finding)
}

/// WMC-015: nothing was to be passed, and something was.
pub(super) fn strangers_waypoint(facts: &Facts) -> Option<Finding> {
    let want = facts.want("way")?;
    let got = facts.got("way")?;
    let unwanted = want == "straight from the client" || want.starts_with("not through waypoint");
    if !unwanted {
        return None;
    }
    let called = facts.called()?;
    let through =
        got.starts_with("through waypoint") || got.contains("which is no pod of the waypoint or client");
    let mut finding = Finding::new("WMC-015", Confidence::Medium);
    if through {
        finding = finding.sign(format!("the request to {} came {got}", called.host));
        if let Some(pod) = peer(facts, got) {
            finding = finding.sign(format!("that is pod {}/{}", namespace(pod), name(pod)));
        }
    } else {
        let line = facts.ztunnel_lines.iter().flatten().rev().find(|line| relayed(line, &called.host))?;
        let (home, pod) = (line.get("dst.namespace").unwrap_or("?"), line.get("dst.workload").unwrap_or("?"));
        finding = finding.sign(format!("ztunnel sent a connection to {} by pod {home}/{pod}", called.host));
    }
    if let Some(service) = facts.ztunnel_service(&called) {
        let named = service.pointer("/waypoint/destination").and_then(Value::as_str);
        finding = match named {
            Some(waypoint) => finding.sign(format!("ztunnel's entry of it names waypoint {waypoint}")),
            None => {
                finding.confidence = Confidence::High;
                finding.sign("ztunnel's entry of it names no waypoint")
            }
        };
    }
    Some(finding)
}

/// Whether ztunnel sent a connection to a host by a waypoint: to the address of one pod, on behalf of another address.
fn relayed(line: &ConnectionLine, host: &str) -> bool {
    let address = |key: &str| line.get(key)?.rsplit_once(':').map(|(address, _)| address.to_owned());
    line.get("dst.service") == Some(host)
        && line.get("direction") == Some("outbound")
        && address("dst.hbone_addr").is_some_and(|wanted| address("dst.addr") != Some(wanted))
}

/// WMC-007: a client that should be in the mesh is not.
pub(super) fn not_captured(facts: &Facts) -> Option<Finding> {
    let home = &facts.names.home;
    let sender = facts.failure.sent.split(':').next().filter(|it| it.starts_with("client-"))?;
    let pods = facts.objects.pods.as_ref()?.iter();
    let pod = pods
        .into_iter()
        .find(|pod| namespace(pod) == home && label(pod, "app") == Some(sender) && ready(pod))?;
    let enrolled = annotation(pod, "ambient.istio.io/redirection") == Some("enabled");
    let known = facts.ztunnel.as_ref().map(|it| &it.workloads);
    let entry = known.and_then(|all| {
        all.iter().find(|it| it["name"].as_str() == Some(name(pod)) && it["namespace"].as_str() == Some(home))
    });
    let protocol = entry.and_then(|it| it["protocol"].as_str());
    let plain = protocol.is_some_and(|it| it != "HBONE");
    if enrolled && !plain {
        return None;
    }
    let mut finding = Finding::new("WMC-007", Confidence::High);
    if !enrolled {
        finding =
            finding.sign(format!("pod {home}/{} lacks ambient.istio.io/redirection=enabled", name(pod)));
    }
    if let Some(protocol) = protocol.filter(|_| plain) {
        finding = finding.sign(format!("ztunnel's entry of {home}/{} has protocol {protocol}", name(pod)));
    }
    let namespaces = facts.objects.namespaces.iter().flatten();
    let label =
        namespaces.into_iter().find(|it| name(it) == home).map(|it| label(it, "istio.io/dataplane-mode"));
    Some(match label {
        Some(Some(mode)) => finding.sign(format!("namespace {home} has istio.io/dataplane-mode={mode}")),
        Some(None) => finding.sign(format!("namespace {home} has no label istio.io/dataplane-mode")),
        None => finding,
    })
}

/// WMC-008: the answer came from where nothing of this case sends.
pub(super) fn strangers_answer(facts: &Facts) -> Option<Finding> {
    let called = facts.called()?;
    let echo =
        facts.exchanges.last()?.pointer("/exchange/outcome/response/echo").filter(|it| it.is_object())?;
    let text = |key: &str| echo[key].as_str().unwrap_or_default();
    let pod = format!("{}/{}", text("namespace"), text("pod"));
    let elsewhere = called.namespace.as_deref().is_some_and(|home| home != text("namespace"));
    let other = facts.want("served by").zip(facts.got("served by")).filter(|(want, got)| want != got);
    if elsewhere {
        let sign = format!("{} was answered by pod {pod} of another namespace", called.host);
        return Some(Finding::new("WMC-008", Confidence::Medium).sign(sign));
    }
    let (want, got) = other.filter(|(_, got)| !got.starts_with("no backend"))?;
    let sign = format!("{} was answered by pod {pod} ({got}), not by {want}", called.host);
    Some(Finding::new("WMC-008", Confidence::Low).sign(sign))
}

fn straight(facts: &Facts) -> bool {
    // A denial that did not come has no line about the way when its claim names none.
    let no_way = facts.want("way").is_none()
        || facts.got("way").is_some_and(|got| got.starts_with("no line of this probe"));
    facts.went_straight() || (no_way && last_peer_is_client(facts) == Some(true))
}

/// Whether the backend of the last exchange saw the address that the client used.
fn last_peer_is_client(facts: &Facts) -> Option<bool> {
    let exchange = &facts.exchanges.last()?["exchange"];
    let address = |value: &Value| value.as_str()?.rsplit_once(':').map(|(address, _)| address.to_owned());
    let peer = address(exchange.pointer("/outcome/response/echo/peer")?)?;
    Some(peer == address(&exchange["local"])?)
}

/// The pod with the address that a way names.
fn peer<'a>(facts: &'a Facts, way: &str) -> Option<&'a Value> {
    let address = way.strip_prefix("from ")?.split(',').next()?;
    let mut pods = facts.objects.pods.as_ref()?.iter();
    pods.find(|pod| pod.pointer("/status/podIP").and_then(Value::as_str) == Some(address))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::super::fixture;
    use super::*;

    #[test]
    fn nothing_is_wrong_where_nothing_is() {
        for rule in [bypassed, strangers_waypoint, not_captured, strangers_answer] {
            assert_eq!(rule(&fixture::unavailable()), None);
            assert_eq!(rule(&Facts::default()), None);
        }
    }

    #[test]
    fn ztunnel_knows_no_waypoint() {
        let mut facts = fixture::bypassed();
        let finding = bypassed(&facts).unwrap();
        assert_eq!(finding.confidence, Confidence::High);
        assert_eq!(finding.signs[2], "ztunnel's entry of it names no waypoint");
        facts.ztunnel = None;
        assert_eq!(bypassed(&facts).unwrap().confidence, Confidence::Medium);
    }

    #[test]
    fn ztunnel_knows_the_waypoint_and_does_not_use_it() {
        let mut facts = fixture::bypassed();
        facts.ztunnel.as_mut().unwrap().services[0]["waypoint"] =
            json!({"destination": "wm-1-ns/waypoint.wm-1-ns.svc.cluster.local", "hboneMtlsPort": 15008});
        assert!(bypassed(&facts).unwrap().signs[2].ends_with("which was not used"));
    }

    #[test]
    fn where_no_waypoint_was_wanted_none_is_missing() {
        let mut facts = fixture::bypassed();
        facts.failure.want = "status: 201\nway: straight from the client".into();
        assert_eq!(bypassed(&facts), None);
    }

    #[rstest]
    #[case::ours("through waypoint wm-1-ns/waypoint", true)]
    #[case::of_another("from 10.0.0.9, which is no pod of the waypoint or client", true)]
    #[case::straight("straight from the client", false)]
    fn a_waypoint_that_nobody_asked_for(#[case] got: &str, #[case] want: bool) {
        let mut facts = fixture::bypassed();
        facts.failure.want = "status: 200\nway: straight from the client".into();
        facts.failure.got = format!("status: 200\nway: {got}");
        assert_eq!(strangers_waypoint(&facts).is_some(), want);
    }

    #[test]
    fn a_strangers_waypoint_is_named_by_its_pod() {
        let facts = fixture::leaked();
        let finding = strangers_waypoint(&facts).unwrap();
        assert_eq!(finding.confidence, Confidence::High);
        assert_eq!(finding.signs[1], "that is pod wm-1-ns/waypoint-1");
    }

    #[rstest]
    #[case::by_a_waypoint("10.0.0.9:15008", "10.96.3.4:80", true)]
    #[case::straight("10.0.0.5:15008", "10.0.0.5:8080", false)]
    fn ztunnels_line_tells_of_a_waypoint_that_did_not_answer(
        #[case] to: &str,
        #[case] by: &str,
        #[case] want: bool,
    ) {
        let mut facts = fixture::leaked();
        facts.failure.got = "status: none, reset (head)\nway: no backend was reached, reset (head)".into();
        let line = format!(
            "t\terror\taccess\tconnection complete\tdst.addr={to} dst.hbone_addr={by} \
             dst.service=\"shop-c7.wm-1-ns.svc.cluster.local\" dst.workload=\"waypoint-1\" \
             dst.namespace=\"wm-1-ns\" direction=\"outbound\""
        );
        facts.ztunnel_lines = ConnectionLine::parse(&line).map(|line| vec![line]);
        assert_eq!(strangers_waypoint(&facts).is_some(), want);
    }

    #[test]
    fn a_client_is_not_captured() {
        let mut facts = fixture::bypassed();
        assert_eq!(not_captured(&facts), None);
        fixture::pod_mut(&mut facts, "client-a-1")["metadata"]["annotations"] = json!({});
        let finding = not_captured(&facts).unwrap();
        assert_eq!(finding.signs[0], "pod wm-1-client/client-a-1 lacks ambient.istio.io/redirection=enabled");
        facts.failure.sent = "outsider: GET http://shop-c7.wm-1-ns.svc.cluster.local/".into();
        assert_eq!(not_captured(&facts), None);
    }

    #[test]
    fn ztunnel_takes_a_client_for_plain() {
        let mut facts = fixture::bypassed();
        facts.ztunnel.as_mut().unwrap().workloads[0]["protocol"] = "TCP".into();
        assert_eq!(
            not_captured(&facts).unwrap().signs[0],
            "ztunnel's entry of wm-1-client/client-a-1 has protocol TCP"
        );
    }

    #[test]
    fn an_answer_of_another_namespace() {
        let finding = strangers_answer(&fixture::answered_elsewhere()).unwrap();
        assert_eq!(finding.confidence, Confidence::Medium);
    }

    #[test]
    fn an_answer_of_another_version() {
        let mut facts = fixture::bypassed();
        facts.failure.want = "status: 200\nserved by: echo/v2".into();
        facts.failure.got = "status: 200\nserved by: echo/v1".into();
        assert_eq!(strangers_answer(&facts).unwrap().confidence, Confidence::Low);
    }
}
