use underpin::schema::{
    Index, IndexKey, MaterializedView, ObjectName, ObjectRef, Table, Trigger, TriggerState, View,
    ViewColumn,
};

use super::names::qualified;
use super::{Generator, ident};

impl Generator {
    /// A view of a table, a view of that, and a materialized view with an index.
    pub(super) fn views(&mut self) {
        let tables: Vec<ObjectName> = self.schema.tables.keys().cloned().collect();
        let of = self.rng.choice(tables).unwrap();
        let table = &self.schema.tables[&of];
        let columns: Vec<ViewColumn> = columns(table);
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let name = self.object_name("seen");
        let mut view = View {
            definition: self.select(&of, &names).into(),
            columns: columns.clone(),
            depends_on: [ObjectRef::Table(of.clone())].into(),
            comment: self.comment(),
            ..View::default()
        };
        for column in &mut view.columns {
            column.comment = self.comment();
        }
        if self.rng.bool() {
            view.options
                .insert("security_barrier".to_owned(), "true".to_owned());
            view.options
                .insert("check_option".to_owned(), "local".to_owned());
        }
        let instead = self.rng.bool() && view.options.is_empty();
        if instead {
            self.instead_of(&name, &mut view);
        }
        self.schema.views.insert(name.clone(), view);
        let over = self.object_name("a_view");
        let view = View {
            definition: self.select(&name, &names).into(),
            columns: columns.clone(),
            depends_on: [ObjectRef::View(name)].into(),
            comment: self.comment(),
            ..View::default()
        };
        self.schema.views.insert(over.clone(), view);
        let name = self.object_name("kept");
        let index = Index {
            keys: vec![IndexKey::column(names[0].clone())],
            comment: self.comment(),
            ..Index::default()
        };
        let view = MaterializedView {
            definition: self.select(&over, &names).into(),
            columns,
            indexes: [(self.name("idx"), index)].into(),
            options: Default::default(),
            depends_on: [ObjectRef::View(over)].into(),
            comment: self.comment(),
        };
        self.schema.materialized_views.insert(name, view);
    }

    fn instead_of(&mut self, name: &ObjectName, view: &mut View) {
        let (trigger, function) = (self.name("trg"), self.trigger_function());
        let definition = format!(
            "CREATE TRIGGER {} INSTEAD OF INSERT ON {} FOR EACH ROW EXECUTE FUNCTION {}.{}()",
            ident(&trigger),
            qualified(name),
            ident(&function.namespace),
            ident(&function.name)
        );
        let built = Trigger {
            definition: definition.into(),
            function: Some(function),
            state: TriggerState::Enabled,
            inherited: false,
            comment: self.comment(),
        };
        view.triggers.insert(trigger, built);
    }

    /// As the server writes it; from version 16 on it leaves out the table's name.
    fn select(&self, from: &ObjectName, columns: &[String]) -> String {
        let of = ident(&from.name);
        let columns = columns.iter().map(|name| match self.server.version {
            160_000.. => ident(name),
            _ => format!("{of}.{}", ident(name)),
        });
        let columns: Vec<String> = columns.collect();
        format!(
            "SELECT {}\n   FROM {}",
            columns.join(",\n    "),
            qualified(from)
        )
    }
}

fn columns(table: &Table) -> Vec<ViewColumn> {
    let columns = table.columns.iter().take(3).map(|column| ViewColumn {
        name: column.name.clone(),
        data_type: column.data_type.clone(),
        default: None,
        options: Default::default(),
        comment: None,
    });
    columns.collect()
}
