use std::io::{Result, Write};

/// Writes rows of texts under their names, each column as wide as it has to be. Columns that
/// are empty in every row are left out.
pub(super) fn write(out: &mut impl Write, names: &[&str], rows: &[Vec<String>]) -> Result<()> {
    let used: Vec<usize> = (0..names.len())
        .filter(|&at| rows.iter().any(|row| !row[at].is_empty()))
        .collect();
    let width = |at: usize| {
        let cells = rows.iter().map(|row| row[at].chars().count());
        cells.chain([names[at].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = used.iter().map(|&at| width(at)).collect();
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| {
            let blanks = " ".repeat(width.saturating_sub(cell.chars().count()));
            format!("{cell}{blanks}")
        });
        padded.collect::<Vec<_>>().join(" │ ")
    };
    writeln!(
        out,
        " {}",
        line(used.iter().map(|&at| names[at]).collect()).trim_end()
    )?;
    let rules: Vec<String> = widths.iter().map(|width| "─".repeat(width + 2)).collect();
    writeln!(out, "{}", rules.join("┼"))?;
    for row in rows {
        let cells = used.iter().map(|&at| row[at].as_str()).collect();
        writeln!(out, " {}", line(cells).trim_end())?;
    }
    Ok(())
}
