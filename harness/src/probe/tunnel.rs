//! Requests in a tunnel that the client opens itself.

use waymark_echo::api::Protocol;

use super::Probe;

impl Probe<'_> {
    /// Sends the request through an HBONE tunnel that the client opens to the URL's address itself, with a certificate of
    /// a CA that the mesh does not know, asking for `authority`.
    pub fn with_foreign_certificate(mut self, authority: &str) -> Self {
        self.request.protocol = Protocol::ForeignHbone;
        self.request = self.request.header("host", authority);
        self
    }
}
