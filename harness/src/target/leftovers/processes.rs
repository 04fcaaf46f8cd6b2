//! Processes of this machine: what they hold open, and which of them are a cluster's without an owner.

use std::fs;
use std::path::{Path, PathBuf};

/// A process of a cluster whose owner is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: i32,
    pub(super) words: String,
}

/// All processes that this user may look at.
#[derive(Debug, Default)]
pub(super) struct Processes {
    open: Vec<PathBuf>,
    orphans: Vec<Process>,
}

impl Processes {
    /// One look at `/proc`.
    pub(super) fn look() -> Self {
        let mut found = Self::default();
        // In a container waymark itself may be PID 1, the living owner of its sandbox.
        let first = fs::read("/proc/1/cmdline").unwrap_or_default();
        let adopted = !program(&first).is_some_and(|name| is_ours(&name));
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
                continue;
            };
            let folder = entry.path();
            let descriptors = fs::read_dir(folder.join("fd")).into_iter().flatten().flatten();
            found.open.extend(descriptors.filter_map(|it| fs::read_link(it.path()).ok()));
            let command = fs::read(folder.join("cmdline")).unwrap_or_default();
            let status = fs::read_to_string(folder.join("status")).unwrap_or_default();
            if let Some(words) = is_sandbox(&command)
                && adopted
                && parent(&status) == Some(1)
            {
                found.orphans.push(Process { pid, words });
            }
        }
        found
    }

    /// Whether a process has something open below `folder`.
    pub(super) fn hold(&self, folder: &Path) -> bool {
        let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        self.open.iter().any(|open| open.starts_with(&folder))
    }

    /// Outermost processes of clusters whose owner is gone.
    pub(super) fn orphans(self) -> Vec<Process> {
        self.orphans
    }
}

/// The words of the outermost process of a sandbox, `waymark node`, from its NUL-separated command line.
fn is_sandbox(command: &[u8]) -> Option<String> {
    let name = program(command)?;
    let mut words = command.split(|byte| *byte == 0).filter(|word| !word.is_empty()).skip(1);
    (is_ours(&name) && words.next()? == b"node" && words.next().is_none()).then(|| format!("{name} node"))
}

/// The name of the executable.
fn program(command: &[u8]) -> Option<String> {
    let path = String::from_utf8_lossy(command.split(|byte| *byte == 0).next()?).into_owned();
    Some(Path::new(&path).file_name()?.to_str()?.to_owned())
}

fn is_ours(name: &str) -> bool {
    name == "waymark" || name.starts_with("conformance-")
}

fn parent(status: &str) -> Option<i32> {
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{is_sandbox, parent};

    #[rstest]
    #[case(b"/target/debug/waymark\0node\0", Some("waymark node"))]
    #[case(b"/target/debug/deps/conformance-3f0c\0node\0", Some("conformance-3f0c node"))]
    #[case(b"/target/debug/waymark\0node\0init\0", None)]
    #[case(b"/target/debug/waymark\0run\0", None)]
    #[case(b"/usr/bin/vim\0node\0", None)]
    #[case(b"", None)]
    fn a_sandbox_is_known_by_its_command(#[case] command: &[u8], #[case] want: Option<&str>) {
        assert_eq!(is_sandbox(command).as_deref(), want);
    }

    #[test]
    fn the_parent_is_read_from_the_status() {
        assert_eq!(parent("Name:\twaymark\nPPid:\t17\n"), Some(17));
    }
}
