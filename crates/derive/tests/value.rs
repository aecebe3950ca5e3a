//! `#[derive(FromValue)]` and `#[derive(IntoValue)]`.

use std::sync::Arc;

use underpin_core::{Column, Columns, FromValue, IntoValue, Value, ValueRef, ValueRow};
use underpin_derive::{FromRow, FromValue, IntoValue};

#[derive(Debug, Clone, Copy, PartialEq, FromValue, IntoValue)]
#[value(crate = "underpin_core", rename_all = "snake_case")]
enum State {
    Open,
    InProgress,
    #[value(rename = "shut {for} \"good\"")]
    Closed = 7,
    r#Final,
}

const STATES: [(&str, State); 4] = [
    ("open", State::Open),
    ("in_progress", State::InProgress),
    ("shut {for} \"good\"", State::Closed),
    ("final", State::Final),
];

#[test]
fn an_enum_is_its_label() {
    for (label, state) in STATES {
        assert_eq!(State::from_value(ValueRef::Text(label)).unwrap(), state);
        assert_eq!(state.into_value(), Value::Text(label.into()));
        assert_eq!(Some(state).into_value(), Value::Text(label.into()));
    }
    assert_eq!(Option::<State>::from_value(ValueRef::Null).unwrap(), None);
}

#[test]
fn a_vec_of_them_is_an_array() {
    let array = Value::Array(vec![
        Value::Text("open".into()),
        Value::Text("final".into()),
    ]);
    let states = vec![State::Open, State::r#Final];
    assert_eq!(states.clone().into_value(), array);
    assert_eq!(Vec::<State>::from_value(array.as_ref()).unwrap(), states);
}

#[test]
fn an_unknown_label_is_named_with_the_known_ones() {
    let column = Column {
        name: "state".into(),
        type_name: "state".into(),
    };
    let values = vec![Value::Text("Open".into())];
    let row = ValueRow::new(Arc::new(Columns(vec![column])), values);
    assert_eq!(
        row.read::<State>(0).unwrap_err().to_string(),
        "Column \"state\" (number 1, of type state) cannot be read as the Rust type value::State: \
         found \"Open\", but the known labels are \"open\", \"in_progress\", \
         \"shut {for} \\\"good\\\"\", \"final\"."
    );
    let number = State::from_value(ValueRef::I32(1)).unwrap_err();
    assert_eq!(
        number.describe(ValueRef::I32(1)),
        "expected text, but found a 32-bit integer"
    );
}

#[derive(Debug, PartialEq, FromValue, IntoValue)]
#[value(crate = "underpin_core")]
struct UserId(i64);

#[derive(Debug, PartialEq, FromValue, IntoValue)]
#[value(crate = "underpin_core")]
struct Tagged<T> {
    r#type: Option<T>,
}

#[derive(Debug, PartialEq, FromValue, IntoValue)]
#[value(crate = "underpin_core")]
struct Name<'n>(&'n str);

#[test]
fn a_newtype_is_its_field() {
    assert_eq!(UserId::from_value(ValueRef::I32(7)).unwrap(), UserId(7));
    assert_eq!(UserId(7).into_value(), Value::I64(7));
    let found = UserId::from_value(ValueRef::Bool(true)).unwrap_err();
    assert_eq!(found.to_string(), "expected a 64-bit integer");

    let tagged = Tagged {
        r#type: Some(UserId(7)),
    };
    assert_eq!(Tagged::from_value(ValueRef::I64(7)).unwrap(), tagged);
    assert_eq!(tagged.into_value(), Value::I64(7));
    assert_eq!(
        Tagged::<UserId>::from_value(ValueRef::Null).unwrap().r#type,
        None
    );

    let owned = String::from("name");
    assert_eq!(
        Name::from_value(ValueRef::Text(&owned)).unwrap(),
        Name("name")
    );
    assert_eq!(Name("name").into_value(), Value::Text(owned));
}

#[derive(FromRow)]
#[row(crate = "underpin_core")]
struct Ticket {
    id: UserId,
    state: Option<State>,
}

#[test]
fn they_are_fields_of_rows() {
    use underpin_core::FromRow as _;

    let columns = ["id", "state"].map(|name| Column {
        name: name.into(),
        type_name: "any".into(),
    });
    let columns = Columns(columns.into());
    let layout = Ticket::layout(&columns).unwrap();
    let values = vec![Value::I64(1), Value::Text("open".into())];
    let ticket = Ticket::from_row(&ValueRow::new(Arc::new(columns), values), &layout).unwrap();
    assert_eq!((ticket.id, ticket.state), (UserId(1), Some(State::Open)));
}
