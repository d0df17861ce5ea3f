// The embedded server, met by clients of every kind: polite, hasty, broken and hostile.
//
//   node --test tests/embedded_server.mjs
//
// The folder with its installed packages is named by CHRONOFORM_EMBEDDED_DIR.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { after, afterEach, before, test } from 'node:test';

const here = process.env.CHRONOFORM_EMBEDDED_DIR;
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** A server process, with what it says line by line. */
class Server {
  static async start(...options) {
    const server = new Server();
    server.child = spawn(process.execPath, [path.join(here, 'server.mjs'), ...options], { stdio: 'pipe' });
    server.errors = '';
    server.child.stderr.on('data', (data) => { server.errors += data; });
    server.exit = once(server.child, 'exit');
    server.lines = readline.createInterface({ input: server.child.stdout })[Symbol.asyncIterator]();
    const first = await server.lines.next();
    if (first.done) throw new Error(`no ready line; ${server.errors}`);
    Object.assign(server, JSON.parse(first.value));
    return server;
  }

  async ask(line) {
    this.child.stdin.write(`${line}\n`);
    return JSON.parse((await this.lines.next()).value);
  }

  async gone(ms = 5_000) {
    const ended = await Promise.race([this.exit, sleep(ms)]);
    assert.ok(ended, 'the server still runs');
    return ended;
  }

  connect(options) {
    return Client.connect(this.port, options);
  }

  /** One statement in a session of its own. */
  async once(sql) {
    const client = await this.connect();
    const rows = await client.query(sql);
    await client.leave();
    return rows;
  }
}

const int = (value, size = 4) => {
  const bytes = Buffer.alloc(size);
  if (size === 2) bytes.writeInt16BE(value);
  else bytes.writeInt32BE(value);
  return bytes;
};
const text = (value) => Buffer.from(`${value}\0`);
const message = (type, ...parts) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int(body.length + 4), body]);
};
const startup = (parameters, version = 196608) => {
  const body = Buffer.concat([int(version), ...Object.entries(parameters).flat().map(text), Buffer.alloc(1)]);
  return Buffer.concat([int(body.length + 4), body]);
};
const parse = (sql, name = '') => message('P', text(name), text(sql), int(0, 2));
const bind = (name = '') => message('B', text(''), text(name), int(0, 2), int(0, 2), int(0, 2));
const execute = () => message('E', text(''), int(0));
const sync = () => message('S');

class ServerError extends Error {}

const clients = new Set();

/** A client that knows just enough of the protocol to break it. */
class Client {
  static async raw(port) {
    const client = new Client();
    client.socket = net.connect({ port, host: '127.0.0.1' });
    client.buffer = Buffer.alloc(0);
    client.waiting = [];
    clients.add(client);
    client.socket.on('data', (data) => {
      client.buffer = Buffer.concat([client.buffer, data]);
      client.wake();
    });
    client.socket.on('error', () => {});
    client.socket.on('close', () => {
      client.closed = true;
      client.wake();
    });
    await once(client.socket, 'connect');
    return client;
  }

  static async connect(port, { password = 'postgres', ...parameters } = {}) {
    const client = await Client.raw(port);
    await client.start({ user: 'postgres', database: 'postgres', ...parameters }, password);
    return client;
  }

  async start(parameters, password) {
    this.parameters = {};
    this.send(startup(parameters), message('p', text(password)));
    await this.ready();
  }

  wake() {
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  send(...parts) {
    this.socket.write(Buffer.concat(parts));
  }

  async bytes(size) {
    while (this.buffer.length < size) {
      if (this.closed) return undefined;
      await new Promise((resolve) => { this.waiting.push(resolve); });
    }
    const bytes = this.buffer.subarray(0, size);
    this.buffer = this.buffer.subarray(size);
    return bytes;
  }

  async next() {
    const head = await this.bytes(5);
    if (!head) return undefined;
    return { type: String.fromCharCode(head[0]), body: await this.bytes(head.readInt32BE(1) - 4) };
  }

  /** Reads to the end of the answer; returns the rows, first columns only. */
  async ready() {
    const rows = [];
    let error;
    for (;;) {
      const { type, body } = await this.next() ?? {};
      if (type === undefined) throw error ?? new ServerError('closed');
      if (type === 'S') {
        const [name, value] = body.toString().split('\0');
        this.parameters[name] = value;
      }
      if (type === 'E') {
        error = new ServerError(body.toString().split('\0').map((field) => field.slice(1)).join('|'));
        error.code = /\0C([^\0]*)/.exec(`\0${body}`)[1];
        error.rows = rows;
      }
      if (type === 'D') rows.push(body.readInt32BE(2) < 0 ? null : body.toString('utf8', 6, 6 + body.readInt32BE(2)));
      if (type === 'Z') {
        this.status = body.toString();
        if (error) throw error;
        return rows;
      }
    }
  }

  async query(sql) {
    this.send(message('Q', text(sql)));
    return this.ready();
  }

  async leave() {
    this.send(message('X'));
    await this.end();
  }

  async end() {
    while (!this.closed) await new Promise((resolve) => { this.waiting.push(resolve); });
  }

  cut() {
    this.socket.resetAndDestroy();
  }
}

let server;
before(async () => { server = await Server.start('--wait', '2'); });
after(() => { server.child.kill(); });
afterEach(() => {
  for (const client of clients) client.socket.destroy();
  clients.clear();
});

const rejected = (promise, code) => assert.rejects(promise, (error) => {
  assert.equal(error.code, code, error.message);
  return true;
});

/** Leaves one of everything behind, in an open transaction. */
async function litter(client) {
  await client.query(`SET work_mem = '13MB'; SET ROLE pg_monitor; RESET ROLE; CREATE TEMP TABLE litter (a int);
    PREPARE waste AS SELECT 1; LISTEN noise; SELECT pg_advisory_lock(42); SET search_path = pg_catalog`);
  await client.query('BEGIN; CREATE TABLE public.unfinished (a int); DECLARE c CURSOR FOR SELECT 1');
  assert.equal(client.status, 'T');
}

async function assertClean() {
  const client = await server.connect();
  assert.equal(client.status, 'I');
  const [state] = await client.query(`SELECT concat_ws(' ', current_setting('work_mem'), current_setting('search_path'),
    current_user, to_regclass('pg_temp.litter') IS NULL, to_regclass('public.unfinished') IS NULL,
    (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_cursors),
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'), (SELECT count(*) FROM pg_listening_channels()))`);
  assert.equal(state, '4MB "$user", public postgres t t 0 0 0 0');
  await client.leave();
}

test('a polite client leaves nothing behind', async () => {
  const client = await server.connect();
  assert.equal(client.parameters.server_version, '17.5');
  await litter(client);
  await client.leave();
  await assertClean();
});

test('a client that is cut off in a transaction leaves nothing behind', async () => {
  const client = await server.connect();
  await litter(client);
  client.cut();
  await assertClean();
});

test('a client that is cut off in a statement leaves nothing behind', async () => {
  for (const sql of ['SELECT pg_sleep(0.7)', 'SELECT count(*) FROM generate_series(1, 2000000)', 'SELECT generate_series(1, 3000000)']) {
    const client = await server.connect();
    await litter(client);
    client.send(message('Q', text(sql)));
    await sleep(150);
    client.cut();
    await assertClean();
  }
});

test('a client that is cut off inside a message leaves nothing behind', async () => {
  const client = await server.connect();
  await litter(client);
  client.send(message('Q', text('DROP TABLE nothing')).subarray(0, 9));
  await sleep(50);
  client.cut();
  await assertClean();
});

test('a client that is cut off in an extended query leaves nothing behind', async () => {
  for (const bad of [false, true]) {
    const client = await server.connect();
    await litter(client);
    client.send(parse(bad ? 'SELEC' : 'SELECT 1', 's'), bind('s'), execute());
    await sleep(100);
    client.cut();
    await assertClean();
  }
});

test('a client that is cut off in a copy leaves nothing behind', async () => {
  for (const how of ['cut', 'end']) {
    const client = await server.connect();
    await litter(client);
    await client.query('CREATE TABLE public.sink (a int)');
    client.send(message('Q', text('COPY public.sink FROM STDIN')), message('d', Buffer.from('1\n2\n')));
    await sleep(100);
    if (how === 'cut') client.cut();
    else client.socket.end();
    await assertClean();
  }
});

test('a statement whose client is gone stops the ones behind it', async () => {
  const client = await server.connect();
  await client.query('CREATE TABLE IF NOT EXISTS once (a int)');
  client.send(message('Q', text('SELECT pg_sleep(0.5)')), message('Q', text('INSERT INTO once VALUES (1)')));
  await sleep(100);
  client.cut();
  assert.deepEqual(await server.once('SELECT count(*) FROM once'), ['0']);
});

test('a client that closes its sending side still gets its answers', async () => {
  const client = await server.connect();
  client.socket.end(Buffer.concat([message('Q', text('SELECT pg_sleep(0.2)')), message('Q', text('SELECT 7'))]));
  await client.ready();
  assert.deepEqual(await client.ready(), ['7']);
  await client.end();
});

test('copies in and out work, and errors in them end them', async () => {
  const client = await server.connect();
  await client.query('CREATE TABLE copied (a int)');
  client.send(message('Q', text('COPY copied FROM STDIN')));
  for (let at = 0; at < 100; at += 1) client.send(message('d', Buffer.from(`${at}\n`)));
  await sleep(50);
  client.send(message('c'));
  await client.ready();
  assert.deepEqual(await client.query('SELECT count(*) FROM copied'), ['100']);
  client.send(parse('COPY copied FROM STDIN'), bind(), execute(), message('d', Buffer.from('1\n')), message('c'), sync());
  await client.ready();
  client.send(message('Q', text('COPY copied FROM STDIN')), message('d', Buffer.from('x\n')), message('d', Buffer.from('2\n')), message('c'));
  await rejected(client.ready(), '22P02');
  client.send(message('Q', text('COPY copied FROM STDIN')), message('f', text('changed my mind')));
  await rejected(client.ready(), '57014');
  assert.deepEqual(await client.query('SELECT count(*) FROM copied'), ['101']);
  await client.leave();
});

test('an error in a pipeline skips to the next sync', async () => {
  const client = await server.connect();
  client.send(
    parse('SELECT 1'), bind(), execute(), parse('SELEC'), bind(), execute(), sync(),
    parse('SELECT 2'), bind(), execute(), sync(), message('H'),
  );
  await assert.rejects(client.ready(), (error) => error.code === '42601' && error.rows.join() === '1');
  assert.deepEqual(await client.ready(), ['2']);
  await client.leave();
});

test('an error in a simple query skips its rest and undoes it', async () => {
  const client = await server.connect();
  await rejected(client.query('CREATE TABLE half (a int); SELECT 1/0; SELECT 2'), '22012');
  assert.deepEqual(await client.query("SELECT to_regclass('half') IS NULL"), ['t']);
  await client.query('BEGIN; SAVEPOINT s');
  await rejected(client.query('SELECT 1/0'), '22012');
  assert.equal(client.status, 'E');
  await client.query('ROLLBACK TO s; COMMIT');
  assert.equal(client.status, 'I');
  await client.leave();
});

test('changed settings are reported', async () => {
  const client = await server.connect({ application_name: 'probe', options: '-c TimeZone=Asia/Tokyo --work-mem=7MB' });
  assert.equal(client.parameters.application_name, 'probe');
  assert.equal(client.parameters.TimeZone, 'Asia/Tokyo');
  assert.deepEqual(await client.query('SHOW work_mem'), ['7MB']);
  await client.query("SET TimeZone = 'Europe/Vienna'");
  assert.equal(client.parameters.TimeZone, 'Europe/Vienna');
  await client.query("BEGIN; SET LOCAL TimeZone = 'UTC'");
  assert.equal(client.parameters.TimeZone, 'UTC');
  await client.query('ROLLBACK');
  assert.equal(client.parameters.TimeZone, 'Europe/Vienna');
  await client.leave();
});

test('the settings of the system, the database and the role are a session\'s', async () => {
  await server.once("ALTER SYSTEM SET work_mem = '9MB'");
  await server.once("ALTER DATABASE postgres SET lock_timeout = '3s'");
  await server.once("CREATE ROLE app LOGIN PASSWORD 'x y'; ALTER ROLE app SET lock_timeout = '5s'");
  const client = await server.connect({ user: 'app', password: 'x y' });
  assert.deepEqual(await client.query("SELECT current_setting('work_mem') || current_setting('lock_timeout') || session_user"), ['9MB5sapp']);
  await rejected(client.query('SELECT * FROM pg_authid'), '42501');
  await client.leave();
  await rejected(server.connect({ user: 'app', password: 'wrong' }), '28P01');
  await server.once('ALTER SYSTEM RESET ALL');
  await server.once('ALTER DATABASE postgres RESET ALL; DROP ROLE app');
  assert.deepEqual(await server.once("SELECT current_setting('work_mem') || current_setting('lock_timeout')"), ['4MB0']);
});

test('strangers are refused', async () => {
  await rejected(server.connect({ password: 'wrong' }), '28P01');
  await rejected(server.connect({ user: 'nobody' }), '28P01');
  await rejected(server.connect({ database: 'nowhere' }), '3D000');
  await rejected(server.connect({ database: 'template1' }), '0A000');
  await rejected(server.connect({ replication: 'true' }), '0A000');
  await rejected(server.connect({ options: '-c nonsense=1' }), '42704');
  await rejected(server.connect({ TimeZone: 'Nowhere' }), '22023');
  await assertClean();
});

test('garbage before the session harms nobody', async () => {
  const held = await server.connect();
  const rubbish = [
    Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), Buffer.alloc(64), Buffer.from([0, 0, 0, 8, 0, 1, 0, 0]),
    Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 3]), Buffer.from([0, 0, 0, 4]), startup({}), startup({ user: 'x' }, 131072),
    Buffer.concat([startup({ user: 'postgres' }), message('Q', text('SELECT 1'))]),
  ];
  for (const bytes of rubbish) {
    const client = await Client.raw(server.port);
    client.send(bytes);
    await Promise.race([client.end(), sleep(3_000)]);
    assert.ok(client.closed, `still open after ${bytes.toString('latin1')}`);
  }
  for (const bytes of [Buffer.alloc(0), Buffer.from([0]), int(80877103).subarray(0, 3), startup({ user: 'postgres' })]) {
    const client = await Client.raw(server.port);
    client.send(bytes);
    await sleep(20);
    client.cut();
  }
  assert.deepEqual(await held.query('SELECT 1'), ['1']);
  await held.leave();
});

test('garbage in a session ends it', async () => {
  const rubbish = [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'), message('z'), Buffer.from([0x51, 0, 0, 0, 0]), Buffer.from([0x51, 0x7f, 0xff, 0xff, 0xff]),
    Buffer.from([0x53, 0, 0, 0, 9, 1, 2, 3, 4, 5]), message('p', text('again')),
    Buffer.concat([message('Q', text('CREATE TEMP TABLE g (a int); COPY g FROM STDIN')), message('Q', text('SELECT 1'))]),
  ];
  for (const bytes of rubbish) {
    const client = await server.connect();
    client.send(bytes);
    await assert.rejects((async () => { for (;;) await client.ready(); })());
    await client.end();
  }
  await assertClean();
});

test('malformed messages are errors, and the session goes on', async () => {
  const client = await server.connect();
  const malformed = [
    message('B', text('a')), message('B', text(''), text(''), int(5, 2)), message('P', text('x')), message('D', text('q')),
    message('E', text('nothing'), int(0)), message('Q', Buffer.from('no end')), message('C', Buffer.from('Sx')), message('Q', Buffer.from([0xff, 0xfe, 0])),
  ];
  for (const bytes of malformed) {
    client.send(bytes, bytes[0] === 0x51 ? Buffer.alloc(0) : sync());
    await client.ready().catch((error) => assert.ok(error.code, error.message));
    assert.deepEqual(await client.query('SELECT 1'), ['1']);
  }
  await client.leave();
});

test('the second client waits for the first', async () => {
  const first = await server.connect();
  const second = server.connect();
  await sleep(300);
  await first.leave();
  const client = await second;
  assert.deepEqual(await client.query('SELECT 2'), ['2']);
  await client.leave();
});

test('the second client is refused in the end', async () => {
  const first = await server.connect();
  const begun = Date.now();
  await rejected(server.connect(), '53300');
  assert.ok(Date.now() - begun >= 1_900);
  assert.deepEqual(await first.query('SELECT 1'), ['1']);
  await first.leave();
  await assertClean();
});

test('those who stop waiting are forgotten', async () => {
  const first = await server.connect();
  for (let at = 0; at < 20; at += 1) {
    const client = await Client.raw(server.port);
    client.send(startup({ user: 'postgres', database: 'postgres' }), message('p', text('postgres')));
    await sleep(5);
    if (at % 2) client.cut();
    else client.socket.end();
  }
  await first.leave();
  await assertClean();
});

test('encryption is declined and cancelling ignored, at once', async () => {
  const held = await server.connect();
  for (const request of [80877103, 80877104]) {
    const client = await Client.raw(server.port);
    client.send(int(8), int(request));
    assert.equal((await client.bytes(1)).toString(), 'N');
    client.cut();
  }
  const canceller = await Client.raw(server.port);
  canceller.send(int(16), int(80877102), int(0), int(1));
  await Promise.race([canceller.end(), sleep(500)]);
  assert.ok(canceller.closed);
  await held.leave();
});

test('a newer protocol is negotiated down', async () => {
  const client = await Client.raw(server.port);
  client.send(startup({ user: 'postgres', database: 'postgres', '_pq_.news': '1' }, 196610));
  assert.equal((await client.next()).type, 'v');
  assert.equal((await client.next()).type, 'R');
  client.send(message('p', text('postgres')));
  client.parameters = {};
  await client.ready();
  await client.leave();
});

test('a great answer to a slow client does not fill the memory', async () => {
  const client = await server.connect();
  client.socket.pause();
  client.send(message('Q', text("SELECT repeat('x', 1000) FROM generate_series(1, 300000)")));
  await sleep(1_500);
  const status = fs.existsSync('/proc') && fs.readFileSync(`/proc/${server.child.pid}/status`, 'utf8');
  const before_ = status && Number(/VmRSS:\s+(\d+)/.exec(status)[1]);
  client.socket.resume();
  let size = 0;
  let rows = 0;
  for (;;) {
    const { type, body } = await client.next();
    size += body.length;
    if (type === 'D') rows += 1;
    if (type === 'Z') break;
  }
  assert.equal(rows, 300_000);
  assert.ok(size > 300_000_000);
  if (before_) assert.ok(before_ < 1_500_000, `${before_} kB`);
  await client.leave();
});

test('a great copy in does not fill the memory', async () => {
  const client = await server.connect();
  await client.query('CREATE TEMP TABLE big (a text)');
  client.send(message('Q', text('COPY big FROM STDIN')));
  const line = message('d', Buffer.from(`${'y'.repeat(60_000)}\n`));
  for (let at = 0; at < 1_000; at += 1) {
    if (!client.socket.write(line)) await once(client.socket, 'drain');
  }
  client.send(message('c'));
  await client.ready();
  assert.deepEqual(await client.query('SELECT sum(length(a)) FROM big'), ['60000000']);
  await client.leave();
});

test('many short sessions', async () => {
  const begun = Date.now();
  await Promise.all(Array.from({ length: 40 }, () => server.once('SELECT 1')));
  assert.ok(Date.now() - begun < 10_000);
});

test('no statement reaches the shell', async () => {
  const mark = path.join(os.tmpdir(), `shell-${process.pid}`);
  const client = await server.connect();
  await assert.rejects(client.query(`COPY (SELECT 1) TO PROGRAM 'touch ${mark}'`));
  assert.ok(!fs.existsSync(mark));
  await client.leave();
});

test('deep recursion has the stack that it needs', async () => {
  const client = await server.connect();
  await client.query(`CREATE FUNCTION pg_temp.down(i int) RETURNS int LANGUAGE plpgsql
    AS $$ BEGIN IF i = 0 THEN RETURN 0; END IF; RETURN pg_temp.down(i - 1); END $$`);
  assert.deepEqual(await client.query('SELECT pg_temp.down(2000)'), ['0']);
  await client.leave();
});

test('a notice of the engine to its makers is kept back, a user\'s is not', async () => {
  const client = await server.connect();
  const seen = [];
  const next = client.next.bind(client);
  client.next = async () => {
    const message_ = await next();
    if (message_.type === 'N') seen.push(/\0M([^\0]*)/.exec(message_.body)[1]);
    return message_;
  };
  await rejected(client.query("BEGIN; CREATE TABLE gone (a int); DO $$ BEGIN RAISE NOTICE '# 7 mine'; END $$; SELECT 1/0"), '22012');
  assert.deepEqual(seen, ['# 7 mine']);
  await client.leave();
});

test('TimescaleDB works', async () => {
  const client = await server.connect();
  await client.query(`CREATE TABLE m (time timestamptz NOT NULL, v int); SELECT create_hypertable('m', by_range('time'));
    INSERT INTO m SELECT t, 1 FROM generate_series('2024-01-01'::timestamptz, '2024-03-01', '1 hour') t`);
  await client.query('ALTER TABLE m SET (timescaledb.compress)');
  await client.query("SELECT add_retention_policy('m', INTERVAL '1 year'); CALL add_columnstore_policy('m', after => INTERVAL '7 days')");
  const [job] = await client.query("SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression'");
  await client.query(`CALL run_job(${job})`);
  assert.deepEqual(await client.query('SELECT count(*) FROM m'), ['1441']);
  assert.deepEqual(await client.query('SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = \'timescaledb\''), ['public']);
  await client.leave();
});

test('a reset brings a new database, and sends the client away', async () => {
  for (let round = 0; round < 3; round += 1) {
    await server.once('CREATE ROLE leftover; CREATE TABLE leftover (a int)');
    await server.once('ALTER SYSTEM SET work_mem = 1000');
    const client = await server.connect();
    await client.query('BEGIN');
    assert.deepEqual(await server.ask('reset'), { reset: true });
    await rejected(client.query('SELECT 1'), '57P01');
    assert.deepEqual(await server.once(`SELECT (SELECT count(*) FROM pg_roles WHERE rolname = 'leftover')
      || coalesce(to_regclass('leftover')::text, '-') || current_setting('work_mem')
      || (SELECT count(*) FROM timescaledb_information.hypertables)`), ['0-4MB0']);
  }
});

test('what the Community edition adds works after a reset too', async () => {
  assert.deepEqual(await server.ask('reset'), { reset: true });
  await server.once(`CREATE TABLE m (time timestamptz NOT NULL); SELECT create_hypertable('m', by_range('time'))`);
  await server.once("SELECT add_retention_policy('m', INTERVAL '1 year')");
});

test('a reset takes everything back to one moment', async () => {
  const moment = async () => server.once(`SELECT pg_current_xact_id()::text || ' ' || pg_current_wal_insert_lsn()
    || ' ' || (SELECT count(*) FROM pg_class) || ' ' || (SELECT sum(pg_database_size(oid)) FROM pg_database)
    || ' ' || (SELECT count(*) FROM pg_ls_dir('base/' || (SELECT oid FROM pg_database WHERE datname = current_database())))
    || ' ' || (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')
    || ' ' || (SELECT count(*) FROM pg_prepared_statements) || ' ' || (SELECT count(*) FROM pg_settings)`);
  assert.deepEqual(await server.ask('reset'), { reset: true });
  const before = await moment();
  const work = [
    [
      'CREATE TABLE m (time timestamptz NOT NULL, v float8, s text)',
      "SELECT create_hypertable('m', by_range('time', INTERVAL '1 day'))",
      "INSERT INTO m SELECT '2026-01-01'::timestamptz + i * INTERVAL '1 minute', i, repeat('x', 100) FROM generate_series(1, 30000) i",
      'ALTER TABLE m SET (timescaledb.compress)',
      "SELECT count(compress_chunk(c)) FROM show_chunks('m') c",
    ],
    // More memory than there was.
    ["CREATE TABLE t AS SELECT repeat('y', 100000000) AS great", 'SELECT length(great) FROM t'],
    ['SELECT pg_advisory_lock(1)', 'PREPARE p AS SELECT 1', 'CREATE TEMP TABLE gone (a int)', 'BEGIN', 'DECLARE c CURSOR FOR SELECT 1'],
    [
      'CREATE TABLE a (i int PRIMARY KEY)', 'INSERT INTO a SELECT generate_series(1, 50000)', 'DELETE FROM a', 'VACUUM FULL a',
      'VACUUM FULL pg_class', 'CHECKPOINT', 'SELECT pg_switch_wal()',
    ],
    ["DO $$ BEGIN PERFORM pg_notify('a', 'b'); END $$", 'DROP EXTENSION timescaledb', "ALTER SYSTEM SET work_mem = '1MB'"],
    // A library that the next one has to load itself.
    ["SELECT to_tsvector('english', 'cats')"],
    ["SELECT to_tsvector('english', 'cats')"],
  ];
  for (const statements of work) {
    const client = await server.connect();
    for (const statement of statements) await client.query(statement);
    assert.deepEqual(await server.ask('reset'), { reset: true });
    assert.deepEqual(await moment(), before, statements[0]);
  }
});

test('a reset does not wait for a statement', async () => {
  const client = await server.connect();
  client.send(message('Q', text('SELECT pg_sleep(100)')));
  await sleep(200);
  assert.deepEqual(await server.ask('reset'), { reset: true });
  await assertClean();
});

test('a crash of the engine is told, and ends the server', async () => {
  const other = await Server.start();
  const client = await other.connect();
  await client.query(`CREATE FUNCTION pg_temp.down() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN pg_temp.down(); END $$`);
  await rejected(client.query('SELECT pg_temp.down()'), '57P02');
  assert.deepEqual(await other.gone(), [70, null]);
  assert.match(other.errors, /the engine crashed/);
});

test('the server ends with its input, even in a statement', async () => {
  const other = await Server.start();
  const client = await other.connect();
  client.send(message('Q', text('SELECT pg_sleep(100)')));
  await sleep(200);
  other.child.stdin.end();
  assert.deepEqual(await other.gone(), [0, null]);
  await client.end();
});

test('the server ends on a signal, with a word to its client', async () => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    const other = await Server.start();
    const client = await other.connect();
    other.child.kill(signal);
    assert.deepEqual(await other.gone(), [0, null]);
    await rejected(client.ready(), '57P01');
  }
});

test('a server that is detached outlives its input', async () => {
  const other = await Server.start('--detach');
  other.child.stdin.end();
  await sleep(300);
  assert.deepEqual(await other.once('SELECT 1'), ['1']);
  other.child.kill('SIGTERM');
  assert.deepEqual(await other.gone(), [0, null]);
});

test('what is kept in a folder survives, a kill included', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'embedded-'));
  try {
    const first = await Server.start('--data', folder);
    await first.once('CREATE TABLE kept (a int); INSERT INTO kept VALUES (1)');
    const second = Server.start('--data', folder);
    await assert.rejects(second, /in use by process/);
    assert.equal((await first.ask('reset')).reset, false);
    first.child.kill('SIGTERM');
    await first.gone();
    const third = await Server.start('--data', folder);
    await third.once('INSERT INTO kept VALUES (2)');
    third.child.kill('SIGKILL');
    await third.gone();
    const fourth = await Server.start('--data', folder);
    assert.deepEqual(await fourth.once('SELECT a FROM kept ORDER BY a'), ['1', '2']);
    fourth.child.stdin.end();
    assert.deepEqual(await fourth.gone(), [0, null]);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
});

test('wrong options are said', async () => {
  await assert.rejects(Server.start('--host', '0.0.0.0'), /loopback/);
  await assert.rejects(Server.start('--port', 'x'), /no port/);
  await assert.rejects(Server.start('--port', String(server.port)), /EADDRINUSE/);
});

test('no client has cost the server its life', async () => {
  await assertClean();
  assert.equal(server.errors, '');
});
