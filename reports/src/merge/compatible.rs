//! Which runs may become one.

use super::member::Member;
use crate::events::{Part, RunStarted, Shard};

/// Why runs cannot be merged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There is nothing to merge.
    #[error("merging takes at least two runs")]
    TooFew,
    /// The events of a run do not begin with its start.
    #[error("the {position}. run has no event `run.started`")]
    NoRun {
        /// From 1, as given.
        position: usize,
    },
    /// A run was given twice.
    #[error("run `{run}` is given twice")]
    Twice {
        /// Its id.
        run: String,
    },
    /// Two runs differ in what must be the same.
    #[error("runs differ in {what}: `{left}` has {left_value}, `{right}` has {right_value}")]
    Differ {
        /// In what, such as `istio`.
        what: String,
        /// Id of one run.
        left: String,
        /// What it has.
        left_value: String,
        /// Id of the other.
        right: String,
        /// What it has.
        right_value: String,
    },
    /// Two runs are the same shard.
    #[error("shard {shard} is there twice: `{left}` and `{right}`")]
    ShardTwice {
        /// Such as `2/3`.
        shard: String,
        /// Id of one run.
        left: String,
        /// Id of the other.
        right: String,
    },
    /// Not all shards are there.
    #[error("shard {} is missing; there is {}", missing.join(", "), present.join(", "))]
    ShardMissing {
        /// Such as `2/3`.
        missing: Vec<String>,
        /// Those that are there, such as ``1/3 (run `20261125-091403-k7f2`)``.
        present: Vec<String>,
    },
}

/// Whether the members may become one run.
pub(super) fn check(members: &[Member<'_>]) -> Result<(), MergeError> {
    let [first, rest @ ..] = members else { return Err(MergeError::TooFew) };
    if rest.is_empty() {
        return Err(MergeError::TooFew);
    }
    for (index, member) in members.iter().enumerate() {
        if members[..index].iter().any(|other| other.id == member.id) {
            return Err(MergeError::Twice { run: member.id.to_owned() });
        }
    }
    for other in rest {
        for (what, of) in SAME {
            same(what, (first, of(first.started)), (other, of(other.started)))?;
        }
    }
    for (index, other) in members.iter().enumerate() {
        for earlier in &members[..index] {
            same_parts(earlier, other)?;
        }
    }
    let sharded: Vec<(&Member<'_>, Shard)> =
        members.iter().filter_map(|member| Some((member, member.started.shard?))).collect();
    shards(&sharded)
}

type Dimension = (&'static str, fn(&RunStarted) -> String);

const SAME: [Dimension; 4] = [
    ("waymark", |run| run.waymark.clone()),
    ("target", |run| run.target.clone()),
    ("istio", |run| run.istio.clone()),
    ("sabotage", |run| words(&run.sabotage)),
];

const SAME_OF_SHARDS: [Dimension; 3] = [
    ("number of shards", |run| run.shard.map_or_else(String::new, |shard| shard.of.to_string())),
    ("seed", |run| run.seed.map_or_else(|| "none".to_owned(), |seed| seed.to_string())),
    ("selection", |run| words(&run.selection)),
];

fn same(
    what: &str,
    (left, left_value): (&Member<'_>, String),
    (right, right_value): (&Member<'_>, String),
) -> Result<(), MergeError> {
    if left_value == right_value {
        return Ok(());
    }
    let (left, right) = (left.id.to_owned(), right.id.to_owned());
    Err(MergeError::Differ { what: what.to_owned(), left, left_value, right, right_value })
}

/// The same parts: a verdict about one ztunnel says nothing about another.
fn same_parts(left: &Member<'_>, right: &Member<'_>) -> Result<(), MergeError> {
    for part in left.parts {
        let Some(other) = right.parts.iter().find(|other| other.name == part.name) else { continue };
        let by_digest = part.origin == "path" || other.origin == "path";
        same(&part.name, (left, described(part, by_digest)), (right, described(other, by_digest)))?;
    }
    Ok(())
}

fn described(part: &Part, by_digest: bool) -> String {
    let kind = if part.stand_in { " (stand-in)" } else { "" };
    let digest = part.digest.as_deref().filter(|_| by_digest).map(|digest| format!(" {digest}"));
    format!("{}{kind}{}", part.version, digest.unwrap_or_default())
}

fn shards(sharded: &[(&Member<'_>, Shard)]) -> Result<(), MergeError> {
    let [(first, shard), rest @ ..] = sharded else { return Ok(()) };
    for (other, _) in rest {
        for (what, of) in SAME_OF_SHARDS {
            same(what, (first, of(first.started)), (other, of(other.started)))?;
        }
    }
    let named = |index: u32| format!("{index}/{}", shard.of);
    let mut missing = Vec::new();
    for index in 1..=shard.of {
        let mut those = sharded.iter().filter(|(_, shard)| shard.index == index).map(|(member, _)| member.id);
        match (those.next(), those.next()) {
            (Some(left), Some(right)) => {
                let (left, right) = (left.to_owned(), right.to_owned());
                return Err(MergeError::ShardTwice { shard: named(index), left, right });
            }
            (Some(_), None) => {}
            (None, _) => missing.push(named(index)),
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let present =
        sharded.iter().map(|(member, shard)| format!("{} (run `{}`)", named(shard.index), member.id));
    Err(MergeError::ShardMissing { missing, present: present.collect() })
}

fn words(words: &[String]) -> String {
    if words.is_empty() { "none".to_owned() } else { format!("`{}`", words.join(" ")) }
}
