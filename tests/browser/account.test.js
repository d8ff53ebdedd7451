/** The hosted pages, from making an account to deleting it, by keyboard alone. */

import assert from 'node:assert/strict';

import { BROWSERS, inBrowsers, withBrowsers } from './support/browsers.js';
import { focused, press, type } from './support/keyboard.js';
import { PASSWORD, Service } from './support/service.js';
import { watch } from './support/watch.js';

withBrowsers();

const EMAIL = 'ada@example.com';
const NEW_PASSWORD = 'another horse entirely';

/**
 * Waits for a view.
 *
 * @param {import('playwright-core').Page} page
 * @param {string} title
 */
async function arrive(page, title) {
  await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor();
  assert.equal(await page.title(), `${title} – Symbolon`);
}

/**
 * Waits for what is said.
 *
 * @param {import('playwright-core').Page} page
 * @param {string | RegExp} words
 */
async function hear(page, words) {
  await page.getByText(words).first().waitFor();
}

// Security: C5.
inBrowsers('an account from beginning to end, by keyboard', BROWSERS, async (t, context) => {
  const service = await Service.start(t);
  const faults = await watch(context);
  const page = await context.newPage();

  await page.goto(service.url);
  await arrive(page, 'Sign in');
  await press(page, 'Create an account');
  await arrive(page, 'Create an account');
  assert.equal(await focused(page), 'Create an account');
  await type(page, 'E-mail address', 'ada');
  await type(page, 'Password', 'short');
  await page.keyboard.press('Enter');
  await hear(page, 'at least 8 characters');
  await type(page, 'Password', PASSWORD);
  await page.keyboard.press('Enter');
  await hear(page, 'This is not an e-mail address.');
  assert.equal(await focused(page), 'E-mail address');
  await type(page, 'E-mail address', EMAIL);
  await page.keyboard.press('Enter');

  await arrive(page, 'Your account');
  await hear(page, 'Not verified');
  await page.goto(await service.mailedLink('verify'));
  await arrive(page, 'Verify your address');
  assert.equal(new URL(page.url()).hash, '');
  await press(page, 'Verify my address');
  await hear(page, 'Your e-mail address is verified.');
  await press(page, 'Go to your account');
  await arrive(page, 'Your account');
  await page.getByText('Verified', { exact: true }).waitFor();
  await type(page, 'Your name (optional)', 'Ada');
  await page.keyboard.press('Enter');
  await hear(page, 'Your name is saved.');

  await service.post('/auth/login', { email: EMAIL, password: PASSWORD, refreshTransport: 'body' });
  await press(page, 'Devices');
  await arrive(page, 'Your devices');
  await hear(page, 'This device');
  await press(page, 'Sign out all others');
  await hear(page, 'You were signed out everywhere else.');
  assert.equal(await page.getByRole('list', { name: 'Devices' }).getByRole('listitem').count(), 1);

  await press(page, 'Password');
  await arrive(page, 'Change your password');
  await type(page, 'Current password', 'a wrong password');
  await type(page, 'New password', NEW_PASSWORD);
  await page.keyboard.press('Enter');
  await hear(page, 'This is not your password.');
  assert.equal(await focused(page), 'Current password');
  await type(page, 'Current password', PASSWORD);
  await page.keyboard.press('Enter');
  await hear(page, 'Your password is changed.');

  await press(page, 'Sign out');
  await arrive(page, 'Sign in');
  await hear(page, 'You have signed out.');
  assert.deepEqual(await context.cookies(), []);

  await press(page, 'I forgot my password');
  await arrive(page, 'Forgot your password?');
  await type(page, 'E-mail address', EMAIL);
  await page.keyboard.press('Enter');
  await hear(page, `If ${EMAIL} has an account`);
  await page.goto(await service.mailedLink('reset'));
  await arrive(page, 'Set a new password');
  assert.equal(new URL(page.url()).hash, '');
  await type(page, 'New password', PASSWORD);
  await page.keyboard.press('Enter');
  await hear(page, 'Your new password is set.');
  await press(page, 'Sign in');
  await arrive(page, 'Sign in');
  await type(page, 'E-mail address', EMAIL);
  await type(page, 'Password', NEW_PASSWORD);
  await page.keyboard.press('Enter');
  await hear(page, 'The e-mail address or the password is wrong.');
  await type(page, 'Password', PASSWORD);
  await page.keyboard.press('Enter');
  await arrive(page, 'Your account');

  await press(page, 'Delete the account…');
  await page.getByRole('dialog', { name: 'Delete your account?' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  assert.equal(await focused(page), 'Delete the account…');
  await page.keyboard.press('Enter');
  await type(page, 'Your password', PASSWORD);
  await page.keyboard.press('Enter');
  await arrive(page, 'Sign in');
  await hear(page, 'Your account is deleted.');
  assert.deepEqual(await context.cookies(), []);
  assert.deepEqual(faults, []);
  assert.doesNotMatch(service.log, /ERROR|WARN/);
});

inBrowsers('who was sent to sign in is sent back', BROWSERS, async (t, context) => {
  const service = await Service.start(t);
  await service.register(EMAIL);
  const page = await context.newPage();
  for (const [returnTo, expected] of [
    ['/account/devices', '/account/devices'],
    ['https://evil.example/', '/account'],
    ['/account/sign-in', '/account'],
  ]) {
    await page.goto(`${service.url}/account/sign-in?return_to=${encodeURIComponent(returnTo)}`);
    await type(page, 'E-mail address', EMAIL);
    await type(page, 'Password', PASSWORD);
    await page.keyboard.press('Enter');
    await page.waitForURL(service.url + expected);
    await press(page, 'Sign out');
    await arrive(page, 'Sign in');
  }
});

inBrowsers('without a connection nothing is lost', BROWSERS, async (t, context) => {
  const service = await Service.start(t);
  await service.register(EMAIL);
  const faults = await watch(context);
  const page = await context.newPage();
  await page.goto(`${service.url}/account`);
  await type(page, 'E-mail address', EMAIL);
  await type(page, 'Password', PASSWORD);
  await page.keyboard.press('Enter');
  await arrive(page, 'Your account');
  await type(page, 'Your name (optional)', 'Ada');
  await context.setOffline(true);
  await page.keyboard.press('Enter');
  await hear(page, 'No connection to the service. Nothing was lost: try again.');
  await hear(page, 'No connection. You stay signed in.');
  await context.setOffline(false);
  await page.getByText('No connection. You stay signed in.').waitFor({ state: 'hidden' });
  await press(page, 'Save the name');
  await hear(page, 'Your name is saved.');
  assert.deepEqual(faults, []);
});

inBrowsers('what may have been done is not said to be lost', BROWSERS, async (t, context) => {
  const service = await Service.start(t);
  await service.register(EMAIL);
  const page = await context.newPage();
  await page.goto(`${service.url}/account/password`);
  await type(page, 'E-mail address', EMAIL);
  await type(page, 'Password', PASSWORD);
  await page.keyboard.press('Enter');
  await arrive(page, 'Change your password');
  await page.route('**/auth/change-password', async (route) => {
    const request = route.request();
    const { authorization } = request.headers();
    const headers = { authorization, 'content-type': 'application/json' };
    await fetch(request.url(), { method: 'POST', headers, body: request.postData() });
    await route.abort();
  });
  await type(page, 'Current password', PASSWORD);
  await type(page, 'New password', NEW_PASSWORD);
  await page.keyboard.press('Enter');
  await hear(page, 'The connection failed: it is not known whether this was done.');

  // Done, though what is left is not known.
  await service.post('/auth/login', { email: EMAIL, password: NEW_PASSWORD, refreshTransport: 'body' });
  await press(page, 'Devices');
  await hear(page, 'Sign out all others');
  await page.route('**/auth/sessions', (route) => route.abort(), { times: 1 });
  await press(page, 'Sign out An unknown device');
  await hear(page, 'An unknown device: signed out.');
  await hear(page, 'No connection to the service. Nothing was lost: try again.');
  await press(page, 'Try again');
  await hear(page, 'You are signed in nowhere else.');
});
