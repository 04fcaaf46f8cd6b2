//! Waiting has one home: [`Converge`] looks again and again until a claim holds, and nothing else sleeps.
//!
//! Three ways to wait: [`Converge::must`] (true several times in a row within a budget), [`Converge::must_never`]
//! (not once in a window) and [`Converge::until`] (an object's status, with the reason why not yet).

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// How long each kind of waiting may take, and how densely it looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budgets {
    /// How many looks in a row must hold before a claim counts as settled.
    pub streak: u32,
    /// From the first look until a claim about traffic must have settled.
    pub traffic: Duration,
    /// Until an object's status must say what it should (route accepted, Service bound).
    pub status: Duration,
    /// Until a log must have been written; Envoy flushes its access log every second.
    pub log: Duration,
    /// Until pods must be available and a Gateway programmed.
    pub rollout: Duration,
    /// The shortest window in which something must not happen.
    pub never_floor: Duration,
    /// The longest such window.
    pub never_ceiling: Duration,
    /// The window is this many times the slowest positive propagation seen in the run.
    pub never_factor: u32,
    /// The pause after the first look; it doubles up to `pause_ceiling`.
    pub pause: Duration,
    /// The longest pause between two looks.
    pub pause_ceiling: Duration,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            streak: 3,
            traffic: Duration::from_secs(20),
            status: Duration::from_secs(30),
            log: Duration::from_secs(30),
            rollout: Duration::from_secs(120),
            never_floor: Duration::from_millis(500),
            never_ceiling: Duration::from_secs(10),
            never_factor: 3,
            pause: Duration::from_millis(10),
            pause_ceiling: Duration::from_millis(160),
        }
    }
}

/// What one look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look<T> {
    /// The claim held.
    Met(T),
    /// It did not hold; the text says why not (yet).
    Unmet(String),
}

/// A claim that came true and stayed true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled<T> {
    /// What the last look of the streak found.
    pub value: T,
    /// How many looks it took, the streak included.
    pub attempts: u32,
    /// From the first look to the first one of the streak.
    pub after: Duration,
}

/// Why waiting ended without the claim.
#[derive(Debug, thiserror::Error)]
pub enum Missed<E> {
    /// The budget ran out.
    #[error("wait {budget:?} ({attempts} looks) for {what}; last seen: {last}")]
    Late {
        /// What was waited for.
        what: String,
        /// How long.
        budget: Duration,
        /// How many looks.
        attempts: u32,
        /// What the last look saw.
        last: String,
    },
    /// What must never happen did.
    #[error("{what} happened after {after:?} (window {window:?}): {seen}")]
    Happened {
        /// What must not happen.
        what: String,
        /// When it did, from the start of the window.
        after: Duration,
        /// The window.
        window: Duration,
        /// What was seen.
        seen: String,
    },
    /// Looking itself failed.
    #[error(transparent)]
    Broken(E),
}

/// The slowest positive propagation of the run so far, shared by all cases of it.
#[derive(Debug, Clone, Default)]
pub struct Pace(Arc<AtomicU64>);

impl Pace {
    /// Notes how long a change took to be effective.
    pub fn note(&self, took: Duration) {
        self.0.fetch_max(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// The slowest change noted.
    #[must_use]
    pub fn slowest(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// Waits, by the budgets and the pace of a run.
#[derive(Debug, Clone, Default)]
pub struct Converge {
    budgets: Budgets,
    pace: Pace,
}

impl Converge {
    /// Waits by `budgets`, sharing `pace` with the rest of the run.
    #[must_use]
    pub fn new(budgets: Budgets, pace: Pace) -> Self {
        Self { budgets, pace }
    }

    /// The budgets it waits by.
    #[must_use]
    pub fn budgets(&self) -> &Budgets {
        &self.budgets
    }

    /// The pace it shares.
    #[must_use]
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Looks until the claim held `streak` times in a row within the traffic budget, and notes the pace.
    ///
    /// # Errors
    /// [`Missed::Late`] with what was seen last; [`Missed::Broken`] at once when a look fails.
    pub async fn must<T, E, F, Fut>(&self, what: &str, look: F) -> Result<Settled<T>, Missed<E>>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<Look<T>, E>>,
    {
        let settled = self.hold(what, self.budgets.streak, self.budgets.traffic, look).await?;
        self.pace.note(settled.after);
        Ok(settled)
    }

    /// Looks through a window that follows from the pace, in which the claim must not hold once.
    ///
    /// # Errors
    /// [`Missed::Happened`] when it did; [`Missed::Broken`] at once when a look fails.
    pub async fn must_never<T: std::fmt::Debug, E, F, Fut>(
        &self,
        what: &str,
        mut look: F,
    ) -> Result<(), Missed<E>>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<Look<T>, E>>,
    {
        let window = self.never_window();
        let start = Instant::now();
        let mut pause = self.budgets.pause;
        while start.elapsed() < window {
            if let Look::Met(seen) = look().await.map_err(Missed::Broken)? {
                let what = what.to_owned();
                return Err(Missed::Happened {
                    what,
                    after: start.elapsed(),
                    window,
                    seen: format!("{seen:?}"),
                });
            }
            self.rest(&mut pause).await;
        }
        Ok(())
    }

    /// Looks until an object's status says what it should.
    ///
    /// # Errors
    /// [`Missed::Late`] with the reason why not yet; [`Missed::Broken`] at once when a look fails.
    pub async fn until<T, E, F, Fut>(&self, what: &str, look: F) -> Result<Settled<T>, Missed<E>>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<Look<T>, E>>,
    {
        self.hold(what, 1, self.budgets.status, look).await
    }

    /// Like [`Converge::until`], for what a log must tell.
    ///
    /// # Errors
    /// As [`Converge::until`].
    pub async fn logged<T, E, F, Fut>(&self, what: &str, look: F) -> Result<Settled<T>, Missed<E>>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<Look<T>, E>>,
    {
        self.hold(what, 1, self.budgets.log, look).await
    }

    /// Like [`Converge::logged`], for what a counter must tell; it must tell it several times in a row.
    ///
    /// # Errors
    /// As [`Converge::until`].
    pub async fn counted<T, E, F, Fut>(&self, what: &str, look: F) -> Result<Settled<T>, Missed<E>>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<Look<T>, E>>,
    {
        self.hold(what, self.budgets.streak, self.budgets.log, look).await
    }

    /// Like [`Converge::until`], for pods and Gateways, which take longer.
    ///
    /// # Errors
    /// As [`Converge::until`].
    pub async fn rollout<T, E, F, Fut>(&self, what: &str, look: F) -> Result<Settled<T>, Missed<E>>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<Look<T>, E>>,
    {
        self.hold(what, 1, self.budgets.rollout, look).await
    }

    /// The window in which something must not happen.
    #[must_use]
    pub fn never_window(&self) -> Duration {
        (self.pace.slowest() * self.budgets.never_factor)
            .clamp(self.budgets.never_floor, self.budgets.never_ceiling)
    }

    async fn hold<T, E, F, Fut>(
        &self,
        what: &str,
        streak: u32,
        budget: Duration,
        mut look: F,
    ) -> Result<Settled<T>, Missed<E>>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<Look<T>, E>>,
    {
        let start = Instant::now();
        let (mut attempts, mut held, mut after) = (0, 0, Duration::ZERO);
        let mut pause = self.budgets.pause;
        let mut last = String::from("nothing");
        loop {
            let begun = start.elapsed();
            // A look that never returns is cut at the end of the budget, so that nothing hangs.
            let seen = match tokio::time::timeout(budget.saturating_sub(begun), look()).await {
                Ok(seen) => seen.map_err(Missed::Broken)?,
                Err(_) => return Err(Missed::Late { what: what.to_owned(), budget, attempts, last }),
            };
            attempts += 1;
            match seen {
                Look::Met(value) => {
                    if held == 0 {
                        after = begun;
                    }
                    held += 1;
                    if held >= streak {
                        return Ok(Settled { value, attempts, after });
                    }
                }
                Look::Unmet(why) => {
                    (held, last) = (0, why);
                    if start.elapsed() + pause >= budget {
                        return Err(Missed::Late { what: what.to_owned(), budget, attempts, last });
                    }
                    self.rest(&mut pause).await;
                }
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one home of waiting")]
    async fn rest(&self, pause: &mut Duration) {
        tokio::time::sleep(*pause).await;
        *pause = (*pause * 2).min(self.budgets.pause_ceiling);
    }
}

#[cfg(test)]
#[path = "converge_tests.rs"]
mod tests;
