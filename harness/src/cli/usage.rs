//! Wrong usage: what was wrong, and what exists instead. Exit code 2.

use std::fmt;

/// A mistake of the user that a look at what exists can mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Usage {
    /// What was wrong, such as ``no case matches `header_mach` ``.
    pub what: String,
    /// What introduces the list, such as `did you mean` or `releases`.
    pub hint: String,
    /// What exists.
    pub exists: Vec<String>,
    /// The long name of the flag whose value it was, which may have come from elsewhere.
    pub flag: Option<&'static str>,
}

impl Usage {
    /// `what` was wrong; `hint` introduces what `exists`.
    pub fn new(
        what: impl Into<String>,
        hint: impl Into<String>,
        exists: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let exists = exists.into_iter().map(Into::into).collect();
        Self { what: what.into(), hint: hint.into(), exists, flag: None }
    }

    /// The same about the value of a flag.
    #[must_use]
    pub fn of_flag(self, flag: &'static str) -> Self {
        Self { flag: Some(flag), ..self }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        match self.exists.as_slice() {
            [] => write!(f, "\n  {}", self.hint),
            exists => write!(f, "\n  {}:\n    {}", self.hint, exists.join("\n    ")),
        }
    }
}
