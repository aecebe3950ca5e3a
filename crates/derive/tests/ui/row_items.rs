use underpin_derive::FromRow;

#[derive(FromRow)]
struct Unit;

#[derive(FromRow)]
struct Empty {}

#[derive(FromRow)]
enum Mood {
    Happy,
}

#[derive(FromRow)]
union Bits {
    int: u32,
    float: f32,
}

fn main() {}
