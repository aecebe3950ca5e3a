//! Boxes that do not overlap, lines that cross no box, texts that fit, and nothing left out.

use proptest::prelude::*;
use underpin_schema::erd::{self, Columns};

use crate::drawing::{Box, Drawing, read};
use crate::{forty, generated};

fn overlap(one: &Box, other: &Box) -> bool {
    one.left < other.right
        && other.left < one.right
        && one.top < other.bottom
        && other.top < one.bottom
}

/// Whether a level or upright part of a line is within a box, and not only at its edge.
fn within(from: (i32, i32), to: (i32, i32), one: &Box) -> bool {
    from.0.min(to.0) < one.right
        && one.left < from.0.max(to.0).max(from.0.min(to.0) + 1)
        && from.1.min(to.1) < one.bottom
        && one.top < from.1.max(to.1).max(from.1.min(to.1) + 1)
        && (from.0.max(to.0) > one.left && from.1.max(to.1) > one.top)
}

fn assert_readable(drawing: &Drawing) {
    for (index, one) in drawing.boxes.iter().enumerate() {
        assert!(one.left >= 0 && one.right <= drawing.width, "{}", one.name);
        assert!(one.top >= 0 && one.bottom <= drawing.height, "{}", one.name);
        for other in &drawing.boxes[..index] {
            assert!(!overlap(one, other), "{} is on {}", one.name, other.name);
        }
        assert_texts_fit(one);
    }
    for line in &drawing.lines {
        for pair in line.corners.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            assert!(from.0 == to.0 || from.1 == to.1, "{} slants", line.tooltip);
            for point in pair {
                assert!((0..=drawing.width).contains(&point.0), "{}", line.tooltip);
                assert!((0..=drawing.height).contains(&point.1), "{}", line.tooltip);
            }
            for one in &drawing.boxes {
                assert!(
                    !within(from, to, one),
                    "{} crosses {}",
                    line.tooltip,
                    one.name
                );
            }
        }
    }
}

fn assert_texts_fit(one: &Box) {
    let width = f64::from(one.right - one.left);
    for (index, text) in one.texts.iter().enumerate() {
        assert!(
            text.left > 0.0 && text.right < width,
            "{} in {}",
            text.text,
            one.name
        );
        assert!(
            text.baseline > 0 && text.baseline < one.bottom - one.top,
            "{}",
            text.text
        );
        for other in &one.texts[..index] {
            let apart = text.left >= other.right || other.left >= text.right;
            let same = text.baseline.abs_diff(other.baseline) < 10;
            assert!(
                !same || apart,
                "{} on {} in {}",
                text.text,
                other.text,
                one.name
            );
        }
    }
}

/// Whether a line ends at the side of the box of this name.
fn ends_at(drawing: &Drawing, (x, y): (i32, i32), name: &str) -> bool {
    let mut named = drawing.boxes.iter().filter(|one| one.name == name);
    named.any(|one| (x == one.left || x == one.right) && (one.top..=one.bottom).contains(&y))
}

fn assert_complete(drawing: &Drawing, made: &generated::Generated) {
    for (name, table) in made.drawn() {
        let shown = made.shown(name);
        let found = drawing.boxes.iter().find(|one| one.name == shown);
        let found = found.unwrap_or_else(|| panic!("{shown} is missing"));
        for column in &table.columns {
            let has = |text: &str| found.texts.iter().any(|one| one.text == text);
            assert!(has(&column.name), "{shown}.{} is missing", column.name);
            let comment = column.comment.as_deref().unwrap_or_default();
            assert!(found.tooltip.contains(comment), "{}", found.tooltip);
        }
    }
    let (schema, tables) = (&made.schema, made.drawn().count());
    let others = schema.views.len() + schema.enums.len() + made.absent;
    assert_eq!(drawing.boxes.len(), tables + others);
    assert_eq!(drawing.lines.len(), made.references.len());
    for (key, child, parent) in &made.references {
        let said = format!("{key}: ");
        let line = drawing
            .lines
            .iter()
            .find(|line| line.tooltip.starts_with(&said));
        let line = line.unwrap_or_else(|| panic!("{key} is missing"));
        let (first, last) = (line.corners[0], line.corners[line.corners.len() - 1]);
        assert!(
            ends_at(drawing, first, child),
            "{key} is not drawn from {child}"
        );
        assert!(
            ends_at(drawing, last, parent),
            "{key} is not drawn to {parent}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_schema_can_be_read(seed: u64, tables in 1_usize..=60) {
        let made = generated::schema(seed, tables);
        let svg = erd::svg(&made.schema, Columns::All);
        let drawing = read(&svg);
        assert_readable(&drawing);
        assert_complete(&drawing, &made);
        prop_assert_eq!(&svg, &erd::svg(&made.schema, Columns::All));
    }

    #[test]
    fn with_fewer_columns_too(seed: u64, tables in 1_usize..=60, keys: bool) {
        let made = generated::schema(seed, tables);
        let columns = if keys { Columns::Keys } else { Columns::None };
        let drawing = read(&erd::svg(&made.schema, columns));
        assert_readable(&drawing);
        assert_eq!(drawing.lines.len(), made.references.len());
    }
}

#[test]
fn forty_tables_are_about_as_wide_as_a_screen_and_no_line_lies_on_another() {
    let schema = forty::schema();
    assert_eq!(schema.tables.len(), 40);
    let drawing = read(&erd::svg(&schema, Columns::All));
    assert_readable(&drawing);
    assert_eq!(drawing.boxes.len(), 43);
    assert_eq!(drawing.lines.len(), 54);
    let aspect = drawing.width * 100 / drawing.height;
    assert!(
        (90..220).contains(&aspect),
        "{} by {}",
        drawing.width,
        drawing.height
    );
    let parent = |tooltip: &str| {
        let (_, parent) = tooltip.split_once(" → ").unwrap();
        parent.split(' ').next().unwrap().to_owned()
    };
    for (index, line) in drawing.lines.iter().enumerate() {
        for other in &drawing.lines[..index] {
            if parent(&line.tooltip) != parent(&other.tooltip) {
                assert!(
                    !on_one_another(&line.corners, &other.corners),
                    "{} and {}",
                    line.tooltip,
                    other.tooltip
                );
            }
        }
    }
}

fn on_one_another(one: &[(i32, i32)], other: &[(i32, i32)]) -> bool {
    let parts = |line: &[(i32, i32)]| -> Vec<[(i32, i32); 2]> {
        line.windows(2)
            .map(|pair| [pair[0].min(pair[1]), pair[0].max(pair[1])])
            .collect()
    };
    parts(one).iter().any(|[from, to]| {
        parts(other).iter().any(|[start, end]| {
            let upright = from.0 == to.0 && start.0 == end.0 && from.0 == start.0;
            let level = from.1 == to.1 && start.1 == end.1 && from.1 == start.1;
            upright && from.1.max(start.1) < to.1.min(end.1)
                || level && from.0.max(start.0) < to.0.min(end.0)
        })
    })
}
