//! A kept cluster: whether it answers and its nodes are Ready.

use std::time::Duration;

use serde_json::Value;

use super::check;
use crate::cli::operations::{Check, Outcome};
use crate::stage::objects::{ObjectRef, Objects};

/// How long the API server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The checks, and whether the cluster answers at all.
pub(super) async fn checks(objects: &Objects) -> (Vec<Check>, bool) {
    let version = tokio::time::timeout(PATIENCE, objects.client().apiserver_version()).await;
    let fix = "waymark down && waymark up; logs are beside its kubeconfig";
    let version = match version {
        Ok(Ok(version)) => version.git_version,
        Ok(Err(error)) => {
            let finding = format!("the API server does not answer: {error}");
            return (vec![check("WMD-C02", finding, Outcome::Blocker, Some(fix))], false);
        }
        Err(_) => {
            let finding = format!("the API server does not answer within {PATIENCE:?}");
            return (vec![check("WMD-C02", finding, Outcome::Blocker, Some(fix))], false);
        }
    };
    let answers = check("WMD-C02", format!("Kubernetes {version} answers"), Outcome::Good, None);
    let like =
        ObjectRef { api_version: "v1".into(), kind: "Node".into(), namespace: None, name: String::new() };
    let nodes = match objects.list(&like, "").await {
        Ok(nodes) => nodes.into_iter().filter_map(|node| serde_json::to_value(node).ok()).collect::<Vec<_>>(),
        Err(error) => {
            return (vec![answers, check("WMD-C03", error.chain(), Outcome::Blocker, Some(fix))], true);
        }
    };
    (vec![answers, judge_nodes(&nodes)], true)
}

fn judge_nodes(nodes: &[Value]) -> Check {
    let unready: Vec<&str> = nodes
        .iter()
        .filter(|node| !is_ready(node))
        .filter_map(|node| node.pointer("/metadata/name").and_then(Value::as_str))
        .collect();
    match (nodes.len(), unready.as_slice()) {
        (0, _) => check("WMD-C03", "it has no nodes", Outcome::Blocker, Some("waymark down && waymark up")),
        (count, []) => check("WMD-C03", format!("{count} nodes Ready"), Outcome::Good, None),
        (count, unready) => {
            let finding = format!("{} of {count} nodes not Ready: {}", unready.len(), unready.join(", "));
            check("WMD-C03", finding, Outcome::Blocker, Some("waymark down && waymark up"))
        }
    }
}

fn is_ready(node: &Value) -> bool {
    let conditions = node.pointer("/status/conditions").and_then(Value::as_array);
    conditions.is_some_and(|all| all.iter().any(|one| one["type"] == "Ready" && one["status"] == "True"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::judge_nodes;
    use crate::cli::operations::Outcome;

    fn node(name: &str, ready: &str) -> Value {
        json!({"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": ready}]}})
    }

    #[rstest]
    #[case::all(vec![node("a", "True"), node("b", "True")], "2 nodes Ready", Outcome::Good)]
    #[case::one(vec![node("a", "True"), node("b", "Unknown")], "1 of 2 nodes not Ready: b", Outcome::Blocker)]
    #[case::none(vec![], "it has no nodes", Outcome::Blocker)]
    fn nodes_are_judged(#[case] nodes: Vec<Value>, #[case] finding: &str, #[case] outcome: Outcome) {
        let check = judge_nodes(&nodes);
        assert_eq!((check.finding.as_str(), check.outcome), (finding, outcome));
    }
}
