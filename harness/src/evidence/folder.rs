//! Writes the evidence of a case into a folder of its own, below the run.

use std::io::ErrorKind;
use std::path::Path;

use serde_json::json;
use waymark_reports::events::EvidenceFile;

use super::item::{Content, Item, file_name};
use super::{Gathered, Subject};
use crate::case::Broken;

/// How often one case may be red in a run and still have its evidence.
const MOST: u32 = 10_000;

/// Writes all files and their index; returns the folder, relative to the run directory, and its files.
///
/// # Errors
/// A folder or file that cannot be written.
pub async fn keep(
    run_dir: &Path,
    subject: &Subject,
    gathered: &Gathered,
) -> Result<(String, Vec<EvidenceFile>), Broken> {
    let relative = make(run_dir, &folder(&subject.trial)).await?;
    let folder = run_dir.join(&relative);
    let failed = |why| Broken::with(format!("write evidence to {}", folder.display()), why);
    let mut files = Vec::new();
    for item in &gathered.items {
        if let (Ok(Content { bytes, .. }), Some(file)) = (&item.content, item.file()) {
            tokio::fs::write(folder.join(&item.name), bytes).await.map_err(failed)?;
            files.push(file);
        }
    }
    let index = index(subject, gathered, &files);
    tokio::fs::write(folder.join("index.json"), &index).await.map_err(failed)?;
    let bytes = index.len() as u64;
    let about = "what is here, what was cut and what could not be had".to_owned();
    files.push(EvidenceFile { name: "index.json".into(), about, bytes, cut: false });
    Ok((relative, files))
}

/// The folder of a trial: `routing::header_match::namespace` becomes `routing--header_match--namespace`.
fn folder(trial: &str) -> String {
    file_name(&trial.replace("::", "--"))
}

/// Makes a folder that no earlier round has written to.
async fn make(run_dir: &Path, name: &str) -> Result<String, Broken> {
    let parent = run_dir.join("evidence");
    let failed = |path: &Path, why| Broken::with(format!("write evidence to {}", path.display()), why);
    tokio::fs::create_dir_all(&parent).await.map_err(|why| failed(&parent, why))?;
    for round in 1..=MOST {
        let name = if round == 1 { name.to_owned() } else { format!("{name}--{round}") };
        match tokio::fs::create_dir(parent.join(&name)).await {
            Ok(()) => return Ok(format!("evidence/{name}")),
            Err(why) if why.kind() == ErrorKind::AlreadyExists => {}
            Err(why) => return Err(failed(&parent.join(&name), why)),
        }
    }
    Err(Broken::new(format!("write evidence to {}: {MOST} rounds are there already", parent.display())))
}

fn index(subject: &Subject, gathered: &Gathered, files: &[EvidenceFile]) -> Vec<u8> {
    let missing = gathered.items.iter().filter_map(|Item { name, about, content }| {
        let why = content.as_ref().err()?;
        Some(json!({"name": name, "about": about, "why": why}))
    });
    let index = json!({
        "case": subject.trial,
        "id": subject.id,
        "namespace": subject.namespace,
        "opened": subject.opened.to_string(),
        "gathered": gathered.at.to_string(),
        "tookMs": u64::try_from(gathered.took.as_millis()).unwrap_or(u64::MAX),
        "bytes": files.iter().map(|file| file.bytes).sum::<u64>(),
        "files": files,
        "missing": missing.collect::<Vec<_>>(),
    });
    serde_json::to_vec_pretty(&index).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered() -> Gathered {
        let exchanges = Item::json("exchanges.json", "what was sent", json!([]), 100);
        let log = Item::missing("waypoint-a.log", "the waypoint's log", "no answer within 8s");
        Gathered { items: vec![exchanges, log], ..Gathered::default() }
    }

    #[tokio::test]
    async fn evidence_lies_below_the_run_with_an_index() {
        let run = tempfile::tempdir().unwrap();
        let subject = Subject::named("routing::header_match::namespace", "c7");
        let (folder, files) = keep(run.path(), &subject, &gathered()).await.unwrap();
        assert_eq!(folder, "evidence/routing--header_match--namespace");
        assert_eq!(std::fs::read(run.path().join(&folder).join("exchanges.json")).unwrap(), b"[]");
        assert_eq!(
            files.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(),
            ["exchanges.json", "index.json"]
        );
        let index = std::fs::read(run.path().join(&folder).join("index.json")).unwrap();
        let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
        assert_eq!(index["missing"][0]["why"], "no answer within 8s");
        assert_eq!(index["files"][0]["bytes"], 2);
    }

    #[tokio::test]
    async fn a_later_round_leaves_the_earlier_alone() {
        let run = tempfile::tempdir().unwrap();
        let subject = Subject::named("a::b", "c7");
        let (first, _) = keep(run.path(), &subject, &gathered()).await.unwrap();
        let (second, _) = keep(run.path(), &subject, &gathered()).await.unwrap();
        assert_eq!((first.as_str(), second.as_str()), ("evidence/a--b", "evidence/a--b--2"));
    }

    #[tokio::test]
    async fn an_unwritable_run_is_told() {
        let run = tempfile::NamedTempFile::new().unwrap();
        let why = keep(run.path(), &Subject::named("a::b", "c7"), &gathered()).await.unwrap_err();
        assert!(why.chain().starts_with("write evidence to "), "{}", why.chain());
    }
}
