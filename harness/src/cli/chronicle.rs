//! The history of verdicts in a folder: read, added to and written under a lock.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use waymark_reports::history::{History, file_name};
use waymark_reports::result::RunResult;

use super::usage::Usage;
use super::{Broken, Stumble};
use crate::run_dir::{self, write_whole};

/// Says what is new in `result` against the runs in `folder`, and adds it to them. A file that cannot be understood
/// stays as it is.
pub(super) fn enter(folder: &Path, result: &RunResult) -> Result<String, Stumble> {
    let path = folder.join(file_name(result));
    let failed =
        |what: &str, source: io::Error| Broken::with(format!("{what} `{}`", run_dir::shown(&path)), source);
    fs::create_dir_all(folder).map_err(|error| failed("make the folder of", error))?;
    let door = File::create(folder.join(".lock")).map_err(|error| failed("lock", error))?;
    flock(&door, FlockOperation::LockExclusive).map_err(|error| failed("lock", error.into()))?;
    let mut history = read(&path)?.unwrap_or_else(|| History::new(result));
    let news = history.markdown(result);
    let unusable = |error| Broken::with(format!("add to `{}`", run_dir::shown(&path)), error);
    if history.add(result).map_err(unusable)? {
        let text = history.file().map_err(unusable)?;
        write_whole(&path, &text).map_err(|error| Broken::with("keep the history", error))?;
    }
    Ok(news)
}

/// Reads every history in `folder`, so that a run need not end to find that one is damaged.
pub(super) fn check(folder: &Path) -> Result<(), Usage> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    files.iter().try_for_each(|path| read(path).map(|_| ()))
}

/// None when there is no such file yet.
fn read(path: &Path) -> Result<Option<History>, Usage> {
    let shown = run_dir::shown(path);
    let unusable = |broken: Broken| {
        let hint = "it stays as it is; put it right or move it away, or name another folder by --history";
        Usage::new(broken.chain(), hint, [""; 0])
    };
    match fs::read_to_string(path) {
        Ok(text) => match History::parse(&text) {
            Ok(history) => Ok(Some(history)),
            Err(error) => Err(unusable(Broken::with(format!("understand `{shown}`"), error))),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unusable(Broken::with(format!("read `{shown}`"), error))),
    }
}
