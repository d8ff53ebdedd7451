/** Answers that get lost, networks that are cut, a service that dies: nobody is logged out. */

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { App, signUp } from './support/app.js';
import { BROWSERS, inBrowsers, withBrowsers } from './support/browsers.js';
import { Link } from './support/link.js';
import { isLong } from './support/rounds.js';
import { DATABASES, Service } from './support/service.js';

withBrowsers();

const GRACE = 1_000;

/**
 * An app that reaches its service by a link, with a user signed in.
 *
 * @param {import('node:test').TestContext} t
 * @param {import('playwright-core').BrowserContext} context
 * @param {Parameters<typeof Service.start>[1]} [options]
 */
async function start(t, context, options = {}) {
  const app = await App.start(t);
  const settings = { ALLOWED_ORIGINS: app.origin, REFRESH_GRACE: `${GRACE / 1000}s`, ...options.settings };
  const service = await Service.start(t, { ...options, settings });
  const link = await Link.to(t, service);
  const tab = await app.open(context, link);
  await signUp(tab);
  return { service, link, tab, open: () => app.open(context, link) };
}

/** The state of the app, once that is known. */
const state = () => window.client.ready.then(() => window.client.session.state);
const isWell = () => window.client.session.state === 'signedIn' && window.client.session.error === null;
const isCutOff = () => window.client.session.error?.code === 'UNREACHABLE';
const neverSignedOut = () => window.seen.every(({ state }) => state !== 'signedOut');

/** @param {() => boolean} condition */
async function until(condition) {
  for (let i = 0; !condition(); i++) {
    assert.ok(i < 200, `not within 10 s: ${condition}`);
    await sleep(50);
  }
}

/** @param {Awaited<ReturnType<typeof start>>} app */
async function closeWhileRefreshing({ service, link, tab }) {
  link.hold();
  const before = service.refreshes;
  void tab.evaluate(() => window.client.refresh()).catch(() => {});
  await until(() => service.refreshes > before);
  await tab.close();
  link.cut();
  // Mended at once, Chromium would ask again by itself, and keep the cookie, though its page is gone.
  await sleep(GRACE + 200);
  link.mend();
}

inBrowsers('a tab that is closed while it refreshes takes no session along', BROWSERS, async (t, context) => {
  const app = await start(t, context);
  await closeWhileRefreshing(app);
  const tab = await app.open();
  assert.equal(await tab.evaluate(state), 'signedIn');
  assert.doesNotMatch(app.service.log, /reused/);
  assert.equal(await tab.evaluate(() => localStorage.length), 0);
});

inBrowsers('which it would, did its key not outlive it', BROWSERS, async (t, context) => {
  const app = await start(t, context);
  await closeWhileRefreshing(app);
  await context.addInitScript(() => localStorage.clear());
  const tab = await app.open();
  assert.equal(await tab.evaluate(state), 'signedOut');
  assert.match(app.service.log, /reused/);
});

inBrowsers('the network is cut and comes back', BROWSERS, async (t, context) => {
  const { service, link, tab, open } = await start(t, context, { settings: { ACCESS_TOKEN_TTL: '2s' } });
  const tabs = [tab, await open(), await open()];
  for (const tab of tabs) await tab.waitForFunction(isWell);

  link.cut();
  for (const tab of tabs) await tab.waitForFunction(isCutOff);
  await sleep(2_000);
  link.mend();
  for (const tab of tabs) await tab.waitForFunction(isWell);

  // The browser knows of this one, and goes on as soon as it is over.
  await context.setOffline(true);
  for (const tab of tabs) await tab.waitForFunction(isCutOff);
  await context.setOffline(false);
  for (const tab of tabs) await tab.waitForFunction(isWell);
  for (const tab of tabs) assert.ok(await tab.evaluate(neverSignedOut));
  assert.doesNotMatch(service.log, /reused|refused/);
});

for (const [i, database] of DATABASES.entries()) {
  const browsers = BROWSERS.filter((_, j) => isLong || i === j);
  inBrowsers(`the service is killed and started again, on ${database}`, browsers, async (t, context) => {
    const settings = { ACCESS_TOKEN_TTL: '2s' };
    const { service, tab, open } = await start(t, context, { database, settings });
    const tabs = [tab, await open(), await open()];
    const rounds = isLong ? 30 : 3;
    for (let round = 0; round < rounds; round++) {
      for (const tab of tabs) await tab.waitForFunction(isWell);
      // Refreshes are under way as it dies.
      for (const tab of tabs) void tab.evaluate(() => window.client.refresh()).catch(() => {});
      await sleep(round * 3);
      await service.stop('SIGKILL');
      await sleep(GRACE);
      await service.run();
    }
    for (const tab of tabs) await tab.waitForFunction(isWell);
    for (const tab of tabs) assert.ok(await tab.evaluate(neverSignedOut));
    assert.doesNotMatch(service.log, /reused|refused/);
    t.diagnostic(`killed ${rounds} times, 0 logouts`);
  });
}
