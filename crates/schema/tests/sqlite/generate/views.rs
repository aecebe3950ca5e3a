use underpin::schema::{ObjectName, ObjectRef, Type, View, ViewColumn};

use super::Generator;
use super::names::quoted;
use super::tables::{plain_columns, trigger};

impl Generator {
    /// Views of a table, and views of those.
    pub(super) fn views(&mut self) {
        let mut over: Option<(ObjectName, String)> = None;
        for _ in 0..self.rng.usize(1..4) {
            let (of, column) = match over.clone().filter(|_| self.rng.bool()) {
                Some((name, column)) => (ObjectRef::View(name), column),
                None => {
                    let name = self.some_table();
                    let columns = plain_columns(&self.schema.tables[&name]);
                    (ObjectRef::Table(name), self.rng.choice(columns).unwrap())
                }
            };
            over = Some(self.view(of, &column));
        }
    }

    /// A view of one column, by its name and that of the column.
    fn view(&mut self, of: ObjectRef, column: &str) -> (ObjectName, String) {
        let (ObjectRef::Table(from) | ObjectRef::View(from)) = &of else {
            unreachable!("views are of tables and views")
        };
        let (from, column) = (quoted(&from.name), quoted(column));
        let name = self.main("seen");
        let given = self.name("shown");
        let mut view = View {
            depends_on: [of].into(),
            comment: self.comment(),
            ..View::default()
        };
        let query = format!(
            "-- of one\nSELECT {column} AS {} FROM {from}",
            quoted(&given)
        );
        view.definition = query.into();
        if self.chance(40) {
            let named = ViewColumn {
                name: given.clone(),
                data_type: Type::default(),
                default: None,
                options: Default::default(),
                comment: None,
            };
            view.columns.push(named);
            let option = ("named_columns".to_owned(), "true".to_owned());
            view.options.extend([option]);
        }
        if self.chance(40) {
            let (trg, view_name) = (self.name("instead"), quoted(&name.name));
            let definition = format!(
                "CREATE TRIGGER {} INSTEAD OF DELETE ON {view_name} BEGIN SELECT 1; END",
                quoted(&trg)
            );
            view.triggers.insert(trg, trigger(&definition));
        }
        self.schema.views.insert(name.clone(), view);
        (name, given)
    }
}
