use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use underpin_core::{Class, Error};

/// The place in the graph to which a command brings a database. As text: `head`, `heads`, `base`, `+2`, `-1`,
/// an id, its unique beginning or a branch label, `3f9c+1`, `head-1`; each also on a branch:
/// `shop@head`, `shop@+2`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Target {
    /// The one head; several are an error.
    #[default]
    Head,
    /// All heads.
    Heads,
    /// Before everything.
    Base,
    /// So many revisions further up than the database is.
    Forward(NonZeroUsize),
    /// So many revisions back.
    Back(NonZeroUsize),
    /// The revision with this id or branch label, or the only one whose id begins so.
    Revision(String),
    /// So many revisions above one, or above `base`.
    Above {
        /// The revision, as it is written.
        from: String,
        /// How many.
        steps: NonZeroUsize,
    },
    /// So many revisions below one, or below `head`.
    Below {
        /// The revision, as it is written.
        from: String,
        /// How many.
        steps: NonZeroUsize,
    },
    /// Any of these with regard to one branch: the revision that names it, what that
    /// descends from and what descends from it.
    On {
        /// The branch: its label, or the id of any revision on it or the beginning of that.
        branch: String,
        /// Where on it. Of a target that is itself on a branch, the inner branch counts.
        goal: Box<Target>,
    },
}

impl Target {
    /// The same target on a branch.
    #[must_use]
    pub fn on(self, branch: impl Into<String>) -> Self {
        Target::On {
            branch: branch.into(),
            goal: Box::new(self),
        }
    }

    /// The branch, if one is named, and where to go on it.
    pub(crate) fn split(&self) -> (Option<&str>, &Target) {
        match self {
            Target::On { branch, goal } => match goal.split() {
                (None, goal) => (Some(branch), goal),
                inner => inner,
            },
            goal => (None, goal),
        }
    }
}

impl FromStr for Target {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refuse = |reason| refused(text, reason);
        match text.split_once('@') {
            None => goal(text).map_err(refuse),
            Some((branch, rest)) => {
                if !is_name(branch) {
                    return Err(refuse(
                        "the text before the @ must be a branch label or an id",
                    ));
                }
                Ok(goal(rest).map_err(refuse)?.on(branch))
            }
        }
    }
}

/// A target without a branch, or why it is none.
fn goal(text: &str) -> Result<Target, &'static str> {
    const NUMBER: &str = "the sign must be followed by a number of at least 1";
    let Some(at) = text.find(['+', '-']) else {
        return match text {
            "head" => Ok(Target::Head),
            "heads" => Ok(Target::Heads),
            "base" => Ok(Target::Base),
            _ if is_name(text) => Ok(Target::Revision(text.to_owned())),
            _ => Err("an id has only lower-case letters, digits and underscores"),
        };
    };
    let (from, signed) = text.split_at(at);
    let (up, digits) = (signed.starts_with('+'), &signed[1..]);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NUMBER);
    }
    let steps: NonZeroUsize = digits.parse().map_err(|_| NUMBER)?;
    match (from, up) {
        ("", true) => Ok(Target::Forward(steps)),
        ("", false) => Ok(Target::Back(steps)),
        ("heads", _) => Err("steps must begin at one revision, not at `heads`"),
        ("head", true) => Err("nothing is above a head"),
        ("base", false) => Err("nothing is below the base"),
        _ if !is_name(from) => Err("the text before the sign must be an id, `head` or `base`"),
        (_, true) => Ok(Target::Above {
            from: from.to_owned(),
            steps,
        }),
        (_, false) => Ok(Target::Below {
            from: from.to_owned(),
            steps,
        }),
    }
}

fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    !text.is_empty() && text.chars().all(fits)
}

fn refused(text: &str, reason: &str) -> Error {
    Error::new(
        Class::Config,
        format!("`{}` is not a valid target: {reason}.", text.escape_debug()),
    )
    .with_hint(
        "A target is `head`, `heads`, `base`, `+2`, `-1`, the id of a revision or the beginning \
         of one, or any of these on a branch: `shop@head`.",
    )
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Head => f.write_str("head"),
            Target::Heads => f.write_str("heads"),
            Target::Base => f.write_str("base"),
            Target::Forward(count) => write!(f, "+{count}"),
            Target::Back(count) => write!(f, "-{count}"),
            Target::Revision(id) => f.write_str(id),
            Target::Above { from, steps } => write!(f, "{from}+{steps}"),
            Target::Below { from, steps } => write!(f, "{from}-{steps}"),
            Target::On { branch, goal } => write!(f, "{branch}@{goal}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_each_form_and_shows_it_again() {
        let count = |n| NonZeroUsize::new(n).unwrap();
        for (text, target) in [
            ("head", Target::Head),
            ("heads", Target::Heads),
            ("base", Target::Base),
            ("+2", Target::Forward(count(2))),
            ("-1", Target::Back(count(1))),
            ("3f9c", Target::Revision("3f9c".into())),
            ("12", Target::Revision("12".into())),
            (
                "3f+2",
                Target::Above {
                    from: "3f".into(),
                    steps: count(2),
                },
            ),
            (
                "head-1",
                Target::Below {
                    from: "head".into(),
                    steps: count(1),
                },
            ),
            ("shop@head", Target::Head.on("shop")),
            ("shop@+2", Target::Forward(count(2)).on("shop")),
            ("3f@-1", Target::Back(count(1)).on("3f")),
            ("shop@3f", Target::Revision("3f".into()).on("shop")),
        ] {
            assert_eq!(text.parse::<Target>().unwrap(), target);
            assert_eq!(target.to_string(), text);
        }
    }

    #[test]
    fn refuses_the_rest_in_a_sentence() {
        for text in [
            "",
            "+0",
            "-0",
            "+",
            "-",
            "++1",
            "+-1",
            "+1x",
            "HEAD",
            "3F",
            "a b",
            "head~1",
            "ä",
            "+99999999999999999999999",
            "@head",
            "shop@",
            "shop@x@head",
            "Shop@head",
            "head+1",
            "base-1",
            "heads-1",
            "3f+0",
            "3f-",
        ] {
            let error = text.parse::<Target>().unwrap_err();
            assert_eq!(error.class(), Class::Config, "{text}");
            assert!(error.hint().unwrap().contains("`head`"), "{text}");
        }
        let error = "+0".parse::<Target>().unwrap_err();
        assert_eq!(
            error.message(),
            "`+0` is not a valid target: the sign must be followed by a number of at least 1."
        );
    }

    proptest! {
        #[test]
        fn what_is_read_shows_as_it_was_written(text in "([a-z]{0,3}@)?(head|base|[a-z0-9_ ]{0,4})?([-+][0-9]{0,3})?") {
            if let Ok(target) = text.parse::<Target>() {
                prop_assert_eq!(target.to_string().parse::<Target>().unwrap(), target);
            }
        }
    }
}
