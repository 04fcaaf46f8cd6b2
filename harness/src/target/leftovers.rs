//! What earlier processes left behind and nobody holds any more: found for `doctor`, removed by `sweep`.
//!
//! A cluster ends with its process, so that only files can stay: claims, mount points, kubeconfigs whose token is void.
//! A process that lives shows what it holds by its open files.

mod processes;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};

use crate::run_dir;
use crate::stage::objects::{ObjectRef, Objects};
use crate::stage::scenery::{EXPIRY_LABEL, RUN_LABEL};

use processes::{Process, Processes};

/// Everything that can be removed.
#[derive(Debug, Default)]
pub(crate) struct Leftovers {
    files: Vec<Remains>,
    processes: Vec<Process>,
    namespaces: Vec<Namespace>,
}

/// A file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Remains {
    path: PathBuf,
    what: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Namespace {
    name: String,
    run: String,
}

impl Leftovers {
    /// Looks below the cache and the runs, among the processes, and on the kept cluster.
    pub(crate) async fn find(cache: &Path, runs: &Path, objects: Option<&Objects>) -> Self {
        let processes = Processes::look();
        let mut files = of_cache(cache, &processes);
        files.extend(of_runs(runs, &processes));
        let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(0);
        let namespaces = match objects {
            Some(objects) => expired(objects, now).await,
            None => Vec::new(),
        };
        Self { files, processes: processes.orphans(), namespaces }
    }

    pub(crate) fn files_shown(&self) -> Vec<String> {
        self.files.iter().map(|it| format!("{} ({})", run_dir::shown(&it.path), it.what)).collect()
    }

    pub(crate) fn processes_shown(&self) -> Vec<String> {
        self.processes.iter().map(|it| format!("process {} ({})", it.pid, it.words)).collect()
    }

    pub(crate) fn namespaces_shown(&self) -> Vec<String> {
        self.namespaces.iter().map(|it| format!("namespace {} (run {})", it.name, it.run)).collect()
    }

    /// Everything, a line each.
    pub(crate) fn shown(&self) -> Vec<String> {
        [self.processes_shown(), self.files_shown(), self.namespaces_shown()].concat()
    }

    /// Removes everything; yields what could not be removed, with the reason.
    pub(crate) async fn remove(self, objects: Option<&Objects>) -> Vec<String> {
        let mut failed = Vec::new();
        for process in &self.processes {
            let ended = Pid::from_raw(process.pid).map(|pid| kill_process(pid, Signal::KILL));
            if let Some(Err(error)) = ended {
                failed.push(format!("end process {}: {error}", process.pid));
            }
        }
        for remains in &self.files {
            if let Err(error) = remains.remove() {
                failed.push(format!("remove {}: {error}", remains.path.display()));
            }
        }
        if let Some(objects) = objects {
            for namespace in &self.namespaces {
                if let Err(error) = objects.delete(&reference(&namespace.name)).await {
                    failed.push(error.chain());
                }
            }
        }
        failed
    }
}

impl Remains {
    fn remove(&self) -> io::Result<()> {
        let removed = match fs::symlink_metadata(&self.path) {
            Ok(data) if data.is_dir() => fs::remove_dir(&self.path),
            Ok(_) if self.path.extension().is_some_and(|end| end == "json") => empty_claim(&self.path),
            Ok(_) => fs::remove_file(&self.path),
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}

/// Empties a claim unless somebody took it meanwhile. The file stays: a process may have it open to claim it next.
fn empty_claim(path: &Path) -> io::Result<()> {
    let file = File::options().write(true).open(path)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    file.set_len(0)
}

/// Says something that nobody holds any more.
fn is_stale(claim: &Path) -> bool {
    !is_held(claim) && claim.metadata().is_ok_and(|data| data.len() > 0)
}

fn is_held(claim: &Path) -> bool {
    File::open(claim).is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockShared).is_err())
}

/// Claims that nobody holds, and the folders of their clusters.
fn of_cache(cache: &Path, processes: &Processes) -> Vec<Remains> {
    let up = cache.join("up");
    let mut found = Vec::new();
    for path in entries(&up) {
        if path.extension().is_some_and(|end| end == "json") {
            if is_stale(&path) {
                found.push(Remains { path, what: "claim of a process that is gone" });
            }
            continue;
        }
        let release = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let claimed = is_held(&up.join(format!("embedded-{release}.json")));
        if !claimed && !processes.hold(&path) {
            found.extend(of_cluster(&path));
        }
    }
    found
}

/// What a killed run leaves beside its events and logs, which stay: they are its report.
fn of_runs(runs: &Path, processes: &Processes) -> Vec<Remains> {
    let mut found = Vec::new();
    // The runs of `waymark sabotage` have a folder of their own.
    for run in entries(runs).into_iter().chain(entries(&runs.join("sabotage"))) {
        let name = run.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if run.is_symlink() {
            if name.starts_with(".latest-") {
                found.push(Remains { path: run, what: "link of a run that was killed" });
            }
            continue;
        }
        if !processes.hold(&run) {
            found.extend(of_cluster(&run.join("cluster")));
        }
    }
    found
}

/// A cluster that ended in order took its mount point away; its logs are nobody's leftovers.
fn of_cluster(folder: &Path) -> Vec<Remains> {
    let there = |name: &str, what: &'static str| {
        let path = folder.join(name);
        path.exists().then_some(Remains { path, what })
    };
    let Some(sandbox) = there("sandbox", "mount point of a cluster that was killed") else {
        return Vec::new();
    };
    [sandbox].into_iter().chain(there("kubeconfig", "kubeconfig of a cluster that was killed")).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    all.sort();
    all
}

fn reference(name: &str) -> ObjectRef {
    ObjectRef { api_version: "v1".into(), kind: "Namespace".into(), namespace: None, name: name.to_owned() }
}

/// Namespaces of runs whose time has passed; a cluster that does not answer has none that could be removed.
async fn expired(objects: &Objects, now: u64) -> Vec<Namespace> {
    let all = objects.list(&reference(""), RUN_LABEL).await.unwrap_or_default();
    let named = all.into_iter().filter_map(|it| Some((it.metadata.name?, it.metadata.labels?)));
    named
        .filter(|(_, labels)| is_expired(labels.get(EXPIRY_LABEL).map(String::as_str), now))
        .map(|(name, labels)| Namespace { name, run: labels.get(RUN_LABEL).cloned().unwrap_or_default() })
        .collect()
}

/// A namespace without a readable time is not ours to judge.
fn is_expired(label: Option<&str>, now: u64) -> bool {
    label.and_then(|label| label.parse::<u64>().ok()).is_some_and(|expires| expires <= now)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use rstest::rstest;

    use super::Leftovers;
    use super::is_expired;
    use crate::target::Kept;

    fn below(root: &Path, lines: &[String]) -> Vec<String> {
        lines.iter().map(|line| line.replace(&format!("{}/", root.display()), "")).collect()
    }

    #[tokio::test]
    async fn only_what_nobody_holds_is_found_and_removed() {
        let root = tempfile::tempdir().unwrap();
        let (cache, runs) = (root.path().join("cache"), root.path().join("runs"));
        let live = Kept::claim(&cache, "1.31").unwrap();
        drop(Kept::claim(&cache, "1.24").unwrap());
        fs::write(cache.join("up/embedded-1.24.json"), "{}").unwrap();
        fs::write(cache.join("up/embedded-1.21.json"), "").unwrap(); // an empty claim claims nothing
        for folder in ["1.31", "1.24"] {
            fs::create_dir_all(cache.join("up").join(folder).join("sandbox")).unwrap();
        }
        for run in ["alive", "ended", "killed"] {
            fs::create_dir_all(runs.join(run).join("cluster/sandbox")).unwrap();
            fs::write(runs.join(run).join("cluster/kubeconfig"), "").unwrap();
            fs::write(runs.join(run).join("events.ndjson"), "").unwrap();
        }
        fs::remove_dir(runs.join("ended/cluster/sandbox")).unwrap();
        let held = fs::File::open(runs.join("alive/events.ndjson")).unwrap();
        let found = Leftovers::find(&cache, &runs, None).await;
        assert_eq!(
            below(root.path(), &found.files_shown()),
            [
                "cache/up/1.24/sandbox (mount point of a cluster that was killed)",
                "cache/up/embedded-1.24.json (claim of a process that is gone)",
                "runs/killed/cluster/sandbox (mount point of a cluster that was killed)",
                "runs/killed/cluster/kubeconfig (kubeconfig of a cluster that was killed)",
            ]
        );
        assert_eq!(found.remove(None).await, [""; 0]);
        let again = Leftovers::find(&cache, &runs, None).await;
        assert!(again.files.is_empty(), "{:?}", again.files);
        assert!(cache.join("up/1.31/sandbox").is_dir() && runs.join("killed/events.ndjson").is_file());
        drop((live, held));
    }

    #[rstest]
    #[case(Some("100"), true)]
    #[case(Some("101"), false)]
    #[case(Some("soon"), false)]
    #[case(None, false)]
    fn expiry_is_read_from_the_label(#[case] label: Option<&str>, #[case] want: bool) {
        assert_eq!(is_expired(label, 100), want);
    }
}
