//! Schemas with everything that SQLite has, out of a seed. They are in normal form: what is
//! read back is the same value. The values of all columns are such that rows fit everywhere:
//! see [`rows`].

mod constraints;
mod count;
mod indexes;
mod mutate;
mod names;
mod rows;
mod tables;
mod views;

use fastrand::Rng;
use underpin::schema::{Namespace, ObjectName, Schema};

pub(crate) use count::{KINDS, count};
pub(crate) use mutate::mutated;
pub(crate) use rows::rows;

/// The schema of this seed.
pub(crate) fn schema(seed: u64) -> Schema {
    let mut generator = Generator::new(seed);
    generator.run();
    generator.schema
}

pub(crate) struct Generator {
    rng: Rng,
    /// How many names there have been.
    names: usize,
    schema: Schema,
}

impl Generator {
    fn new(seed: u64) -> Self {
        let mut schema = Schema::default();
        let main = Namespace::default();
        schema.namespaces.insert("main".to_owned(), main);
        Generator {
            rng: Rng::with_seed(seed),
            names: 0,
            schema,
        }
    }

    fn run(&mut self) {
        for _ in 0..self.rng.usize(2..6) {
            self.table();
        }
        for _ in 0..self.rng.usize(1..5) {
            self.foreign_key();
        }
        self.views();
    }

    fn main(&mut self, stem: &str) -> ObjectName {
        ObjectName::new("main", self.name(stem))
    }

    fn some_table(&mut self) -> ObjectName {
        let names: Vec<ObjectName> = self.schema.tables.keys().cloned().collect();
        self.rng.choice(names).unwrap()
    }

    fn comment(&mut self) -> Option<String> {
        let text = ["it's -- odd; */ /*", "plain", "Größe\n\nand more", "(a, b)"];
        let text = self.rng.choice(text).unwrap();
        self.chance(15).then(|| text.to_owned())
    }

    fn chance(&mut self, percent: u8) -> bool {
        self.rng.u8(0..100) < percent
    }
}
