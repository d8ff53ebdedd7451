/** The pages under `/account`: which view is shown where. */

import { keepShowing, WAITING } from './frame.js';
import { mustVerify, whySignedOut } from './session.js';
import { devices } from './views/devices.js';
import { forgot } from './views/forgot.js';
import { password } from './views/password.js';
import { profile } from './views/profile.js';
import { register } from './views/register.js';
import { reset } from './views/reset.js';
import { sentOn } from './views/sent-on.js';
import { signIn } from './views/sign-in.js';
import { unverified } from './views/unverified.js';
import { verify } from './views/verify.js';

/** @typedef {(update: () => void) => import('./frame.js').View} Open */

/** @type {Record<string, Open>} For those who are signed in. */
const PRIVATE = {
  '/account': profile,
  '/account/devices': devices,
  '/account/password': password,
};

/** @type {Record<string, Open>} For those who are not. */
const ENTRANCES = {
  '/account/sign-in': signIn,
  '/account/register': register,
};

/** @type {Record<string, (update: () => void, token: string) => import('./frame.js').View>} For everybody. */
const PUBLIC = {
  '/account/forgot': forgot,
  '/account/reset': reset,
  '/account/verify': verify,
};

/** @type {Map<string, string>} What came by mailed links, by the path that each led to. */
const tokens = new Map();

/**
 * @param {import('./session.js').Session} session
 * @returns {import('./frame.js').Place}
 */
function placeOf({ state, user }) {
  takeToken();
  const path = pathOf(location);
  const open = PUBLIC[path];
  const token = tokens.get(path) ?? '';
  if (open) return { key: `${path} ${token}`, open: (update) => open(update, token) };
  if (state === 'unknown') return WAITING;
  const enter = ENTRANCES[path];
  if (!user) return { key: `${path} signed out`, open: enter ?? ((update) => signIn(update, whySignedOut())) };
  if (enter) return { key: 'sent on', open: () => sentOn(isEntrance) };
  if (mustVerify(user)) return { key: `unverified ${user.id}`, open: unverified };
  return { key: `${path} ${user.id}`, open: PRIVATE[path] ?? profile };
}

/** Takes the token out of the address, where it would be seen, and kept in the browser's history. */
function takeToken() {
  const found = new URLSearchParams(location.hash.slice(1)).get('token');
  if (!found) return;
  tokens.set(pathOf(location), found);
  history.replaceState(null, '', location.pathname + location.search);
}

/**
 * @param {import('./session.js').Session} session
 * @returns {import('./frame.js').Link[]}
 */
function linksOf({ user }) {
  if (!user || mustVerify(user)) return [];
  const path = pathOf(location);
  const links = [
    { href: '/account', text: 'Profile' },
    { href: '/account/devices', text: 'Devices' },
    { href: '/account/password', text: 'Password' },
  ].map((link) => ({ ...link, isCurrent: link.href === path }));
  return user.role === 'admin' ? [...links, { href: '/admin', text: 'Admin' }] : links;
}

/** @param {URL} url */
function isEntrance(url) {
  return url.origin === location.origin && pathOf(url) in ENTRANCES;
}

/** @param {{ pathname: string }} address */
function pathOf({ pathname }) {
  return pathname.replace(/\/$/, '');
}

const show = keepShowing(placeOf, linksOf);

// Every view has an address at which the service has this page. A browser with the Navigation API need
// not load it again, and goes on without a refresh.
window.navigation?.addEventListener('navigate', (event) => {
  const { url, sameDocument } = event.destination;
  const path = pathOf(new URL(url));
  const isOurs = path in PRIVATE || path in ENTRANCES || path in PUBLIC;
  if (!isOurs || !event.canIntercept || sameDocument || event.navigationType === 'reload') return;
  event.intercept({ focusReset: 'manual', handler: async () => show() });
});
addEventListener('popstate', show);
