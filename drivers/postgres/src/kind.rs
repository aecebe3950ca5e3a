use postgres_types::{Kind as TypeKind, Type};

use crate::wire::put::Format;

/// The meaning of a type's bytes, so that reading a value examines one small enum instead of
/// comparing types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    One(Base),
    Range(Base),
    Multirange(Base),
    Array(Element),
}

/// The kind of an array's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    One(Base),
    Range(Base),
    Multirange(Base),
}

macro_rules! bases {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// The form of a single value.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Base {
            $($(#[doc = $doc])* $name,)*
        }

        impl Base {
            const ALL: &[Base] = &[$(Base::$name,)*];
        }
    };
}
bases! {
    Bool, I16, I32, I64,
    /// Unsigned 32 bits: `oid`, `xid`, `regclass`.
    U32,
    /// Unsigned 64 bits: `xid8`.
    U64,
    F32, F64, Numeric,
    /// Text as it is, which is also the binary form of an enum.
    Text,
    /// A byte with the value 1, then text.
    VersionedText,
    Bytes, Date, Time, TimeTz, Timestamp, TimestampTz, Interval, Uuid, Json, Jsonb,
    Inet, MacAddr, Bit, Lsn, Tid,
    /// A type whose number was hidden: text, or bytes if it is not text.
    Hidden,
    /// A type of an extension, as its bytes.
    Opaque,
    /// A type whose bytes would mean nothing to a reader: a record, money, a tsvector. Its values
    /// are requested as texts.
    Unreadable,
}

impl Kind {
    /// The form of the values of a type.
    pub(crate) fn of(type_: &Type) -> Kind {
        match type_.kind() {
            TypeKind::Domain(base) => Kind::of(base),
            TypeKind::Array(element) => match Kind::of(element) {
                Kind::One(base) => Kind::Array(Element::One(base)),
                Kind::Range(base) => Kind::Array(Element::Range(base)),
                Kind::Multirange(base) => Kind::Array(Element::Multirange(base)),
                Kind::Array(_) => Kind::One(Base::Unreadable),
            },
            TypeKind::Range(bound) => match Kind::of(bound) {
                Kind::One(base) => Kind::Range(base),
                _ => Kind::One(Base::Unreadable),
            },
            TypeKind::Multirange(bound) => match Kind::of(bound) {
                Kind::One(base) | Kind::Range(base) => Kind::Multirange(base),
                _ => Kind::One(Base::Unreadable),
            },
            TypeKind::Enum(_) => Kind::One(Base::Text),
            TypeKind::Composite(_) => Kind::One(Base::Unreadable),
            _ => Kind::One(Base::of(type_)),
        }
    }
}

impl Kind {
    /// The requested format for values of this kind.
    pub(crate) fn format(self) -> Format {
        match self {
            Kind::One(Base::Unreadable | Base::Opaque)
            | Kind::Range(Base::Unreadable | Base::Opaque)
            | Kind::Multirange(Base::Unreadable | Base::Opaque) => Format::Text,
            Kind::Array(element) if element.kind().format() == Format::Text => Format::Text,
            _ => Format::Binary,
        }
    }
}

impl Base {
    fn of(type_: &Type) -> Base {
        match type_.oid() {
            16 => Base::Bool,
            17 => Base::Bytes,
            21 => Base::I16,
            23 => Base::I32,
            20 => Base::I64,
            // oid, xid, cid, and the types that show an oid as a name.
            26 | 28 | 29 | 24 | 2202..=2206 | 3734 | 3769 | 4089 | 4096 | 4191 => Base::U32,
            5069 => Base::U64,
            700 => Base::F32,
            701 => Base::F64,
            1700 => Base::Numeric,
            // "char", name, text, xml, bpchar, varchar, refcursor, cstring, void.
            18 | 19 | 25 | 142 | 1042 | 1043 | 1790 | 2275 | 2278 => Base::Text,
            4072 => Base::VersionedText,
            1082 => Base::Date,
            1083 => Base::Time,
            1266 => Base::TimeTz,
            1114 => Base::Timestamp,
            1184 => Base::TimestampTz,
            1186 => Base::Interval,
            2950 => Base::Uuid,
            114 => Base::Json,
            3802 => Base::Jsonb,
            650 | 869 => Base::Inet,
            829 | 774 => Base::MacAddr,
            1560 | 1562 => Base::Bit,
            3220 => Base::Lsn,
            27 => Base::Tid,
            705 => Base::Hidden,
            _ => match type_.name() {
                "citext" => Base::Text,
                "ltree" | "lquery" | "ltxtquery" => Base::VersionedText,
                _ if type_.oid() >= FIRST_MADE_HERE && *type_.kind() == TypeKind::Simple => {
                    Base::Opaque
                }
                _ => Base::Unreadable,
            },
        }
    }
}

/// Types with lower numbers belong to the server; types from here on are created in a database.
pub(crate) const FIRST_MADE_HERE: u32 = 16384;

impl Element {
    /// A number for the element in `ArrayRef::Encoded`.
    pub(crate) fn code(self) -> u32 {
        let (shape, base) = match self {
            Element::One(base) => (0, base),
            Element::Range(base) => (1, base),
            Element::Multirange(base) => (2, base),
        };
        shape << 8 | u32::from(base as u8)
    }

    pub(crate) fn from_code(code: u32) -> Option<Element> {
        let base = *Base::ALL.get(usize::from(code as u8))?;
        Some(match code >> 8 {
            0 => Element::One(base),
            1 => Element::Range(base),
            2 => Element::Multirange(base),
            _ => return None,
        })
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Element::One(base) => Kind::One(base),
            Element::Range(base) => Kind::Range(base),
            Element::Multirange(base) => Kind::Multirange(base),
        }
    }
}

/// The name of a type in SQL, with brackets for arrays.
pub(crate) fn type_name(type_: &Type) -> String {
    match type_.kind() {
        TypeKind::Array(element) if type_.name().starts_with('_') => {
            format!("{}[]", element.name())
        }
        _ => type_.name().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_the_kind_of_their_bytes() {
        let domain = Type::new(
            "email".into(),
            20000,
            TypeKind::Domain(Type::VARCHAR),
            "public".into(),
        );
        let mood = Type::new(
            "mood".into(),
            20001,
            TypeKind::Enum(vec![]),
            "public".into(),
        );
        let moods = Type::new(
            "_mood".into(),
            20002,
            TypeKind::Array(mood.clone()),
            "public".into(),
        );
        for (type_, kind) in [
            (Type::INT4, Kind::One(Base::I32)),
            (Type::INT4_ARRAY, Kind::Array(Element::One(Base::I32))),
            (Type::TSTZ_RANGE, Kind::Range(Base::TimestampTz)),
            (
                Type::DATE_RANGE_ARRAY,
                Kind::Array(Element::Range(Base::Date)),
            ),
            (Type::INT8MULTI_RANGE, Kind::Multirange(Base::I64)),
            (Type::RECORD, Kind::One(Base::Unreadable)),
            (Type::VOID, Kind::One(Base::Text)),
            (Type::MONEY, Kind::One(Base::Unreadable)),
            (domain, Kind::One(Base::Text)),
            (mood, Kind::One(Base::Text)),
            (moods.clone(), Kind::Array(Element::One(Base::Text))),
        ] {
            assert_eq!(Kind::of(&type_), kind, "{type_}");
        }
        assert_eq!(type_name(&moods), "mood[]");
        assert_eq!(type_name(&Type::INT4_ARRAY), "int4[]");
    }

    #[test]
    fn element_codes_come_back() {
        for base in Base::ALL {
            for element in [
                Element::One(*base),
                Element::Range(*base),
                Element::Multirange(*base),
            ] {
                assert_eq!(Element::from_code(element.code()), Some(element));
            }
        }
        assert_eq!(Element::from_code(0xff), None);
        assert_eq!(Element::from_code(0x300), None);
    }
}
