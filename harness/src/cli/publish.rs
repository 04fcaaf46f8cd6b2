//! What a run leaves behind when it ends: its reports, its line in the history, and what the CI wants.

use std::path::{Path, PathBuf};

use waymark_reports::github::{Paths, annotations, outputs};
use waymark_reports::result::RunResult;

use super::ci::{self, Ci};
use super::formats::{Dressing, Format};
use super::{Broken, chronicle};
use crate::run_dir::{self, RunDir, RunDirError, write_whole};

/// What was left behind.
pub(crate) struct Published {
    /// The `result.json`.
    pub(crate) result: PathBuf,
    /// What could not be written.
    pub(crate) troubles: Vec<String>,
    /// What the CI wants to see printed.
    pub(crate) annotations: Option<String>,
}

/// Writes everything. Only a missing `result.json` is an error: of the rest a reader is told. A run that several
/// processes do parts of tells the CI nothing before it is whole; `waymark report` can do so.
pub(crate) fn publish(
    dir: &RunDir,
    result: &RunResult,
    history: Option<&Path>,
    ci: &Ci,
) -> Result<Published, RunDirError> {
    let path = dir.write_result(result)?;
    let mut troubles = Vec::new();
    let news = history.and_then(|folder| match chronicle::enter(folder, result) {
        Ok(news) => Some(news),
        Err(stumble) => {
            troubles.push(stumble.what());
            None
        }
    });
    let dressing = Dressing { news: news.as_deref(), ..Dressing::default() };
    for format in Format::AT_THE_END {
        let Some(file) = format.file() else { continue };
        let text = format.render(result, dressing);
        troubles.extend(dir.write(file, &text).err().map(|error| told(file, error)));
        if let (Format::Junit, Some(artifacts)) = (format, &ci.artifacts) {
            let path = artifacts.join("junit_waymark.xml");
            troubles.extend(write_whole(&path, &text).err().map(|error| told("ARTIFACTS", error)));
        }
    }
    let mut published = Published { result: path, troubles, annotations: None };
    if !dir.is_shared() {
        tell(ci, dir, result, dressing, &mut published);
    }
    Ok(published)
}

/// The report that people open, as they read paths: `report.html` beside the `result.json`, if it is there.
pub(crate) fn best(result: &Path) -> String {
    let page = result.with_file_name("report.html");
    run_dir::shown(if page.is_file() { &page } else { result })
}

fn tell(ci: &Ci, dir: &RunDir, result: &RunResult, dressing: Dressing<'_>, published: &mut Published) {
    if let Some(path) = &ci.summary {
        let text = Format::Markdown.render(result, dressing);
        published.troubles.extend(ci::append(path, &format!("{text}\n")).err());
    }
    if let Some(path) = &ci.outputs {
        let shown = |file: &str| run_dir::shown(&dir.path().join(file));
        let (report, junit) = (shown("report.html"), shown("junit.xml"));
        let text = outputs(result, Paths { report: &report, junit: &junit });
        published.troubles.extend(ci::append(path, &text).err());
    }
    published.annotations = ci.annotations.then(|| annotations(result));
}

fn told(what: &str, error: RunDirError) -> String {
    Broken::with(format!("the report is there but for {what}"), error).chain()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use waymark_reports::events::{Entry, Event, Note, VERSION};
    use waymark_reports::result::{RunResult, fold};

    use super::{Ci, publish};
    use crate::run_dir::RunDir;

    const FILES: [&str; 5] = ["result.json", "junit.xml", "report.html", "summary.md", "conformance.yaml"];

    fn aborted() -> RunResult {
        let (ts, event) = (jiff::Timestamp::UNIX_EPOCH, Event::Note(Note { text: "hi".into() }));
        fold(&[Entry { v: VERSION, seq: 1, ts, run: "run-1".into(), event }])
    }

    fn ci(folder: &Path) -> Ci {
        Ci {
            annotations: true,
            summary: Some(folder.join("summary")),
            outputs: Some(folder.join("outputs")),
            artifacts: Some(folder.to_owned()),
        }
    }

    #[test]
    fn a_run_leaves_all_its_reports_and_tells_the_ci() {
        let base = tempfile::tempdir().unwrap();
        fs::write(base.path().join("summary"), "of an earlier step\n").unwrap();
        let (dir, _) = RunDir::create(base.path(), "run-1").unwrap();
        let published = publish(&dir, &aborted(), None, &ci(base.path())).unwrap();
        assert_eq!(published.troubles, [""; 0]);
        for file in FILES {
            assert!(dir.path().join(file).is_file(), "{file}");
        }
        let read = |file: &str| fs::read_to_string(base.path().join(file)).unwrap();
        assert!(read("summary").starts_with("of an earlier step\n## "), "{}", read("summary"));
        assert!(read("outputs").contains("inconclusive"));
        assert_eq!(read("junit_waymark.xml"), fs::read_to_string(dir.path().join("junit.xml")).unwrap());
        assert!(published.annotations.unwrap().contains("::"));
    }

    #[test]
    fn what_cannot_be_written_is_told_and_the_rest_is_there() {
        let base = tempfile::tempdir().unwrap();
        let (dir, _) = RunDir::create(base.path(), "run-1").unwrap();
        fs::create_dir(dir.path().join("junit.xml")).unwrap();
        fs::write(base.path().join("embedded-1.31.json"), "{}").unwrap();
        let ci = Ci { artifacts: Some(base.path().join("nowhere")), ..ci(base.path()) };
        let published = publish(&dir, &aborted(), None, &ci).unwrap();
        assert_eq!(published.troubles.len(), 2, "{:?}", published.troubles);
        assert!(published.troubles[0].starts_with("the report is there but for junit.xml: write `"));
        assert!(dir.path().join("report.html").is_file());
    }

    #[test]
    fn a_part_of_a_run_tells_the_ci_nothing() {
        let base = tempfile::tempdir().unwrap();
        let (dir, _) = RunDir::share(base.path(), "run-1").unwrap();
        let published = publish(&dir, &aborted(), None, &ci(base.path())).unwrap();
        assert!(published.annotations.is_none());
        assert!(!base.path().join("summary").exists());
    }
}
