import { SymbolonError } from '../client.js';
import { nameOfDevice } from '../device.js';
import { cancelButton, closeDialog, dialog, openDialog } from '../dialog.js';
import { client, currentUser, leave } from '../session.js';
import { Task, unlessGone } from '../task.js';
import { date, dateAndTime, distance } from '../times.js';
import { html, nothing } from '../vendor/lit-html.js';
import * as api from './api.js';
import { eventTable } from './event-table.js';
import { Pages } from './pages.js';
import { table } from './table.js';
import { addressOf, state } from './users.js';

const ROLES = ['user', 'moderator', 'admin'];
const DELETE_DIALOG = 'delete-user-dialog';

/**
 * One user: who it is, what can be done, where he or she is signed in, what happened.
 *
 * @param {() => void} update
 * @param {string} id
 * @param {string} search What was searched for in the list that led here.
 * @returns {import('../frame.js').View}
 */
export function user(update, id, search) {
  /** @type {api.AdminUser | undefined} */
  let user;
  /** @type {api.SessionInfo[]} */
  let sessions = [];
  let isGone = false;
  /** @type {Pages<api.Recorded>} */
  const events = new Pages(update, (cursor) => api.events({ user: id, cursor }));
  const loading = new Task(update);
  const acting = new Task(update);
  const deleting = new Task(update);

  const read = async () => {
    try {
      [user, sessions] = await Promise.all([api.user(id), api.sessions(id)]);
    } catch (error) {
      isGone = error instanceof SymbolonError && error.code === 'NOT_FOUND';
      if (!isGone) throw error;
      user = undefined;
    }
  };

  /**
   * Does something to the user, and shows what came of it, its events included.
   *
   * @param {() => Promise<unknown>} act
   * @param {string} words
   */
  const actOn = (act, words) =>
    acting.change(async () => {
      // Without the user, reading tells.
      await act().catch(unlessGone);
      // What becomes of that is said elsewhere.
      await Promise.all([loading.run(read), events.first()]);
      return words;
    });

  /**
   * Does what ends the sessions of the user, of which this may be one.
   *
   * @param {() => Promise<unknown>} end
   * @param {string} words
   */
  const endHere = async (end, words) => {
    const endOwn = async () => {
      await end();
      // By this the pages hear of it.
      await client.refresh().catch(() => {});
    };
    await (id === currentUser().id ? leave(endOwn, words) : end());
  };

  /** @param {SubmitEvent} event */
  const setRole = async (event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const role = String(new FormData(form).get('role'));
    await actOn(() => api.changeUser(id, { role }), `The role is ${role} now.`);
    // To the role that it is, whatever was chosen.
    form.reset();
  };
  /** @param {boolean} disabled */
  const setDisabled = (disabled) => {
    const change = () => api.changeUser(id, { disabled });
    return disabled
      ? actOn(
          () => endHere(change, 'Your account is disabled.'),
          'The account is disabled, and its sessions are ended.',
        )
      : actOn(change, 'The account is enabled.');
  };
  const endSessions = () =>
    actOn(() => endHere(() => api.endSessions(id), 'You have ended all your sessions.'), 'All sessions are ended.');
  const deleteUser = () =>
    deleting.change(async () => {
      await endHere(() => api.deleteUser(id).catch(unlessGone), 'Your account is deleted.');
      closeDialog(DELETE_DIALOG);
      location.hash = addressOf('', search);
    });

  /** @param {api.AdminUser} user */
  const account = (user) => html`
    <section aria-labelledby="account">
      <h2 id="account">Account</h2>
      ${facts(user)} ${acting.outcome}
      <form class="field inline" @submit=${setRole}>
        <label for="role">Role</label>
        <select id="role" name="role">
          ${ROLES.map((name) => html`<option value=${name} ?selected=${name === user.role}>${name}</option>`)}
        </select>
        <button aria-disabled=${acting.isBusy}>Set the role</button>
      </form>
      <div class="buttons" aria-busy=${acting.isBusy}>
        <button aria-disabled=${acting.isBusy} @click=${() => setDisabled(!user.disabled)}>
          ${user.disabled ? 'Enable the account' : 'Disable the account'}
        </button>
        <button class="danger quiet" @click=${() => openDialog(DELETE_DIALOG)}>Delete the account…</button>
      </div>
      ${dialog({
        id: DELETE_DIALOG,
        title: 'Delete this account?',
        content: confirmation(user.email),
        task: deleting,
      })}
    </section>
  `;

  /** @param {string} email */
  const confirmation = (email) => html`
    <p><strong>${email}</strong> is gone for good, and signed out everywhere. What happened stays among the events.</p>
    ${deleting.outcome}
    <div class="buttons">
      <button class="danger" aria-busy=${deleting.isBusy} aria-disabled=${deleting.isBusy} @click=${deleteUser}>
        Delete the account
      </button>
      ${cancelButton(DELETE_DIALOG, true)}
    </div>
  `;

  const devices = () => html`
    <section aria-labelledby="sessions">
      <h2 id="sessions">Sessions</h2>
      ${
        sessions.length > 0
          ? html`${sessionTable(sessions)}
              <button aria-disabled=${acting.isBusy} @click=${endSessions}>End all sessions</button>`
          : html`<p class="quiet">Signed in nowhere.</p>`
      }
    </section>
  `;

  const waiting = html`<p class="late quiet">One moment…</p>`;
  const gone = html`<p class="notice">There is no such account, or not any more. Its events are kept for a while.</p>`;

  loading.run(read);
  events.first();
  return {
    get title() {
      return user?.email ?? 'User';
    },
    width: 'table',
    content: () => html`
      <p><a href=${addressOf('', search)}>${search ? 'Back to the search' : 'All users'}</a></p>
      ${loading.outcome}
      ${loading.failure ? html`<button @click=${() => loading.run(read)}>Try again</button>` : nothing}
      ${isGone ? gone : nothing}
      <div class="parts" aria-busy=${loading.isBusy} ?hidden=${isGone}>
        ${user ? html`${account(user)} ${devices()}` : loading.isBusy ? waiting : nothing}
      </div>
      <section aria-labelledby="events">
        <h2 id="events">Events</h2>
        ${events.template((rows) => eventTable(rows, id), 'event')}
      </section>
    `,
  };
}

/** @param {api.AdminUser} user */
function facts({ id, name, emailVerified, disabled, createdAt, lastLoginAt }) {
  return html`
    <dl class="facts">
      <div>
        <dt>State</dt>
        <dd>${state(disabled, emailVerified)}</dd>
      </div>
      <div>
        <dt>Name</dt>
        <dd>${name ?? '–'}</dd>
      </div>
      <div>
        <dt>Since</dt>
        <dd>${date(createdAt)}</dd>
      </div>
      <div>
        <dt>Last sign-in</dt>
        <dd>${lastLoginAt ? dateAndTime(lastLoginAt) : 'never'}</dd>
      </div>
      <div class="wide">
        <dt>Id</dt>
        <dd><code>${id}</code></dd>
      </div>
    </dl>
  `;
}

/** @param {api.SessionInfo[]} sessions */
function sessionTable(sessions) {
  return table(
    'Sessions',
    ['Device', 'Address', 'Last used', 'Signed in', 'Ends'],
    sessions.map(
      ({ userAgent, ip, lastUsedAt, createdAt, endsAt }) => html`
        <tr>
          <td data-label="Device" title=${userAgent ?? nothing}>${nameOfDevice(userAgent)}</td>
          <td data-label="Address">${ip ?? '–'}</td>
          <td data-label="Last used">${distance(lastUsedAt)}</td>
          <td data-label="Signed in">${date(createdAt)}</td>
          <td data-label="Ends">${date(endsAt)}</td>
        </tr>
      `,
    ),
  );
}
