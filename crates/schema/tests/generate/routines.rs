use std::collections::BTreeSet;

use underpin::schema::{Function, FunctionKind, FunctionName, ObjectName, ObjectRef};

use super::names::qualified;
use super::{Generator, ident};

impl Generator {
    /// Functions that tables can use, two of one name, a procedure, a trigger function.
    pub(super) fn functions(&mut self) {
        let name = self.object_name("twice");
        let body = |returns: &str, argument: &str, text: &str| {
            let name = qualified(&name);
            format!(
                "CREATE OR REPLACE FUNCTION {name}({argument})\n RETURNS {returns}\n LANGUAGE sql\n \
                 IMMUTABLE STRICT\nAS $function$ {text} $function$"
            )
        };
        let (n, t) = ("n integer", "t text, more text DEFAULT 'it''s'::text");
        let number = body("integer", n, "SELECT n * 2");
        let text = body("text", t, "SELECT t || more");
        self.function(
            &name,
            &["integer"],
            FunctionKind::Function,
            number,
            n,
            Some("integer"),
        );
        self.function(
            &name,
            &["text", "text"],
            FunctionKind::Function,
            text,
            t,
            Some("text"),
        );
        let name = self.object_name("do");
        let definition = format!(
            "CREATE OR REPLACE PROCEDURE {}(INOUT n integer)\n LANGUAGE plpgsql\n\
             AS $procedure$ BEGIN n := 1; END $procedure$",
            qualified(&name)
        );
        let arguments = "INOUT n integer";
        self.function(
            &name,
            &["integer"],
            FunctionKind::Procedure,
            definition,
            arguments,
            None,
        );
        let name = self.object_name("touch");
        let definition = format!(
            "CREATE OR REPLACE FUNCTION {}()\n RETURNS trigger\n LANGUAGE plpgsql\n\
             AS $function$ BEGIN RETURN NEW; END $function$",
            qualified(&name)
        );
        self.function(
            &name,
            &[],
            FunctionKind::Function,
            definition,
            "",
            Some("trigger"),
        );
    }

    /// Functions that stand on tables, and a table with a default that stands on one.
    pub(super) fn routines_over_tables(&mut self) {
        let names: Vec<ObjectName> = self.schema.tables.keys().cloned().collect();
        let table = self.rng.choice(names).unwrap();
        let name = self.object_name("all_of");
        let of = qualified(&table);
        let definition = format!(
            "CREATE OR REPLACE FUNCTION {}()\n RETURNS SETOF {of}\n LANGUAGE sql\n STABLE\n\
             AS $function$ SELECT * FROM {of} $function$",
            qualified(&name)
        );
        let returns = format!("SETOF {of}");
        let function = FunctionKind::Function;
        let key = self.function(&name, &[], function, definition, "", Some(&returns));
        self.depends(&key, [ObjectRef::Table(table.clone())]);
        if self.server.version >= 140_000 {
            let name = self.object_name("count_of");
            let definition = format!(
                "CREATE OR REPLACE FUNCTION {}()\n RETURNS bigint\n LANGUAGE sql\n\
                 BEGIN ATOMIC\n SELECT count(*) AS count\n    FROM {of};\nEND",
                qualified(&name)
            );
            let key = self.function(&name, &[], function, definition, "", Some("bigint"));
            self.depends(&key, [ObjectRef::Table(table.clone())]);
            let call = format!("{}()", qualified(&name));
            let mut others = self.schema.tables.values();
            let is_parent = others.any(|other| other.inherits.contains(&table));
            let table = self.schema.tables.get_mut(&table).unwrap();
            let free = |column: &&mut underpin::schema::Column| {
                column.data_type.name == "bigint"
                    && column.identity.is_none()
                    && column.generated.is_none()
                    && column.default.is_none()
                    && !column.inherited
            };
            let circular = !is_parent && table.inherits.is_empty() && table.partition_of.is_none();
            if let Some(column) = table.columns.iter_mut().find(free).filter(|_| circular) {
                column.default = Some(call.into());
                table.depends_on.insert(ObjectRef::Function(key));
            }
        }
    }

    pub(super) fn trigger_function(&self) -> FunctionName {
        let functions = self.schema.functions.iter();
        let mut triggers = functions.filter(|(_, of)| of.returns.as_deref() == Some("trigger"));
        triggers.next().unwrap().0.clone()
    }

    /// A call of a function of one integer.
    pub(super) fn call(&self, argument: &str) -> String {
        let functions = self.schema.functions.iter();
        let mut numeric = functions.filter(|(_, of)| of.returns.as_deref() == Some("integer"));
        let name = numeric.next().unwrap().0;
        format!(
            "{}.{}({argument})",
            ident(&name.namespace),
            ident(&name.name)
        )
    }

    fn function(
        &mut self,
        name: &ObjectName,
        types: &[&str],
        kind: FunctionKind,
        definition: String,
        arguments: &str,
        returns: Option<&str>,
    ) -> FunctionName {
        let key = FunctionName {
            namespace: name.namespace.clone(),
            name: name.name.clone(),
            arguments: types.iter().map(|one| (*one).to_owned()).collect(),
        };
        let function = Function {
            kind,
            definition: definition.into(),
            arguments: arguments.to_owned(),
            returns: returns.map(str::to_owned),
            depends_on: BTreeSet::new(),
            comment: self.comment(),
        };
        self.schema.functions.insert(key.clone(), function);
        key
    }

    fn depends<const N: usize>(&mut self, key: &FunctionName, on: [ObjectRef; N]) {
        let function = self.schema.functions.get_mut(key).unwrap();
        function.depends_on = on.into();
    }
}
