//! How much room a text takes and a box needs. All in pixels.

use super::picture::{Entity, Kind, Mark, Row};

/// The size of the text in rows.
pub(super) const TEXT: i32 = 12;
/// The size of a name above the rows.
pub(super) const NAME: i32 = 13;
/// The size of marks, captions and notes.
pub(super) const SMALL: i32 = 10;

pub(super) const HEADER: i32 = 30;
pub(super) const ROW: i32 = 20;
/// From the edge of a box to its text.
pub(super) const PAD: i32 = 11;
/// Below the last row.
const FOOT: i32 = 5;
/// Between a column's name and its type.
const GAP: i32 = 18;
const NARROWEST: i32 = 130;

/// The width of a monospaced text: 0.62 of its size for each character, which the widest of
/// the usual fonts needs, and twice that for one that may be full-width.
pub(super) fn width(text: &str, size: i32) -> i32 {
    let cells = |c: char| if u32::from(c) < 0x1100 { 1 } else { 2 };
    let cells: i32 = text.chars().map(cells).sum();
    (cells * size * 62 + 99) / 100
}

/// The contents and the size of a box.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) width: i32,
    pub(super) height: i32,
    /// The width of the marks before the names of the rows.
    pub(super) gutter: i32,
}

impl Shape {
    pub(super) fn of(entity: &Entity) -> Self {
        let widest = |of: &dyn Fn(&Row) -> i32| entity.rows.iter().map(of).max().unwrap_or(0);
        let gutter = widest(&|row| match &*marks(&row.marks) {
            "" => 0,
            marks => width(marks, SMALL) + 7,
        });
        let types = widest(&|row| match &*row.data_type {
            "" => 0,
            data_type => width(data_type, TEXT) + GAP,
        });
        let nulls = if entity.rows.iter().any(|row| row.not_null.is_some()) {
            14
        } else {
            0
        };
        let rows = gutter + widest(&|row| width(&row.name, TEXT)) + types + nulls;
        let caption = caption(entity.kind).map_or(0, |caption| width(caption, SMALL) + GAP);
        let header = width(&entity.name, NAME) + caption;
        let note = entity.note.as_ref().map_or(0, |note| width(note, SMALL));
        let lines = entity.rows.len() as i32 + i32::from(entity.note.is_some());
        let foot = if lines > 0 { FOOT + 3 } else { 0 };
        Shape {
            width: (rows.max(header).max(note) + 2 * PAD).max(NARROWEST),
            height: HEADER + lines * ROW + foot,
            gutter,
        }
    }
}

/// The middle of a row, from the top of its box.
pub(super) fn row_middle(row: usize) -> i32 {
    HEADER + 3 + ROW * row as i32 + ROW / 2
}

/// The text of a box beside its name.
pub(super) fn caption(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Table => None,
        Kind::Absent => Some("elsewhere"),
        Kind::View => Some("view"),
        Kind::MaterializedView => Some("materialized"),
        Kind::Enum => Some("enum"),
    }
}

/// The marks of a column as text.
pub(super) fn marks(marks: &[Mark]) -> String {
    let text = |mark: &Mark| match mark {
        Mark::Primary => "PK".to_owned(),
        Mark::Foreign => "FK".to_owned(),
        Mark::Unique => "U".to_owned(),
        Mark::UniqueWith(number) => format!("U{number}"),
    };
    marks.iter().map(text).collect::<Vec<_>>().join(" ")
}
