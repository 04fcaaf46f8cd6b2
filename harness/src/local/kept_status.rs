//! `waymark status`: the cluster that `up` keeps, as it is now.

use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::keep;
use crate::stage::objects::{ObjectRef, Objects};
use crate::stage::scenery::{EXPIRY_LABEL, RUN_LABEL};
use crate::target::{Kept, client};

/// How long the kept cluster may take to name its namespaces.
const PATIENCE: Duration = Duration::from_secs(5);

/// The objects of the kept cluster, if one is kept and its kubeconfig can be used.
pub(super) async fn objects(cache: &Path, release: &str) -> Option<Objects> {
    let kept = Kept::find(cache, release)?;
    client(&kept.reached.kubeconfig).await.ok().map(Objects::new)
}

/// Everything about it.
pub(super) async fn text(cache: &Path, release: &str) -> String {
    let Some(kept) = Kept::find(cache, release) else {
        return format!("no cluster of release {release} is up; `waymark up` makes one\n");
    };
    let mut out = format!("release {release} is up, kept by process {}", kept.pid);
    if let Some(since) = since(kept.pid) {
        let age = SystemTime::now().duration_since(since).unwrap_or_default();
        let _ = write!(out, " since {}, for {}", clock(since), rough(age));
    }
    out.push('\n');
    out.push_str(&habits(cache, release));
    let _ = writeln!(out, "{}", keep::use_it(&kept.reached));
    let name = kept.reached.parts.iter().map(|part| part.name.len()).max().unwrap_or(0);
    let version = kept.reached.parts.iter().map(|part| part.version.len()).max().unwrap_or(0);
    for part in &kept.reached.parts {
        let kind = if part.stand_in { "stand-in" } else { "real" };
        let _ = writeln!(out, "  {:<name$}  {:<version$}  {kind} ({})", part.name, part.version, part.origin);
    }
    out.push_str(&namespaces(cache, release).await);
    out
}

/// What its keeper was asked to do, as far as its claim says.
fn habits(cache: &Path, release: &str) -> String {
    let claim = std::fs::read(cache.join("up").join(format!("embedded-{release}.json"))).unwrap_or_default();
    let claim: Value = serde_json::from_slice(&claim).unwrap_or_default();
    let mut out = String::new();
    if let Some(seconds) = claim["idle_timeout"].as_u64() {
        let _ = writeln!(out, "  ends itself after {} without use", rough(Duration::from_secs(seconds)));
    }
    if let Some(run) = claim["stage"]["run"].as_str() {
        let _ = writeln!(out, "  a stage for everyone stands on it ({run})");
    }
    out
}

async fn namespaces(cache: &Path, release: &str) -> String {
    let Some(objects) = objects(cache, release).await else {
        return "  its kubeconfig cannot be used; `waymark doctor` says why\n".to_owned();
    };
    let like = ObjectRef {
        api_version: "v1".into(),
        kind: "Namespace".into(),
        namespace: None,
        name: String::new(),
    };
    let listed = tokio::time::timeout(PATIENCE, objects.list(&like, RUN_LABEL)).await;
    let Ok(Ok(listed)) = listed else {
        return "  its API server does not answer; `waymark doctor` says why\n".to_owned();
    };
    if listed.is_empty() {
        return "  no namespaces of runs\n".to_owned();
    }
    let now = jiff::Timestamp::now().as_second();
    let mut out = String::new();
    for namespace in listed {
        let labels = namespace.metadata.labels.unwrap_or_default();
        let expires = labels.get(EXPIRY_LABEL).and_then(|label| label.parse::<i64>().ok());
        let left = match expires {
            Some(at) if at <= now => "expired: `waymark sweep` removes it".to_owned(),
            Some(at) => format!("expires in {}", rough(Duration::from_secs((at - now).unsigned_abs()))),
            None => "never expires".to_owned(),
        };
        let run = labels.get(RUN_LABEL).map(String::as_str).unwrap_or_default();
        let _ =
            writeln!(out, "  namespace {} of run {run}, {left}", namespace.metadata.name.unwrap_or_default());
    }
    out
}

/// When a process began: the age of its folder in `/proc`.
fn since(pid: i32) -> Option<SystemTime> {
    std::fs::metadata(format!("/proc/{pid}")).and_then(|data| data.modified()).ok()
}

fn clock(at: SystemTime) -> String {
    jiff::Timestamp::try_from(at).map(|at| at.strftime("%H:%M:%S UTC").to_string()).unwrap_or_default()
}

/// A duration in its largest unit or two.
fn rough(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rstest::rstest;

    use super::{habits, rough, since, text};

    #[rstest]
    #[case(59, "59 s")]
    #[case(60, "1 min")]
    #[case(3599, "59 min")]
    #[case(7300, "2 h 1 min")]
    fn ages_are_rough(#[case] seconds: u64, #[case] want: &str) {
        assert_eq!(rough(Duration::from_secs(seconds)), want);
    }

    #[test]
    fn this_process_began() {
        assert!(since(i32::try_from(std::process::id()).unwrap()).is_some());
    }

    #[test]
    fn habits_are_read_where_they_are_told() {
        let cache = tempfile::tempdir().unwrap();
        assert_eq!(habits(cache.path(), "1.31"), "");
        std::fs::create_dir(cache.path().join("up")).unwrap();
        let claim = cache.path().join("up/embedded-1.31.json");
        std::fs::write(claim, r#"{"pid":1,"idle_timeout":600,"stage":{"run":"k3x9"}}"#).unwrap();
        let want = "  ends itself after 10 min without use\n  a stage for everyone stands on it (k3x9)\n";
        assert_eq!(habits(cache.path(), "1.31"), want);
    }

    #[tokio::test]
    async fn nothing_kept_says_how_to_get_one() {
        let cache = tempfile::tempdir().unwrap();
        assert!(text(cache.path(), "1.31").await.contains("`waymark up` makes one"));
    }
}
