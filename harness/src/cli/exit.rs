//! The exit codes, part of the stable interface.

use std::process::ExitCode;

use waymark_reports::verdict::RunVerdict;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Conformant, or done.
    Ok,
    /// Wrong usage, or input that cannot be read or understood.
    Usage,
    /// A case failed.
    Failed,
    /// A gate failed.
    Gate,
    /// Something leaked.
    Leaked,
    /// Set-up failed.
    SetUp,
    /// Inconclusive.
    Inconclusive,
    /// A panic outside of any case: no command yields it, the process ends so by itself.
    Bug,
    /// Interrupted.
    Interrupted,
}

/// Every way to end, for `explain exit`.
pub const ALL: [Exit; 9] = [
    Exit::Ok,
    Exit::Usage,
    Exit::Failed,
    Exit::Gate,
    Exit::Leaked,
    Exit::SetUp,
    Exit::Inconclusive,
    Exit::Bug,
    Exit::Interrupted,
];

/// What held at the end of a run.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// A signal ended it.
    pub interrupted: bool,
    /// The scene could not be set, or the report not be written.
    pub set_up_failed: bool,
    /// Something was left behind.
    pub leaked: bool,
    /// The verdict.
    pub verdict: RunVerdict,
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Usage => 2,
            Self::Failed => 10,
            Self::Gate => 12,
            Self::Leaked => 13,
            Self::SetUp => 20,
            Self::Inconclusive => 21,
            Self::Bug => 101,
            Self::Interrupted => 130,
        }
    }

    /// What it means and what to do next.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "conformant: every binding promise that was tried was kept (or the command is done)",
            Self::Usage => {
                "wrong usage or unreadable input: the message says what was wrong and what exists; nothing was changed"
            }
            Self::Failed => {
                "nonconformant: at least one case failed; its block says what was wanted and what came"
            }
            Self::Gate => "a gate failed, such as a regression against a baseline",
            Self::Leaked => "conformant, but something was left behind that could not be taken down",
            Self::SetUp => {
                "set-up failed, or something could not be written: no verdict; the message names it, `waymark doctor` checks the machine"
            }
            Self::Inconclusive => {
                "inconclusive: something could not be judged, and nothing failed; trying again is sane"
            }
            Self::Bug => "a bug in waymark: please report it with the run directory",
            Self::Interrupted => {
                "interrupted by Ctrl-C or a signal; what ran is reported, the rest is not-run"
            }
        }
    }

    /// The end of a run, the gravest first.
    pub const fn of(held: Held) -> Self {
        match held {
            Held { interrupted: true, .. } => Self::Interrupted,
            Held { set_up_failed: true, .. } => Self::SetUp,
            Held { verdict: RunVerdict::Nonconformant, .. } => Self::Failed,
            Held { verdict: RunVerdict::Inconclusive, .. } => Self::Inconclusive,
            Held { leaked: true, .. } => Self::Leaked,
            Held { verdict: RunVerdict::Conformant, .. } => Self::Ok,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use waymark_reports::verdict::RunVerdict::{self, Conformant, Inconclusive, Nonconformant};

    use super::{Exit, Held};

    #[rstest]
    #[case(false, false, false, Conformant, 0)]
    #[case(false, false, true, Conformant, 13)]
    #[case(false, false, true, Nonconformant, 10)]
    #[case(false, false, false, Inconclusive, 21)]
    #[case(false, true, false, Inconclusive, 20)]
    #[case(true, true, true, Nonconformant, 130)]
    fn the_gravest_wins(
        #[case] interrupted: bool,
        #[case] set_up_failed: bool,
        #[case] leaked: bool,
        #[case] verdict: RunVerdict,
        #[case] want: u8,
    ) {
        assert_eq!(Exit::of(Held { interrupted, set_up_failed, leaked, verdict }).code(), want);
    }
}
