use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Generics, Ident, Type, WherePredicate};

/// Adds a bound on `ty`, where that depends on a type parameter. Of any other type the
/// compiler knows already whether it has what it needs, and says so at the field.
pub(crate) fn require(generics: &mut Generics, ty: &Type, bound: WherePredicate) {
    let parameters: Vec<&Ident> = generics
        .type_params()
        .map(|parameter| &parameter.ident)
        .collect();
    if mentions(ty.to_token_stream(), &parameters) {
        generics.make_where_clause().predicates.push(bound);
    }
}

fn mentions(tokens: TokenStream, parameters: &[&Ident]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => mentions(group.stream(), parameters),
        TokenTree::Ident(ident) => parameters.contains(&&ident),
        _ => false,
    })
}
