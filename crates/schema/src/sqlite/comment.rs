//! Comments. SQLite has no COMMENT ON, but keeps those that stand within the SQL of an object.

/// The text of a comment, without its signs and the indentation of its lines.
pub(super) fn text(comment: &str) -> String {
    if let Some(line) = comment.strip_prefix("--") {
        return line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned();
    }
    let inside = comment.strip_prefix("/*").unwrap_or(comment);
    let inside = inside.strip_suffix("*/").unwrap_or(inside);
    let lines = inside.lines().map(|line| {
        let line = line.trim();
        line.strip_prefix("* ").unwrap_or(line)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Several comments as one; none where they say nothing.
pub(super) fn joined<'c>(comments: impl IntoIterator<Item = &'c str>) -> Option<String> {
    let texts: Vec<String> = comments.into_iter().map(text).collect();
    let joined = texts.join("\n");
    let joined = joined.trim_matches('\n');
    (!joined.is_empty()).then(|| joined.to_owned())
}

/// The comment as lines of SQL, each with a line break after it and so many spaces before it.
pub(super) fn lines(comment: Option<&String>, indent: usize) -> String {
    let lines = comment.map_or("", |comment| comment.as_str()).lines();
    let lines = lines.map(|line| match line.trim_end() {
        "" => format!("{:indent$}--\n", ""),
        line => format!("{:indent$}-- {line}\n", ""),
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_loses_its_signs() {
        assert_eq!(text("--  a  "), " a");
        assert_eq!(text("--"), "");
        assert_eq!(text("/* a\n   * b\n   c */"), "a\nb\nc");
        assert_eq!(
            joined(["--", "-- a", "--", "/* b */", "--"]).unwrap(),
            "a\n\nb"
        );
        assert_eq!(joined(["--", "/**/"]), None);
    }

    #[test]
    fn what_is_written_is_read_again() {
        for said in ["one", "two\n\nlines", "'odd' -- */ /* ;", "  indented"] {
            let written = lines(Some(&said.to_owned()), 4);
            let read = joined(written.lines().map(str::trim_start));
            assert_eq!(read.as_deref(), Some(said));
        }
        assert_eq!(lines(None, 2), "");
    }
}
