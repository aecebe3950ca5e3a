use serde::Serialize;
use underpin_core::{Class, Error, Result};

mod lock;
mod refusal;
mod step;

pub use lock::{Lock, LockMode, Work};
pub use refusal::Refusal;
pub use step::{Step, StepKind, Undo};

/// The way from one schema to another, and back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Plan {
    /// Settings that both directions need first, in the transaction.
    pub settings: Vec<String>,
    /// The steps, in order. None where something is refused.
    pub steps: Vec<Step>,
    /// The changes that cannot be made in place. If there are any, there are no steps.
    pub refusals: Vec<Refusal>,
    /// Differences that stay, since they matter too little to refuse the rest.
    pub left: Vec<Refusal>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.refusals.is_empty()
    }

    /// The steps that lose data.
    pub fn losses(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.loses.is_some())
    }

    /// Refuses a plan that cannot be carried out, and without `allow_loss` one that loses data.
    ///
    /// # Errors
    /// [`Class::Unsupported`] with a sentence for each refusal, [`Class::Config`] with one for
    /// each loss.
    pub fn check(&self, allow_loss: bool) -> Result<()> {
        if !self.refusals.is_empty() {
            let sentences: Vec<String> = self.refusals.iter().map(ToString::to_string).collect();
            return Err(Error::new(Class::Unsupported, sentences.join("\n")));
        }
        let losses: Vec<String> = self.losses().map(Step::loss).collect();
        if allow_loss || losses.is_empty() {
            return Ok(());
        }
        let said = losses.join("\n");
        let how = "Nothing was done. Allow it with --allow-loss if that is intended.";
        Err(Error::new(Class::Config, format!("{said}\n{how}")))
    }

    /// The statements of the way there, without semicolons.
    pub fn up(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(|step| step.sql.as_str())
    }

    /// The statements of the way back, without semicolons; where there is none, the steps
    /// that cannot be undone.
    ///
    /// # Errors
    /// The steps whose undo says why there is none.
    pub fn down(&self) -> Result<Vec<&str>, Vec<&Step>> {
        let final_ones = self.steps.iter();
        let final_ones: Vec<&Step> = final_ones.filter(|step| step.is_final()).collect();
        match final_ones.is_empty() {
            true => Ok(self.steps.iter().rev().flat_map(Step::undone_by).collect()),
            false => Err(final_ones),
        }
    }
}
