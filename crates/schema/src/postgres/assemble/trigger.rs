use underpin_core::Result;

use crate::postgres::catalog::triggers::TriggerRow;
use crate::{Trigger, TriggerState};

pub(super) fn trigger(row: TriggerRow) -> Result<(String, Trigger)> {
    let state = match row.state.as_str() {
        "O" => TriggerState::Enabled,
        "D" => TriggerState::Disabled,
        "R" => TriggerState::Replica,
        "A" => TriggerState::Always,
        code => return Err(super::unknown_code("tgenabled", code, &row.name).into()),
    };
    let trigger = Trigger {
        definition: row.definition.into(),
        function: Some(row.function),
        state,
        inherited: row.inherited,
        comment: row.comment,
    };
    Ok((row.name, trigger))
}
