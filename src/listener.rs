//! Taking a listener and leaving it without losing a connection.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use socket2::Socket;

/// How long connections that are being made get to be made, and to be taken. That is a round trip to
/// the farthest proxy, or a period in which a container may have used up its share of the processor
/// (100 ms: <https://docs.kernel.org/scheduler/sched-bwc.html>), whichever is longer.
pub(crate) const LAST_CONNECTIONS: Duration = Duration::from_millis(200);

/// Listens on `address`; an error says on which one it could not.
pub(crate) fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).map_err(|error| format!("cannot listen on {address}: {error}"))
}

/// The same listener once more, to be closed to newcomers before it is closed.
///
/// The system makes connections on its own and keeps them until they are accepted: closing a listener
/// resets those, and whatever they have carried is lost. A proxy that asked for one repeats no POST
/// that may have arrived.
#[derive(Debug)]
pub(crate) struct Door(Socket);

impl Door {
    /// The door of `listener`, which stays open as long as either of them is there.
    pub(crate) fn of(listener: &TcpListener) -> io::Result<Self> {
        listener.try_clone().map(|listener| Self(listener.into()))
    }

    /// Lets nobody begin a connection any more; what has been begun comes in all the same, within
    /// [`LAST_CONNECTIONS`]. Who is not let in asks again a second later (RFC 6298, section 2), and is
    /// refused if the listener has been closed by then.
    ///
    /// Errors where the system cannot do that: it takes Linux.
    pub(crate) fn shut(&self) -> io::Result<()> {
        shut(&self.0)
    }
}

/// Drops what begins a connection, a segment with SYN and without ACK (RFC 9293, section 3.5), by a
/// packet filter: <https://docs.kernel.org/networking/filter.html>. What a filter of a TCP socket sees
/// begins with the TCP header, whose 14th byte has the flags.
#[cfg(target_os = "linux")]
fn shut(socket: &Socket) -> io::Result<()> {
    use socket2::SockFilter;
    const FLAGS: u32 = 13;
    const SYN: u32 = 0x02;
    const ACK: u32 = 0x10;
    // The kernel's BPF_LD|BPF_B|BPF_ABS, BPF_ALU|BPF_AND|BPF_K, BPF_JMP|BPF_JEQ|BPF_K, BPF_RET|BPF_K.
    const LOAD_BYTE: u16 = 0x30;
    const AND: u16 = 0x54;
    const SKIP_UNLESS_EQUAL: u16 = 0x15;
    const KEEP_BYTES: u16 = 0x06;
    socket.attach_filter(&[
        SockFilter::new(LOAD_BYTE, 0, 0, FLAGS),
        SockFilter::new(AND, 0, 0, SYN | ACK),
        SockFilter::new(SKIP_UNLESS_EQUAL, 0, 1, SYN),
        SockFilter::new(KEEP_BYTES, 0, 0, 0),
        SockFilter::new(KEEP_BYTES, 0, 0, u32::MAX),
    ])
}

#[cfg(not(target_os = "linux"))]
fn shut(_: &Socket) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
