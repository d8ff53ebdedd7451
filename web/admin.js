/** The pages of administrators, all at `/admin`: which view is shown is told by the fragment. */

import { events } from './admin/events.js';
import { overview } from './admin/overview.js';
import { user } from './admin/user.js';
import { users } from './admin/users.js';
import { keepShowing, WAITING } from './frame.js';
import { mustVerify, whySignedOut } from './session.js';
import { noAdmin } from './views/no-admin.js';
import { signIn } from './views/sign-in.js';
import { unverified } from './views/unverified.js';

/**
 * Counts how often the fragment was followed, by links or through the history: each time another view is opened,
 * with what the fragment says then. What a view itself writes there, for who comes back to it, leaves it open.
 */
let visits = 0;

/**
 * @param {import('./session.js').Session} session
 * @returns {import('./frame.js').Place}
 */
function placeOf({ state, user: me }) {
  if (state === 'unknown') return WAITING;
  if (!me) return { key: 'signed out', open: (update) => signIn(update, whySignedOut()) };
  if (mustVerify(me)) return { key: `unverified ${me.id}`, open: unverified };
  if (me.role !== 'admin') return { key: `no admin ${me.id}`, open: noAdmin };
  return { key: `${visits} ${me.id}`, open };
}

/**
 * Opens what the fragment leads to.
 *
 * @param {() => void} update
 */
function open(update) {
  const { path, query } = address();
  const search = query.get('search') ?? '';
  const [, list, id] = path.split('/');
  if (list === 'users' && id) return user(update, id, search);
  if (list === 'users') return users(update, search);
  if (list === 'events') return events(update);
  return overview(update);
}

/** What the fragment says, as in `#/users?search=ada`. */
function address() {
  const [path = '', query] = location.hash.slice(1).split('?');
  return { path, query: new URLSearchParams(query) };
}

/**
 * @param {import('./session.js').Session} session
 * @returns {import('./frame.js').Link[]}
 */
function linksOf({ user: me }) {
  const account = { href: '/account', text: 'Account' };
  if (!me || mustVerify(me)) return [];
  if (me.role !== 'admin') return [account];
  const { path } = address();
  return [
    { href: '#/', text: 'Overview', isCurrent: path === '' || path === '/' },
    { href: '#/users', text: 'Users', isCurrent: path.startsWith('/users') },
    { href: '#/events', text: 'Events', isCurrent: path === '/events' },
    account,
  ];
}

const show = keepShowing(placeOf, linksOf);

addEventListener('hashchange', () => {
  visits++;
  show();
});
