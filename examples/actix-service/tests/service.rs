//! The service, asked as its clients ask it.

use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service, read_body_json};
use actix_web::{App, test};
use example_actix_service::{NewUser, User, open, routes};

#[actix_web::test]
async fn users_are_created_and_found() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/users.db?mode=rwc", directory.path().display());
    let db = open(url.as_str()).await.unwrap();
    let app = init_service(App::new().configure(routes(db.clone()))).await;
    let create = || {
        let email = "ada@example.com".to_owned();
        let request = TestRequest::post().uri("/users");
        request.set_json(NewUser { email }).to_request()
    };

    let response = call_service(&app, create()).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let user: User = read_body_json(response).await;
    assert_eq!((user.id, user.email.as_str()), (1, "ada@example.com"));
    assert_eq!(
        call_service(&app, create()).await.status(),
        StatusCode::CONFLICT
    );

    for (path, status) in [
        ("/users/1", StatusCode::OK),
        ("/users/7", StatusCode::NOT_FOUND),
        ("/health", StatusCode::OK),
    ] {
        let request = test::TestRequest::get().uri(path).to_request();
        assert_eq!(call_service(&app, request).await.status(), status, "{path}");
    }
    db.close(std::time::Duration::from_secs(5)).await.unwrap();
    // What is closed is not healthy.
    let request = test::TestRequest::get().uri("/health").to_request();
    let status = call_service(&app, request).await.status();
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}
