//! `waymark man`: the manual, a page for the command and one for each of its commands.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;

use super::args::Cli;
use super::{Cmd, Exit, Operations, Stumble};
use crate::case::Broken;

#[derive(Args, Debug)]
pub(super) struct ManArgs {
    /// Write every page into this folder [default: the main page to stdout]
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
}

impl<O: Operations> Cmd<O> {
    pub(super) fn man(&self, args: ManArgs) -> Result<Exit, Stumble> {
        let text = match &args.dir {
            None => page(Cli::command()).map_err(|error| Broken::with("write the manual", error))?,
            Some(dir) => {
                let written = pages(Cli::command(), dir);
                let count = written
                    .map_err(|error| Broken::with(format!("write pages to {}", dir.display()), error))?;
                format!("{count} pages in {}", dir.display())
            }
        };
        match args.dir {
            None => self.console.document(&text),
            Some(_) => self.console.out(&text),
        }
        Ok(Exit::Ok)
    }
}

/// The main page.
fn page(command: Command) -> io::Result<String> {
    let mut out = Vec::new();
    Man::new(command.disable_help_subcommand(true)).render(&mut out)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Writes `waymark.1`, `waymark-run.1` and so on; yields how many.
fn pages(command: Command, dir: &Path) -> io::Result<usize> {
    std::fs::create_dir_all(dir)?;
    write(command.display_name("waymark"), "waymark", dir)
}

fn write(command: Command, name: &str, dir: &Path) -> io::Result<usize> {
    let mut command = command.disable_help_subcommand(true); // `--help` has it all, and the pages more
    command.build();
    let subcommands: Vec<Command> =
        command.get_subcommands().filter(|sub| sub.get_name() != "help").cloned().collect();
    std::fs::write(dir.join(format!("{name}.1")), page(command)?)?;
    subcommands.into_iter().try_fold(1, |count, sub| {
        let name = format!("{name}-{}", sub.get_name());
        let page_name: &'static str = String::leak(name.clone());
        Ok(count + write(sub.display_name(page_name), &name, dir)?)
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::pages;
    use crate::cli::args::Cli;

    #[test]
    fn every_command_has_a_page() {
        let dir = tempfile::tempdir().unwrap();
        let count = pages(Cli::command(), dir.path()).unwrap();
        assert!(count > Cli::command().get_subcommands().count());
        let run = std::fs::read_to_string(dir.path().join("waymark-run.1")).unwrap();
        assert!(run.contains("waymark\\-run") && run.contains("\\-\\-istio"), "{run}");
        assert!(dir.path().join("waymark-components-fetch.1").is_file());
        let names = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(names.map(|name| name.into_string().unwrap()).all(|name| !name.contains("help")));
        assert!(!std::fs::read_to_string(dir.path().join("waymark.1")).unwrap().contains("waymark\\-help"));
    }
}
