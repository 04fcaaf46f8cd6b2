//! Causes below the mesh's decisions: a cluster out of reach, a proxy that ended, configuration that was refused.

use jiff::Timestamp;
use serde_json::Value;
use waymark_reports::events::Confidence;
use waymark_reports::verdict::CaseVerdict;

use super::super::object::{label, name, namespace};
use super::super::{Facts, Finding};

/// Words of errors that mean that the other end of an API call was not there.
const GONE: [&str; 8] = [
    "connection refused",
    "client error (Connect)",
    "connection reset",
    "connection closed",
    "deadline has elapsed",
    "error trying to connect",
    "no route to host",
    "broken pipe",
];

/// WMC-020: reads of the API server fail.
pub(super) fn unreachable(facts: &Facts) -> Option<Finding> {
    let Facts { failure, unreadable, reads, .. } = facts;
    let gone = |text: &str| GONE.iter().any(|word| text.contains(word));
    let all = *reads > 0 && unreadable.len() == *reads;
    // A pod may refuse a connection too: then the API server answers, and it is something else.
    let told = failure.verdict == CaseVerdict::Error
        && gone(&failure.reason)
        && (*reads == 0 || !unreadable.is_empty());
    if !all && !told {
        return None;
    }
    let confidence = match (all, told) {
        (true, true) => Confidence::High,
        (true, false) => Confidence::Medium,
        _ => Confidence::Low,
    };
    let mut finding = Finding::new("WMC-020", confidence);
    if all {
        finding = finding.sign(format!("none of {reads} reads of the API server succeeded"));
    }
    if told {
        finding = finding.sign(format!("the error: {}", failure.reason));
    }
    Some(match unreadable.first() {
        Some(why) => finding.sign(why),
        None => finding,
    })
}

/// WMC-014: a container of a waypoint, a ztunnel or istiod ended within the case's time.
pub(super) fn crashed(facts: &Facts) -> Option<Finding> {
    let opened = facts.names.opened;
    let waypoint = &facts.names.waypoint.name;
    let proxy = |pod: &&Value| {
        label(pod, "gateway.networking.k8s.io/gateway-name") == Some(waypoint)
            || (namespace(pod) == "istio-system"
                && matches!(label(pod, "app"), Some("ztunnel" | "istiod" | "istio-cni-node")))
    };
    let (pod, what) = facts.objects.pods.as_ref()?.iter().filter(proxy).find_map(|pod| {
        let statuses = pod.pointer("/status/containerStatuses")?.as_array()?;
        statuses.iter().find_map(|status| ended(status, opened)).map(|what| (pod, what))
    })?;
    Some(
        Finding::new("WMC-014", Confidence::High)
            .sign(format!("pod {}/{}: {what}", namespace(pod), name(pod)))
            .name("pod", name(pod))
            .name("pod-namespace", namespace(pod)),
    )
}

/// How a container ended, if it did within the case's time or does not come back.
fn ended(status: &Value, opened: Timestamp) -> Option<String> {
    let container = status["name"].as_str().unwrap_or_default();
    let restarts = status["restartCount"].as_i64().unwrap_or(0);
    if status.pointer("/state/waiting/reason").and_then(Value::as_str) == Some("CrashLoopBackOff") {
        return Some(format!("container {container} is in CrashLoopBackOff after {restarts} restarts"));
    }
    let terminated = ["/state/terminated", "/lastState/terminated"];
    terminated.iter().filter_map(|path| status.pointer(path)).find_map(|end| {
        let at: Timestamp = end["finishedAt"].as_str()?.parse().ok()?;
        // Kubernetes tells whole seconds.
        (at.as_second() >= opened.as_second()).then(|| {
            let (code, reason) = (&end["exitCode"], end["reason"].as_str().unwrap_or("no reason"));
            format!(
                "container {container} ended at {at} with exit code {code} ({reason}); {restarts} restarts"
            )
        })
    })
}

/// WMC-013: a proxy refused configuration.
pub(super) fn refused(facts: &Facts) -> Option<Finding> {
    let told = facts.failure.reason.contains("refused configuration");
    let refused = facts.rejections.as_ref();
    if refused.is_none_or(super::super::super::observe::nack::Rejections::none) && !told {
        return None;
    }
    let words = refused.map(|it| it.words.as_slice()).unwrap_or_default();
    let pods: Vec<_> = facts.waypoint_pods().unwrap_or_default();
    let ours =
        |word: &&String| pods.iter().any(|pod| word.contains(&format!("{}.{}", name(pod), namespace(pod))));
    let own = words.iter().find(ours);
    // A refusal of another proxy explains less.
    let confidence = match (own, told) {
        (Some(_), _) | (_, true) => Confidence::High,
        _ => Confidence::Low,
    };
    let mut finding = Finding::new("WMC-013", confidence);
    if let Some(refused) = refused.filter(|it| !it.none()) {
        finding = finding.sign(format!("proxies refused configuration {} times in this run", refused.total));
    }
    if told {
        finding = finding.sign(&facts.failure.reason);
    }
    Some(match own.or(words.first()) {
        Some(word) => finding.sign(format!("istiod: {word}")),
        None => finding,
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::super::fixture::{self, healthy};
    use super::*;
    use crate::observe::nack::Rejections;

    #[test]
    fn nothing_is_wrong_where_nothing_is() {
        for rule in [unreachable, crashed, refused] {
            assert_eq!(rule(&healthy()), None);
            assert_eq!(rule(&Facts::default()), None);
        }
    }

    #[rstest]
    #[case::all_failed(3, 3, "client error (Connect)", Some(Confidence::High))]
    #[case::no_world(0, 0, "apply Namespace a: connection refused", Some(Confidence::High.min(Confidence::Low)))]
    #[case::one_failed(1, 3, "connection reset", Some(Confidence::Low))]
    #[case::a_pod_refused(0, 3, "connection refused", None)]
    #[case::something_else(0, 0, "wait 30s for Service bound", None)]
    fn the_cluster_is_out_of_reach(
        #[case] failed: usize,
        #[case] reads: usize,
        #[case] reason: &str,
        #[case] want: Option<Confidence>,
    ) {
        let mut facts = fixture::error(reason);
        facts.unreadable = vec!["list Service: client error (Connect)".into(); failed];
        facts.reads = reads;
        assert_eq!(unreachable(&facts).map(|it| it.confidence), want);
    }

    #[rstest]
    #[case::within("2026-11-25T12:00:05Z", true)]
    #[case::before("2026-11-25T11:59:00Z", false)]
    fn a_container_ended(#[case] at: &str, #[case] want: bool) {
        let mut facts = healthy();
        fixture::pod_mut(&mut facts, "waypoint-1")["status"]["containerStatuses"] = json!([
            {"name": "istio-proxy", "restartCount": 1, "state": {"running": {}},
             "lastState": {"terminated": {"finishedAt": at, "exitCode": 139, "reason": "Error"}}}
        ]);
        assert_eq!(crashed(&facts).is_some(), want);
    }

    #[test]
    fn a_container_does_not_come_back() {
        let mut facts = healthy();
        fixture::pod_mut(&mut facts, "ztunnel-1")["status"]["containerStatuses"] = json!([
            {"name": "istio-proxy", "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
        ]);
        let finding = crashed(&facts).unwrap();
        assert_eq!(
            finding.signs,
            ["pod istio-system/ztunnel-1: container istio-proxy is in CrashLoopBackOff after 4 restarts"]
        );
    }

    #[rstest]
    #[case::our_waypoint("waypoint-1.wm-1-ns", Confidence::High)]
    #[case::another_proxy("waypoint-9.elsewhere", Confidence::Low)]
    fn configuration_was_refused(#[case] proxy: &str, #[case] want: Confidence) {
        let mut facts = healthy();
        let words = vec![format!("ADS:LDS: ACK ERROR {proxy} Internal:Error adding listener")];
        facts.rejections = Some(Rejections { total: 2, words });
        assert_eq!(refused(&facts).unwrap().confidence, want);
    }
}
