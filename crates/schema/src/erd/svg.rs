//! A picture as an SVG document.

mod legend;
mod line;
mod style;

use std::collections::BTreeMap;

use super::layout::{self, Group, Layout, Link, Point, Size};
use super::measure::{self, HEADER, NAME, PAD, ROW, SMALL, Shape, TEXT};
use super::picture::{End, Entity, Kind, Picture, Row};

/// Around everything.
const MARGIN: i32 = 28;

pub(super) fn written(picture: &Picture) -> String {
    let shapes: Vec<Shape> = picture.entities.iter().map(Shape::of).collect();
    let links = links(picture);
    let layout = laid_out(picture, &shapes, &links);
    let colors = colors(picture);
    let legend = legend::Legend::of(picture);
    let width = layout.width.max(legend.width()) + 2 * MARGIN;
    let height = layout.height + legend.height() + 2 * MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"Tables and foreign keys\">\n\
         <style>\n{}</style>\n\
         <rect class=\"ground\" width=\"{width}\" height=\"{height}\" rx=\"10\"/>\n",
        style::sheet()
    );
    out.push_str(&format!("<g transform=\"translate({MARGIN} {MARGIN})\">\n"));
    line::all(picture, &links, &layout, &colors, &mut out);
    for (index, (entity, shape)) in picture.entities.iter().zip(&shapes).enumerate() {
        let color = colors.get(&index).copied();
        entity_box(entity, shape, layout.corners[index], color, &mut out);
    }
    out.push_str("</g>\n");
    legend.draw(MARGIN, layout.height + MARGIN, &mut out);
    out.push_str("</svg>\n");
    out
}

fn laid_out(picture: &Picture, shapes: &[Shape], links: &[Link]) -> Layout {
    let size = |shape: &Shape| Size {
        width: shape.width,
        height: shape.height,
    };
    let group = |entity: &Entity| {
        Group(match entity.kind {
            Kind::Table | Kind::Absent => 0,
            Kind::View | Kind::MaterializedView => 1,
            Kind::Enum => 2,
        })
    };
    let sizes: Vec<Size> = shapes.iter().map(size).collect();
    let groups: Vec<Group> = picture.entities.iter().map(group).collect();
    layout::arranged(&sizes, &groups, links)
}

/// References to the same rows of a table are one net, but for those that may be none, whose
/// lines end otherwise.
fn links(picture: &Picture) -> Vec<Link> {
    let mut nets = BTreeMap::new();
    let mut links = Vec::new();
    for reference in &picture.references {
        let next = nets.len();
        let net = *(nets.entry((&reference.parent, reference.optional))).or_insert(next);
        links.push(Link {
            child: reference.child.entity,
            child_at: at(&reference.child),
            parent: reference.parent.entity,
            parent_at: at(&reference.parent),
            net,
        });
    }
    links
}

/// The end of a line at a box: at the middle of its rows, or beside the name.
fn at(end: &End) -> i32 {
    let middles = end.rows.iter().map(|row| measure::row_middle(*row));
    let (least, most) = (middles.clone().min(), middles.max());
    match (least, most) {
        (Some(least), Some(most)) => (least + most) / 2,
        _ => HEADER / 2,
    }
}

/// A color for each table that is referred to: what refers most to has the first.
fn colors(picture: &Picture) -> BTreeMap<usize, usize> {
    let mut count = BTreeMap::<usize, i32>::new();
    for reference in &picture.references {
        *count.entry(reference.parent.entity).or_default() += 1;
    }
    let mut parents: Vec<usize> = count.keys().copied().collect();
    parents.sort_by_key(|parent| (-count[parent], *parent));
    let color = |(place, parent): (usize, usize)| (parent, place % style::COLORS);
    parents.into_iter().enumerate().map(color).collect()
}

fn entity_box(
    entity: &Entity,
    shape: &Shape,
    corner: Point,
    color: Option<usize>,
    out: &mut String,
) {
    let Shape { width, height, .. } = *shape;
    let color = color.map_or_else(|| "c".to_owned(), |color| format!("c c{color}"));
    let apart = if entity.kind == Kind::Table {
        ""
    } else {
        " apart"
    };
    out.push_str(&format!(
        "<g class=\"box {color}{apart}\" transform=\"translate({} {})\">\n",
        corner.x, corner.y
    ));
    if let Some(tooltip) = &entity.tooltip {
        out.push_str(&format!("<title>{}</title>", escaped(tooltip)));
    }
    out.push_str(&format!(
        "<rect class=\"body\" width=\"{width}\" height=\"{height}\" rx=\"7\"/>"
    ));
    let (inner, below) = (width - 14, HEADER - 7);
    out.push_str(&match height > HEADER {
        true => format!(
            "<path class=\"head\" d=\"M0 {HEADER}v-{below}q0-7 7-7h{inner}q7 0 7 7v{below}z\"/>\
             <path class=\"rule\" d=\"M0 {HEADER}h{width}\"/>"
        ),
        false => {
            format!("<rect class=\"head\" width=\"{width}\" height=\"{height}\" rx=\"7\"/>")
        }
    });
    out.push_str(&format!(
        "<rect class=\"edge\" width=\"{width}\" height=\"{height}\" rx=\"7\"/>\n"
    ));
    let baseline = HEADER / 2 + NAME / 3;
    text("name", PAD, baseline, &entity.name, out);
    if let Some(caption) = measure::caption(entity.kind) {
        text("small end", width - PAD, baseline, caption, out);
    }
    out.push('\n');
    for (index, row) in entity.rows.iter().enumerate() {
        row_line(row, shape, measure::row_middle(index), out);
    }
    if let Some(note) = &entity.note {
        let baseline = measure::row_middle(entity.rows.len()) + SMALL / 3;
        text("small note", PAD, baseline, note, out);
        out.push('\n');
    }
    out.push_str("</g>\n");
}

fn row_line(row: &Row, shape: &Shape, middle: i32, out: &mut String) {
    out.push_str("<g>");
    if let Some(tooltip) = &row.tooltip {
        out.push_str(&format!("<title>{}</title>", escaped(tooltip)));
        // Something to point at between the name and the type.
        out.push_str(&format!(
            "<rect class=\"clear\" x=\"1\" y=\"{}\" width=\"{}\" height=\"{ROW}\"/>",
            middle - ROW / 2,
            shape.width - 2
        ));
    }
    let baseline = middle + TEXT / 3;
    let marks = measure::marks(&row.marks);
    if !marks.is_empty() {
        text("small mark", PAD, baseline, &marks, out);
    }
    let primary = row.marks.contains(&super::picture::Mark::Primary);
    let class = if primary { "key" } else { "col" };
    text(class, PAD + shape.gutter, baseline, &row.name, out);
    let nulls = if row.not_null.is_some() { 14 } else { 0 };
    if !row.data_type.is_empty() {
        let end = shape.width - PAD - nulls;
        text("type end", end, baseline, &row.data_type, out);
    }
    if row.not_null == Some(true) {
        let x = shape.width - PAD - 3;
        out.push_str(&format!(
            "<circle class=\"dot\" cx=\"{x}\" cy=\"{middle}\" r=\"2\"/>"
        ));
    }
    out.push_str("</g>\n");
}

fn text(class: &str, x: i32, y: i32, text: &str, out: &mut String) {
    let text = escaped(text);
    out.push_str(&format!(
        "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{text}</text>"
    ));
}

/// Text as XML has it. What XML cannot have at all becomes the sign for that.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\r' => escaped.push_str("&#13;"),
            '\t' | '\n' => escaped.push(c),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => escaped.push(char::REPLACEMENT_CHARACTER),
            c => escaped.push(c),
        }
    }
    escaped
}
