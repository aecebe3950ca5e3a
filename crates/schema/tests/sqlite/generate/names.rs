use super::Generator;

/// Words that cannot stand for a name without quotes.
const RESERVED: [&str; 6] = ["select", "table", "order", "index", "group", "default"];

impl Generator {
    /// A name that nothing else has: plain, in need of quotes, reserved, or long.
    pub(super) fn name(&mut self, stem: &str) -> String {
        self.names += 1;
        let number = self.names;
        match self.rng.u8(0..12) {
            0 => format!("{} {number} \"so\"", stem.to_uppercase()),
            1 => format!("größe'{stem}.{number}"),
            2 => format!("{stem}_{number}_{}", "x".repeat(80)),
            3 => format!("[{stem}`{number}"),
            4 if number <= RESERVED.len() => RESERVED[number - 1].to_owned(),
            5 => format!("{}{number}", stem.to_uppercase()),
            _ => format!("{stem}_{number}"),
        }
    }
}

/// A name in an expression in normal form.
pub(crate) fn ident(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match name.chars().all(plain) && !RESERVED.contains(&name) {
        true => name.to_owned(),
        false => quoted(name),
    }
}

/// A name in quotes.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
