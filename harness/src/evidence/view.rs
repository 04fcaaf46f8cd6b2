//! What of a large answer concerns a case: pure functions over JSON.

use serde_json::{Map, Value, json};

use crate::diagnose::Ztunnel;
use crate::diagnose::object::{kind, name, namespace};

/// Labels and annotations that steer ambient.
const STEERING: [&str; 5] = [
    "istio.io/dataplane-mode",
    "istio.io/use-waypoint",
    "istio.io/waypoint-for",
    "ambient.istio.io/",
    "gateway.networking.k8s.io/gateway-name",
];

/// An object without what only its managers need.
pub(super) fn plain(mut object: Value) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
    object
}

/// Of a namespace, Service, pod or slice: its steering labels, and where it stands.
pub(super) fn steering(object: &Value) -> Value {
    let only = |path: &str| {
        let all = object.pointer(path).and_then(Value::as_object);
        let steers = |key: &str| STEERING.iter().any(|prefix| key.starts_with(prefix));
        let kept = all.into_iter().flatten().filter(|(key, _)| steers(key));
        kept.map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>()
    };
    let mut view = json!({
        "kind": kind(object),
        "namespace": namespace(object),
        "name": name(object),
        "labels": only("/metadata/labels"),
        "annotations": only("/metadata/annotations"),
    });
    for (key, path) in [
        ("selector", "/spec/selector"),
        ("ports", "/spec/ports"),
        ("clusterIPs", "/spec/clusterIPs"),
        ("serviceAccount", "/spec/serviceAccountName"),
        ("node", "/spec/nodeName"),
        ("phase", "/status/phase"),
        ("podIPs", "/status/podIPs"),
        ("conditions", "/status/conditions"),
        ("containers", "/status/containerStatuses"),
        ("endpoints", "/endpoints"),
    ] {
        if let Some(value) = object.pointer(path) {
            view[key] = value.clone();
        }
    }
    view
}

/// ztunnel's config dump as far as it concerns these namespaces, its certificates only by identity and state.
pub(super) fn ztunnel(dump: &Value, namespaces: &[String]) -> Value {
    let ours = |list: &str| {
        let all = dump[list].as_array().into_iter().flatten();
        let ours = all.filter(|it| concerns(it, namespaces));
        ours.cloned().collect::<Vec<_>>()
    };
    let certificates = dump["certificates"].as_array().into_iter().flatten();
    let certificates = certificates.map(|it| json!({"identity": it["identity"], "state": it["state"]}));
    json!({
        "services": ours("services"),
        "workloads": ours("workloads"),
        "policies": ours("policies"),
        "certificates": certificates.collect::<Vec<_>>(),
        "version": dump["version"],
    })
}

fn concerns(entry: &Value, namespaces: &[String]) -> bool {
    let home = entry["namespace"].as_str().unwrap_or_default();
    // Policies of the root namespace apply everywhere.
    home == "istio-system" || namespaces.iter().any(|it| it == home)
}

/// The union of such views.
pub(super) fn union(views: &[Value]) -> Ztunnel {
    let all = |list: &str| {
        let mut union: Vec<Value> = Vec::new();
        for entry in views.iter().filter_map(|view| view[list].as_array()).flatten() {
            if !union.contains(entry) {
                union.push(entry.clone());
            }
        }
        union
    };
    Ztunnel { services: all("services"), workloads: all("workloads"), policies: all("policies") }
}

/// A waypoint's config dump without the chains and clusters that do not concern the case, for one that is too large;
/// whether something went.
pub(super) fn config(dump: &Value, concerns: impl Fn(&str) -> bool + Copy) -> (Value, bool) {
    let mut dump = dump.clone();
    let mut cut = false;
    let configs = dump["configs"].as_array_mut().into_iter().flatten();
    for section in configs {
        for list in ["dynamic_active_clusters", "dynamic_endpoint_configs", "dynamic_route_configs"] {
            cut |= keep(section.get_mut(list), concerns);
        }
        let listeners = section.get_mut("dynamic_listeners").and_then(Value::as_array_mut);
        for listener in listeners.into_iter().flatten() {
            cut |= keep(listener.pointer_mut("/active_state/listener/filter_chains"), concerns);
        }
    }
    (dump, cut)
}

/// Keeps the entries that concern the case, and those that are nobody's own.
fn keep(list: Option<&mut Value>, concerns: impl Fn(&str) -> bool) -> bool {
    let Some(list) = list.and_then(Value::as_array_mut) else { return false };
    let before = list.len();
    list.retain(|entry| {
        let text = entry.to_string();
        !text.contains(".svc.cluster.local") || concerns(&text)
    });
    list.len() < before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_steers_is_kept_of_labels() {
        let pod = json!({
            "kind": "Pod",
            "metadata": {"name": "a", "namespace": "b",
                "labels": {"app": "a", "istio.io/use-waypoint": "w", "istio.io/use-waypoint-namespace": "n"},
                "annotations": {"ambient.istio.io/redirection": "enabled", "other": "x"}},
            "spec": {"serviceAccountName": "s", "containers": [{"env": [{"name": "SECRET", "value": "x"}]}]},
            "status": {"phase": "Running"},
        });
        insta::assert_json_snapshot!(steering(&pod), @r#"
        {
          "kind": "Pod",
          "namespace": "b",
          "name": "a",
          "labels": {
            "istio.io/use-waypoint": "w",
            "istio.io/use-waypoint-namespace": "n"
          },
          "annotations": {
            "ambient.istio.io/redirection": "enabled"
          },
          "serviceAccount": "s",
          "phase": "Running"
        }
        "#);
    }

    #[test]
    fn ztunnels_view_is_of_the_cases_namespaces_and_has_no_certificates() {
        let dump = json!({
            "services": [{"namespace": "a", "name": "x"}, {"namespace": "z", "name": "y"}],
            "workloads": [],
            "policies": [{"namespace": "istio-system", "name": "strict"}],
            "certificates": [{"identity": "spiffe://a", "state": "Available", "certChain": [{"pem": "LS0t"}]}],
        });
        let view = ztunnel(&dump, &["a".to_owned()]);
        assert_eq!(view["services"], json!([{"namespace": "a", "name": "x"}]));
        assert_eq!(view["policies"][0]["name"], "strict");
        assert_eq!(view["certificates"], json!([{"identity": "spiffe://a", "state": "Available"}]));
        let both = union(&[view.clone(), view]);
        assert_eq!((both.services.len(), both.policies.len()), (1, 1));
    }

    #[test]
    fn a_config_dump_keeps_what_concerns_the_case() {
        let chain = |name: &str| json!({"name": format!("inbound-vip|80|http|{name}.a.svc.cluster.local")});
        let chains = json!([chain("shop-c7"), chain("shop-c8"), {"name": "blackhole"}]);
        let dump = json!({"configs": [
            {"dynamic_listeners": [{"active_state": {"listener": {"filter_chains": chains}}}]},
            {"dynamic_active_clusters": [{"cluster": chain("shop-c8")}]},
        ]});
        let (kept, cut) = config(&dump, |text| text.contains("-c7."));
        let chains =
            kept.pointer("/configs/0/dynamic_listeners/0/active_state/listener/filter_chains").unwrap();
        assert!(cut);
        assert_eq!(chains, &json!([chain("shop-c7"), {"name": "blackhole"}]));
        assert_eq!(kept.pointer("/configs/1/dynamic_active_clusters"), Some(&json!([])));
    }

    #[test]
    fn managers_are_left_out() {
        let object = plain(json!({"metadata": {"name": "a", "managedFields": [{"manager": "waymark"}]}}));
        assert_eq!(object, json!({"metadata": {"name": "a"}}));
    }
}
