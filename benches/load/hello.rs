//! The ceiling: the same framework answering a constant.

use actix_web::{App, HttpResponse, HttpServer, web};

/// Serves until killed.
pub fn serve(address: &str) {
    let hello = || async { HttpResponse::Ok().body("hello, world") };
    actix_web::rt::System::new()
        .block_on(async {
            HttpServer::new(move || App::new().route("/", web::get().to(hello)))
                .bind(address)?
                .run()
                .await
        })
        .unwrap();
}
