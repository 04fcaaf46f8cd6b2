//! The order of cases: as listed, or shuffled by a seed that repeats it.

use std::hash::{BuildHasher, RandomState};

/// A number that nobody can foresee, for a seed or a run id.
pub fn entropy() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

/// Shuffles by Fisher and Yates; equal seeds give equal orders.
pub(super) fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed;
    for last in (1..items.len()).rev() {
        let bound = last as u64 + 1;
        let pick = usize::try_from(next(&mut state) % bound).unwrap_or(0);
        items.swap(last, pick);
    }
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
    use super::shuffle;

    fn shuffled(seed: u64) -> Vec<u32> {
        let mut items: Vec<u32> = (0..50).collect();
        shuffle(&mut items, seed);
        items
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
