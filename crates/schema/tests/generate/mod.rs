//! Schemas with every kind of object, out of a seed. They are in normal form: what a server
//! reads back is the same value.

mod changed;
mod count;
mod names;
mod partitions;
mod references;
mod routines;
mod tables;
mod types;
mod views;

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use underpin::schema::{Extension, Namespace, ObjectName, ObjectRef, Schema};

pub(crate) use changed::changed;
pub(crate) use count::{KINDS, count};
pub(crate) use names::ident;

/// What the server has that the schemas are for.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// Its `server_version_num`.
    pub(crate) version: i32,
    /// A role that exists.
    pub(crate) role: String,
    /// The extensions that can be installed, as they are once they are.
    pub(crate) extensions: BTreeMap<String, Extension>,
}

/// The schema of this seed.
pub(crate) fn schema(seed: u64, server: &Server) -> Schema {
    let mut generator = Generator {
        rng: Rng::with_seed(seed),
        names: 0,
        server: server.clone(),
        schema: Schema::default(),
    };
    generator.run();
    generator.schema
}

pub(crate) struct Generator {
    rng: Rng,
    /// How many names there have been.
    names: usize,
    server: Server,
    schema: Schema,
}

impl Generator {
    fn run(&mut self) {
        let public = Namespace {
            comment: Some("standard public schema".to_owned()),
        };
        self.schema.namespaces.insert("public".to_owned(), public);
        for _ in 0..self.rng.usize(0..3) {
            let (name, comment) = (self.name("space"), self.comment());
            self.schema.namespaces.insert(name, Namespace { comment });
        }
        for (name, extension) in self.server.extensions.clone() {
            if self.rng.bool() {
                self.schema.extensions.insert(name, extension);
            }
        }
        for _ in 0..self.rng.usize(1..3) {
            self.enum_type();
            self.domain();
            self.sequence();
        }
        self.functions();
        for _ in 0..self.rng.usize(2..5) {
            self.table();
        }
        self.partitioned();
        for _ in 0..self.rng.usize(1..5) {
            self.foreign_key();
        }
        self.inheritance();
        self.views();
        self.routines_over_tables();
    }

    fn namespace(&mut self) -> String {
        let names: Vec<&String> = self.schema.namespaces.keys().collect();
        self.rng.choice(names).unwrap().clone()
    }

    fn object_name(&mut self, stem: &str) -> ObjectName {
        ObjectName::new(self.namespace(), self.name(stem))
    }

    fn comment(&mut self) -> Option<String> {
        let text = ["it's \\ odd; --", "plain", "Größe\nand more"];
        let text = self.rng.choice(text).unwrap();
        (self.rng.u8(0..4) == 0).then(|| text.to_owned())
    }

    fn chance(&mut self, percent: u8) -> bool {
        self.rng.u8(0..100) < percent
    }

    /// What the texts name of sequences, enums and functions.
    fn named_in(&self, texts: &[&str]) -> BTreeSet<ObjectRef> {
        let names = |name: &ObjectName, end: &str| {
            let text = names::qualified(name);
            let escaped = format!("{}{end}", text.replace('\'', "''"));
            let text = format!("{text}{end}");
            texts
                .iter()
                .any(|within| within.contains(&text) || within.contains(&escaped))
        };
        let mut found = BTreeSet::new();
        for name in self
            .schema
            .sequences
            .keys()
            .filter(|name| names(name, "'::regclass"))
        {
            found.insert(ObjectRef::Sequence(name.clone()));
        }
        for name in self.schema.enums.keys() {
            let text = format!("::{}", names::qualified(name));
            let ends = |after: &str| !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
            let within = |within: &&str| within.split(&text).skip(1).any(ends);
            if texts.iter().any(within) {
                found.insert(ObjectRef::Enum(name.clone()));
            }
        }
        for name in self.schema.functions.keys() {
            let plain = ObjectName::new(name.namespace.clone(), name.name.clone());
            if name.arguments == ["integer"] && names(&plain, "(") {
                found.insert(ObjectRef::Function(name.clone()));
            }
        }
        found
    }
}
