//! `waymark doctor`: checks with a fix each, for people and, in linkerd's shape, for scripts.

use std::env;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::args::misspelt;
use super::config::Setting;
use super::operations::{Check, Outcome, Reliance};
use super::options::TargetOptions;
use super::{Broken, Cmd, Exit, Operations, Stumble};
use crate::json::document;
use crate::run_dir;
use crate::target::doctor::check;

#[derive(Args, Debug)]
pub(super) struct DoctorArgs {
    /// How to write the checks
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub(super) output: Format,
    /// Directory below which runs are [default: target/waymark]
    #[arg(long, env = "WAYMARK_RUN_DIR", hide_env = true, value_name = "DIR")]
    pub(super) run_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(super) target: TargetOptions,
}

/// How checks are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A line a check
    #[default]
    Text,
    /// Categories of checks, as `linkerd check -o json` writes them
    Json,
}

impl<O: Operations> Cmd<O> {
    pub(super) fn doctor(self, args: DoctorArgs) -> Result<Exit, Stumble> {
        let mut of_settings = configuration(&self.settings, &misspelt(env::vars().map(|(name, _)| name)));
        // An unknown release or a bad part is a finding.
        self.foreground(&args.target.clone(), Reliance::Target, |operations, _, console| async move {
            let runs = args.run_dir.unwrap_or_else(run_dir::default_base);
            let mut checks = operations.doctor(&args.target, &runs).await;
            checks.append(&mut of_settings);
            match args.output {
                Format::Text => console.out(&text(&checks)),
                Format::Json => {
                    let text = document(&json(&checks));
                    console.document(&text.map_err(|error| Broken::with("write the checks as JSON", error))?);
                }
            }
            Ok(if is_blocked(&checks) { Exit::SetUp } else { Exit::Ok })
        })
    }
}

/// What differs from the defaults and where it was said, and variables that nobody reads.
fn configuration(settings: &[Setting], misspelt: &[(String, String)]) -> Vec<Check> {
    let mut checks: Vec<Check> =
        settings.iter().map(|it| check("WMD-F01", it.to_string(), Outcome::Good, None)).collect();
    if checks.is_empty() {
        checks.push(check("WMD-F01", "every setting is at its default", Outcome::Good, None));
    }
    checks.extend(misspelt.iter().map(|(name, meant)| {
        let fix = format!("did you mean {meant}?");
        check("WMD-F02", format!("{name} is set, and nothing reads it"), Outcome::Warning, Some(&fix))
    }));
    checks
}

/// Whether something blocks.
fn is_blocked(checks: &[Check]) -> bool {
    checks.iter().any(|check| check.outcome == Outcome::Blocker)
}

/// By category, with a fix below each line that needs one.
fn text(checks: &[Check]) -> String {
    let mut out = String::new();
    for (category, checks) in by_category(checks) {
        out.push_str(&format!("{category}\n"));
        for check in checks {
            let mark = match check.outcome {
                Outcome::Good => "√",
                Outcome::Warning => "‼",
                Outcome::Blocker => "×",
            };
            out.push_str(&format!(" {mark} {}\n", check.finding.replace('\n', "\n     ")));
            if check.outcome != Outcome::Good {
                let fix = check.fix.as_ref().map(|fix| format!("fix: {fix}  ")).unwrap_or_default();
                out.push_str(&format!("     {fix}({})\n", check.id));
            }
        }
    }
    let count = |outcome| checks.iter().filter(|check| check.outcome == outcome).count();
    let (blockers, warnings) = (count(Outcome::Blocker), count(Outcome::Warning));
    out.push_str(&format!(
        "\nStatus: {}, {}, {} passed\n",
        counted(blockers, "blocker"),
        counted(warnings, "warning"),
        count(Outcome::Good)
    ));
    if blockers + warnings > 0 {
        out.push_str("`waymark explain WMD-…` says what a check looks at\n");
    }
    out
}

/// linkerd's shape, with the id and the fix of each check besides.
fn json(checks: &[Check]) -> Value {
    let categories: Vec<Value> = by_category(checks)
        .into_iter()
        .map(|(name, checks)| json!({ "categoryName": name, "checks": checks.into_iter().map(one).collect::<Vec<_>>() }))
        .collect();
    json!({ "success": !is_blocked(checks), "categories": categories })
}

fn one(check: &Check) -> Value {
    let mut value = json!({ "id": check.id, "description": check.finding, "result": word(check.outcome) });
    if check.outcome != Outcome::Good {
        value["error"] = json!(check.finding);
        value["fix"] = json!(check.fix);
        value["hint"] = json!(format!("waymark explain {}", check.id));
    }
    value
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Good => "success",
        Outcome::Warning => "warning",
        Outcome::Blocker => "error",
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Categories in the order of their first check.
fn by_category(checks: &[Check]) -> Vec<(&str, Vec<&Check>)> {
    let mut categories: Vec<(&str, Vec<&Check>)> = Vec::new();
    for check in checks {
        match categories.iter_mut().find(|(name, _)| *name == check.category) {
            Some((_, checks)) => checks.push(check),
            None => categories.push((&check.category, vec![check])),
        }
    }
    categories
}

#[cfg(test)]
mod tests {
    use super::{json, text};
    use crate::cli::operations::Outcome;
    use crate::printer::Glyphs;
    use crate::target::doctor::check;

    fn sample() -> Vec<crate::cli::operations::Check> {
        vec![
            check("WMD-H01", "Linux 6.8.0", Outcome::Good, None),
            check(
                "WMD-M05",
                "AuthorizationPolicy istio-system/deny-all",
                Outcome::Blocker,
                Some("remove it"),
            ),
            check("WMD-H03", "go is not there", Outcome::Warning, Some("install Go")),
        ]
    }

    #[test]
    fn checks_read_well() {
        insta::assert_snapshot!("text", text(&sample()));
        insta::assert_snapshot!("ascii", Glyphs::Ascii.plain(&text(&sample())));
        insta::assert_snapshot!("json", serde_json::to_string_pretty(&json(&sample())).unwrap());
    }

    #[test]
    fn ascii_is_ascii() {
        assert!(Glyphs::Ascii.plain(&text(&sample())).is_ascii());
    }
}
