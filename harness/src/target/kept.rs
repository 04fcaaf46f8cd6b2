//! The cluster that `waymark up` keeps: other processes find it by a file that its keeper holds locked, and hold a lock
//! of their own while they use it. Locks go with the processes that hold them, however those end.

mod turns;
mod wish;

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde::{Deserialize, Serialize};

use super::Reached;
use crate::stage::scenery::Playbill;

pub use turns::Turns;
pub use wish::{Fit, Stamp, Wish};

/// How many cases of all processes together run side by side for each processor. With 64 on two processors, 44 cases took
/// nearly twice as long as with 8, and two runs at once starved each other.
const SEATS_PER_CORE: usize = 4;

/// A kept cluster, as its file describes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept {
    /// Process that keeps it.
    pub pid: i32,
    /// How to reach it and what it is made of.
    pub reached: Reached,
    /// The stage that stands on it for everyone to use; none when each run sets its own.
    #[serde(default)]
    pub stage: Option<Playbill>,
    /// What it was asked to be.
    #[serde(default)]
    pub wish: Wish,
    /// After how many idle seconds it ends itself; none when it waits to be told.
    #[serde(default)]
    pub idle_timeout: Option<u64>,
    /// Whether its keeper is a process of its own rather than a command in somebody's terminal.
    #[serde(default)]
    pub detached: bool,
}

/// Held by the process that keeps the cluster.
#[derive(Debug)]
pub struct Claim {
    file: File,
    uses: File,
    used: Option<SystemTime>,
    busy: Instant,
}

/// Held by a process that uses the cluster.
#[derive(Debug)]
pub struct Use {
    _file: File,
}

impl Kept {
    /// Claims the place of a release's cluster, and leaves word of who does.
    ///
    /// # Errors
    /// `WouldBlock` when another process keeps one, or the system's reason.
    pub fn claim(cache: &Path, release: &str) -> io::Result<Claim> {
        let path = file(cache, release);
        fs::create_dir_all(path.parent().unwrap_or(cache))?;
        let file = open(&path)?;
        lock(&file, FlockOperation::NonBlockingLockExclusive)?;
        let uses = open(&uses(&path))?;
        let mut claim = Claim { file, uses, used: None, busy: Instant::now() };
        claim.write(&Starting { pid: own_pid()? })?;
        Ok(claim)
    }

    /// The cluster that a process keeps for this release; none when there is none or its process is gone.
    pub fn find(cache: &Path, release: &str) -> Option<Self> {
        serde_json::from_str(&claimed(cache, release)?).ok()
    }

    /// The process that has claimed the place of a release's cluster, be it up or only on its way.
    pub fn keeper(cache: &Path, release: &str) -> Option<i32> {
        Some(serde_json::from_str::<Starting>(&claimed(cache, release)?).ok()?.pid)
    }

    /// The same cluster, and the right to use it: it does not end for idleness before that is dropped.
    pub fn join(cache: &Path, release: &str) -> Option<(Self, Use)> {
        Self::find(cache, release)?;
        let file = open(&uses(&file(cache, release))).ok()?;
        // Waits for no longer than its keeper takes to see whether it is in use.
        lock(&file, FlockOperation::LockShared).ok()?;
        file.set_modified(SystemTime::now()).ok()?;
        // It may just have ended.
        Some((Self::find(cache, release)?, Use { _file: file }))
    }

    /// Whether a process uses it.
    pub fn in_use(cache: &Path, release: &str) -> bool {
        let uses = open(&uses(&file(cache, release)));
        uses.is_ok_and(|uses| flock(&uses, FlockOperation::NonBlockingLockExclusive).is_err())
    }

    /// Turns on the cluster of this release.
    pub fn turns(cache: &Path, release: &str) -> Turns {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Turns::beside(&file(cache, release), (SEATS_PER_CORE * cores).clamp(8, 64))
    }

    /// After how long without use it ends itself.
    pub fn idle_timeout(&self) -> Option<Duration> {
        self.idle_timeout.map(Duration::from_secs)
    }

    /// Asks a process that keeps a cluster to take it down.
    ///
    /// # Errors
    /// The system's reason.
    pub fn end(pid: i32) -> io::Result<()> {
        let pid = Pid::from_raw(pid).ok_or_else(|| io::Error::other("no such process"))?;
        kill_process(pid, Signal::TERM)?;
        Ok(())
    }

    /// Whether a process still runs; one that has ended and that nobody reaps does not.
    pub fn runs(pid: i32) -> bool {
        let there = Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid).is_ok());
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        there && !state.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
    }
}

/// What a claim says before its cluster is up.
#[derive(Serialize, Deserialize)]
struct Starting {
    pid: i32,
}

impl Claim {
    /// Says how the cluster is reached.
    ///
    /// # Errors
    /// The system's reason.
    pub fn publish(&mut self, kept: &Kept) -> io::Result<()> {
        self.busy = Instant::now();
        self.write(kept)
    }

    /// Gives the cluster up if nobody has used it for `limit`: from then on it is not found any more. Says whether it did.
    ///
    /// # Errors
    /// The system's reason.
    pub fn withdraw_if_idle(&mut self, limit: Duration) -> io::Result<bool> {
        // Whoever comes waits for this lock, and then looks again whether the cluster is still there.
        let Ok(()) = flock(&self.uses, FlockOperation::NonBlockingLockExclusive) else {
            self.busy = Instant::now();
            return Ok(false);
        };
        let used = self.uses.metadata()?.modified()?;
        if self.used.replace(used).is_some_and(|before| before != used) {
            self.busy = Instant::now();
        }
        let idle = self.busy.elapsed() >= limit;
        if idle {
            self.file.set_len(0)?;
        }
        lock(&self.uses, FlockOperation::Unlock)?;
        Ok(idle)
    }

    /// Gives the place up.
    pub fn release(self) {
        // The file stays: another process may have it open already, to claim it next.
        let _ = self.file.set_len(0);
    }

    fn write(&mut self, what: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_vec(what)?;
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(&text)?;
        self.file.flush()
    }
}

/// This process, as claims name it.
pub(crate) fn own_pid() -> io::Result<i32> {
    i32::try_from(std::process::id()).map_err(io::Error::other)
}

fn file(cache: &Path, release: &str) -> PathBuf {
    cache.join("up").join(format!("embedded-{release}.json"))
}

fn uses(claim: &Path) -> PathBuf {
    claim.with_extension("use")
}

/// What a claim says that a process holds.
fn claimed(cache: &Path, release: &str) -> Option<String> {
    let mut file = File::open(file(cache, release)).ok()?;
    if flock(&file, FlockOperation::NonBlockingLockShared).is_ok() {
        return None;
    }
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    Some(text)
}

fn open(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn lock(file: &File, how: FlockOperation) -> io::Result<()> {
    loop {
        match flock(file, how) {
            Err(rustix::io::Errno::INTR) => {}
            done => return done.map_err(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Kept {
        let reached = Reached {
            kubeconfig: "k".into(),
            parts: vec![],
            image: "i".into(),
            release: "1.31".into(),
            istioctl: None,
        };
        Kept {
            pid: own_pid().unwrap(),
            reached,
            stage: None,
            wish: Wish::default(),
            idle_timeout: Some(600),
            detached: true,
        }
    }

    #[test]
    fn a_cluster_is_found_while_its_claim_is_held() {
        let cache = tempfile::tempdir().unwrap();
        assert!(Kept::find(cache.path(), "1.31").is_none());
        let mut claim = Kept::claim(cache.path(), "1.31").unwrap();
        assert!(Kept::find(cache.path(), "1.31").is_none(), "claimed but not up yet");
        assert_eq!(Kept::keeper(cache.path(), "1.31"), Some(own_pid().unwrap()));
        claim.publish(&kept()).unwrap();
        assert_eq!(Kept::find(cache.path(), "1.31").unwrap().reached.image, "i");
        assert!(Kept::find(cache.path(), "1.24").is_none());
        assert_eq!(Kept::claim(cache.path(), "1.31").unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(claim);
        assert!(Kept::find(cache.path(), "1.31").is_none(), "its process is gone");
        assert!(Kept::keeper(cache.path(), "1.31").is_none());
    }

    #[test]
    fn a_place_that_was_given_up_can_be_claimed_again() {
        let cache = tempfile::tempdir().unwrap();
        let mut claim = Kept::claim(cache.path(), "1.31").unwrap();
        claim.publish(&kept()).unwrap();
        claim.release();
        let _claim = Kept::claim(cache.path(), "1.31").unwrap();
        assert!(Kept::find(cache.path(), "1.31").is_none());
    }

    #[test]
    fn a_cluster_ends_for_idleness_only_when_nobody_uses_it() {
        let cache = tempfile::tempdir().unwrap();
        let mut claim = Kept::claim(cache.path(), "1.31").unwrap();
        claim.publish(&kept()).unwrap();
        let (joined, in_use) = Kept::join(cache.path(), "1.31").unwrap();
        assert_eq!(joined.idle_timeout(), Some(Duration::from_secs(600)));
        assert!(Kept::in_use(cache.path(), "1.31"));
        assert!(!claim.withdraw_if_idle(Duration::ZERO).unwrap(), "in use");
        drop(in_use);
        assert!(!Kept::in_use(cache.path(), "1.31"));
        assert!(!claim.withdraw_if_idle(Duration::from_secs(600)).unwrap(), "used a moment ago");
        assert!(claim.withdraw_if_idle(Duration::ZERO).unwrap());
        assert!(Kept::join(cache.path(), "1.31").is_none(), "it is about to end");
    }

    #[test]
    fn a_use_between_two_looks_counts() {
        let cache = tempfile::tempdir().unwrap();
        let mut claim = Kept::claim(cache.path(), "1.31").unwrap();
        claim.publish(&kept()).unwrap();
        assert!(!claim.withdraw_if_idle(Duration::from_secs(600)).unwrap());
        claim.busy = Instant::now().checked_sub(Duration::from_secs(700)).unwrap();
        drop(Kept::join(cache.path(), "1.31").unwrap());
        assert!(!claim.withdraw_if_idle(Duration::from_secs(600)).unwrap());
    }
}
