//! The connection below a socket, for when nothing else helps.
//!
//! A client that stops reading keeps its connection: what was written for it never leaves, the close
//! frame neither, and the framework waits for as long as the client likes. So whoever has been told to
//! go is given a moment, and then the connection is cut.

use std::any::Any;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::sync::{Arc, Weak};

use actix_web::HttpRequest;
use actix_web::dev::Extensions;

/// One connection, as long as it is there.
#[derive(Default)]
pub struct Wire(Weak<TcpStream>);

/// Keeps hold of each new connection, for [`Wire::of`].
pub fn remember(connection: &dyn Any, data: &mut Extensions) {
    let Some(connection) = connection.downcast_ref::<actix_web::rt::net::TcpStream>() else {
        return;
    };
    if let Ok(copy) = connection.as_fd().try_clone_to_owned() {
        data.insert(Arc::new(TcpStream::from(copy)));
    }
}

impl Wire {
    /// The connection that a request came by.
    pub fn of(request: &HttpRequest) -> Self {
        request.conn_data::<Arc<TcpStream>>().map(Arc::downgrade).map(Self).unwrap_or_default()
    }

    /// Cuts it.
    pub fn cut(&self) {
        if let Some(connection) = self.0.upgrade() {
            let _gone_already = connection.shutdown(Shutdown::Both);
        }
    }
}
