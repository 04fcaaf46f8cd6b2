//! `waymark report`: the reports of an earlier run, also of one that was killed, from its events alone.

use std::path::{Path, PathBuf};

use clap::Args;
use waymark_reports::result::fold;
use waymark_reports::schema::RESULT_SCHEMA;
use waymark_reports::text::Style;

use super::formats::{self, Dressing, Format};
use super::usage::Usage;
use super::{Broken, Exit, Stumble, chronicle, runs};
use crate::printer::Console;
use crate::run_dir::{self, RunDir, followed, holds_events, write_whole};

#[derive(Args, Debug)]
pub(super) struct ReportArgs {
    /// What to report: text, html, junit, json and more; several with commas, `all` for every one that has a file
    #[arg(value_name = "FORMAT[,FORMAT]")]
    formats: Option<String>,
    /// Id of the run, `latest`, `latest~2` for the last but two, or the path of its directory
    #[arg(value_name = "RUN", default_value = "latest")]
    run: String,
    /// Where to write instead of the run's directory; `-` is stdout
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Directory below which runs are [default: target/waymark]
    #[arg(long, env = "WAYMARK_RUN_DIR", hide_env = true, value_name = "DIR")]
    run_dir: Option<PathBuf>,
    /// Add the run to the last verdicts of every case in DIR; the summary says what is new
    #[arg(long, env = "WAYMARK_HISTORY", hide_env = true, value_name = "DIR")]
    history: Option<PathBuf>,
}

impl ReportArgs {
    pub(super) fn execute(self, console: Console) -> Result<Exit, Stumble> {
        let base = self.run_dir.clone().unwrap_or_else(run_dir::default_base);
        let formats = self.formats(&base)?;
        if self.output.as_ref().is_some_and(|path| path != Path::new("-")) && formats.len() > 1 {
            return Err(Usage::new("--output names one file", "name one format", formats::existing()).into());
        }
        if let Some(path) = self.output.as_deref().filter(|path| holds_events(&followed(path))) {
            let what =
                format!("`{}` is the name of a run's events, which a report never replaces", path.display());
            return Err(Usage::new(what, "--output names another file, or `-` for stdout", [""; 0]).into());
        }
        let style = if self.output.is_none() { console.style() } else { Style::default() };
        if formats == [Format::Schema] {
            return self.give(Format::Schema, RESULT_SCHEMA, None, console);
        }
        let found = runs::find(&self.run, &base)?;
        let result = fold(&found.entries);
        let news = self.history.as_deref().map(|folder| chronicle::enter(folder, &result)).transpose()?;
        for format in formats {
            let text = format.render(&result, Dressing { news: news.as_deref(), style });
            self.give(format, &text, Some(&found.dir), console)?;
        }
        Ok(Exit::Ok)
    }

    fn formats(&self, base: &Path) -> Result<Vec<Format>, Usage> {
        let Some(words) = &self.formats else {
            let latest = if runs::exists("latest", base) { " latest" } else { "" };
            let what = format!("name a format, such as `waymark report html{latest}`");
            return Err(Usage::new(what, "formats", formats::existing()));
        };
        Format::parse(words).map_err(|usage| match runs::exists(words, base) {
            true => {
                let what =
                    format!("`{words}` is a run; name a format before it: `waymark report html {words}`");
                Usage { what, ..usage }
            }
            false => usage,
        })
    }

    /// Writes one report to where the user wants it, else into the directory of its run, else to stdout.
    fn give(
        &self,
        format: Format,
        text: &str,
        dir: Option<&RunDir>,
        console: Console,
    ) -> Result<Exit, Stumble> {
        let stdout = Path::new("-");
        // A user who asks for metrics alone pipes them on.
        let file = format.file().filter(|_| self.formats.as_deref() != Some("openmetrics"));
        let path = match (&self.output, file, dir) {
            (Some(path), ..) if path == stdout => None,
            (Some(path), ..) => Some(path.clone()),
            (None, Some(file), Some(dir)) => Some(dir.path().join(file)),
            (None, ..) => None,
        };
        match path {
            Some(path) => {
                write_whole(&path, text).map_err(|error| Broken::with("report again", error))?;
                if followed(&path).is_file() {
                    console.out(&format!("{:<12}  {}", format.name(), run_dir::shown(&path)));
                }
            }
            None if format == Format::Text => console.out(text),
            None => console.document(text),
        }
        Ok(Exit::Ok)
    }
}
