//! What the status of an object must say before a case goes on: pure functions of its JSON, each with the reason why not yet.

use serde_json::Value;

/// Says of an object whether its status is as it should, or why not yet.
pub type Judge = fn(&Value) -> Result<(), String>;

/// The judge for an applied object of this kind; `None` where the kind has no status to wait for.
#[must_use]
pub fn judge(kind: &str) -> Option<Judge> {
    match kind {
        "HTTPRoute" | "GRPCRoute" | "TCPRoute" | "TLSRoute" => Some(route),
        "Gateway" => Some(gateway),
        // Istio tells nothing about a RequestAuthentication.
        "AuthorizationPolicy" | "WasmPlugin" => Some(policy),
        "Deployment" => Some(deployment),
        _ => None,
    }
}

/// Every parent accepted the route and resolved its references, as of this generation.
///
/// # Errors
/// The first condition that is missing, stale or not true.
pub fn route(object: &Value) -> Result<(), String> {
    let parents =
        object.pointer("/status/parents").and_then(Value::as_array).filter(|parents| !parents.is_empty());
    let parents = parents.ok_or("no parent has answered yet")?;
    for parent in parents {
        let conditions = parent.get("conditions");
        condition(object, conditions, "Accepted")?;
        condition(object, conditions, "ResolvedRefs")?;
    }
    Ok(())
}

/// The Gateway is programmed, as of this generation.
///
/// # Errors
/// The condition that is missing, stale or not true.
pub fn gateway(object: &Value) -> Result<(), String> {
    condition(object, object.pointer("/status/conditions"), "Programmed")
}

/// A class is accepted, as of this generation.
///
/// # Errors
/// The condition that is missing, stale or not true.
pub fn gateway_class(object: &Value) -> Result<(), String> {
    condition(object, object.pointer("/status/conditions"), "Accepted")
}

/// A policy with targetRefs was taken by the waypoint, one without by ztunnel. Of one on trial (`istio.io/dry-run`) Istio
/// tells nothing.
///
/// # Errors
/// The condition that is missing, stale or not true.
pub fn policy(object: &Value) -> Result<(), String> {
    if object.pointer("/metadata/annotations/istio.io~1dry-run").and_then(Value::as_str) == Some("true") {
        return Ok(());
    }
    let targeted =
        ["/spec/targetRefs", "/spec/targetRef"].into_iter().any(|path| object.pointer(path).is_some());
    let wanted = if targeted { "WaypointAccepted" } else { "ZtunnelAccepted" };
    condition(object, object.pointer("/status/conditions"), wanted)
}

/// A Service is bound to the waypoint of this name.
///
/// # Errors
/// The condition that is missing or not true, or names another waypoint.
pub fn bound(object: &Value, waypoint: &str) -> Result<(), String> {
    let conditions = object.pointer("/status/conditions");
    condition(object, conditions, "istio.io/WaypointBound")?;
    let message =
        find(conditions, "istio.io/WaypointBound").and_then(|it| it.get("message")).and_then(Value::as_str);
    match message {
        Some(message) if message.split([' ', '.']).any(|word| word == waypoint) => Ok(()),
        other => {
            Err(format!("bound, but to another waypoint than {waypoint}: {}", other.unwrap_or_default()))
        }
    }
}

/// A Deployment has all its replicas available, as of this generation.
///
/// # Errors
/// How many are available.
pub fn deployment(object: &Value) -> Result<(), String> {
    let number = |path: &str| object.pointer(path).and_then(Value::as_i64).unwrap_or(0);
    if number("/status/observedGeneration") < number("/metadata/generation") {
        return Err("its controller has not seen it yet".into());
    }
    let want = object.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1);
    match (number("/status/availableReplicas"), number("/status/updatedReplicas")) {
        (available, updated) if available >= want && updated >= want => Ok(()),
        (available, _) => Err(format!("{available} of {want} replicas available")),
    }
}

/// A DaemonSet is available on every node it wants, as of this generation.
///
/// # Errors
/// On how many it is.
pub fn daemon_set(object: &Value) -> Result<(), String> {
    let number = |path: &str| object.pointer(path).and_then(Value::as_i64);
    if number("/status/observedGeneration") < number("/metadata/generation") {
        return Err("its controller has not seen it yet".into());
    }
    let want = number("/status/desiredNumberScheduled").unwrap_or(0);
    let available = number("/status/numberAvailable").unwrap_or(0);
    let updated = number("/status/updatedNumberScheduled").unwrap_or(0);
    if want > 0 && available >= want && updated >= want {
        return Ok(());
    }
    Err(format!("available on {available} of {want} nodes"))
}

/// A condition has this status and this reason, as of this generation.
///
/// # Errors
/// What it says instead.
pub fn told(object: &Value, kind: &str, status: &str, reason: &str) -> Result<(), String> {
    let conditions = object.pointer("/status/conditions");
    let Some(found) = find(conditions, kind) else { return Err(format!("no condition {kind} yet")) };
    let text = |key: &str| found.get(key).and_then(Value::as_str).unwrap_or_default();
    if !is_current(object, found) {
        return Err(format!("condition {kind} is of an older generation"));
    }
    if (text("status"), text("reason")) == (status, reason) {
        return Ok(());
    }
    Err(format!("{kind}: {} ({}): {}", text("status"), text("reason"), text("message")))
}

/// Istio's own kinds write the generation as a string, or not at all.
fn is_current(object: &Value, condition: &Value) -> bool {
    let observed = condition.get("observedGeneration").and_then(|it| match it {
        Value::String(text) => text.parse().ok(),
        number => number.as_i64(),
    });
    let generation = object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0);
    observed.is_none_or(|observed| observed >= generation)
}

fn find<'a>(conditions: Option<&'a Value>, kind: &str) -> Option<&'a Value> {
    conditions?
        .as_array()?
        .iter()
        .find(|condition| condition.get("type").and_then(Value::as_str) == Some(kind))
}

fn condition(object: &Value, conditions: Option<&Value>, kind: &str) -> Result<(), String> {
    let Some(found) = find(conditions, kind) else { return Err(format!("no condition {kind} yet")) };
    if !is_current(object, found) {
        return Err(format!("condition {kind} is of an older generation"));
    }
    let text = |key: &str| found.get(key).and_then(Value::as_str).unwrap_or_default();
    if text("status") == "True" {
        return Ok(());
    }
    Err(format!("{kind} is {} ({}): {}", text("status"), text("reason"), text("message")))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn conditions(kind: &str, status: &str, observed: Value) -> Value {
        json!([{"type": kind, "status": status, "reason": "Why", "message": "because", "observedGeneration": observed}])
    }

    #[rstest]
    #[case::fine("True", json!(2), Ok(()))]
    #[case::as_text("True", json!("2"), Ok(()))]
    #[case::without("True", Value::Null, Ok(()))]
    #[case::stale("True", json!(1), Err("condition Programmed is of an older generation"))]
    #[case::stale_text("True", json!("1"), Err("condition Programmed is of an older generation"))]
    #[case::not_true("False", json!(2), Err("Programmed is False (Why): because"))]
    fn conditions_are_of_this_generation(
        #[case] status: &str,
        #[case] observed: Value,
        #[case] want: Result<(), &str>,
    ) {
        let object = json!({
            "metadata": {"generation": 2},
            "status": {"conditions": conditions("Programmed", status, observed)},
        });
        assert_eq!(gateway(&object), want.map_err(str::to_owned));
    }

    #[test]
    fn a_route_needs_every_parent() {
        let good =
            json!([{"type": "Accepted", "status": "True"}, {"type": "ResolvedRefs", "status": "True"}]);
        let bad = json!([{"type": "Accepted", "status": "True"}]);
        route(&json!({"status": {"parents": [{"conditions": good}]}})).unwrap();
        let why =
            route(&json!({"status": {"parents": [{"conditions": good}, {"conditions": bad}]}})).unwrap_err();
        assert_eq!(why, "no condition ResolvedRefs yet");
        assert_eq!(route(&json!({"status": {"parents": []}})).unwrap_err(), "no parent has answered yet");
    }

    #[test]
    fn a_policy_is_judged_by_who_enforces_it() {
        let taken = |kind: &str| conditions(kind, "True", Value::Null);
        let at_waypoint =
            json!({"spec": {"targetRefs": []}, "status": {"conditions": taken("WaypointAccepted")}});
        policy(&at_waypoint).unwrap();
        let at_ztunnel =
            json!({"spec": {"selector": {}}, "status": {"conditions": taken("WaypointAccepted")}});
        assert_eq!(policy(&at_ztunnel).unwrap_err(), "no condition ZtunnelAccepted yet");
        policy(&json!({"metadata": {"annotations": {"istio.io/dry-run": "true"}}})).unwrap();
    }

    #[rstest]
    #[case("True", "Why", json!(2), Ok(()))]
    #[case("False", "Why", json!(2), Err("Taken: False (Why): because"))]
    #[case("True", "Other", json!(2), Err("Taken: True (Why): because"))]
    #[case("True", "Why", json!(1), Err("condition Taken is of an older generation"))]
    fn a_condition_is_told_with_its_reason(
        #[case] status: &str,
        #[case] reason: &str,
        #[case] observed: Value,
        #[case] want: Result<(), &str>,
    ) {
        let found = if reason == "Other" { "True" } else { status };
        let object = json!({
            "metadata": {"generation": 2}, "status": {"conditions": conditions("Taken", found, observed)},
        });
        assert_eq!(told(&object, "Taken", "True", reason), want.map_err(str::to_owned));
    }

    #[test]
    fn bound_means_to_this_waypoint() {
        let service = |message: &str| json!({"status": {"conditions": [{"type": "istio.io/WaypointBound", "status": "True", "message": message}]}});
        bound(&service("Successfully attached to waypoint wm-1-ns/waypoint"), "wm-1-ns/waypoint").unwrap();
        bound(&service("Successfully attached to waypoint wm-1-ns/waypoint. Ingress"), "wm-1-ns/waypoint")
            .unwrap();
        bound(&service("Successfully attached to waypoint wm-1-ns/waypoint2"), "wm-1-ns/waypoint")
            .unwrap_err();
        bound(&json!({}), "wm-1-ns/waypoint").unwrap_err();
    }

    #[test]
    fn rollouts_say_how_far_they_are() {
        let rolling =
            json!({"spec": {"replicas": 2}, "status": {"availableReplicas": 1, "updatedReplicas": 2}});
        assert_eq!(deployment(&rolling).unwrap_err(), "1 of 2 replicas available");
        let stale = json!({"metadata": {"generation": 2}, "status": {"observedGeneration": 1, "availableReplicas": 1}});
        assert_eq!(deployment(&stale).unwrap_err(), "its controller has not seen it yet");
        assert_eq!(
            daemon_set(&json!({"status": {"desiredNumberScheduled": 0}})).unwrap_err(),
            "available on 0 of 0 nodes"
        );
    }
}
