//! Reads of Kubernetes objects as JSON.

use serde_json::Value;

use super::quote;

/// A condition of an object's status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) status: String,
    /// `Reason: message`, for people.
    pub(super) words: String,
}

pub(crate) fn name(object: &Value) -> &str {
    object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
}

pub(crate) fn namespace(object: &Value) -> &str {
    object.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default()
}

pub(crate) fn kind(object: &Value) -> &str {
    object["kind"].as_str().unwrap_or_default()
}

pub(crate) fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.pointer("/metadata/labels")?.get(key)?.as_str()
}

pub(super) fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.pointer("/metadata/annotations")?.get(key)?.as_str()
}

/// The condition of this type below `/status/conditions`.
pub(super) fn condition(object: &Value, kind: &str) -> Option<Condition> {
    let conditions = object.pointer("/status/conditions")?.as_array()?;
    let found = conditions.iter().find(|it| it["type"].as_str() == Some(kind))?;
    let text = |key: &str| found[key].as_str().unwrap_or_default();
    Some(Condition {
        status: text("status").to_owned(),
        words: quote(&format!("{}: {}", text("reason"), text("message"))),
    })
}

/// Whether a pod says that it is Ready and is not about to end.
pub(crate) fn ready(pod: &Value) -> bool {
    condition(pod, "Ready").is_some_and(|it| it.status == "True")
        && pod.pointer("/metadata/deletionTimestamp").is_none_or(Value::is_null)
}
