import { nameOfDevice } from '../device.js';
import { focusHeading } from '../frame.js';
import { client, signOut } from '../session.js';
import { Task, unlessGone } from '../task.js';
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
  const reading = new Task(update);
  const ending = new Task(update);

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
    const isDone = await ending.change(async () => {
      await end();
      // What becomes of that is said beside.
      await reading.run(read);
      return words;
    });
    // The button that was pressed is gone.
    if (isDone) focusHeading();
  };

  /** @param {SessionInfo} session */
  const end = ({ id, current, userAgent }) =>
    current
      ? ending.change(signOut)
      : endSome(() => client.endSession(id).catch(unlessGone), `${nameOfDevice(userAgent)}: signed out.`);
  const endOthers = () => endSome(() => client.endOtherSessions(), 'You were signed out everywhere else.');

  const list = () => {
    if (!sessions) return reading.failure ? nothing : html`<p class="late quiet">One moment…</p>`;
    return html`
      <ul class="cards" aria-label="Devices">
        ${sessions.map((session) => card(session, () => end(session), isBusy()))}
      </ul>
      ${
        sessions.length > 1
          ? html`<div class="buttons">
              <button class="danger" aria-disabled=${isBusy()} @click=${endOthers}>Sign out all others</button>
            </div>`
          : html`<p class="quiet">You are signed in nowhere else.</p>`
      }
    `;
  };

  const isBusy = () => reading.isBusy || ending.isBusy;

  reading.run(read);
  return {
    title: 'Your devices',
    width: 'text',
    content: () => html`
      <p>
        You are signed in on these. If you do not know one, sign it out and
        <a href="/account/password">change your password</a>.
      </p>
      ${ending.outcome} ${reading.outcome}
      ${reading.failure ? html`<div><button @click=${() => reading.run(read)}>Try again</button></div>` : nothing}
      <div class="stack" aria-busy=${isBusy()}>${list()}</div>
    `,
  };
}

/**
 * @param {SessionInfo} session
 * @param {() => void} end
 * @param {boolean} isBusy
 */
function card({ id, current, userAgent, ip, createdAt, lastUsedAt, expiresAt, endsAt }, end, isBusy) {
  const device = nameOfDevice(userAgent);
  return html`
    <li>
      <h2 title=${userAgent ?? nothing}>
        ${device} ${current ? html`<span class="badge good">This device</span>` : nothing}
      </h2>
      <dl class="facts">
        <div>
          <dt>Last used</dt>
          <dd id="used-${id}">${distance(lastUsedAt)}</dd>
        </div>
        <div>
          <dt>Address</dt>
          <dd id="address-${id}">${ip ?? 'unknown'}</dd>
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
      <button
        aria-label="Sign out ${device}"
        aria-describedby="address-${id} used-${id}"
        aria-disabled=${isBusy}
        @click=${end}
      >
        Sign out
      </button>
    </li>
  `;
}
