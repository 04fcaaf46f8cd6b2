//! The Gateway API's CRDs, applied from YAML before Istio is installed.

use std::path::{Path, PathBuf};

use futures::future::try_join_all;
use serde_json::Value;

use crate::case::Broken;
use crate::converge::Converge;
use crate::stage::objects::{ObjectRef, Objects};

/// Applies every object of a YAML file, or of the YAML files of a folder, and waits until the CRDs among them are served.
pub(super) async fn apply(path: &Path, objects: &Objects, converge: &Converge) -> Result<(), Broken> {
    let mut manifests = Vec::new();
    for file in files(path)? {
        let text = tokio::fs::read_to_string(&file).await;
        let text = text.map_err(|why| Broken::with(format!("read {}", file.display()), why))?;
        manifests.extend(parse(&text).map_err(|why| Broken::new(format!("{}: {why}", file.display())))?);
    }
    try_join_all(manifests.iter().map(|manifest| objects.apply(manifest))).await?;
    try_join_all(manifests.iter().map(|manifest| established(manifest, objects, converge))).await?;
    Ok(())
}

async fn established(manifest: &Value, objects: &Objects, converge: &Converge) -> Result<(), Broken> {
    let object = ObjectRef::of(manifest)?;
    if object.kind != "CustomResourceDefinition" {
        return Ok(());
    }
    let what = format!("{object} served");
    converge.until(&what, || objects.look(&object, served)).await?;
    Ok(())
}

fn served(crd: &Value) -> Result<(), String> {
    let conditions = crd.pointer("/status/conditions").and_then(Value::as_array);
    let established = |it: &Value| it["type"] == "Established" && it["status"] == "True";
    if conditions.is_some_and(|all| all.iter().any(established)) {
        Ok(())
    } else {
        Err("not established".into())
    }
}

fn files(path: &Path) -> Result<Vec<PathBuf>, Broken> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let read = std::fs::read_dir(path)
        .map_err(|why| Broken::with(format!("read folder {}", path.display()), why))?;
    let mut files: Vec<_> = read
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml"))
        .filter(|file| file.file_stem().is_none_or(|stem| stem != "kustomization"))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(Broken::new(format!("no YAML file in {}", path.display())));
    }
    Ok(files)
}

/// Every object of a YAML text of many documents; what istioctl and kubectl would ignore is ignored.
fn parse(text: &str) -> Result<Vec<Value>, String> {
    let documents: Vec<Value> = serde_yaml::from_multiple(text).map_err(|why| why.to_string())?;
    Ok(documents.into_iter().filter(Value::is_object).map(without_status).collect())
}

/// A generated CRD carries an empty status, which is not ours to write.
fn without_status(mut object: Value) -> Value {
    if let Some(object) = object.as_object_mut() {
        object.remove("status");
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_separated_and_empty_ones_dropped() {
        let text = "# licence\n---\napiVersion: v1\nkind: A\nmetadata:\n  name: a\n  creationTimestamp: null\nstatus: {}\n---\n---\nkind: B\n";
        let parsed = parse(text).unwrap();
        let kinds: Vec<_> = parsed.iter().map(|it| it["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["A", "B"]);
        assert!(parsed[0].get("status").is_none());
    }

    #[test]
    fn an_empty_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(files(folder.path()).unwrap_err().chain().starts_with("no YAML file"));
        std::fs::write(folder.path().join("b.yaml"), "").unwrap();
        std::fs::write(folder.path().join("kustomization.yaml"), "").unwrap();
        assert_eq!(files(folder.path()).unwrap(), [folder.path().join("b.yaml")]);
    }
}
