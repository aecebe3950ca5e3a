use underpin_core::{Executor, ParameterShape, Parameters};

struct Own;

impl Executor for Own {}

impl Parameters for Own {
    type Given<'a> = ();

    fn shapes() -> Vec<ParameterShape> {
        Vec::new()
    }
}

fn main() {}
