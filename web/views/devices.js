import { nameOfDevice } from '../device.js';
import { focusHeading } from '../frame.js';
import { client, signOut } from '../session.js';
import { Task } from '../task.js';
import { date, distance } from '../times.js';
import { html, nothing } from '../vendor/lit-html.js';

/** @typedef {import('../client.js').SessionInfo} SessionInfo */

/**
 * @param {() => void} update
 * @returns {import('../frame.js').View}
 */
export function devices(update) {
  /** @type {SessionInfo[] | undefined} */
  let sessions;
  const task = new Task(update);

  const read = async () => {
    const all = await client.sessions();
    sessions = all.sort((a, b) => Number(b.current) - Number(a.current) || b.lastUsedAt.localeCompare(a.lastUsedAt));
  };

  /**
   * Ends sessions and shows those that are left.
   *
   * @param {() => Promise<void>} end
   * @param {string} words
   */
  const endSome = async (end, words) => {
    const isDone = await task.run(async () => {
      await end();
      await read();
      return words;
    });
    // The button that was pressed is gone.
    if (isDone) focusHeading();
  };

  /** @param {SessionInfo} session */
  const end = ({ id, current, userAgent }) =>
    current ? task.run(signOut) : endSome(() => client.endSession(id), `${nameOfDevice(userAgent)}: signed out.`);
  const endOthers = () => endSome(() => client.endOtherSessions(), 'You were signed out everywhere else.');

  const list = () => {
    if (!sessions) {
      return task.failure
        ? html`<button @click=${() => task.run(read)}>Try again</button>`
        : html`<p class="late quiet">One moment…</p>`;
    }
    return html`
      <ul class="cards" aria-label="Devices">
        ${sessions.map((session) => card(session, () => end(session)))}
      </ul>
      ${
        sessions.length > 1
          ? html`<div class="buttons"><button class="danger" @click=${endOthers}>Sign out all others</button></div>`
          : html`<p class="quiet">You are signed in nowhere else.</p>`
      }
    `;
  };

  task.run(read);
  return {
    title: 'Your devices',
    width: 'text',
    content: () => html`
      <p>
        You are signed in on these. If you do not know one, sign it out and
        <a href="/account/password">change your password</a>.
      </p>
      ${task.outcome}
      <div class="stack" aria-busy=${task.isBusy}>${list()}</div>
    `,
  };
}

/**
 * @param {SessionInfo} session
 * @param {() => void} end
 */
function card({ current, userAgent, ip, createdAt, lastUsedAt, expiresAt, endsAt }, end) {
  const device = nameOfDevice(userAgent);
  return html`
    <li>
      <h2 title=${userAgent ?? nothing}>
        ${device} ${current ? html`<span class="badge good">This device</span>` : nothing}
      </h2>
      <dl class="facts">
        <div>
          <dt>Last used</dt>
          <dd>${distance(lastUsedAt)}</dd>
        </div>
        <div>
          <dt>Address</dt>
          <dd>${ip ?? 'unknown'}</dd>
        </div>
        <div>
          <dt>Signed in</dt>
          <dd>${date(createdAt)}</dd>
        </div>
        <div>
          <dt>Ends if unused</dt>
          <dd>${date(expiresAt)}</dd>
        </div>
        <div>
          <dt>Ends by</dt>
          <dd>${date(endsAt)}</dd>
        </div>
      </dl>
      <button aria-label="Sign out ${device}" @click=${end}>Sign out</button>
    </li>
  `;
}
