//! From what a person writes to revisions.

use underpin_core::Result;

use super::{Graph, GraphError, labelled};
use crate::revision::{Revision, RevisionId};
use crate::target::Target;

impl Graph {
    /// The revision with this id or this branch label or, where there is none, the only one
    /// whose id begins so.
    pub fn resolve(&self, text: &str) -> Result<&Revision> {
        Ok(&self.revisions[self.find(text)?])
    }

    /// The revisions that the target names without regard to a database: heads, an id, a
    /// place beside one. `None` for `base`, `+n` and `-n`, on a branch or not.
    ///
    /// The source of its errors is a [`GraphError`]: several heads where one is meant, an
    /// unknown or ambiguous id or branch, a revision that is not on its branch.
    pub fn ends(&self, target: &Target) -> Result<Option<Vec<&Revision>>> {
        Ok(self.end_places(target)?.map(|places| self.at(places)))
    }

    pub(crate) fn end_places(&self, target: &Target) -> Result<Option<Vec<usize>>, GraphError> {
        let (branch, goal) = target.split();
        let lineage = self.lineage_of(branch)?;
        let heads = || self.heads_within(&lineage);
        Ok(Some(match goal {
            Target::Heads => heads(),
            Target::Head => self.one_head(target, heads())?,
            Target::Revision(text) => vec![self.within(text, branch, &lineage)?],
            Target::Above { from, steps } => {
                let start = match from.as_str() {
                    "base" => None,
                    _ => Some(self.start(from, branch, &lineage)?),
                };
                vec![self.walk(target, start, steps.get(), &lineage)?]
            }
            Target::Below { from, steps } => {
                let start = self.start(from, branch, &lineage)?;
                vec![self.walk_down(target, start, steps.get(), &lineage)?]
            }
            Target::Base | Target::Forward(_) | Target::Back(_) | Target::On { .. } => {
                return Ok(None);
            }
        }))
    }

    /// Marks, by place, what the branch has in common with the others and what is its own;
    /// everything where none is named.
    pub(crate) fn lineage_of(&self, branch: Option<&str>) -> Result<Vec<bool>, GraphError> {
        match branch {
            None => Ok(vec![true; self.len()]),
            Some(branch) => Ok(self.lineage(self.find_branch(branch)?)),
        }
    }

    /// The place of the revision that names the branch.
    pub(crate) fn find_branch(&self, branch: &str) -> Result<usize, GraphError> {
        self.find(branch).map_err(|error| match error {
            GraphError::UnknownRevision { .. } => GraphError::UnknownBranch {
                text: branch.to_owned(),
                known: self.known_labels(),
            },
            other => other,
        })
    }

    fn find(&self, text: &str) -> Result<usize, GraphError> {
        let id = RevisionId::new(text).and_then(|id| self.place(&id));
        let label = || self.labels.get(text).copied();
        if let Some(place) = id.or_else(label) {
            return Ok(place);
        }
        let begins = |place: &usize| self.revisions[*place].id.as_str().starts_with(text);
        let mut candidates: Vec<usize> = match text {
            "" => Vec::new(),
            _ => (0..self.len()).filter(begins).collect(),
        };
        match candidates[..] {
            [place] => Ok(place),
            [] => Err(GraphError::UnknownRevision {
                text: text.to_owned(),
                nearest: nearest(text, &self.revisions).map(labelled),
            }),
            _ => {
                candidates.sort_by_key(|&place| &self.revisions[place].id);
                Err(GraphError::AmbiguousRevision {
                    text: text.to_owned(),
                    candidates: self.at(candidates).into_iter().map(labelled).collect(),
                })
            }
        }
    }

    fn within(
        &self,
        text: &str,
        branch: Option<&str>,
        lineage: &[bool],
    ) -> Result<usize, GraphError> {
        let place = self.find(text)?;
        match lineage[place] {
            true => Ok(place),
            false => Err(GraphError::NotOnBranch {
                branch: branch.unwrap_or_default().to_owned(),
                revision: labelled(&self.revisions[place]),
            }),
        }
    }

    /// Where a walk begins: at a revision, or at the one head.
    fn start(
        &self,
        from: &str,
        branch: Option<&str>,
        lineage: &[bool],
    ) -> Result<usize, GraphError> {
        if from != "head" {
            return self.within(from, branch, lineage);
        }
        let heads = self.one_head(&Target::Head, self.heads_within(lineage))?;
        heads.first().copied().ok_or(GraphError::NoRevisions)
    }

    fn heads_within(&self, lineage: &[bool]) -> Vec<usize> {
        let head = |place: &usize| lineage[*place] && self.line.above(*place).is_empty();
        (0..self.len()).filter(head).collect()
    }

    fn one_head(&self, target: &Target, heads: Vec<usize>) -> Result<Vec<usize>, GraphError> {
        match heads.len() {
            0 | 1 => Ok(heads),
            _ => Err(GraphError::several_heads(target, self.at(heads))),
        }
    }

    /// So many children up from the start, or from below every base.
    fn walk(
        &self,
        target: &Target,
        start: Option<usize>,
        steps: usize,
        lineage: &[bool],
    ) -> Result<usize, GraphError> {
        let bases = || (0..self.len()).filter(|&place| self.line.below(place).is_empty());
        let mut at = start;
        for gone in 0..steps {
            let next: Vec<usize> = match at {
                None => bases().filter(|&place| lineage[place]).collect(),
                Some(at) => kept(self.line.above(at), lineage),
            };
            at = Some(self.one_way(target, next, gone)?);
        }
        at.ok_or(GraphError::NoRevisions)
    }

    fn walk_down(
        &self,
        target: &Target,
        start: usize,
        steps: usize,
        lineage: &[bool],
    ) -> Result<usize, GraphError> {
        (0..steps).try_fold(start, |at, gone| {
            self.one_way(target, kept(self.line.below(at), lineage), gone)
        })
    }

    fn one_way(&self, target: &Target, next: Vec<usize>, gone: usize) -> Result<usize, GraphError> {
        match next[..] {
            [place] => Ok(place),
            [] => Err(GraphError::WalkedTooFar {
                target: target.to_string(),
                there: gone,
            }),
            _ => Err(GraphError::AmbiguousWalk {
                target: target.to_string(),
                choices: self.at(next).into_iter().map(labelled).collect(),
            }),
        }
    }
}

fn kept(places: &[usize], lineage: &[bool]) -> Vec<usize> {
    places.iter().copied().filter(|&p| lineage[p]).collect()
}

/// The revision whose id looks most like the text, which may be only a beginning, where one does:
/// at most a third of the text has to change.
pub(super) fn nearest<'a>(
    text: &str,
    revisions: impl IntoIterator<Item = &'a Revision>,
) -> Option<&'a Revision> {
    let length = text.chars().count();
    let allowed = (length / 3).max(1);
    let distances = revisions.into_iter().map(|revision| {
        let id = revision.id.as_str();
        let beginning = &id[..id.len().min(length.max(1))];
        let distance = strsim::osa_distance(text, beginning);
        (distance, strsim::osa_distance(text, id), revision)
    });
    distances
        .min_by_key(|(beginning, whole, revision)| (*beginning, *whole, &revision.id))
        .filter(|(beginning, whole, _)| *beginning.min(whole) <= allowed)
        .map(|(_, _, revision)| revision)
}
