use underpin_derive::ColumnType;

#[derive(ColumnType)]
#[model(nme = "mood", renamed_from = "feeling")]
enum Mood {
    #[model(renamed_from)]
    Happy,
    #[model(comment = "so so")]
    Sad,
}

#[derive(ColumnType)]
#[model(name = "id")]
struct Id(i64);

#[derive(ColumnType)]
struct Two(i32, i32);

fn main() {}
