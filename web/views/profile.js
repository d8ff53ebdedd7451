import { textField } from '../fields.js';
import { Form } from '../form.js';
import { client, currentUser, signOut } from '../session.js';
import { Task } from '../task.js';
import { date } from '../times.js';
import { html, nothing } from '../vendor/lit-html.js';
import { changeEmail } from './change-email.js';
import { deleteAccount } from './delete-account.js';
import { resend } from './unverified.js';

/**
 * @param {() => void} update
 * @returns {import('../frame.js').View}
 */
export function profile(update) {
  const resending = new Task(update);
  const naming = new Form(update, {
    id: 'rename',
    button: 'Save the name',
    keeps: true,
    send: async ({ name = '' }) => {
      await client.rename(name.trim() || null);
      return 'Your name is saved.';
    },
  });
  const signingOut = new Task(update);
  const changing = changeEmail(update);
  const deleting = deleteAccount(update);

  /** @param {import('../session.js').User} user */
  const address = ({ email, emailVerified }) => html`
    <section aria-labelledby="address">
      <h2 id="address">E-mail address</h2>
      <p class="fact">
        <strong>${email}</strong>
        <span class="badge ${emailVerified ? 'good' : 'warning'}">${emailVerified ? 'Verified' : 'Not verified'}</span>
      </p>
      ${
        emailVerified
          ? nothing
          : html`
              <p>Open the link in the mail that we have sent you. Nothing came?</p>
              <button
                aria-busy=${resending.isBusy}
                aria-disabled=${resending.isBusy}
                @click=${() => resending.change(resend)}
              >
                Send it again
              </button>
            `
      }
      ${resending.outcome} ${changing()}
    </section>
  `;

  /** @param {import('../session.js').User} user */
  const name = ({ name }) => html`
    <section aria-labelledby="name">
      <h2 id="name">Name</h2>
      ${naming.template(
        textField(naming, {
          name: 'name',
          label: 'Your name',
          autocomplete: 'name',
          value: name ?? '',
          isOptional: true,
        }),
      )}
    </section>
  `;

  const security = html`
    <section aria-labelledby="security">
      <h2 id="security">Signing in</h2>
      <ul class="links">
        <li><a href="/account/password">Change your password</a></li>
        <li><a href="/account/devices">See where you are signed in</a></li>
      </ul>
    </section>
  `;

  /** @param {import('../session.js').User} user */
  const leaving = ({ createdAt }) => html`
    <section aria-labelledby="leaving">
      <h2 id="leaving">Leaving</h2>
      <p class="quiet">You have had this account since ${date(createdAt)}.</p>
      ${signingOut.outcome}
      <div class="buttons">
        <button
          aria-busy=${signingOut.isBusy}
          aria-disabled=${signingOut.isBusy}
          @click=${() => signingOut.change(signOut)}
        >
          Sign out
        </button>
        ${deleting()}
      </div>
    </section>
  `;

  return {
    title: 'Your account',
    width: 'text',
    content: () => {
      const user = currentUser();
      return html`
        ${
          user.role === 'admin'
            ? html`<p>You are an administrator here: <a href="/admin">look after the service</a>.</p>`
            : nothing
        }
        ${address(user)} ${name(user)} ${security} ${leaving(user)}
      `;
    },
  };
}
