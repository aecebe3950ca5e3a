//! The colors and fonts, for light and dark grounds.

use crate::erd::measure::{NAME, SMALL, TEXT};

/// For lines and for the boxes that they lead to: light, dark.
const PALETTE: [(&str, &str); 8] = [
    ("#3f6fa3", "#82aede"),
    ("#b4602a", "#e2a06c"),
    ("#3f8058", "#82c398"),
    ("#80569f", "#bd9bdc"),
    ("#ad4356", "#e58b97"),
    ("#2f8189", "#70c3ca"),
    ("#7f7026", "#c7b56a"),
    ("#75655a", "#b8a799"),
];

/// How many colors there are.
pub(super) const COLORS: usize = PALETTE.len();

const LIGHT: &str = "\
.ground{fill:#f8f9fa}
.body{fill:#fff}
.edge{stroke:#c9d0d8}
.c{color:#8793a0}
.name,.key,.col{fill:#1d2733}
.type,.small{fill:#64717f}
.mark{fill:#8a6412}
.dot{fill:#64717f}
.line .ring{fill:#f8f9fa}
";

const DARK: &str = "\
.ground{fill:#12161b}
.body{fill:#1a2027}
.edge{stroke:#3a444f}
.c{color:#7d8997}
.name,.key,.col{fill:#e3e8ed}
.type,.small{fill:#94a0ad}
.mark{fill:#d4ab58}
.dot{fill:#94a0ad}
.line .ring{fill:#12161b}
";

pub(super) fn sheet() -> String {
    let mut sheet = format!(
        "text{{font:{TEXT}px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',\
         monospace}}\n\
         .name{{font-size:{NAME}px;font-weight:600}}\n\
         .small{{font-size:{SMALL}px}}\n\
         .key{{font-weight:600}}\n\
         .note{{font-style:italic}}\n\
         .end{{text-anchor:end}}\n\
         .head{{fill:currentColor;fill-opacity:.13}}\n\
         .rule{{stroke:currentColor;stroke-opacity:.45}}\n\
         .edge,.line path,.line circle{{fill:none}}\n\
         .apart .edge{{stroke-dasharray:4 3}}\n\
         .clear{{fill:none;pointer-events:all}}\n\
         .line path,.line circle{{stroke:currentColor;stroke-width:1.4;stroke-linecap:round;\
         stroke-linejoin:round}}\n\
         .line:hover path{{stroke-width:2.6}}\n"
    );
    sheet.push_str(LIGHT);
    for (index, (light, _)) in PALETTE.iter().enumerate() {
        sheet.push_str(&format!(".c{index}{{color:{light}}}\n"));
    }
    sheet.push_str("@media (prefers-color-scheme:dark){\n");
    sheet.push_str(DARK);
    for (index, (_, dark)) in PALETTE.iter().enumerate() {
        sheet.push_str(&format!(".c{index}{{color:{dark}}}\n"));
    }
    sheet.push_str("}\n");
    sheet
}
