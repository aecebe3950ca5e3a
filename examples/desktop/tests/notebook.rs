//! The notebook on files.

use example_desktop::Notebook;
use underpin::Class;
use underpin::migrate::Embedded;

#[tokio::test]
async fn notes_are_kept_and_backed_up() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.db");
    let notebook = Notebook::open(&path).await.unwrap();
    notebook.add("buy milk").await.unwrap();
    notebook.add("call Ada").await.unwrap();
    let backup = directory.path().join("backup.db");
    notebook.back_up(&backup).await.unwrap();
    notebook.add("too late").await.unwrap();
    notebook.close().await.unwrap();

    for (file, count) in [(&path, 3), (&backup, 2)] {
        let notebook = Notebook::open(file).await.unwrap();
        assert_eq!(notebook.find("").await.unwrap().len(), count);
        let found = notebook.find("Ada").await.unwrap();
        assert_eq!((found[0].id, found[0].text.as_str()), (2, "call Ada"));
        notebook.close().await.unwrap();
    }
}

#[tokio::test]
async fn the_file_of_a_newer_version_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.db");
    let first = include_str!("../revisions/1_notes.sql");
    let second = "-- revision: 2\n-- parents: 1\n-- message: colors\n-- up\n\
                  ALTER TABLE notes ADD COLUMN color TEXT;\n";
    let newer = [
        Embedded::new("1_notes.sql", first),
        Embedded::new("2_colors.sql", second),
    ];
    let notebook = Notebook::open_with(&path, &newer).await.unwrap();
    notebook.close().await.unwrap();
    let error = Notebook::open(&path).await.unwrap_err();
    assert_eq!(error.class(), Class::Unsupported, "{error}");
}
