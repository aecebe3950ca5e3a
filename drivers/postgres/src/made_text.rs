use std::fmt::Write;

use postgres_protocol::types;
use underpin_core::value::TimeOfDay;

use crate::decode::int8;
use crate::kind::Base;

/// The text that PostgreSQL itself would print for a value of a type without a form of its own
/// here; `None` if the bytes do not match the type.
pub(crate) fn text(base: Base, bytes: &[u8]) -> Option<String> {
    match base {
        Base::TimeTz => time_with_zone(bytes),
        Base::Inet => inet(bytes),
        Base::MacAddr => hardware_address(bytes),
        Base::Bit => bits(bytes),
        Base::Lsn => {
            let number = int8(bytes)? as u64;
            Some(format!("{:X}/{:X}", number >> 32, number & 0xffff_ffff))
        }
        Base::Tid => {
            let (block, offset) = bytes.split_first_chunk()?;
            let offset = u16::from_be_bytes(offset.try_into().ok()?);
            Some(format!("({},{offset})", u32::from_be_bytes(*block)))
        }
        _ => None,
    }
}

fn time_with_zone(bytes: &[u8]) -> Option<String> {
    let (micros, west) = bytes.split_at_checked(8)?;
    let time = TimeOfDay::from_micros(int8(micros)?)?;
    // PostgreSQL counts to the west, and prints the offset to the east.
    let west = i32::from_be_bytes(west.try_into().ok()?);
    let (sign, offset) = if west > 0 {
        ('-', west)
    } else {
        ('+', west.checked_neg()?)
    };
    let mut text = format!("{time}{sign}{:02}", offset / 3600);
    for part in [offset / 60 % 60, offset % 60] {
        if offset % 3600 != 0 && (part != 0 || text.len() < "00:00:00+00:00".len()) {
            let _ = write!(text, ":{part:02}");
        }
    }
    Some(text)
}

fn inet(bytes: &[u8]) -> Option<String> {
    let address = types::inet_from_sql(bytes).ok()?;
    let is_network = *bytes.get(2)? == 1;
    let whole = if address.addr().is_ipv4() { 32 } else { 128 };
    Some(if address.netmask() == whole && !is_network {
        address.addr().to_string()
    } else {
        format!("{}/{}", address.addr(), address.netmask())
    })
}

fn hardware_address(bytes: &[u8]) -> Option<String> {
    let parts: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    matches!(bytes.len(), 6 | 8).then(|| parts.join(":"))
}

fn bits(bytes: &[u8]) -> Option<String> {
    let bits = types::varbit_from_sql(bytes).ok()?;
    let bit = |at: usize| {
        bits.bytes()
            .get(at / 8)
            .map(|byte| byte >> (7 - at % 8) & 1)
    };
    (0..bits.len())
        .map(|at| bit(at).map(|bit| if bit == 1 { '1' } else { '0' }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_server_prints_them() {
        let noon = |west: i32| [&43_200_000_000i64.to_be_bytes()[..], &west.to_be_bytes()].concat();
        for (base, bytes, expected) in [
            (Base::TimeTz, noon(0), "12:00:00+00"),
            (Base::TimeTz, noon(-19_800), "12:00:00+05:30"),
            (Base::TimeTz, noon(3600), "12:00:00-01"),
            (Base::TimeTz, noon(-3601), "12:00:00+01:00:01"),
            (Base::Inet, vec![2, 32, 0, 4, 10, 0, 0, 1], "10.0.0.1"),
            (Base::Inet, vec![2, 8, 1, 4, 10, 0, 0, 0], "10.0.0.0/8"),
            (Base::Inet, vec![2, 32, 1, 4, 10, 0, 0, 1], "10.0.0.1/32"),
            (Base::MacAddr, vec![8, 0, 43, 1, 2, 3], "08:00:2b:01:02:03"),
            (Base::Bit, vec![0, 0, 0, 3, 0b1010_0000], "101"),
            (
                Base::Lsn,
                vec![0, 0, 0, 22, 0xb3, 0x74, 0xd8, 0x48],
                "16/B374D848",
            ),
            (Base::Tid, vec![0, 0, 0, 7, 0, 2], "(7,2)"),
        ] {
            assert_eq!(text(base, &bytes).as_deref(), Some(expected));
            for length in 0..bytes.len() {
                // Whatever too few bytes lead to, it must not panic.
                let _ = text(base, &bytes[..length]);
            }
        }
    }
}
