use underpin_core::Result;

use crate::target::Target;

/// What names a target: a [`Target`], or its text: `head`, `heads`, `base`, `+2`, `-1`, an
/// id or its unique beginning, or any of these on a branch: `shop@head`.
pub trait IntoTarget {
    /// The target.
    ///
    /// # Errors
    /// `Class::Config` for a text that is none.
    fn into_target(self) -> Result<Target>;
}

impl IntoTarget for Target {
    fn into_target(self) -> Result<Target> {
        Ok(self)
    }
}

impl IntoTarget for &Target {
    fn into_target(self) -> Result<Target> {
        Ok(self.clone())
    }
}

impl IntoTarget for &str {
    fn into_target(self) -> Result<Target> {
        self.parse()
    }
}

impl IntoTarget for &String {
    fn into_target(self) -> Result<Target> {
        self.parse()
    }
}
