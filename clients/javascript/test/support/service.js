/**
 * A model of the service and of a browser's cookie jar and network, with the rule of rotation as
 * docs/rotation.md has it. Time is that of the (mocked) clock.
 */

const GRACE = 10_000;
const ACCESS_SECONDS = 900;

export class Service {
  /** @type {Map<string, any>} */
  sessions = new Map();
  /** Access tokens, with their session and expiry. */
  access = new Map();
  users = new Map();
  /** How far the service's clock is ahead of the browser's. */
  skew = 0;
  /** Calls, the latest last: `{at, method, path, key, token, cookie, body, status, code}`. */
  calls = [];
  /** @type {{path: string, status: number, code?: string, headers?: Record<string, string>, text?: string}[]} */
  failures = [];
  accessSeconds = ACCESS_SECONDS;
  #next = 0;

  user(email, more = {}) {
    const user = {
      id: `user-${email}`,
      email,
      name: null,
      role: 'user',
      emailVerified: true,
      createdAt: '2026-01-01T00:00:00Z',
    };
    this.users.set(email, { ...user, ...more });
    return this.users.get(email);
  }

  now() {
    return Date.now() + this.skew;
  }

  /** Of those calls, the ones at `path`. */
  callsTo(path) {
    return this.calls.filter((call) => call.path === path);
  }

  get refreshes() {
    return this.callsTo('/auth/refresh-token');
  }

  /** Answers the next call to `path` with a failure. */
  failNext(path, status, code, more = {}) {
    this.failures.push({ path, status, code, ...more });
  }

  endSessions() {
    for (const session of this.sessions.values()) session.revoked = true;
  }

  /** Starts a session of the user with this address; returns its cookie. */
  open(email) {
    const sid = `session-${this.#next++}`;
    const session = { sid, email, generation: 0, graceUntil: 0, key: null, revoked: false };
    this.sessions.set(sid, session);
    return { sid, generation: 0 };
  }

  /** Answers a request as it arrives; `setCookie` is undefined where the jar is left alone. */
  handle({ method, path, headers, body, cookie }) {
    const call = {
      at: Date.now(),
      method,
      path,
      body,
      cookie,
      key: headers.get('idempotency-key'),
      token: bearer(headers),
      contentType: headers.get('content-type'),
    };
    this.calls.push(call);
    const at = this.failures.findIndex((failure) => failure.path === path);
    const answer = at >= 0 ? failed(this.failures.splice(at, 1)[0]) : this.#answer(call, cookie);
    Object.assign(call, { status: answer.status, code: answer.json?.code });
    return answer;
  }

  #answer(call, cookie) {
    switch (`${call.method} ${call.path}`) {
      case 'POST /auth/login':
      case 'POST /auth/register':
        return this.#signIn(call, cookie);
      case 'POST /auth/refresh-token':
        return this.#refresh(call, cookie);
      case 'POST /auth/logout':
        return this.#logout(call, cookie);
      case 'POST /auth/forgot-password':
      case 'POST /auth/reset-password':
      case 'POST /auth/verify-email':
        return { status: 204 };
    }
    const session = this.#sessionOf(call.token);
    if (session.code)
      return refused(session.code, { 'www-authenticate': 'Bearer realm="symbolon", error="invalid_token"' });
    if (call.method === 'DELETE' && ['/auth/me', '/auth/sessions'].includes(call.path)) {
      for (const other of this.sessions.values()) if (other.email === session.email) other.revoked = true;
      return { status: 204 };
    }
    if (call.path === '/auth/me') return { status: 200, json: this.users.get(session.email) };
    return { status: 200, json: { by: session.email, body: call.body ?? null } };
  }

  #signIn({ body }, cookie) {
    const { email, password } = JSON.parse(body);
    if (password === 'wrong') return refused('INVALID_CREDENTIALS');
    if (cookie) this.sessions.get(cookie.sid).revoked = true;
    if (!this.users.has(email)) this.user(email);
    return this.#tokens(this.sessions.get(this.open(email).sid));
  }

  #refresh({ key }, cookie) {
    const session = cookie && this.sessions.get(cookie.sid);
    if (!session) return refused('REFRESH_TOKEN_MISSING');
    if (session.revoked) return refused('SESSION_REVOKED');
    const isGrace = this.now() < session.graceUntil;
    if (cookie.generation === session.generation) {
      if (!isGrace) {
        Object.assign(session, { generation: session.generation + 1, key, graceUntil: this.now() + GRACE });
      }
    } else if (cookie.generation === session.generation - 1 && (isGrace || (key && key === session.key))) {
      if (!isGrace) session.graceUntil = this.now() + GRACE;
    } else {
      session.revoked = true;
      return refused('REFRESH_TOKEN_REUSED');
    }
    return this.#tokens(session);
  }

  #logout({ token }, cookie) {
    const session = this.#sessionOf(token);
    if (session.code) return refused(session.code);
    if (!cookie) return refused('REFRESH_TOKEN_MISSING');
    if (cookie.sid !== session.sid) return refused('REFRESH_TOKEN_INVALID');
    session.revoked = true;
    return { status: 204, setCookie: null };
  }

  #sessionOf(token) {
    const known = this.access.get(token);
    if (!known) return { code: token ? 'TOKEN_INVALID' : 'TOKEN_MISSING' };
    if (known.expiresAt <= this.now()) return { code: 'TOKEN_EXPIRED' };
    const session = this.sessions.get(known.sid);
    return session.revoked ? { code: 'SESSION_REVOKED' } : session;
  }

  #tokens({ sid, email, generation }) {
    const accessToken = `access-${this.#next++}`;
    this.access.set(accessToken, { sid, expiresAt: this.now() + this.accessSeconds * 1000 });
    const json = {
      accessToken,
      tokenType: 'Bearer',
      expiresIn: this.accessSeconds,
      user: this.users.get(email),
    };
    return { status: 200, json, setCookie: { sid, generation } };
  }
}

const bearer = (headers) => headers.get('authorization')?.replace('Bearer ', '') ?? null;

const refused = (code, headers = {}) => ({
  status: 401,
  json: { code, detail: `refused: ${code}` },
  headers,
});

const failed = ({ status, code, headers, text }) => ({
  status,
  json: { code, detail: 'failed' },
  headers,
  text,
});
