//! A command with commands of its own beside those of Underpin, and its revisions inside:
//!
//! ```sh
//! export DATABASE_URL='sqlite:contacts.db?mode=rwc'
//! cargo run -p example-command -- migrate up
//! cargo run -p example-command -- add Ada 555-0100
//! cargo run -p example-command -- list
//! cargo run -p example-command -- health
//! ```

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use underpin::migrate::{Embedded, embed_revisions};
use underpin::{Database, Result};
use underpin_commands::{App, AppCommand, Exit, GlobalOptions};

static REVISIONS: &[Embedded] = embed_revisions!("revisions");

/// Keeps the phone numbers of people
#[derive(Parser)]
#[command(name = "contacts")]
struct Arguments {
    #[command(flatten)]
    options: GlobalOptions,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Add a contact, or change the number of one
    Add { name: String, phone: String },
    /// List all contacts
    List,
    #[command(flatten)]
    Database(AppCommand),
}

async fn add(db: &Database, name: &str, phone: &str) -> Result<Exit> {
    let sql = "INSERT INTO contacts VALUES ($1, $2)
               ON CONFLICT (name) DO UPDATE SET phone = excluded.phone";
    db.execute(sql, (name, phone)).await?;
    Ok(Exit::Success)
}

async fn list(db: &Database) -> Result<Exit> {
    let sql = "SELECT name, phone FROM contacts ORDER BY name";
    let mut contacts = db.query_stream::<(String, String)>(sql, ()).await?;
    while let Some(contact) = contacts.next().await {
        let (name, phone) = contact?;
        println!("{name}\t{phone}");
    }
    Ok(Exit::Success)
}

async fn run(arguments: Arguments) -> Exit {
    let options = &arguments.options;
    let connected = async { Database::connect(options.load()?).await };
    match arguments.action {
        Action::Database(command) => {
            let app = App::new("contacts").revisions(REVISIONS);
            app.run(command, options).await
        }
        Action::Add { name, phone } => {
            Exit::of(async { add(&connected.await?, &name, &phone).await }.await)
        }
        Action::List => Exit::of(async { list(&connected.await?).await }.await),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    run(Arguments::parse()).await.into()
}
