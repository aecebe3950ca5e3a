//! A malformed file is refused in a sentence, and the data is as it was.

use std::fs::File;

use crate::place::{Files, InPlace, Place, close, count};

struct Case {
    name: &'static str,
    content: Vec<u8>,
    maps: &'static [&'static str],
    says: &'static str,
}

fn case(name: &'static str, content: impl Into<Vec<u8>>, says: &'static str) -> Case {
    Case {
        name,
        content: content.into(),
        maps: &[],
        says,
    }
}

fn cases() -> Vec<Case> {
    vec![
        case("empty.csv", "", "empty.csv is empty."),
        case("blank.csv", "\n\n", "has no header"),
        case(
            "headless.csv",
            "Nurse,Northwind\nClerk,Northwind\n",
            "line 1: No header for title",
        ),
        case(
            "twice.csv",
            "title,title,company_name\n",
            "line 1: The header has the column \"title\" twice.",
        ),
        case(
            "latin.csv",
            b"title,company_name,\xe9t\xe9\n".to_vec(),
            "line 1: The header is not UTF-8.",
        ),
        case(
            "quote.csv",
            "title,company_name\nGood,A\nBad,\"A\nGood,B\n",
            "line 3: A quote that is opened here is never closed",
        ),
        Case {
            name: "mapped.csv",
            content: b"Titel,company_name\nGood,A\n".to_vec(),
            maps: &["--map", "title=Title"],
            says: "line 1: There is no column \"Title\"; the nearest is \"Titel\".",
        },
        Case {
            name: "unknown.csv",
            content: b"title,company_name\nGood,A\n".to_vec(),
            maps: &["--map", "titel=title"],
            says: "cannot fill a column \"titel\"; the nearest is \"title\".",
        },
        Case {
            name: "mapping.csv",
            content: b"title,company_name\nGood,A\n".to_vec(),
            maps: &["--map", "title"],
            says: "A mapping must be a column, an equals sign and a header",
        },
    ]
}

#[tokio::test]
async fn a_malformed_file_is_refused_and_the_data_is_as_it_was() {
    let files = Files::new();
    for place in Place::each("malformed") {
        let database = place.migrated().await;
        for case in cases() {
            let path = files.write(case.name, &case.content);
            let path = path.to_str().unwrap();
            let output = place.command(&[&["import", "jobs", path], case.maps].concat());
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{}: {said}", case.name);
            assert!(said.contains(case.says), "{}: {said}", case.name);
        }
        let missing = place.command(&["import", "jobs", "/nowhere/jobs.csv"]);
        assert_eq!(missing.status.code(), Some(2));
        let large = files.write("large.csv", "");
        File::options()
            .write(true)
            .open(&large)
            .unwrap()
            .set_len(1 << 31)
            .unwrap();
        let output = place.command(&["import", "jobs", large.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("the maximum is 2147483647"));
        assert_eq!(count(&database, "jobs").await, 0);
        assert_eq!(count(&database, "csv_imports").await, 0);
        close(database).await;
    }
}

#[tokio::test]
async fn what_is_wrong_in_one_row_is_a_bad_row() {
    let files = Files::new();
    let mut content = b"title,company_name\nGood,A\nB\xe9d,A\nLong,".to_vec();
    content.extend(vec![b'x'; 10_000_000]);
    content.extend(b"\nAlso good,B\n\"Torn \0 text\",B\n");
    let path = files.write("jobs.csv", content);
    for place in Place::each("one_row") {
        let database = place.migrated().await;
        let output = place.command(&["import", "jobs", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            said.contains("import 1: 2 of 5 rows are in jobs, 3 are bad"),
            "{said}"
        );
        assert!(said.contains("line 3, title: It is not UTF-8."), "{said}");
        assert!(
            said.contains("line 4, company_name: The record is longer"),
            "{said}"
        );
        assert!(said.contains("line 6, title: It contains a NUL"), "{said}");
        assert!(
            output.stderr.is_empty(),
            "no progress where there is no terminal"
        );
        let again = place.command(&["import", "jobs", path.to_str().unwrap()]);
        assert_eq!(again.status.code(), Some(4));
        assert_eq!(count(&database, "jobs").await, 2);
        close(database).await;
    }
}
