//! Comments within the SQL are kept where they stand.

use underpin::schema::ObjectName;

use crate::round_trip::round_trip;

const SQL: &str = "
CREATE TABLE users -- Everyone who may log in.
/* In two
 * lines. */
( -- of the table
    -- The number.
    -- Never used again.
    id INTEGER PRIMARY KEY, -- it counts
    email TEXT /* unique */ NOT NULL UNIQUE, -- lower case
    /* before */ name TEXT, /* behind */
    plain TEXT,
    -- of the check
    CHECK (length(email) > 3 /* at least */), CHECK (name <> ''), -- the second
    FOREIGN KEY (id) REFERENCES users -- odd
    -- the end
) STRICT -- and after it
;
CREATE TABLE one_line (a INT, /* of b */ b INT /* of b too */, c INT);
CREATE INDEX by_name -- for the list
  ON users (name /* as it is */);
CREATE VIEW names -- what is shown
  AS -- in the query
  SELECT name FROM users;
";

#[tokio::test]
async fn a_comment_belongs_to_what_it_stands_beside() {
    let schema = round_trip("comments", SQL).await;
    let users = &schema.tables[&ObjectName::new("main", "users")];
    let of = |name: &str| users.column(name).unwrap().comment.as_deref();
    assert_eq!(
        users.comment.as_deref(),
        Some("Everyone who may log in.\nIn two\nlines.\nof the table\nthe end\nand after it")
    );
    assert_eq!(of("id"), Some("The number.\nNever used again.\nit counts"));
    assert_eq!(of("email"), Some("unique\nlower case"));
    assert_eq!(of("name"), Some("before\nbehind"));
    assert_eq!(of("plain"), None);
    let checks: Vec<_> = users
        .checks
        .values()
        .map(|check| check.comment.as_deref())
        .collect();
    assert_eq!(checks, [Some("of the check\nat least"), Some("the second")]);
    let key = users.foreign_keys.values().next().unwrap();
    assert_eq!(key.comment.as_deref(), Some("odd"));
    let one = &schema.tables[&ObjectName::new("main", "one_line")];
    let comments: Vec<_> = one
        .columns
        .iter()
        .map(|one| one.comment.as_deref())
        .collect();
    assert_eq!(comments, [None, Some("of b\nof b too"), None]);
    assert_eq!(
        users.indexes["by_name"].comment.as_deref(),
        Some("for the list\nas it is")
    );
    let view = &schema.views[&ObjectName::new("main", "names")];
    assert_eq!(view.comment.as_deref(), Some("what is shown"));
    assert!(view.definition.as_str().starts_with("-- in the query\n"));
}
