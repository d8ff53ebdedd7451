/**
 * Keeps a browser signed in with Symbolon.
 *
 * The access token lives in memory, the refresh token in a cookie that no script can read. This client
 * refreshes ahead of expiry and sees to it that nobody is signed out by accident: neither by many tabs,
 * nor by a lost answer, a reload, or a service that is away for a while. The service is right without any
 * of this; what tabs do together saves requests and closes the gap that a late answer would leave.
 *
 * @module
 */

/**
 * @typedef {object} User
 * @property {string} id
 * @property {string} email
 * @property {string | null} name
 * @property {'user' | 'moderator' | 'admin'} role
 * @property {boolean} emailVerified
 * @property {string} createdAt RFC 3339.
 */

/**
 * Who is signed in here. `unknown` until the service has said so for the first time.
 *
 * @typedef {object} Session
 * @property {'unknown' | 'signedIn' | 'signedOut'} state
 * @property {User | null} user
 * @property {SymbolonError | null} error Why refreshing fails at the moment; the session goes on.
 */

/**
 * One of the user's sessions, wherever it is.
 *
 * @typedef {object} SessionInfo
 * @property {string} id
 * @property {boolean} current Whether it is this browser's.
 * @property {string} createdAt RFC 3339, like all times here.
 * @property {string} lastUsedAt
 * @property {string} expiresAt When it ends if it is not used.
 * @property {string} endsAt When it ends however much it is used.
 * @property {'cookie' | 'body'} transport
 * @property {string | null} ip
 * @property {string | null} userAgent
 */

/**
 * What a client uses of the window that it is in.
 *
 * @typedef {Pick<typeof globalThis, 'addEventListener' | 'BroadcastChannel' | 'console' | 'document' | 'fetch'
 *   | 'localStorage' | 'location' | 'navigator' | 'removeEventListener'>} World
 */

/**
 * @typedef {object} FieldError
 * @property {string} field
 * @property {string} code
 * @property {string} message
 */

/**
 * What the service answers to a sign-in or a refresh, as far as it matters here.
 *
 * @typedef {object} TokenAnswer
 * @property {string} accessToken
 * @property {number} expiresIn Seconds.
 * @property {User} user
 */

/**
 * An access token and when it came; the clock is this device's. Tabs hand it to each other.
 *
 * @typedef {object} Tokens
 * @property {string} access
 * @property {number} receivedAt
 * @property {number} expiresAt
 * @property {User} user
 */

/**
 * What one tab tells the others: that a sign-in or sign-out begins, so that nobody goes on refreshing;
 * tokens; that a session is over, as of a point in time.
 *
 * @typedef {{ changing?: true, tokens?: Tokens, endedAt?: number }} Message
 */

// All in milliseconds.
/** A tab waits this long for its turn and then goes ahead without: somebody else may never be done. */
const TURN = 5_000;
/** A refresh is given up after this, which is less than the grace: so its answer overtakes no later one. */
const REFRESH_PATIENCE = 8_000;
/** Repeated, it gets more time, on a slow network up to this. Other calls get it at once. */
const PATIENCE = 30_000;
/** The longest that a renewal is moved at random. */
const JITTER = 60_000;
/** The longest wait after a failure, before jitter. */
const MAX_BACKOFF = 60_000;
/** The shortest wait after a failure, however often the network comes back. */
const MIN_BACKOFF = 1_000;
/** While the service cannot be reached, a call that needs a token tries again after this. */
const RETRY_FOR_CALL = 5_000;
/** Timers cannot be set for more than 24 days. */
const DAY = 86_400_000;

/** Answered to a refresh, these say that the session is over. Nothing else does. */
const ENDS = [
  'REFRESH_TOKEN_MISSING',
  'REFRESH_TOKEN_INVALID',
  'REFRESH_TOKEN_EXPIRED',
  'REFRESH_TOKEN_REUSED',
  'SESSION_REVOKED',
];
/** Answered to a request with an access token, these say that another one may do. */
const STALE = ['TOKEN_EXPIRED', 'TOKEN_INVALID', 'SESSION_REVOKED'];

/** A call that failed. */
export class SymbolonError extends Error {
  name = 'SymbolonError';

  /**
   * @param {string} code The service's code; `UNREACHABLE` where no answer came, `USER_CHANGED` where
   *   another user has signed in meanwhile, `HTTP_<status>` where something else than the service answered,
   *   `CLOSED` where the client was closed.
   * @param {string} message A sentence for people.
   * @param {{
   *   status?: number, errors?: FieldError[], requestId?: string, retryAfter?: number | null, cause?: unknown
   * }} [more]
   */
  constructor(code, message, { status = 0, errors = [], requestId = '', retryAfter = null, cause } = {}) {
    super(message, { cause });
    this.code = code;
    /** The status of the answer, 0 where none came. */
    this.status = status;
    /** What is wrong with which field of the request. */
    this.errors = errors;
    /** By this the service's operators find the request in their log. */
    this.requestId = requestId;
    /** Seconds to wait before trying again, where the service says so. */
    this.retryAfter = retryAfter;
  }
}

/** Why a refresh was given up: a sign-in, a sign-out or another tab's tokens have made it pointless. */
const SUPERSEDED = new Error('superseded');

/**
 * A client of the service at `baseUrl`, which at once begins to restore the session.
 *
 * @param {object} [options]
 * @param {string} [options.baseUrl] Where the service is; the page's own origin by default.
 * @param {string[]} [options.apis] Origins that may see access tokens, beside the page's and the service's.
 * @param {World} [world] What the client knows of its surroundings; for tests.
 */
export function createClient({ baseUrl = '', apis = [] } = {}, world = globalThis) {
  return new Client(baseUrl, apis, world);
}

class Client {
  #world;
  #page;
  #base;
  #trusted;
  #turns;
  #retryKey;
  /** @type {BroadcastChannel | undefined} */
  #otherTabs;
  /** @type {(() => void)[]} */
  #cleanups = [];

  /** @type {Session} */
  #session = { state: 'unknown', user: null, error: null };
  /** @type {Set<(session: Session) => void>} */
  #listeners = new Set();

  /** @type {Tokens | null} */
  #tokens = null;
  /** When what this tab knows was true: older news from other tabs is passed over. */
  #asOf = 0;
  /** @type {Promise<void> | null} The refresh that this tab is at, or waits for. */
  #refreshing = null;
  /** @type {AbortController | undefined} Gives up the latest refresh or logout, if its answer has not come. */
  #request;
  /** Refreshes that failed one after the other. */
  #failures = 0;
  #failedAt = 0;
  /** When a refused token is replaced again, where that has not helped. */
  #heedRefusalsFrom = 0;
  /** When the timer is due: a browser that sleeps does not keep it. */
  #dueAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #isClosed = false;

  /**
   * @param {string} baseUrl
   * @param {string[]} apis
   * @param {World} world
   */
  constructor(baseUrl, apis, world) {
    this.#world = world;
    this.#page = world.location?.href ?? (baseUrl || 'http://localhost');
    const service = new URL(baseUrl || '/', this.#page);
    this.#base = service.href.replace(/\/$/, '');
    this.#trusted = [this.#page, service.href, ...apis].map((url) => new URL(url).origin);
    const name = `symbolon:${this.#base}`;
    this.#turns = new Turns(world, name);
    this.#retryKey = new RetryKey(world, name);
    // A page that is rendered on a server has no session there.
    if (!world.document) return;
    if (world.BroadcastChannel) {
      this.#otherTabs = new world.BroadcastChannel(name);
      this.#otherTabs.onmessage = ({ data }) => this.#hear(data);
    }
    this.#watch(world, 'online', () => this.#wake());
    this.#watch(world.document, 'visibilitychange', () => this.#wake());
    // Out of the back-forward cache: what was said meanwhile was not heard.
    this.#watch(world, 'pageshow', (event) => 'persisted' in event && event.persisted && this.#retry());
    warnOfOtherSite(world.location, service, world.console);
    this.#retry();
  }

  /**
   * Resolves once it is known whether somebody is signed in.
   *
   * @type {Promise<Session>}
   */
  ready = new Promise((resolve) => {
    const end = this.onChange((session) => {
      if (session.state === 'unknown') return;
      end();
      resolve(session);
    });
  });

  /** Who is signed in. */
  get session() {
    return this.#session;
  }

  /**
   * Calls `listener` with the session whenever its state, its user or its error has changed, in this
   * tab or in another. Returns a function that ends this.
   *
   * @param {(session: Session) => void} listener
   */
  onChange(listener) {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /**
   * Makes an account and signs in.
   *
   * @param {{ email: string, password: string, name?: string }} account
   */
  register(account) {
    return this.#signIn('/auth/register', account);
  }

  /** @param {{ email: string, password: string }} credentials */
  login(credentials) {
    return this.#signIn('/auth/login', credentials);
  }

  /**
   * Ends the session, in all tabs. Takes the service's word for it: offline nobody is signed out, and
   * this rejects.
   */
  async logout() {
    const { user, state } = this.#session;
    if (state === 'signedOut') return;
    const leave = async () => {
      await this.#change(async (request) => {
        this.#expect(user);
        // It is over already.
        if (!this.#tokens) return;
        this.#request = request;
        await this.#send('POST', '/auth/logout', { token: this.#tokens.access, request });
        this.#end(Date.now());
      });
    };
    try {
      if (!this.#isFresh()) await this.refresh();
      await leave().catch(async (error) => {
        if (error.status !== 401) throw error;
        // Expired on its way, or of another session than the cookie.
        await this.refresh();
        await leave();
      });
    } catch (error) {
      // Where the refresh has told that it is over already, that will do.
      if (this.#session.state !== 'signedOut') throw error;
    }
  }

  /**
   * Refreshes now, or joins a refresh that is under way. Seldom needed: it is done ahead of expiry.
   *
   * @returns {Promise<Session>}
   */
  async refresh() {
    await (this.#refreshing ??= this.#refreshInTurn().finally(() => (this.#refreshing = null)));
    return this.#session;
  }

  /**
   * A good access token, say for a WebSocket; `null` where nobody is signed in.
   *
   * @returns {Promise<string | null>}
   */
  async token() {
    if (!this.#isFresh() && this.#session.state !== 'signedOut') {
      const { error } = this.#session;
      if (error && Date.now() < this.#nextTry(RETRY_FOR_CALL)) throw error;
      await this.refresh().catch((error) => {
        if (!endsSession(error)) throw error;
      });
    }
    return this.#tokens?.access ?? null;
  }

  /**
   * Like the browser's `fetch`, with the access token. Where the token is refused, it refreshes and
   * repeats the request once, unless its body is a stream, which cannot be read again. What was begun
   * for one user is not done for another who has signed in meanwhile: it rejects with `USER_CHANGED`.
   *
   * @param {RequestInfo | URL} input
   * @param {RequestInit} [init]
   * @returns {Promise<Response>}
   */
  fetch = async (input, init = {}) => {
    // Of a frame's window, too, whose `Request` is another class.
    const isRequest = typeof input === 'object' && 'clone' in input;
    // What is judged here is what is asked: a page may have another base than its own address.
    const url = new URL(isRequest ? input.url : input, this.#world.document?.baseURI ?? this.#page);
    if (!this.#trusted.includes(url.origin)) {
      throw new TypeError(`${url.origin} may not see access tokens: name it in \`apis\` of createClient`);
    }
    /** @param {string | null} token */
    const attempt = (token) => {
      const request = new Request(isRequest ? input.clone() : url, init);
      if (token) request.headers.set('authorization', `Bearer ${token}`);
      return this.#world.fetch(request);
    };
    const user = this.#session.user;
    const token = await this.token();
    this.#expect(user);
    const answer = await attempt(token);
    if (!token || Date.now() < this.#heedRefusalsFrom || !(await refusesToken(answer))) return answer;
    if (this.#tokens?.access === token) this.#tokens.expiresAt = 0;
    const another = await this.token();
    this.#expect(user);
    if (!another || init.body instanceof ReadableStream) return answer;
    const second = await attempt(another);
    // An API that refuses every token, for its clock or its audience, is not to make each call a refresh.
    if (await refusesToken(second)) this.#heedRefusalsFrom = Date.now() + MAX_BACKOFF;
    return second;
  };

  /**
   * Calls the service with the access token. Resolves with the answer's JSON, `undefined` where it has no
   * body; rejects with a {@link SymbolonError}.
   *
   * @param {string} method
   * @param {string} path As in `/auth/me`.
   * @param {object} [body] Sent as JSON.
   * @returns {Promise<any>}
   */
  call(method, path, body) {
    return this.#send(method, path, { body, by: this.fetch });
  }

  /** @returns {Promise<User>} */
  async me() {
    return this.#know(await this.call('GET', '/auth/me'));
  }

  /**
   * @param {string | null} name
   * @returns {Promise<User>}
   */
  async rename(name) {
    return this.#know(await this.call('PATCH', '/auth/me', { name }));
  }

  /** @param {string} password */
  async deleteAccount(password) {
    const { user } = this.#session;
    await this.call('DELETE', '/auth/me', { password });
    this.#endOf(user);
  }

  /** @returns {Promise<SessionInfo[]>} */
  async sessions() {
    return (await this.call('GET', '/auth/sessions')).sessions;
  }

  /** @param {string} id */
  async endSession(id) {
    await this.call('DELETE', `/auth/sessions/${encodeURIComponent(id)}`);
  }

  /** Ends every session of the user but this one. */
  async endOtherSessions() {
    await this.call('DELETE', '/auth/sessions?keep=current');
  }

  /** Ends every session of the user, this one included. */
  async endAllSessions() {
    const { user } = this.#session;
    await this.call('DELETE', '/auth/sessions');
    this.#endOf(user);
  }

  /**
   * Ends every other session, too.
   *
   * @param {{ currentPassword: string, newPassword: string }} passwords
   */
  async changePassword(passwords) {
    await this.call('POST', '/auth/change-password', passwords);
  }

  /**
   * Has a link mailed to the new address, which makes it the account's.
   *
   * @param {{ newEmail: string, password: string }} change
   */
  async changeEmail(change) {
    await this.call('POST', '/auth/change-email', change);
  }

  /** Has the link that verifies the address mailed again. */
  async resendVerification() {
    await this.call('POST', '/auth/resend-verification');
  }

  /**
   * Has a link mailed by which a new password can be set, if there is such an account.
   *
   * @param {string} email
   */
  async forgotPassword(email) {
    await this.#send('POST', '/auth/forgot-password', { body: { email } });
  }

  /**
   * Sets a new password by a mailed token, and ends every session of its user.
   *
   * @param {{ token: string, newPassword: string }} reset
   */
  async resetPassword(reset) {
    await this.#send('POST', '/auth/reset-password', { body: reset });
  }

  /** @param {string} token As mailed. */
  async verifyEmail(token) {
    await this.#send('POST', '/auth/verify-email', { body: { token } });
    // Most likely it was this user's.
    if (this.#session.user) await this.me().catch(() => {});
  }

  /** Stops refreshing and listening; the session is untouched. */
  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#request?.abort(SUPERSEDED);
    this.#otherTabs?.close();
    this.#otherTabs = undefined;
    for (const cleanUp of this.#cleanups) cleanUp();
    this.#listeners.clear();
  }

  // The session.

  /**
   * @param {string} path
   * @param {object} body
   * @returns {Promise<User>}
   */
  #signIn(path, body) {
    return this.#change(async () => {
      const answer = understood(await this.#send('POST', path, { body }));
      // The session that it belonged to is ended.
      this.#retryKey.drop();
      return this.#receive(answer);
    });
  }

  /**
   * Runs what gives the browser another cookie, or none, in turn. Refreshes under way are given up, so
   * that no late answer overwrites that cookie.
   *
   * @template T
   * @param {(request: AbortController) => Promise<T>} work By `request` it can be given up itself.
   */
  #change(work) {
    this.#request?.abort(SUPERSEDED);
    this.#tell({ changing: true });
    return this.#inTurn(work);
  }

  /**
   * Runs `work` in turn, and once more whenever it was given up.
   *
   * @template T
   * @param {(request: AbortController) => Promise<T>} work
   * @returns {Promise<T>}
   */
  async #inTurn(work) {
    for (;;) {
      const request = new AbortController();
      try {
        return await this.#turns.take(() => work(request));
      } catch (error) {
        if (error !== SUPERSEDED) throw error;
        if (this.#isClosed) throw new SymbolonError('CLOSED', 'This client was closed.');
      }
    }
  }

  /** @returns {Promise<void>} */
  #refreshInTurn() {
    const before = this.#tokens?.access;
    return this.#inTurn(async (request) => {
      // Another tab may have been quicker, or the session may be over.
      if (this.#tokens?.access === before) await this.#refreshNow(request);
    });
  }

  /**
   * Refreshes; to be called in turn.
   *
   * @param {AbortController} request
   */
  async #refreshNow(request) {
    const before = this.#tokens?.access;
    const beganAt = Date.now();
    const key = this.#retryKey.take();
    const patience = Math.min(PATIENCE, REFRESH_PATIENCE * 2 ** this.#failures);
    try {
      this.#request = request;
      const answer = understood(await this.#send('POST', '/auth/refresh-token', { key, patience, request }));
      this.#retryKey.drop(key);
      this.#receive(answer);
    } catch (error) {
      this.#retryKey.keep(key);
      if (!(error instanceof SymbolonError)) throw error;
      // Without a refresh token there is nothing to repeat, and the key would only tell a visitor.
      if (error.code === 'REFRESH_TOKEN_MISSING') this.#retryKey.drop(key);
      // This tab has heard of a sign-in meanwhile: what it was told itself is of the past.
      if (this.#tokens && this.#tokens.access !== before) return;
      if (endsSession(error)) this.#end(beganAt);
      else this.#fail(error);
      throw error;
    }
  }

  /** @param {TokenAnswer} answer */
  #receive({ accessToken, expiresIn, user }) {
    const receivedAt = Date.now();
    const tokens = { access: accessToken, receivedAt, expiresAt: receivedAt + expiresIn * 1000, user };
    this.#adopt(tokens);
    this.#tell({ tokens });
    return user;
  }

  /**
   * Takes tokens for the present ones; whatever is still asked of the past is given up.
   *
   * @param {Tokens} tokens
   */
  #adopt(tokens) {
    this.#request?.abort(SUPERSEDED);
    this.#tokens = tokens;
    this.#asOf = tokens.receivedAt;
    this.#failures = 0;
    // Some time before expiry, and never the same: a thief is not to know when the token changes.
    const left = tokens.expiresAt - Date.now();
    const ahead = Math.min(JITTER / 2, left / 4) + Math.random() * Math.min(JITTER, left / 4);
    this.#retryIn(left - ahead);
    this.#become({ state: 'signedIn', user: tokens.user, error: null });
  }

  /**
   * The user as the service has just described it.
   *
   * @param {User} user
   */
  #know(user) {
    if (this.#tokens && user.id === this.#tokens.user.id) {
      this.#tokens = { ...this.#tokens, user };
      this.#become({ ...this.#session, user });
      this.#tell({ tokens: this.#tokens });
    }
    return user;
  }

  /**
   * The session that this tab knew at `endedAt` is over.
   *
   * @param {number} endedAt
   */
  #end(endedAt) {
    this.#forget(endedAt);
    this.#tell({ endedAt });
  }

  /**
   * Every session of `user` is over; somebody else may have signed in meanwhile.
   *
   * @param {User | null} user
   */
  #endOf(user) {
    if (this.#session.user?.id === user?.id) this.#end(Date.now());
  }

  /** @param {number} endedAt */
  #forget(endedAt) {
    this.#request?.abort(SUPERSEDED);
    this.#tokens = null;
    this.#asOf = endedAt;
    this.#failures = 0;
    clearTimeout(this.#timer);
    this.#become({ state: 'signedOut', user: null, error: null });
  }

  /**
   * The session goes on; the refresh is tried again later.
   *
   * @param {SymbolonError} error
   */
  #fail(error) {
    if (error.code === 'UNREACHABLE' && this.#asOf === 0 && this.#failures === 0) {
      warnOfOrigin(this.#world, this.#base);
    }
    const backoff = Math.min(MAX_BACKOFF, MIN_BACKOFF * 2 ** this.#failures++);
    this.#failedAt = Date.now();
    this.#retryIn(Math.max(backoff, (error.retryAfter ?? 0) * 1000) * (1 + Math.random() / 2));
    this.#become({ ...this.#session, error });
  }

  /**
   * Fails where another user than `user` is signed in now.
   *
   * @param {User | null} user
   */
  #expect(user) {
    const now = this.#session.user;
    if (user && now && user.id !== now.id) {
      throw new SymbolonError('USER_CHANGED', 'Another user has signed in meanwhile.');
    }
  }

  /** @param {Session} next */
  #become(next) {
    const { state, user, error } = this.#session;
    const isSame =
      state === next.state && error === next.error && JSON.stringify(user) === JSON.stringify(next.user);
    if (isSame) return;
    this.#session = Object.freeze(next);
    // Later, so that a listener that throws breaks nothing here.
    for (const listener of this.#listeners) queueMicrotask(() => listener(next));
  }

  // The other tabs.

  /** @param {Message} message */
  #tell(message) {
    this.#otherTabs?.postMessage(message);
  }

  /** @param {Message} message */
  #hear({ changing, tokens, endedAt }) {
    if (changing) this.#request?.abort(SUPERSEDED);
    // A clock that was set back makes everything known a thing of the future.
    const asOf = this.#asOf > Date.now() ? 0 : this.#asOf;
    if (tokens && tokens.access === this.#tokens?.access) {
      this.#tokens = { ...this.#tokens, user: tokens.user };
      this.#become({ ...this.#session, user: tokens.user });
    } else if (tokens && tokens.receivedAt >= asOf) {
      this.#adopt(tokens);
    }
    if (endedAt && endedAt > asOf) this.#forget(endedAt);
  }

  // Time.

  #isFresh() {
    return this.#tokens !== null && Date.now() < this.#tokens.expiresAt;
  }

  /** @param {number} delay */
  #retryIn(delay) {
    if (this.#isClosed) return;
    this.#dueAt = Date.now() + delay;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#retry(), Math.min(delay, DAY));
  }

  #retry() {
    // Who wants to know how it went reads the session.
    this.refresh().catch(() => {});
  }

  /** The network is back, or somebody is looking: what is due, or was missed, is done at once. */
  #wake() {
    const isSeen = this.#world.document.visibilityState === 'visible';
    if (!isSeen || this.#session.state === 'signedOut') return;
    const left = this.#nextTry(MIN_BACKOFF) - Date.now();
    if (left <= 0) this.#retry();
    else if (Date.now() + left < this.#dueAt) this.#retryIn(left);
  }

  /**
   * When to refresh at the earliest: if only the way to the service was cut, `pause` after the last try.
   *
   * @param {number} pause
   */
  #nextTry(pause) {
    const isCutOff = this.#session.error?.code === 'UNREACHABLE';
    return isCutOff ? Math.min(this.#dueAt, this.#failedAt + pause) : this.#dueAt;
  }

  /**
   * @param {Pick<EventTarget, 'addEventListener' | 'removeEventListener'>} target
   * @param {string} event
   * @param {(event: Event) => void} react
   */
  #watch(target, event, react) {
    target.addEventListener(event, react);
    this.#cleanups.push(() => target.removeEventListener(event, react));
  }

  // The service.

  /** @type {typeof fetch} */
  #bareFetch = (input, init) => this.#world.fetch(input, init);

  /**
   * @param {string} method
   * @param {string} path
   * @param {{
   *   body?: object, token?: string, key?: string, patience?: number, request?: AbortController,
   *   by?: typeof fetch
   * }} [how]
   * @returns {Promise<any>}
   */
  async #send(method, path, how = {}) {
    const {
      body,
      token,
      key,
      patience = PATIENCE,
      request = new AbortController(),
      by = this.#bareFetch,
    } = how;
    const headers = new Headers();
    if (body) headers.set('content-type', 'application/json');
    if (token) headers.set('authorization', `Bearer ${token}`);
    if (key) headers.set('idempotency-key', key);
    const timer = setTimeout(() => request.abort(), patience);
    try {
      const answer = await by(this.#base + path, {
        method,
        headers,
        body: body && JSON.stringify(body),
        credentials: 'include',
        signal: request.signal,
      });
      const text = await answer.text();
      if (!answer.ok) throw failure(answer, text);
      return text ? JSON.parse(text) : undefined;
    } catch (error) {
      if (error instanceof SymbolonError) throw error;
      if (request.signal.reason === SUPERSEDED) throw SUPERSEDED;
      throw new SymbolonError('UNREACHABLE', 'The service could not be reached.', { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Tabs of one browser take turns; where there are no Web Locks, only what one tab does is in turn. */
class Turns {
  #world;
  #name;
  /** @type {Promise<unknown>} */
  #last = Promise.resolve();

  /**
   * @param {World} world
   * @param {string} name
   */
  constructor(world, name) {
    this.#world = world;
    this.#name = name;
  }

  /**
   * Runs `work` when it is its turn; while another tab has that, after {@link TURN} at the latest.
   *
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  async take(work) {
    const locks = this.#world.navigator?.locks;
    if (!locks) {
      const turn = this.#last.then(work);
      this.#last = turn.catch(() => {});
      return turn;
    }
    let isMine = false;
    const begin = () => {
      isMine = true;
      clearTimeout(timer);
      return work();
    };
    const waiting = new AbortController();
    const timer = setTimeout(() => waiting.abort(), TURN);
    try {
      return await locks.request(this.#name, { signal: waiting.signal }, begin);
    } catch (error) {
      // Somebody else takes too long, or this page may not use locks.
      if (isMine) throw error;
      return begin();
    }
  }
}

/**
 * The `Idempotency-Key` of the refresh under way, shared by all tabs. It outlives them: should the answer
 * be lost, whoever asks next asks with the same key, and the service knows it for the same request.
 */
class RetryKey {
  #world;
  #name;
  /** Used where the page cannot store it. */
  #inMemory = '';

  /**
   * @param {World} world
   * @param {string} name
   */
  constructor(world, name) {
    this.#world = world;
    this.#name = name;
  }

  /** The key that is waiting for its answer, or a new one. */
  take() {
    const key = this.#read() || this.#make();
    this.#write(key);
    return key;
  }

  /**
   * No answer came: keeps `key`, which a tab that got one may have dropped.
   *
   * @param {string} key
   */
  keep(key) {
    this.#write(this.#read() || key);
  }

  /**
   * The answer to `key` has come.
   *
   * @param {string} [key]
   */
  drop(key = this.#read()) {
    if (this.#read() === key) this.#write('');
  }

  #make() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  /** Throws where the page may not store anything. */
  get #storage() {
    return this.#world.localStorage;
  }

  #read() {
    try {
      return this.#storage.getItem(this.#name) || this.#inMemory;
    } catch {
      return this.#inMemory;
    }
  }

  /** @param {string} key */
  #write(key) {
    this.#inMemory = '';
    try {
      if (key) this.#storage.setItem(this.#name, key);
      else this.#storage.removeItem(this.#name);
    } catch {
      // Forbidden, or full: then it outlives no reload.
      this.#inMemory = key;
    }
  }
}

/**
 * Tokens, if the answer holds any: in a network that wants a sign-in of its own, or behind a broken proxy,
 * everything is answered somehow.
 *
 * @param {TokenAnswer | undefined} answer
 */
function understood(answer) {
  if (answer?.accessToken && answer.user && answer.expiresIn > 0) return answer;
  throw new SymbolonError('UNREACHABLE', 'What has answered was not the service.');
}

/**
 * Whether a refresh was refused because the session is over.
 *
 * @param {unknown} error
 */
function endsSession(error) {
  return error instanceof SymbolonError && error.status === 401 && ENDS.includes(error.code);
}

/**
 * Whether a request was refused for its access token (RFC 6750, 3.1). Services without our challenge
 * may say it by `code`.
 *
 * @param {Response} answer
 */
async function refusesToken(answer) {
  if (answer.status !== 401) return false;
  if (/error="?invalid_token/.test(answer.headers.get('www-authenticate') ?? '')) return true;
  const problem = await answer
    .clone()
    .json()
    .catch(() => null);
  return STALE.includes(problem?.code);
}

/**
 * What a failed answer says (RFC 9457).
 *
 * @param {Response} answer
 * @param {string} text
 */
function failure({ status, headers }, text) {
  /** @type {{ code?: string, detail?: string, errors?: FieldError[], requestId?: string }} */
  let problem = {};
  try {
    problem = JSON.parse(text) ?? {};
  } catch {
    // A proxy's page, most likely.
  }
  const { code = `HTTP_${status}`, detail = `The service answered ${status}.`, errors, requestId } = problem;
  const retryAfter = Number(headers.get('retry-after')) || null;
  return new SymbolonError(code, detail, { status, errors, requestId, retryAfter });
}

/**
 * `SameSite=Strict` keeps the cookie from pages of other sites. Which site a host is of takes a list to
 * tell; but hosts that differ in their last two labels are of different ones.
 *
 * @param {Location | undefined} page
 * @param {URL} service
 * @param {Console} console
 */
function warnOfOtherSite(page, service, console) {
  /** @param {{ protocol: string, hostname: string }} url */
  const site = ({ protocol, hostname }) => {
    const isAddress = /^[\d.]+$|:/.test(hostname);
    return `${protocol}//${isAddress ? hostname : hostname.split('.').slice(-2).join('.')}`;
  };
  if (page && site(page) !== site(service)) {
    console.error(
      `[symbolon] ${page.origin} and ${service.origin} are different sites, so the browser will not send the ` +
        'refresh cookie (SameSite=Strict) and nobody stays signed in here. Serve both under one domain. ' +
        '(localhost and 127.0.0.1 are different sites, and so are http and https.)',
    );
  }
}

/**
 * Browsers do not tell pages an answer that they may not read from one that did not come.
 *
 * @param {World} world
 * @param {string} base
 */
function warnOfOrigin({ location, console }, base) {
  if (location && new URL(base).origin !== location.origin) {
    console.warn(
      `[symbolon] ${base} gave no answer that this page may read. If it is up: is ${location.origin} in its ALLOWED_ORIGINS?`,
    );
  }
}
