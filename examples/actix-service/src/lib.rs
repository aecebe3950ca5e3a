//! An HTTP service over a database: one handle for all handlers, errors of the database as statuses
//! of HTTP, and a health check.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Path, ServiceConfig, get, post, resource};
use actix_web::{HttpResponse, ResponseError};
use serde::{Deserialize, Serialize};
use underpin::migrate::{Embedded, Migrator, embed_revisions};
use underpin::{Class, Database, FromRow, IntoConfig};

static REVISIONS: &[Embedded] = embed_revisions!("revisions");

/// A user, as a row and as JSON.
#[derive(Debug, FromRow, Serialize, Deserialize)]
pub struct User {
    /// Primary key.
    pub id: i64,
    /// E-mail address; no two users share one.
    pub email: String,
}

/// The body of a request for a new user.
#[derive(Debug, Deserialize, Serialize)]
pub struct NewUser {
    /// E-mail address.
    pub email: String,
}

/// An error of the database, as the service answers it.
#[derive(Debug)]
pub struct Failure(underpin::Error);

impl From<underpin::Error> for Failure {
    fn from(error: underpin::Error) -> Self {
        Failure(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        match self.0.class() {
            Class::NotFound => StatusCode::NOT_FOUND,
            Class::Constraint => StatusCode::CONFLICT,
            Class::Data => StatusCode::UNPROCESSABLE_ENTITY,
            // Trying again later may succeed.
            Class::Connect | Class::Busy | Class::Timeout { .. } | Class::Resource => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        // The text is for the log of the service and not for strangers.
        HttpResponse::new(self.status_code())
    }
}

/// Opens the database and migrates it. Every replica may do so at once: one migrates.
///
/// # Errors
/// The error of connecting or of the migration.
pub async fn open(config: impl IntoConfig) -> underpin::Result<Database> {
    let db = Database::connect(config).await?;
    Migrator::of(&db).embedded(REVISIONS)?.up("heads").await?;
    Ok(db)
}

/// Adds the routes of the service.
pub fn routes(db: Database) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        config
            .app_data(Data::new(db))
            .service(resource("/users").route(post().to(create)))
            .service(resource("/users/{id}").route(get().to(find)))
            .service(resource("/health").route(get().to(health)));
    }
}

async fn create(db: Data<Database>, new: Json<NewUser>) -> Result<HttpResponse, Failure> {
    let sql = "INSERT INTO users (email) VALUES ($1) RETURNING id, email";
    let user: User = db.query_one(sql, (new.email.as_str(),)).await?;
    Ok(HttpResponse::Created().json(user))
}

async fn find(db: Data<Database>, id: Path<i64>) -> Result<Json<User>, Failure> {
    let sql = "SELECT id, email FROM users WHERE id = $1";
    // Reads may go to a replica.
    Ok(Json(db.read().query_one(sql, (*id,)).await?))
}

async fn health(db: Data<Database>) -> HttpResponse {
    match db.health().await.is_healthy() {
        true => HttpResponse::Ok().finish(),
        false => HttpResponse::ServiceUnavailable().finish(),
    }
}
