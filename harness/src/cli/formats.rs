//! The reports of a run: their names, their files, and how each is rendered.

use waymark_reports::conformance::conformance_yaml;
use waymark_reports::github::annotations;
use waymark_reports::html::html;
use waymark_reports::junit::junit;
use waymark_reports::markdown::summary_md;
use waymark_reports::openmetrics::openmetrics;
use waymark_reports::result::RunResult;
use waymark_reports::schema::RESULT_SCHEMA;
use waymark_reports::text::{Style, summary};

use super::usage::Usage;
use crate::json;

/// One kind of report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Html,
    Junit,
    Json,
    Markdown,
    Github,
    Conformance,
    Openmetrics,
    Schema,
}

/// What goes into a report beside the result.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Dressing<'a> {
    /// What is new against earlier runs, as Markdown.
    pub(crate) news: Option<&'a str>,
    /// Colours, for text.
    pub(crate) style: Style,
}

/// Every format, with what it is for.
const ALL: [(Format, &str, &str); 9] = [
    (Format::Text, "text", "the summary, as after a run"),
    (Format::Html, "html", "one page that works offline and without script"),
    (Format::Junit, "junit", "JUnit XML for CI"),
    (Format::Json, "json", "what scripts read"),
    (Format::Markdown, "markdown", "the summary for a step summary or a comment"),
    (Format::Github, "github", "annotations of GitHub Actions"),
    (Format::Conformance, "conformance", "in the shape of a Gateway API ConformanceReport"),
    (Format::Openmetrics, "openmetrics", "gauges and a histogram for Prometheus"),
    (Format::Schema, "schema", "the JSON Schema of result.json; needs no run"),
];

/// Stands for every format that has a file.
const EVERY_FILE: &str = "all";

impl Format {
    /// The formats that a run writes at its end, beside `result.json`.
    pub(crate) const AT_THE_END: [Self; 4] = [Self::Junit, Self::Html, Self::Markdown, Self::Conformance];

    /// The formats of a list such as `junit,html`.
    pub(super) fn parse(words: &str) -> Result<Vec<Self>, Usage> {
        let mut formats: Vec<Self> = Vec::new();
        for word in words.split(',') {
            let meant: Vec<Self> = ALL
                .iter()
                .filter(|(format, name, _)| *name == word || (word == EVERY_FILE && format.file().is_some()))
                .map(|(format, ..)| *format)
                .collect();
            if meant.is_empty() {
                return Err(Usage::new(format!("there is no format `{word}`"), "formats", existing()));
            }
            for format in meant {
                if !formats.contains(&format) {
                    formats.push(format);
                }
            }
        }
        Ok(formats)
    }

    /// The word that users type.
    pub(super) fn name(self) -> &'static str {
        ALL.iter().find(|(format, ..)| *format == self).map_or("", |(_, name, _)| name)
    }

    /// Its file in the run directory; none for what goes to stdout.
    pub(crate) const fn file(self) -> Option<&'static str> {
        match self {
            Self::Html => Some("report.html"),
            Self::Junit => Some("junit.xml"),
            Self::Json => Some("result.json"),
            Self::Markdown => Some("summary.md"),
            Self::Conformance => Some("conformance.yaml"),
            Self::Openmetrics => Some("metrics.txt"),
            Self::Text | Self::Github | Self::Schema => None,
        }
    }

    /// The report as text.
    pub(crate) fn render(self, result: &RunResult, dressing: Dressing<'_>) -> String {
        match self {
            Self::Text => summary(result, dressing.style),
            Self::Html => html(result) + "\n",
            Self::Junit => junit(result),
            Self::Json => json_text(result),
            Self::Markdown => summary_md(result, dressing.news),
            Self::Github => annotations(result),
            Self::Conformance => conformance_yaml(result),
            Self::Openmetrics => openmetrics(result),
            Self::Schema => RESULT_SCHEMA.to_owned(),
        }
    }
}

/// Every format with its file, for messages.
pub(super) fn existing() -> Vec<String> {
    let line = |(format, name, about): &(Format, &str, &str)| {
        format!("{name:<12}  {:<16}  {about}", format.file().unwrap_or("to stdout"))
    };
    let all = format!("{EVERY_FILE:<12}  {:<16}  everything that has a file", "");
    ALL.iter().map(line).chain([all]).collect()
}

/// A result is made of strings and numbers, which JSON can always say.
fn json_text(result: &RunResult) -> String {
    json::document(result).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Format::{self, Conformance, Html, Json, Junit, Markdown, Openmetrics};

    #[rstest]
    #[case("html", &[Html])]
    #[case("junit,html,junit", &[Junit, Html])]
    #[case("html,all", &[Html, Junit, Json, Markdown, Conformance, Openmetrics])]
    fn a_list_names_formats_once(#[case] words: &str, #[case] want: &[Format]) {
        assert_eq!(Format::parse(words).unwrap(), want);
    }

    #[rstest]
    #[case("htm", "there is no format `htm`")]
    #[case("html,", "there is no format ``")]
    #[case("", "there is no format ``")]
    fn an_unknown_format_is_answered_with_those_that_exist(#[case] words: &str, #[case] want: &str) {
        let usage = Format::parse(words).unwrap_err();
        assert_eq!(usage.what, want);
        insta::allow_duplicates! { insta::assert_snapshot!("formats", usage.exists.join("\n")) }
    }
}
