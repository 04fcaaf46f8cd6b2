//! What the backend saw of a request, besides its headers.

use waymark_echo::api::Exchange;

use super::{Expectation, summary};
use crate::stage::cast::Backend;

/// A claim about the request as it reached a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// The path, without query.
    Path(String),
    /// The host that the request names.
    Host(String),
    /// It was not this backend.
    NotBy(Backend),
}

/// The backend saw this path, without query.
#[must_use]
pub fn path_seen(path: impl Into<String>) -> Expectation {
    of(Seen::Path(path.into()))
}

/// The backend saw this host, as `host` or `:authority`.
#[must_use]
pub fn host_seen(host: impl Into<String>) -> Expectation {
    of(Seen::Host(host.into()))
}

/// A backend answered, and it was not this one.
#[must_use]
pub fn not_served_by(backend: Backend) -> Expectation {
    of(Seen::NotBy(backend))
}

fn of(claim: Seen) -> Expectation {
    Expectation { seen: vec![claim], ..Expectation::default() }
}

impl Seen {
    /// The claim in words.
    pub(super) fn want(&self) -> String {
        match self {
            Self::Path(path) => format!("path at the backend: `{path}`"),
            Self::Host(host) => format!("host at the backend: `{host}`"),
            Self::NotBy(backend) => format!("not served by: {}/{}", backend.account(), backend.version()),
        }
    }

    /// What came instead, and whether it agrees.
    pub(super) fn got(&self, exchange: &Exchange) -> (String, bool) {
        let Some(echo) = exchange.echo() else {
            return (format!("at the backend: no backend, {}", summary(exchange)), false);
        };
        match self {
            Self::Path(path) => (format!("path at the backend: `{}`", echo.path), echo.path == *path),
            Self::Host(host) => {
                let seen = echo.authority.as_deref().unwrap_or_default();
                (format!("host at the backend: `{seen}`"), seen == host)
            }
            Self::NotBy(backend) => {
                let same = echo.service_account == backend.account() && echo.version == backend.version();
                (format!("served by: {}/{}", echo.service_account, echo.version), !same)
            }
        }
    }
}
