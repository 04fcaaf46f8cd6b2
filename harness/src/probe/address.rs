//! Where a client is.

use super::Client;
use crate::case::Broken;

impl Client<'_> {
    /// The address of its pod, as the mesh sees it.
    ///
    /// # Errors
    /// A client whose pod has no address.
    pub fn address(self) -> Result<String, Broken> {
        let pod = self.ctx.stage().sender(self.sender)?.pod();
        let address = pod.addresses.first();
        let address =
            address.ok_or_else(|| Broken::new(format!("the pod of {} has no address", self.sender)))?;
        Ok(address.to_string())
    }
}
