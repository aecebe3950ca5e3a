use std::fmt;

/// Where a query stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The file, relative to the package where it is one of SQL.
    pub file: &'static str,
    /// The line, counted from 1.
    pub line: u32,
    /// Whether the text begins at that line, so that places within it are known.
    pub holds_text: bool,
}

impl Origin {
    /// The line and the column of a character of the text, all counted from 1.
    pub(super) fn of_character(self, sql: &str, number: usize) -> Option<(u32, u32)> {
        if !self.holds_text {
            return None;
        }
        let (mut line, mut column) = (self.line, 1);
        for character in sql.chars().take(number.saturating_sub(1)) {
            if character == '\n' {
                line += 1;
                column = 1;
            } else {
                column += 1;
            }
        }
        Some((line, column))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_has_a_line_and_a_column() {
        let origin = Origin {
            file: "queries/a.sql",
            line: 3,
            holds_text: true,
        };
        let of = |number| origin.of_character("SELECT ä,\n  b", number);
        assert_eq!(of(1), Some((3, 1)));
        assert_eq!(of(9), Some((3, 9)));
        assert_eq!(of(13), Some((4, 3)));
        let in_code = Origin {
            holds_text: false,
            ..origin
        };
        assert_eq!(in_code.of_character("SELECT", 2), None);
        assert_eq!(in_code.to_string(), "queries/a.sql:3");
    }
}
