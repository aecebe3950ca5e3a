//! What a program with many models and queries costs to compile, with one engine and with two.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::program::run;

const MODELS: usize = 100;
const QUERIES: usize = 300;
const ROUNDS: usize = 5;

/// A program that is built against one checkout with some engines.
struct Subject {
    label: String,
    directory: PathBuf,
    times: Vec<Duration>,
}

/// Builds the program with one engine and with two, in turns, and prints times, sizes and their
/// ratios; beside those of another checkout where one is given.
pub(crate) fn compile(before: Option<&Path>) {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut subjects = Vec::new();
    for (name, checkout) in [("now", Some(own.as_path())), ("before", before)] {
        let Some(checkout) = checkout else { continue };
        for engines in [&["postgres"][..], &["postgres", "sqlite"]] {
            let label = format!("{name}-{}", engines.len());
            subjects.push(Subject::make(label, checkout, engines));
        }
    }
    for _ in 0..ROUNDS {
        for subject in &mut subjects {
            subject.build();
        }
    }
    println!("A program with {MODELS} models and {QUERIES} queries, compiled again:");
    for subject in &subjects {
        let (time, size) = (subject.time(), subject.size());
        println!("  {:10} {:6.2} s  {:6.2} MB", subject.label, time, size);
    }
    for pair in subjects.chunks(2) {
        let [one, two] = pair else { continue };
        println!(
            "  {} to {}: time {:.2}, size {:.2}; at most 1.2 is wanted",
            two.label,
            one.label,
            two.time() / one.time(),
            two.size() / one.size()
        );
    }
}

impl Subject {
    /// Writes the program, and builds it once with all that it stands on.
    fn make(label: String, checkout: &Path, engines: &[&str]) -> Self {
        let target = std::env::current_exe().expect("a program has a path");
        let target = target
            .ancestors()
            .nth(2)
            .expect("it is in a target directory");
        let directory = target.join("compile").join(&label);
        fs::create_dir_all(directory.join("src")).expect("the target directory can be written");
        let checkout = checkout.canonicalize().expect("the checkout is there");
        let write = |name: &str, text: String| {
            fs::write(directory.join(name), text).expect("the target directory can be written");
        };
        write("Cargo.toml", manifest(&checkout, engines));
        write("src/main.rs", source());
        fs::copy(checkout.join("Cargo.lock"), directory.join("Cargo.lock"))
            .expect("the checkout has a lock file");
        let mut subject = Subject {
            label,
            directory,
            times: Vec::new(),
        };
        subject.build();
        subject.times.clear();
        subject
    }

    fn build(&mut self) {
        let main = self.directory.join("src/main.rs");
        fs::write(&main, source()).expect("the target directory can be written");
        let begun = Instant::now();
        run(Command::new("cargo")
            .args(["build", "--offline", "--quiet"])
            .env("CARGO_TARGET_DIR", self.directory.join("target"))
            .current_dir(&self.directory));
        self.times.push(begun.elapsed());
    }

    /// The median, in seconds.
    fn time(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort();
        times[times.len() / 2].as_secs_f64()
    }

    /// In megabytes.
    fn size(&self) -> f64 {
        let program = self.directory.join("target/debug/many");
        fs::metadata(program).expect("it was built").len() as f64 / 1e6
    }
}

fn manifest(checkout: &Path, engines: &[&str]) -> String {
    let underpin = checkout.join("crates/underpin");
    format!(
        "[package]\nname = \"many\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\n\
         underpin = {{ path = {underpin:?}, default-features = false, features = {engines:?} }}\n\
         tokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }}\n"
    )
}

/// Each query has a row type of its own, as those of a real program mostly have.
fn source() -> String {
    let mut text = String::from("use underpin::{Database, FromRow, Keyed as _, Model};\n\n");
    for model in 0..MODELS {
        let _ = write!(
            text,
            "#[derive(Model)]\n#[model(table = \"t{model}\")]\nstruct M{model} {{\n\
             #[model(primary_key)] id: i64, name: String, note: Option<String>, total: f64,\n\
             count: i32, open: bool }}\n"
        );
    }
    for query in 0..QUERIES {
        let _ = write!(
            text,
            "#[derive(FromRow)]\nstruct R{query} {{ id: i64, name: String, note: Option<String>,\n\
             total: f64, count: i32, open: bool }}\n"
        );
    }
    text.push_str("\n#[tokio::main]\nasync fn main() -> underpin::Result<()> {\n");
    text.push_str("let db = Database::from_env().await?;\nlet mut sum = 0.0;\n");
    for query in 0..QUERIES {
        let _ = write!(
            text,
            "for r in db.query_as::<R{query}>(\"SELECT * FROM t WHERE id > $1\", ({query},)).await? {{\n\
             sum += r.total + r.id as f64 + r.count as f64 + f64::from(u8::from(r.open))\n\
             + (r.name.len() + r.note.map_or(0, |n| n.len())) as f64; }}\n"
        );
    }
    text.push_str("println!(\"{sum}\");\n");
    for model in 0..MODELS {
        let _ = writeln!(
            text,
            "if let Some(m) = M{model}::get(&db, {model}i64).await? {{ println!(\"{{}} {{}} {{:?}} {{}} {{}} {{}}\", m.id, m.name, m.note, m.total, m.count, m.open); }}"
        );
    }
    text.push_str("Ok(())\n}\n");
    text
}
