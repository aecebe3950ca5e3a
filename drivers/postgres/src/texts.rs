use std::cell::OnceCell;

/// Texts that were created while a row was read, kept as long as the row: a value is borrowed from
/// its row, and some types do not arrive as text.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    first: OnceCell<Box<Text>>,
}

#[derive(Debug)]
struct Text {
    text: String,
    next: OnceCell<Box<Text>>,
}

impl Texts {
    pub(crate) fn keep(&self, text: String) -> &str {
        let mut slot = &self.first;
        while let Some(kept) = slot.get() {
            slot = &kept.next;
        }
        &slot
            .get_or_init(|| {
                Box::new(Text {
                    text,
                    next: OnceCell::new(),
                })
            })
            .text
    }
}
