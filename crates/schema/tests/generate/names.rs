use underpin::schema::ObjectName;

use super::Generator;

/// Words that cannot stand for a name without quotes.
const RESERVED: [&str; 6] = ["select", "table", "order", "user", "group", "default"];

/// The longest that a name can be.
const MAX_BYTES: usize = 63;

impl Generator {
    /// A name that no other object has: plain, in need of quotes, reserved, or as long as can be.
    pub(super) fn name(&mut self, stem: &str) -> String {
        self.names += 1;
        let number = self.names;
        match self.rng.u8(0..12) {
            0 => format!("{} {number} \"so\"", stem.to_uppercase()),
            1 => format!("größe'{stem}.{number}"),
            2 => {
                let name = format!("{stem}_{number}_");
                let rest = MAX_BYTES - name.len();
                name + &"x".repeat(rest)
            }
            3 if number <= RESERVED.len() => RESERVED[number - 1].to_owned(),
            _ => format!("{stem}_{number}"),
        }
    }
}

/// A name as the server renders it: in quotes where it needs them.
pub(crate) fn ident(name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    match name.chars().all(plain) && !RESERVED.contains(&name) {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// A qualified name as the server renders it.
pub(super) fn qualified(name: &ObjectName) -> String {
    format!("{}.{}", ident(&name.namespace), ident(&name.name))
}
