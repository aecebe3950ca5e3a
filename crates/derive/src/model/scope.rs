use proc_macro2::Span;
use syn::LitStr;

use crate::attribute::{Errors, advice};
use crate::element::{Element, Given, Head};

/// The fields of a model, by which its attributes name columns.
pub(crate) struct Scope {
    pub(crate) fields: Vec<ScopeField>,
}

pub(crate) struct ScopeField {
    /// The field's own name.
    pub(crate) name: String,
    /// The column's.
    pub(crate) column: LitStr,
    pub(crate) nullable: bool,
}

impl Scope {
    /// The place of the field that is named.
    pub(crate) fn find(&self, name: &str, span: Span, errors: &mut Errors) -> Option<usize> {
        let found = self.fields.iter().position(|field| field.name == name);
        if found.is_none() {
            let names: Vec<&str> = self.fields.iter().map(|field| &*field.name).collect();
            let advice = advice(name, &names);
            errors.at(span, format!("the model has no field `{name}`{advice}"));
        }
        found
    }

    /// The fields that are named, in their order; a field that comes twice is reported.
    pub(crate) fn find_all<'e>(
        &self,
        elements: impl IntoIterator<Item = &'e Element>,
        errors: &mut Errors,
    ) -> Vec<usize> {
        let mut found = Vec::new();
        for element in elements {
            let Some(place) = self.find_plain(element, errors) else {
                continue;
            };
            if found.contains(&place) {
                let name = &self.fields[place].name;
                errors.at(element.span(), format!("`{name}` is named twice"));
                continue;
            }
            found.push(place);
        }
        found
    }

    /// The field of an element that has to be its name alone.
    fn find_plain(&self, element: &Element, errors: &mut Errors) -> Option<usize> {
        match (&element.head, &element.given) {
            (Head::Path(path), Given::Words(words)) if path.get_ident().is_some() => {
                if let Some(word) = words.first() {
                    errors.at(word.span(), "a comma is expected after the field's name");
                    return None;
                }
                let name = path.get_ident()?.to_string();
                self.find(name.trim_start_matches("r#"), element.span(), errors)
            }
            _ => {
                errors.at(element.span(), "a field's name is expected here");
                None
            }
        }
    }

    pub(crate) fn columns(&self, places: &[usize]) -> Vec<&LitStr> {
        places.iter().map(|at| &self.fields[*at].column).collect()
    }
}
