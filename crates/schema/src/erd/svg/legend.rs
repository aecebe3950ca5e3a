//! What the signs of a picture mean, in one line below it; only those that are in it.

use std::collections::BTreeSet;

use super::text;
use crate::erd::measure::{SMALL, width};
use crate::erd::picture::{Mark, Picture};

/// Above the legend.
const ABOVE: i32 = 26;
const BETWEEN: i32 = 22;

pub(super) struct Legend {
    entries: Vec<(Sign, &'static str)>,
}

enum Sign {
    Mark(&'static str),
    Dot,
    Foot,
    Bars,
    Ring,
}

impl Legend {
    pub(super) fn of(picture: &Picture) -> Self {
        let rows = || picture.entities.iter().flat_map(|entity| &entity.rows);
        let marks: BTreeSet<Mark> = rows().flat_map(|row| row.marks.iter().copied()).collect();
        let mut entries = Vec::new();
        if marks.contains(&Mark::Primary) {
            entries.push((Sign::Mark("PK"), "primary key"));
        }
        if marks.contains(&Mark::Foreign) {
            entries.push((Sign::Mark("FK"), "foreign key"));
        }
        if marks.contains(&Mark::Unique) {
            entries.push((Sign::Mark("U"), "unique"));
        }
        if marks.contains(&Mark::UniqueWith(1)) {
            entries.push((Sign::Mark("U1"), "unique together"));
        }
        if rows().any(|row| row.not_null == Some(true)) {
            entries.push((Sign::Dot, "not null"));
        }
        if !picture.references.is_empty() {
            entries.push((Sign::Foot, "many"));
            entries.push((Sign::Bars, "one"));
            entries.push((Sign::Ring, "or none"));
        }
        Legend { entries }
    }

    pub(super) fn height(&self) -> i32 {
        if self.entries.is_empty() {
            0
        } else {
            ABOVE + 12
        }
    }

    pub(super) fn width(&self) -> i32 {
        let width = |(sign, meaning): &(Sign, &str)| sign.width() + width(meaning, SMALL);
        let widths: i32 = self
            .entries
            .iter()
            .map(|entry| width(entry) + BETWEEN)
            .sum();
        (widths - BETWEEN).max(0)
    }

    /// Draws it below what ends at `top`.
    pub(super) fn draw(&self, left: i32, top: i32, out: &mut String) {
        if self.entries.is_empty() {
            return;
        }
        let (mut x, baseline) = (left, top + ABOVE + 10);
        let middle = baseline - 3;
        out.push_str("<g class=\"c\">\n");
        for (sign, meaning) in &self.entries {
            match sign {
                Sign::Mark(mark) => text("small mark", x, baseline, mark, out),
                Sign::Dot => out.push_str(&format!(
                    "<circle class=\"dot\" cx=\"{}\" cy=\"{middle}\" r=\"2\"/>",
                    x + 2
                )),
                _ => out.push_str(&sign.line(x, middle)),
            }
            let after = x + sign.width();
            text("small", after, baseline, meaning, out);
            out.push('\n');
            x = after + width(meaning, SMALL) + BETWEEN;
        }
        out.push_str("</g>\n");
    }
}

impl Sign {
    /// With the space after it.
    fn width(&self) -> i32 {
        match self {
            Sign::Mark(mark) => width(mark, SMALL) + 6,
            Sign::Dot => 10,
            Sign::Foot | Sign::Bars | Sign::Ring => 26,
        }
    }

    fn line(&self, x: i32, y: i32) -> String {
        let end = match self {
            Sign::Foot => format!("<path d=\"M{x} {}L{} {y}L{x} {}\"/>", y - 5, x + 11, y + 5),
            Sign::Bars => format!("<path d=\"M{} {}v8m4-8v8\"/>", x + 6, y - 4),
            _ => format!(
                "<circle class=\"ring\" cx=\"{}\" cy=\"{y}\" r=\"3\"/>",
                x + 9
            ),
        };
        format!("<g class=\"line\"><path d=\"M{x} {y}h18\"/>{end}</g>")
    }
}
