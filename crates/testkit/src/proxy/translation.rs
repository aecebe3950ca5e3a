//! What a server says to people, in another language: as a server with other `lc_messages` does,
//! on machines that have no such locale.

/// An error or a notice with its severity, message, detail and hint in another language, and its
/// context in other words. What programs read stays: the SQLSTATE, the severity that is never
/// translated, names, positions, and the place in the server's source. Any other message stays as
/// it is.
pub(super) fn translated(message: &[u8]) -> Vec<u8> {
    if !matches!(message.first(), Some(b'E' | b'N')) || message.len() < 5 {
        return message.to_vec();
    }
    let mut body = Vec::with_capacity(message.len());
    for field in message[5..].split(|byte| *byte == 0) {
        let Some((kind, text)) = field.split_first() else {
            break;
        };
        body.push(*kind);
        match kind {
            b'S' => body.extend("ОШИБКА".bytes()),
            // "Something went wrong."
            b'M' | b'D' | b'H' => body.extend("Что-то пошло не так.".bytes()),
            b'W' => body.extend(context(text)),
            _ => body.extend(text),
        }
        body.push(0);
    }
    body.push(0);
    let length = u32::try_from(body.len() + 4).expect("An error is short.");
    let mut whole = vec![message[0]];
    whole.extend(length.to_be_bytes());
    whole.extend(body);
    whole
}

/// The words that every line of a COPY's context has, as the server's own translation has them.
fn context(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    let text = text.replace(" line ", " строка ");
    text.replace(" column ", " столбец ").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_read_stays() {
        let body = b"SERROR\0VERROR\0C23505\0Mduplicate key\0WCOPY t, line 3, column a\0nt_key\0\0";
        let mut message = vec![b'E'];
        message.extend((body.len() as u32 + 4).to_be_bytes());
        message.extend(body);
        let other = translated(&message);
        let length = u32::from_be_bytes(other[1..5].try_into().unwrap());
        assert_eq!(length as usize + 1, other.len());
        let text = String::from_utf8(other[5..].to_vec()).unwrap();
        let fields: Vec<&str> = text.split('\0').collect();
        for kept in ["VERROR", "C23505", "nt_key"] {
            assert!(fields.contains(&kept), "{fields:?}");
        }
        assert!(
            fields.contains(&"WCOPY t, строка 3, столбец a"),
            "{fields:?}"
        );
        assert!(
            !text.contains("duplicate") && !text.contains("SERROR"),
            "{fields:?}"
        );
        assert!(text.ends_with("\0\0"));
        assert_eq!(translated(b"Z\0\0\0\x05I"), b"Z\0\0\0\x05I");
    }
}
