use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use underpin_core::{Class, Error};

/// Where a command shall bring a database. As text: `head`, `heads`, `base`, `+2`, `-1`,
/// an id or its unique beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Target {
    /// The one head; several are an error.
    #[default]
    Head,
    /// All heads.
    Heads,
    /// Before everything.
    Base,
    /// So many revisions further up.
    Forward(NonZeroUsize),
    /// So many revisions back.
    Back(NonZeroUsize),
    /// The revision with this id, or the only one whose id begins so.
    Revision(String),
}

impl FromStr for Target {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "head" => return Ok(Target::Head),
            "heads" => return Ok(Target::Heads),
            "base" => return Ok(Target::Base),
            _ => {}
        }
        let sign = |c: char| c == '+' || c == '-';
        if let Some(digits) = text.strip_prefix(sign) {
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            return match digits.parse::<NonZeroUsize>() {
                Ok(count) if plain && text.starts_with('+') => Ok(Target::Forward(count)),
                Ok(count) if plain => Ok(Target::Back(count)),
                _ => Err(refused(text, "after the sign stands a number from 1 on")),
            };
        }
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        match text.is_empty() || !text.chars().all(fits) {
            true => Err(refused(
                text,
                "an id has only lower-case letters, digits and underscores",
            )),
            false => Ok(Target::Revision(text.to_owned())),
        }
    }
}

fn refused(text: &str, reason: &str) -> Error {
    Error::new(
        Class::Config,
        format!("`{}` is no target: {reason}.", text.escape_debug()),
    )
    .with_hint(
        "A target is `head`, `heads`, `base`, `+2`, `-1`, or the id of a revision or the \
         beginning of one.",
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
        ] {
            let error = text.parse::<Target>().unwrap_err();
            assert_eq!(error.class(), Class::Config, "{text}");
            assert!(error.hint().unwrap().contains("`head`"), "{text}");
        }
        let error = "+0".parse::<Target>().unwrap_err();
        assert_eq!(
            error.message(),
            "`+0` is no target: after the sign stands a number from 1 on."
        );
    }

    proptest! {
        #[test]
        fn what_is_read_shows_as_it_was_written(text in "[-+]?[a-z0-9_ ]{0,8}") {
            if let Ok(target) = text.parse::<Target>() {
                prop_assert_eq!(target.to_string().parse::<Target>().unwrap(), target);
            }
        }
    }
}
