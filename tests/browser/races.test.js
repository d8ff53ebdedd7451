/** Ten tabs that refresh at the same moment, again and again. */

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { App } from './support/app.js';
import { inBrowsers, refreshCookies, withBrowsers } from './support/browsers.js';
import { DATABASES, PASSWORD, Service } from './support/service.js';

const isLong = process.env.SYMBOLON_TEST_ROUNDS === 'long';
const ROUNDS = isLong ? 100 : 8;
/** Each round comes after the grace of the one before, so that each rotates. */
const GRACE = isLong ? 3_000 : 1_000;
const TABS = 10;

/** What tabs do together, and how each is on its own: the service has to be right without any of that. */
const TOGETHER = {
  'tabs that act as one': () => {},
  'tabs that know nothing of each other': () => {
    Object.defineProperty(Navigator.prototype, 'locks', { value: undefined });
    Reflect.deleteProperty(window, 'BroadcastChannel');
  },
};

withBrowsers();

for (const [how, prepare] of Object.entries(TOGETHER)) {
  for (const database of DATABASES) {
    inBrowsers(`${how}, on ${database}, are never logged out`, async (t, context, browser) => {
      const app = await App.start(t);
      const settings = {
        ALLOWED_ORIGINS: app.origin,
        ACCESS_TOKEN_TTL: '2s',
        REFRESH_GRACE: `${GRACE / 1000}s`,
      };
      const service = await Service.start(t, { database, settings });
      await context.addInitScript(prepare);
      const tabs = [await app.open(context, service)];
      await tabs[0].evaluate(signUp, { email: 'ada@example.com', password: PASSWORD });
      while (tabs.length < TABS) tabs.push(await app.open(context, service));
      for (const tab of tabs) await tab.evaluate(() => window.client.ready);

      const [{ sid, gen: first }] = await refreshCookies(context, service);
      let generation = first;
      for (let round = 0; round < ROUNDS; round++) {
        await sleep(GRACE + 100);
        const at = Date.now() + 150;
        const states = await Promise.all(tabs.map((tab) => tab.evaluate(refreshAt, at)));
        assert.deepEqual(states, Array(TABS).fill('ada@example.com'), `round ${round}`);
        const cookies = await refreshCookies(context, service);
        assert.equal(cookies.length, 1);
        assert.equal(cookies[0].sid, sid);
        assert.ok(cookies[0].gen > generation, `round ${round}: ${cookies[0].gen} after ${generation}`);
        generation = cookies[0].gen;
      }
      const sessions = await tabs[0].evaluate(() => window.client.sessions());
      assert.equal(sessions.length, 1);
      for (const tab of tabs) assert.deepEqual(await tab.evaluate(neverSignedOut), []);
      assert.doesNotMatch(service.log, /reused|refused/);
      const refreshes = service.log.match(/ refresh session=/g)?.length;
      t.diagnostic(`${browser}: ${ROUNDS} rounds, ${generation - first} rotations, ${refreshes} refreshes, 0 logouts`);
    });
  }
}

/** @param {{ email: string, password: string }} account */
async function signUp(account) {
  await window.client.ready;
  await window.client.register(account);
  window.seen.length = 0;
}

/** @param {number} at */
async function refreshAt(at) {
  await new Promise((due) => setTimeout(due, at - Date.now()));
  const { user } = await window.client.refresh();
  // The token is good.
  const me = await window.client.me();
  return user?.id === me.id ? me.email : undefined;
}

function neverSignedOut() {
  return window.seen.filter(({ state }) => state === 'signedOut');
}
