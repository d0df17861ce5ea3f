//! A way to the server that breaks on request: it counts what the client sends, and cuts, resets or
//! holds up the connection at a given one.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// What happens to one thing that the client sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Break {
    /// It never arrives, and the connection ends.
    Before,
    /// It arrives, and the connection ends instead of an answer.
    After,
    /// It never arrives, and the connection is reset.
    Reset,
    /// It arrives late.
    Late(Duration),
    /// It never arrives, nor does anything after it, and the connection stays.
    Never,
}

#[derive(Default)]
struct Shared {
    upstream: AtomicU16,
    sent: AtomicUsize,
    armed: Mutex<Option<(usize, Break)>>,
}

/// The proxy; it serves until the process ends.
pub struct Proxy {
    shared: Arc<Shared>,
    port: u16,
}

impl Proxy {
    pub fn start(upstream: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        shared.upstream.store(upstream, Ordering::SeqCst);
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let to = serving.upstream.load(Ordering::SeqCst);
                if let Ok(server) = TcpStream::connect(("127.0.0.1", to)) {
                    serve(&serving, client, server);
                }
            }
        });
        Self { shared, port }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server is at another port now.
    pub fn lead_to(&self, upstream: u16) {
        self.shared.upstream.store(upstream, Ordering::SeqCst);
    }

    /// Breaks at so many things sent from now on; or not at all.
    pub fn arm(&self, at: Option<(usize, Break)>) {
        *self.shared.armed.lock().unwrap_or_else(PoisonError::into_inner) = at;
        self.shared.sent.store(0, Ordering::SeqCst);
    }

    /// How many things were sent since.
    pub fn sent(&self) -> usize {
        self.shared.sent.load(Ordering::SeqCst)
    }
}

fn serve(shared: &Arc<Shared>, client: TcpStream, server: TcpStream) {
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    let deaf = Arc::new(AtomicBool::new(false));
    let (mut from_server, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let unheard = Arc::clone(&deaf);
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from_server.read(&mut buffer) {
            if unheard.load(Ordering::SeqCst) || to_client.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = (from_server.shutdown(Shutdown::Both), to_client.shutdown(Shutdown::Both));
    });
    let shared = Arc::clone(shared);
    thread::spawn(move || upward(&shared, client, server, &deaf));
}

fn upward(shared: &Shared, mut client: TcpStream, mut server: TcpStream, deaf: &AtomicBool) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = client.read(&mut buffer) {
        let number = shared.sent.fetch_add(1, Ordering::SeqCst) + 1;
        let armed = *shared.armed.lock().unwrap_or_else(PoisonError::into_inner);
        match armed.filter(|(at, _)| *at == number).map(|(_, how)| how) {
            None => {}
            Some(Break::Before) => break,
            Some(Break::After) => deaf.store(true, Ordering::SeqCst),
            Some(Break::Late(delay)) => thread::sleep(delay),
            Some(Break::Never) => {
                while let Ok(1..) = client.read(&mut buffer) {}
                break;
            }
            Some(Break::Reset) => {
                // A socket that does not linger is reset when the last hold on it goes.
                let _ = socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO));
                let _ = server.shutdown(Shutdown::Both);
                return;
            }
        }
        if server.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
}
