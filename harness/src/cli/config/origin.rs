//! Where a value came from: flag, environment, or a line of the file.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use super::Config;
use crate::cli::usage::Usage;

/// What gave a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The command line.
    Flag,
    /// This variable.
    Environment(String),
    /// This line, `file:line`.
    File(String),
}

/// A value that is not the default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The long name of the flag.
    pub(crate) key: String,
    /// As it would be typed.
    pub(crate) value: String,
    /// What gave it.
    pub(crate) origin: Origin,
}

impl Origin {
    /// What gave a value that was not typed.
    pub(crate) fn elsewhere(&self) -> Option<&str> {
        match self {
            Self::Flag => None,
            Self::Environment(place) | Self::File(place) => Some(place),
        }
    }
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} = {}  (", self.key, self.value)?;
        match &self.origin {
            Origin::Flag => write!(f, "flag --{})", self.key),
            Origin::Environment(name) => write!(f, "environment {name})"),
            Origin::File(place) => write!(f, "{place})"),
        }
    }
}

/// Every value of `matches`, parsed by `command`, that neither flag, environment nor file left at its default.
pub(crate) fn settings(command: &Command, matches: &ArgMatches, config: &Config) -> Vec<Setting> {
    command.get_arguments().filter_map(|arg| setting(arg, matches, config)).collect()
}

/// Where the value of a flag came from that was wrong, as the end of the message; nothing when it was typed.
pub(crate) fn origin(usage: &Usage, settings: &[Setting]) -> String {
    let of_flag = usage.flag.and_then(|flag| settings.iter().find(|setting| setting.key == flag));
    let place = of_flag.and_then(|setting| setting.origin.elsewhere().map(|place| (&setting.key, place)));
    place.map_or_else(String::new, |(key, place)| format!("\n  --{key} is from {place}"))
}

fn setting(arg: &Arg, matches: &ArgMatches, config: &Config) -> Option<Setting> {
    arg.get_env()?; // what cannot be said elsewhere is no setting, such as the format of this output
    let key = arg.get_long()?.to_owned();
    let id = arg.get_id().as_str();
    let origin = match matches.value_source(id)? {
        ValueSource::CommandLine => Origin::Flag,
        ValueSource::EnvVariable => Origin::Environment(arg.get_env()?.to_string_lossy().into_owned()),
        _ => Origin::File(config.entry(arg)?.place.clone()),
    };
    let raw = matches.try_get_raw(id).ok().flatten();
    let values: Vec<String> = match raw {
        Some(values) => values.map(|value| value.to_string_lossy().into_owned()).collect(),
        None => Vec::new(),
    };
    Some(Setting { key, value: values.join(","), origin })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::{Args, Command};

    use super::{Config, Origin, origin, settings};
    use crate::cli::options::RunOptions;
    use crate::cli::usage::Usage;

    #[test]
    fn each_value_knows_where_it_came_from() {
        let config =
            Config::parse("[run]\njobs = 3\nshuffle = true", "waymark.toml", Path::new(""), None).unwrap();
        let grammar = config.as_defaults(RunOptions::augment_args(Command::new("run")));
        let matches = grammar.clone().try_get_matches_from(["run", "--istio", "1.24"]).unwrap();
        let found = settings(&grammar, &matches, &config);
        let lines: Vec<String> = found
            .iter()
            .filter(|setting| !matches!(setting.origin, Origin::Environment(_)))
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            lines,
            [
                "istio = 1.24  (flag --istio)",
                "jobs = 3  (waymark.toml:2)",
                "shuffle = true  (waymark.toml:3)",
            ]
        );
        let wrong = |flag| origin(&Usage::new("", "", [""; 0]).of_flag(flag), &found);
        assert_eq!(
            (wrong("istio").as_str(), wrong("jobs").as_str()),
            ("", "\n  --jobs is from waymark.toml:2")
        );
    }
}
