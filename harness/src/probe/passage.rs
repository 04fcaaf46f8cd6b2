//! Where an exchange went.

use std::net::IpAddr;

use waymark_echo::api::Exchange;

use crate::expect::Sight;

/// Whether a waypoint had its hand in an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passage {
    /// A backend answered, and saw the waypoint.
    Backend,
    /// No backend answered, so that the waypoint did.
    Waypoint,
    /// A backend answered, and saw no waypoint.
    Around,
    /// Nobody answered.
    Unsure,
}

/// How an exchange went.
pub(super) fn passage(exchange: &Exchange, sight: &Sight) -> Passage {
    let seen = |peer: IpAddr| sight.waypoints.values().flatten().any(|it| *it == peer);
    match (exchange.response(), exchange.echo()) {
        (None, _) => Passage::Unsure,
        (Some(_), Some(echo)) if seen(echo.peer.ip()) => Passage::Backend,
        (Some(_), Some(_)) => Passage::Around,
        (Some(_), None) => Passage::Waypoint,
    }
}

/// The host of a URL.
pub(super) fn host(url: &str) -> &str {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    rest.split(['/', ':', '?']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::host;

    #[rstest]
    #[case("http://shop.ns:81/a", "shop.ns")]
    #[case("http://shop.ns/?a:b", "shop.ns")]
    #[case("http://shop.ns?a", "shop.ns")]
    fn a_host_ends_before_port_path_and_query(#[case] url: &str, #[case] want: &str) {
        assert_eq!(host(url), want);
    }
}
