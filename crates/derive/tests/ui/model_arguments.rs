use underpin_derive::Model;

#[derive(Model)]
#[model(tabel = "users", type = "text", "a > 0", table = users, schema = "", comment, strict)]
#[model(sqlite(strickt), sqlite)]
struct Struct {
    #[model(primary_key = true, primarykey)]
    id: i64,
    #[model(defualt = 0, default = now(), table = "x", rename = "y")]
    #[model(comment = "a", comment = "b")]
    a: i32,
    #[model(type = "varchar(255", on_update = 1)]
    b: String,
    #[model(sqlite(type = "text[", serial), postgres, virtual)]
    c: String,
    #[model(identity = "sometimes")]
    d: i64,
    #[model(type = )]
    e: i64,
    #[model(postgres(on_update))]
    f: i64,
}

fn main() {}
