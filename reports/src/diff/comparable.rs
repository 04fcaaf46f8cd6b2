//! What two runs must have in common to be compared.

use std::fmt;

use serde::Serialize;

use crate::result::{Run, RunResult};

/// One thing in which two runs differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// In what, such as `selection`.
    pub what: String,
    /// What the base has.
    pub base: String,
    /// What the head has.
    pub head: String,
}

/// Two runs whose comparison would say nothing about the mesh.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Incomparable {
    /// Id of the base.
    pub base: String,
    /// Id of the head.
    pub head: String,
    /// Every difference.
    pub differences: Vec<Difference>,
}

impl Difference {
    /// None when there is no difference.
    pub(super) fn of(what: &str, base: String, head: String) -> Option<Self> {
        (base != head).then(|| Self { what: what.to_owned(), base, head })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} → {}", self.what, self.base, self.head)
    }
}

impl fmt::Display for Incomparable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "runs `{}` and `{}` are not comparable", self.base, self.head)?;
        for difference in &self.differences {
            write!(f, "\n  {difference}")?;
        }
        Ok(())
    }
}

/// Where the runs differ although they must not.
pub(super) fn mismatches(base: &RunResult, head: &RunResult) -> Vec<Difference> {
    let dimension = |what: &str, of: fn(&Run) -> String| Difference::of(what, of(&base.run), of(&head.run));
    [
        dimension("waymark", |run| run.waymark.clone()),
        dimension("target", |run| run.target.clone()),
        dimension("selection", |run| words(&run.selection, "all")),
        dimension("shard", |run| {
            run.shard.map_or_else(|| "none".to_owned(), |shard| format!("{}/{}", shard.index, shard.of))
        }),
        dimension("sabotage", |run| words(&run.sabotage, "none")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The words in an order of their own: `a b` selects what `b a` does.
fn words(words: &[String], none: &str) -> String {
    let mut words = words.to_vec();
    words.sort_unstable();
    words.dedup();
    if words.is_empty() { none.to_owned() } else { format!("`{}`", words.join(" ")) }
}
