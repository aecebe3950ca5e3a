//! An SVG document read back: its boxes and lines, in pixels.

use roxmltree::{Document, Node};

pub(crate) struct Drawing {
    pub(crate) width: i32,
    pub(crate) height: i32,
    pub(crate) boxes: Vec<Box>,
    pub(crate) lines: Vec<Line>,
}

pub(crate) struct Box {
    pub(crate) name: String,
    pub(crate) left: i32,
    pub(crate) top: i32,
    pub(crate) right: i32,
    pub(crate) bottom: i32,
    pub(crate) texts: Vec<Text>,
    pub(crate) tooltip: String,
}

/// From the left edge of its box.
pub(crate) struct Text {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) baseline: i32,
    pub(crate) text: String,
}

pub(crate) struct Line {
    pub(crate) tooltip: String,
    /// The corners, before they were made round.
    pub(crate) corners: Vec<(i32, i32)>,
}

pub(crate) fn read(svg: &str) -> Drawing {
    let document = Document::parse(svg).unwrap();
    let root = document.root_element();
    let of_class = |class: &'static str| {
        let all = root.descendants();
        all.filter(move |node| classes(*node).any(|one| one == class))
    };
    let lines = of_class("line").filter(|node| tooltip(*node).is_some());
    Drawing {
        width: number(root, "width"),
        height: number(root, "height"),
        boxes: of_class("box").map(one_box).collect(),
        lines: lines.map(line).collect(),
    }
}

fn classes<'a>(node: Node<'a, '_>) -> impl Iterator<Item = &'a str> {
    node.attribute("class").unwrap_or_default().split(' ')
}

fn number(node: Node<'_, '_>, name: &str) -> i32 {
    node.attribute(name).unwrap().parse().unwrap()
}

fn tooltip(node: Node<'_, '_>) -> Option<String> {
    let title = node.children().find(|child| child.has_tag_name("title"))?;
    Some(title.text().unwrap_or_default().to_owned())
}

fn moved(node: Node<'_, '_>) -> (i32, i32) {
    let mut moved = (0, 0);
    for one in node.ancestors() {
        if let Some(transform) = one.attribute("transform") {
            let inner = transform.strip_prefix("translate(").unwrap();
            let (x, y) = inner.strip_suffix(')').unwrap().split_once(' ').unwrap();
            moved.0 += x.parse::<i32>().unwrap();
            moved.1 += y.parse::<i32>().unwrap();
        }
    }
    moved
}

fn one_box(node: Node<'_, '_>) -> Box {
    let body = node
        .children()
        .find(|child| classes(*child).any(|one| one == "body"))
        .unwrap();
    let (left, top) = moved(node);
    let texts: Vec<Node<'_, '_>> = node
        .descendants()
        .filter(|one| one.has_tag_name("text"))
        .collect();
    let texts: Vec<Text> = texts.into_iter().map(text).collect();
    let tooltips = node.descendants().filter_map(tooltip);
    Box {
        name: texts[0].text.clone(),
        left,
        top,
        right: left + number(body, "width"),
        bottom: top + number(body, "height"),
        texts,
        tooltip: tooltips.collect::<Vec<_>>().join("\n"),
    }
}

/// What the widest of the usual monospaced fonts needs: 0.62 of its size for a character.
fn text(node: Node<'_, '_>) -> Text {
    let text = node.text().unwrap_or_default().to_owned();
    let is = |class: &str| classes(node).any(|one| one == class);
    let size = match (is("small"), is("name")) {
        (true, _) => 10.0,
        (_, true) => 13.0,
        _ => 12.0,
    };
    let cells: f64 = text
        .chars()
        .map(|c| if c < '\u{1100}' { 1.0 } else { 2.0 })
        .sum();
    let (x, width) = (f64::from(number(node, "x")), cells * size * 0.62);
    let left = if is("end") { x - width } else { x };
    Text {
        left,
        right: left + width,
        baseline: number(node, "y"),
        text,
    }
}

fn line(node: Node<'_, '_>) -> Line {
    let path = node
        .children()
        .find(|child| child.has_tag_name("path"))
        .unwrap();
    let (x, y) = moved(node);
    let data = path.attribute("d").unwrap();
    let mut corners: Vec<(i32, i32)> = Vec::new();
    for point in data.split(['M', 'L', 'Q']).skip(1) {
        let numbers = point.split(' ');
        let numbers: Vec<i32> = numbers.map(|one| one.parse().unwrap()).collect();
        // Of a curve, the corner that it rounds is its first point.
        corners.extend(numbers.chunks(2).map(|pair| (pair[0] + x, pair[1] + y)));
    }
    Line {
        tooltip: tooltip(node).unwrap(),
        corners,
    }
}
