//! What a data page says before its rows are decoded: jetdb passes over what it cannot read, so each
//! page is looked at here first, and each row that it should give is known.

use jetdb::{FileError, JetFormat, PageReader, find_row};

/// A row that was deleted, or has moved to another page.
const DELETED_OR_MOVED: u16 = 0x4000;
/// A row that was deleted, or has moved here from another page.
const DELETED_OR_GUEST: u16 = 0x8000;

/// What stands at a row of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A row.
    Row,
    /// Where a row was that is at another place now.
    Moved,
    /// A row that has moved here, if one that has moved says so; otherwise it was deleted.
    Guest,
    /// A row that was deleted.
    Deleted,
}

/// A data page of a table.
pub(crate) struct Page {
    pub(crate) number: u32,
    pub(crate) bytes: Vec<u8>,
    pub(crate) places: Vec<Place>,
}

/// The number by which a row that has moved is known.
pub(crate) fn row_number(page: u32, row: u16) -> Option<u32> {
    let row = u8::try_from(row).ok()?;
    Some(page.checked_mul(256)? | u32::from(row))
}

impl Page {
    /// Reads a page, and checks that it is a data page of the table with this definition.
    pub(crate) fn read(
        reader: &mut PageReader,
        number: u32,
        table: u32,
    ) -> Result<Page, PageProblem> {
        let bytes = reader.read_page_copy(number).map_err(PageProblem::Unread)?;
        let places = places(reader.format(), &bytes, table).map_err(PageProblem::Malformed)?;
        Ok(Page {
            number,
            bytes,
            places,
        })
    }

    /// The bytes of a row.
    pub(crate) fn row<'a>(&'a self, format: &JetFormat, row: u16) -> Option<&'a [u8]> {
        let (start, size) = find_row(format, &self.bytes, self.number, row).ok()?;
        self.bytes.get(start..start + size)
    }

    /// Where a row has moved to.
    pub(crate) fn moved_to(&self, format: &JetFormat, row: u16) -> Option<u32> {
        let bytes = self.row(format, row)?.get(..4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    }
}

/// Why a page gives no rows.
#[derive(Debug)]
pub(crate) enum PageProblem {
    Unread(FileError),
    Malformed(&'static str),
}

fn places(format: &JetFormat, bytes: &[u8], table: u32) -> Result<Vec<Place>, &'static str> {
    if bytes.first() != Some(&1) {
        return Err("it is not a data page");
    }
    if number_at(bytes, 4) != Some(table) {
        return Err("it belongs to another table");
    }
    let at = format.data_row_count_pos;
    let count = bytes.get(at..at + 2).ok_or("it ends early")?;
    let count = usize::from(u16::from_le_bytes([count[0], count[1]]));
    let pointers = bytes
        .get(at + 2..at + 2 + 2 * count)
        .ok_or("it says that it has more rows than fit")?;
    let pointers = pointers.chunks_exact(2);
    Ok(pointers
        .map(|pointer| place(u16::from_le_bytes([pointer[0], pointer[1]])))
        .collect())
}

fn place(pointer: u16) -> Place {
    let flags = (
        pointer & DELETED_OR_MOVED != 0,
        pointer & DELETED_OR_GUEST != 0,
    );
    match flags {
        (false, false) => Place::Row,
        (true, false) => Place::Moved,
        (false, true) => Place::Guest,
        (true, true) => Place::Deleted,
    }
}

pub(crate) fn number_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// Whether a row has a value in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It has.
    Value,
    /// It is NULL.
    Null,
    /// The column was added after the row was written.
    Later,
}

/// Which of its columns a row has values in.
pub(crate) struct Mask<'a> {
    row: &'a [u8],
    is_jet3: bool,
    columns: u16,
    bits: &'a [u8],
}

impl<'a> Mask<'a> {
    /// The mask of a row, at its end; none where the row is too short for it.
    pub(crate) fn of(row: &'a [u8], is_jet3: bool) -> Option<Self> {
        let columns = match is_jet3 {
            true => u16::from(*row.first()?),
            false => u16::from_le_bytes(row.get(..2)?.try_into().ok()?),
        };
        let start = row.len().checked_sub(usize::from(columns).div_ceil(8))?;
        Some(Mask {
            row,
            is_jet3,
            columns,
            bits: &row[start..],
        })
    }

    /// The bytes of a value of fixed length.
    pub(crate) fn fixed(&self, offset: u16, size: u16) -> Option<&'a [u8]> {
        let start = usize::from(offset) + if self.is_jet3 { 1 } else { 2 };
        self.row.get(start..start + usize::from(size))
    }

    pub(crate) fn presence(&self, column: u16) -> Presence {
        if column >= self.columns {
            return Presence::Later;
        }
        let byte = self.bits.get(usize::from(column / 8)).copied();
        match byte.unwrap_or_default() & (1 << (column % 8)) {
            0 => Presence::Null,
            _ => Presence::Value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jetdb::JET4;

    fn page(pointers: &[u16]) -> Vec<u8> {
        let mut bytes = vec![0; 4096];
        bytes[0] = 1;
        bytes[4..8].copy_from_slice(&7_u32.to_le_bytes());
        bytes[12..14].copy_from_slice(&(pointers.len() as u16).to_le_bytes());
        for (at, pointer) in pointers.iter().enumerate() {
            bytes[14 + 2 * at..16 + 2 * at].copy_from_slice(&pointer.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn the_flags_of_a_row_say_what_it_is() {
        let found = places(
            &JET4,
            &page(&[4000, 0x4000 | 3990, 0x8000 | 3980, 0xC000 | 3970]),
            7,
        );
        let expected = [Place::Row, Place::Moved, Place::Guest, Place::Deleted];
        assert_eq!(found.unwrap(), expected);
    }

    #[test]
    fn a_page_that_is_not_the_tables_is_refused() {
        let good = page(&[4000]);
        assert!(places(&JET4, &good, 8).unwrap_err().contains("another"));
        let mut other = good.clone();
        other[0] = 2;
        assert!(places(&JET4, &other, 7).unwrap_err().contains("data page"));
        let mut many = good;
        many[12..14].copy_from_slice(&u16::MAX.to_le_bytes());
        assert!(places(&JET4, &many, 7).unwrap_err().contains("more rows"));
    }

    #[test]
    fn a_column_beyond_those_of_the_row_was_added_later() {
        let row = [3, 0, 9, 9, 0b1111_1101];
        let mask = Mask::of(&row, false).unwrap();
        assert_eq!(mask.presence(0), Presence::Value);
        assert_eq!(mask.presence(1), Presence::Null);
        assert_eq!(mask.presence(3), Presence::Later);
        assert_eq!(mask.fixed(0, 2), Some(&[9, 9][..]));
        assert_eq!(mask.fixed(2, 2), None);
        assert!(Mask::of(&[200, 0, 1], false).is_none());
    }

    #[test]
    fn a_moved_row_is_known_by_page_and_row() {
        assert_eq!(row_number(5, 3), Some(0x503));
        assert_eq!(row_number(5, 256), None);
        assert_eq!(row_number(1 << 24, 0), None);
    }
}
