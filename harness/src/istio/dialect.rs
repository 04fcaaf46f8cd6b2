//! How Istio differs by version; the only place that knows.

/// A way to speak to Istio about ambient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// From 1.22: labels bind to waypoints, policies attach by targetRefs, service-account scope is emulated.
    From122,
}

/// A version whose dialect is not spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("istio {0}.{1} attaches waypoints and policies in a way that is not supported; from 1.22 it is")]
pub struct Unspoken(pub u16, pub u16);

impl Dialect {
    /// The dialect of a version, by major and minor.
    ///
    /// # Errors
    /// A version before 1.22.
    pub fn of(major: u16, minor: u16) -> Result<Self, Unspoken> {
        if (major, minor) >= (1, 22) { Ok(Self::From122) } else { Err(Unspoken(major, minor)) }
    }

    /// Whether service-account scope is Istio's own, or emulated by labelled Services.
    #[must_use]
    pub fn emulates_service_account_scope(self) -> bool {
        match self {
            Self::From122 => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_122_on() {
        assert_eq!(Dialect::of(1, 31), Ok(Dialect::From122));
        assert_eq!(Dialect::of(1, 22), Ok(Dialect::From122));
        assert_eq!(Dialect::of(2, 0), Ok(Dialect::From122));
        assert_eq!(Dialect::of(1, 21), Err(Unspoken(1, 21)));
    }
}
