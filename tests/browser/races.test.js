/** Ten tabs that refresh at the same moment, again and again. */

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { App, signUp } from './support/app.js';
import { BROWSERS, inBrowsers, refreshCookies, withBrowsers } from './support/browsers.js';
import { isLong } from './support/rounds.js';
import { DATABASES, Service } from './support/service.js';

const ROUNDS = isLong ? 100 : 8;
/** Each round comes after the grace of the one before, so that each rotates. */
const GRACE = 1_000;
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

for (const [at, [how, prepare]] of Object.entries(TOGETHER).entries()) {
  for (const [i, database] of DATABASES.entries()) {
    // In a short run every pair of the three has its turn, though not all three together.
    const browsers = BROWSERS.filter((_, j) => isLong || (at + i + j) % 2 === 0);
    inBrowsers(`${how}, on ${database}, are never logged out`, browsers, async (t, context) => {
      const app = await App.start(t);
      const settings = {
        ALLOWED_ORIGINS: app.origin,
        ACCESS_TOKEN_TTL: '2s',
        REFRESH_GRACE: `${GRACE / 1000}s`,
      };
      const service = await Service.start(t, { database, settings });
      await context.addInitScript(prepare);
      const tabs = [await app.open(context, service)];
      await signUp(tabs[0]);
      while (tabs.length < TABS) tabs.push(await app.open(context, service));
      for (const tab of tabs) await tab.evaluate(() => window.client.ready);

      const [{ sid, gen: first }] = await refreshCookies(context, service);
      let generation = first;
      for (let round = 1; round <= ROUNDS; round++) {
        await sleep(GRACE + 100);
        const at = Date.now() + 150;
        const users = await Promise.all(tabs.map((tab) => tab.evaluate(refreshAt, at)));
        assert.deepEqual(users, Array(TABS).fill('ada@example.com'), `round ${round}`);
        const cookies = await refreshCookies(context, service);
        assert.deepEqual([cookies.length, cookies[0].sid], [1, sid], `round ${round}`);
        assert.ok(cookies[0].gen > generation, `round ${round}: ${cookies[0].gen} after ${generation}`);
        generation = cookies[0].gen;
      }
      const sessions = await tabs[0].evaluate(() => window.client.sessions());
      assert.equal(sessions.length, 1);
      for (const tab of tabs) assert.deepEqual(await tab.evaluate(signedOut), []);
      assert.doesNotMatch(service.log, /reused|refused/);
      t.diagnostic(
        `${ROUNDS} rounds, ${generation - first} rotations, ${service.refreshes} refreshes, 0 logouts`,
      );
    });
  }
}

/**
 * Refreshes at that time; returns whose token it is that came.
 *
 * @param {number} at
 */
async function refreshAt(at) {
  await new Promise((due) => setTimeout(due, at - Date.now()));
  const { user } = await window.client.refresh();
  const me = await window.client.me();
  return user?.id === me.id ? me.email : undefined;
}

function signedOut() {
  return window.seen.filter(({ state }) => state === 'signedOut');
}
