/** Other users in other tabs. */

import assert from 'node:assert/strict';

import { App, signUp } from './support/app.js';
import { BROWSERS, inBrowsers, withBrowsers } from './support/browsers.js';
import { PASSWORD, Service } from './support/service.js';

withBrowsers();

const GRACE = { email: 'grace@example.com', password: PASSWORD };

/** @param {typeof GRACE} account */
async function changeUser(account) {
  await window.client.logout();
  await window.client.login(account);
}

inBrowsers('a tab learns at once who has signed in in another', BROWSERS, async (t, context) => {
  const app = await App.start(t);
  const service = await Service.start(t, { settings: { ALLOWED_ORIGINS: app.origin } });
  await service.register(GRACE.email);
  const tab = await app.open(context, service);
  await signUp(tab);
  const other = await app.open(context, service);
  await other.evaluate(() => window.client.ready);
  await other.evaluate(changeUser, GRACE);
  await tab.waitForFunction(() => window.client.session.user?.email === 'grace@example.com');
  const seen = await tab.evaluate(() => window.seen.map(({ state, email }) => email ?? state));
  assert.deepEqual(seen, ['signedOut', GRACE.email]);
  assert.equal((await tab.evaluate(() => window.client.me())).email, GRACE.email);
});

inBrowsers('a tab that has heard nothing does not act for the other user', BROWSERS, async (t, context) => {
  const app = await App.start(t);
  const service = await Service.start(t, { settings: { ALLOWED_ORIGINS: app.origin } });
  await service.register(GRACE.email);
  await context.addInitScript(() => Reflect.deleteProperty(window, 'BroadcastChannel'));
  const stale = await app.open(context, service);
  await signUp(stale);
  const other = await app.open(context, service);
  await other.evaluate(() => window.client.ready);
  await other.evaluate(changeUser, GRACE);

  const rename = () => window.client.rename('Ada').catch((error) => error.code);
  assert.equal(await stale.evaluate(rename), 'USER_CHANGED');
  assert.equal(await stale.evaluate(() => window.client.session.user?.email), GRACE.email);
  const me = await other.evaluate(() => window.client.me());
  assert.deepEqual([me.email, me.name], [GRACE.email, null]);
});

inBrowsers('the hosted pages show nothing of a user who is gone', BROWSERS, async (t, context) => {
  const service = await Service.start(t);
  await service.register('ada@example.com');
  await service.register(GRACE.email);
  const [tab, other] = [await context.newPage(), await context.newPage()];
  /** @param {import('playwright-core').Page} page @param {string} email */
  const signIn = async (page, email) => {
    await page.getByLabel('E-mail address').fill(email);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
  };
  await tab.goto(`${service.url}/account`);
  await signIn(tab, 'ada@example.com');
  await tab.getByText('ada@example.com').first().waitFor();
  await tab.getByLabel('Your name').fill('half of a na');
  await other.goto(`${service.url}/account`);
  await other.getByRole('navigation').getByRole('button', { name: 'Sign out' }).click();
  await tab.getByRole('heading', { name: 'Sign in' }).waitFor();
  await signIn(other, GRACE.email);
  await tab.getByText(GRACE.email).first().waitFor();
  assert.equal(await tab.getByText('ada@example.com').count(), 0);
  assert.equal(await tab.getByLabel('Your name').inputValue(), '');
});
