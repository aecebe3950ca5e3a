//! A notebook in the terminal: `+ text` adds a note, `> file` backs up, anything else searches.
//!
//! ```sh
//! cargo run -p example-desktop -- notes.db
//! ```

use std::io::{BufRead, stdin};
use std::path::Path;

use example_desktop::Notebook;
use underpin::Result;

#[tokio::main]
async fn main() -> Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "notes.db".into());
    let notebook = Notebook::open(path).await?;
    for line in stdin().lock().lines().map_while(std::io::Result::ok) {
        let said = match line.split_once(' ') {
            Some(("+", text)) => notebook.add(text).await.map(|id| println!("note {id}")),
            Some((">", file)) => notebook.back_up(Path::new(file)).await,
            _ => notebook.find(&line).await.map(|notes| {
                for note in notes {
                    println!("{} {} {}", note.id, note.written, note.text);
                }
            }),
        };
        // The program goes on after a mistake.
        if let Err(error) = said {
            eprintln!("{error}");
        }
    }
    notebook.close().await
}
