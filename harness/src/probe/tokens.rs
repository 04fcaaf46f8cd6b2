//! Tokens in requests.

use super::Probe;
use crate::world::Token;

impl Probe<'_> {
    /// Adds a bearer token.
    pub fn bearer(self, token: &Token) -> Self {
        self.token_header("authorization", "Bearer ", token)
    }

    /// Adds a token in a header, after a prefix.
    pub fn token_header(self, name: &str, prefix: &str, token: &Token) -> Self {
        self.header(name, &format!("{prefix}{}", token.text()))
    }

    /// Adds a token as a parameter of the query.
    pub fn token_param(mut self, name: &str, token: &Token) -> Self {
        let mark = if self.request.url.contains('?') { '&' } else { '?' };
        self.request.url = format!("{}{mark}{name}={}", self.request.url, token.text());
        self
    }
}
