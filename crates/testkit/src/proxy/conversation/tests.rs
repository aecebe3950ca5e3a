use super::*;

fn message(letter: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![letter];
    message.extend((body.len() as u32 + 4).to_be_bytes());
    message.extend(body);
    message
}

fn startup(code: u32) -> Vec<u8> {
    [8u32.to_be_bytes(), code.to_be_bytes()].concat()
}

fn parse(name: &str, text: &str) -> Vec<u8> {
    message(b'P', format!("{name}\0{text}\0\0\0").as_bytes())
}

fn bind(name: &str) -> Vec<u8> {
    message(b'B', format!("\0{name}\0\0\0").as_bytes())
}

/// A conversation past the greeting.
fn greeted() -> Conversation {
    let mut talk = Conversation::default();
    talk.hear_client(&startup(196_608), &mut None);
    talk.hear_server(&message(b'Z', b"I"));
    talk
}

#[test]
fn a_prepared_statement_is_cut_when_it_is_executed_and_not_when_it_is_prepared() {
    let mut talk = greeted();
    let mut armed = Some(CutPoint::before_statement_forwarded("/* 7 */"));
    let prepare = [parse("s1", "SELECT /* 7 */ 1"), message(b'S', b"")].concat();
    let step = talk.hear_client(&prepare, &mut armed);
    assert_eq!((step.forward, step.then), (prepare, Then::GoOn));
    talk.hear_server(&message(b'Z', b"I"));

    let step = talk.hear_client(&bind("other"), &mut armed);
    assert_eq!(step.then, Then::GoOn);
    let step = talk.hear_client(&bind("s1"), &mut armed);
    assert_eq!((step.forward, step.then), (Vec::new(), Then::Reset));
    assert_eq!(armed, None);
}

#[test]
fn a_statement_that_was_closed_is_forgotten() {
    let mut talk = greeted();
    let mut armed = Some(CutPoint::before_answer("marker"));
    talk.hear_client(&parse("s1", "marker"), &mut armed);
    talk.hear_client(&message(b'C', b"Ss1\0"), &mut armed);
    talk.hear_client(&bind("s1"), &mut armed);
    assert!(!talk.cut_has_begun());
}

#[test]
fn answers_of_earlier_statements_arrive_before_the_cut() {
    let mut talk = greeted();
    let mut armed = Some(CutPoint::before_answer("COMMIT"));
    let first = message(b'Q', b"SELECT 1\0");
    let second = message(b'Q', b"COMMIT\0");
    let third = message(b'Q', b"SELECT 3\0");
    let step = talk.hear_client(&[first.clone(), second.clone(), third].concat(), &mut armed);
    assert_eq!(step.forward, [first, second].concat());
    assert_eq!(step.then, Then::Hold);

    let answer = [message(b'C', b"SELECT 1\0"), message(b'Z', b"I")].concat();
    let step = talk.hear_server(&answer);
    assert_eq!((step.forward, step.then), (answer, Then::GoOn));
    let step = talk.hear_server(&message(b'C', b"COMMIT\0"));
    assert_eq!((step.forward, step.then), (Vec::new(), Then::GoOn));
    let step = talk.hear_server(&message(b'Z', b"I"));
    assert_eq!((step.forward, step.then), (Vec::new(), Then::Reset));
}

#[test]
fn after_the_answer_means_after_all_of_it() {
    let mut talk = greeted();
    let mut armed = Some(CutPoint::after_answer("COMMIT"));
    talk.hear_client(&message(b'Q', b"COMMIT\0"), &mut armed);
    let answer = [message(b'C', b"COMMIT\0"), message(b'Z', b"I")].concat();
    let step = talk.hear_server(&answer);
    assert_eq!((step.forward, step.then), (answer, Then::Close));
}

#[test]
fn an_answer_is_cut_to_the_byte() {
    let mut talk = greeted();
    let mut armed = Some(CutPoint::while_answer_arrives("SELECT", 7));
    talk.hear_client(&message(b'Q', b"SELECT\0"), &mut armed);
    let step = talk.hear_server(&message(b'D', b"abcdef"));
    assert_eq!((step.forward.len(), step.then), (7, Then::Close));
}

#[test]
fn a_huge_message_is_cut_before_it_is_whole() {
    let mut talk = greeted();
    let mut armed = Some(CutPoint::while_statement_arrives(1000));
    let small = message(b'Q', &[b'x'; 500]);
    assert_eq!(talk.hear_client(&small, &mut armed).then, Then::GoOn);
    let huge = message(b'Q', &[b'x'; 5000]);
    assert_eq!(talk.hear_client(&huge[..999], &mut armed).then, Then::GoOn);
    let step = talk.hear_client(&huge[999..1000], &mut armed);
    assert_eq!((step.forward, step.then), (Vec::new(), Then::Reset));
}

#[test]
fn encrypted_bytes_pass_unread() {
    let mut talk = Conversation::default();
    talk.hear_client(&startup(SSL_REQUEST), &mut None);
    assert_eq!(talk.hear_server(b"S").forward, b"S");
    let mut armed = Some(CutPoint::before_answer("COMMIT"));
    let bytes = [&[TLS_HANDSHAKE], message(b'Q', b"COMMIT\0").as_slice()].concat();
    let step = talk.hear_client(&bytes, &mut armed);
    assert_eq!((step.forward, step.then), (bytes, Then::GoOn));
    assert!(armed.is_some());
}

#[test]
fn a_server_without_encryption_is_understood() {
    let mut talk = Conversation::default();
    talk.hear_client(&startup(SSL_REQUEST), &mut None);
    assert_eq!(talk.hear_server(b"N").forward, b"N");
    talk.hear_client(&startup(196_608), &mut None);
    let greeting = message(b'Z', b"I");
    assert_eq!(talk.hear_server(&greeting).forward, greeting);
    let mut armed = Some(CutPoint::before_statement_forwarded("COMMIT"));
    let step = talk.hear_client(&message(b'Q', b"COMMIT\0"), &mut armed);
    assert_eq!(step.then, Then::Reset);
}
