//! Facts of a small mesh, for tests of rules.

use serde_json::{Value, json};
use waymark_reports::verdict::CaseVerdict;

use super::super::object::name;
use super::super::{Applied, Facts, Failing, Names, Objects, Ztunnel};
use crate::expect::WaypointId;
use crate::observe::access_log::AccessLine;
use crate::observe::nack::Rejections;
use crate::observe::ztunnel::ConnectionLine;

const HOST: &str = "shop-c7.wm-1-ns.svc.cluster.local";

/// Everything is as it should be, and nothing was judged.
pub(in super::super) fn healthy() -> Facts {
    Facts {
        names: Names {
            id: "c7".into(),
            namespace: "wm-1-ns".into(),
            waypoint: WaypointId { namespace: "wm-1-ns".into(), name: "waypoint".into() },
            home: "wm-1-client".into(),
            opened: "2026-11-25T12:00:00.5Z".parse().unwrap(),
        },
        objects: objects(),
        waypoint_lines: Some(Vec::new()),
        ztunnel_lines: Some(Vec::new()),
        ztunnel: Some(ztunnel()),
        config: Some("{\"policies\": \"ns[wm-1-ns]-policy[readers-c7]-rule[0]\"}".into()),
        rejections: Some(Rejections::default()),
        reads: 8,
        ..Facts::default()
    }
}

fn objects() -> Objects {
    let ready = json!([{"type": "Ready", "status": "True"}]);
    let pod = |home: &str, name: &str, account: &str, ip: &str, labels: Value| {
        json!({
            "kind": "Pod",
            "metadata": {
                "name": name, "namespace": home, "labels": labels,
                "annotations": {"ambient.istio.io/redirection": "enabled"},
            },
            "spec": {"serviceAccountName": account, "nodeName": "node-1"},
            "status": {"phase": "Running", "podIP": ip, "conditions": ready},
        })
    };
    Objects {
        namespaces: Some(vec![
            json!({"kind": "Namespace", "metadata": {"name": "wm-1-ns", "labels": {
                "istio.io/dataplane-mode": "ambient", "istio.io/use-waypoint": "waypoint"}}}),
            json!({"kind": "Namespace", "metadata": {"name": "wm-1-client", "labels": {
                "istio.io/dataplane-mode": "ambient"}}}),
        ]),
        services: Some(vec![json!({
            "kind": "Service",
            "metadata": {"name": "shop-c7", "namespace": "wm-1-ns"},
            "status": {"conditions": [{"type": "istio.io/WaypointBound", "status": "True"}]},
        })]),
        pods: Some(vec![
            pod(
                "wm-1-ns",
                "waypoint-1",
                "waypoint",
                "10.0.0.9",
                json!({"gateway.networking.k8s.io/gateway-name": "waypoint"}),
            ),
            pod("wm-1-client", "client-a-1", "client-a", "10.0.0.2", json!({"app": "client-a"})),
            pod("istio-system", "ztunnel-1", "ztunnel", "10.0.0.3", json!({"app": "ztunnel"})),
        ]),
        gateways: Some(vec![json!({
            "kind": "Gateway",
            "metadata": {
                "name": "waypoint", "namespace": "wm-1-ns", "generation": 1,
                "labels": {"istio.io/waypoint-for": "service"},
            },
            "status": {"conditions": [
                {"type": "Accepted", "status": "True"}, {"type": "Programmed", "status": "True"}]},
        })]),
        endpoints: Some(vec![json!({
            "kind": "EndpointSlice",
            "metadata": {"name": "shop-c7-x", "namespace": "wm-1-ns",
                "labels": {"kubernetes.io/service-name": "shop-c7"}},
            "endpoints": [{"addresses": ["10.0.0.5"], "conditions": {"ready": true}}],
        })]),
    }
}

fn ztunnel() -> Ztunnel {
    Ztunnel {
        services: vec![json!({"name": "shop-c7", "namespace": "wm-1-ns", "hostname": HOST})],
        workloads: vec![json!({"name": "client-a-1", "namespace": "wm-1-client", "protocol": "HBONE"})],
        policies: Vec::new(),
    }
}

fn failing(want: &str, got: &str) -> Failing {
    Failing {
        verdict: CaseVerdict::Fail,
        reason: format!("want {want}, got {got}").replace('\n', ", "),
        want: want.to_owned(),
        got: got.to_owned(),
        sent: format!("client-a: GET http://{HOST}/"),
        answers: Vec::new(),
    }
}

fn answered(home: &str, pod: &str, peer: &str) -> Value {
    json!({
        "tag": "waymark/c7-1",
        "request": {"method": "GET", "url": format!("http://{HOST}/")},
        "exchange": {
            "local": "10.0.0.2:40000",
            "outcome": {"response": {"status": 200, "echo": {
                "namespace": home, "pod": pod, "service_account": "echo", "version": "v1", "peer": peer}}},
        },
    })
}

/// The case could not be judged.
pub(in super::super) fn error(reason: &str) -> Facts {
    let failure = Failing { verdict: CaseVerdict::Error, reason: reason.into(), ..Failing::default() };
    Facts { failure, ..healthy() }
}

/// The waypoint was to be passed and was not.
pub(in super::super) fn bypassed() -> Facts {
    Facts {
        failure: failing(
            "status: 200\nway: through waypoint wm-1-ns/waypoint",
            "status: 200\nway: straight from the client",
        ),
        exchanges: vec![answered("wm-1-ns", "echo-v1-1", "10.0.0.2:40000")],
        ..healthy()
    }
}

/// No waypoint was to be passed and one was.
pub(in super::super) fn leaked() -> Facts {
    Facts {
        failure: failing(
            "status: 200\nway: straight from the client",
            "status: 200\nway: from 10.0.0.9, which is no pod of the waypoint or client",
        ),
        exchanges: vec![answered("wm-1-ns", "echo-v1-1", "10.0.0.9:40000")],
        ..healthy()
    }
}

/// A pod of another namespace answered.
pub(in super::super) fn answered_elsewhere() -> Facts {
    Facts {
        failure: failing("status: 200\nserved by: echo/v2", "status: 200\nserved by: echo/v1"),
        exchanges: vec![answered("wm-1-l4", "echo-v1-9", "10.0.0.9:40000")],
        ..healthy()
    }
}

/// The waypoint was passed and let through what a policy of its own refuses.
pub(in super::super) fn denial_ignored() -> Facts {
    Facts {
        failure: failing(
            "denied by: waypoint\nway: through waypoint wm-1-ns/waypoint",
            "denied by: nobody known, 200 from echo/v1\nway: through waypoint wm-1-ns/waypoint",
        ),
        exchanges: vec![answered("wm-1-ns", "echo-v1-1", "10.0.0.9:40000")],
        applied: vec![policy(json!([{"type": "WaypointAccepted", "status": "True"}]))],
        waypoint_lines: Some(vec![access_line("200 - via_upstream -")]),
        ..healthy()
    }
}

/// ztunnel refuses what the waypoint was to judge.
pub(in super::super) fn l7_at_ztunnel() -> Facts {
    let mut facts = Facts {
        failure: failing(
            "denied by: waypoint\nway: through waypoint wm-1-ns/waypoint",
            "denied by: nobody known, reset (head)\nway: no line of this probe in the access log of waypoint a/b",
        ),
        ztunnel_lines: Some(vec![connection(
            "client-a",
            "connection closed due to policy rejection: allow policies exist, but none allowed",
        )]),
        applied: vec![policy(json!([{"type": "ZtunnelAccepted", "status": "True"}]))],
        ..healthy()
    };
    facts.applied[0].manifest["spec"] = json!({
        "selector": {"matchLabels": {"app": "echo"}},
        "rules": [{"to": [{"operation": {"methods": ["GET"]}}]}],
    });
    let spec = facts.applied[0].manifest["spec"].clone();
    facts.applied[0].found.as_mut().unwrap()["spec"] = spec;
    facts.ztunnel.as_mut().unwrap().policies =
        vec![json!({"name": "readers-c7", "namespace": "wm-1-ns", "action": "Allow"})];
    facts
}

/// ztunnel was to refuse, and nobody did.
pub(in super::super) fn l4_denial() -> Facts {
    Facts {
        failure: failing("denied by: ztunnel", "denied by: nobody known, 403 `RBAC: access denied`"),
        ..healthy()
    }
}

/// The request was answered 503.
pub(in super::super) fn unavailable() -> Facts {
    let mut facts = Facts {
        failure: failing(
            "status: 200\nway: through waypoint wm-1-ns/waypoint",
            "status: 503\nway: through waypoint wm-1-ns/waypoint (503 no_healthy_upstream)",
        ),
        waypoint_lines: Some(vec![]),
        ..healthy()
    };
    facts.exchanges = vec![json!({
        "tag": "waymark/c7-1",
        "request": {"method": "GET", "url": format!("http://{HOST}/")},
        "exchange": {"local": "10.0.0.2:40000", "outcome": {"response": {"status": 503, "echo": null}}},
    })];
    facts
}

/// The case's policy, attached to its Service, with these conditions.
pub(in super::super) fn policy(conditions: Value) -> Applied {
    let manifest = json!({
        "apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy",
        "metadata": {"name": "readers-c7", "namespace": "wm-1-ns"},
        "spec": {"targetRefs": [{"kind": "Service", "name": "shop-c7"}]},
    });
    let mut found = manifest.clone();
    found["metadata"]["generation"] = 2.into();
    found["status"] = json!({"conditions": conditions});
    Applied { manifest, found: Some(found) }
}

/// The case's route with these parents in its status.
pub(in super::super) fn route(parents: Value) -> Applied {
    let manifest = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "by-header-c7", "namespace": "wm-1-ns"},
        "spec": {},
    });
    let mut found = manifest.clone();
    found["status"] = json!({"parents": parents});
    Applied { manifest, found: Some(found) }
}

/// A line of the waypoint's access log with this code, flags, details and rest.
pub(in super::super) fn access_line(outcome: &str) -> AccessLine {
    let line = format!(
        "[2026-11-25T12:00:03.123Z] \"GET / HTTP/1.1\" {outcome} \"-\" 0 91 3 - \"-\" \"waymark/c7-1\" \"f2b9\" \
         \"{HOST}\" \"-\" inbound-vip|80|http|{HOST} - 10.96.3.4:80 10.0.0.2:41234 - default\n"
    );
    AccessLine::parse(&line).unwrap()
}

/// A line of ztunnel about a connection of client-a's pod under this account's identity, with this error.
pub(in super::super) fn connection(account: &str, error: &str) -> ConnectionLine {
    let error = if error.is_empty() { String::new() } else { format!(" error=\"{error}\"") };
    let line = format!(
        "2026-11-25T12:00:03Z\tinfo\taccess\tconnection complete\tsrc.addr=10.0.0.2:40000 src.workload=\"client-a-1\" \
         src.namespace=\"wm-1-client\" src.identity=\"spiffe://cluster.local/ns/wm-1-client/sa/{account}\" \
         dst.service=\"{HOST}\" direction=\"outbound\"{error}"
    );
    ConnectionLine::parse(&line).unwrap()
}

/// A pod of the mesh, to change it.
pub(in super::super) fn pod_mut<'a>(facts: &'a mut Facts, wanted: &str) -> &'a mut Value {
    facts.objects.pods.as_mut().unwrap().iter_mut().find(|it| name(it) == wanted).unwrap()
}

/// A namespace, to change it.
pub(in super::super) fn namespace_mut<'a>(facts: &'a mut Facts, wanted: &str) -> &'a mut Value {
    facts.objects.namespaces.as_mut().unwrap().iter_mut().find(|it| name(it) == wanted).unwrap()
}

/// The waypoint's Gateway, to change it.
pub(in super::super) fn gateway_mut(facts: &mut Facts) -> &mut Value {
    &mut facts.objects.gateways.as_mut().unwrap()[0]
}
