use underpin_derive::Model;

#[derive(Model)]
struct Together {
    #[model(primary_key, identity, serial, default = 0)]
    id: Option<i64>,
    #[model(generated = "a + 1", default = 1, on_update)]
    sum: i64,
    #[model(identity)]
    second: i64,
    #[row(skip)]
    #[model(comment = "none")]
    skipped: bool,
    #[row(flatten)]
    address: Address,
}

#[derive(Model)]
struct Uncounted {
    #[model(serial)]
    id: i32,
}

#[derive(Model)]
struct Generic<T> {
    id: T,
}

#[derive(Model)]
struct Tuple(i32);

#[derive(Model)]
enum Mood {
    Happy,
}

#[derive(Model)]
struct Row {
    #[row(renam = "a")]
    id: i64,
}

fn main() {}
