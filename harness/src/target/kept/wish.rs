//! What a kept cluster was asked to be, and whether that fits what somebody asks now.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::Kept;
use crate::cli::TargetOptions;

/// What a cluster is asked to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// How many nodes.
    pub nodes: u8,
    /// Whether a stage stands on it.
    pub stage: bool,
    /// Parts of the user's own: name, path, and which file that was.
    pub parts: Vec<(String, PathBuf, Stamp)>,
    /// The executable that plays all roles of ours.
    pub build: Stamp,
}

/// Tells one build of a file from the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Bytes.
    pub size: u64,
    /// When it was written, nanoseconds of Unix time.
    pub written: u64,
}

/// Whether a kept cluster is what somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It is.
    Yes,
    /// It would be, but it was brought up by another build of waymark.
    Outdated,
    /// It is not, for this reason.
    No(String),
}

impl Wish {
    /// What these options ask for, by the executable of this process.
    pub fn of(options: &TargetOptions, stage: bool) -> Self {
        Self { nodes: options.nodes, stage, parts: parts(options), build: Stamp::of(&player()) }
    }

    /// Whether the kept cluster `kept` grants it.
    pub fn granted_by(&self, kept: &Kept) -> Fit {
        let Self { nodes, stage, parts, build } = self;
        let there = &kept.wish;
        if *nodes != there.nodes {
            return Fit::No(format!("it has {} nodes, not {nodes}", there.nodes));
        }
        if *parts != there.parts {
            return Fit::No("it runs other parts".to_owned());
        }
        if *stage && !there.stage {
            return Fit::No("it has no stage".to_owned());
        }
        if *build == there.build { Fit::Yes } else { Fit::Outdated }
    }
}

impl Kept {
    /// Whether it runs exactly the parts that a user with these options wants.
    pub fn runs_parts_of(&self, options: &TargetOptions) -> bool {
        self.wish.parts == parts(options)
    }
}

impl Stamp {
    /// The file at `path` as it is now; a file that is not there has the default.
    pub fn of(path: &Path) -> Self {
        let Ok(metadata) = fs::metadata(path) else { return Self::default() };
        let written = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let written = written.map_or(0, |at| u64::try_from(at.as_nanos()).unwrap_or(u64::MAX));
        Self { size: metadata.len(), written }
    }
}

/// The executable that plays the roles of a cluster that this build brings up: this one, or, for a test target, the
/// `waymark` that was built with it.
fn player() -> PathBuf {
    let own = PathBuf::from("/proc/self/exe");
    let Ok(place) = fs::read_link(&own) else { return own };
    match place.parent() {
        Some(folder) if folder.ends_with("deps") => folder.with_file_name("waymark"),
        _ => own,
    }
}

fn parts(options: &TargetOptions) -> Vec<(String, PathBuf, Stamp)> {
    let stamped = |(name, path): (&str, &Path)| {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let stamp = Stamp::of(&path);
        (name.to_owned(), path, stamp)
    };
    options.parts.given().into_iter().map(stamped).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use rstest::rstest;

    use super::*;
    use crate::target::Reached;

    #[derive(Parser)]
    struct Options {
        #[command(flatten)]
        target: TargetOptions,
    }

    fn wish(args: &[&str], stage: bool) -> Wish {
        let args = ["x"].iter().chain(args);
        Wish::of(&Options::try_parse_from(args).unwrap().target, stage)
    }

    fn kept(wish: Wish) -> Kept {
        let reached = Reached {
            kubeconfig: "k".into(),
            parts: vec![],
            image: "i".into(),
            release: "1.31".into(),
            istioctl: None,
        };
        Kept { pid: 1, reached, stage: None, wish, idle_timeout: None, detached: true }
    }

    #[rstest]
    #[case::same(&[], false, Fit::Yes)]
    #[case::less(&["--offline"], false, Fit::Yes)]
    #[case::stage(&[], true, Fit::No("it has no stage".into()))]
    #[case::nodes(&["--nodes", "3"], false, Fit::No("it has 2 nodes, not 3".into()))]
    #[case::parts(&["--ztunnel", "/bin/true"], false, Fit::No("it runs other parts".into()))]
    fn what_is_there_is_held_against_what_is_asked(
        #[case] args: &[&str],
        #[case] stage: bool,
        #[case] want: Fit,
    ) {
        assert_eq!(wish(args, stage).granted_by(&kept(wish(&[], false))), want);
    }

    #[test]
    fn another_build_is_outdated() {
        let mut other = wish(&[], true);
        other.build.written += 1;
        assert_eq!(wish(&[], true).granted_by(&kept(other)), Fit::Outdated);
    }

    #[test]
    fn a_part_that_was_built_anew_is_another_part() {
        let part = tempfile::NamedTempFile::new().unwrap();
        let path = part.path().to_str().unwrap();
        let there = kept(wish(&["--ztunnel", path], false));
        let options = Options::try_parse_from(["x", "--ztunnel", path]).unwrap().target;
        assert!(there.runs_parts_of(&options));
        fs::write(path, "new").unwrap();
        assert!(!there.runs_parts_of(&options));
    }
}
