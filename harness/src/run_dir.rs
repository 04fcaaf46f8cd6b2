//! The directory of one run, `target/waymark/<run-id>/`, and the link `latest` beside it.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use waymark_reports::result::RunResult;

use crate::engine::entropy;

/// The directory of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
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
        Ok((Self { path }, file))
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
        Self { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes `result.json`, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_result(&self, result: &RunResult) -> Result<PathBuf, RunDirError> {
        let path = self.path.join("result.json");
        let write = || -> io::Result<()> {
            let mut file = NamedTempFile::new_in(&self.path)?;
            serde_json::to_writer_pretty(&mut file, result)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            make_readable(file.as_file())?;
            file.persist(&path)?;
            Ok(())
        };
        write().map_err(|source| RunDirError::Write { path: path.clone(), source })?;
        Ok(path)
    }
}

/// Replaces the link in one step, since runs may end at the same moment.
fn point_latest(base: &Path, id: &str) -> io::Result<()> {
    let fresh = base.join(format!(".latest-{id}"));
    std::os::unix::fs::symlink(id, &fresh)?;
    fs::rename(&fresh, base.join("latest"))
}

/// A temporary file is readable by its owner only; a report is for everyone.
fn make_readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use waymark_reports::result::{RunResult, fold};

    use super::{RunDir, new_id};

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
    fn ids_differ() {
        assert_ne!(new_id(), new_id());
    }
}
