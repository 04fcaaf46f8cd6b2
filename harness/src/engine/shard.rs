//! Sharding: several processes share one selection, each trying a part of its own.

use std::fmt;
use std::str::FromStr;

use waymark_reports::events;

use super::Trial;
use crate::case::Isolation;

/// One part of a selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which one, from 1.
    pub index: u32,
    /// Of how many.
    pub of: u32,
}

impl Shard {
    /// Its trials, in their order. Every trial of the selection is in exactly one shard; which one follows from the
    /// selection alone. Each isolation class, and so the time it takes, is dealt out evenly.
    pub fn share<C>(self, selection: Vec<Trial<C>>) -> Vec<Trial<C>> {
        let mut dealt: Vec<usize> = (0..selection.len()).collect();
        // stable, so that within a class the order of the listing decides
        dealt.sort_by_key(|index| rank(&selection[*index]));
        let mut mine = vec![false; selection.len()];
        for (position, index) in dealt.into_iter().enumerate() {
            mine[index] = position % self.of as usize == (self.index - 1) as usize;
        }
        selection.into_iter().zip(mine).filter_map(|(trial, mine)| mine.then_some(trial)).collect()
    }
}

/// The longest-running class first; what does not run comes last.
fn rank<C>(trial: &Trial<C>) -> u8 {
    match trial.case.isolation {
        _ if trial.left_out.is_some() => 5,
        Isolation::Mesh => 0,
        Isolation::Namespace => 1,
        Isolation::Bare => 2,
        Isolation::Workload => 3,
        Isolation::Host => 4,
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/');
        let numbers = numbers.and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((index, of)) if 0 < index && index <= of => Ok(Self { index, of }),
            _ => Err("a shard is I/N with I from 1 to N, such as 1/3".to_owned()),
        }
    }
}

impl From<Shard> for events::Shard {
    fn from(Shard { index, of }: Shard) -> Self {
        Self { index, of }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use futures::FutureExt;
    use rstest::rstest;

    use super::Shard;
    use crate::case::Isolation::{Host, Mesh, Namespace, Workload};
    use crate::engine::catalogue;
    use crate::engine::fake::{World, case, suite};
    use crate::engine::{Trial, entropy};

    /// A selection of pseudo-random length and classes.
    fn selection(seed: u64) -> Vec<Trial<World>> {
        let classes = [Host, Host, Host, Workload, Namespace, Mesh];
        let length = seed % 57;
        let cases = (0..length).map(|number| {
            let pick = (seed.rotate_left(u32::try_from(number).unwrap()) % 6) as usize;
            let name = String::leak(format!("case_{number}"));
            case(name, classes[pick], |_| async { Ok(()) }.boxed())
        });
        let mut trials = catalogue(&[suite(cases.collect())]);
        for trial in trials.iter_mut().skip(3).step_by(7) {
            trial.left_out = Some("excluded".to_owned());
        }
        trials
    }

    #[test]
    fn shards_are_disjoint_complete_stable_and_even() {
        for round in 0..200_u64 {
            let seed = entropy().wrapping_mul(round * 2 + 1);
            let (all, of) = (selection(seed), u32::try_from(round % 7).unwrap() + 1);
            let shares: Vec<_> = (1..=of).map(|index| Shard { index, of }.share(all.clone())).collect();
            let names: Vec<_> = shares.iter().flatten().map(|trial| trial.name.clone()).collect();
            let distinct: BTreeSet<_> = names.iter().collect();
            assert_eq!((distinct.len(), names.len()), (all.len(), all.len()), "seed {seed}");
            for isolation in [Host, Workload, Namespace, Mesh] {
                let count = |share: &Vec<Trial<World>>| {
                    let runs = |trial: &&Trial<World>| trial.left_out.is_none();
                    share.iter().filter(runs).filter(|trial| trial.case.isolation == isolation).count()
                };
                let counts: Vec<_> = shares.iter().map(count).collect();
                assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "seed {seed}");
            }
            let again = Shard { index: 1, of }.share(all.clone());
            let same = again.iter().map(|trial| &trial.name).eq(shares[0].iter().map(|trial| &trial.name));
            assert!(same, "seed {seed}");
            let listed = shares[0].windows(2).all(|pair| pair[0].id < pair[1].id);
            assert!(listed, "in the order of the listing, seed {seed}");
        }
    }

    #[rstest]
    #[case("1/3", Some((1, 3)))]
    #[case("3/3", Some((3, 3)))]
    #[case("0/3", None)]
    #[case("4/3", None)]
    #[case("1", None)]
    #[case("a/b", None)]
    #[case("-1/3", None)]
    fn shards_are_read(#[case] text: &str, #[case] want: Option<(u32, u32)>) {
        assert_eq!(text.parse::<Shard>().ok(), want.map(|(index, of)| Shard { index, of }));
    }
}
