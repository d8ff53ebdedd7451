/** A single-page app that uses the client, on an origin of its own. */

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

import { PASSWORD } from './service.js';

const CLIENT = fileURLToPath(new URL('../../../clients/javascript/symbolon.js', import.meta.url));

const PAGE = `<!doctype html>
<html lang="en">
  <title>An app</title>
  <script type="module" src="/app.js"></script>
</html>`;

/** Takes the service's address from its own. */
const SCRIPT = `
  import { createClient, SymbolonError } from '/client.js';
  const baseUrl = new URLSearchParams(location.search).get('auth') ?? undefined;
  const client = createClient({ baseUrl });
  const seen = [];
  client.onChange(({ state, user, error }) => seen.push({ state, email: user?.email, code: error?.code }));
  Object.assign(window, { client, seen, SymbolonError });
`;

export class App {
  /**
   * An app that is served until the test ends.
   *
   * @param {import('node:test').TestContext} t
   */
  static async start(t) {
    /** @type {Record<string, [type: string, text: string]>} */
    const files = {
      '/': ['text/html', PAGE],
      '/app.js': ['text/javascript', SCRIPT],
      '/client.js': ['text/javascript', readFileSync(CLIENT, 'utf8')],
    };
    const server = createServer(({ url }, answer) => {
      const [type, text] = files[new URL(url ?? '/', 'http://app').pathname] ?? [];
      answer.writeHead(type ? 200 : 404, { 'content-type': `${type}; charset=utf-8` }).end(text);
    });
    await new Promise((listening) => server.listen(0, '127.0.0.1', () => listening(undefined)));
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    return new App(port);
  }

  /** @param {number} port */
  constructor(port) {
    this.port = port;
    this.origin = `http://localhost:${port}`;
  }

  /**
   * Opens the app in a new tab.
   *
   * @param {import('playwright-core').BrowserContext} context
   * @param {{ url: string }} service
   * @param {string} [origin] Under which the app is reached.
   */
  async open(context, service, origin = this.origin) {
    const page = await context.newPage();
    await page.goto(`${origin}/?auth=${encodeURIComponent(service.url)}`);
    await page.waitForFunction('window.client');
    return page;
  }
}

/**
 * Makes an account in an app that is open, and forgets that nobody was signed in before.
 *
 * @param {import('playwright-core').Page} page
 */
export async function signUp(page, email = 'ada@example.com') {
  const account = { email, password: PASSWORD };
  await page.evaluate(async (account) => {
    await window.client.ready;
    await window.client.register(account);
    window.seen.length = 0;
  }, account);
}
