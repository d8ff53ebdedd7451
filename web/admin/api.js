/** What administrators ask of the service. */

import { SymbolonError } from '../client.js';
import { client } from '../session.js';

/** @typedef {import('../session.js').User & { disabled: boolean, lastLoginAt: string | null }} AdminUser */
/** @typedef {import('../client.js').SessionInfo} SessionInfo */

/**
 * @typedef {object} Recorded Something that happened.
 * @property {string} id
 * @property {string} at
 * @property {string} kind
 * @property {string | null} actor Who did it; nobody at the command line, or somebody unknown.
 * @property {string | null} user To whom.
 * @property {string | null} session
 * @property {string | null} ip
 * @property {string | null} userAgent
 * @property {string | null} detail
 */

/** @typedef {{ hour: string, signIns: number, refreshes: number, reuses: number }} Hour */

/**
 * @typedef {object} Stats
 * @property {{ total: number, active: number }} users
 * @property {number} liveSessions
 * @property {number} mailsWaiting
 * @property {number} reuses
 * @property {Hour[]} hours The latest at the end.
 */

/**
 * A part of a list, and where it goes on, if there is more.
 *
 * @template T
 * @typedef {{ rows: T[], nextCursor?: string }} Page
 */

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 */
async function call(method, path, body) {
  try {
    return await client.call(method, path, body);
  } catch (error) {
    // Demoted: these pages are to hear of it.
    if (error instanceof SymbolonError && error.code === 'FORBIDDEN') await client.refresh().catch(() => {});
    throw error;
  }
}

/**
 * @param {string} path
 * @param {Record<string, string | undefined>} query
 */
function withQuery(path, query) {
  const given = Object.entries(query).flatMap(([name, value]) => (value ? [[name, value]] : []));
  return given.length > 0 ? `${path}?${new URLSearchParams(given)}` : path;
}

/** @returns {Promise<Stats>} */
export function stats() {
  return call('GET', '/admin/stats');
}

/**
 * @param {{ search?: string, cursor?: string }} query
 * @returns {Promise<Page<AdminUser>>}
 */
export async function users(query) {
  const { users, nextCursor } = await call('GET', withQuery('/admin/users', query));
  return { rows: users, nextCursor };
}

/**
 * @param {{ user?: string, kind?: string, cursor?: string }} query
 * @returns {Promise<Page<Recorded>>}
 */
export async function events(query) {
  const { events, nextCursor } = await call('GET', withQuery('/admin/events', query));
  return { rows: events, nextCursor };
}

/**
 * @param {string} id
 * @returns {Promise<AdminUser>}
 */
export function user(id) {
  return call('GET', pathOf(id));
}

/**
 * @param {string} id
 * @param {{ role?: string, disabled?: boolean }} change
 * @returns {Promise<AdminUser>}
 */
export function changeUser(id, change) {
  return call('PATCH', pathOf(id), change);
}

/**
 * @param {string} id
 * @returns {Promise<void>}
 */
export function deleteUser(id) {
  return call('DELETE', pathOf(id));
}

/**
 * @param {string} id
 * @returns {Promise<SessionInfo[]>}
 */
export async function sessions(id) {
  return (await call('GET', `${pathOf(id)}/sessions`)).sessions;
}

/**
 * @param {string} id
 * @returns {Promise<void>}
 */
export function endSessions(id) {
  return call('DELETE', `${pathOf(id)}/sessions`);
}

/** @param {string} id */
function pathOf(id) {
  return `/admin/users/${encodeURIComponent(id)}`;
}
