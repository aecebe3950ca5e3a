//! `#[derive(FromRow)]`, read from rows of any engine.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use underpin_core::{Class, Column, Columns, Error, FromRow, Value, ValueRow};
use underpin_derive::FromRow;

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn read<T: FromRow>(row: &[(&str, Value)]) -> Result<T, Error> {
    let column = |(name, _): &(&str, Value)| Column {
        name: (*name).into(),
        type_name: "any".into(),
    };
    let columns = Columns(row.iter().map(column).collect());
    let layout = T::layout(&columns)?;
    let values = row.iter().map(|(_, value)| value.clone()).collect();
    T::from_row(&ValueRow::new(Arc::new(columns), values), &layout)
}

fn message<T: FromRow>(row: &[(&str, Value)]) -> String {
    let error = read::<T>(row).err().expect("the row does not fit");
    assert_eq!(error.class(), Class::Data);
    error.to_string()
}

#[derive(Debug, PartialEq, FromRow)]
#[row(crate = "underpin_core")]
struct User {
    id: i32,
    email: String,
    full_name: Option<String>,
    r#type: i16,
}

#[test]
fn columns_are_found_by_name_in_any_order_and_others_may_be_there() {
    let user: User = read(&[
        ("type", Value::I16(2)),
        ("other", Value::Bool(true)),
        ("Full_Name", Value::Null),
        ("email", text("a@b.c")),
        ("id", Value::I32(7)),
    ])
    .unwrap();
    assert_eq!(
        user,
        User {
            id: 7,
            email: "a@b.c".into(),
            full_name: None,
            r#type: 2
        }
    );
}

#[test]
fn a_missing_column_and_a_misfit_are_named() {
    assert_eq!(
        message::<User>(&[("id", Value::I32(7)), ("mail", Value::Null)]),
        "The result has no column \"email\"; its columns are: id, mail."
    );
    let nulls = ["id", "email", "full_name", "type"].map(|name| (name, Value::Null));
    let null = message::<User>(&nulls);
    assert!(
        null.starts_with("Column \"id\" (number 1, of type any)"),
        "{null}"
    );
}

#[derive(Debug, PartialEq, FromRow)]
#[row(crate = "underpin_core", rename_all = "camelCase")]
struct Order {
    order_id: i64,
    #[row(rename = "SUM")]
    total: i64,
    r#ref: i64,
}

#[test]
fn names_are_changed_for_all_and_for_one() {
    let columns = [
        ("orderId", Value::I64(1)),
        ("SUM", Value::I64(2)),
        ("ref", Value::I64(3)),
    ];
    assert_eq!(
        read::<Order>(&columns).unwrap(),
        Order {
            order_id: 1,
            total: 2,
            r#ref: 3
        }
    );
    assert!(message::<Order>(&[("order_id", Value::I64(1))]).contains("no column \"orderId\""));
}

#[derive(Debug, PartialEq, FromRow)]
#[row(crate = "underpin_core")]
struct Page {
    #[row(default)]
    size: i32,
    #[row(default)]
    after: Option<i32>,
    #[row(skip)]
    seen: Vec<&'static str>,
}

#[test]
fn a_column_with_a_default_may_be_missing_but_not_null() {
    assert_eq!(
        read::<Page>(&[]).unwrap(),
        Page {
            size: 0,
            after: None,
            seen: vec![]
        }
    );
    let row = [
        ("after", Value::I32(1)),
        ("size", Value::I32(2)),
        ("seen", Value::I32(3)),
    ];
    assert_eq!(
        read::<Page>(&row).unwrap(),
        Page {
            size: 2,
            after: Some(1),
            seen: vec![]
        }
    );
    assert_eq!(read::<Page>(&[("after", Value::Null)]).unwrap().after, None);
    assert!(message::<Page>(&[("size", Value::Null)]).contains("\"size\""));
}

type Labels = BTreeMap<String, i32>;

#[derive(Debug, PartialEq, FromRow)]
#[row(crate = "underpin_core")]
struct Documents {
    #[row(json)]
    labels: Labels,
    #[row(json, default)]
    optional: Option<Labels>,
}

#[test]
fn json_is_read_by_serde_and_null_is_none() {
    let labels = || Labels::from([("a".into(), 1)]);
    let json = || Value::Json("{\"a\": 1}".into());
    let both = read::<Documents>(&[("labels", json()), ("optional", json())]).unwrap();
    assert_eq!(
        both,
        Documents {
            labels: labels(),
            optional: Some(labels())
        }
    );
    let one = Documents {
        labels: labels(),
        optional: None,
    };
    assert_eq!(read::<Documents>(&[("labels", json())]).unwrap(), one);
    for null in [Value::Null, Value::Json("null".into())] {
        assert_eq!(
            read::<Documents>(&[("labels", json()), ("optional", null)]).unwrap(),
            one
        );
    }
    let misfit = message::<Documents>(&[("labels", Value::Json("[]".into()))]);
    assert!(misfit.starts_with("Column \"labels\" "), "{misfit}");
    assert!(message::<Documents>(&[("labels", Value::Null)]).contains("found NULL"));
}

#[derive(Debug, PartialEq)]
struct Even(u8);

#[derive(Debug)]
struct Odd;

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the number is odd.")
    }
}

impl std::error::Error for Odd {}

impl TryFrom<i32> for Even {
    type Error = Odd;

    fn try_from(number: i32) -> Result<Self, Odd> {
        if number % 2 == 0 {
            Ok(Even(number as u8))
        } else {
            Err(Odd)
        }
    }
}

#[derive(Debug, PartialEq)]
struct Host(String);

impl TryFrom<&str> for Host {
    type Error = String;

    fn try_from(host: &str) -> Result<Self, String> {
        host.strip_prefix("//")
            .map(|host| Host(host.into()))
            .ok_or_else(|| format!("{host} is none"))
    }
}

#[derive(Debug, PartialEq)]
struct OrZero(i32);

impl From<Option<i32>> for OrZero {
    fn from(number: Option<i32>) -> Self {
        OrZero(number.unwrap_or_default())
    }
}

#[derive(Debug, PartialEq, FromRow)]
#[row(crate = "underpin_core")]
struct Converted {
    #[row(try_from = "i32")]
    even: Even,
    #[row(try_from = "i32", default)]
    maybe: Option<Even>,
    #[row(try_from = "&str", rename = "url")]
    host: Host,
    #[row(try_from = "Option<i32>")]
    number: OrZero,
}

#[test]
fn a_column_is_converted_and_an_error_names_it() {
    let row = |even, maybe, url: &str| {
        let (even, maybe) = (Value::I32(even), maybe);
        [
            ("even", even),
            ("maybe", maybe),
            ("url", text(url)),
            ("number", Value::Null),
        ]
    };
    let mut expected = Converted {
        even: Even(2),
        maybe: Some(Even(4)),
        host: Host("h".into()),
        number: OrZero(0),
    };
    assert_eq!(
        read::<Converted>(&row(2, Value::I32(4), "//h")).unwrap(),
        expected
    );
    expected.maybe = None;
    assert_eq!(
        read::<Converted>(&row(2, Value::Null, "//h")).unwrap(),
        expected
    );
    let [even, _, url, number] = row(2, Value::Null, "//h");
    assert_eq!(read::<Converted>(&[even, url, number]).unwrap(), expected);

    let error = read::<Converted>(&row(2, Value::I32(5), "//h")).unwrap_err();
    assert_eq!(error.class(), Class::Data);
    assert_eq!(
        error.to_string(),
        "Column \"maybe\" (number 2, of type any) cannot be converted to the Rust type \
         from_row::Even: the number is odd."
    );
    assert!(error.source().unwrap().is::<Odd>());
    assert!(
        message::<Converted>(&row(2, Value::Null, "h")).ends_with("from_row::Host: h is none.")
    );
    let misfit = message::<Converted>(&row(2, text("x"), "//h"));
    assert!(
        misfit.contains("\"maybe\"") && misfit.contains("32-bit integer"),
        "{misfit}"
    );
}

#[derive(Debug, PartialEq, FromRow)]
#[row(crate = "underpin_core")]
struct Place {
    city: String,
    #[row(flatten)]
    at: Point,
}

#[derive(Debug, PartialEq, FromRow)]
#[row(crate = "underpin_core")]
struct Point {
    x: f64,
    y: f64,
}

#[test]
fn a_nested_struct_is_read_from_the_same_row() {
    let (x, y) = (Value::F64(1.0), Value::F64(2.0));
    let row = [("y", y), ("city", text("Bonn")), ("x", x)];
    let at = Point { x: 1.0, y: 2.0 };
    assert_eq!(
        read::<Place>(&row).unwrap(),
        Place {
            city: "Bonn".into(),
            at
        }
    );
    assert!(message::<Place>(&row[..2]).contains("no column \"x\""));
}

#[derive(Debug, PartialEq, FromRow)]
#[row(crate = "underpin_core")]
struct Pair(
    i32,
    #[row(skip)] bool,
    #[row(json)] Labels,
    #[row(try_from = "i32")] Even,
);

#[derive(Debug, PartialEq, FromRow)]
#[row(crate = "underpin_core")]
struct First(i32, #[row(flatten)] Point);

#[test]
fn a_tuple_struct_is_read_by_position() {
    let columns = || {
        vec![
            ("a", Value::I32(1)),
            ("a", Value::Json("{}".into())),
            ("", Value::I32(2)),
        ]
    };
    assert_eq!(
        read::<Pair>(&columns()).unwrap(),
        Pair(1, false, Labels::new(), Even(2))
    );
    let mut odd = columns();
    odd[2].1 = Value::I32(3);
    assert!(message::<Pair>(&odd).contains("(number 3, of type any)"));
    assert_eq!(
        message::<Pair>(&columns()[..2]),
        "3 columns were expected, but the result has 2: a, a."
    );
    let row = [
        ("n", Value::I32(1)),
        ("y", Value::F64(2.0)),
        ("x", Value::F64(3.0)),
    ];
    assert_eq!(
        read::<First>(&row).unwrap(),
        First(1, Point { x: 3.0, y: 2.0 })
    );
    assert_eq!(
        message::<First>(&[]),
        "At least 1 column was expected, but the result has 0: ."
    );
}

#[derive(Debug, PartialEq, FromRow)]
#[row(crate = "underpin_core")]
struct Keyed<'a, R: Copy, T, const N: usize = 0>
where
    T: PartialEq,
{
    key: R,
    list: Vec<R>,
    #[row(flatten)]
    rest: T,
    #[row(default)]
    extra: Option<R>,
    #[row(json, default)]
    labels: BTreeMap<String, R>,
    #[row(skip)]
    marker: PhantomData<&'a [T; N]>,
}

#[test]
fn a_generic_struct_asks_of_its_parameters_what_it_needs() {
    let (x, y) = (Value::F64(1.0), Value::F64(2.0));
    let list = Value::Array(vec![Value::I64(3)]);
    let row = [("key", Value::I64(7)), ("list", list), ("x", x), ("y", y)];
    let keyed: Keyed<'_, i64, Point> = read(&row).unwrap();
    assert_eq!((keyed.key, &*keyed.list, keyed.rest.y), (7, &[3][..], 2.0));
    assert_eq!((keyed.extra, keyed.labels.len()), (None, 0));
}

#[derive(FromRow)]
#[row(crate = "underpin_core")]
struct OnlySkipped {
    #[row(skip)]
    nothing: (),
}

#[test]
fn a_struct_may_take_no_column() {
    let OnlySkipped { nothing: () } = read(&[("id", Value::Null)]).unwrap();
}

/// Names that generated code must not pick up, and a nested type that is private.
mod surroundings {
    #![deny(missing_docs, unreachable_pub, unused_qualifications, warnings)]
    #![allow(dead_code, non_snake_case)]

    struct Result;
    struct Option;
    struct Vec;
    struct Box;
    struct String;
    struct Layout;
    fn Ok() {}
    fn Some() {}
    trait Default {}

    #[derive(underpin_derive::FromRow)]
    #[row(crate = "underpin_core")]
    pub(crate) struct Outer {
        pub(crate) row: i32,
        pub(crate) layout: i32,
        #[row(flatten)]
        inner: Inner,
        #[row(try_from = "i32", default)]
        small: u8,
        #[row(json, default)]
        columns: i32,
    }

    #[derive(underpin_derive::FromRow)]
    #[row(crate = "underpin_core")]
    struct Inner(#[row(skip)] i32);
}

#[test]
fn generated_code_depends_on_no_name_around_it() {
    let row = [("layout", Value::I32(1)), ("row", Value::I32(2))];
    let message = message::<surroundings::Outer>(&row);
    assert_eq!(
        message,
        "0 columns were expected, but the result has 2: layout, row."
    );
}
