//! Ending a run early, in two steps: orderly, then at once.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

/// Shared by everything that must end when the user says so.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    orderly: CancellationToken,
    now: CancellationToken,
    ran_out: Arc<OnceLock<String>>,
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

    /// Ends the run in good order because it used its time up; `why` names the budget.
    pub fn expire(&self, why: impl Into<String>) {
        if !self.is_stopping() {
            let _first = self.ran_out.set(why.into());
            self.orderly.cancel();
        }
    }

    /// Why the run had no time left; none when it was not time that ended it.
    pub fn ran_out(&self) -> Option<&str> {
        self.ran_out.get().map(String::as_str)
    }

    /// What ended the run, as the reason of a case that it cut short.
    pub fn word(&self) -> &'static str {
        if self.ran_out().is_some() { "out of time" } else { "interrupted" }
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
