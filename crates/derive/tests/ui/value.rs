use underpin_derive::{FromValue, IntoValue};

#[derive(FromValue)]
struct Two(i32, i32);

#[derive(IntoValue)]
struct Unit;

#[derive(FromValue)]
enum Never {}

#[derive(IntoValue)]
union Bits {
    int: u32,
}

#[derive(FromValue, IntoValue)]
#[value(rename_all = "snake-case", rename = "mood")]
enum Mood {
    Happy(i32),
    #[value(rename_all = "camelCase")]
    Sad,
    #[value(rename = "Sad")]
    Other,
    #[value(skip)]
    More { why: i32 },
}

#[derive(FromValue)]
#[value(rename_all = "snake_case")]
struct Id(#[value(rename = "id")] i32);

#[derive(FromValue)]
struct Both<'a, 'b>(std::marker::PhantomData<(&'a (), &'b ())>);

fn main() {}
