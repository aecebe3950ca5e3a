//! The forty tables of a shop, in a short notation: a line for each table, with its columns;
//! `*` is of the primary key, `!` unique, `?` may be NULL, `>` refers to the table's first column.

use std::collections::BTreeMap;

use underpin_schema::{
    Column, EnumType, ForeignKey, ObjectName, PrimaryKey, Schema, Table, Type, Unique, View,
    ViewColumn,
};

const TABLES: &str = "
accounts: *id bigint, !email text, password_hash text, full_name text?, status account_status, created_at timestamptz
addresses: *id bigint, account_id bigint >accounts, country_code char(2) >countries, city text, street text, postcode varchar(16)?
roles: *id integer, !name varchar(50)
account_roles: *account_id bigint >accounts, *role_id integer >roles, granted_by bigint? >accounts
sessions: *id uuid, account_id bigint >accounts, user_agent text?, expires_at timestamptz
countries: *code char(2), name text, currency_code char(3) >currencies
currencies: *code char(3), name text, digits smallint
exchange_rates: *currency_code char(3) >currencies, *valid_on date, rate numeric(18,8)
tax_rates: *id integer, country_code char(2) >countries, tax_class_id integer >tax_classes, rate numeric(6,4)
tax_classes: *id integer, !name text
categories: *id integer, parent_id integer? >categories, !slug text, name text
brands: *id integer, !name text, country_code char(2)? >countries
products: *id bigint, brand_id integer? >brands, tax_class_id integer >tax_classes, !slug text, title text, description text?, is_active boolean, created_at timestamptz
product_categories: *product_id bigint >products, *category_id integer >categories
product_images: *id bigint, product_id bigint >products, url text, position smallint
variants: *id bigint, product_id bigint >products, !sku text, price numeric(12,2), currency_code char(3) >currencies, weight_g integer?
options: *id integer, !name text
option_values: *id integer, option_id integer >options, label text
variant_options: *variant_id bigint >variants, *option_value_id integer >option_values
reviews: *id bigint, product_id bigint >products, account_id bigint? >accounts, stars smallint, body text?, created_at timestamptz
suppliers: *id integer, !name text, country_code char(2) >countries
supplier_products: *supplier_id integer >suppliers, *variant_id bigint >variants, cost numeric(12,2)
warehouses: *id integer, !code text, address_id bigint >addresses
stock_levels: *warehouse_id integer >warehouses, *variant_id bigint >variants, on_hand integer, reserved integer
stock_movements: *id bigint, warehouse_id integer >warehouses, variant_id bigint >variants, quantity integer, purchase_order_id bigint? >purchase_orders, moved_at timestamptz
purchase_orders: *id bigint, supplier_id integer >suppliers, warehouse_id integer >warehouses, ordered_at timestamptz
purchase_lines: *purchase_order_id bigint >purchase_orders, *line smallint, variant_id bigint >variants, quantity integer
carts: *id uuid, !account_id bigint? >accounts, updated_at timestamptz
cart_items: *cart_id uuid >carts, *variant_id bigint >variants, quantity integer
orders: *id bigint, account_id bigint >accounts, ship_to bigint >addresses, bill_to bigint? >addresses, coupon_id integer? >coupons, status order_status, total numeric(12,2), placed_at timestamptz
order_items: *id bigint, order_id bigint >orders, variant_id bigint >variants, quantity integer, unit_price numeric(12,2)
payments: *id bigint, order_id bigint >orders, payment_method_id integer >payment_methods, amount numeric(12,2), captured_at timestamptz?
payment_methods: *id integer, !name text
refunds: *id bigint, payment_id bigint >payments, amount numeric(12,2), reason text?
shipments: *id bigint, order_id bigint >orders, warehouse_id integer >warehouses, carrier_id integer >carriers, tracking text?, shipped_at timestamptz?
shipment_items: *shipment_id bigint >shipments, *order_item_id bigint >order_items, quantity integer
carriers: *id integer, !name text
coupons: *id integer, !code text, percent_off numeric(5,2), valid_until date?
settings: *key text, value jsonb
audit_events: *id bigint, at timestamptz, actor text?, what jsonb
";

pub(crate) fn schema() -> Schema {
    let mut schema = Schema::default();
    for line in TABLES.lines().filter(|line| !line.is_empty()) {
        let (name, columns) = line.split_once(": ").unwrap();
        schema.tables.insert(public(name), table(name, columns));
    }
    for (name, labels) in [
        ("account_status", &["invited", "active", "locked"][..]),
        ("order_status", &["placed", "paid", "sent", "returned"]),
    ] {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        let comment = None;
        schema
            .enums
            .insert(public(name), EnumType { labels, comment });
    }
    let column = |(name, data_type): (&str, &str)| ViewColumn {
        name: name.to_owned(),
        data_type: Type::parse(data_type).unwrap(),
        default: None,
        options: Default::default(),
        comment: None,
    };
    let columns = [
        ("day", "date"),
        ("orders", "bigint"),
        ("revenue", "numeric"),
    ];
    let view = View {
        columns: columns.into_iter().map(column).collect(),
        ..View::default()
    };
    schema.views.insert(public("daily_sales"), view);
    schema
}

fn public(name: &str) -> ObjectName {
    ObjectName::new("public", name)
}

fn table(name: &str, columns: &str) -> Table {
    let mut table = Table::default();
    let mut primary = Vec::new();
    let text = columns.replace(", ", "\n");
    for column in text.lines() {
        let (column, references) = match column.split_once(" >") {
            Some((column, references)) => (column, Some(references)),
            None => (column, None),
        };
        let (column_name, data_type) = column.split_once(' ').unwrap();
        let plain = column_name.trim_start_matches(['*', '!']).to_owned();
        if column_name.starts_with('*') {
            primary.push(plain.clone());
        }
        if column_name.starts_with('!') {
            let unique = Unique {
                columns: vec![plain.clone()],
                ..Unique::default()
            };
            table.uniques.insert(format!("{name}_{plain}_key"), unique);
        }
        if let Some(references) = references {
            let key = ForeignKey {
                columns: vec![plain.clone()],
                references: public(references),
                referenced_columns: vec![first_column(references)],
                ..ForeignKey::default()
            };
            table
                .foreign_keys
                .insert(format!("{name}_{plain}_fkey"), key);
        }
        table.columns.push(Column {
            name: plain,
            data_type: Type::parse(data_type.trim_end_matches('?')).unwrap(),
            not_null: !data_type.ends_with('?'),
            ..Column::default()
        });
    }
    table.primary_key = Some(PrimaryKey {
        name: format!("{name}_pkey"),
        columns: primary,
        orders: BTreeMap::new(),
        ..PrimaryKey::default()
    });
    table
}

fn first_column(table: &str) -> String {
    let prefix = format!("{table}: *");
    let line = TABLES.lines().find_map(|line| line.strip_prefix(&prefix));
    line.unwrap().split(' ').next().unwrap().to_owned()
}
