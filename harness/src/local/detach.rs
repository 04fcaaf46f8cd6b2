//! `waymark up --detach`: a process of its own keeps the cluster.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::fs::FlockOperation;

use super::keep::{end, idle_words, use_it};
use super::place;
use crate::case::Broken;
use crate::cli::operations::{Foreground, Keep};
use crate::converge::{Budgets, Converge, Look, Pace};
use crate::target::parts::{self, Obtained};
use crate::target::{Fit, Kept, Wish};

/// How long a cluster may take to come up, parts at hand.
const UP: Duration = Duration::from_secs(600);
/// How much of what the keeper said is repeated when it fails.
const WORDS: usize = 20;

/// Where a release's cluster is kept.
struct Seat {
    cache: PathBuf,
    release: String,
}

pub(super) async fn detach(
    foreground: Foreground<'_>,
    keep: Keep,
    arguments: Vec<OsString>,
) -> Result<(), Broken> {
    let (cache, release) = place(foreground.options)?;
    let seat = Seat { cache, release };
    let wish = Wish::of(foreground.options, keep.stage);
    let kept = tokio::select! {
        kept = seat.fill(foreground, &wish, arguments) => kept?,
        () = foreground.stop.orderly() => return Err(Broken::new("interrupted")),
    };
    foreground.console.out(&use_it(&kept.reached));
    foreground.console.out(&format!("`waymark down` ends it{}", idle_words(&kept)));
    Ok(())
}

impl Seat {
    /// The cluster that is kept and grants the wish, or one that a new process keeps.
    async fn fill(
        &self,
        foreground: Foreground<'_>,
        wish: &Wish,
        arguments: Vec<OsString>,
    ) -> Result<Kept, Broken> {
        let _one_at_a_time = self.door().await?;
        if let Some(kept) = self.taken().await?
            && let Some(kept) = self.fitting(kept, wish, foreground).await?
        {
            return Ok(kept);
        }
        // Here rather than in the keeper, so that progress is seen.
        let release = parts::release(foreground.options).map_err(|e| Broken::new(e.to_string()))?;
        Obtained::all(&release, &parts::settings(foreground.options)?).await?;
        let mut keeper = self.start(arguments)?;
        let pid = i32::try_from(keeper.0.id()).unwrap_or_default();
        let up = self.await_up(&mut keeper.0).await;
        let kept = match up {
            Ok(kept) => kept,
            // Another one may have been quicker.
            Err(failed) => match self.taken().await? {
                Some(kept) if kept.pid != pid => {
                    return self.fitting(kept, wish, foreground).await?.ok_or(failed);
                }
                _ => return Err(failed),
            },
        };
        keeper.1 = true;
        let stage = if kept.stage.is_some() { ", its stage stands" } else { "" };
        let release = &self.release;
        foreground.console.out(&format!("release {release} is up{stage}; process {pid} keeps it"));
        Ok(kept)
    }

    /// Waits until nobody else is starting a keeper.
    async fn door(&self) -> Result<File, Broken> {
        let folder = self.folder();
        let failed = format!("make a place for the keeper in {}", folder.display());
        let locked = tokio::task::spawn_blocking(move || {
            fs::create_dir_all(&folder)?;
            let door = File::create(folder.join("door"))?;
            rustix::fs::flock(&door, FlockOperation::LockExclusive)?;
            Ok(door)
        });
        locked.await.map_err(io::Error::other).flatten().map_err(|e| Broken::with(failed, e))
    }

    /// The cluster that is kept, also if it is only on its way.
    async fn taken(&self) -> Result<Option<Kept>, Broken> {
        let look = || {
            let (found, keeper) = (self.find(), Kept::keeper(&self.cache, &self.release));
            std::future::ready(Ok::<_, Broken>(match (found, keeper) {
                (None, Some(pid)) => Look::Unmet(format!("process {pid} is on it")),
                (found, _) => Look::Met(found),
            }))
        };
        let what = format!("a cluster of release {} that is on its way", self.release);
        Ok(patient().rollout(&what, look).await?.value)
    }

    fn find(&self) -> Option<Kept> {
        Kept::find(&self.cache, &self.release)
    }

    /// The kept cluster if it grants the wish; none if it was outdated and is gone now.
    async fn fitting(
        &self,
        kept: Kept,
        wish: &Wish,
        foreground: Foreground<'_>,
    ) -> Result<Option<Kept>, Broken> {
        let Kept { pid, detached, .. } = kept;
        let there = format!("a cluster of release {} is up already, kept by process {pid}", self.release);
        let console = foreground.console;
        let why_not = match wish.granted_by(&kept) {
            Fit::Outdated if detached && !Kept::in_use(&self.cache, &self.release) => {
                console.out(&format!("{there}, but of another build of waymark: it is brought up anew"));
                end(pid).await?;
                return Ok(None);
            }
            Fit::Outdated if detached => "it is of another build of waymark, and in use".to_owned(),
            Fit::Outdated => {
                console.err(&format!("warning: process {pid} runs another build of waymark"));
                String::new()
            }
            Fit::Yes => String::new(),
            Fit::No(why) => why,
        };
        if !why_not.is_empty() {
            return Err(Broken::new(format!("{there}, and {why_not}; `waymark down` ends it")));
        }
        // So that it does not end before whoever asked can use it.
        let joined = Kept::join(&self.cache, &self.release);
        let Some((kept, _)) = joined else {
            return Err(Broken::new(format!("{there}, but it has just ended; try again")));
        };
        console.out(&there);
        Ok(Some(kept))
    }

    /// Starts the keeper from an executable of its own, which stays what it is when waymark is built again.
    fn start(&self, arguments: Vec<OsString>) -> Result<Keeper, Broken> {
        let folder = self.folder();
        let failed = |what: &str, why| Broken::with(format!("{what} in {}", folder.display()), why);
        let executable = folder.join("waymark");
        keep_executable(&executable).map_err(|e| failed("keep the executable", e))?;
        let log = File::create(self.log()).map_err(|e| failed("write a log", e))?;
        let errors = log.try_clone().map_err(|e| failed("write a log", e))?;
        let started =
            Command::new(&executable).args(arguments).stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        Ok(Keeper(started.map_err(|e| failed("start the keeper", e))?, false))
    }

    async fn await_up(&self, keeper: &mut Child) -> Result<Kept, Broken> {
        let look = || {
            std::future::ready(match keeper.try_wait() {
                Err(why) => Err(Broken::with("await the keeper", why)),
                Ok(Some(_)) => Err(Broken::new(format!("the keeper ended:\n{}", self.words()))),
                Ok(None) => Ok(match self.find() {
                    Some(kept) if u32::try_from(kept.pid) == Ok(keeper.id()) => Look::Met(kept),
                    _ => Look::Unmet(format!("it is not up yet; log in {}", self.log().display())),
                }),
            })
        };
        Ok(patient().rollout("the cluster", look).await?.value)
    }

    fn folder(&self) -> PathBuf {
        self.cache.join("up").join(format!("keeper-{}", self.release))
    }

    fn log(&self) -> PathBuf {
        self.folder().join("keeper.log")
    }

    /// The last that the keeper said.
    fn words(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(WORDS)..].join("\n")
    }
}

/// The process that keeps a cluster, and whether it may go on when nobody waits for it any more.
struct Keeper(Child, bool);

impl Drop for Keeper {
    fn drop(&mut self) {
        if !self.1 {
            // It takes down what it has brought up so far.
            let _ = i32::try_from(self.0.id()).map(Kept::end);
        }
    }
}

/// Waits as long as a cluster takes.
fn patient() -> Converge {
    Converge::new(Budgets { rollout: UP, ..Budgets::default() }, Pace::default())
}

/// Makes `to` the executable of this process, the very file if it can be.
fn keep_executable(to: &Path) -> io::Result<()> {
    let from = Path::new("/proc/self/exe");
    match fs::remove_file(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    if let Ok(path) = fs::read_link(from)
        && fs::hard_link(path, to).is_ok()
    {
        return Ok(());
    }
    fs::copy(from, to)?;
    let written = fs::metadata(from)?.modified()?;
    File::options().append(true).open(to)?.set_modified(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Stamp;

    #[test]
    fn the_kept_executable_is_recognised() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("waymark");
        for _ in 0..2 {
            keep_executable(&to).unwrap();
            assert_eq!(Stamp::of(&to), Stamp::of(Path::new("/proc/self/exe")));
        }
    }

    #[test]
    fn the_last_words_are_repeated() {
        let cache = tempfile::tempdir().unwrap();
        let seat = Seat { cache: cache.path().to_owned(), release: "1.31".into() };
        assert_eq!(seat.words(), "");
        fs::create_dir_all(seat.folder()).unwrap();
        let log: String = (0..30).map(|line| format!("line {line}\n")).collect();
        fs::write(seat.log(), log).unwrap();
        assert_eq!(seat.words().lines().next(), Some("line 10"));
    }
}
