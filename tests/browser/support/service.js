/** The real service, as a process of its own with a fresh database. */

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const TARGET = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL('../../../target', import.meta.url));
const BINARY = join(TARGET, 'debug/symbolon');

/** Both databases that there are; tests of what these may do run on each. */
export const DATABASES = /** @type {const} */ (['sqlite', 'postgres']);

let databases = 0;

/** Makes a database for one test; returns its address. */
function freshPostgres() {
  const cluster = process.env.TEST_POSTGRES_URL;
  if (!cluster) throw new Error('TEST_POSTGRES_URL is not set: scripts/test sets it, from scripts/postgres');
  const name = `browser_${process.pid}_${databases++}`;
  execFileSync('psql', [`${cluster}/postgres`, '-qc', `CREATE DATABASE ${name}`]);
  return `${cluster}/${name}`;
}

/** A port that was free a moment ago. */
export async function freePort() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, '127.0.0.1', () => listening(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  await new Promise((closed) => server.close(closed));
  return port;
}

export class Service {
  /** Everything it has logged. */
  log = '';
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #process;

  /**
   * Starts a service that ends with the test.
   *
   * @param {import('node:test').TestContext} t
   * @param {{ database?: 'sqlite' | 'postgres', settings?: Record<string, string> }} [options]
   */
  static async start(t, { database = 'sqlite', settings = {} } = {}) {
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), 'symbolon-browser-'));
    const service = new Service(port, {
      BIND: `127.0.0.1:${port}`,
      PUBLIC_URL: `http://localhost:${port}`,
      DATA_DIR: folder,
      BCRYPT_COST: '10',
      LOGIN_RATE_LIMIT: 'off',
      REGISTER_RATE_LIMIT: 'off',
      FORGOT_RATE_LIMIT: 'off',
      RUST_LOG: 'info,symbolon=debug',
      ...(database === 'postgres' ? { DATABASE_URL: freshPostgres() } : {}),
      ...settings,
    });
    t.after(async () => {
      await service.stop('SIGKILL');
      rmSync(folder, { recursive: true });
    });
    await service.run();
    return service;
  }

  /**
   * @param {number} port
   * @param {Record<string, string>} settings
   */
  constructor(port, settings) {
    this.port = port;
    this.url = `http://localhost:${port}`;
    this.settings = settings;
  }

  /** Starts the process, and waits until it answers. */
  async run() {
    if (!existsSync(BINARY)) throw new Error(`there is no ${BINARY}: cargo build makes it`);
    const { PATH = '', HOME = '' } = process.env;
    const child = spawn(BINARY, {
      env: { PATH, HOME, ...this.settings },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr?.setEncoding('utf8').on('data', (text) => (this.log += text));
    this.#process = child;
    for (let i = 0; i < 300; i++) {
      if (child.exitCode !== null) throw new Error(`it did not start:\n${this.log}`);
      if (await this.#answers()) return;
      await sleep(50);
    }
    throw new Error(`it does not answer:\n${this.log}`);
  }

  async #answers() {
    const socket = connect(this.port, '127.0.0.1');
    const answers = await new Promise((done) =>
      socket.on('connect', () => done(true)).on('error', () => done(false)),
    );
    socket.destroy();
    return answers;
  }

  /** @param {NodeJS.Signals} signal */
  async stop(signal) {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode) return;
    const gone = new Promise((exited) => child.on('exit', exited));
    child.kill(signal);
    await gone;
  }

  /** How many refreshes it has answered with tokens. */
  get refreshes() {
    return this.log.match(/ refresh session=/g)?.length ?? 0;
  }

  /**
   * The link in the latest mail of its kind, which in development is logged.
   *
   * @param {'verify' | 'reset'} kind
   */
  async mailedLink(kind) {
    const links = new RegExp(`/account/${kind}\\\\?#token=[\\w-]+`, 'g');
    for (let i = 0; i < 200; i++) {
      const link = this.log.match(links)?.at(-1);
      if (link) return this.url + link.replace('\\', '');
      await sleep(50);
    }
    throw new Error(`no mail came:\n${this.log}`);
  }

  /**
   * Makes an administrator, as an operator does.
   *
   * @param {{ email: string, password: string }} admin
   */
  createAdmin({ email, password }) {
    this.#operate(['users', 'create-admin', email, '--password-stdin'], password);
  }

  /**
   * Makes many accounts at once, which have no password yet.
   *
   * @param {string[]} emails
   */
  importUsers(emails) {
    const file = join(this.settings.DATA_DIR, 'users.jsonl');
    writeFileSync(file, emails.map((email) => JSON.stringify({ email })).join('\n'));
    this.#operate(['users', 'import', file]);
  }

  /**
   * @param {string[]} args
   * @param {string} [input]
   */
  #operate(args, input = '') {
    const { PATH = '', HOME = '' } = process.env;
    execFileSync(BINARY, args, { env: { PATH, HOME, ...this.settings }, input, stdio: 'pipe' });
  }

  /**
   * Calls it as a client without cookies does.
   *
   * @param {string} path
   * @param {object} body
   */
  async post(path, body) {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(this.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    return answer.json();
  }

  /**
   * Makes an account, as a phone would.
   *
   * @param {string} email
   */
  async register(email) {
    const { user } = await this.post('/auth/register', {
      email,
      password: PASSWORD,
      refreshTransport: 'body',
    });
    return user;
  }
}

/** Everybody's. */
export const PASSWORD = 'correct horse battery';
