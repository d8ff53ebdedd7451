/** Every view of the hosted pages, filled in, empty and in error. */

import { Service } from './service.js';

export const ADMIN = { email: 'admin@example.com', password: 'the one who looks after it' };
const ADA = 'ada@example.com';

/**
 * What there is to see, and how to get there.
 *
 * @typedef {object} View
 * @property {string} name
 * @property {string} path
 * @property {'nobody' | 'user' | 'admin'} [by] Who is signed in.
 * @property {(page: import('playwright-core').Page) => Promise<void>} [then] What is done there.
 */

/**
 * Fills in the fields and sends the form.
 *
 * @param {Record<string, string>} fields
 * @param {string} button
 * @param {string | RegExp} answer
 */
function send(fields, button, answer) {
  /** @param {import('playwright-core').Page} page */
  return async (page) => {
    for (const [label, text] of Object.entries(fields))
      await page.getByLabel(label, { exact: true }).fill(text);
    await page.getByRole('main').getByRole('button', { name: button, exact: true }).click();
    await page.getByText(answer).first().waitFor();
  };
}

/**
 * Opens what is closed.
 *
 * @param {string} text
 */
function open(text) {
  /** @param {import('playwright-core').Page} page */
  return (page) => page.getByText(text).first().click();
}

/** @type {View[]} */
const NOBODY = [
  { name: 'sign in', path: '/account' },
  { name: 'sign in, empty', path: '/account/sign-in', then: send({}, 'Sign in', 'Enter your password.') },
  {
    name: 'sign in, refused',
    path: '/account/sign-in',
    then: send({ 'E-mail address': ADA, Password: 'wrong' }, 'Sign in', 'is wrong'),
  },
  { name: 'register', path: '/account/register' },
  {
    name: 'register, refused',
    path: '/account/register',
    then: send(
      { 'E-mail address': 'x', Password: 'password1' },
      'Create the account',
      'not an e-mail address',
    ),
  },
  { name: 'forgot', path: '/account/forgot' },
  {
    name: 'forgot, sent',
    path: '/account/forgot',
    then: send({ 'E-mail address': ADA }, 'Send me a link', 'a link is on its way'),
  },
  { name: 'reset, without a token', path: '/account/reset' },
  { name: 'reset', path: '/account/reset#token=x' },
  {
    name: 'reset, refused',
    path: '/account/reset#token=y',
    then: send({ 'New password': 'a password for ever' }, 'Set the password', 'not good any more'),
  },
  { name: 'verify, without a token', path: '/account/verify' },
  { name: 'verify', path: '/account/verify#token=x' },
  {
    name: 'verify, refused',
    path: '/account/verify#token=y',
    then: send({}, 'Verify my address', 'not good any more'),
  },
];

/** @type {View[]} */
const USER = [
  { name: 'profile', path: '/account', by: 'user', then: open('Change the address') },
  { name: 'profile, deleting', path: '/account', by: 'user', then: open('Delete the account') },
  { name: 'devices', path: '/account/devices', by: 'user' },
  { name: 'password', path: '/account/password', by: 'user' },
  {
    name: 'password, refused',
    path: '/account/password',
    by: 'user',
    then: send(
      { 'Current password': 'wrong', 'New password': 'a password for ever' },
      'Change the password',
      'This is not your password',
    ),
  },
  { name: 'no administrator', path: '/admin', by: 'user' },
];

/**
 * @param {string} user
 * @returns {View[]}
 */
const ofAdmin = (user) => [
  { name: 'overview', path: '/admin', by: 'admin', then: open('The same as a table') },
  { name: 'users', path: '/admin#/users', by: 'admin' },
  { name: 'users, none found', path: '/admin#/users?search=nobody', by: 'admin' },
  { name: 'user', path: `/admin#/users/${user}`, by: 'admin' },
  { name: 'user, deleting', path: `/admin#/users/${user}`, by: 'admin', then: open('Delete the account') },
  { name: 'events', path: '/admin#/events', by: 'admin' },
  { name: 'profile of an administrator', path: '/account', by: 'admin' },
];

/**
 * Services with some users, and what can be seen there.
 *
 * @param {import('node:test').TestContext} t
 * @returns {Promise<{ service: Service, email: string, views: View[] }[]>}
 */
export async function services(t) {
  const service = await Service.start(t);
  const { id } = await service.register(ADA);
  await service.register('grace.brewster.murray.hopper@a-quite-long-name-of-a-domain.example.com');
  service.createAdmin(ADMIN);
  const strict = await Service.start(t, { settings: { REQUIRE_VERIFIED_EMAIL: 'true' } });
  await strict.register('new@example.com');
  const closed = await Service.start(t, { settings: { REGISTRATION: 'closed' } });
  return [
    { service, email: ADA, views: [...NOBODY, ...USER, ...ofAdmin(id)] },
    {
      service: strict,
      email: 'new@example.com',
      views: [{ name: 'unverified', path: '/account', by: 'user' }],
    },
    { service: closed, email: '', views: [{ name: 'register, closed', path: '/account/register' }] },
  ];
}
