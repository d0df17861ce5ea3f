//! The driver, waited for: each call drives the connection until its own answer is there.
//!
//! The driver's own waiting client asks the runtime anew for every piece of a COPY stream, of which the
//! server sends one a row: three times the work of receiving them (1.4 s against 0.45 s for 4 million
//! rows, measured). Here all that has arrived is taken at once.

use std::future::{Future, poll_fn};
use std::io::{self, Write};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, Stream};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{CancelToken, Config, CopyInSink, Error, Row, SimpleQueryMessage, Socket};

/// So many bytes of a COPY stream are sent as one piece.
const PIECE: usize = 64 * 1024;

/// What sends requests and hears answers, for as long as there is a connection.
struct Driver {
    runtime: Runtime,
    connection: Connection,
    ended: bool,
}

/// A connection to one database.
pub(super) struct Client {
    // Before the driver, which waits in its drop for the last sender to be gone.
    client: tokio_postgres::Client,
    driver: Driver,
}

/// Why there is no connection.
pub(super) enum ConnectError {
    /// The driver's word.
    Driver(Error),
    /// The operating system has no means for it.
    System(io::Error),
}

impl Driver {
    /// Drives the connection until there is an answer. Of a connection that has ended, the request
    /// finds out by itself.
    fn wait<T, E: From<Error>>(&mut self, answer: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let mut answer = pin!(answer);
        let Self { runtime, connection, ended } = self;
        runtime.block_on(poll_fn(|context| {
            if let Err(error) = advance(connection, ended, context) {
                return Poll::Ready(Err(error.into()));
            }
            answer.as_mut().poll(context)
        }))
    }
}

type Connection = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// Lets the connection send and hear what it can at this moment.
fn advance(connection: &mut Connection, ended: &mut bool, context: &mut Context<'_>) -> Result<(), Error> {
    if !*ended && let Poll::Ready(end) = connection.as_mut().poll(context) {
        *ended = true;
        return end;
    }
    Ok(())
}

impl Client {
    /// Connects.
    pub(super) fn connect<T>(config: &Config, tls: T) -> Result<Self, ConnectError>
    where
        T: MakeTlsConnect<Socket> + Send + 'static,
        T::TlsConnect: Send,
        T::Stream: Send + 'static,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let runtime = runtime().map_err(ConnectError::System)?;
        let (client, connection) = runtime.block_on(config.connect(tls)).map_err(ConnectError::Driver)?;
        Ok(Self { client, driver: Driver { runtime, connection: Box::pin(connection), ended: false } })
    }

    /// A query whose parameters' types are told, in one round trip.
    pub(super) fn query_typed(&mut self, sql: &str, params: &[(&(dyn ToSql + Sync), Type)]) -> Result<Vec<Row>, Error> {
        self.driver.wait(self.client.query_typed(sql, params))
    }

    /// One statement, and how many rows it has changed.
    pub(super) fn execute(&mut self, sql: &str) -> Result<u64, Error> {
        self.driver.wait(self.client.execute_typed(sql, &[]))
    }

    /// Several statements.
    pub(super) fn batch_execute(&mut self, sql: &str) -> Result<(), Error> {
        self.driver.wait(self.client.batch_execute(sql))
    }

    /// Several statements, and what they answer as text.
    pub(super) fn simple_query(&mut self, sql: &str) -> Result<Vec<SimpleQueryMessage>, Error> {
        self.driver.wait(self.client.simple_query(sql))
    }

    /// Whether the server answers within a time.
    pub(super) fn answers(&mut self, within: Duration) -> bool {
        let query = self.client.simple_query("");
        let answered = self.driver.wait(async { Ok::<_, Error>(tokio::time::timeout(within, query).await) });
        matches!(answered, Ok(Ok(Ok(_))))
    }

    /// Whether the connection is known to be gone.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// What can cancel the running statement from elsewhere.
    pub(super) fn cancel_token(&self) -> CancelToken {
        self.client.cancel_token()
    }

    /// The pieces of a `COPY … TO STDOUT`, until `take` fails or they end.
    pub(super) fn copy_out<E>(
        &mut self,
        sql: &str,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Result<(), E>, Error> {
        let stream = self.driver.wait(self.client.copy_out(sql))?;
        let mut stream = pin!(stream);
        let Driver { runtime, connection, ended } = &mut self.driver;
        runtime.block_on(poll_fn(|context| {
            let mut asked = false;
            loop {
                // What has arrived is taken before more is asked for.
                let mut heard = false;
                while let Poll::Ready(piece) = stream.as_mut().poll_next(context)? {
                    heard = true;
                    match piece.map(|piece| take(&piece)) {
                        Some(Ok(())) => {}
                        Some(Err(error)) => return Poll::Ready(Ok(Err(error))),
                        None => return Poll::Ready(Ok(Ok(()))),
                    }
                }
                if asked && !heard {
                    return Poll::Pending;
                }
                advance(connection, ended, context)?;
                asked = true;
            }
        }))
    }

    /// A `COPY … FROM STDIN` of what `give` writes, and how many rows it has added. Where `give` fails,
    /// the server gives the COPY up.
    pub(super) fn copy_in<E>(
        &mut self,
        sql: &str,
        give: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    ) -> Result<Result<u64, E>, Error> {
        let sink = self.driver.wait(self.client.copy_in(sql))?;
        let mut sink = pin!(sink);
        let mut sender = Sender { sink: sink.as_mut(), driver: &mut self.driver, held: BytesMut::new() };
        let given = give(&mut sender);
        let sent = sender.send();
        match given {
            // What the server has refused is the cause of what comes of it.
            Ok(()) => sent.and_then(|()| self.driver.wait(sink.finish())).map(Ok),
            Err(error) => sent.map(|()| Err(error)),
        }
    }
}

/// Takes what is written, and sends it.
struct Sender<'a> {
    sink: Pin<&'a mut CopyInSink<Bytes>>,
    driver: &'a mut Driver,
    held: BytesMut,
}

impl Sender<'_> {
    fn send(&mut self) -> Result<(), Error> {
        if self.held.is_empty() {
            return Ok(());
        }
        let piece = self.held.split().freeze();
        self.driver.wait(self.sink.send(piece))
    }
}

impl Write for Sender<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(data);
        if self.held.len() >= PIECE {
            self.send().map_err(io::Error::other)?;
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send().map_err(io::Error::other)
    }
}

impl Drop for Driver {
    /// Tells the server that this is the end, and waits until it is told: by then nobody can send requests
    /// any more, since of [`Client`] the sender goes first.
    fn drop(&mut self) {
        if !self.ended {
            // Nobody is left to hear how it ends.
            let _ = self.runtime.block_on(self.connection.as_mut());
        }
    }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// Asks the server to cancel what a connection is running, by a connection of its own.
pub(super) fn cancel<T>(token: &CancelToken, tls: T)
where
    T: MakeTlsConnect<Socket>,
{
    // A cancel request that does not arrive leaves the statement running, which its own end will show:
    // there is nobody to tell here.
    if let Ok(runtime) = runtime() {
        let _ = runtime.block_on(token.cancel_query(tls));
    }
}
