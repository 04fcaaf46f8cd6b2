//! Ending a run early, in two steps: orderly, then at once.

use tokio_util::sync::CancellationToken;

/// Shared by everything that must end when the user says so.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    orderly: CancellationToken,
    now: CancellationToken,
}

impl Stop {
    /// Ends the run: the first call starts no more cases, cancels the running ones and lets them clean up;
    /// the second one ends at once. Says which one it was.
    pub fn request(&self) -> Request {
        if self.orderly.is_cancelled() {
            self.now.cancel();
            return Request::Now;
        }
        self.orderly.cancel();
        Request::Orderly
    }

    /// Whether the run is ending.
    pub fn is_stopping(&self) -> bool {
        self.orderly.is_cancelled()
    }

    /// Resolves when the run is to end, in good order.
    pub async fn orderly(&self) {
        self.orderly.cancelled().await;
    }

    /// Resolves when the run is to end at once.
    pub async fn now(&self) {
        self.now.cancelled().await;
    }
}

/// Which request to stop it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// The first: clean up and report.
    Orderly,
    /// The second: leave.
    Now,
}
