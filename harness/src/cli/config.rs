//! `waymark.toml`: what a project wants by default. Flags come before the environment, the environment before the file.
//!
//! ```toml
//! [target]            # every flag of a target by its long name
//! istio = "1.24"
//! [run]               # every flag of a run
//! jobs = 16
//! [profile.ci.run]    # only with --profile ci or WAYMARK_PROFILE=ci
//! shuffle = true
//! ```
//!
//! The keys are the flags themselves, taken from the grammar: a value of the file becomes the default of its flag on
//! every command that has it, so that precedence and validation are clap's.

mod file;
mod origin;

use std::any::TypeId;
use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Args, Command};

use super::options::{RunOptions, TargetOptions};
use super::usage::Usage;
use file::Entry;

pub(crate) use origin::{Setting, origin, settings};

/// The name of the file.
pub(crate) const NAME: &str = "waymark.toml";

/// Which file, and which of its profiles.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ConfigArgs {
    /// Defaults from this file [default: waymark.toml in the nearest folder upwards]
    #[arg(
        long,
        global = true,
        env = "WAYMARK_CONFIG",
        hide_env = true,
        value_name = "FILE",
        help_heading = "Global"
    )]
    pub(crate) config: Option<PathBuf>,
    /// Take the defaults of [profile.NAME] of that file, too
    #[arg(
        long,
        global = true,
        env = "WAYMARK_PROFILE",
        hide_env = true,
        value_name = "NAME",
        help_heading = "Global"
    )]
    pub(crate) profile: Option<String>,
}

/// What a file says, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Config {
    /// In order of precedence, the last first.
    entries: Vec<Entry>,
}

impl Config {
    /// Reads the file that the user named, or the nearest one above `here`; none there is no file at all.
    ///
    /// # Errors
    /// A file that cannot be read or understood, with its line; a profile that is not there.
    pub(crate) fn load(args: &ConfigArgs, here: &Path) -> Result<Self, Usage> {
        let found = here.ancestors().map(|folder| folder.join(NAME)).find(|file| file.is_file());
        let Some(path) = args.config.clone().or(found) else {
            return match &args.profile {
                None => Ok(Self::default()),
                Some(profile) => {
                    let what = format!("there is no {NAME} with a profile `{profile}`");
                    Err(Usage::new(what, "name the file by --config FILE", [""; 0]))
                }
            };
        };
        let shown = crate::run_dir::shown(&path);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Usage::new(format!("read `{shown}`: {error}"), "name another file by --config FILE", [""; 0])
        })?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Self::parse(&text, &shown, &folder, args.profile.as_deref())
    }

    /// The same for the test target, which has no arguments of its own.
    pub(crate) fn from_env() -> Result<Self, Usage> {
        let args = ConfigArgs {
            config: env::var_os("WAYMARK_CONFIG").filter(|value| !value.is_empty()).map(PathBuf::from),
            profile: env::var("WAYMARK_PROFILE").ok().filter(|value| !value.is_empty()),
        };
        Self::load(&args, &env::current_dir().unwrap_or_default())
    }

    fn parse(text: &str, shown: &str, folder: &Path, profile: Option<&str>) -> Result<Self, Usage> {
        let mut entries = file::read(text, shown, profile)?;
        let grammar = grammar();
        for entry in &mut entries {
            let Some(arg) = grammar.get_arguments().find(|arg| arg.get_long() == Some(&entry.key)) else {
                continue;
            };
            if arg.get_value_parser().type_id() == TypeId::of::<PathBuf>() {
                let below = |value: &String| folder.join(value).display().to_string();
                entry.values = entry.values.iter().map(below).collect();
            }
            if is_switch(arg) {
                if !matches!(entry.values.as_slice(), [one] if one == "true" || one == "false") {
                    return Err(entry.wrong(&format!("`{}` is true or false", entry.key)));
                }
            } else if let Some(why) = refusal(&grammar, entry) {
                return Err(entry.wrong(&why));
            }
        }
        Ok(Self { entries })
    }

    /// The grammar with the values of the file as defaults, on every command that has their flag.
    /// Variables that are empty are not there.
    pub(crate) fn as_defaults(&self, command: Command) -> Command {
        without_empty_variables(self.defaults(command))
    }

    fn defaults(&self, mut command: Command) -> Command {
        for entry in &self.entries {
            let ids =
                command.get_arguments().filter(|arg| is_meant(arg, entry)).map(|arg| arg.get_id().clone());
            for id in ids.collect::<Vec<_>>() {
                let values = entry.values.iter().map(|value| &*value.clone().leak()); // clap borrows for ever; once a process
                command = command.mut_arg(id, |arg| arg.default_values(values));
            }
        }
        let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
        names
            .into_iter()
            .fold(command, |command, name| command.mut_subcommand(name, |sub| self.defaults(sub)))
    }

    /// The entry that decides a flag.
    pub(crate) fn entry(&self, arg: &Arg) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| is_meant(arg, entry))
    }
}

/// The grammar without the variables that are set to nothing.
pub(crate) fn without_empty_variables(command: Command) -> Command {
    let is_empty = |name: &OsStr| env::var_os(name).is_some_and(|value| value.is_empty());
    without_variables(command, &is_empty)
}

fn without_variables(command: Command, out: &impl Fn(&OsStr) -> bool) -> Command {
    let command = command.mut_args(|arg| match arg.get_env() {
        Some(name) if out(name) => arg.env(None::<&str>),
        _ => arg,
    });
    command.mut_subcommands(|sub| without_variables(sub, out))
}

/// The same name and the same variable: a `--target` that means something else is left alone.
fn is_meant(arg: &Arg, entry: &Entry) -> bool {
    let variable = format!("WAYMARK_{}", entry.key.replace('-', "_").to_uppercase());
    arg.get_long() == Some(&entry.key) && arg.get_env().is_some_and(|env| env == variable.as_str())
}

fn is_switch(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue | ArgAction::SetFalse)
}

/// Every flag that the file may set, without the environment.
fn grammar() -> Command {
    let command = RunOptions::augment_args(Command::new(NAME).no_binary_name(true).disable_help_flag(true));
    command.mut_args(|arg| arg.env(None::<&str>))
}

/// The long names of the flags of a target, and of those that only a run has.
fn keys() -> (Vec<String>, Vec<String>) {
    let longs = |command: Command| -> Vec<String> {
        command.get_arguments().filter_map(Arg::get_long).map(str::to_owned).collect()
    };
    let target = longs(TargetOptions::augment_args(Command::new(NAME)));
    let run = longs(RunOptions::augment_args(Command::new(NAME)));
    let run = run.into_iter().filter(|key| !target.contains(key)).collect();
    (target, run)
}

/// Why clap does not take the values of a flag. That another flag is missing is not the file's fault.
fn refusal(grammar: &Command, entry: &Entry) -> Option<String> {
    let words = entry.values.iter().map(|value| format!("--{}={value}", entry.key));
    let error = grammar.clone().try_get_matches_from(words).err()?;
    if matches!(error.kind(), ErrorKind::MissingRequiredArgument | ErrorKind::ArgumentConflict) {
        return None;
    }
    let text = error.render().to_string();
    let first = text.lines().next().unwrap_or_default();
    Some(first.strip_prefix("error: ").unwrap_or(first).to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use clap::{FromArgMatches, Parser};
    use rstest::rstest;

    use super::{Config, ConfigArgs, NAME};
    use crate::cli::args::{Cli, Command};
    use crate::cli::options::RunOptions;

    const FILE: &str = "\
[target]
istio = 1.24
ztunnel = \"out/ztunnel\"
[run]
jobs = 16
sabotage = [\"rbac-off\", \"log-off\"]
shuffle = true
[profile.ci.run]
jobs = 4
[profile.ci.target]
offline = true
";

    fn parse(text: &str, profile: Option<&str>) -> Result<Config, String> {
        Config::parse(text, NAME, Path::new("/project"), profile).map_err(|usage| usage.to_string())
    }

    fn run(text: &str, profile: Option<&str>, args: &[&str]) -> RunOptions {
        let command = parse(text, profile).unwrap().as_defaults(<Cli as clap::CommandFactory>::command());
        let matches = command.try_get_matches_from(["waymark", "run"].iter().chain(args)).unwrap();
        let Command::Run(args) = Cli::from_arg_matches(&matches).unwrap().command else { panic!("run") };
        args.options
    }

    #[test]
    fn values_of_the_file_are_defaults() {
        let options = run(FILE, None, &[]);
        assert_eq!((options.target.istio.as_str(), options.jobs, options.shuffle), ("1.24", 16, true));
        assert_eq!(options.sabotage, ["rbac-off", "log-off"]);
        assert_eq!(options.target.parts.ztunnel, Some(PathBuf::from("/project/out/ztunnel")));
        assert!(!options.target.offline);
    }

    #[test]
    fn a_flag_beats_the_file_and_a_profile_its_defaults() {
        assert_eq!(run(FILE, Some("ci"), &[]).jobs, 4);
        assert!(run(FILE, Some("ci"), &[]).target.offline);
        let options = run(FILE, Some("ci"), &["--jobs", "9", "--istio", "1.31", "--sabotage", "x"]);
        assert_eq!((options.jobs, options.target.istio.as_str()), (9, "1.31"));
        assert_eq!(options.sabotage, ["x"]);
    }

    #[test]
    fn other_commands_get_what_they_have_a_flag_for() {
        let config = parse(FILE, None).unwrap();
        let command = config.as_defaults(<Cli as clap::CommandFactory>::command());
        let matches = command.try_get_matches_from(["waymark", "up"]).unwrap();
        let Command::Up(args) = Cli::from_arg_matches(&matches).unwrap().command else { panic!("up") };
        assert_eq!(args.target.istio, "1.24");
    }

    #[rstest]
    #[case::key(
        "[target]\nisto = '1'",
        None,
        "waymark.toml:2: unknown key `isto` in [target]\n  did you mean:\n    istio"
    )]
    #[case::section(
        "[rum]",
        None,
        "waymark.toml:1: unknown section `rum`\n  sections:\n    run\n    target\n    profile.NAME.run\n    profile.NAME.target"
    )]
    #[case::other_section(
        "[target]\njobs = 1",
        None,
        "waymark.toml:2: unknown key `jobs` in [target]\n  it belongs to:\n    [run]"
    )]
    #[case::value(
        "[run]\n\njobs = 0",
        None,
        "waymark.toml:3: invalid value '0' for '--jobs <N>': 0 is not in 1..=65535"
    )]
    #[case::switch("[run]\nshuffle = 'yes'", None, "waymark.toml:2: `shuffle` is true or false")]
    #[case::table("[run.jobs]\nx = 1", None, "waymark.toml:1: `jobs` is a value, not a table")]
    #[case::syntax("[run]\njobs = \n", None, "waymark.toml:2: ")]
    #[case::profile(
        "[profile.ci.run]\njobs = 1",
        Some("cj"),
        "there is no profile `cj` in waymark.toml\n  profiles:\n    ci"
    )]
    #[case::unused_profile(
        "[profile.ci.run]\njobz = 1",
        None,
        "waymark.toml:2: unknown key `jobz` in [profile.ci.run]\n  did you mean:\n    jobs"
    )]
    fn mistakes_name_their_line(#[case] text: &str, #[case] profile: Option<&str>, #[case] want: &str) {
        let error = parse(text, profile).unwrap_err();
        assert!(error.contains(want), "{error}");
    }

    #[test]
    fn a_variable_that_is_set_to_nothing_is_not_there() {
        let whole = <Cli as clap::CommandFactory>::command();
        let cut = super::without_variables(whole, &|name| name == "WAYMARK_JOBS");
        let run = cut.find_subcommand("run").unwrap();
        let variable = |id: &str| run.get_arguments().find(|arg| arg.get_id() == id).unwrap().get_env();
        assert_eq!((variable("jobs"), variable("seed")), (None, Some("WAYMARK_SEED".as_ref())));
    }

    #[test]
    fn the_nearest_file_is_found() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(root.path().join(NAME), "[run]\njobs = 3").unwrap();
        let config = Config::load(&ConfigArgs::default(), &deep).unwrap();
        assert_eq!(config.entries.len(), 1);
        let missing = ConfigArgs { config: Some(deep.join("none.toml")), profile: None };
        assert!(Config::load(&missing, &deep).unwrap_err().to_string().contains("none.toml"));
    }

    #[test]
    fn a_file_and_no_environment_parse_without_a_command_line() {
        #[derive(Parser)]
        struct Only {
            #[command(flatten)]
            options: RunOptions,
        }
        let command =
            parse("[run]\nseed = 7", None).unwrap().as_defaults(<Only as clap::CommandFactory>::command());
        let only = Only::from_arg_matches(&command.try_get_matches_from(["conformance"]).unwrap()).unwrap();
        assert_eq!(only.options.seed, Some(7));
    }
}
