//! The mesh on a kept cluster: its parts, and policies of others that would change what cases see.

use kube::core::DynamicObject;
use serde_json::Value;
use waymark_reports::events::Part;

use super::check;
use crate::case::Broken;
use crate::cli::operations::{Check, Outcome};
use crate::converge::Look;
use crate::stage::objects::{ObjectRef, Objects};
use crate::stage::scenery::RUN_LABEL;
use crate::stage::status;

/// Istio's root namespace on every target.
const ROOT: &str = "istio-system";

/// Kinds that act on the whole mesh from the root namespace.
const MESH_WIDE: [(&str, &str); 5] = [
    ("security.istio.io/v1", "AuthorizationPolicy"),
    ("security.istio.io/v1", "PeerAuthentication"),
    ("security.istio.io/v1", "RequestAuthentication"),
    ("networking.istio.io/v1alpha3", "EnvoyFilter"),
    ("extensions.istio.io/v1alpha1", "WasmPlugin"),
];

/// The checks; `parts` say which of them is a stand-in.
pub(super) async fn checks(objects: &Objects, parts: &[Part]) -> Vec<Check> {
    let object = |api_version: &str, kind: &str, namespace: Option<&str>, name: &str| ObjectRef {
        api_version: api_version.into(),
        kind: kind.into(),
        namespace: namespace.map(str::to_owned),
        name: name.into(),
    };
    let istiod = object("apps/v1", "Deployment", Some(ROOT), "istiod");
    let ztunnel = object("apps/v1", "DaemonSet", Some(ROOT), "ztunnel");
    let cni = object("apps/v1", "DaemonSet", Some(ROOT), "istio-cni-node");
    let class = object("gateway.networking.k8s.io/v1", "GatewayClass", None, "istio-waypoint");
    let mut checks = vec![
        ready("WMD-M01", &istiod, objects.look(&istiod, status::deployment).await, parts),
        ready("WMD-M02", &ztunnel, objects.look(&ztunnel, status::daemon_set).await, parts),
        ready("WMD-M03", &cni, objects.look(&cni, status::daemon_set).await, parts),
        ready("WMD-M04", &class, objects.look(&class, status::gateway_class).await, parts),
    ];
    let mut foreign = Vec::new();
    for (api_version, kind) in MESH_WIDE {
        // A kind that this Istio does not have cannot be in the way.
        let listed = objects.list(&object(api_version, kind, Some(ROOT), ""), "").await;
        foreign
            .extend(listed.unwrap_or_default().iter().filter(|it| is_foreign(it)).map(|it| shown(kind, it)));
    }
    checks.push(match foreign.as_slice() {
        [] => check("WMD-M05", "no policy of others for the whole mesh", Outcome::Good, None),
        some => {
            let finding = format!("for the whole mesh and not ours: {}", some.join(", "));
            check(
                "WMD-M05",
                finding,
                Outcome::Blocker,
                Some("remove it, or run on a cluster of waymark's own"),
            )
        }
    });
    checks
}

fn ready(id: &str, object: &ObjectRef, looked: Result<Look<Value>, Broken>, parts: &[Part]) -> Check {
    let fix = "waymark down && waymark up; `kubectl describe` says more";
    match looked {
        Ok(Look::Met(found)) => {
            // the image of a stand-in is the real one's by name only
            let stands_in = parts.iter().any(|part| part.name == object.name && part.stand_in);
            let which = if stands_in { " (waymark's stand-in)".to_owned() } else { tag(&found) };
            check(id, format!("{} is ready{which}", object.name), Outcome::Good, None)
        }
        Ok(Look::Unmet(why)) => {
            check(id, format!("{object} is not ready: {why}"), Outcome::Blocker, Some(fix))
        }
        Err(error) => check(id, error.chain(), Outcome::Blocker, Some(fix)),
    }
}

/// The tag of the first container's image, as ` at 1.31.0`.
fn tag(object: &Value) -> String {
    let image = object.pointer("/spec/template/spec/containers/0/image").and_then(Value::as_str);
    let tag = image.and_then(|image| image.rsplit('/').next()).and_then(|last| last.split_once(':'));
    tag.map(|(_, tag)| format!(" at {tag}")).unwrap_or_default()
}

fn is_foreign(object: &DynamicObject) -> bool {
    let ours = |labels: &std::collections::BTreeMap<String, String>| labels.contains_key(RUN_LABEL);
    !object.metadata.labels.as_ref().is_some_and(ours)
}

fn shown(kind: &str, object: &DynamicObject) -> String {
    format!("{kind} {ROOT}/{}", object.metadata.name.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use waymark_reports::events::Part;

    use super::{is_foreign, ready, tag};
    use crate::cli::operations::Outcome;
    use crate::converge::Look;
    use crate::stage::objects::ObjectRef;

    #[test]
    fn the_version_is_that_of_the_image() {
        let image = |image: &str| json!({"spec": {"template": {"spec": {"containers": [{"image": image}]}}}});
        assert_eq!(tag(&image("docker.io:443/istio/pilot:1.31.0")), " at 1.31.0");
        assert_eq!(tag(&json!({})), "");
    }

    #[test]
    fn what_carries_our_label_is_ours() {
        let of = |labels: serde_json::Value| {
            let object = json!({"metadata": {"name": "x", "labels": labels}});
            is_foreign(&serde_json::from_value(object).unwrap())
        };
        assert!(!of(json!({"waymark.run": "k3x9"})));
        assert!(of(json!({"app": "x"})));
    }

    #[test]
    fn what_is_not_ready_blocks() {
        let object =
            ObjectRef { api_version: "v1".into(), kind: "X".into(), namespace: None, name: "istiod".into() };
        let check = ready("WMD-M01", &object, Ok(Look::Unmet("0 of 1 available".into())), &[]);
        assert_eq!(check.outcome, Outcome::Blocker);
        assert_eq!(check.finding, "X istiod is not ready: 0 of 1 available");
        let part = Part {
            name: "istiod".into(),
            version: "0".into(),
            origin: "waymark".into(),
            digest: None,
            stand_in: true,
        };
        let check = ready("WMD-M01", &object, Ok(Look::Met(json!({}))), &[part]);
        assert_eq!(check.finding, "istiod is ready (waymark's stand-in)");
    }
}
