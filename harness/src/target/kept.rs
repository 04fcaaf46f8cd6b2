//! The cluster that `waymark up` keeps: other processes find it by a file that its owner holds locked.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde::{Deserialize, Serialize};

use super::Reached;

/// A kept cluster, as its file describes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept {
    /// Process that keeps it.
    pub pid: i32,
    /// How to reach it and what it is made of.
    pub reached: Reached,
}

/// Held by the process that keeps the cluster; the file goes with it.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    file: File,
}

impl Kept {
    /// Claims the place of a release's cluster.
    ///
    /// # Errors
    /// `WouldBlock` when another process keeps one, or the system's reason.
    pub fn claim(cache: &Path, release: &str) -> io::Result<Claim> {
        let path = file(cache, release);
        fs::create_dir_all(path.parent().unwrap_or(cache))?;
        let file =
            File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        file.set_len(0)?;
        Ok(Claim { path, file })
    }

    /// The cluster that a process keeps for this release; none when there is none or its process is gone.
    pub fn find(cache: &Path, release: &str) -> Option<Self> {
        let mut file = File::open(file(cache, release)).ok()?;
        if flock(&file, FlockOperation::NonBlockingLockShared).is_ok() {
            return None;
        }
        let mut text = String::new();
        file.read_to_string(&mut text).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Asks the process that keeps the cluster to take it down.
    ///
    /// # Errors
    /// The system's reason.
    pub fn end(&self) -> io::Result<()> {
        let pid = Pid::from_raw(self.pid).ok_or_else(|| io::Error::other("no such process"))?;
        kill_process(pid, Signal::TERM)?;
        Ok(())
    }

    /// Whether the process that kept it still runs.
    pub fn runs(&self) -> bool {
        Pid::from_raw(self.pid).is_some_and(|pid| test_kill_process(pid).is_ok())
    }
}

impl Claim {
    /// Says how the cluster is reached.
    ///
    /// # Errors
    /// The system's reason.
    pub fn publish(&mut self, reached: &Reached) -> io::Result<()> {
        let pid = i32::try_from(std::process::id()).map_err(io::Error::other)?;
        let text = serde_json::to_vec(&Kept { pid, reached: reached.clone() })?;
        self.file.set_len(0)?;
        self.file.write_all(&text)?;
        self.file.flush()
    }

    /// Gives the place up.
    pub fn release(self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn file(cache: &Path, release: &str) -> PathBuf {
    cache.join("up").join(format!("embedded-{release}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_found_while_its_claim_is_held() {
        let cache = tempfile::tempdir().unwrap();
        assert!(Kept::find(cache.path(), "1.31").is_none());
        let mut claim = Kept::claim(cache.path(), "1.31").unwrap();
        assert!(Kept::find(cache.path(), "1.31").is_none(), "claimed but not up yet");
        let reached =
            Reached { kubeconfig: "k".into(), parts: vec![], image: "i".into(), release: "1.31".into() };
        claim.publish(&reached).unwrap();
        assert_eq!(Kept::find(cache.path(), "1.31").unwrap().reached.image, "i");
        assert!(Kept::find(cache.path(), "1.24").is_none());
        assert_eq!(Kept::claim(cache.path(), "1.31").unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(claim);
        assert!(Kept::find(cache.path(), "1.31").is_none(), "its process is gone");
    }
}
