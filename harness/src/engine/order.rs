//! The order of cases: as listed, or shuffled by a seed that repeats it.

use std::hash::{BuildHasher, RandomState};

/// A number that nobody can foresee, for a seed or a run id.
pub fn entropy() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

/// Shuffles by Fisher and Yates; equal seeds give equal orders.
fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed;
    for last in (1..items.len()).rev() {
        let bound = last as u64 + 1;
        let pick = usize::try_from(next(&mut state) % bound).unwrap_or(0);
        items.swap(last, pick);
    }
}

/// `rounds` rounds of `items`, one after the other so that the rounds of one item are spread; each is shuffled anew by
/// a seed.
pub(super) fn rounds<T: Clone>(
    items: Vec<T>,
    rounds: u32,
    seed: Option<u64>,
    again: impl Fn(&T, u32) -> T,
) -> Vec<T> {
    let mut all = Vec::with_capacity(items.len() * rounds as usize);
    for round in 0..rounds {
        let mut one: Vec<T> =
            items.iter().map(|item| if round == 0 { item.clone() } else { again(item, round) }).collect();
        if let Some(seed) = seed {
            shuffle(&mut one, seed.wrapping_add(u64::from(round)));
        }
        all.append(&mut one);
    }
    all
}

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::{rounds, shuffle};

    fn shuffled(seed: u64) -> Vec<u32> {
        let mut items: Vec<u32> = (0..50).collect();
        shuffle(&mut items, seed);
        items
    }

    #[test]
    fn rounds_are_spread_and_each_has_an_order_of_its_own() {
        let all = |seed| rounds((0..20).collect(), 3, seed, |item, round| item + 100 * round);
        let listed: Vec<u32> = (0..20).chain(100..120).chain(200..220).collect();
        assert_eq!(all(None), listed);
        let shuffled = all(Some(7));
        let (first, rest) = shuffled.split_at(20);
        let (second, third) = rest.split_at(20);
        let plain = |round: &[u32]| round.iter().map(|item| item % 100).collect::<Vec<_>>();
        assert!(first.iter().all(|item| *item < 100) && third.iter().all(|item| *item >= 200));
        assert_ne!(plain(first), plain(second));
        assert_eq!(shuffled, all(Some(7)));
    }

    #[test]
    fn a_seed_repeats_its_order_and_loses_nothing() {
        assert_eq!(shuffled(7), shuffled(7));
        assert_ne!(shuffled(7), shuffled(8));
        let mut sorted = shuffled(7);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
    }
}
