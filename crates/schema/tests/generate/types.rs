use underpin::schema::{
    Check, Domain, EnumType, Expression, ObjectName, Sequence, SequenceOptions, Type,
};

use super::names::qualified;
use super::{Generator, ident};

/// A type, a default of it, and a condition on a column of it where `{}` is, as the server
/// renders them.
type Kind = (
    &'static str,
    &'static [&'static str],
    Option<&'static str>,
    &'static str,
);

const KINDS: [Kind; 14] = [
    ("integer", &[], Some("7"), "{} > 0"),
    ("bigint", &[], Some("42"), "{} <> 0"),
    ("smallint", &[], Some("'-1'::integer"), "{} < 100"),
    ("text", &[], Some("'it''s (\\)'::text"), "{} <> ''::text"),
    (
        "character varying",
        &["20"],
        Some("'x'::character varying"),
        "({})::text <> ''::text",
    ),
    ("character", &["3"], Some("'abc'::bpchar"), "{} IS NOT NULL"),
    ("numeric", &["10", "2"], Some("1.5"), "{} >= (0)::numeric"),
    ("boolean", &[], Some("true"), "{} IS NOT NULL"),
    (
        "timestamp with time zone",
        &["3"],
        Some("now()"),
        "{} IS NOT NULL",
    ),
    (
        "date",
        &[],
        Some("'2020-02-29'::date"),
        "{} > '2000-01-01'::date",
    ),
    ("uuid", &[], Some("gen_random_uuid()"), "{} IS NOT NULL"),
    (
        "jsonb",
        &[],
        Some("'{}'::jsonb"),
        "jsonb_typeof({}) = 'object'::text",
    ),
    ("interval day to second", &["3"], None, "{} IS NOT NULL"),
    (
        "int4range",
        &[],
        Some("'empty'::int4range"),
        "NOT isempty({})",
    ),
];

/// A type, and what can be said of a column of it.
pub(super) struct Sample {
    pub(super) data_type: Type,
    pub(super) default: Option<Expression>,
    /// With `{}` for the column.
    pub(super) condition: String,
}

impl Generator {
    pub(super) fn enum_type(&mut self) {
        let labels = ["sad", "it's, ok", "Äh \"so\"", "happy"];
        let many = self.rng.usize(1..=labels.len());
        let labels = labels[..many].iter().map(|label| (*label).to_owned());
        let (labels, comment) = (labels.collect(), self.comment());
        let name = self.object_name("mood");
        self.schema.enums.insert(name, EnumType { labels, comment });
    }

    pub(super) fn domain(&mut self) {
        let sample = self.sample();
        if sample.data_type.namespace.is_some() {
            return self.domain();
        }
        let mut domain = Domain {
            default: sample.default.filter(|_| self.chance(50)),
            not_null: self.chance(30),
            comment: self.comment(),
            ..Domain::default()
        };
        if sample.data_type.name == "text" && self.chance(50) {
            domain.collation = Some(ObjectName::new("pg_catalog", "C"));
        }
        domain.base = sample.data_type;
        for _ in 0..self.rng.usize(0..3) {
            let check = Check {
                expression: sample.condition.replacen("{}", "VALUE", 1).into(),
                not_valid: self.chance(20),
                comment: self.comment(),
                ..Check::default()
            };
            let name = self.name("valid");
            domain.checks.insert(name, check);
        }
        let name = self.object_name("kind");
        self.schema.domains.insert(name, domain);
    }

    pub(super) fn sequence(&mut self) {
        let data_type = self.rng.choice(["smallint", "integer", "bigint"]).unwrap();
        let options = self.sequence_options(data_type);
        let unlogged = self.server.version >= 150_000 && self.chance(10);
        let sequence = Sequence {
            options,
            owned_by: None,
            persistence: tables_persistence(unlogged),
            comment: self.comment(),
        };
        let name = self.object_name("seq");
        self.schema.sequences.insert(name, sequence);
    }

    pub(super) fn sequence_options(&mut self, data_type: &str) -> SequenceOptions {
        let usual = SequenceOptions::of_type(data_type);
        match self.rng.u8(0..3) {
            0 => usual,
            1 => SequenceOptions {
                increment: 5,
                start: 100,
                cache: 10,
                ..usual
            },
            _ => SequenceOptions {
                increment: -2,
                min: -500,
                max: 50,
                start: 20,
                cycle: true,
                ..usual
            },
        }
    }

    /// A type of the server, an array of one, an enum or a domain.
    pub(super) fn sample(&mut self) -> Sample {
        match self.rng.u8(0..10) {
            0 if !self.schema.enums.is_empty() => self.enum_sample(),
            1 if !self.schema.domains.is_empty() => {
                let names: Vec<&ObjectName> = self.schema.domains.keys().collect();
                let name = self.rng.choice(names).unwrap().clone();
                plain(own(&name))
            }
            2 => {
                let name = self.rng.choice(["integer", "text", "numeric"]).unwrap();
                let data_type = Type {
                    array: true,
                    ..Type::named(name)
                };
                let default = format!("'{{}}'::{name}[]");
                Sample {
                    data_type,
                    default: Some(default.into()),
                    condition: "cardinality({}) < 5".to_owned(),
                }
            }
            _ => self.own_sample(),
        }
    }

    fn own_sample(&mut self) -> Sample {
        let (name, parameters, default, condition) = self.rng.choice(KINDS).unwrap();
        Sample {
            data_type: Type {
                parameters: parameters.iter().map(|one| (*one).to_owned()).collect(),
                ..Type::named(name)
            },
            default: default.map(Into::into),
            condition: condition.to_owned(),
        }
    }

    fn enum_sample(&mut self) -> Sample {
        let names: Vec<&ObjectName> = self.schema.enums.keys().collect();
        let name = self.rng.choice(names).unwrap().clone();
        let label = self.schema.enums[&name].labels.last().unwrap();
        let default = format!("'{}'::{}", label.replace('\'', "''"), qualified(&name));
        Sample {
            default: Some(default.into()),
            ..plain(own(&name))
        }
    }
}

fn own(name: &ObjectName) -> Type {
    Type {
        namespace: Some(name.namespace.clone()),
        ..Type::named(name.name.clone())
    }
}

fn plain(data_type: Type) -> Sample {
    Sample {
        data_type,
        default: None,
        condition: "{} IS NOT NULL".to_owned(),
    }
}

/// The condition on a column.
pub(super) fn on(condition: &str, column: &str) -> Expression {
    condition.replacen("{}", &ident(column), 1).into()
}

pub(super) fn tables_persistence(unlogged: bool) -> underpin::schema::Persistence {
    match unlogged {
        true => underpin::schema::Persistence::Unlogged,
        false => underpin::schema::Persistence::Permanent,
    }
}
