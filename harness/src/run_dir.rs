//! The directory of one run, `target/waymark/<run-id>/`, and the link `latest` beside it.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use waymark_reports::events::Entry;
use waymark_reports::gather::gather;
use waymark_reports::journal::{self, JournalError};
use waymark_reports::result::{RunResult, fold};

use crate::engine::entropy;
use crate::json;

mod whole;

pub use whole::{followed, write_whole};

/// The directory of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
    /// Whether other processes do parts of the same run.
    shared: bool,
}

/// Events that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    /// The system did not let us.
    #[error("read `{}`", path.display())]
    Read {
        /// What.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// They are not events.
    #[error("understand `{}`", path.display())]
    Understand {
        /// What.
        path: PathBuf,
        /// Which line, and why not.
        source: JournalError,
    },
}

/// A run directory that cannot be made or written.
#[derive(Debug, thiserror::Error)]
pub enum RunDirError {
    /// Something could not be created.
    #[error("create `{}`; choose another place by --run-dir or WAYMARK_RUN_DIR", path.display())]
    Create {
        /// What.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("write `{}`", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A new run id that sorts by time, such as `20261125-091403-k7f2`.
pub fn new_id() -> String {
    const ALPHABET: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut number = entropy();
    let mut suffix = String::new();
    for _ in 0..4 {
        let letter = usize::try_from(number % ALPHABET.len() as u64).unwrap_or(0);
        suffix.push(char::from(ALPHABET[letter]));
        number /= ALPHABET.len() as u64;
    }
    format!("{}-{suffix}", jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S"))
}

/// Where runs go when the user says nothing: `target/waymark` of the nearest workspace (the folder with a
/// `Cargo.lock`), else of the current directory.
pub fn default_base() -> PathBuf {
    let here = env::current_dir().unwrap_or_default();
    let root = here.ancestors().find(|folder| folder.join("Cargo.lock").is_file());
    root.unwrap_or(&here).join("target").join("waymark")
}

/// A path as people read it: relative when it lies below the current directory.
pub fn shown(path: &Path) -> String {
    let here = env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}

impl RunDir {
    /// Makes `<base>/<id>/` with an empty `events.ndjson`, and points `<base>/latest` to it.
    ///
    /// # Errors
    /// When the directory cannot be made or written.
    pub fn create(base: &Path, id: &str) -> Result<(Self, File), RunDirError> {
        let path = base.join(id);
        fs::create_dir_all(&path).map_err(|source| RunDirError::Create { path: path.clone(), source })?;
        let events = path.join("events.ndjson");
        let file =
            File::create_new(&events).map_err(|source| RunDirError::Create { path: events, source })?;
        point_latest(base, id).map_err(|source| RunDirError::Create { path: base.join("latest"), source })?;
        Ok((Self { path, shared: false }, file))
    }

    /// Makes `<base>/<id>/` or joins the processes that have it already, with an `events.<pid>.ndjson` of this process.
    ///
    /// # Errors
    /// When the directory cannot be made or written.
    pub fn share(base: &Path, id: &str) -> Result<(Self, File), RunDirError> {
        let path = base.join(id);
        fs::create_dir_all(&path).map_err(|source| RunDirError::Create { path: path.clone(), source })?;
        let events = path.join(format!("events.{}.ndjson", std::process::id()));
        let file = File::options().create(true).append(true).open(&events);
        let file = file.map_err(|source| RunDirError::Create { path: events, source })?;
        point_latest(base, id).map_err(|source| RunDirError::Create { path: base.join("latest"), source })?;
        Ok((Self { path, shared: true }, file))
    }

    /// The events of the run so far, of all processes that do parts of it.
    ///
    /// # Errors
    /// A file that cannot be read, or a line that is no event.
    pub fn events(&self) -> Result<Vec<Entry>, EventsError> {
        let read = |path: PathBuf, source| EventsError::Read { path, source };
        let listed = fs::read_dir(&self.path).map_err(|source| read(self.path.clone(), source))?;
        let mut files: Vec<PathBuf> = listed
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|path| holds_events(path))
            .collect();
        files.sort();
        if files.is_empty() {
            return Err(read(self.path.join("events.ndjson"), io::ErrorKind::NotFound.into()));
        }
        let entries = files.into_iter().map(|path| {
            let text = fs::read(&path).map_err(|source| read(path.clone(), source))?;
            journal::parse(&text).map_err(|source| EventsError::Understand { path, source })
        });
        Ok(gather(entries.collect::<Result<_, _>>()?))
    }

    /// Does `work` with the result of the whole run so far: that of this process, or, if others do parts of the
    /// run, that of all of them, with none of them at the same work meanwhile.
    ///
    /// # Errors
    /// Events of others that cannot be read, or what went wrong in `work`.
    pub fn with_whole<T>(
        &self,
        own: &RunResult,
        work: impl FnOnce(&RunResult) -> Result<T, RunDirError>,
    ) -> Result<T, RunDirError> {
        if !self.shared {
            return work(own);
        }
        let failed = |source| RunDirError::Write { path: self.path.join("result.json"), source };
        let door = File::create(self.path.join(".lock")).map_err(failed)?;
        flock(&door, FlockOperation::LockExclusive).map_err(|error| failed(error.into()))?;
        let entries = self.events().map_err(|error| failed(io::Error::other(error)))?;
        work(&fold(&entries))
    }

    /// Makes `<name>/` below this directory, with an empty `events.ndjson`, for a run that is part of this one.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn below(&self, name: &str) -> Result<(Self, File), RunDirError> {
        let path = self.path.join(name);
        fs::create_dir_all(&path).map_err(|source| RunDirError::Create { path: path.clone(), source })?;
        let events = path.join("events.ndjson");
        let file =
            File::create_new(&events).map_err(|source| RunDirError::Create { path: events, source })?;
        Ok((Self { path, shared: false }, file))
    }

    /// The same in a temporary directory of its own, for a run that could not have its place.
    ///
    /// # Errors
    /// When there is no temporary directory either.
    pub fn fallback(id: &str) -> Result<(Self, File), RunDirError> {
        let base = tempfile::Builder::new().prefix("waymark-").tempdir();
        let base = base.map_err(|source| RunDirError::Create { path: env::temp_dir(), source })?;
        Self::create(&base.keep(), id)
    }

    /// The directory of an earlier run.
    pub const fn open(path: PathBuf) -> Self {
        Self { path, shared: false }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether other processes do parts of the same run.
    pub const fn is_shared(&self) -> bool {
        self.shared
    }

    /// Writes one file of the run, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf, RunDirError> {
        let path = self.path.join(name);
        write_whole(&path, text)?;
        Ok(path)
    }

    /// Writes `result.json`, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_result(&self, result: &RunResult) -> Result<PathBuf, RunDirError> {
        let unwritable = |error: serde_json::Error| RunDirError::Write {
            path: self.path.join("result.json"),
            source: error.into(),
        };
        self.write("result.json", &json::document(result).map_err(unwritable)?)
    }
}

/// Whether a file of a run directory holds events: `events.ndjson`, or `events.<pid>.ndjson` of one of its processes.
pub fn holds_events(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.starts_with("events.") && name.ends_with("ndjson"))
}

/// Replaces the link in one step, since runs may end at the same moment.
fn point_latest(base: &Path, id: &str) -> io::Result<()> {
    let fresh = base.join(format!(".latest-{id}-{}", std::process::id()));
    std::os::unix::fs::symlink(id, &fresh)?;
    fs::rename(&fresh, base.join("latest"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use waymark_reports::result::{RunResult, fold};

    use super::{EventsError, RunDir, new_id};

    #[test]
    fn latest_points_to_the_newest_run() {
        let base = tempfile::tempdir().unwrap();
        for id in ["run-1", "run-2"] {
            RunDir::create(base.path(), id).unwrap();
        }
        assert_eq!(fs::read_link(base.path().join("latest")).unwrap().to_str(), Some("run-2"));
        assert!(base.path().join("latest/events.ndjson").is_file());
    }

    #[test]
    fn a_place_that_is_no_folder_is_named_with_the_way_out() {
        let base = tempfile::NamedTempFile::new().unwrap();
        let error = RunDir::create(base.path(), "run-1").unwrap_err().to_string();
        let path = base.path().join("run-1");
        assert_eq!(
            error,
            format!("create `{}`; choose another place by --run-dir or WAYMARK_RUN_DIR", path.display())
        );
    }

    #[test]
    fn the_result_comes_back() {
        let base = tempfile::tempdir().unwrap();
        let (dir, _) = RunDir::create(base.path(), "run-1").unwrap();
        let result = fold(&[]);
        let path = dir.write_result(&result).unwrap();
        let back: RunResult = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(back, result);
    }

    #[test]
    fn processes_share_a_directory_and_one_result() {
        use waymark_reports::events::{Entry, Event, RunStarted, VERSION};
        let base = tempfile::tempdir().unwrap();
        let (dir, mut events) = RunDir::share(base.path(), "run-1").unwrap();
        RunDir::share(base.path(), "run-1").unwrap();
        let started = |istio: &str, ms| Entry {
            v: VERSION,
            seq: 1,
            ts: jiff::Timestamp::from_millisecond(ms).unwrap(),
            run: "run-1".into(),
            event: Event::RunStarted(Box::new(RunStarted { istio: istio.into(), ..RunStarted::default() })),
        };
        let line = |entry| waymark_reports::journal::line(&entry).unwrap();
        std::io::Write::write_all(&mut events, line(started("1.31", 9)).as_bytes()).unwrap();
        fs::write(dir.path().join("events.1.ndjson"), line(started("1.24", 5))).unwrap();
        let whole = dir.with_whole(&fold(&[]), |whole| Ok(whole.clone())).unwrap();
        assert_eq!((whole.run.id.as_str(), whole.run.istio.as_str()), ("run-1", "1.24"));
        fs::write(dir.path().join("events.1.ndjson"), "{}\n").unwrap();
        let wrong = dir.events().unwrap_err();
        assert!(matches!(&wrong, EventsError::Understand { path, .. } if path.ends_with("events.1.ndjson")));
    }

    #[test]
    fn ids_differ() {
        assert_ne!(new_id(), new_id());
    }
}
