//! Whose turn it is on a cluster that several processes use: a `Mesh` case is alone, all others run side by side, as
//! many as there are seats.
//!
//! Locks on files beside the claim, not a Kubernetes Lease: a kept cluster is used from its own machine only, the
//! kernel takes a lock back the moment its holder is killed, and there is no clock, no renewal and no request to the API
//! server on the way of a case. A Lease has one holder, so that shared holding would have to be counted in it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FlockOperation, flock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{lock, open};
use crate::engine::entropy;

/// Gives turns on one cluster.
#[derive(Clone, Debug)]
pub struct Turns {
    /// Held by whoever waits for the room, so that those who want to be alone are not overtaken for ever.
    door: PathBuf,
    /// Held by whoever has a turn.
    room: PathBuf,
    /// Each held by one of those who run side by side: what a change costs at a waypoint rises with all others.
    seats: Vec<PathBuf>,
    /// As many as there are seats, so that the cases of one process do not queue for a seat while others are free.
    own: Arc<Semaphore>,
}

/// A turn, which ends when it is dropped or its process ends.
#[derive(Debug)]
pub struct Turn {
    _room: File,
    _seat: Option<File>,
    _own: Option<OwnedSemaphorePermit>,
}

impl Turns {
    pub(super) fn beside(claim: &Path, seats: usize) -> Self {
        Self {
            door: claim.with_extension("door"),
            room: claim.with_extension("room"),
            seats: (0..seats).map(|seat| claim.with_extension(format!("seat{seat}"))).collect(),
            own: Arc::new(Semaphore::new(seats)),
        }
    }

    /// Waits for a turn, `alone` or side by side with others. A wait that is dropped gives back what it gets.
    ///
    /// # Errors
    /// The system's reason.
    pub async fn take(&self, alone: bool) -> io::Result<Turn> {
        let own = match alone {
            true => None,
            false => Some(Arc::clone(&self.own).acquire_owned().await.map_err(io::Error::other)?),
        };
        let turns = self.clone();
        let taken = tokio::task::spawn_blocking(move || turns.wait(alone)).await;
        let (room, seat) = taken.map_err(io::Error::other)??;
        Ok(Turn { _room: room, _seat: seat, _own: own })
    }

    /// The seat comes first: who waits for one must not hold up a case that wants to be alone.
    fn wait(&self, alone: bool) -> io::Result<(File, Option<File>)> {
        let seat = if alone { None } else { self.seat()? };
        let door = open(&self.door)?;
        lock(&door, FlockOperation::LockExclusive)?;
        let room = open(&self.room)?;
        lock(&room, if alone { FlockOperation::LockExclusive } else { FlockOperation::LockShared })?;
        Ok((room, seat))
    }

    fn seat(&self) -> io::Result<Option<File>> {
        for seat in &self.seats {
            let seat = open(seat)?;
            if flock(&seat, FlockOperation::NonBlockingLockExclusive).is_ok() {
                return Ok(Some(seat));
            }
        }
        // All are taken: any one will do, as long as not everybody waits for the same.
        let Some(some) = usize::try_from(entropy()).ok().and_then(|any| any.checked_rem(self.seats.len()))
        else {
            return Ok(None);
        };
        let seat = open(&self.seats[some])?;
        lock(&seat, FlockOperation::LockExclusive)?;
        Ok(Some(seat))
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use futures::poll;

    use super::*;

    fn turns() -> (tempfile::TempDir, Turns) {
        let dir = tempfile::tempdir().unwrap();
        let turns = Turns::beside(&dir.path().join("embedded-1.31.json"), 2);
        (dir, turns)
    }

    fn is_free(path: &Path) -> bool {
        flock(open(path).unwrap(), FlockOperation::NonBlockingLockExclusive).is_ok()
    }

    #[tokio::test]
    async fn others_run_side_by_side_and_a_mesh_case_alone() {
        let (_dir, turns) = turns();
        let (one, two) = (turns.take(false).await.unwrap(), turns.take(false).await.unwrap());
        let mut alone = Box::pin(turns.take(true));
        assert!(matches!(poll!(&mut alone), Poll::Pending), "two others have their turn");
        drop(one);
        assert!(matches!(poll!(&mut alone), Poll::Pending), "another has its turn");
        drop(two);
        let alone = alone.await.unwrap();
        let mut third = Box::pin(turns.take(false));
        assert!(matches!(poll!(&mut third), Poll::Pending), "a mesh case has its turn");
        drop(alone);
        third.await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_wants_to_be_alone_is_not_overtaken() {
        let (_dir, turns) = turns();
        let one = turns.take(false).await.unwrap();
        let alone = tokio::spawn({
            let turns = turns.clone();
            async move { turns.take(true).await.unwrap() }
        });
        while is_free(&turns.door) {
            tokio::task::yield_now().await;
        }
        let late = tokio::spawn(async move { turns.take(false).await.unwrap() });
        assert!(!alone.is_finished() && !late.is_finished());
        drop(one);
        let alone = alone.await.unwrap();
        assert!(!late.is_finished(), "it came after the mesh case");
        drop(alone);
        late.await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_more_run_side_by_side_than_there_are_seats() {
        let (dir, turns) = turns();
        let (one, _two) = (turns.take(false).await.unwrap(), turns.take(false).await.unwrap());
        let other_process = Turns::beside(&dir.path().join("embedded-1.31.json"), 2);
        let mut third = Box::pin(turns.take(false));
        assert!(matches!(poll!(&mut third), Poll::Pending));
        drop(third);
        drop(one);
        let third = other_process.take(false).await.unwrap();
        assert!(turns.seats.iter().all(|seat| !is_free(seat)));
        drop(third);
        turns.take(false).await.unwrap();
    }

    #[tokio::test]
    async fn a_wait_that_is_given_up_leaves_nothing_locked() {
        let (_dir, turns) = turns();
        let one = turns.take(false).await.unwrap();
        let mut alone = Box::pin(turns.take(true));
        assert!(matches!(poll!(&mut alone), Poll::Pending));
        drop(alone);
        drop(one);
        turns.take(true).await.unwrap();
    }
}
