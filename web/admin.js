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
 * @param {import('./session.js').Session} session
 * @returns {import('./frame.js').Place}
 */
function placeOf({ state, user: me }) {
  if (state === 'unknown') return WAITING;
  if (!me) return { key: 'signed out', open: (update) => signIn(update, whySignedOut()) };
  if (mustVerify(me)) return { key: `unverified ${me.id}`, open: unverified };
  if (me.role !== 'admin') return { key: `no admin ${me.id}`, open: noAdmin };
  const { path, query } = address();
  const [, list, id] = path.split('/');
  /** @param {(update: () => void) => import('./frame.js').View} open */
  const place = (open) => ({ key: `${path} ${me.id}`, open });
  if (list === 'users' && id) return place((update) => user(update, id));
  if (list === 'users') return place((update) => users(update, query.get('search') ?? ''));
  if (list === 'events') return place(events);
  return place(overview);
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

addEventListener('hashchange', keepShowing(placeOf, linksOf));
