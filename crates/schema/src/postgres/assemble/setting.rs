use underpin_core::Result;

use crate::postgres::catalog::settings::SettingRow;
use crate::{Schema, Setting};

pub(super) fn add(schema: &mut Schema, row: SettingRow) -> Result<()> {
    let part = row.part.unwrap_or_default();
    let of = row.relation;
    let setting = match row.kind.as_str() {
        "access method" => Setting::AccessMethod(of),
        "tablespace" => Setting::Tablespace(of),
        "type" => Setting::OfType(of),
        "replica identity" => Setting::ReplicaIdentity(of),
        "storage" => Setting::Storage(of, part),
        "compression" => Setting::Compression(of, part),
        "statistics" => Setting::Statistics(of, part),
        "clustering" => Setting::ClusterOn(of),
        "index tablespace" => Setting::IndexTablespace(of, part),
        "index statistics" => Setting::IndexStatistics(of, part, row.key.unwrap_or_default()),
        "index comment" => Setting::IndexComment(of, part),
        kind => return Err(super::unknown_code("the kind", kind, of).into()),
    };
    schema.settings.insert(setting, row.value);
    Ok(())
}
