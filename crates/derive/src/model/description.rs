use proc_macro2::TokenStream;
use quote::quote;

use super::input::Input;
use super::optional;

/// The description, as a constant expression.
pub(crate) fn tokens(input: &Input<'_>) -> TokenStream {
    let Input { krate, scope, .. } = input;
    let table = &input.table;
    let schema = optional(input.schema.as_ref());
    let columns = input.columns.iter().map(|one| one.tokens(krate));
    let primary_key = input.primary_key.as_ref();
    let primary_key = some(primary_key.map(|one| one.tokens(krate, scope)));
    let uniques = input.uniques.iter().map(|one| one.tokens(krate, scope));
    let checks = input.checks.iter().map(|one| one.tokens(krate, scope));
    let indexes = input.indexes.iter().map(|one| one.tokens(krate, scope));
    let foreign_keys = input.foreign_keys.iter();
    let foreign_keys = foreign_keys.map(|one| one.tokens(krate, scope));
    let partition_by = input.partition_by.as_ref();
    let partition_by = some(partition_by.map(|one| one.tokens(krate, scope)));
    let comment = optional(input.comment.as_ref());
    let renamed_from = optional(input.renamed_from.as_ref());
    let sqlite = &input.sqlite;
    let (strict, without_rowid) = (sqlite.strict, sqlite.without_rowid);
    let (autoincrement, checked_types) = (sqlite.autoincrement, sqlite.checked_types);
    quote! {
        #krate::model::Description {
            table: #table,
            schema: #schema,
            columns: &[#(#columns),*],
            primary_key: #primary_key,
            uniques: &[#(#uniques),*],
            checks: &[#(#checks),*],
            indexes: &[#(#indexes),*],
            foreign_keys: &[#(#foreign_keys),*],
            partition_by: #partition_by,
            comment: #comment,
            renamed_from: #renamed_from,
            sqlite: #krate::model::SqliteOptions {
                strict: #strict,
                without_rowid: #without_rowid,
                autoincrement: #autoincrement,
                checked_types: #checked_types,
            },
        }
    }
}

fn some(tokens: Option<TokenStream>) -> TokenStream {
    match tokens {
        Some(tokens) => quote!(::core::option::Option::Some(#tokens)),
        None => quote!(::core::option::Option::None),
    }
}
