//! Files with a password, made from one without: as Access 2007 encrypts, by RC4 with a key for each
//! page ([MS-OFFCRYPTO] 2.3.5).

use sha1::{Digest, Sha1};
use underpin_access::Options;
use underpin_core::Class;

use crate::common::{Copy, open, query, try_open};

const PASSWORD: &str = "Grüße 7";
const PAGE: usize = 4096;
/// Where page 0 says how the file is encrypted.
const INFO: usize = 0x299;
const SALT: [u8; 16] = *b"sixteen of salt.";
const VERIFIER: [u8; 16] = *b"sixteen to check";

fn rc4(key: &[u8], data: &mut [u8]) {
    let mut state: [u8; 256] = std::array::from_fn(|at| at as u8);
    let mut j = 0_u8;
    for i in 0..256 {
        j = j.wrapping_add(state[i]).wrapping_add(key[i % key.len()]);
        state.swap(i, usize::from(j));
    }
    let (mut i, mut j) = (0_u8, 0_u8);
    for byte in data {
        i = i.wrapping_add(1);
        j = j.wrapping_add(state[usize::from(i)]);
        state.swap(usize::from(i), usize::from(j));
        let sum = state[usize::from(i)].wrapping_add(state[usize::from(j)]);
        *byte ^= state[usize::from(sum)];
    }
}

/// The key of a block, of so many bits.
fn key(block: u32, bits: u32) -> Vec<u8> {
    let password: Vec<u8> = PASSWORD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let base = Sha1::digest([&SALT[..], &password].concat());
    let hash = Sha1::digest([&base[..], &block.to_le_bytes()].concat());
    let mut key = hash[..bits as usize / 8].to_vec();
    if bits == 40 {
        key.resize(16, 0);
    }
    key
}

/// Encrypts a file whose header has no key of its own.
fn encrypt(file: &mut [u8], bits: u32) {
    for (number, page) in file.chunks_mut(PAGE).enumerate().skip(1) {
        rc4(&key(number as u32, bits), page);
    }
    let mut checked = [&VERIFIER[..], &Sha1::digest(VERIFIER)].concat();
    rc4(&key(0, bits), &mut checked);
    let mut info = Vec::new();
    info.extend([3_u16, 2].into_iter().flat_map(u16::to_le_bytes));
    // Flags, algorithms (RC4, SHA-1), the size of the key and a provider.
    const CRYPTO_API: u32 = 4;
    let header = [CRYPTO_API, 0, 0x6801, 0x8004, bits, 1, 0, 0];
    let numbers = [CRYPTO_API, 4 * header.len() as u32]
        .into_iter()
        .chain(header);
    info.extend(
        numbers
            .chain([SALT.len() as u32])
            .flat_map(u32::to_le_bytes),
    );
    info.extend(SALT);
    info.extend(&checked[..16]);
    info.extend(20_u32.to_le_bytes());
    info.extend(&checked[16..]);
    file[INFO..INFO + 2].copy_from_slice(&(info.len() as u16).to_le_bytes());
    file[INFO + 2..INFO + 2 + info.len()].copy_from_slice(&info);
}

fn with(password: &str) -> Options {
    Options {
        password: password.into(),
        ..Options::default()
    }
}

#[tokio::test]
async fn an_encrypted_file_is_read_with_its_password_alone() {
    for bits in [40, 128] {
        let copy = Copy::of("legacy.accdb", &format!("encrypted-{bits}"));
        let rows =
            "SELECT \"ID\", \"Title\", \"Description\" FROM \"Job Postings\" ORDER BY \"ID\"";
        let plain: Vec<(i64, String, Option<String>)> =
            query(&open(&copy.path()).await, rows).await;
        assert_eq!(plain.len(), 1190);
        let mut file = std::fs::read(copy.path()).unwrap();
        encrypt(&mut file, bits);
        let text = b"E\0m\0p\0l\0o\0y\0e\0r\0s\0";
        assert!(!file.windows(text.len()).any(|part| part == text));
        std::fs::write(copy.path(), &file).unwrap();
        let opened = try_open(&copy.path(), with(PASSWORD)).await.unwrap();
        let read: Vec<(i64, String, Option<String>)> = query(&opened, rows).await;
        assert!(read == plain, "{bits} bits");
        for (password, said) in [
            ("", "is encrypted, and no password was given"),
            ("grüße 7", "The password does not open"),
            ("Grüße 7 ", "The password does not open"),
        ] {
            let error = try_open(&copy.path(), with(password)).await.unwrap_err();
            assert_eq!(error.class(), Class::Auth, "{error}");
            assert!(error.to_string().contains(said), "{error}");
            assert!(!format!("{error:?}").contains("Grüße"), "{error:?}");
        }
    }
}
