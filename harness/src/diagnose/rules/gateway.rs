//! Causes that lie in the waypoint's Gateway and in the labels that name it.

use serde_json::Value;
use waymark_reports::events::Confidence;

use super::super::object::{condition, label, name, namespace, ready};
use super::super::{Facts, Finding};
use crate::stage::status;

const USE: &str = "istio.io/use-waypoint";
const USE_NAMESPACE: &str = "istio.io/use-waypoint-namespace";
const FOR: &str = "istio.io/waypoint-for";

/// WMC-011: the label in effect names a Gateway that is not there, or that the Service is not bound to.
pub(super) fn names_nothing(facts: &Facts) -> Option<Finding> {
    if !facts.needs_waypoint() {
        return None;
    }
    let gateways = facts.objects.gateways.as_ref()?;
    let (object, text) = labelled(facts)?;
    let home = label(object, USE_NAMESPACE).map_or_else(|| dwelling(object), str::to_owned);
    let what = format!("{} {}", object["kind"].as_str().unwrap_or("object"), name(object));
    let finding = |confidence| {
        Finding::new("WMC-011", confidence)
            .sign(format!("{what} carries {USE}={text}"))
            .name("waypoint-namespace", home.clone())
    };
    let there = gateways.iter().any(|it| name(it) == text && namespace(it) == home);
    // Gateways of namespaces that have nothing to do with the case were not read.
    let read = gateways.iter().any(|it| namespace(it) == home)
        || home == facts.names.namespace
        || home == facts.names.waypoint.namespace;
    if !there && read {
        let sign = format!("there is no Gateway {home}/{text}");
        return Some(finding(Confidence::High).sign(sign));
    }
    let unbound = condition(service(facts)?, "istio.io/WaypointBound").filter(|it| it.status != "True")?;
    // Bound to nothing because the waypoint is for something else: another cause.
    if unbound.words.starts_with("UnsupportedTrafficType") {
        return None;
    }
    Some(
        finding(Confidence::Medium)
            .sign(format!("istio.io/WaypointBound is {}: {}", unbound.status, unbound.words)),
    )
}

/// WMC-002: the Gateway's `waypoint-for` does not cover what was called.
pub(super) fn other_kind(facts: &Facts) -> Option<Finding> {
    if !facts.needs_waypoint() {
        return None;
    }
    let gateway = facts.gateway()??;
    let called = facts.called()?;
    let serves = label(gateway, FOR).unwrap_or("service");
    let (kind, covered) = match called.service {
        Some(_) => ("a Service", matches!(serves, "service" | "all")),
        None => ("a pod's address", matches!(serves, "workload" | "all")),
    };
    if covered {
        return None;
    }
    let finding = Finding::new("WMC-002", Confidence::High)
        .sign(format!("Gateway {} has {FOR}={serves}", facts.names.waypoint))
        .sign(format!("{} was called, which is {kind}", called.host));
    let bound = service(facts).and_then(|it| condition(it, "istio.io/WaypointBound"));
    Some(match bound.filter(|it| it.status != "True") {
        Some(unbound) => {
            finding.sign(format!("istio.io/WaypointBound is {}: {}", unbound.status, unbound.words))
        }
        None => finding,
    })
}

/// WMC-003: the Gateway is not programmed, or no pod of it is Ready.
pub(super) fn not_programmed(facts: &Facts) -> Option<Finding> {
    let Some(gateway) = facts.gateway() else { return told(facts) };
    // A Gateway that is gone is another matter: its case may have deleted it.
    let gateway = gateway?;
    let programmed = status::gateway(gateway);
    let pods = facts.waypoint_pods();
    let none_ready = pods.as_ref().is_some_and(|pods| !pods.iter().any(|pod| ready(pod)));
    if programmed.is_ok() && !none_ready {
        return None;
    }
    let through = facts.needs_waypoint() || facts.waypoint_in_effect();
    let confidence = if through { Confidence::High } else { Confidence::Low };
    let mut finding = Finding::new("WMC-003", confidence);
    if let Err(why) = programmed {
        finding = finding.sign(format!("Gateway {}: {why}", facts.names.waypoint));
    }
    if let Some(accepted) = condition(gateway, "Accepted").filter(|it| it.status != "True") {
        finding = finding.sign(format!("Accepted is {}: {}", accepted.status, accepted.words));
    }
    if let Some(pods) = pods.filter(|_| none_ready) {
        finding = finding.sign(match pods.first() {
            None => "the waypoint has no pod".to_owned(),
            Some(pod) => format!("pod {} is not Ready: {}", name(pod), waiting(pod)),
        });
    }
    Some(finding)
}

/// The same by the words of an error alone, where no Gateway could be read.
fn told(facts: &Facts) -> Option<Finding> {
    let reason = &facts.failure.reason;
    let (_, waited) = reason.split_once(" for ").filter(|_| reason.contains("wait "))?;
    let of_gateway = waited.strip_prefix("Gateway ").filter(|it| it.contains(" programmed"));
    let which = of_gateway.or_else(|| waited.strip_prefix("a ready pod of waypoint "))?;
    let (home, own) = which.split([' ', ';']).next()?.split_once('/')?;
    Some(
        Finding::new("WMC-003", Confidence::Medium)
            .sign(reason)
            .name("waypoint-namespace", home)
            .name("waypoint", own),
    )
}

/// The object whose label decides for what was called: the Service's own, else its namespace's.
fn labelled(facts: &Facts) -> Option<(&Value, &str)> {
    let own = service(facts).and_then(|it| Some((it, label(it, USE)?)));
    let around = || {
        let home = facts.called()?.namespace.unwrap_or_else(|| facts.names.namespace.clone());
        let all = facts.objects.namespaces.as_ref()?;
        all.iter().find(|it| name(it) == home).and_then(|it| Some((it, label(it, USE)?)))
    };
    own.or_else(around).filter(|(_, text)| !matches!(*text, "" | "none"))
}

fn service(facts: &Facts) -> Option<&Value> {
    let called = facts.called()?;
    let (wanted, home) = (called.service?, called.namespace?);
    facts.objects.services.as_ref()?.iter().find(|it| name(it) == wanted && namespace(it) == home)
}

/// The namespace of an object; of a namespace, itself.
fn dwelling(object: &Value) -> String {
    match namespace(object) {
        "" => name(object).to_owned(),
        home => home.to_owned(),
    }
}

fn waiting(pod: &Value) -> String {
    let statuses = pod.pointer("/status/containerStatuses").and_then(Value::as_array);
    let waiting = statuses.into_iter().flatten().find_map(|it| it.pointer("/state/waiting"));
    match waiting {
        Some(it) => format!(
            "{}: {}",
            it["reason"].as_str().unwrap_or("waiting"),
            it["message"].as_str().unwrap_or("no message")
        ),
        None => match condition(pod, "Ready") {
            Some(it) => it.words,
            None => pod.pointer("/status/phase").and_then(Value::as_str).unwrap_or("no status").to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::super::fixture::{bypassed, error, gateway_mut, healthy, namespace_mut, pod_mut};
    use super::*;

    #[test]
    fn nothing_is_wrong_where_nothing_is() {
        for rule in [names_nothing, other_kind, not_programmed] {
            assert_eq!(rule(&bypassed()), None);
            assert_eq!(rule(&Facts::default()), None);
        }
    }

    #[rstest]
    #[case::missing("waypiont", true)]
    #[case::there("waypoint", false)]
    #[case::opted_out("none", false)]
    fn a_label_names_nothing(#[case] text: &str, #[case] want: bool) {
        let mut facts = bypassed();
        namespace_mut(&mut facts, "wm-1-ns")["metadata"]["labels"][USE] = text.into();
        assert_eq!(names_nothing(&facts).is_some(), want);
    }

    #[test]
    fn a_service_that_is_not_bound_says_why() {
        let mut facts = bypassed();
        facts.objects.services.as_mut().unwrap()[0]["status"]["conditions"] = json!([
            {"type": "istio.io/WaypointBound", "status": "False", "reason": "Denied", "message": "not allowed"}
        ]);
        let finding = names_nothing(&facts).unwrap();
        assert_eq!(finding.confidence, Confidence::Medium);
        assert_eq!(finding.signs[1], "istio.io/WaypointBound is False: Denied: not allowed");
    }

    #[test]
    fn a_service_that_the_waypoint_is_not_for_is_not_dangling() {
        let mut facts =
            error("wait 30s (9 looks) for Service wm-1-ns/shop-c7 bound to waypoint wm-1-ns/waypoint; x");
        facts.objects.services.as_mut().unwrap()[0]["status"]["conditions"] = json!([
            {"type": "istio.io/WaypointBound", "status": "False", "reason": "UnsupportedTrafficType", "message": "m"}
        ]);
        gateway_mut(&mut facts)["metadata"]["labels"][FOR] = "workload".into();
        assert_eq!(names_nothing(&facts), None);
        let finding = other_kind(&facts).unwrap();
        assert_eq!(
            finding.signs.last().unwrap(),
            "istio.io/WaypointBound is False: UnsupportedTrafficType: m"
        );
    }

    #[test]
    fn a_label_does_not_matter_where_no_waypoint_was_wanted() {
        let mut facts = healthy();
        namespace_mut(&mut facts, "wm-1-ns")["metadata"]["labels"][USE] = "nobody".into();
        assert_eq!(names_nothing(&facts), None);
    }

    #[rstest]
    #[case("workload", true)]
    #[case("none", true)]
    #[case("service", false)]
    #[case("all", false)]
    fn a_waypoint_serves_another_kind(#[case] serves: &str, #[case] want: bool) {
        let mut facts = bypassed();
        gateway_mut(&mut facts)["metadata"]["labels"][FOR] = serves.into();
        assert_eq!(other_kind(&facts).is_some(), want);
    }

    #[test]
    fn a_gateway_is_not_programmed() {
        let mut facts = error("wait 120s for Gateway wm-1-ns/waypoint programmed");
        gateway_mut(&mut facts)["status"]["conditions"] =
            json!([{"type": "Programmed", "status": "False", "reason": "Pending", "message": "no address"}]);
        let finding = not_programmed(&facts).unwrap();
        assert_eq!(finding.confidence, Confidence::High);
        assert_eq!(finding.signs, ["Gateway wm-1-ns/waypoint: Programmed is False (Pending): no address"]);
    }

    #[rstest]
    #[case(
        "wait 120s (700 looks) for Gateway wm-1-ns/waypoint programmed; last seen: Programmed is False",
        true
    )]
    #[case("wait 120s (700 looks) for a ready pod of waypoint wm-1-ns/waypoint; last seen: 0 pods", true)]
    #[case(
        "wait 30s (90 looks) for Service wm-1-ns/shop bound to waypoint wm-1-ns/waypoint; last seen: no",
        false
    )]
    #[case("apply Gateway wm-1-ns/waypoint: not found", false)]
    fn words_alone_tell_of_a_gateway(#[case] reason: &str, #[case] want: bool) {
        let facts = Facts { failure: error(reason).failure, ..Facts::default() };
        let finding = not_programmed(&facts);
        assert_eq!(finding.is_some(), want);
        if let Some(finding) = finding {
            assert_eq!(
                finding.names,
                [("waypoint-namespace", "wm-1-ns".into()), ("waypoint", "waypoint".into())]
            );
        }
    }

    #[test]
    fn a_pod_is_not_ready() {
        let mut facts = bypassed();
        pod_mut(&mut facts, "waypoint-1")["status"] = json!({
            "conditions": [{"type": "Ready", "status": "False"}],
            "containerStatuses": [{"state": {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}}],
        });
        let finding = not_programmed(&facts).unwrap();
        assert_eq!(finding.signs, ["pod waypoint-1 is not Ready: ErrImagePull: no such image"]);
    }

    #[rstest]
    #[case::in_effect("wm-1-ns/waypoint.wm-1-ns.svc.cluster.local", Confidence::High)]
    #[case::another("wm-1-ns/waypoint2.wm-1-ns.svc.cluster.local", Confidence::Low)]
    fn a_waypoint_that_ztunnel_uses_matters_whatever_was_claimed(
        #[case] destination: &str,
        #[case] want: Confidence,
    ) {
        let mut facts = bypassed();
        facts.failure.want = "status: 200".into();
        facts.failure.got = "status: none, reset (head)".into();
        facts.ztunnel.as_mut().unwrap().services[0]["waypoint"] = json!({"destination": destination});
        pod_mut(&mut facts, "waypoint-1")["status"]["conditions"] = json!([]);
        assert_eq!(not_programmed(&facts).unwrap().confidence, want);
    }

    #[test]
    fn a_gateway_that_was_deleted_is_not_unprogrammed() {
        let mut facts = bypassed();
        facts.objects.gateways = Some(Vec::new());
        assert_eq!(not_programmed(&facts), None);
    }
}
