/** Pages of other origins: what they can do, and what they are told. */

import assert from 'node:assert/strict';

import { App, signUp } from './support/app.js';
import { BROWSERS, inBrowsers, refreshCookies, withBrowsers } from './support/browsers.js';
import { PASSWORD, Service } from './support/service.js';

withBrowsers();

const ACCOUNT = { email: 'ada@example.com', password: PASSWORD };

/**
 * What a page says on its console from now on.
 *
 * @param {import('playwright-core').Page} page
 */
function consoleOf(page) {
  /** @type {string[]} */
  const said = [];
  page.on('console', (message) => said.push(message.text()));
  return said;
}

/** What scripts can get at: cookies, and all that is stored. */
async function inReach() {
  const databases = await indexedDB.databases();
  const cookies = 'cookieStore' in window ? await window.cookieStore.getAll() : [];
  return {
    cookie: document.cookie,
    cookies,
    local: { ...localStorage },
    session: { ...sessionStorage },
    databases,
  };
}

// Security: C5, D2.
inBrowsers(
  'an app on another origin of the same site works, if that is allowed',
  BROWSERS,
  async (t, context) => {
    const app = await App.start(t);
    const service = await Service.start(t, { settings: { ALLOWED_ORIGINS: app.origin } });
    const page = await app.open(context, service);
    await signUp(page);
    const cookies = await context.cookies(`${service.url}/auth`);
    assert.deepEqual(
      cookies.map(({ name, path, httpOnly, sameSite, domain }) => ({
        name,
        path,
        httpOnly,
        sameSite,
        domain,
      })),
      [{ name: 'refreshToken', path: '/auth', httpOnly: true, sameSite: 'Strict', domain: 'localhost' }],
    );
    // The tokens are nowhere that a script could look.
    assert.deepEqual(await page.evaluate(inReach), {
      cookie: '',
      cookies: [],
      local: {},
      session: {},
      databases: [],
    });
    // Not even on a page of the service that lies where the cookie belongs.
    const own = await context.newPage();
    await own.goto(`${service.url}/account/forgot`);
    await own.evaluate(() => history.pushState(null, '', '/auth/'));
    assert.equal(await own.evaluate(() => document.cookie), '');
    await own.close();

    await page.reload();
    await page.waitForFunction(() => window.client?.session.user?.email === 'ada@example.com');
    assert.equal((await page.evaluate(() => window.client.me())).email, ACCOUNT.email);

    await page.evaluate(() => window.client.logout());
    assert.deepEqual(await context.cookies(), []);
    await page.reload();
    await page.waitForFunction(() => window.client?.session.state === 'signedOut');
  },
);

// Security: D2, D5.
inBrowsers(
  'an app on an origin that is not allowed is refused, and told why',
  BROWSERS,
  async (t, context) => {
    const [app, other] = [await App.start(t), await App.start(t)];
    const service = await Service.start(t, { settings: { ALLOWED_ORIGINS: app.origin } });
    const page = await app.open(context, service);
    await signUp(page);
    const before = await refreshCookies(context, service);

    const stranger = await context.newPage();
    const said = consoleOf(stranger);
    await stranger.goto(`${other.origin}/?auth=${service.url}`);
    await stranger.waitForFunction(() => window.client?.session.error);
    const { code, state } = await stranger.evaluate(() => ({
      code: window.client.session.error?.code,
      state: window.client.session.state,
    }));
    assert.deepEqual([code, state], ['UNREACHABLE', 'unknown']);
    const login = (/** @type {typeof ACCOUNT} */ account) =>
      window.client.login(account).catch((error) => error.code);
    assert.equal(await stranger.evaluate(login, ACCOUNT), 'UNREACHABLE');
    const hint = said.find((line) => line.includes('[symbolon]'));
    assert.ok(hint?.includes(`is ${other.origin} in its ALLOWED_ORIGINS?`), said.join('\n'));

    // Without asking for leave it can send the cookie along, since it is of the same site; to no avail.
    const blindly = (/** @type {string} */ url) =>
      Promise.all(
        ['/auth/refresh-token', '/auth/logout'].flatMap((path) => [
          fetch(url + path, { method: 'POST', mode: 'no-cors', credentials: 'include' }),
          fetch(url + path, { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{}' }),
        ]),
      ).then(() => {});
    await stranger.evaluate(blindly, service.url);
    assert.match(service.log, /origin refused/);
    assert.equal(service.refreshes, 0);
    assert.deepEqual(await refreshCookies(context, service), before);
    await page.evaluate(() => window.client.refresh());
    assert.equal(await page.evaluate(() => window.client.session.state), 'signedIn');
  },
);

// Security: D2.
inBrowsers('an app on another site gets no session, and is told why', BROWSERS, async (t, context) => {
  const app = await App.start(t);
  const elsewhere = `http://127.0.0.1:${app.port}`;
  const service = await Service.start(t, { settings: { ALLOWED_ORIGINS: `${app.origin},${elsewhere}` } });
  const page = await app.open(context, service);
  await signUp(page);
  const before = await refreshCookies(context, service);

  const stranger = await context.newPage();
  const said = consoleOf(stranger);
  await stranger.goto(`${elsewhere}/?auth=${service.url}`);
  // The cookie is there, but not sent.
  await stranger.waitForFunction(() => window.client?.session.state === 'signedOut');
  const hint = said.find((line) => line.includes('[symbolon]')) ?? '';
  for (const words of [elsewhere, service.url, 'different sites', 'SameSite=Strict', '127.0.0.1']) {
    assert.ok(hint.includes(words), `${words} in: ${hint}`);
  }
  // Nor is one kept.
  await stranger.evaluate((account) => window.client.login(account), ACCOUNT);
  assert.deepEqual(await refreshCookies(context, service), before);
  await stranger.reload();
  await stranger.waitForFunction(() => window.client?.session.state === 'signedOut');
  await page.evaluate(() => window.client.refresh());
  assert.equal(await page.evaluate(() => window.client.session.state), 'signedIn');
});
