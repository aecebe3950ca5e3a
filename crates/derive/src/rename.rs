use syn::LitStr;

use crate::attribute::advice;

/// A way to write names of several words.
#[derive(Clone, Copy)]
pub(crate) enum Case {
    Camel,
    Snake,
    ScreamingSnake,
    Pascal,
    Kebab,
    Lower,
    Upper,
}

const CASES: [(&str, Case); 7] = [
    ("camelCase", Case::Camel),
    ("snake_case", Case::Snake),
    ("SCREAMING_SNAKE_CASE", Case::ScreamingSnake),
    ("PascalCase", Case::Pascal),
    ("kebab-case", Case::Kebab),
    ("lowercase", Case::Lower),
    ("UPPERCASE", Case::Upper),
];

impl Case {
    /// The way that is itself written in that way.
    pub(crate) fn parse(text: &LitStr) -> syn::Result<Self> {
        let given = text.value();
        let found = CASES.iter().find(|(name, _)| *name == given);
        found.map(|(_, case)| *case).ok_or_else(|| {
            let advice = advice(&given, &CASES.map(|(name, _)| name));
            syn::Error::new(
                text.span(),
                format!("{given:?} is not a valid naming convention{advice}"),
            )
        })
    }

    /// `name` written in this way. Underscores at its ends stay where they are.
    pub(crate) fn apply(self, name: &str) -> String {
        let inner = name.trim_matches('_');
        if inner.is_empty() {
            return name.to_owned();
        }
        let start = name.len() - name.trim_start_matches('_').len();
        let (before, after) = (&name[..start], &name[start + inner.len()..]);
        let words = words(inner);
        let join = |change: fn(&str) -> String, between: &str| {
            words
                .iter()
                .map(|word| change(word))
                .collect::<Vec<_>>()
                .join(between)
        };
        let inner = match self {
            Case::Snake => join(str::to_lowercase, "_"),
            Case::ScreamingSnake => join(str::to_uppercase, "_"),
            Case::Kebab => join(str::to_lowercase, "-"),
            Case::Pascal => join(capitalized, ""),
            Case::Camel => {
                let rest: String = words[1..].iter().map(|word| capitalized(word)).collect();
                words[0].to_lowercase() + &rest
            }
            Case::Lower => inner.to_lowercase(),
            Case::Upper => inner.to_uppercase(),
        };
        format!("{before}{inner}{after}")
    }
}

/// The words of `user_id`, `UserId`, `HTTPServer` (two) and `Utf8Text` (two).
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let letters: Vec<char> = name.chars().collect();
    for (at, &letter) in letters.iter().enumerate() {
        if letter == '_' {
            words.push(String::new());
            continue;
        }
        let follows_small = at > 0 && !letters[at - 1].is_uppercase() && letters[at - 1] != '_';
        let before_small = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        let within = words.last().is_some_and(|word| !word.is_empty());
        if letter.is_uppercase() && within && (follows_small || before_small) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(letter);
        }
    }
    words
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first
            .to_uppercase()
            .chain(letters.flat_map(char::to_lowercase))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_variants() {
        let table = [
            (
                "user_id",
                [
                    "userId", "user_id", "USER_ID", "UserId", "user-id", "user_id", "USER_ID",
                ],
            ),
            (
                "UserId",
                [
                    "userId", "user_id", "USER_ID", "UserId", "user-id", "userid", "USERID",
                ],
            ),
            (
                "HTTPServer",
                [
                    "httpServer",
                    "http_server",
                    "HTTP_SERVER",
                    "HttpServer",
                    "http-server",
                    "httpserver",
                    "HTTPSERVER",
                ],
            ),
            (
                "_line_2",
                [
                    "_line2", "_line_2", "_LINE_2", "_Line2", "_line-2", "_line_2", "_LINE_2",
                ],
            ),
            ("A", ["a", "a", "A", "A", "a", "a", "A"]),
            (
                "größe",
                [
                    "größe", "größe", "GRÖSSE", "Größe", "größe", "größe", "GRÖSSE",
                ],
            ),
        ];
        for (name, expected) in table {
            assert_eq!(CASES.map(|(_, case)| case.apply(name)), expected, "{name}");
        }
    }

    #[test]
    fn a_field_in_snake_case_stays_as_it_is() {
        for name in [
            "id", "user_id", "_id", "type_", "a__b", "line_2", "line2", "_",
        ] {
            assert_eq!(Case::Snake.apply(name), name);
        }
    }
}
