//! What the command prints where nobody watches, and how fast: no cluster, no network.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs::File;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn waymark(args: &[&str], vars: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waymark"));
    let inherited = std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("WAYMARK_"));
    for name in inherited.chain(["NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"].map(str::to_owned)) {
        command.env_remove(name);
    }
    command.args(args).envs(vars.iter().copied()).output().unwrap()
}

fn text(output: &Output) -> String {
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

const READERS: [&[&str]; 9] = [
    &["list"],
    &["list", "-o", "markdown"],
    &["explain", "exit"],
    &["explain", "routing::header_match_selects_backend"],
    &["explain", "WMC-001"],
    &["explain", "fault"],
    &["explain", "GWC-01"],
    &["help", "run"],
    &["--help"],
];

#[test]
fn a_list_is_quick_and_always_the_same() {
    let began = Instant::now();
    let once = text(&waymark(&["list", "-o", "json"], &[]));
    let took = began.elapsed();
    assert_eq!(once, text(&waymark(&["list", "-o", "json"], &[])));
    // 300 ms on a machine that does nothing else; the tests of a workspace run side by side
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[test]
fn every_case_has_a_row_or_a_source() {
    let checked = waymark(&["list", "--check"], &[]);
    assert_eq!(checked.status.code(), Some(0), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[test]
fn a_pipe_gets_no_escapes() {
    for args in READERS {
        let vars: [&[(&str, &str)]; 3] =
            [&[], &[("NO_COLOR", "1"), ("FORCE_COLOR", "1")], &[("TERM", "dumb")]];
        for vars in vars {
            assert!(!text(&waymark(args, vars)).contains('\u{1b}'), "{args:?} {vars:?}");
        }
    }
}

#[test]
fn ascii_glyphs_are_ascii() {
    for args in READERS {
        let args = [&["--glyphs", "ascii"], args].concat();
        assert!(text(&waymark(&args, &[])).is_ascii(), "{args:?}");
    }
}

#[test]
fn a_document_has_the_same_bytes_whatever_the_terminal_can_show() {
    let ascii = waymark(&["--glyphs", "ascii", "list", "-o", "json"], &[]);
    assert_eq!(text(&ascii), text(&waymark(&["list", "-o", "json"], &[])));
}

#[test]
fn nothing_follows_a_document_into_a_pipe() {
    let [named, dash] = ["/proc/self/fd/1", "-"].map(|to| waymark(&["report", "schema", "-o", to], &[]));
    assert_eq!(text(&named), text(&dash));
}

#[test]
fn a_full_stdout_is_an_error_and_a_reader_that_left_is_none() {
    let into = |stdout: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waymark"));
        command.args(["explain", "exit"]).stdout(stdout).stderr(Stdio::piped()).output().unwrap()
    };
    let full = into(File::options().write(true).open("/dev/full").unwrap().into());
    let said = String::from_utf8_lossy(&full.stderr);
    assert!(full.status.code() == Some(20) && said.starts_with("error: write to stdout: "), "{said}");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let left = into(writer.into());
    assert_eq!((left.status.code(), left.stderr), (Some(0), Vec::new()));
}

#[test]
fn a_case_that_does_not_exist_is_wrong_usage() {
    assert_eq!(waymark(&["run", "--exact", "does::not_exist"], &[]).status.code(), Some(2));
}
