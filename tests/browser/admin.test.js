/** What administrators do on their pages, and what they are told when it fails. */

import assert from 'node:assert/strict';

import { BROWSERS, inBrowsers, withBrowsers } from './support/browsers.js';
import { focused, press, tabTo, type } from './support/keyboard.js';
import { PASSWORD, Service } from './support/service.js';
import { ADMIN } from './support/views.js';
import { watch } from './support/watch.js';

withBrowsers();

/** @typedef {import('playwright-core').Page} Page */

const ADA = 'ada@example.com';
const OTHER_ADMIN = { email: 'root@example.com', password: PASSWORD };
const CROWD = Array.from({ length: 60 }, (_, i) => `one-of-many-${i}@example.com`);

/**
 * A service with an administrator and more users than are on one page, with the pages open there.
 *
 * @param {import('node:test').TestContext} t
 * @param {import('playwright-core').BrowserContext} context
 */
async function begin(t, context) {
  const service = await Service.start(t);
  service.createAdmin(ADMIN);
  service.importUsers(CROWD);
  await service.register(ADA);
  const faults = await watch(context);
  const page = await context.newPage();
  await page.goto(`${service.url}/admin`);
  await signIn(page);
  await arrive(page, 'Overview');
  return { service, faults, page };
}

/** @param {Page} page */
async function signIn(page) {
  await type(page, 'E-mail address', ADMIN.email);
  await type(page, 'Password', ADMIN.password);
  await page.keyboard.press('Enter');
}

/**
 * Waits for a view.
 *
 * @param {Page} page
 * @param {string} title
 */
async function arrive(page, title) {
  await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor();
}

/**
 * Waits for what is said.
 *
 * @param {Page} page
 * @param {string | RegExp} words
 */
async function hear(page, words) {
  await page.getByText(words).first().waitFor();
}

/**
 * @param {Page} page
 * @param {string} name
 */
async function click(page, name) {
  await page.getByRole('button', { name, exact: true }).click();
}

/**
 * Whom the list shows, in order.
 *
 * @param {Page} page
 */
function shown(page) {
  return page.getByRole('main').getByRole('table').getByRole('link').allTextContents();
}

/**
 * Opens a user who is in the list once searched for.
 *
 * @param {Page} page
 * @param {string} email
 */
async function openUser(page, email) {
  await page.getByLabel('Address or name').fill(email);
  await hear(page, /^1 user\.$/);
  await page.getByRole('link', { name: email }).click();
  await arrive(page, email);
}

/**
 * The next call for users whose query has this in it is answered as a service does that has too much to do.
 *
 * @param {Page} page
 * @param {string} part
 */
function refuseOnce(page, part) {
  const problem = { status: 503, title: 'Unavailable', code: 'UNAVAILABLE' };
  return page.route(
    ({ pathname, search }) => pathname === '/admin/users' && search.includes(part),
    (route) =>
      route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify(problem) }),
    { times: 1 },
  );
}

inBrowsers('an administrator finds users', BROWSERS, async (t, context) => {
  const { faults, page } = await begin(t, context);
  const everybody = [ADA, ...CROWD.toReversed(), ADMIN.email];

  await press(page, 'Users');
  await arrive(page, 'Users');
  await hear(page, 'The newest 50 users; there are more.');
  await refuseOnce(page, 'cursor=');
  await click(page, 'Show more');
  await hear(page, 'The service is busy.');
  assert.deepEqual(await shown(page), everybody.slice(0, 50));
  await press(page, 'Try again');
  await hear(page, /^62 users\.$/);
  assert.deepEqual(await shown(page), everybody);
  assert.equal(await focused(page), '62 users.');

  await refuseOnce(page, 'search=many-1');
  await page.getByLabel('Address or name').fill('many-1');
  await hear(page, 'The service is busy.');
  assert.deepEqual(await shown(page), []);
  await click(page, 'Try again');
  await hear(page, /^11 users\.$/);
  assert.deepEqual(
    await shown(page),
    everybody.filter((email) => email.includes('many-1')),
  );

  // A page that was on its way to another list.
  await page.getByLabel('Address or name').fill('one-of');
  await hear(page, 'The newest 50 users; there are more.');
  await refuseOnce(page, 'search=ada');
  await page.getByLabel('Address or name').fill('ada');
  await hear(page, 'The service is busy.');
  await click(page, 'Try again');
  await hear(page, /^1 user\.$/);
  assert.deepEqual(await shown(page), [ADA]);

  // A view follows its address, which follows what is typed.
  assert.equal(new URL(page.url()).hash, '#/users?search=ada');
  await page.getByRole('link', { name: ADA }).click();
  await arrive(page, ADA);
  await press(page, 'Back to the search');
  await hear(page, /^1 user\.$/);
  assert.equal(await page.getByLabel('Address or name').inputValue(), 'ada');
  await page.getByRole('navigation').getByRole('link', { name: 'Users' }).click();
  await hear(page, 'The newest 50 users; there are more.');
  assert.equal(await page.getByLabel('Address or name').inputValue(), '');
  await page.evaluate(() => (location.hash = '#/users?search=many-59'));
  await hear(page, /^1 user\.$/);
  assert.deepEqual(await shown(page), ['one-of-many-59@example.com']);
  assert.deepEqual(faults, []);
});

inBrowsers('an administrator changes, disables and deletes a user', BROWSERS, async (t, context) => {
  const { faults, page } = await begin(t, context);
  await press(page, 'Users');
  await openUser(page, ADA);
  await page.getByLabel('Role').selectOption('moderator');
  await click(page, 'Set the role');
  await hear(page, 'The role is moderator now.');
  await click(page, 'End all sessions');
  await hear(page, 'All sessions are ended.');
  await hear(page, 'Signed in nowhere.');
  await click(page, 'Disable the account');
  await hear(page, 'The account is disabled, and its sessions are ended.');
  await page.getByText('Disabled', { exact: true }).waitFor();
  await click(page, 'Enable the account');
  await hear(page, 'The account is enabled.');

  // Enter twice deletes nobody.
  await press(page, 'Delete the account…');
  await page.getByRole('dialog', { name: 'Delete this account?' }).waitFor();
  assert.equal(await focused(page), 'Cancel');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  assert.equal(await focused(page), 'Delete the account…');
  await page.keyboard.press('Enter');
  await press(page, 'Delete the account');
  await arrive(page, 'Users');
  await hear(page, 'No users.');
  await page.goBack();
  await hear(page, 'There is no such account, or not any more.');

  await press(page, 'Events');
  await arrive(page, 'Events');
  await page.getByRole('cell', { name: 'Account deleted' }).waitFor();
  await page.getByLabel('Show').selectOption('Role changed');
  await hear(page, /^1 event\.$/);

  await press(page, 'Overview');
  await arrive(page, 'Overview');
  await page.getByRole('img', { name: /^Sign-ins by the hour in the last 24 hours: \d+ in all\./ }).waitFor();
  await hear(page, '61 active');
  await press(page, 'The same as a table');
  assert.equal(await page.getByRole('table').getByRole('row').count(), 25);
  assert.deepEqual(faults, []);
});

inBrowsers('an administrator is told what becomes of the own account', BROWSERS, async (t, context) => {
  const { service, faults, page } = await begin(t, context);
  await press(page, 'Users');
  await openUser(page, ADMIN.email);
  const id = new URL(page.url()).hash.match(/users\/([\w-]+)/)?.[1];
  await page.getByLabel('Role').selectOption('user');
  await click(page, 'Set the role');
  await hear(page, 'This is the last administrator who can sign in.');
  assert.equal(await page.getByLabel('Role').inputValue(), 'admin');

  await click(page, 'End all sessions');
  await arrive(page, 'Sign in');
  await hear(page, 'You have ended all your sessions.');
  await signIn(page);
  await arrive(page, ADMIN.email);

  service.createAdmin(OTHER_ADMIN);
  const { accessToken } = await service.post('/auth/login', { ...OTHER_ADMIN, refreshTransport: 'body' });
  const answer = await fetch(`${service.url}/admin/users/${id}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${accessToken}` },
    body: JSON.stringify({ role: 'user' }),
  });
  assert.equal(answer.status, 200);
  await press(page, 'Events');
  await arrive(page, 'For administrators');
  await hear(page, 'who is not an administrator.');
  await tabTo(page, 'Go to your account');
  assert.deepEqual(faults, []);
});
