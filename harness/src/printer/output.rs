//! Writing to stdout and stderr. What went wrong with stdout is remembered until the process ends.

use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;

/// Why something that was meant for stdout is lost; the first error explains it.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Writes all of it to stdout.
pub(super) fn to_stdout(text: &str) {
    if cfg!(test) {
        return; // the harness of unit tests captures macros only, and its own output must stay readable
    }
    if let Err(error) = write(&mut io::stdout().lock(), text) {
        let _earlier = LOST.set(error);
    }
}

/// Writes all of it to stderr, where nobody is left to be told of an error.
pub(super) fn to_stderr(text: &str) {
    if cfg!(test) {
        return;
    }
    let _lost = write(&mut io::stderr().lock(), text);
}

/// Why something that was meant for stdout is lost, if it is.
pub fn lost() -> Option<&'static io::Error> {
    LOST.get()
}

/// A reader that went away is not our trouble.
fn write(to: &mut dyn Write, text: &str) -> io::Result<()> {
    match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, ErrorKind, Write};

    use rstest::rstest;

    use super::write;

    struct Failing(ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[rstest]
    #[case::full(ErrorKind::StorageFull, Some(ErrorKind::StorageFull))]
    #[case::reader_gone(ErrorKind::BrokenPipe, None)]
    fn only_a_reader_that_left_is_no_error(#[case] kind: ErrorKind, #[case] want: Option<ErrorKind>) {
        assert_eq!(write(&mut Failing(kind), "text").err().map(|error| error.kind()), want);
    }
}
