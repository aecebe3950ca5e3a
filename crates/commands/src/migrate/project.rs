use std::path::Path;

use underpin::model::Models;

use super::revisions::Revisions;

/// The subject of the commands: revisions and, if a program has them, the models that say
/// what the revisions are to lead to.
#[derive(Clone, Copy)]
pub struct Project<'a> {
    pub(crate) revisions: Revisions<'a>,
    pub(crate) models: Option<&'a Models>,
}

impl<'a> Project<'a> {
    /// These revisions, without models.
    pub fn new(revisions: Revisions<'a>) -> Self {
        Project {
            revisions,
            models: None,
        }
    }

    /// With the revisions of a directory instead of its own.
    #[must_use]
    pub fn in_directory<'b>(self, directory: &'b Path) -> Project<'b>
    where
        'a: 'b,
    {
        let revisions: Revisions<'b> = self.revisions;
        Project {
            revisions: revisions.in_directory(directory),
            models: self.models,
        }
    }

    /// With models, from which revisions are written and against which they are checked.
    #[must_use]
    pub fn models(self, models: &'a Models) -> Self {
        Project {
            models: Some(models),
            ..self
        }
    }
}

impl<'a> From<Revisions<'a>> for Project<'a> {
    fn from(revisions: Revisions<'a>) -> Self {
        Project::new(revisions)
    }
}
