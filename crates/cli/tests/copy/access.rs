//! The way out of an Access file: its tables in another engine, with equal checksums.

use std::path::Path;
use std::process::{Command, Stdio};

use underpin_testkit::{Postgres, or_skip};

use crate::place::{InPlace, Place, Said, postgres, sqlite};

const FILES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../drivers/access/tests/data"
);

fn copy(file: &Path, to: &Place) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_underpin"));
    for (name, _) in std::env::vars() {
        if name.starts_with("DB_") || name.contains("DATABASE_URL") {
            command.env_remove(name);
        }
    }
    command
        .args(["--format", "json", "copy"])
        .arg(file)
        .args([&to.url(), "--create"])
        .stdin(Stdio::null());
    Said::of(command.output().unwrap())
}

#[tokio::test]
async fn an_access_file_is_copied_to_each_engine() {
    let server = or_skip!(Postgres::shared());
    for name in ["legacy.mdb", "legacy.accdb"] {
        let file = Path::new(FILES).join(name);
        let places = [sqlite(), postgres(server, "access")];
        let mut sums = Vec::new();
        for to in &places {
            let said = copy(&file, to).expect(0, &["\"equal\": true"]);
            let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
            let tables = report["tables"].as_array().unwrap().clone();
            assert!(!tables.is_empty());
            let rows = tables.iter().map(|table| table["rows"].as_u64().unwrap());
            let total: u64 = rows.sum();
            assert!(total > 0);
            sums.push((tables.len(), total));
            let table = tables[0]["to"].as_str().unwrap().split_once('.').unwrap().1;
            let rows = i64::try_from(tables[0]["rows"].as_u64().unwrap()).unwrap();
            assert_eq!(to.count(table).await, rows);
        }
        assert_eq!(sums[0], sums[1], "{name}");
    }
}
