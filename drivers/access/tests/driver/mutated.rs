//! Files with random damage: an error or rows, never a panic, a hang or memory without bound.
//!
//! `UNDERPIN_ACCESS_FILES` is how many are tried (400), `UNDERPIN_ACCESS_SEED` the first seed. A
//! seed stands for one file.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::common::{own, quoted, try_open, try_query};
use underpin_access::Options;
use underpin_core::{Class, Error, ValueRow};

fn number(variable: &str, usual: u64) -> u64 {
    let set = std::env::var(variable).ok();
    set.map_or(usual, |set| set.parse().expect("a number"))
}

/// A place for files that is memory where there is such a place.
fn place() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let place = if memory.is_dir() {
        memory
    } else {
        std::env::temp_dir()
    };
    place.join(format!("underpin-access-mutated-{}", std::process::id()))
}

#[tokio::test]
async fn a_damaged_file_gives_an_error_or_rows() {
    let files = number("UNDERPIN_ACCESS_FILES", 400);
    let first = number("UNDERPIN_ACCESS_SEED", 1);
    let originals = ["legacy.mdb", "legacy.accdb"].map(|name| std::fs::read(own(name)).unwrap());
    let path = place();
    // A panic that the driver makes an error of is one all the same.
    let panics: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = Arc::clone(&panics);
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        noted.lock().unwrap().push(panic.to_string());
        usual(panic);
    }));
    let mut outcomes = Outcomes::default();
    for seed in first..first + files {
        let mut random = fastrand::Rng::with_seed(seed);
        let original = &originals[seed as usize % originals.len()];
        let damaged = damage(original, &mut random);
        std::fs::write(&path, &damaged).unwrap();
        let options = Options {
            lenient: random.bool(),
            ..Options::default()
        };
        read(&path, options, &mut outcomes, seed).await;
        let panics = panics.lock().unwrap();
        assert!(panics.is_empty(), "seed {seed}: {panics:?}");
    }
    let _ = std::fs::remove_file(&path);
    println!("{outcomes:?}");
    // Each kind of outcome is met, so that what is damaged is what is read.
    assert!(outcomes.refused > files / 50, "{outcomes:?}");
    assert!(outcomes.whole > files / 50, "{outcomes:?}");
    assert!(outcomes.failed > files / 50, "{outcomes:?}");
    if let Some(kilobytes) = most_memory() {
        assert!(kilobytes < 400_000, "{kilobytes} kB were used");
    }
}

#[derive(Debug, Default)]
struct Outcomes {
    refused: u64,
    whole: u64,
    failed: u64,
    rows: u64,
}

async fn read(path: &std::path::Path, options: Options, outcomes: &mut Outcomes, seed: u64) {
    let connection = match try_open(path, options).await {
        Ok(connection) => connection,
        Err(error) => {
            check(&error, seed);
            outcomes.refused += 1;
            return;
        }
    };
    for table in connection.tables() {
        let sql = format!("SELECT * FROM {}", quoted(table));
        match try_query::<ValueRow>(&connection, &sql).await {
            Ok(rows) => {
                outcomes.whole += 1;
                outcomes.rows += rows.len() as u64;
            }
            Err(error) => {
                check(&error, seed);
                outcomes.failed += 1;
            }
        }
        let sql = format!(
            "SELECT count(*) FROM {} WHERE rowid = 1 OR 1 = 1",
            quoted(table)
        );
        if let Err(error) = try_query::<i64>(&connection, &sql).await {
            check(&error, seed);
        }
    }
    let told = "SELECT length(access_structure('objects'))";
    try_query::<i64>(&connection, told).await.unwrap();
}

/// The error is about the file, and no panic has become one.
fn check(error: &Error, seed: u64) {
    let expected = matches!(
        error.class(),
        Class::Corrupt | Class::Auth | Class::Unsupported | Class::Syntax
    );
    let text = error.to_string();
    assert!(
        expected && !text.contains("panicked"),
        "seed {seed}: {error:?}"
    );
}

fn damage(original: &[u8], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = original.to_vec();
    let pages = bytes.len() / 4096;
    for _ in 0..random.usize(1..6) {
        match random.u8(0..9) {
            0 => bytes.truncate(random.usize(0..bytes.len() + 1)),
            // Anywhere.
            1 => flip(&mut bytes, random, 0..original.len(), 64),
            // The header of the file.
            2 => flip(&mut bytes, random, 0..700, 4),
            // The first bytes of a page: its kind, its owner, its rows.
            3 | 4 => {
                let page = random.usize(0..pages) * 4096;
                flip(&mut bytes, random, page..page + 80, 6);
            }
            // The end of a page: the masks and offsets of rows.
            5 => {
                let page = random.usize(0..pages) * 4096;
                flip(&mut bytes, random, page + 3000..page + 4096, 12);
            }
            // A number at its limits.
            6 => {
                let at = random.usize(0..original.len());
                let number = *random
                    .choice(&[0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX])
                    .unwrap();
                for (offset, byte) in number.to_le_bytes().into_iter().enumerate() {
                    if let Some(place) = bytes.get_mut(at + offset) {
                        *place = byte;
                    }
                }
            }
            // A page in place of another.
            7 => {
                let (from, to) = (random.usize(0..pages) * 4096, random.usize(0..pages) * 4096);
                if from.max(to) + 4096 <= bytes.len() {
                    bytes.copy_within(from..from + 4096, to);
                }
            }
            // The list of tables and the definitions, which are at the beginning.
            _ => flip(&mut bytes, random, 2 * 4096..12 * 4096, 16),
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

fn flip(bytes: &mut [u8], random: &mut fastrand::Rng, range: std::ops::Range<usize>, most: usize) {
    for _ in 0..random.usize(1..most + 1) {
        let at = random.usize(range.clone());
        if let Some(byte) = bytes.get_mut(at) {
            *byte = random.u8(..);
        }
    }
}

/// The most memory that this process has had.
fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}
