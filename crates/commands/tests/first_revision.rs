//! The first minutes of an application that has models and no directory of revisions yet.

use std::ffi::OsString;

use underpin::{Database, Model, models};
use underpin_commands::{App, Exit};

#[derive(Model)]
#[model(table = "customers")]
struct Customer {
    #[model(primary_key, identity)]
    id: i64,
    #[model(unique)]
    email: String,
}

fn app() -> App {
    App::new("shop").models(models![Customer])
}

async fn run(arguments: &[&str]) -> Exit {
    let program = ["shop", "--url", "sqlite:shop.db?mode=rwc", "migrate"];
    let all = program.iter().chain(arguments).map(OsString::from);
    app().run_from(all).await
}

// One test, since it changes the working directory of the process.
#[tokio::test]
async fn the_first_revision_needs_no_directory() {
    let directory = tempfile::tempdir().unwrap();
    std::env::set_current_dir(directory.path()).unwrap();

    assert_eq!(
        run(&["new", "--autogenerate", "-m", "customers"]).await,
        Exit::Success
    );
    let files = std::fs::read_dir("revisions").unwrap().count();
    assert_eq!(files, 1);
    // Once it is written, nothing is missing.
    assert_eq!(run(&["check"]).await, Exit::Success);

    // The named directory is created too.
    let other = [
        "--revisions",
        "db/revisions",
        "new",
        "--autogenerate",
        "-m",
        "customers",
    ];
    assert_eq!(run(&other).await, Exit::Success);
    assert_eq!(
        run(&["--revisions", "db/revisions", "up"]).await,
        Exit::Success
    );
    let db = Database::connect("sqlite:shop.db").await.unwrap();
    let new = NewCustomer::new("ada@example.com");
    let ada = Customer::insert(&db, new).await.unwrap();
    assert_eq!((ada.id, ada.email.as_str()), (1, "ada@example.com"));

    // `init` makes what the error about a missing directory says that it makes.
    std::fs::remove_dir_all("revisions").unwrap();
    assert_eq!(run(&["init"]).await, Exit::Success);
    assert!(std::fs::exists("revisions/template.txt").unwrap());
    assert!(std::fs::exists("underpin.toml").unwrap());
    assert_eq!(
        run(&["--revisions", "elsewhere", "history"]).await,
        Exit::Usage
    );
    assert_eq!(
        run(&["--revisions", "elsewhere", "init"]).await,
        Exit::Success
    );
    assert_eq!(
        run(&["--revisions", "elsewhere", "history"]).await,
        Exit::Success
    );
}
