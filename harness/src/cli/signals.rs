//! Ctrl-C and SIGTERM: the first ends the run in good order, the second at once.

use tokio::signal::unix::{SignalKind, signal};

use crate::case::Broken;
use crate::engine::Stop;
use crate::engine::stop::Request;
use crate::printer::Console;

/// Listens from now on, in a task of its own.
pub(crate) fn watch(stop: Stop, console: Console) -> Result<(), Broken> {
    let listen = |kind| signal(kind).map_err(|error| Broken::with("listen for signals", error));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                Some(()) = interrupt.recv() => {}
                Some(()) = terminate.recv() => {}
                else => return,
            }
            match stop.request() {
                Request::Orderly => console.err("stopping in good order (again: leave at once)"),
                Request::Now => console.err("stopping at once"),
            }
        }
    });
    Ok(())
}
