/** A browser of the tests: its cookie, its storage, its locks, its network; and the tabs that share these. */

import { createClient } from '../../symbolon.js';

export const HOME = 'https://app.example.com';

export class Browser {
  /** @type {{sid: string, generation: number} | null} */
  cookie = null;
  storage = new Map();
  mayStore = true;
  hasLocks = true;
  hasChannels = true;
  locks = new Locks();
  /** @type {Set<Channel>} */
  channels = new Set();
  /** Milliseconds that a request and its answer take, and which of the two gets lost. */
  network = () => ({ up: 5, down: 5, lost: /** @type {string | undefined} */ (undefined) });
  said = { error: [], warn: [] };

  constructor(service) {
    this.service = service;
  }

  /** Opens a page with a client of the service. */
  open({ page = `${HOME}/`, ...options } = {}) {
    return new Tab(this, page, { baseUrl: 'https://auth.example.com', ...options });
  }

  signedIn(email = 'ada@example.com') {
    if (!this.service.users.has(email)) this.service.user(email);
    this.cookie = this.service.open(email);
    return this;
  }

  /**
   * What a page's `fetch` does. The jar is read as the request leaves, and changed as the answer comes;
   * unless the request is given up, or the page is closed, before that.
   */
  async fetch(input, init, closed) {
    const request = new Request(input, init);
    const { pathname, search } = new URL(request.url);
    const { up, down, lost } = this.network({ path: pathname });
    const credentials = request.credentials === 'include';
    const cookie = credentials ? this.cookie : null;
    const body = (await request.text()) || undefined;
    const signals = [closed, request.signal];
    await travel(up, signals);
    if (lost === 'request') throw new TypeError('Failed to fetch');
    const { method, headers } = request;
    const answer = this.service.handle({ method, path: pathname + search, headers, body, cookie });
    await travel(down, signals);
    if (lost === 'answer') throw new TypeError('Failed to fetch');
    if (answer.setCookie !== undefined && credentials) this.cookie = answer.setCookie;
    const text = answer.text ?? (answer.json ? JSON.stringify(answer.json) : null);
    return new Response(text, { status: answer.status, headers: answer.headers });
  }
}

/** Waits for a message to arrive; fails as soon as one of `signals` is aborted. */
async function travel(ms, signals) {
  for (const signal of signals) signal.throwIfAborted();
  const done = new AbortController();
  await new Promise((arrive, fail) => {
    const timer = setTimeout(arrive, ms);
    const giveUp = (event) => {
      clearTimeout(timer);
      fail(event.target.reason);
    };
    for (const signal of signals) signal.addEventListener('abort', giveUp, { signal: done.signal });
  }).finally(() => done.abort());
}

export class Tab extends EventTarget {
  document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  /** Every session that the page was told of. */
  seen = [];
  /** Aborted when the page is closed. */
  #life = new AbortController();

  constructor(browser, page, options) {
    super();
    this.browser = browser;
    const tab = this;
    this.world = {
      fetch: (input, init = {}) => {
        if (!this.isOpen) return new Promise(() => {});
        return this.#whileOpen(browser.fetch(input, init, this.#life.signal));
      },
      console: {
        error: (text) => browser.said.error.push(text),
        warn: (text) => browser.said.warn.push(text),
      },
      document: this.document,
      location: new URL(page),
      navigator: browser.hasLocks ? { locks: { request: (...lock) => this.#lock(...lock) } } : {},
      addEventListener: (...listen) => tab.addEventListener(...listen),
      removeEventListener: (...listen) => tab.removeEventListener(...listen),
      get localStorage() {
        if (!browser.mayStore) throw new DOMException('denied', 'SecurityError');
        return {
          getItem: (name) => browser.storage.get(name) ?? null,
          setItem: (name, value) => tab.isOpen && browser.storage.set(name, value),
          removeItem: (name) => tab.isOpen && browser.storage.delete(name),
        };
      },
      BroadcastChannel: browser.hasChannels ? channelOf(browser, this) : undefined,
    };
    this.client = createClient(options, this.world);
    this.client.onChange((session) => this.seen.push(session));
  }

  get isOpen() {
    return !this.#life.signal.aborted;
  }

  /** Ends the page as a browser does: from one moment to the next, whatever it is at. */
  kill() {
    this.#life.abort();
  }

  /** Of a page that is closed nothing is heard any more. */
  #whileOpen(promise) {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => this.isOpen && resolve(value),
        (error) => this.isOpen && reject(error),
      );
    });
  }

  /** A page that is closed gives its lock back. */
  #lock(name, options, work) {
    if (!this.isOpen) return new Promise(() => {});
    const hold = () => {
      const done = new AbortController();
      const closed = new Promise((resolve) => {
        this.#life.signal.addEventListener('abort', resolve, { signal: done.signal });
      });
      return Promise.race([work(), closed]).finally(() => done.abort());
    };
    return this.#whileOpen(this.browser.locks.request(name, options, hold));
  }

  show() {
    this.document.dispatchEvent(new Event('visibilitychange'));
  }
}

/** Web Locks, exclusive ones only. */
class Locks {
  #queue = [];
  #isHeld = false;

  async request(_name, { signal }, work) {
    signal?.throwIfAborted();
    if (this.#isHeld) {
      await new Promise((begin, fail) => {
        this.#queue.push(begin);
        const giveUp = () => {
          this.#queue = this.#queue.filter((waiting) => waiting !== begin);
          fail(signal.reason);
        };
        signal?.addEventListener('abort', giveUp, { once: true });
      });
    }
    this.#isHeld = true;
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next) next();
      else this.#isHeld = false;
    }
  }
}

const channelOf = (browser, tab) =>
  class Channel {
    onmessage = (_event) => {};
    #isClosed = false;

    constructor() {
      browser.channels.add(this);
    }

    postMessage(message) {
      if (!tab.isOpen) return;
      const data = structuredClone(message);
      for (const other of browser.channels) {
        if (other !== this) setTimeout(() => other.hear(data), 1);
      }
    }

    hear(data) {
      if (tab.isOpen && !this.#isClosed) this.onmessage({ data });
    }

    close() {
      this.#isClosed = true;
      browser.channels.delete(this);
    }
  };
