import { distance } from '../times.js';
import { html } from '../vendor/lit-html.js';
import * as api from './api.js';
import { Pages } from './pages.js';
import { table } from './table.js';

/** How long nothing is typed before the search begins. */
const PAUSE = 300;

/**
 * @param {() => void} update
 * @param {string} search What is searched for at first.
 * @returns {import('../frame.js').View}
 */
export function users(update, search) {
  /** @type {Pages<api.AdminUser>} */
  const pages = new Pages(update, (cursor) => api.users({ search, cursor }));
  /** @type {number | undefined} */
  let timer;

  /** @param {Event & { currentTarget: EventTarget | null }} event */
  const find = (event) => {
    event.preventDefault();
    clearTimeout(timer);
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const text = String(new FormData(form).get('search')).trim();
    const begin = () => {
      // Somebody may have left meanwhile.
      if (!form.isConnected) return;
      search = text;
      // For who comes back from a user.
      history.replaceState(null, '', addressOf('', text));
      pages.first();
    };
    if (event.type === 'submit') begin();
    else timer = setTimeout(begin, PAUSE);
  };

  pages.first();
  return {
    title: 'Users',
    width: 'table',
    content: () => html`
      <form role="search" novalidate @submit=${find} @input=${find}>
        <div class="field inline">
          <label for="search">Address or name</label>
          <input
            id="search"
            name="search"
            type="search"
            value=${search}
            autocomplete="off"
            autocapitalize="none"
            spellcheck="false"
          />
          <button>Search</button>
        </div>
      </form>
      ${pages.template((rows) => userTable(rows, search), 'user')}
    `,
  };
}

/**
 * The address of a user, or of all with nobody's id, from where one comes back to what was searched for.
 *
 * @param {string} id
 * @param {string} search
 */
export function addressOf(id, search) {
  const path = id ? `#/users/${id}` : '#/users';
  return search ? `${path}?search=${encodeURIComponent(search)}` : path;
}

/**
 * @param {api.AdminUser[]} users
 * @param {string} search By which they were found.
 */
function userTable(users, search) {
  return table(
    'Users, the newest first',
    ['Address', 'Name', 'Role', 'State', 'Last sign-in', 'Since'],
    users.map((user) => row(user, search)),
  );
}

/**
 * @param {api.AdminUser} user
 * @param {string} search
 */
function row({ id, email, name, role, emailVerified, disabled, lastLoginAt, createdAt }, search) {
  return html`
    <tr>
      <td data-label="Address"><a href=${addressOf(id, search)}>${email}</a></td>
      <td data-label="Name">${name ?? '–'}</td>
      <td data-label="Role">${role}</td>
      <td data-label="State">${state(disabled, emailVerified)}</td>
      <td data-label="Last sign-in">${lastLoginAt ? distance(lastLoginAt) : 'never'}</td>
      <td data-label="Since">${distance(createdAt)}</td>
    </tr>
  `;
}

/**
 * @param {boolean} isDisabled
 * @param {boolean} isVerified
 */
export function state(isDisabled, isVerified) {
  if (isDisabled) return html`<span class="badge bad">Disabled</span>`;
  if (!isVerified) return html`<span class="badge warning">Not verified</span>`;
  return html`<span class="badge good">Active</span>`;
}
