//! Ranges of Istio releases, such as `>=1.24, <1.31`.

/// Releases (major, minor) for which all comparisons hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Range(Vec<(Bound, (u16, u16))>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    AtLeast,
    AtMost,
    Above,
    Below,
    Same,
}

/// The order matters: the longer sign first.
const SIGNS: [(&str, Bound); 5] = [
    (">=", Bound::AtLeast),
    ("<=", Bound::AtMost),
    (">", Bound::Above),
    ("<", Bound::Below),
    ("=", Bound::Same),
];

impl Range {
    /// Understands comparisons joined by commas; a bare release means exactly that one.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let bounds = text.split(',').map(str::trim).map(bound).collect::<Result<_, _>>()?;
        let range = Self(bounds);
        if releases().any(|release| range.holds(release)) {
            return Ok(range);
        }
        Err(format!("no release is in the range `{text}`"))
    }

    /// Whether a release is in it.
    pub(super) fn holds(&self, release: (u16, u16)) -> bool {
        self.0.iter().all(|(bound, of)| match bound {
            Bound::AtLeast => release >= *of,
            Bound::AtMost => release <= *of,
            Bound::Above => release > *of,
            Bound::Below => release < *of,
            Bound::Same => release == *of,
        })
    }

    /// Whether some release is in both.
    pub(super) fn meets(&self, other: &Self) -> bool {
        releases().any(|release| self.holds(release) && other.holds(release))
    }
}

fn bound(text: &str) -> Result<(Bound, (u16, u16)), String> {
    let signed = SIGNS.iter().find_map(|(sign, bound)| Some((*bound, text.strip_prefix(sign)?)));
    let (bound, release) = signed.unwrap_or((Bound::Same, text));
    let numbers = release.trim().split_once('.').and_then(|(major, minor)| {
        let (major, minor) = (major.parse().ok()?, minor.parse().ok()?);
        Some((major, minor))
    });
    numbers.map(|release| (bound, release)).ok_or_else(|| {
        format!("`{text}` is no comparison with a release; releases are judged by major and minor")
    })
}

/// Every release that a range could be about.
fn releases() -> impl Iterator<Item = (u16, u16)> {
    (1..=2).flat_map(|major| (0..=199).map(move |minor| (major, minor)))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Range;

    #[rstest]
    #[case(">=1.24, <1.31", &[(1, 24), (1, 30)], &[(1, 23), (1, 31), (2, 0)])]
    #[case("1.24", &[(1, 24)], &[(1, 25)])]
    #[case("=1.24", &[(1, 24)], &[(1, 2)])]
    #[case(">1.24,<=1.26", &[(1, 25), (1, 26)], &[(1, 24), (1, 27)])]
    #[case(">=1.9", &[(1, 31), (2, 0)], &[(1, 8)])]
    fn ranges_hold(#[case] text: &str, #[case] inside: &[(u16, u16)], #[case] outside: &[(u16, u16)]) {
        let range = Range::parse(text).unwrap();
        assert!(inside.iter().all(|release| range.holds(*release)));
        assert!(!outside.iter().any(|release| range.holds(*release)));
    }

    #[rstest]
    #[case(">=1.24.1")]
    #[case("~1.24")]
    #[case("")]
    #[case(">=1.24,")]
    #[case(">=1.31, <1.24")]
    fn what_is_no_range_is_refused(#[case] text: &str) {
        Range::parse(text).unwrap_err();
    }

    #[test]
    fn ranges_meet_where_one_release_is_in_both() {
        let range = |text| Range::parse(text).unwrap();
        assert!(range(">=1.24").meets(&range("<1.25")));
        assert!(!range(">=1.25").meets(&range("<1.25")));
        assert!(Range::default().meets(&range("1.31")));
    }
}
